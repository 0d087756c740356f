"""Replies are read as they come: what is missing is None, what is broken is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from events.itip_reading import NotACalendar, Participant, Reply, describe_proposal, read_replies


def reply(*lines: str, method: str = "REPLY") -> str:
    return "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            f"METHOD:{method}",
            "BEGIN:VEVENT",
            *lines,
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    )


def test_whole_reply_is_read() -> None:
    text = reply(
        "UID:u1",
        "DTSTAMP:20280110T020000Z",
        "SEQUENCE:2",
        "ORGANIZER:MAILTO:Reply+ABC@example.org",
        'ATTENDEE;CN="Zhang";PARTSTAT=declined:MAILTO:Zhang@Example.org',
        "COMMENT:away\\, sorry",
    )

    assert read_replies(text) == [
        Reply(
            method="REPLY",
            uid="u1",
            sequence=2,
            stamp_at=datetime(2028, 1, 10, 2, tzinfo=UTC),
            organizer="reply+abc@example.org",
            attendees=(
                Participant(address="zhang@example.org", name="Zhang", partstat="DECLINED"),
            ),
            comment="away, sorry",
        )
    ]


def test_words_are_read_without_control_characters_and_addresses_as_they_are_meant() -> None:
    (found,) = read_replies(
        reply(
            "UID:u1",
            "ORGANIZER:mailto:reply%2Babc@example.org",
            'ATTENDEE;CN="Li\x0bSi";PARTSTAT=ACCEPTED:mailto:li%40example.org',
            "COMMENT:first\x0bsecond\x1b",
        )
    )

    assert (found.organizer, found.comment) == ("reply+abc@example.org", "first second")
    assert (found.attendees[0].name, found.attendees[0].address) == ("Li Si", "li@example.org")


def test_what_is_left_out_is_none() -> None:
    (found,) = read_replies(reply("UID:u1", "ATTENDEE:mailto:a@b.c", method=""))

    assert (found.sequence, found.stamp_at, found.organizer, found.starts) == (None, None, "", None)
    assert found.attendees[0].partstat == "NEEDS-ACTION"


@pytest.mark.parametrize("line", ["DTSTAMP:yesterday", "SEQUENCE:two"])
def test_value_that_cannot_be_read_is_none_or_refused(line: str) -> None:
    try:
        (found,) = read_replies(reply("UID:u1", line, "ATTENDEE:mailto:a@b.c"))
    except NotACalendar:
        return
    assert (found.sequence, found.stamp_at) == (None, None)


@pytest.mark.parametrize(
    "line",
    [
        "DTSTART:99991231T235959Z",
        "DTSTART;TZID=America/New_York:99991231T230000",
        "DTSTART:00010101T000000Z",
        "DTSTAMP;TZID=Asia/Tokyo:00010101T000000",
    ],
)
def test_time_that_is_no_instant_on_every_clock_is_none(line: str) -> None:
    (found,) = read_replies(reply("UID:u1", line, "ATTENDEE:mailto:a@b.c"))

    assert (found.starts, found.stamp_at) == (None, None)
    assert describe_proposal(found, "Asia/Shanghai") == ""


def zoned(tzid: str, *rules: str, at: str = "20280518T100000") -> str:
    text = reply("UID:u1", f"DTSTART;TZID={tzid}:{at}", "ATTENDEE:mailto:a@b.c", method="COUNTER")
    zone = "\r\n".join(("BEGIN:VTIMEZONE", f"TZID:{tzid}", *rules, "END:VTIMEZONE"))
    return text.replace("BEGIN:VEVENT", f"{zone}\r\nBEGIN:VEVENT")


def observance(kind: str, offset: str, *lines: str) -> tuple[str, ...]:
    offsets = ("TZOFFSETFROM:+0800", f"TZOFFSETTO:{offset}")
    return (f"BEGIN:{kind}", "DTSTART:16010101T000000", *offsets, *lines, f"END:{kind}")


@pytest.mark.parametrize(
    ("tzid", "offset", "words"),
    [
        ("China Standard Time", "+0300", "2028-05-18 10:00 (Asia/Shanghai)"),
        ("Customized Time Zone", "+0100", "2028-05-18 17:00 (Asia/Shanghai)"),
        ("Customized Time Zone", "+0530", "2028-05-18 12:30 (Asia/Shanghai)"),
        ("Customized Time Zone", "-0330", "2028-05-18 21:30 (Asia/Shanghai)"),
        (
            "/freeassociation.sourceforge.net/Asia/Tokyo",
            "+0900",
            "2028-05-18 09:00 (Asia/Shanghai)",
        ),
        ("Customized Time Zone", "noon", "2028-05-18 10:00 (Asia/Shanghai)"),
        ("tzone://Microsoft/Custom", "+0100", "2028-05-18 17:00 (Asia/Shanghai)"),
        ("tzone://Microsoft/Utc", "noon", "2028-05-18 18:00 (Asia/Shanghai)"),
        ('"tzone://Microsoft/Custom"', "noon", "2028-05-18 10:00 (Asia/Shanghai)"),
    ],
)
def test_zone_is_the_known_one_of_that_name_or_this_texts_own(
    tzid: str, offset: str, words: str
) -> None:
    (found,) = read_replies(zoned(tzid, *observance("STANDARD", offset)))

    assert describe_proposal(found, "Asia/Shanghai") == words


def test_zone_of_which_only_an_extension_says_the_name_is_that_one() -> None:
    rules = ("X-LIC-LOCATION:Europe/Madrid", *observance("STANDARD", "+0100"))
    (found,) = read_replies(zoned("Customized Time Zone", *rules))

    assert describe_proposal(found, "Asia/Shanghai") == "2028-05-18 16:00 (Asia/Shanghai)"


@pytest.mark.parametrize(
    "begin", ["BEGIN:VTIMEZONE", "BEGIN:VTIME\r\n ZONE", "begin;x=1:vtimezone "]
)
def test_zone_whose_clocks_change_by_rules_of_its_own_is_the_events(begin: str) -> None:
    rules = (
        *observance("STANDARD", "+0700", "RRULE:FREQ=SECONDLY"),
        *observance("DAYLIGHT", "+0800", "RRULE:FREQ=SECONDLY;INTERVAL=2"),
    )
    text = zoned(f"Evil {len(begin)}", *rules).replace("BEGIN:VTIMEZONE", begin)
    (found,) = read_replies(text)

    assert describe_proposal(found, "Asia/Shanghai") == "2028-05-18 10:00 (Asia/Shanghai)"


def test_mark_at_the_head_and_empty_lines_are_no_obstacle() -> None:
    text = "\ufeff\n" + reply("UID:u1", "", "ATTENDEE:mailto:a@b.c").replace("\r\n", "\n")

    assert read_replies(text)[0].uid == "u1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID x\r\n",
        "BEGIN:VEVENT\r\n" * 2000,
    ],
)
def test_what_is_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(NotACalendar):
        read_replies(text)


@pytest.mark.parametrize(
    ("starts", "ends", "words"),
    [
        (None, None, ""),
        (date(2028, 5, 18), date(2028, 5, 19), "2028-05-18"),
        (
            datetime(2028, 5, 18, 6, tzinfo=UTC),
            datetime(2028, 5, 18, 8, 30, tzinfo=UTC),
            "2028-05-18 14:00–16:30 (Asia/Shanghai)",
        ),
        (
            datetime(2028, 5, 18, 22),
            datetime(2028, 5, 19, 1),
            "2028-05-18 22:00 – 2028-05-19 01:00 (Asia/Shanghai)",
        ),
        (datetime(2028, 5, 18, 22), None, "2028-05-18 22:00 (Asia/Shanghai)"),
    ],
)
def test_proposed_time_is_told_on_the_events_clocks(
    starts: date | None, ends: date | None, words: str
) -> None:
    found = Reply(
        method="COUNTER", uid="u", sequence=None, stamp_at=None, organizer="", attendees=(),
        starts=starts, ends=ends,
    )  # fmt: skip

    assert describe_proposal(found, "Asia/Shanghai") == words
