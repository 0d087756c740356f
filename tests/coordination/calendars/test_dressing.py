"""Alarms and whole days put on a rendered text."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest

from coordination.calendars.dressing import dress
from events.calendar_event import CalendarEvent, Level, Span, Words
from events.vevent import vevent

EVENT = CalendarEvent(
    ical_uid="6f1c1d1e-0b3c-4d0e-9c8e-2d7a0f6b5a11",
    sequence=2,
    created_at=datetime(2024, 1, 8, 1, tzinfo=UTC),
    changed_at=datetime(2024, 1, 9, 1, tzinfo=UTC),
    state="confirmed",
    title=Words(zh="走进天津天开园，" * 12),
    organizer=Words(zh="秘书处"),
    organizer_uri="mailto:office@example.org",
    url="https://example.org/events/1/",
    home_zone="Asia/Shanghai",
    span=Span(
        starts=datetime(2024, 5, 14, 21, 30), ends=datetime(2024, 5, 15, 1), zone="Asia/Shanghai"
    ),
)
WHOLE_DAYS = Span(
    starts=datetime(2024, 5, 14), ends=datetime(2024, 5, 16), zone="Asia/Shanghai", is_all_day=True
)


def body_of(**changes: Any) -> str:
    return vevent(replace(EVENT, **changes), language="zh-hans", level=Level.PUBLIC)


def read(body: str) -> icalendar.Event:
    """Parse one component, and see that it is well formed."""
    assert all(len(line.encode()) <= 75 for line in body.split("\r\n"))
    assert "\n" not in body.replace("\r\n", "")
    event = icalendar.Event.from_ical(body)
    assert event.errors == []
    return event


def alarms_of(body: str) -> list[tuple[timedelta, str]]:
    return [(alarm["TRIGGER"].dt, str(alarm["DESCRIPTION"])) for alarm in read(body).walk("VALARM")]


def test_dress_without_wishes_changes_nothing() -> None:
    assert dress(body_of()) == body_of()


def test_dress_rings_so_long_before_with_the_title() -> None:
    body = dress(body_of(), alarms=[1500, 1440, 90, 15, 0])

    assert alarms_of(body) == [
        (-timedelta(minutes=minutes), EVENT.title.zh) for minutes in (1500, 1440, 90, 15, 0)
    ]
    assert "TRIGGER:-P1DT1H\r\n" in body
    assert "TRIGGER:-P1D\r\n" in body
    assert "TRIGGER:-PT1H30M\r\n" in body
    assert "TRIGGER:PT0S\r\n" in body
    read(body)


def test_dress_gives_each_alarm_a_uid_of_its_own_for_ever() -> None:
    uids = [str(alarm["UID"]) for alarm in read(dress(body_of(), alarms=[30, 15])).walk("VALARM")]

    assert len(set(uids)) == 2
    assert uids[1:] == [
        str(alarm["UID"]) for alarm in read(dress(body_of(), alarms=[15])).walk("VALARM")
    ]


def test_dress_of_whole_days_rings_at_nine_and_once() -> None:
    body = dress(body_of(span=WHOLE_DAYS), alarms=[2880, 1440, 60, 15])

    assert [trigger for trigger, _words in alarms_of(body)] == [
        timedelta(hours=9) - timedelta(days=2),
        timedelta(hours=9) - timedelta(days=1),
        timedelta(hours=9),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "cancelled", "reason": "台风"},
        {"state": "postponed", "reason": "台风", "span": None, "previous": EVENT.span},
        {"state": "planned", "span": WHOLE_DAYS},
    ],
)
def test_dress_of_what_does_not_take_place_then_rings_for_nobody(changes: dict[str, Any]) -> None:
    assert dress(body_of(**changes), alarms=[15]) == body_of(**changes)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC"])
def test_dress_in_days_shows_the_days_of_the_event_and_takes_nobodys_time(zone: str) -> None:
    span = replace(EVENT.span, zone=zone) if EVENT.span else None
    event = read(dress(body_of(span=span), days=(date(2024, 5, 14), date(2024, 5, 15))))

    assert (event["DTSTART"].dt, event["DTEND"].dt) == (date(2024, 5, 14), date(2024, 5, 16))
    assert event["TRANSP"] == "TRANSPARENT"
    assert "TZID" not in event.to_ical().decode()


def test_dress_in_days_with_an_alarm_rings_at_nine() -> None:
    body = dress(body_of(), days=(date(2024, 5, 14), date(2024, 5, 15)), alarms=[1440])

    assert alarms_of(body) == [(timedelta(hours=9) - timedelta(days=1), EVENT.title.zh)]


def test_dress_in_days_of_what_is_transparent_says_so_once() -> None:
    body = dress(body_of(state="cancelled", reason="x"), days=(date(2024, 5, 14),) * 2)

    assert body.count("TRANSP:") == 1
    assert "STATUS:CANCELLED" in body
