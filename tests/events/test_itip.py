"""Invitations as iTIP messages: whole texts, and what calendars read in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import icalendar
import pytest

from events.calendar_event import CalendarEvent, Span, Words
from events.itip import Attendee, Method, itip_message

STAMP = datetime(2028, 1, 10, 2, 0, tzinfo=UTC)
WHO = Attendee(name="王晓明", address="wang@example.org")
EVENT = CalendarEvent(
    ical_uid="4b6f2d3c-0000-4000-8000-000000000001",
    sequence=3,
    created_at=STAMP,
    changed_at=datetime(2028, 3, 1, tzinfo=UTC),
    state="confirmed",
    title=Words(zh="对接会", en="Matchmaking"),
    organizer=Words(zh="秘书处", en="Secretariat"),
    organizer_uri="mailto:office@example.org",
    url="https://example.org/e/1/",
    home_zone="Asia/Shanghai",
    span=Span(
        starts=datetime(2028, 5, 16, 9, 30), ends=datetime(2028, 5, 16, 12), zone="Asia/Shanghai"
    ),
    online_url="https://meet.example.org/1",
    notes="内部",
)


def message(event: CalendarEvent = EVENT, method: Method = Method.REQUEST, **values: object) -> str:
    chosen: dict[str, object] = {
        "attendee": WHO,
        "reply_to": "reply+abc@example.org",
        "stamp_at": STAMP,
        "language": "zh-hans",
    }
    return itip_message(event, method=method, **chosen | values)  # type: ignore[arg-type]


def lines(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def test_request_has_these_lines() -> None:
    assert lines(message()) == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Coordination//Calendar 1//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:REQUEST",
        "BEGIN:VTIMEZONE",
        "TZID:Asia/Shanghai",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZOFFSETFROM:+0800",
        "TZOFFSETTO:+0800",
        "TZNAME:CST",
        "END:STANDARD",
        "END:VTIMEZONE",
        "BEGIN:VEVENT",
        "UID:4b6f2d3c-0000-4000-8000-000000000001",
        "DTSTAMP:20280110T020000Z",
        "CREATED:20280110T020000Z",
        "LAST-MODIFIED:20280110T020000Z",
        "SEQUENCE:3",
        "STATUS:CONFIRMED",
        "DTSTART;TZID=Asia/Shanghai:20280516T093000",
        "DTEND;TZID=Asia/Shanghai:20280516T120000",
        "SUMMARY:对接会",
        "DESCRIPTION:时间：2028年5月16日09:30–12:00（北京时间，UTC+8）\\n"
        "线上参加：https://meet.example.org/1\\n详情：https://example.org/e/1/",
        'ORGANIZER;CN="秘书处":mailto:reply+abc@example.org',
        "URL:https://example.org/e/1/",
        "CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://meet.example.org/1",
        'ATTENDEE;CN="王晓明";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;'
        "RSVP=TRUE:mailto:wang@example.org",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_request_is_the_same_bytes_whenever_it_is_written() -> None:
    later = replace(EVENT, changed_at=datetime(2028, 4, 1, tzinfo=UTC))

    assert message(later) == message()


def test_request_brings_an_answer_that_stands() -> None:
    text = message(attendee=replace(WHO, partstat="ACCEPTED"))

    attendee = icalendar.Calendar.from_ical(text).walk("VEVENT")[0]["ATTENDEE"]
    assert (attendee.params["PARTSTAT"], attendee.params["RSVP"]) == ("ACCEPTED", "TRUE")


def test_cancel_of_an_event_says_so_and_asks_nothing() -> None:
    event = replace(EVENT, state="cancelled", sequence=4)
    (component,) = icalendar.Calendar.from_ical(message(event, Method.CANCEL, is_off=True)).walk(
        "VEVENT"
    )

    assert (component["STATUS"], component["SEQUENCE"]) == ("CANCELLED", 4)
    assert set(component["ATTENDEE"].params) == {"CN", "CUTYPE"}
    assert component["ORGANIZER"] == "mailto:reply+abc@example.org"


def test_cancel_for_one_attendee_of_an_event_that_goes_on_has_no_status() -> None:
    text = message(method=Method.CANCEL)
    (component,) = icalendar.Calendar.from_ical(text).walk("VEVENT")

    assert "METHOD:CANCEL" in lines(text)
    assert "STATUS" not in component
    assert component["UID"] == EVENT.ical_uid


def test_notes_of_the_secretariat_are_in_no_message() -> None:
    for method in Method:
        assert "内部" not in message(method=method).replace("\r\n ", "")


def test_lines_are_at_most_75_octets() -> None:
    text = message(attendee=replace(WHO, name="很长的名字" * 20, address="a" * 60 + "@example.org"))

    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75


def test_event_without_a_time_is_refused() -> None:
    with pytest.raises(ValueError, match="no time"):
        message(replace(EVENT, span=None))
