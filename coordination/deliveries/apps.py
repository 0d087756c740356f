"""The app that holds deliveries."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveriesConfig(AppConfig):
    """How news leaves the building: reminders, messages, attempts."""

    name = "coordination.deliveries"
    label = "deliveries"
    verbose_name = _("Deliveries")
