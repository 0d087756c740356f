"""What calendar programs do to an entry before they put it back: none of it is a change.

Each function rewrites our own entry as one program is known to: other order, other head, other
zone, fields of its own. The samples of new entries beside this test are shaped like their exports.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from events.models import Event
from events.scheduling import confirm_event, postpone_event
from tests.coordination.calendars.caldav.conftest import Phone, open_phone, staff_phone
from tests.coordination.calendars.caldav.entries import fetch, full_event, kinds_of, put
from tests.factories import AT, SYSTEM, Cast, span, stored

__all__ = ["open_phone", "staff_phone"]
pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parent / "calendar_samples"
ALARM = (
    "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:x\r\nEND:VALARM\r\nEND:VEVENT"
)


def replaced(text: str, *edits: tuple[str, str]) -> str:
    for pattern, new in edits:
        text, count = re.subn(pattern, lambda _match, new=new: new, text)
        assert count, pattern
    return text


def apple(text: str) -> str:
    """Apple Calendar: its own PRODID, DTSTAMP and SEQUENCE, properties in order of the alphabet."""
    text = replaced(
        text,
        ("PRODID:.*", "PRODID:-//Apple Inc.//iOS 18.1//EN\r"),
        ("DTSTAMP:.*", "DTSTAMP:20280331T153000Z\r"),
        ("SEQUENCE:.*", "SEQUENCE:9\r\nX-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC\r"),
        ("URL:", "URL;VALUE=URI:"),
        ("END:VEVENT", ALARM),
    )
    head, body = text.split("BEGIN:VEVENT\r\n")
    lines, alarm = body.split("BEGIN:VALARM")
    return (
        f"{head}BEGIN:VEVENT\r\n"
        + "".join(sorted(lines.splitlines(keepends=True)))
        + (f"BEGIN:VALARM{alarm}")
    )


def thunderbird(text: str) -> str:
    """Thunderbird: a generation counter, an HTML twin of the description, other zone data."""
    return replaced(
        text,
        ("PRODID:.*", "PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN\r"),
        ("DESCRIPTION:", 'DESCRIPTION;ALTREP="data:text/html,%3Cbody%3Ex%3C%2Fbody%3E":'),
        ("LAST-MODIFIED:.*", "LAST-MODIFIED:20280331T153000Z\r\nX-MOZ-GENERATION:1\r"),
        ("CATEGORIES:.*", "CATEGORIES:紧急\r\nCATEGORIES:会议\r")
        if "CATEGORIES" in text
        else ("", ""),
        ("END:VEVENT", ALARM),
    )


def davx5(text: str) -> str:
    """DAVx5: without what Android's calendar has no place for, and the zone at the end."""
    lines = ("GEO", "CONFERENCE", "ORGANIZER", "URL", "CREATED", "LAST-MODIFIED")
    kept = [line for line in text.split("\r\n") if not line.startswith(lines)]
    zone = re.search(r"BEGIN:VTIMEZONE.*END:VTIMEZONE\r\n", text, re.DOTALL)
    assert zone is not None
    moved = "\r\n".join(kept).replace(zone[0], "")
    return moved.replace("END:VCALENDAR", f"{zone[0]}END:VCALENDAR")


def outlook(text: str) -> str:
    """CalDavSynchronizer for Outlook: Windows' name of the zone, an HTML twin, PRIORITY, CLASS."""
    return replaced(
        text,
        ("TZID=Asia/Shanghai", 'TZID="China Standard Time"'),
        ("TZID:Asia/Shanghai", "TZID:China Standard Time"),
        ("SUMMARY:", "SUMMARY;LANGUAGE=zh-cn:"),
        ("SEQUENCE:.*", "SEQUENCE:0\r\nCLASS:PUBLIC\r\nPRIORITY:5\r\nTRANSP:OPAQUE\r"),
        ("END:VEVENT", "X-ALT-DESC;FMTTYPE=text/html:<p>x</p>\r\nEND:VEVENT"),
    )


def in_utc(text: str) -> str:
    """A program that writes every time in UTC, and no zone."""
    text = re.sub(r"BEGIN:VTIMEZONE.*END:VTIMEZONE\r\n", "", text, flags=re.DOTALL)
    return replaced(
        text,
        ("DTSTART;TZID=Asia/Shanghai:20280516T093000", "DTSTART:20280516T013000Z"),
        ("DTEND;TZID=Asia/Shanghai:20280516T120000", "DTEND:20280516T040000Z"),
    )


def floating_duration(text: str) -> str:
    """A program that writes a length instead of an end, in lines that end in LF."""
    text = replaced(text, ("DTEND;TZID=Asia/Shanghai:20280516T120000", "DURATION:PT2H30M"))
    return text.replace("\r\n", "\n")


PROGRAMS = [apple, thunderbird, davx5, outlook, in_utc, floating_duration]


@pytest.mark.parametrize("rewrite", PROGRAMS, ids=lambda rewrite: rewrite.__name__)
@pytest.mark.parametrize("state", ["scheduled", "confirmed", "postponed"])
def test_entry_that_a_program_rewrote_is_no_new_version(
    cast: Cast, staff_phone: Phone, rewrite: Callable[[str], str], state: str
) -> None:
    event = full_event(cast)
    if state == "confirmed":
        confirm_event(event, viewer=SYSTEM, at=AT)
    if state == "postponed":
        postpone_event(event, reason="会场检修", viewer=SYSTEM, at=AT)
    text, tag = fetch(staff_phone, event)
    answer = put(staff_phone, f"jjj/{event.dav_name}", rewrite(text), If_Match=tag)

    assert answer.status == 204, answer.text
    assert (stored(event).version, stored(event).sequence) == (event.version, event.sequence)


@pytest.mark.parametrize(
    "rewrite", [apple, thunderbird, davx5, outlook], ids=lambda one: one.__name__
)
def test_entry_moved_in_a_program_is_moved_and_nothing_else(
    cast: Cast, staff_phone: Phone, rewrite: Callable[[str], str]
) -> None:
    event = full_event(cast)
    confirm_event(event, viewer=SYSTEM, at=AT)
    before = stored(event)
    text, tag = fetch(staff_phone, event)
    moved = rewrite(text).replace("20280516T093000", "20280516T140000")
    moved = moved.replace("20280516T120000", "20280516T163000")
    answer = put(staff_phone, f"jjj/{event.dav_name}", moved, If_Match=tag)
    after = stored(event)

    assert answer.status == 204, answer.text
    assert kinds_of(event)[-1:] == ["event.moved"]
    assert (after.state, after.span) == ("confirmed", span("2028-05-16T14:00", "2028-05-16T16:30"))
    for name in ("title_zh", "description_zh", "place_zh", "latitude", "online_url", "notes"):
        assert getattr(after, name) == getattr(before, name), name


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.ics")), ids=lambda path: path.stem)
def test_new_entry_of_a_program_is_a_scheduled_event(
    cast: Cast, staff_phone: Phone, path: Path
) -> None:
    answer = put(staff_phone, f"jjj/{path.name}", path.read_bytes(), If_None_Match="*")
    event = Event.objects.get()

    assert answer.status == 201, answer.text
    assert (event.title_zh, event.state, event.time_zone) == (
        "产业对接会",
        "scheduled",
        "Asia/Shanghai",
    )
    assert event.span == span("2028-06-01T09:30", "2028-06-01T11:30")
    assert f"UID:{event.ical_uid}" in path.read_text(encoding="utf-8")
