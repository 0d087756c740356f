"""The list of what is mounted where."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("coordination.accounts.urls")),
    path("", include("coordination.calendars.urls")),
]
