"""Texts follow their events inside the change, and a rebuild gives the same bytes."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from alliances.joining import register_organization, revise_alliance, revise_organization
from alliances.models import Alliance
from alliances.planning import add_work_area, open_plan, revise_work_area
from coordination.accounts.viewer import SYSTEM
from coordination.calendars.models import EventText, FeedStamp
from coordination.calendars.rendering import rebuild_texts
from coordination.changes.models import Change
from coordination.changes.recording import recording
from events.calendar_event import Span
from events.models import Event
from events.retiring import retire_cancelled_events
from events.scheduling import (
    Host,
    cancel_event,
    draft_event,
    postpone_event,
    revise_event,
)
from tests.coordination.calendars.conftest import AT, SPAN, MakeEvent

LATER = AT + timedelta(days=1)


def texts() -> list[tuple[object, ...]]:
    columns = ("event", "language", "level", "body", "time_zone", "first_on", "last_on", "renderer")
    return list(EventText.objects.order_by("event", "language", "level").values_list(*columns))


def levels_of(event: Event) -> list[tuple[str, str]]:
    return sorted(EventText.objects.filter(event=event).values_list("language", "level"))


def body_of(event: Event, language: str = "zh-hans", level: str = "public") -> str:
    text = EventText.objects.get(event=event, language=language, level=level)
    return text.body.replace("\r\n ", "")


def stamps() -> dict[str, datetime]:
    return dict(FeedStamp.objects.values_list("alliance__slug", "modified_at"))


@pytest.mark.parametrize(
    ("audience", "levels"),
    [
        ("secretariat", ["secretariat"]),
        ("organizations", ["member", "secretariat"]),
        ("members", ["member", "secretariat"]),
        ("public", ["member", "public", "secretariat"]),
    ],
)
def test_project_event_of_each_openness_makes_the_texts_that_may_be_read(
    make_event: MakeEvent, audience: str, levels: list[str]
) -> None:
    event = make_event(audience=audience)

    assert levels_of(event) == [
        (language, level) for language in ("en", "zh-hans") for level in levels
    ]


def test_project_event_without_a_time_makes_no_text(make_event: MakeEvent) -> None:
    event = make_event(span=None)

    assert event.state == "planned"
    assert levels_of(event) == []


def test_project_event_that_closes_takes_the_public_text_away(
    event: Event, make_event: MakeEvent
) -> None:
    other = make_event()
    assert ("zh-hans", "public") in levels_of(event)

    revise_event(event, viewer=SYSTEM, at=LATER, audience="members")

    assert ("zh-hans", "public") not in levels_of(event)
    assert ("zh-hans", "public") in levels_of(other)


def test_project_event_with_all_it_has_shows_it(alliance: Alliance, make_event: MakeEvent) -> None:
    plan = open_plan(alliance, viewer=SYSTEM, at=AT, year=2024, title_zh="2024年计划")
    area = add_work_area(plan, viewer=SYSTEM, at=AT, name_zh="推动资源信息对接")
    zone = register_organization(
        viewer=SYSTEM, at=AT, kind="zone", name_zh="沧州高新区", name_en="Cangzhou"
    )
    event = make_event(
        work_area=area,
        hosts=[Host(organization=zone), Host(name="联盟秘书处")],
        online_url="https://meet.example.org/1",
        contact="010-1",
        notes="内部",
        audience="members",
    )
    text = body_of(event, level="secretariat")

    assert "CATEGORIES:推动资源信息对接\r\n" in text
    assert "主办/承办单位\uff1a沧州高新区、联盟秘书处" in text
    assert "CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://meet.example.org/1\r\n" in text
    assert "内部备注\uff1a内部" in text
    assert 'ORGANIZER;CN="京津冀国家高新区联盟秘书处":mailto:office@example.org' in text
    assert "Hosts: Cangzhou\\, 联盟秘书处" in body_of(event, "en", "secretariat")
    assert levels_of(event) == [("en", "secretariat"), ("zh-hans", "secretariat")]


def test_project_postponed_event_without_a_date_keeps_its_span(event: Event) -> None:
    postpone_event(event, reason="台风", viewer=SYSTEM, at=LATER)

    text = EventText.objects.get(event=event, language="zh-hans", level="public")
    assert (text.first_on, text.last_on) == (SPAN.first_on, SPAN.last_on)
    assert "STATUS:TENTATIVE\r\n" in text.body
    assert "SUMMARY:【延期】走进天津天开园\r\n" in text.body
    assert "DTSTART;TZID=Asia/Shanghai:20240514T093000\r\n" in text.body
    assert "SEQUENCE:2\r\n" in text.body


def test_project_cancelled_event_keeps_its_text_for_400_days(event: Event) -> None:
    cancel_event(event, reason="台风", viewer=SYSTEM, at=LATER)
    assert "STATUS:CANCELLED\r\n" in body_of(event)
    retire_cancelled_events(at=LATER + timedelta(days=399))
    assert "STATUS:CANCELLED\r\n" in body_of(event)

    retire_cancelled_events(at=LATER + timedelta(days=400))

    assert levels_of(event) == []


def test_project_renamed_host_and_work_area_show_at_once(
    alliance: Alliance, make_event: MakeEvent
) -> None:
    plan = open_plan(alliance, viewer=SYSTEM, at=AT, year=2024, title_zh="2024年计划")
    area = add_work_area(plan, viewer=SYSTEM, at=AT, name_zh="旧方面")
    zone = register_organization(viewer=SYSTEM, at=AT, kind="zone", name_zh="旧名高新区")
    event = make_event(work_area=area, hosts=[Host(organization=zone)], audience="secretariat")

    revise_organization(zone, viewer=SYSTEM, at=LATER, name_zh="新名高新区")
    revise_work_area(area, viewer=SYSTEM, at=LATER, name_zh="新方面")

    text = body_of(event, level="secretariat")
    assert "新名高新区" in text
    assert "CATEGORIES:新方面" in text
    assert f"DTSTAMP:{LATER:%Y%m%dT%H%M%SZ}" in text


def test_project_renamed_alliance_shows_in_the_organizer(alliance: Alliance, event: Event) -> None:
    revise_alliance(alliance, viewer=SYSTEM, at=LATER, name_zh="新联盟", email="new@example.org")

    assert 'ORGANIZER;CN="新联盟秘书处":mailto:new@example.org' in body_of(event)


def test_project_refused_change_leaves_texts_as_they_were(event: Event) -> None:
    before, stamped = texts(), stamps()

    def fail() -> None:
        with recording("system", at=LATER) as log:
            event.title_zh = "别的"
            log.save(event, "event.revised")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert (texts(), stamps()) == (before, stamped)


def test_rebuild_of_what_is_there_changes_nothing(event: Event, make_event: MakeEvent) -> None:
    make_event(
        span=Span(
            starts=datetime(2024, 3, 1), ends=datetime(2024, 3, 3), zone="UTC", is_all_day=True
        )
    )
    before, stamped = texts(), stamps()

    assert rebuild_texts(at=LATER) == 0
    assert (texts(), stamps()) == (before, stamped)


def test_rebuild_from_nothing_gives_the_same_bytes(event: Event) -> None:
    before, number = texts(), Change.objects.count()
    EventText.objects.all().delete()
    out = StringIO()

    call_command("rebuild_calendars", stdout=out)

    assert "6" in out.getvalue()
    assert texts() == before
    assert Change.objects.count() == number


def test_rebuild_at_another_address_renders_what_is_stale_and_stamps_the_feeds(
    event: Event, settings: Settings
) -> None:
    settings.COORDINATION_BASE_URL = "https://calendar.example.org"

    assert rebuild_texts(at=LATER, only_stale=True) == 6
    assert rebuild_texts(at=LATER, only_stale=True) == 0
    assert f"URL:https://calendar.example.org/events/{event.uid}/\r\n" in body_of(event)
    assert stamps() == {"jjj": LATER}


def test_stamp_never_shows_the_same_second_twice(alliance: Alliance, event: Event) -> None:
    first = stamps()["jjj"]
    for minute in (30, 40, 50):
        moved = Span(
            starts=datetime(2024, 6, 1, 9, minute),
            ends=datetime(2024, 6, 1, 12),
            zone="Asia/Shanghai",
        )
        postpone_event(event, reason="改期", span=moved, viewer=SYSTEM, at=AT)

    assert stamps()["jjj"] == first + timedelta(seconds=3)


def test_stamp_of_a_clock_set_back_goes_forward(event: Event) -> None:
    first = stamps()["jjj"]

    cancel_event(event, reason="台风", viewer=SYSTEM, at=AT - timedelta(days=2))

    assert stamps()["jjj"] == first + timedelta(seconds=1)


def test_stamp_moves_for_owner_and_co_host_and_nobody_else(
    alliance: Alliance, other_alliance: Alliance, make_event: MakeEvent
) -> None:
    event = make_event(co_hosts=[other_alliance], at=LATER)
    shared = stamps()
    assert shared == {"jjj": LATER, "dec40": LATER}

    make_event(at=LATER + timedelta(hours=1))
    revise_event(event, viewer=SYSTEM, at=LATER + timedelta(hours=2), co_hosts=[])

    assert stamps() == {
        "jjj": LATER + timedelta(hours=2),
        "dec40": LATER + timedelta(hours=2),
    }


def test_stamp_stays_when_nothing_public_changes(alliance: Alliance, make_event: MakeEvent) -> None:
    before = stamps()

    make_event(audience="members", at=LATER)

    assert stamps() == before


@pytest.mark.parametrize("count", [1, 30])
def test_project_costs_the_same_number_of_queries_for_one_event_and_for_thirty(
    alliance: Alliance, make_event: MakeEvent, count: int
) -> None:
    events = [make_event(audience="members") for _ in range(count)]
    with CaptureQueriesContext(connection) as captured, recording("system", at=LATER) as log:
        log.touch_all(events, "event.revised")
    tables = ("calendars_eventtext", "events_eventhost", 'FROM "events_event"')
    counts = [sum(table in query["sql"] for query in captured) for table in tables]

    # texts are read once; 120 rows go into one INSERT, as many as SQLite can bind
    assert counts[0] == 2
    assert counts[1] == 1
    assert counts[2] <= 2


def test_text_of_a_drafted_event_commits_with_it_or_not_at_all(alliance: Alliance) -> None:
    at = datetime(2024, 2, 29, 12, tzinfo=UTC)

    event = draft_event(alliance, viewer=SYSTEM, at=at, title_zh="会", audience="public", span=SPAN)

    assert "CREATED:20240229T120000Z\r\n" in body_of(event)
    assert "SEQUENCE:0\r\n" in body_of(event)
