"""The feeds as programs ask for them."""

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import brotli
import icalendar
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alliances.joining import revise_alliance
from alliances.models import Alliance
from coordination.accounts.viewer import SYSTEM
from coordination.calendars.models import FeedStamp
from events.calendar_event import Span
from events.models import Event
from events.retiring import retire_cancelled_events
from events.scheduling import (
    cancel_event,
    confirm_event,
    postpone_event,
    revise_event,
    schedule_event,
)
from tests.coordination.calendars.conftest import AT, MakeEvent

FEED = "/calendars/alliances/jjj.ics"
LATER = AT + timedelta(days=1)
ReadFeed = Callable[..., str]


def events_in(text: str) -> list[icalendar.Event]:
    """Parse a feed and see that nothing in it is broken."""
    calendar = icalendar.Calendar.from_ical(text)
    assert calendar.errors == []
    events = calendar.walk("VEVENT")
    assert all(event.errors == [] for event in events)
    return events


def uids_in(text: str) -> list[str]:
    return [str(event["UID"]) for event in events_in(text)]


def test_feed_holds_what_the_alliance_owns_or_co_hosts_as_far_as_it_is_public_and_timed(
    alliance: Alliance,
    other_alliance: Alliance,
    event: Event,
    make_event: MakeEvent,
    feed: ReadFeed,
) -> None:
    co_hosted = make_event(alliance=other_alliance, co_hosts=[alliance])
    foreign = make_event(alliance=other_alliance)
    for audience in ("members", "organizations", "secretariat"):
        make_event(audience=audience)
    make_event(span=None)

    assert uids_in(feed()) == [event.ical_uid, co_hosted.ical_uid]
    assert uids_in(feed("/calendars/alliances/dec40.ics")) == [
        co_hosted.ical_uid,
        foreign.ical_uid,
    ]


def test_feed_leaves_no_trace_of_what_is_not_public(
    event: Event, make_event: MakeEvent, feed: ReadFeed
) -> None:
    before = feed()
    hidden = make_event(
        audience="members",
        title_zh="闭门会",
        span=Span(starts=datetime(2024, 7, 1, 9), ends=datetime(2024, 7, 1, 10), zone="Asia/Tokyo"),
    )
    revise_event(
        event,
        viewer=SYSTEM,
        at=LATER,
        online_url="https://meet.example.org/1",
        contact="010-12345678",
        notes="机密",
    )
    after = feed()

    assert hidden.ical_uid not in after
    for secret in ("闭门会", "Asia/Tokyo", "meet.example.org", "010-12345678", "机密"):
        assert secret not in after.replace("\r\n ", "")
    assert len(before) == len(after)


def test_feed_of_an_event_whose_online_link_is_given_shows_it_to_nobody_here(
    event: Event, feed: ReadFeed
) -> None:
    assert "CONFERENCE" not in feed()


def test_feed_that_is_published_has_what_it_must_have_and_nothing_it_must_not(
    make_event: MakeEvent, feed: ReadFeed
) -> None:
    cancel_event(make_event(), reason="台风", viewer=SYSTEM, at=LATER)
    postpone_event(make_event(), reason="台风", viewer=SYSTEM, at=AT)

    calendar = icalendar.Calendar.from_ical(feed())

    assert calendar["METHOD"] == "PUBLISH"
    assert calendar["LAST-MODIFIED"].dt == LATER
    for event in calendar.walk("VEVENT"):
        assert {"UID", "DTSTAMP", "DTSTART", "SUMMARY", "ORGANIZER", "SEQUENCE"} <= event.keys()
        assert "ATTENDEE" not in event
        assert event.walk("VALARM") == []


def test_feed_follows_an_event_through_its_life_under_one_uid(
    make_event: MakeEvent, feed: ReadFeed
) -> None:
    event = make_event()
    seen = []

    def look() -> None:
        (component,) = events_in(feed())
        seen.append(
            (str(component["STATUS"]), int(component["SEQUENCE"]), component["DTSTART"].dt.day)
        )
        assert component["UID"] == str(event.uid)

    moved = Span(
        starts=datetime(2024, 5, 20, 14), ends=datetime(2024, 5, 20, 16), zone="Asia/Shanghai"
    )
    look()
    schedule_event(event, moved, viewer=SYSTEM, at=LATER)
    look()
    confirm_event(event, viewer=SYSTEM, at=LATER)
    look()
    postpone_event(event, reason="台风", viewer=SYSTEM, at=LATER)
    look()
    later = Span(
        starts=datetime(2024, 5, 31, 14), ends=datetime(2024, 5, 31, 16), zone="Asia/Shanghai"
    )
    schedule_event(event, later, viewer=SYSTEM, at=LATER, reason="新日期")
    look()
    cancel_event(event, reason="取消", viewer=SYSTEM, at=LATER)
    look()

    assert seen == [
        ("TENTATIVE", 0, 14),
        ("TENTATIVE", 1, 20),
        ("CONFIRMED", 2, 20),
        ("TENTATIVE", 3, 20),
        ("TENTATIVE", 4, 31),
        ("CANCELLED", 5, 31),
    ]
    retire_cancelled_events(at=LATER + timedelta(days=400))
    assert events_in(feed()) == []


def test_feed_without_events_is_a_calendar_with_its_zone(
    alliance: Alliance, feed: ReadFeed
) -> None:
    calendar = icalendar.Calendar.from_ical(feed())

    assert [part.name for part in calendar.subcomponents] == ["VTIMEZONE"]
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "京津冀国家高新区联盟"
    assert calendar["METHOD"] == "PUBLISH"
    assert "UID" not in calendar


def test_feed_names_every_zone_used_once_and_no_other(
    make_event: MakeEvent, feed: ReadFeed
) -> None:
    for zone in ("Europe/Madrid", "Africa/Casablanca", "Europe/Madrid"):
        make_event(
            span=Span(starts=datetime(2025, 3, 30, 2, 30), ends=datetime(2025, 3, 30, 9), zone=zone)
        )
    make_event(
        span=Span(
            starts=datetime(2024, 2, 29),
            ends=datetime(2024, 3, 1),
            zone="Asia/Tokyo",
            is_all_day=True,
        )
    )
    calendar = icalendar.Calendar.from_ical(feed())

    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == [
        "Africa/Casablanca",
        "Europe/Madrid",
    ]
    starts = [event["DTSTART"].dt for event in calendar.walk("VEVENT")]
    assert starts[3] == date(2024, 2, 29)
    assert [start.isoformat() for start in starts[:3]] == [
        "2025-03-30T03:30:00+02:00",
        "2025-03-30T02:30:00+00:00",
        "2025-03-30T03:30:00+02:00",
    ]


def test_feed_of_a_year_holds_what_touches_it(make_event: MakeEvent, feed: ReadFeed) -> None:
    def at(starts: datetime, ends: datetime) -> str:
        return make_event(span=Span(starts=starts, ends=ends, zone="Asia/Shanghai")).ical_uid

    over_new_year = at(datetime(2024, 12, 31, 23, 30), datetime(2025, 1, 1, 0, 30))
    until_midnight = at(datetime(2024, 12, 31, 20), datetime(2025, 1, 1))
    new_year = at(datetime(2025, 1, 1), datetime(2025, 1, 1, 2))

    assert uids_in(feed("/calendars/alliances/jjj/2024.ics")) == [over_new_year, until_midnight]
    assert uids_in(feed("/calendars/alliances/jjj/2025.ics")) == [over_new_year, new_year]
    assert uids_in(feed("/calendars/alliances/jjj/2026.ics")) == []
    assert "NAME:京津冀国家高新区联盟2025年\r\n" in feed("/calendars/alliances/jjj/2025.ics")


def test_feed_of_a_year_goes_by_the_clocks_of_each_event(
    make_event: MakeEvent, feed: ReadFeed
) -> None:
    evening = Span(
        starts=datetime(2024, 12, 31, 20), ends=datetime(2024, 12, 31, 22), zone="Europe/Madrid"
    )  # in Beijing it is 03:00 on 1 January
    uid = make_event(span=evening).ical_uid

    assert uids_in(feed("/calendars/alliances/jjj/2024.ics")) == [uid]
    assert uids_in(feed("/calendars/alliances/jjj/2025.ics")) == []


def test_feed_in_english_has_its_own_text_and_tag(client: Client, event: Event) -> None:
    chinese, english = client.get(FEED), client.get(f"{FEED}?lang=en")

    assert (chinese["Content-Language"], english["Content-Language"]) == ("zh-Hans", "en")
    assert "SUMMARY:走进天津天开园" in chinese.content.decode()
    assert "SUMMARY:A visit to Tiankai Park" in english.content.decode()
    assert "NAME:JJJ High-tech Zone Alliance\r\n" in english.content.decode()
    assert chinese["ETag"] != english["ETag"]
    assert uids_in(chinese.content.decode()) == uids_in(english.content.decode())


@pytest.mark.parametrize(
    "query", ["?lang=zh-hans", "?lang=xx", "?lang=", "?utm_source=mail", "?%00=%ff&lang=zh&x[]=1"]
)
def test_feed_with_other_parameters_is_the_same_bytes(
    client: Client, event: Event, query: str
) -> None:
    plain, other = client.get(FEED), client.get(FEED + query)

    assert (other.status_code, other["ETag"]) == (200, plain["ETag"])
    assert other.content == plain.content


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "text/calendar"},
        {"Accept": "application/json"},
        {"Accept": "nonsense"},
        {"Accept-Language": "en"},
        {"Authorization": "Basic junk"},
        {"Cookie": "sessionid=junk"},
    ],
)
def test_feed_is_the_same_whatever_a_program_says_of_itself(
    client: Client, event: Event, headers: dict[str, str]
) -> None:
    response = client.get(FEED, headers=headers)

    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Content-Disposition"] == 'inline; filename="jjj.ics"'
    assert response["Content-Length"] == str(len(response.content))
    assert response["Cache-Control"] == "public, max-age=300"
    assert response["Vary"] == "Accept-Encoding"
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Last-Modified"] == "Mon, 08 Jan 2024 01:00:02 GMT"
    assert not response.cookies
    assert response.content == client.get(FEED).content


@pytest.mark.parametrize(
    ("coding", "decode"),
    [("gzip", gzip.decompress), ("br", brotli.decompress)],
)
def test_feed_compressed_holds_the_same_bytes_under_a_tag_of_its_own(
    client: Client, event: Event, coding: str, decode: Callable[[bytes], bytes]
) -> None:
    plain = client.get(FEED)
    packed = client.get(FEED, headers={"Accept-Encoding": coding})

    assert packed["Content-Encoding"] == coding
    assert "Content-Encoding" not in plain
    assert decode(packed.content) == plain.content
    assert len(packed.content) < len(plain.content)
    assert packed["ETag"] == f'{plain["ETag"][:-1]}-{coding}"'
    assert packed.content == client.get(FEED, headers={"Accept-Encoding": coding}).content


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_feed_asked_for_again_is_304_with_the_headers_of_the_200(
    client: Client, event: Event, coding: str, method: str
) -> None:
    first = client.get(FEED, headers={"Accept-Encoding": coding})
    again = getattr(client, method)(
        FEED, headers={"Accept-Encoding": coding, "If-None-Match": first["ETag"]}
    )

    assert (again.status_code, again.content) == (304, b"")
    assert "Content-Type" not in again
    for name in ("ETag", "Last-Modified", "Cache-Control", "Vary"):
        assert again[name] == first[name]


def test_feed_asked_for_by_its_date_alone_is_304(client: Client, event: Event) -> None:
    modified = client.get(FEED)["Last-Modified"]

    assert client.get(FEED, headers={"If-Modified-Since": modified}).status_code == 304
    earlier = "Mon, 08 Jan 2024 01:00:01 GMT"
    assert client.get(FEED, headers={"If-Modified-Since": earlier}).status_code == 200


def test_feed_after_a_change_in_the_same_second_is_200_to_tag_and_date(
    client: Client, event: Event
) -> None:
    first = client.get(FEED)
    cancel_event(event, reason="台风", viewer=SYSTEM, at=AT)

    by_tag = client.get(FEED, headers={"If-None-Match": first["ETag"]})
    by_date = client.get(FEED, headers={"If-Modified-Since": first["Last-Modified"]})
    assert (by_tag.status_code, by_date.status_code) == (200, 200)
    assert b"STATUS:CANCELLED" in by_date.content


def test_feed_keeps_its_tag_while_nothing_in_it_changes(
    client: Client,
    alliance: Alliance,
    other_alliance: Alliance,
    event: Event,
    make_event: MakeEvent,
) -> None:
    first = client.get(FEED)
    year = client.get("/calendars/alliances/jjj/2023.ics")

    make_event(audience="members", at=LATER)
    make_event(alliance=other_alliance, at=LATER)
    assert client.get(FEED)["ETag"] == first["ETag"]
    revise_event(event, viewer=SYSTEM, at=LATER, title_zh="新题")

    assert client.get(FEED)["ETag"] != first["ETag"]
    unchanged = client.get(
        "/calendars/alliances/jjj/2023.ics", headers={"If-None-Match": year["ETag"]}
    )
    assert unchanged.status_code == 304


def test_feed_of_a_renamed_alliance_carries_the_new_name(
    client: Client, alliance: Alliance, feed: ReadFeed
) -> None:
    before = client.get(FEED)["ETag"]
    revise_alliance(alliance, viewer=SYSTEM, at=LATER, name_zh="新联盟")

    assert "NAME:新联盟\r\n" in feed()
    assert client.get(FEED)["ETag"] != before


def test_feed_stamped_ahead_of_the_clock_gives_no_date_to_come_and_is_read_anew_by_it(
    client: Client, event: Event
) -> None:
    now = datetime(2028, 5, 16, 1, 30, 7, 900_000, tzinfo=UTC)
    FeedStamp.objects.update(modified_at=datetime(2028, 5, 16, 1, 30, 9, tzinfo=UTC))

    with time_machine.travel(now, tick=False) as clock:
        response = client.get(FEED)
        assert response["Last-Modified"] == "Tue, 16 May 2028 01:30:07 GMT"
        by_tag = client.get(FEED, headers={"If-None-Match": response["ETag"]})
        assert (by_tag.status_code, by_tag["Last-Modified"]) == (304, response["Last-Modified"])

        for later in (0, 5):
            clock.shift(later)
            by_date = {"If-Modified-Since": response["Last-Modified"]}
            answer = client.get(FEED, headers=by_date)
            assert answer.status_code == 200
        assert answer["Last-Modified"] == "Tue, 16 May 2028 01:30:09 GMT"
        by_date = {"If-Modified-Since": answer["Last-Modified"]}
        assert client.get(FEED, headers=by_date).status_code == 304


def test_head_of_a_feed_gives_the_headers_and_no_bytes(client: Client, event: Event) -> None:
    head, whole = client.head(FEED), client.get(FEED)

    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(whole.headers)


@pytest.mark.parametrize(
    "path",
    [
        "/calendars/alliances/nobody.ics",
        "/calendars/alliances/nobody/2024.ics",
        "/calendars/alliances/jjj/0000.ics",
        "/calendars/alliances/jjj/9999.ics",
        "/calendars/alliances/JJJ.ics",
    ],
)
@pytest.mark.parametrize(
    ("query", "language", "sentence"),
    [
        ("", "zh-CN", "这个地址没有日历。\n"),
        ("", "en-GB,en;q=0.9", "There is no calendar at this address.\n"),
        ("", "de", "这个地址没有日历。\n"),
        ("?lang=en", "zh-CN", "There is no calendar at this address.\n"),
    ],
)
def test_feed_that_does_not_exist_is_404_in_the_readers_language(
    client: Client, alliance: Alliance, path: str, query: str, language: str, sentence: str
) -> None:
    assert client.get(FEED).status_code == 200

    response = client.get(path + query, headers={"Accept-Language": language})

    assert response.status_code == 404
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Vary"] == "Accept-Language"
    assert response.content.decode() == sentence


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "REPORT"])
@pytest.mark.parametrize("path", [FEED, "/calendars/alliances/jjj/2024.ics", "/robots.txt"])
def test_write_to_a_feed_is_405_and_names_what_is_allowed(
    client: Client, alliance: Alliance, method: str, path: str
) -> None:
    response = client.generic(method, path, b"BEGIN:VCALENDAR", "text/calendar")

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert response.content.decode() == "这个地址只能读取。\n"


def test_options_of_a_feed_names_what_is_allowed(client: Client, alliance: Alliance) -> None:
    response = client.options(FEED)

    assert (response.status_code, response.content) == (204, b"")
    assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_robots_may_read_calendars_and_nothing_private(client: Client, db: None) -> None:
    response = client.get("/robots.txt")

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().splitlines() == [
        "User-agent: *",
        "Allow: /calendars/",
        "Disallow: /accounts/",
        "Disallow: /admin/",
        "Disallow: /api/",
        "Disallow: /dav/",
    ]


@pytest.mark.parametrize("count", [1, 30])
def test_feed_costs_one_query_while_nothing_changed_and_three_after_a_change(
    client: Client, make_event: MakeEvent, count: int
) -> None:
    for _ in range(count):
        make_event()
    with CaptureQueriesContext(connection) as first:
        etag = client.get(FEED)["ETag"]
    with CaptureQueriesContext(connection) as again:
        client.get(FEED)
    with CaptureQueriesContext(connection) as unchanged:
        assert client.get(FEED, headers={"If-None-Match": etag}).status_code == 304

    assert (len(first), len(again), len(unchanged)) == (3, 1, 1)
