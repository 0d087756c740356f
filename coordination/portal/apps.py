"""The app that holds portal."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """Pages: the home board, search, sign-in, and what all pages share."""

    name = "coordination.portal"
    label = "portal"
    verbose_name = _("Portal")
