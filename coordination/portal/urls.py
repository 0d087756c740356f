"""Addresses of the pages that need both domains."""

from django.urls import path

from coordination.portal import carrying_views, change_views, record_views, reminder_views, views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("calendar/", views.calendar, name="calendar"),
    path("plans/", views.plans, name="plans"),
    path("alliances/<slug:slug>/", views.alliance, name="alliance"),
    path("alliances/<slug:slug>/plans/<slug:plan_slug>/", views.plan, name="plan"),
    path(
        "alliances/<slug:slug>/plans/<slug:plan_slug>/actual/", record_views.actual, name="actual"
    ),
    path("changes/", change_views.changes, name="changes"),
    path("history/<uuid:uid>/", record_views.history, name="history"),
    path(
        "alliances/<slug:slug>/plans/<slug:plan_slug>/carry-over/",
        carrying_views.carry_over,
        name="carry_over",
    ),
    path("reminders/", reminder_views.reminders, name="reminders"),
    path("reminders/<uuid:uid>/remove/", reminder_views.remove, name="remove_rule"),
]
