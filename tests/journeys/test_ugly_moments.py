"""Reminders at moments at which clocks, calendars and offices do something unusual.

From a rule and an event, by the clock's own ticks, to the instant at which a reader is written to.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from alliances.models import Person
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from coordination.changes.refusals import InvalidInput
from coordination.deliveries.models import Delivery, Wishes
from events.models import Event, Holiday, HolidayYear, Reminder
from events.reminding import add_reminder_rule
from events.scheduling import draft_event, postpone_event, schedule_event
from events.telling import Reminders
from tests.factories import AT, Cast, span, stored

pytestmark = pytest.mark.django_db
BEIJING, MADRID, KATHMANDU = "Asia/Shanghai", "Europe/Madrid", "Asia/Kathmandu"
LOUD: dict[str, Any] = {"respects_quiet": False}
STEP = timedelta(minutes=15)


def event_at(cast: Cast, starts: str, zone: str = BEIJING, *, whole_days: bool = False) -> Event:
    """Schedule an event of two hours, or of one whole day, open to all members."""
    begins = datetime.fromisoformat(starts)
    ends = begins + (timedelta(days=1) if whole_days else timedelta(hours=2))
    when = span(starts, ends.isoformat(timespec="minutes"), zone, is_all_day=whole_days)
    event = draft_event(
        cast.alliance, viewer=SYSTEM, at=AT, title_zh="会", title_en="Meeting", audience="public"
    )
    return schedule_event(event, when, viewer=SYSTEM, at=AT)


def rule(cast: Cast, offset: str, **values: Any) -> None:
    chosen: dict[str, Any] = {"audience": ["members"], "channels": ["email"]} | values
    add_reminder_rule(cast.alliance, offset=offset, viewer=SYSTEM, at=AT, **chosen)


def tick_through(first: datetime, last: datetime) -> None:
    """Let the clock go round every quarter of an hour between two instants, both included."""
    at = first
    while at <= last:
        while Reminders().fire_next(at):
            pass
        at += STEP


def run(event: Event, *, days: int = 3) -> None:
    """Let the clock run from some days before an event to a day after it."""
    starts, ends = stored(event).starts_at, stored(event).ends_at
    tick_through(starts - timedelta(days=days), ends + timedelta(days=2))


def sent(name: str = "liaison") -> list[str]:
    """Return when a person is written to, in UTC; a line that is dropped with its reason."""
    person = Person.objects.get(user__username=name)
    lines = Delivery.objects.filter(recipient=f"person:{person.uid}").order_by("send_after", "pk")
    return [
        f"{line.send_after.astimezone(UTC):%Y-%m-%d %H:%M} {line.dropped_reason}".strip()
        for line in lines
    ]


ON_THE_EVENTS_CLOCK = [
    # Madrid leaps from 02:00 to 03:00 on 26 March 2028: 02:30 is read with the offset before.
    ("2028-03-27T02:30", MADRID, "-P1D", LOUD, "2028-03-26 01:30"),
    ("2028-04-26T02:30", MADRID, "-P31D", LOUD, "2028-03-26 01:30"),
    # Days are nominal, hours exact: a day before is 23 hours before, or 25 in autumn.
    ("2028-04-27T12:00", MADRID, "-P32D", LOUD, "2028-03-26 10:00"),
    ("2028-10-30T02:30", MADRID, "-P1D", LOUD, "2028-10-29 00:30"),  # 02:30 comes twice: the first
    ("2028-10-29T12:00", MADRID, "-PT24H", LOUD, "2028-10-28 11:00"),
    ("2028-10-29T12:00", MADRID, "-P1D", LOUD, "2028-10-28 10:00"),
    # 23:30 in Beijing is still the day there; the day before at nine is the calendar's.
    ("2028-05-16T23:30", BEIJING, "-P1D", {"at_time": time(9)}, "2028-05-15 01:00"),
    ("2028-05-16T23:30", BEIJING, "-P1D", LOUD, "2028-05-15 15:30"),
    ("2028-05-17T00:30", BEIJING, "-P1D", {"at_time": time(9)}, "2028-05-16 01:00"),
    # New Year, and the years around a leap day; a year is 366 days back from 29 February.
    ("2029-01-01T00:30", BEIJING, "-P1D", {"at_time": time(9)}, "2028-12-31 01:00"),
    ("2029-03-01T09:00", BEIJING, "-P1D", LOUD, "2029-02-28 01:00"),
    ("2032-03-01T09:00", BEIJING, "-P1D", LOUD, "2032-02-29 01:00"),
    ("2032-02-29T09:00", BEIJING, "-P366D", LOUD, "2031-02-28 01:00"),
    # Zones off the whole hour.
    ("2028-05-16T09:00", KATHMANDU, "-PT1H", LOUD, "2028-05-16 02:15"),
    ("2028-05-16T09:00", "America/St_Johns", "-P1D", LOUD, "2028-05-15 11:30"),
    ("2028-10-02T09:00", "Australia/Lord_Howe", "-P1D", LOUD, "2028-09-30 22:00"),
    # In a reader's night it waits for the reader's morning: seven in Beijing.
    ("2028-10-02T09:00", "Australia/Lord_Howe", "-P1D", {}, "2028-09-30 23:00"),
]  # fmt: skip


@pytest.mark.parametrize(("starts", "zone", "offset", "values", "expected"), ON_THE_EVENTS_CLOCK)
def test_reminder_on_the_events_clock_goes_out_at(
    cast: Cast, starts: str, zone: str, offset: str, values: dict[str, Any], expected: str
) -> None:
    rule(cast, offset, **values)
    event = event_at(cast, starts, zone)
    due = datetime.fromisoformat(expected).replace(tzinfo=UTC)

    tick_through(due - timedelta(hours=3), due + timedelta(hours=3))

    assert sent() == [expected]
    assert Reminder.objects.get(event=event).state == "fired"


QUIET_NIGHTS = [
    # At night: put off to seven; the night runs over midnight.
    ("2028-05-18T00:30", BEIJING, "-P1D", {}, "2028-05-16 23:00"),
    ("2028-05-17T23:30", BEIJING, "-P1D", {}, "2028-05-16 23:00"),
    # An hour before 23:30 is quiet, and seven would be after it: brought forward to 21:59.
    ("2028-05-16T23:30", BEIJING, "-PT1H", {}, "2028-05-16 13:59"),
    ("2028-05-17T00:30", BEIJING, "-PT1H", {}, "2028-05-16 13:59"),
    ("2028-05-17T07:30", BEIJING, "-PT1H", {}, "2028-05-16 13:59"),
    ("2028-05-17T08:00", BEIJING, "-PT2H", {}, "2028-05-16 23:00"),
    # The first minute and the last one.
    ("2028-05-17T08:00", BEIJING, "-PT1H", {}, "2028-05-16 23:00"),
    ("2028-05-17T22:00", BEIJING, "-P1D", {}, "2028-05-16 23:00"),
    # A nap at noon, and no quiet hours at all.
    ("2028-05-18T13:00", BEIJING, "-P1D", {"quiet_from": time(12), "quiet_until": time(14)},
     "2028-05-17 06:00"),
    ("2028-05-18T00:30", BEIJING, "-P1D", LOUD, "2028-05-16 16:30"),
]  # fmt: skip


@pytest.mark.parametrize(("starts", "zone", "offset", "values", "expected"), QUIET_NIGHTS)
def test_reminder_in_quiet_hours_goes_out_at(
    cast: Cast, starts: str, zone: str, offset: str, values: dict[str, Any], expected: str
) -> None:
    rule(cast, offset, **values)

    run(event_at(cast, starts, zone))

    assert sent() == [expected]


READERS = [
    # Nine on the reader's clock, the day before as it is there.
    (KATHMANDU, time(9), "2028-05-16T09:30", False, "2028-05-15 03:15"),
    ("America/St_Johns", time(9), "2028-05-16T09:30", False, "2028-05-14 11:30"),
    ("Pacific/Kiritimati", time(9), "2028-05-16T09:30", False, "2028-05-14 19:00"),
    ("Pacific/Pago_Pago", time(9), "2028-05-16T09:30", False, "2028-05-14 20:00"),
    ("Pacific/Chatham", time(9), "2028-05-16T09:30", False, "2028-05-14 20:15"),
    # A whole day is that day wherever the reader is.
    ("America/St_Johns", time(9), "2028-05-16T00:00", True, "2028-05-15 11:30"),
    ("Pacific/Kiritimati", time(9), "2028-05-16T00:00", True, "2028-05-14 19:00"),
    # At 06:30, in the night that the rule keeps: at seven.
    (KATHMANDU, time(6, 30), "2028-05-16T09:30", False, "2028-05-15 01:15"),
    # On the night on which Madrid leaps: 09:00 there is 07:00 UTC already.
    (MADRID, time(9), "2028-03-27T15:30", False, "2028-03-26 07:00"),
    (MADRID, time(9), "2028-10-30T15:30", False, "2028-10-29 08:00"),
]


@pytest.mark.parametrize(("zone", "at_time", "starts", "whole_days", "expected"), READERS)
def test_reminder_on_the_readers_clock_goes_out_at(
    cast: Cast, zone: str, at_time: time, starts: str, whole_days: bool, expected: str
) -> None:
    User.objects.filter(username="liaison").update(time_zone=zone)
    rule(cast, "-P1D", at_time=at_time, clock="reader")
    if starts < "2028-04":  # scheduled when it was already too late is another test's
        Reminder.objects.all().delete()

    run(event_at(cast, starts, whole_days=whole_days), days=4)

    assert sent() == [expected]


def test_reminder_in_the_gap_of_a_readers_clock_goes_out_an_hour_later_there(cast: Cast) -> None:
    User.objects.filter(username="liaison").update(time_zone=MADRID)
    rule(cast, "-P1D", at_time=time(2, 30), clock="reader", **LOUD)

    run(event_at(cast, "2029-03-26T15:30"), days=4)

    assert sent() == ["2029-03-25 01:30"]
    assert sent("host") == ["2029-03-24 18:30"]


@pytest.fixture
def make_up_sunday(cast: Cast) -> None:
    """Sunday, 14 May 2028 is worked for the Monday after it, which is free (调休)."""
    year = HolidayYear.objects.create(country="CN", year=2028, taken_at=AT, is_settled=True)
    for day, kind in ((date(2028, 5, 14), "workday"), (date(2028, 5, 15), "holiday")):
        Holiday.objects.create(year=year, day=day, kind=kind)


@pytest.mark.usefixtures("make_up_sunday")
@pytest.mark.parametrize(
    ("starts", "offset", "expected"),
    [
        ("2028-05-16T09:30", "-P1D", "2028-05-14 01:00"),  # Tuesday: the Sunday
        ("2028-05-16T09:30", "-P2D", "2028-05-12 01:00"),  # the Friday
        ("2028-05-14T09:30", "-P1D", "2028-05-12 01:00"),  # an event on that Sunday
        ("2028-05-15T09:30", "-P0D", "2028-05-14 01:00"),  # on the free Monday: the last one worked
        ("2028-05-22T09:30", "-P5D", "2028-05-14 01:00"),
        ("2028-05-12T09:30", "P1D", "2028-05-14 01:00"),
    ],
)
def test_working_days_over_a_make_up_sunday_go_out_at(
    cast: Cast, starts: str, offset: str, expected: str
) -> None:
    rule(cast, offset, day_unit="working", at_time=time(9))

    run(event_at(cast, starts), days=9)

    assert sent() == [expected]


def test_event_moved_after_its_reminder_is_reminded_of_anew_wherever_it_goes(cast: Cast) -> None:
    rule(cast, "-P1D", at_time=time(9))
    event = event_at(cast, "2028-05-16T23:30")
    tick_through(datetime(2028, 5, 14, tzinfo=UTC), datetime(2028, 5, 15, 2, tzinfo=UTC))

    elsewhere = span("2028-10-30T02:30", "2028-10-30T04:30", MADRID)
    moved_at = datetime(2028, 5, 15, 3, tzinfo=UTC)
    schedule_event(stored(event), elsewhere, viewer=SYSTEM, at=moved_at, reason="场馆")
    run(event)

    assert sent() == ["2028-05-15 01:00", "2028-10-29 08:00"]
    assert list(Delivery.objects.values_list("generation", flat=True).distinct().order_by(
        "generation")) == [1, 2]  # fmt: skip


def test_event_postponed_without_a_date_after_its_reminder_is_silent_until_it_has_one(
    cast: Cast,
) -> None:
    rule(cast, "-P1D", at_time=time(9))
    event = event_at(cast, "2028-05-16T09:30")
    tick_through(datetime(2028, 5, 14, tzinfo=UTC), datetime(2028, 5, 15, 2, tzinfo=UTC))
    at = datetime(2028, 5, 15, 3, tzinfo=UTC)
    postpone_event(stored(event), reason="台风", viewer=SYSTEM, at=at)
    tick_through(at, datetime(2028, 5, 18, tzinfo=UTC))
    assert sent() == ["2028-05-15 01:00"]

    when = span("2029-03-01T09:30", "2029-03-01T12:00")
    schedule_event(stored(event), when, viewer=SYSTEM, at=at + timedelta(days=3), reason="定期")
    run(event)

    assert sent() == ["2028-05-15 01:00", "2029-02-28 01:00"]


@pytest.mark.parametrize("offset", ["-P1Y", "-P1M", "P1Y2M", "-P800D"])
def test_offset_in_months_and_years_is_refused_by_name(cast: Cast, offset: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        rule(cast, offset)

    assert [error.field for error in refused.value.errors] == ["offset"]


def test_own_quiet_hours_over_midnight_count_on_the_readers_clock(cast: Cast) -> None:
    User.objects.filter(username="liaison").update(time_zone=KATHMANDU)
    person = Person.objects.get(user__username="liaison")
    Wishes.objects.create(
        recipient=f"person:{person.uid}", quiet_from=time(21, 30), quiet_until=time(8, 30)
    )
    rule(cast, "-P1D")

    run(event_at(cast, "2028-05-18T02:00"))  # 23:45 in Kathmandu

    assert sent() == ["2028-05-17 02:45"]
    assert sent("host") == ["2028-05-16 23:00"]
