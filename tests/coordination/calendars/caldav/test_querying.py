"""A range of time finds exactly what a plain reading of RFC 4791 section 9.9 finds."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, viewer_for
from coordination.calendars.caldav.filters import ComponentFilter, TimeRange
from coordination.calendars.caldav.querying import matching_objects
from coordination.calendars.caldav.resources import collection_named
from events.calendar_event import Span
from events.scheduling import postpone_event
from events.zones import instant_of
from tests.conftest import NOW
from tests.coordination.calendars.caldav.conftest import EVENT_FILTER, Phone
from tests.factories import AT, BEIJING, Cast, make_event, span

ZONES = ("Asia/Shanghai", "Europe/Zurich", "America/St_Johns", "Pacific/Kiritimati", "UTC")
FIRST = datetime(2028, 1, 1)
WALLS = st.integers(0, 366 * 24 * 4).map(lambda n: FIRST + timedelta(minutes=15 * n))


@st.composite
def spans(draw: Any) -> Span:
    zone, starts = draw(st.sampled_from(ZONES)), draw(WALLS)
    if draw(st.booleans()):
        day = datetime.combine(starts.date(), time())
        days = timedelta(days=draw(st.sampled_from([1, 2, 40, 366])))
        return Span(starts=day, ends=day + days, zone=zone, is_all_day=True)
    length = timedelta(minutes=draw(st.sampled_from([75, 120, 24 * 60, 60 * 24 * 60])))
    return Span(starts=starts, ends=starts + length, zone=zone)


@st.composite
def ranges(draw: Any, around: list[Span]) -> TimeRange:
    edges = [edge for one in around for edge in (one.starts_at, one.ends_at)]
    moments = st.one_of(
        st.sampled_from(edges).flatmap(
            lambda edge: st.sampled_from([-1, 0, 1]).map(lambda n: edge + timedelta(seconds=n))
        ),
        WALLS.map(lambda wall: wall.replace(tzinfo=UTC)),
    )
    since, until = sorted((draw(moments), draw(moments)))
    return TimeRange(since, max(until, since + timedelta(seconds=1)))


def lies_in(one: Span, wanted: TimeRange, zone: str) -> bool:
    """The oracle: half-open on both sides; whole days begin at midnight of the zone."""
    if not one.is_all_day:
        return wanted.since < one.ends_at and wanted.until > one.starts_at
    starts, ends = (instant_of(wall, zone or one.zone) for wall in (one.starts, one.ends))
    return wanted.since < ends and wanted.until > starts


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_query_of_a_range_agrees_with_the_oracle(data: st.DataObject, cast: Cast) -> None:
    agreed = data.draw(st.lists(spans(), min_size=1, max_size=4))
    events = {make_event(cast.alliance, span=one).dav_name: one for one in agreed}
    viewer = viewer_for(User.objects.get(username="liaison"), at=NOW, language="en")
    collection = collection_named("jjj", viewer)
    assert collection is not None
    for _number in range(4):
        wanted = data.draw(ranges(agreed))
        zone = data.draw(st.sampled_from(["", *ZONES]))
        condition = ComponentFilter(
            "VCALENDAR", components=(ComponentFilter("VEVENT", time_range=wanted),)
        )
        found = {item.name for item in matching_objects(collection, condition, zone=zone)}
        expected = {name for name, one in events.items() if lies_in(one, wanted, zone)}

        assert found & events.keys() == expected


def ask(phone: Phone, starts: str, ends: str, more: str = "") -> list[str]:
    condition = EVENT_FILTER.format(f'<C:time-range start="{starts}" end="{ends}"/>')
    return phone.query("jjj/", condition, more=more).names


@pytest.mark.parametrize(
    ("starts", "ends", "is_found"),
    [
        ("20280516T013000Z", "20280516T013001Z", True),  # its first second
        ("20280516T012959Z", "20280516T013000Z", False),  # up to its beginning
        ("20280516T035959Z", "20280516T040000Z", True),  # its last second
        ("20280516T040000Z", "20280516T050000Z", False),  # from its end
    ],
)
def test_range_is_half_open_to_the_second(
    starts: str, ends: str, is_found: bool, phone: Phone, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True)

    assert ask(phone, starts, ends) == ([event.dav_name] if is_found else [])


def test_postponed_event_without_a_date_is_found_where_it_is_shown(
    phone: Phone, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    postpone_event(event, span=None, reason="另行通知", viewer=SYSTEM, at=AT)

    assert ask(phone, "20280516T000000Z", "20280517T000000Z") == [event.dav_name]
    assert ask(phone, "20280517T000000Z", "20280518T000000Z") == []


ZONE = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:{}\nEND:VTIMEZONE\nEND:VCALENDAR"


@pytest.mark.parametrize(
    ("more", "is_found"),
    [
        ("", False),
        (f"<C:timezone>{ZONE.format('Europe/London')}</C:timezone>", True),
        (f"<C:timezone>{ZONE.format('Made Up')}</C:timezone>", False),
        ("<C:timezone-id>Europe/London</C:timezone-id>", True),
        ("<C:timezone-id>Asia/Shanghai</C:timezone-id>", False),
    ],
)
def test_whole_day_lies_in_the_zone_that_the_request_names(
    more: str, is_found: bool, phone: Phone, cast: Cast
) -> None:
    day = span("2028-05-16T00:00", "2028-05-17T00:00", BEIJING, is_all_day=True)
    event = make_event(cast.alliance, span=day)
    found = ask(phone, "20280516T160000Z", "20280516T170000Z", more)

    assert found == ([event.dav_name] if is_found else [])


@pytest.mark.parametrize(
    ("more", "condition"),
    [
        ("<C:timezone-id>Nowhere/At_All</C:timezone-id>", "C:valid-timezone"),
        ("<C:timezone>Europe/London</C:timezone>", "C:valid-calendar-data"),
    ],
)
def test_zone_that_is_none_is_refused(more: str, condition: str, phone: Phone) -> None:
    answer = phone.query("jjj/", EVENT_FILTER.format(""), more=more)

    assert (answer.status, answer.condition) == (403, [condition])


@pytest.mark.parametrize(
    "times",
    [
        'start="00010101T000000Z"',
        'end="99991231T235959Z"',
        'start="00010101T000000Z" end="99991231T235959Z"',
    ],
)
def test_range_to_the_ends_of_time_finds_everything(times: str, phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    answer = phone.query("jjj/", EVENT_FILTER.format(f"<C:time-range {times}/>"))

    assert answer.names == [event.dav_name]


def test_query_of_a_month_costs_the_same_queries_and_walks_an_index(
    phone: Phone, cast: Cast
) -> None:
    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as context:
            ask(phone, "20280501T000000Z", "20280601T000000Z")
        return [query["sql"] for query in context.captured_queries]

    ask(phone, "20280501T000000Z", "20280601T000000Z")
    few = queries()
    for _number in range(10):
        make_event(cast.alliance, scheduled=True)

    assert len(queries()) == len(few)
    (timed,) = [sql for sql in few if '"starts_at" <' in sql]
    assert '"ends_at" >' in timed
    assert '"starts_at" >' in timed
