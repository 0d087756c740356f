"""The app that holds workbooks."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WorkbooksConfig(AppConfig):
    """Plan workbooks in and out."""

    name = "coordination.workbooks"
    label = "workbooks"
    verbose_name = _("Workbooks")
