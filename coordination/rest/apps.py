"""The app that holds rest."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RestConfig(AppConfig):
    """House rules of the REST API: lists, preconditions, problems, pages, schema."""

    name = "coordination.rest"
    label = "rest"
    verbose_name = _("REST API")
