"""The app that holds starting."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StartingConfig(AppConfig):
    """Commands that start, test, copy and restore an installation."""

    name = "coordination.starting"
    label = "starting"
    verbose_name = _("Starting")
