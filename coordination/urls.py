"""The list of what is mounted where."""

from django.contrib import admin
from django.urls import include, path

from coordination import health

urlpatterns = [
    path("", include("coordination.calendars.urls")),  # first what is asked for most often
    path("", include("coordination.calendars.caldav.urls")),
    path("admin/", admin.site.urls),
    path("healthz/live", health.live),
    path("healthz/ready", health.ready),
    path("metrics", health.metrics),
    path("", include("coordination.rest.urls")),
    path("api/v1/", include("alliances.api.urls")),
    path("api/v1/", include("events.api.urls")),
    path("api/v1/", include("coordination.calendars.api_urls")),
    path("api/v1/", include("coordination.deliveries.own_api.urls")),
    path("", include("coordination.accounts.urls")),
    path("", include("coordination.deliveries.own_pages.urls")),
    path("", include("coordination.workbooks.urls")),
    path("", include("alliances.portal.urls")),
    path("", include("events.portal.urls")),
    path("", include("coordination.portal.urls")),
]

handler400 = "coordination.rest.pages.bad_request"
handler403 = "coordination.rest.pages.forbidden"
handler404 = "coordination.rest.pages.not_found"
handler500 = "coordination.rest.pages.failed"
