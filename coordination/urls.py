"""The list of what is mounted where."""

from django.contrib import admin
from django.urls import include, path

from coordination import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz/live", health.live),
    path("healthz/ready", health.ready),
    path("metrics", health.metrics),
    path("", include("coordination.accounts.urls")),
    path("", include("coordination.calendars.urls")),
]
