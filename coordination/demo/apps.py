"""The demo world as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DemoConfig(AppConfig):
    """The demo world: four alliances, one year."""

    name = "coordination.demo"
    label = "demo"
    verbose_name = _("Demo")
