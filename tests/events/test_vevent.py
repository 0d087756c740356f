"""VEVENT text: bytes, lines, escapes, states, levels, and what a parser reads back."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import icalendar
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from events.calendar_event import CalendarEvent, Level, Span, Words
from events.vevent import (
    CALENDAR_TAIL,
    CalendarHead,
    ZoneUse,
    calendar_head,
    clean,
    escaped,
    folded,
    newest_change,
    one_line,
    parameter,
    uri,
    vevent,
    zones_text,
)

SPAN = Span(
    starts=datetime(2024, 5, 14, 9, 30), ends=datetime(2024, 5, 14, 11, 30), zone="Asia/Shanghai"
)
EVENT = CalendarEvent(
    ical_uid="0190f3a4-0000-7000-8000-000000000001",
    sequence=2,
    created_at=datetime(2024, 1, 5, 1, 0, tzinfo=UTC),
    changed_at=datetime(2024, 4, 2, 3, 4, 5, 678901, tzinfo=UTC),
    state="confirmed",
    title=Words(zh="走进天津天开园", en="A visit to Tiankai Park"),
    organizer=Words(
        zh="京津冀国家高新区联盟秘书处", en="Secretariat of the JJJ High-tech Zone Alliance"
    ),
    organizer_uri="mailto:coordination@example.org",
    url="https://example.org/events/0190f3a4-0000-7000-8000-000000000001/",
    home_zone="Asia/Shanghai",
    span=SPAN,
    description=Words(zh="座谈;参观,交流\\", en="Talks; tour, exchange"),
    type_text="走访",
    place=Words(zh="天开园", en="Tiankai Park"),
    address="天津市南开区",
    latitude=Decimal("39.102"),
    longitude=Decimal("117.17"),
    work_area=Words(zh="搭建常态化沟通交流平台", en="Regular exchange"),
    hosts=(Words(zh="天津滨海高新区", en="Tianjin Binhai"), Words(zh="沧州高新区")),
    online_url="https://meet.example.org/room?pwd=一",
    contact="王老师 022-12345678",
    notes="预算待批",
)
HEAD = CalendarHead(
    name="京津冀国家高新区联盟",
    description="公开活动",
    zone="Asia/Shanghai",
    language="zh-hans",
    color="steelblue",
    refresh=timedelta(hours=1),
    source="https://example.org/calendars/alliances/jjj.ics",
    url="https://example.org/alliances/jjj/",
)
nasty_text = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from('\\;,:"^\r\n\t\x00\x07\x0b\x7f\x85\u2028\u200d👩‍💻é\u0301中区\ud800'),
    ),
    max_size=300,
)


def rendered(event: CalendarEvent, language: str = "zh-hans", level: Level = Level.PUBLIC) -> str:
    return vevent(event, language=language, level=level)


def parsed(event: CalendarEvent, language: str = "zh-hans", level: Level = Level.PUBLIC):
    """Read the event back from a whole calendar."""
    span = event.shown_span
    assert span is not None
    uses = [ZoneUse(zone=event.tzid, first_on=span.first_on, last_on=span.last_on)]
    text = (
        calendar_head(HEAD)
        + zones_text(use for use in uses if use.zone)
        + rendered(event, language, level)
        + CALENDAR_TAIL
    )
    (component,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert component.errors == []
    return component


def test_vevent_of_a_confirmed_event_is_these_lines() -> None:
    assert rendered(EVENT).replace("\r\n ", "").split("\r\n") == [
        "BEGIN:VEVENT",
        "UID:0190f3a4-0000-7000-8000-000000000001",
        "DTSTAMP:20240402T030405Z",
        "CREATED:20240105T010000Z",
        "LAST-MODIFIED:20240402T030405Z",
        "SEQUENCE:2",
        "STATUS:CONFIRMED",
        "DTSTART;TZID=Asia/Shanghai:20240514T093000",
        "DTEND;TZID=Asia/Shanghai:20240514T113000",
        "SUMMARY:走进天津天开园",
        "DESCRIPTION:座谈\\;参观\\,交流\\\\\\n\\n"
        "时间：2024年5月14日09:30–11:30（北京时间，UTC+8）\\n活动类型：走访\\n"
        "主办/承办单位：天津滨海高新区、沧州高新区\\n"
        "详情：https://example.org/events/0190f3a4-0000-7000-8000-000000000001/",
        "LOCATION:天开园，天津市南开区",
        "GEO:39.102000;117.170000",
        "CATEGORIES:搭建常态化沟通交流平台",
        'ORGANIZER;CN="京津冀国家高新区联盟秘书处":mailto:coordination@example.org',
        "URL:https://example.org/events/0190f3a4-0000-7000-8000-000000000001/",
        "END:VEVENT",
        "",
    ]


def test_vevent_in_english_falls_back_to_chinese_where_there_is_no_english() -> None:
    component = parsed(EVENT, "en")

    assert component["SUMMARY"] == "A visit to Tiankai Park"
    assert component["DESCRIPTION"].split("\n") == [
        "Talks; tour, exchange",
        "",
        "Time: 14 May 2024, 09:30–11:30 (Beijing time, UTC+8)",
        "Type: 走访",
        "Hosts: Tianjin Binhai, 沧州高新区",
        f"Details: {EVENT.url}",
    ]
    assert component["LOCATION"] == "Tiankai Park, 天津市南开区"


@pytest.mark.parametrize(
    ("level", "online", "contact", "notes"),
    [
        (Level.PUBLIC, False, False, False),
        (Level.MEMBER, True, True, False),
        (Level.SECRETARIAT, True, True, True),
    ],
)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_vevent_tells_each_level_only_what_it_may_know(
    level: Level, online: bool, contact: bool, notes: bool, language: str
) -> None:
    text = rendered(EVENT, language, level).replace("\r\n ", "")

    assert ("meet.example.org" in text) is online
    assert ("CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://" in text) is online
    assert ("022-12345678" in text) is contact
    assert ("预算待批" in text) is notes


def test_vevent_gives_conference_as_a_uri_of_ascii() -> None:
    component = parsed(EVENT, level=Level.MEMBER)

    assert component["CONFERENCE"] == "https://meet.example.org/room?pwd=%E4%B8%80"


@pytest.mark.parametrize(
    ("state", "status", "zh", "en"),
    [
        ("planned", "TENTATIVE", "走进天津天开园", "A visit to Tiankai Park"),
        ("scheduled", "TENTATIVE", "走进天津天开园", "A visit to Tiankai Park"),
        ("confirmed", "CONFIRMED", "走进天津天开园", "A visit to Tiankai Park"),
        ("held", "CONFIRMED", "走进天津天开园", "A visit to Tiankai Park"),
        ("postponed", "TENTATIVE", "【延期】走进天津天开园", "Postponed: A visit to Tiankai Park"),
        (
            "cancelled",
            "CANCELLED",
            "【已取消】走进天津天开园",
            "Cancelled: A visit to Tiankai Park",
        ),
    ],
)
def test_vevent_of_each_state_says_it_in_status_and_summary(
    state: str, status: str, zh: str, en: str
) -> None:
    event = replace(EVENT, state=state)

    assert parsed(event)["STATUS"] == status
    assert parsed(event)["SUMMARY"] == zh
    assert parsed(event, "en")["SUMMARY"] == en


def test_vevent_postponed_without_a_new_date_keeps_the_old_span_and_leaves_people_free() -> None:
    component = parsed(replace(EVENT, state="postponed", span=None, previous=SPAN, reason="台风"))

    assert component["DTSTART"].dt.isoformat() == "2024-05-14T09:30:00+08:00"
    assert component["TRANSP"] == "TRANSPARENT"
    assert component["DESCRIPTION"].split("\n")[:3] == [
        "本活动延期，新的时间另行通知。",
        "原因：台风",
        "原定时间：2024年5月14日09:30–11:30（北京时间，UTC+8）",
    ]
    assert "\n时间：" not in component["DESCRIPTION"]


def test_vevent_postponed_to_a_new_date_moves_and_names_the_old_one() -> None:
    moved = replace(SPAN, starts=datetime(2024, 6, 3, 14), ends=datetime(2024, 6, 3, 16))
    component = parsed(replace(EVENT, state="postponed", span=moved, previous=SPAN), "en")

    assert component["DTSTART"].dt.isoformat() == "2024-06-03T14:00:00+08:00"
    assert "TRANSP" not in component
    assert component["DESCRIPTION"].split("\n")[:2] == [
        "This event is postponed.",
        "Originally: 14 May 2024, 09:30–11:30 (Beijing time, UTC+8)",
    ]


def test_vevent_with_a_reason_for_nothing_that_shows_does_not_give_it() -> None:
    assert "改期" not in parsed(replace(EVENT, reason="改期"))["DESCRIPTION"]


def test_vevent_cancelled_says_why() -> None:
    component = parsed(replace(EVENT, state="cancelled", reason="台风"))

    assert component["DESCRIPTION"].split("\n")[:2] == ["本活动已取消。", "原因\uff1a台风"]


def test_vevent_without_any_time_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time to show"):
        rendered(replace(EVENT, span=None))


def test_vevent_in_another_zone_names_both_clocks() -> None:
    geneva = Span(
        starts=datetime(2025, 7, 2, 9, 30), ends=datetime(2025, 7, 2, 18), zone="Europe/Zurich"
    )
    component = parsed(replace(EVENT, span=geneva), "en")

    assert component["DTSTART"].dt.isoformat() == "2025-07-02T09:30:00+02:00"
    assert (
        "Time: 2 July 2025, 09:30–18:00 (Europe/Zurich, UTC+2); "
        "2 July 2025, 15:30–3 July 2025, 00:00 (Beijing time, UTC+8)"
    ) in component["DESCRIPTION"]


def test_vevent_in_a_zone_of_half_hours_west_names_its_offset() -> None:
    span = replace(SPAN, zone="America/St_Johns")

    assert "（America/St_Johns，UTC-2:30）" in parsed(replace(EVENT, span=span))["DESCRIPTION"]


def test_vevent_at_a_time_that_the_clocks_skip_is_written_as_they_will_show_it() -> None:
    gap = Span(
        starts=datetime(2024, 3, 31, 2, 30), ends=datetime(2024, 3, 31, 4), zone="Europe/Madrid"
    )
    text = rendered(replace(EVENT, span=gap))

    assert "DTSTART;TZID=Europe/Madrid:20240331T033000\r\n" in text
    assert "DTEND;TZID=Europe/Madrid:20240331T040000\r\n" in text
    assert parsed(replace(EVENT, span=gap))["DTSTART"].dt == datetime(
        2024, 3, 31, 1, 30, tzinfo=UTC
    )


def test_vevent_that_the_skipped_hour_swallows_has_a_start_and_no_end_before_it() -> None:
    swallowed = Span(
        starts=datetime(2024, 3, 31, 2, 30), ends=datetime(2024, 3, 31, 3), zone="Europe/Madrid"
    )
    component = parsed(replace(EVENT, span=swallowed))

    assert "DTEND" not in component


def test_vevent_late_in_beijing_ends_the_next_day_and_year() -> None:
    late = Span(
        starts=datetime(2024, 12, 31, 23, 30),
        ends=datetime(2025, 1, 1, 0, 30),
        zone="Asia/Shanghai",
    )
    component = parsed(replace(EVENT, span=late))

    assert component["DTSTART"].dt == datetime(2024, 12, 31, 15, 30, tzinfo=UTC)
    assert component["DTEND"].dt == datetime(2024, 12, 31, 16, 30, tzinfo=UTC)
    assert (
        "时间：2024年12月31日23:30–2025年1月1日00:30（北京时间，UTC+8）"
        in (component["DESCRIPTION"])
    )


def test_vevent_in_utc_needs_no_zone() -> None:
    event = replace(EVENT, span=replace(SPAN, zone="UTC"), home_zone="UTC")

    assert event.tzid == ""
    assert "DTSTART:20240514T093000Z\r\nDTEND:20240514T113000Z\r\n" in rendered(event)
    assert "2024年5月14日09:30–11:30（UTC）" in parsed(event)["DESCRIPTION"]


@pytest.mark.parametrize(
    ("starts", "ends", "dtend", "words"),
    [
        (
            datetime(2024, 2, 29),
            datetime(2024, 3, 1),
            date(2024, 3, 1),
            "2024年2月29日（全天）",
        ),
        (
            datetime(2024, 9, 20),
            datetime(2024, 9, 22),
            date(2024, 9, 22),
            "2024年9月20日至2024年9月21日（全天）",
        ),
        (
            datetime(2024, 2, 29),
            datetime(2024, 2, 29, 23, 59),
            date(2024, 3, 1),
            "2024年2月29日（全天）",
        ),
    ],
)
def test_vevent_of_whole_days_ends_on_the_first_day_not_included(
    starts: datetime, ends: datetime, dtend: date, words: str
) -> None:
    span = Span(starts=starts, ends=ends, zone="Asia/Shanghai", is_all_day=True)
    component = parsed(replace(EVENT, span=span))

    assert replace(EVENT, span=span).tzid == ""
    assert component["DTSTART"].dt == starts.date()
    assert component["DTEND"].dt == dtend
    assert f"时间：{words}" in component["DESCRIPTION"]


def test_vevent_of_whole_days_in_english_says_so() -> None:
    span = Span(
        starts=datetime(2024, 9, 20),
        ends=datetime(2024, 9, 22),
        zone="Asia/Shanghai",
        is_all_day=True,
    )

    assert (
        "Time: 20 September 2024 – 21 September 2024 (all day)"
        in (parsed(replace(EVENT, span=span), "en")["DESCRIPTION"])
    )


def test_vevent_online_without_a_place_is_located_online() -> None:
    event = replace(EVENT, format="online", place=Words(), address="")

    assert parsed(event)["LOCATION"] == "线上"
    assert parsed(event, "en")["LOCATION"] == "Online"


def test_vevent_with_the_least_known_leaves_out_what_it_does_not_know() -> None:
    bare = CalendarEvent(
        ical_uid="a@b",
        sequence=0,
        created_at=EVENT.created_at,
        changed_at=EVENT.created_at,
        state="scheduled",
        title=Words(zh="会"),
        organizer=Words(zh="秘书处"),
        organizer_uri="mailto:a@example.org",
        url="https://example.org/e/",
        home_zone="Asia/Shanghai",
        span=SPAN,
    )

    names = {line.partition(":")[0].partition(";")[0] for line in rendered(bare).split("\r\n")}
    assert names & {"LOCATION", "GEO", "CATEGORIES", "CONFERENCE", "TRANSP"} == set()
    assert parsed(bare)["DESCRIPTION"].split("\n") == [
        "时间：2024年5月14日09:30–11:30（北京时间，UTC+8）",
        "详情：https://example.org/e/",
    ]


def test_vevent_rendered_again_is_the_same_bytes() -> None:
    assert rendered(EVENT) == rendered(replace(EVENT))


@settings(max_examples=300)
@given(text=nasty_text)
@example(text="中" * 200)
@example(text="👩‍👩‍👧‍👦" * 30)
@example(text="e\u0301" * 100)
@example(text="a\r\nb\rc\nd\u2028e")
@example(text="\ud800")
def test_vevent_of_any_text_comes_back_from_a_parser_in_lines_of_75_octets(text: str) -> None:
    event = replace(
        EVENT,
        title=Words(zh=text or "会"),
        description=Words(zh=text),
        place=Words(zh=text),
        work_area=Words(zh=text),
        organizer=Words(zh=text),
        reason=text,
        notes=text,
    )
    whole = rendered(event, level=Level.SECRETARIAT)
    octets = whole.encode("utf-8")

    assert whole.endswith("END:VEVENT\r\n")
    for line in octets.split(b"\r\n"):
        assert len(line) <= 75
        line.decode("utf-8")
        assert not any(octet < 0x20 and octet != 0x09 for octet in line)
    component = parsed(event, level=Level.SECRETARIAT)
    assert component["SUMMARY"] == one_line(text or "会")
    assert clean(text).strip() in component["DESCRIPTION"]
    assert component["ORGANIZER"].params["CN"] == one_line(text).replace("\\", "/")


@settings(max_examples=300)
@given(text=nasty_text)
def test_fold_of_any_text_unfolds_to_it_and_cuts_no_character(text: str) -> None:
    value = escaped(text)
    line = folded("X-NAME", value)

    pieces = line.removesuffix("\r\n").encode("utf-8").split(b"\r\n ")
    assert all(piece.decode("utf-8") is not None for piece in pieces)
    assert b"".join(pieces).decode("utf-8") == f"X-NAME:{value}"
    assert all(len(piece) <= 74 for piece in pieces[1:])
    assert len(pieces[0]) <= 75


@pytest.mark.parametrize(("length", "lines"), [(73, 1), (74, 2), (147, 2), (148, 3)])
def test_fold_at_the_limit_breaks_only_past_it(length: int, lines: int) -> None:
    assert folded("X", "a" * length).count("\r\n") == lines


def test_escape_covers_what_separates_values_and_drops_what_no_text_may_hold() -> None:
    assert escaped('a\\b;c,d\r\ne\rf\x00\x1b\x7f\x9fg\th:"') == ('a\\\\b\\;c\\,d\\ne\\nfg\th:"')


def test_parameter_with_quotes_and_carets_follows_rfc_6868() -> None:
    assert parameter("a\\b") == '"a/b"'
    assert parameter('the "best" ^\n one') == "\"the ^'best^' ^^ one\""


def test_uri_with_other_characters_is_percent_encoded_and_never_twice() -> None:
    assert uri('https://example.org/活动 a?b=%20&c="1"#x\r\n') == (
        "https://example.org/%E6%B4%BB%E5%8A%A8%20a?b=%20&c=%221%22#x"
    )


def test_head_of_a_feed_is_these_lines_and_has_no_uid() -> None:
    assert calendar_head(HEAD).split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Coordination//Calendar 1//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "NAME:京津冀国家高新区联盟",
        "X-WR-CALNAME:京津冀国家高新区联盟",
        "DESCRIPTION:公开活动",
        "X-WR-CALDESC:公开活动",
        "X-WR-TIMEZONE:Asia/Shanghai",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "COLOR:steelblue",
        "SOURCE;VALUE=URI:https://example.org/calendars/alliances/jjj.ics",
        "URL:https://example.org/alliances/jjj/",
        "",
    ]


def test_newest_change_of_events_is_told_by_the_calendar() -> None:
    older = rendered(replace(EVENT, changed_at=datetime(2024, 4, 1, tzinfo=UTC)))

    assert newest_change([older, rendered(EVENT), older]) == "20240402T030405Z"
    assert newest_change([]) == ""
    head = calendar_head(replace(HEAD, changed=newest_change([rendered(EVENT)])))
    assert head.endswith("\r\nLAST-MODIFIED:20240402T030405Z\r\n")


def test_head_of_an_object_has_neither_method_nor_source() -> None:
    head = calendar_head(replace(HEAD, source="", language="en"), method="")

    assert "METHOD" not in head
    assert "SOURCE" not in head
    assert "PRODID:-//Coordination//Calendar 1//EN\r\n" in head


def test_zones_of_a_calendar_stand_once_each_and_span_all_uses() -> None:
    uses = [
        ZoneUse(zone="Europe/Madrid", first_on=date(2024, 1, 1), last_on=date(2024, 1, 1)),
        ZoneUse(zone="Africa/Casablanca", first_on=date(2025, 5, 1), last_on=date(2025, 5, 2)),
        ZoneUse(zone="Africa/Casablanca", first_on=date(2023, 5, 1), last_on=date(2023, 5, 2)),
    ]
    text = zones_text(uses)

    assert [line for line in text.splitlines() if line.startswith("TZID")] == [
        "TZID:Africa/Casablanca",
        "TZID:Europe/Madrid",
    ]
    assert "DTSTART:20220101T010000" in text
    assert "DTSTART:20260215T030000" in text


def test_head_asks_for_minutes_where_they_are_not_hours() -> None:
    head = calendar_head(replace(HEAD, refresh=timedelta(minutes=90)))

    assert "REFRESH-INTERVAL;VALUE=DURATION:PT90M\r\n" in head
