"""What a private link shows: its owner's view, by its filters, dressed as wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from alliances.joining import end_membership
from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM, Viewer, viewer_for
from coordination.calendars.linking import LinkSettings, issue_link
from coordination.calendars.links import compile_link
from coordination.calendars.models import EventText, FeedLink
from coordination.calendars.selecting import Selection
from events.models import Event
from events.scheduling import Host, cancel_event, draft_event, postpone_event, schedule_event
from tests.factories import (
    AFTERNOON,
    AT,
    MORNING,
    Cast,
    make_event,
    make_line,
    make_plan,
    make_work_area,
    span,
    window,
)

Show = Callable[..., icalendar.Calendar]
ALL = ["public", "members", "organizations", "secretariat"]


def owner_of(viewer: Viewer) -> User:
    return User.objects.get(pk=viewer.user_id)


@pytest.fixture
def show(cast: Cast) -> Show:
    """Make a link for a viewer and read its calendar, with the rights of a day."""

    def read(
        viewer: Viewer, at: datetime = AT, token: ApiToken | None = None, **wanted: Any
    ) -> icalendar.Calendar:
        settings = LinkSettings(**{"name": "日历", "language": "zh-hans"} | wanted)
        owner = owner_of(viewer)
        link = issue_link(owner, settings, viewer=SYSTEM, at=AT, token=token)
        now = viewer_for(owner, at=at, language=settings.language, token=token)
        text = compile_link(link, now)
        assert text == compile_link(FeedLink.objects.get(pk=link.pk), now)
        calendar = icalendar.Calendar.from_ical(text)
        assert calendar.errors == []
        assert all(part.errors == [] for part in calendar.walk())
        return calendar

    return read


def uids(calendar: icalendar.Calendar) -> list[str]:
    return [str(event["UID"]) for event in calendar.walk("VEVENT")]


def text_of(calendar: icalendar.Calendar) -> str:
    return calendar.to_ical().decode().replace("\r\n ", "")


@pytest.fixture
def events(cast: Cast) -> dict[str, Event]:
    """One event for each circle, with everything in it that not everyone may know."""
    return {
        audience: make_event(
            cast.alliance,
            audience=audience,
            span=MORNING,
            named=[cast.member],
            online_url=f"https://meet.example.org/{audience}",
            contact=f"010-{audience}",
            notes=f"机密{audience}",
        )
        for audience in ("public", "members", "organizations", "secretariat")
    }


@pytest.mark.parametrize(
    ("part", "circles", "knows"),
    [
        (
            "secretary",
            ["public", "members", "organizations", "secretariat"],
            "online contact notes",
        ),
        (
            "superuser",
            ["public", "members", "organizations", "secretariat"],
            "online contact notes",
        ),
        ("member_liaison", ["public", "members", "organizations"], "online contact"),
        ("observer", ["public", "members"], "online contact"),
        ("outside_liaison", ["public"], ""),
        ("stranger", ["public"], ""),
    ],
)
def test_link_shows_what_its_owner_may_see_and_never_more(
    cast: Cast, show: Show, events: dict[str, Event], part: str, circles: list[str], knows: str
) -> None:
    calendar = show(getattr(cast, part))

    text = text_of(calendar)
    assert uids(calendar) == [events[circle].ical_uid for circle in circles]
    for word, sign in (("online", "meet.example.org"), ("contact", "010-"), ("notes", "机密")):
        assert [f"{sign}" in text] == [word in knows.split()]
    for circle in events:
        shown = circle in circles and "online" in knows
        assert (f"https://meet.example.org/{circle}" in text) == shown


def test_link_of_a_member_that_left_loses_its_events_the_same_day(
    cast: Cast, show: Show, events: dict[str, Event]
) -> None:
    assert events["members"].ical_uid in uids(show(cast.host_liaison))

    membership = cast.host.memberships.get()
    end_membership(membership, on=date(2028, 2, 1), reason="退出", viewer=SYSTEM, at=AT)

    before, after = datetime(2028, 1, 31, 15, 59), datetime(2028, 1, 31, 16, 0)
    assert events["members"].ical_uid in uids(
        show(cast.host_liaison, at=before.replace(tzinfo=AT.tzinfo))
    )
    calendar = show(cast.host_liaison, at=after.replace(tzinfo=AT.tzinfo))
    assert uids(calendar) == [events["public"].ical_uid]
    assert "meet.example.org" not in text_of(calendar)


def test_link_made_by_a_narrow_token_shows_no_more_than_the_token_may(
    cast: Cast, show: Show, events: dict[str, Event]
) -> None:
    elsewhere = f"alliance:{cast.other.pk}"
    token = issue_token(
        owner_of(cast.secretary), name="x", limits=[elsewhere], viewer=SYSTEM, at=AT
    ).token

    assert uids(show(cast.secretary, token=token)) == [events["public"].ical_uid]


def test_link_of_ones_own_holds_what_hosts_or_names_the_organization(
    cast: Cast, show: Show
) -> None:
    hosted = make_event(cast.alliance, span=MORNING, hosts=[Host(cast.member)])
    named = make_event(cast.alliance, span=MORNING, named=[cast.member], audience="organizations")
    make_event(cast.alliance, span=MORNING, hosts=[Host(cast.host)])

    calendar = show(cast.member_liaison, parameters={"mine": "1"})

    assert uids(calendar) == [hosted.ical_uid, named.ical_uid]
    assert uids(show(cast.stranger, parameters={"mine": "1"})) == []


def test_link_in_english_speaks_english(cast: Cast, show: Show, events: dict[str, Event]) -> None:
    calendar = show(cast.stranger, language="en", name="My events")

    assert [str(event["SUMMARY"]) for event in calendar.walk("VEVENT")] == ["Matchmaking"]
    assert calendar["X-WR-CALNAME"] == calendar["NAME"] == "My events"
    assert calendar["X-WR-TIMEZONE"] == "Asia/Shanghai"


def test_link_says_of_itself_what_programs_need_and_keeps_its_address_to_itself(
    cast: Cast, show: Show
) -> None:
    calendar = show(cast.stranger)

    assert calendar["METHOD"] == "PUBLISH"
    assert calendar["REFRESH-INTERVAL"].dt == timedelta(hours=1)
    assert "UID" not in calendar
    assert "SOURCE" not in calendar
    assert [part.name for part in calendar.subcomponents] == ["VTIMEZONE"]
    assert "/calendars/links/" not in text_of(calendar)


def test_link_shows_plan_lines_without_a_date_over_their_period_where_it_asks_for_them(
    cast: Cast, show: Show
) -> None:
    plan = make_plan(cast.alliance, state="published")
    area = make_work_area(plan)
    quarter = window("2028-04-01", "2028-06-30", "quarter")
    make_line(plan, "季度会", quarter, work_area=area, hosts=(cast.host,), reason="补充")
    make_line(plan, "待定", reason="补充")
    plan.refresh_from_db()
    event = Event.objects.get(title_zh="季度会")

    assert uids(show(cast.secretary)) == []
    [shown] = show(cast.secretary, with_windows=True, alarms=[60]).walk("VEVENT")

    assert (str(shown["UID"]), shown["STATUS"]) == (event.ical_uid, "TENTATIVE")
    assert (shown["DTSTART"].dt, shown["DTEND"].dt) == (date(2028, 4, 1), date(2028, 7, 1))
    assert shown["TRANSP"] == "TRANSPARENT"
    assert shown.walk("VALARM") == []
    assert "时间为计划时段，具体时间待定。" in shown["DESCRIPTION"]
    assert uids(show(cast.secretary, with_windows=True, parameters={"state": "confirmed"})) == []

    schedule_event(event, MORNING, viewer=SYSTEM, at=AT)
    [scheduled] = show(cast.secretary, with_windows=True).walk("VEVENT")
    assert scheduled["UID"] == shown["UID"]
    assert scheduled["SEQUENCE"] > shown["SEQUENCE"]


def test_link_shows_a_planned_line_to_whom_it_is_open_only(cast: Cast, show: Show) -> None:
    draft = make_plan(cast.alliance)
    make_line(draft, "内部", window("2028-04-01", "2028-04-30", "month"))
    event = Event.objects.get(title_zh="内部")

    assert uids(show(cast.secretary, with_windows=True)) == [event.ical_uid]
    for part in ("member_liaison", "observer", "stranger"):
        assert uids(show(getattr(cast, part), with_windows=True)) == []


def test_link_in_days_names_no_zone(cast: Cast, show: Show, events: dict[str, Event]) -> None:
    calendar = show(cast.stranger, days_only=True)

    [event] = calendar.walk("VEVENT")
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (date(2028, 5, 16), date(2028, 5, 17))
    assert calendar.walk("VTIMEZONE") == []


def test_link_rings_as_asked_and_not_for_what_is_off(cast: Cast, show: Show) -> None:
    on, off, away = (make_event(cast.alliance, span=MORNING) for _number in range(3))
    cancel_event(off, reason="台风", viewer=SYSTEM, at=AT)
    postpone_event(away, reason="台风", viewer=SYSTEM, at=AT)

    calendar = show(cast.stranger, alarms=[1440, 30])

    rings = {str(event["UID"]): len(event.walk("VALARM")) for event in calendar.walk("VEVENT")}
    assert rings == {on.ical_uid: 2, off.ical_uid: 0, away.ical_uid: 0}
    assert show(cast.stranger).walk("VALARM") == []


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "alliance": st.sampled_from(["jjj", "dongbei"]),
        "state": st.sampled_from(["scheduled", "postponed", "cancelled", "planned"]),
        "audience": st.sampled_from(["public", "members", "organizations", "secretariat"]),
        "q": st.sampled_from(["一", "Two", "x", "对接"]),
        "from": st.sampled_from(["2028-05-16", "2028-05-17", "2028-05-23T14:00:00+08:00"]),
        "to": st.sampled_from(["2028-05-16", "2028-05-20", "2028-05-24"]),
        "mine": st.just("1"),
    },
).filter(lambda chosen: chosen.get("from", "")[:10] < chosen.get("to", "later"))
PARTS = ("superuser", "secretary", "other_secretary", "member_liaison", "observer", "stranger")


@pytest.fixture
def many(cast: Cast) -> None:
    """Events of many kinds in two alliances."""
    for number, audience in enumerate(("public", "members", "organizations", "secretariat")):
        for title, chosen in (("一", MORNING), ("Two", AFTERNOON)):
            event = draft_event(
                (cast.alliance, cast.other)[number % 2],
                viewer=SYSTEM,
                at=AT,
                title_zh=title,
                audience=audience,
                span=replace(chosen, zone="Europe/Madrid") if number % 2 else chosen,
                named=[cast.member] if number > 1 else [],
                co_hosts=[cast.other] if number == 0 else [],
            )
            if audience == "members":
                cancel_event(event, reason="x", viewer=SYSTEM, at=AT)
            if audience == "organizations" and title == "一":
                postpone_event(event, reason="x", viewer=SYSTEM, at=AT)
    make_event(cast.alliance, span=span("2028-05-16T23:30", "2028-05-17T00:30"))


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(parameters=FILTERS, part=st.sampled_from(PARTS), language=st.sampled_from(["zh-hans", "en"]))
def test_link_of_any_filter_holds_exactly_what_a_fresh_selection_finds(
    cast: Cast, many: None, parameters: dict[str, str], part: str, language: str
) -> None:
    owner = owner_of(getattr(cast, part))
    settings = LinkSettings(name="x", language=language, parameters=parameters)
    link = issue_link(owner, settings, viewer=SYSTEM, at=AT)
    viewer = viewer_for(owner, at=AT, language=language)

    calendar = icalendar.Calendar.from_ical(compile_link(link, viewer))
    link.delete()

    selected = Selection.parse(parameters).rows(viewer)
    timed = selected.filter(pk__in=EventText.objects.values("event")).order_by("pk")
    assert uids(calendar) == list(timed.values_list("ical_uid", flat=True))
