"""The app that holds calendars."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CalendarsConfig(AppConfig):
    """How others keep a copy: feeds and calendar protocols."""

    name = "coordination.calendars"
    label = "calendars"
    verbose_name = _("Calendars")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have event texts rendered inside each recording, and links end with tokens."""
        from coordination.accounts.scoping import register_resources
        from coordination.accounts.tokens import register_ender
        from coordination.calendars.linking import revoke_links_of
        from coordination.calendars.rendering import project_texts
        from coordination.calendars.webhook_keepers import KeeperNotices
        from coordination.calendars.webhook_notices import Accounts, WebhookNotices
        from coordination.calendars.webhook_owners import staffed_owners
        from coordination.calendars.webhooks import WebhookMessages, WebhookNews
        from coordination.changes.projections import register_projection
        from coordination.deliveries.recipients import register_address_book
        from coordination.deliveries.sources import register_source
        from coordination.deliveries.subscribers import register_subscriber
        from coordination.deliveries.subscriptions import register_owner_keys

        register_projection(project_texts)
        register_ender(revoke_links_of)
        register_resources(["feed-links", "webhooks"])
        register_owner_keys(staffed_owners)
        register_address_book("user", Accounts())
        register_source(WebhookMessages())
        register_source(WebhookNotices())
        register_source(KeeperNotices())
        register_subscriber(WebhookNews())
