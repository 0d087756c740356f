"""Addresses of the pages that need both domains."""

from django.urls import path, re_path

from coordination.portal import (
    carrying_views,
    change_views,
    holiday_views,
    ledger_views,
    owed_views,
    record_views,
    reminder_views,
    views,
)

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
    path("reminders/<uuid:uid>/", reminder_views.rule, name="rule"),
    path("reminders/<uuid:uid>/remove/", reminder_views.remove, name="remove_rule"),
    path("reminders/events/<uuid:uid>/", reminder_views.of_event, name="event_rules"),
    path(
        "reminders/events/<uuid:uid>/silence/<uuid:rule_uid>/",
        reminder_views.silence,
        name="silence_rule",
    ),
    path("owed/", owed_views.owed, name="owed"),
    path("owed/<uuid:uid>/done/", owed_views.done, name="owed_done"),
    path("owed/<uuid:uid>/reopen/", owed_views.reopen, name="owed_reopen"),
    path("owed/<slug:slug>/", owed_views.expected, name="expected"),
    path("owed/<slug:slug>/usual/", owed_views.take_over, name="take_over_usual"),
    path("owed/duties/<uuid:uid>/", owed_views.standard_duty, name="standard_duty"),
    path("owed/steps/<uuid:uid>/", owed_views.chase_step, name="chase_step"),
    path("holidays/", holiday_views.holidays, name="holidays"),
    path("ledger/", ledger_views.show, name="ledger"),
    path("ledger/health/", ledger_views.health, name="ledger_health"),
    re_path("^ledger/all/(?P<verb>again|skip|release)/$", ledger_views.act, name="ledger_act"),
    re_path(
        "^ledger/holds/(?P<key>[0-9]{1,18})/(?P<verb>release|skip)/$",
        ledger_views.end_hold,
        name="ledger_end_hold",
    ),
    path("ledger/messages/<uuid:uid>/", ledger_views.message, name="ledger_message"),
    path("ledger/endpoints/<uuid:uid>/", ledger_views.switch, name="ledger_switch"),
    path("ledger/channels/<slug:name>/", ledger_views.resume, name="ledger_resume"),
]
