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
        from datetime import timedelta
        from functools import partial

        from coordination.accounts.scoping import register_resources
        from coordination.deliveries.chores import register_chore
        from coordination.deliveries.retention import delete_old, empty_inboxes, forget_content
        from coordination.deliveries.sources import register_source
        from coordination.deliveries.subscriptions import WEBHOOK
        from coordination.deliveries.transports.base import register_transport
        from coordination.deliveries.transports.chat import (
            LINES_PER_MESSAGE,
            WORKERS,
            transport_for_robot,
        )
        from coordination.deliveries.transports.email import EmailTransport, connections
        from coordination.deliveries.transports.inbox import InboxTransport
        from coordination.deliveries.transports.robots import ROBOTS
        from coordination.deliveries.transports.webhook import WebhookTransport
        from coordination.deliveries.troubles import Troubles

        register_transport("email", EmailTransport, workers=connections())
        register_transport("inbox", InboxTransport)
        register_resources(["inbox", "robots", "wishes"])
        register_source(Troubles())
        # They look through the whole ledger: not with every round.
        register_chore("forget old content", forget_content, every=timedelta(hours=1))
        register_chore("delete old lines", delete_old, every=timedelta(hours=1))
        register_chore("empty old inboxes", empty_inboxes, every=timedelta(hours=1))
        register_transport(WEBHOOK, WebhookTransport)
        for channel in ROBOTS:
            register_transport(
                channel,
                partial(transport_for_robot, channel),
                workers=WORKERS,
                most_lines=LINES_PER_MESSAGE,
            )
