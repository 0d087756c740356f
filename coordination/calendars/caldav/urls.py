"""Addresses of CalDAV; which resource stands where is said in `resources`."""

from django.urls import path, re_path

from coordination.calendars.caldav import views

app_name = "caldav"
urlpatterns = [
    path(".well-known/caldav", views.well_known, name="well_known"),
    path(".well-known/caldav/", views.well_known),
    re_path(r"^principals/?$", views.well_known),  # where Apple's programs look next
    re_path(r"^dav(?:/.*)?$", views.dav, name="dav"),
]
