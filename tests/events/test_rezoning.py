"""New zone data move instants, never what clocks on the wall show."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import models

from coordination.changes.models import Change
from events.models import Event, Reminder
from events.reminding import add_reminder_rule
from events.rezoning import follow_zone_data
from tests.factories import AT, SYSTEM, Cast, make_event

pytestmark = pytest.mark.django_db


def as_if_derived_from_older_data(event: Event, *, by: timedelta) -> None:
    """Store what another rule of the zone would have given."""
    assert event.starts_at is not None
    assert event.ends_at is not None
    models.QuerySet(Event).filter(pk=event.pk).update(
        starts_at=event.starts_at + by, ends_at=event.ends_at + by, tzdata_version="2020.1"
    )
    models.QuerySet(Reminder).update(
        due_at=models.F("due_at") + by, nominal_at=models.F("nominal_at") + by
    )


def test_follow_zone_data_moves_instants_and_reminders_back_to_the_wall_time(cast: Cast) -> None:
    add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, offset="-P1D")
    event = make_event(cast.alliance, scheduled=True)
    due = Reminder.objects.get().due_at
    as_if_derived_from_older_data(event, by=timedelta(hours=1))

    assert follow_zone_data(at=AT) == 1

    stored = Event.objects.get()
    assert (stored.starts_at, stored.starts_wall) == (event.starts_at, datetime(2028, 5, 16, 9, 30))
    assert stored.sequence == event.sequence + 1
    assert Reminder.objects.get().due_at == due
    assert Change.objects.latest("number").kind == "event.rezoned"
    assert follow_zone_data(at=AT) == 0


def test_follow_zone_data_leaves_events_that_stay_the_same_and_those_of_the_past(
    cast: Cast,
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    as_if_derived_from_older_data(event, by=timedelta(0))
    count = Change.objects.count()

    assert follow_zone_data(at=AT) == 0
    as_if_derived_from_older_data(event, by=timedelta(hours=1))
    assert follow_zone_data(at=AT + timedelta(days=3650)) == 0

    assert Change.objects.count() == count
