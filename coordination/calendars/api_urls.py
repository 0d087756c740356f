"""Addresses of calendars' own resources, below `/api/v1/`."""

from __future__ import annotations

from coordination.calendars.link_api import FeedLinkViewSet
from coordination.rest.routing import resource_paths

urlpatterns = [
    *resource_paths("feed-links", FeedLinkViewSet, name="api-feed-link"),
]
