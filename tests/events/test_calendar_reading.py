"""Reading calendar objects: samples of programs, what is refused, and hostile text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.calendar_event import Level, Span, Words
from events.calendar_reading import ProposedObject, read_object
from events.calendar_times import Fault, UnreadableObject
from events.vevent import CALENDAR_TAIL, ZoneUse, calendar_head, vevent, zones_text
from events.vtodo import vtodo
from tests.events.test_vevent import EVENT, HEAD, nasty_text
from tests.events.test_vtodo import DUTY

SAMPLES = Path(__file__).parents[1] / "conformance" / "calendar_samples"
BEIJING = "Asia/Shanghai"


def entry(*lines: str, component: str = "VEVENT", before: tuple[str, ...] = ()) -> bytes:
    has_start = any(line.startswith("DTSTART") for line in lines)
    start = () if has_start else ("DTSTART:20280601T090000Z",)
    text = "\r\n".join(
        (
            *("BEGIN:VCALENDAR", "VERSION:2.0", *before, f"BEGIN:{component}", "UID:1", *start),
            *(*lines, f"END:{component}", "END:VCALENDAR", ""),
        )
    )
    return text.encode()


def read(*lines: str, home: str = BEIJING, before: tuple[str, ...] = ()) -> ProposedObject:
    return read_object(entry(*lines, before=before), home_zone=home)


def fault_of(octets: bytes) -> tuple[Fault, str]:
    with pytest.raises(UnreadableObject) as caught:
        read_object(octets, home_zone=BEIJING)
    return caught.value.fault, caught.value.quoted


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.ics")), ids=lambda path: path.stem)
def test_sample_of_a_program_is_read_as_its_writer_meant_it(path: Path) -> None:
    found = read_object(path.read_bytes(), home_zone=BEIJING)

    assert found.title == "产业对接会"
    assert found.span == Span(
        starts=datetime(2028, 6, 1, 9, 30), ends=datetime(2028, 6, 1, 11, 30), zone=BEIJING
    )
    assert (found.description or "").split("\n")[0] == "请各单位派一人参加。"
    assert (found.location or "").split(" ")[0] == "天开园"
    assert (found.attendees, found.has_files, found.is_private) == ((), False, False)


def test_sample_of_apple_keeps_escapes_and_the_link() -> None:
    found = read_object((SAMPLES / "apple_calendar.ics").read_bytes(), home_zone=BEIJING)

    assert found.description == "请各单位派一人参加。\n名单请于5月20日前报送; 谢谢,"
    assert found.location == "天开园 天津市南开区科研东路2号"
    assert found.url == "https://meeting.tencent.com/dm/abc123"
    assert found.map_point == (Decimal("39.102000"), Decimal("117.170000"))


def test_own_event_comes_back_as_it_is() -> None:
    span = EVENT.span
    assert span is not None
    use = ZoneUse(zone=span.zone, first_on=span.first_on, last_on=span.last_on)
    body = vevent(EVENT, language="zh-hans", level=Level.MEMBER)
    text = calendar_head(HEAD, method="") + zones_text([use]) + body + CALENDAR_TAIL
    found = read_object(text.encode(), home_zone="Europe/Madrid")

    assert (found.component, found.uid, found.status, found.span) == (
        "VEVENT",
        EVENT.ical_uid,
        "CONFIRMED",
        span,
    )
    assert found.coordinates == (Decimal("39.102000"), Decimal("117.170000"))
    assert found.conference == "https://meet.example.org/room?pwd=%E4%B8%80"
    assert (found.due_at, found.is_done, found.comment) == (None, False, "")


def test_own_task_comes_back_as_it_is() -> None:
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{vtodo(DUTY, language='en')}END:VCALENDAR\r\n"
    found = read_object(text.encode(), home_zone=BEIJING)

    assert (found.component, found.span, found.is_done) == ("VTODO", None, False)
    assert found.due_at == DUTY.due_at
    done = text.replace("NEEDS-ACTION", "COMPLETED")
    assert read_object(done.encode(), home_zone=BEIJING).is_done


@given(title=nasty_text, description=nasty_text, place=nasty_text)
def test_any_text_written_is_read_again(title: str, description: str, place: str) -> None:
    values = replace(
        EVENT,
        title=Words(zh=title),
        description=Words(zh=description),
        place=Words(zh=place),
    )
    body = vevent(values, language="zh-hans", level=Level.PUBLIC)
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}END:VCALENDAR\r\n"
    once = read_object(text.encode(), home_zone=BEIJING)
    loose = text.replace("\r\n ", "").replace("\r\n", "\n")

    assert read_object(loose.encode(), home_zone=BEIJING) == once
    assert once.span == EVENT.span


@given(
    starts=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    zone=st.sampled_from([BEIJING, "Europe/Madrid", "America/St_Johns", "UTC"]),
    home=st.sampled_from([BEIJING, "Europe/London"]),
)
def test_any_time_written_is_the_same_instant_when_read(
    starts: datetime, zone: str, home: str
) -> None:
    begins = starts.replace(second=0, microsecond=0)
    span = Span(starts=begins, ends=begins.replace(year=begins.year + 1, day=1), zone=zone)
    body = vevent(replace(EVENT, span=span), language="en", level=Level.PUBLIC)
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}END:VCALENDAR\r\n"
    found = read_object(text.encode(), home_zone=home).span

    assert found is not None
    assert (found.starts_at, found.ends_at) == (span.starts_at, span.ends_at)


@pytest.mark.parametrize(
    ("octets", "fault", "quoted"),
    [
        (b"", Fault.NOT_ONE_CALENDAR, ""),
        (b"hello", Fault.MALFORMED, ""),
        (b"\xff\xfe", Fault.MALFORMED, ""),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", Fault.WRONG_VERSION, ""),
        (entry() + entry(), Fault.NOT_ONE_CALENDAR, ""),
        (entry(before=("METHOD:REQUEST",)), Fault.METHOD, "REQUEST"),
        (entry("END:VEVENT", "BEGIN:VEVENT", "UID:1"), Fault.NOT_ONE_OBJECT, ""),
        (entry(component="VFREEBUSY"), Fault.WRONG_COMPONENT, "VFREEBUSY"),
        (entry().replace(b"UID:1", b"UID: "), Fault.NO_UID, ""),
        (entry("RRULE:FREQ=DAILY"), Fault.REPEATING, "RRULE"),
        (entry("RECURRENCE-ID:20280601T090000Z"), Fault.REPEATING, "RECURRENCE-ID"),
        (entry("SUMMARY:a", "SUMMARY:b"), Fault.TWICE, "SUMMARY"),
        (entry("DTSTART;TZID=Mars/Olympus:20280601T090000"), Fault.UNKNOWN_ZONE, "Mars/Olympus"),
        (entry("DTSTART:20281301T090000Z"), Fault.BAD_TIME, "20281301T090000Z"),
        (entry("DTSTART:tomorrow"), Fault.BAD_TIME, "tomorrow"),
        (entry("DURATION:-PT1H"), Fault.BAD_TIME, "-PT1H"),
        (entry("DURATION:P"), Fault.BAD_TIME, "P"),
        (entry("DURATION:PT1H", "DTEND:20280601T100000Z"), Fault.BAD_TIME, "20280601T100000Z"),
        (entry("DTEND;VALUE=DATE:20280602"), Fault.BAD_TIME, "20280602"),
        (entry("DTSTART;VALUE=DATE:99991231"), Fault.BAD_TIME, "99991231"),
        (entry("DTSTART:99991231T235959Z"), Fault.BAD_TIME, "99991231T235959Z"),
        (entry("GEO:91;0"), Fault.BAD_PLACE, "91;0"),
        (entry("GEO:NaN;NaN"), Fault.BAD_PLACE, "NaN;NaN"),
        (entry("GEO:1"), Fault.BAD_PLACE, "1"),
        (entry('SUMMARY;X="a:b'), Fault.MALFORMED, ""),
    ],
)
def test_object_that_cannot_be_taken_says_what_is_wrong(
    octets: bytes, fault: Fault, quoted: str
) -> None:
    assert fault_of(octets) == (fault, quoted)


def test_without_a_beginning_it_has_no_time() -> None:
    assert fault_of(entry().replace(b"DTSTART:20280601T090000Z\r\n", b"")) == (Fault.NO_TIME, "")


@pytest.mark.parametrize(
    ("lines", "starts", "ends", "zone", "is_all_day"),
    [
        (
            ("DTSTART:20280601T013000Z", "DTEND:20280601T033000Z"),
            "2028-06-01T09:30",
            "2028-06-01T11:30",
            BEIJING,
            False,
        ),
        (
            ("DTSTART:20280601T093000", "DURATION:P1DT2H"),
            "2028-06-01T09:30",
            "2028-06-02T11:30",
            BEIJING,
            False,
        ),
        (
            # The night in which Madrid's clocks go forward: a day of the calendar, then two hours.
            ("DTSTART;TZID=Europe/Madrid:20280325T200000", "DURATION:P1DT2H"),
            "2028-03-25T20:00",
            "2028-03-26T22:00",
            "Europe/Madrid",
            False,
        ),
        (
            (
                "DTSTART;TZID=Asia/Shanghai:20280601T093000",
                "DTEND;TZID=Europe/Madrid:20280601T053000",
            ),
            "2028-06-01T09:30",
            "2028-06-01T11:30",
            BEIJING,
            False,
        ),
        (
            ("DTSTART;VALUE=DATE:20280601", "DURATION:P2D"),
            "2028-06-01T00:00",
            "2028-06-03T00:00",
            BEIJING,
            True,
        ),
        (
            ("DTSTART:20280601", "DTEND:20280601"),
            "2028-06-01T00:00",
            "2028-06-02T00:00",
            BEIJING,
            True,
        ),
        (
            ("DTSTART:20280630T235960Z", "DTEND:20280701T003000Z"),
            "2028-07-01T07:59",
            "2028-07-01T08:30",
            BEIJING,
            False,
        ),
    ],
)
def test_times_are_read_on_the_clocks_they_mean(
    lines: tuple[str, ...], starts: str, ends: str, zone: str, is_all_day: bool
) -> None:
    assert read(*lines).span == Span(
        starts=datetime.fromisoformat(starts),
        ends=datetime.fromisoformat(ends),
        zone=zone,
        is_all_day=is_all_day,
    )


@pytest.mark.parametrize(
    "line",
    [
        "X-APPLE-STRUCTURED-LOCATION:geo:nowhere",
        "X-APPLE-STRUCTURED-LOCATION:https://example.org",
        'X-APPLE-STRUCTURED-LOCATION;X-TITLE="unclosed:geo:1,2',
    ],
)
def test_point_of_a_map_that_is_unclear_is_none(line: str) -> None:
    assert read(line).map_point is None


def test_hour_that_clocks_show_twice_stays_the_instant_it_is() -> None:
    found = read("DTSTART:20281029T013000Z", "DTEND:20281029T023000Z", home="Europe/Madrid").span

    assert found is not None
    assert (found.starts_at, found.zone) == (datetime(2028, 10, 29, 1, 30, tzinfo=UTC), "UTC")


def test_zone_is_known_by_what_its_vtimezone_says_of_it() -> None:
    zone = ("BEGIN:VTIMEZONE", "TZID:Office", "X-LIC-LOCATION:Europe/Madrid", "END:VTIMEZONE")
    found = read(
        "DTSTART;TZID=Office:20280601T093000", "DTEND;TZID=Office:20280601T103000", before=zone
    )

    assert found.span is not None
    assert found.span.zone == "Europe/Madrid"


def test_comments_people_and_privacy_are_told() -> None:
    found = read(
        "COMMENT:会场检修",
        "COMMENT:另行通知",
        "CLASS:confidential",
        "ORGANIZER:mailto:A@example.org",
        "ATTENDEE:mailto:a@example.org",
        "ATTENDEE;CN=B:MAILTO:b@example.org",
        "ATTACH:https://example.org/x",
    )

    assert (found.comment, found.is_private) == ("会场检修\n另行通知", True)
    assert (found.attendees, found.has_files) == (("b@example.org",), True)
    assert found.without_attendee("B@example.org").attendees == ()


HOSTILE = {
    "a line of ten megabytes": entry("DESCRIPTION:" + "a" * 10_000_000),
    "a name of ten megabytes": entry("A" * 10_000_000),
    "quotes": entry("SUMMARY;X=" + '"' * 1_000_001 + ":a"),
    "parameters": entry("SUMMARY" + ";X=a" * 300_000 + ":a"),
    "values of one parameter": entry("SUMMARY;X=" + '"a",' * 300_000 + ":a"),
    "no colon": entry("SUMMARY" + ";X=a" * 300_000),
    "nesting": b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 100_000,
    "folds": b"BEGIN:VCALENDAR" + b"\r\n " * 1_000_000,
    "lines": entry(*["X-A:1"] * 200_000),
    "escapes": entry("SUMMARY:" + "\\" * 2_000_001),
    "control characters": entry("SUMMARY:" + "\x00\x07\x0b\u2028" * 100_000),
    "digits": entry("DURATION:P" + "9" * 1_000_000 + "D"),
    "coordinates": entry("GEO:" + "9" * 1_000_000 + ";1e999999999"),
}


def outcome(octets: bytes, home: str = BEIJING) -> Fault | None:
    """Return what is wrong, or None; anything but a refusal is a failure."""
    try:
        read_object(octets, home_zone=home)
    except UnreadableObject as error:
        return error.fault
    return None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a line of ten megabytes", None),
        ("a name of ten megabytes", Fault.MALFORMED),
        ("quotes", Fault.MALFORMED),
        ("parameters", None),
        ("values of one parameter", None),
        ("no colon", Fault.MALFORMED),
        ("nesting", Fault.MALFORMED),
        ("folds", Fault.MALFORMED),
        ("lines", Fault.MALFORMED),
        ("escapes", None),
        ("control characters", None),
        ("digits", Fault.BAD_TIME),
        ("coordinates", Fault.BAD_PLACE),
    ],
)
def test_hostile_text_is_read_or_refused(name: str, fault: Fault | None) -> None:
    assert outcome(HOSTILE[name]) == fault


@given(st.binary(max_size=400))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    for text in (octets, b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + octets, entry() + octets):
        assert outcome(text) in (None, *Fault)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["DTSTART", "DTEND", "DURATION", "GEO", "STATUS", "UID", "URL"]),
            st.sampled_from(["", ";TZID=Asia/Shanghai", ";VALUE=DATE", ";TZID=UTC", ";X=1"]),
            st.one_of(
                st.from_regex(r"[0-9]{8}(T[0-9]{6}Z?)?", fullmatch=True),
                st.from_regex(r"P[0-9]{1,9}[DWT]?([0-9]{1,9}[HMS])?", fullmatch=True),
                st.text(max_size=20),
            ),
        ),
        max_size=6,
    )
)
def test_any_properties_are_read_or_refused(lines: list[tuple[str, str, str]]) -> None:
    text = "\r\n".join(f"{name}{parameters}:{value}" for name, parameters, value in lines)
    octets = (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n{text}\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n"
    ).encode("utf-8", "ignore")
    assert outcome(octets, "Europe/Madrid") in (None, *Fault)
