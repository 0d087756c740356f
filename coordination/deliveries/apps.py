"""The app that holds deliveries."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveriesConfig(AppConfig):
    """How news leaves the building: reminders, messages, attempts."""

    name = "coordination.deliveries"
    label = "deliveries"
    verbose_name = _("Deliveries")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the channels this room carries by itself."""
        from coordination.deliveries.transports.base import register_transport
        from coordination.deliveries.transports.email import EmailTransport, connections

        register_transport("email", EmailTransport, workers=connections())
