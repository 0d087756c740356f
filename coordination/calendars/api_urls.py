"""Addresses of calendars' own resources, below `/api/v1/`."""

from __future__ import annotations

from coordination.calendars.link_api import FeedLinkViewSet
from coordination.calendars.webhook_api import WebhookMessagesView, WebhookViewSet
from coordination.rest.routing import resource_paths, view_paths

urlpatterns = [
    *resource_paths("feed-links", FeedLinkViewSet, name="api-feed-link"),
    *resource_paths("webhooks", WebhookViewSet, name="api-webhook"),
    *view_paths(
        "webhooks/<uuid:uid>/messages", WebhookMessagesView.as_view(), name="api-webhook-messages"
    ),
]
