"""Addresses of the pages that need both domains."""

from django.urls import path

from coordination.portal import record_views, views

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
    path("history/<uuid:uid>/", record_views.history, name="history"),
    path("reminders/", record_views.reminders, name="reminders"),
    path("connect/", record_views.connect, name="connect"),
]
