"""Addresses of calendars: paths end in .ics and never redirect."""

from django.urls import path, register_converter

from coordination.calendars import portal, views, webhook_portal
from coordination.calendars.sync_api import SyncView
from coordination.rest.routing import view_paths


class YearConverter:
    """A year of four digits."""

    regex = "[0-9]{4}"

    def to_python(self, value: str) -> int:
        """Return the year."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Return its digits."""
        return f"{value:04d}"


register_converter(YearConverter, "year")
app_name = "calendars"
urlpatterns = [
    path("calendars/alliances/<slug:slug>.ics", views.alliance_feed, name="alliance_feed"),
    path(
        "calendars/alliances/<slug:slug>/<year:year>.ics",
        views.alliance_feed,
        name="alliance_year_feed",
    ),
    path("calendars/links/<str:secret>.ics", views.private_link, name="private_link"),
    path("robots.txt", views.robots, name="robots"),
    path("connect/", portal.connect, name="connect"),
    path("connect/links/new/", portal.new_link, name="new_link"),
    path("connect/links/<uuid:uid>/", portal.show_link, name="link"),
    path("connect/links/<uuid:uid>/replace/", portal.give_new_address, name="replace_link"),
    path("connect/links/<uuid:uid>/revoke/", portal.revoke, name="revoke_link"),
    path("connect/webhooks/", webhook_portal.webhooks, name="webhooks"),
    path("connect/webhooks/<uuid:uid>/", webhook_portal.show_webhook, name="webhook"),
    *(
        path(
            f"connect/webhooks/<uuid:uid>/{verb}/",
            webhook_portal.act,
            {"verb": verb},
            name=f"webhook_{verb}",
        )
        for verb in ("rotate", *webhook_portal.ACTS)
    ),
    *view_paths("api/v1/sync", SyncView.as_view(), name="api-sync"),
]
