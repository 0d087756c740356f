from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events.dues import Point, Timing, due_by_clocks_of, due_of, dues_of, every_due
from events.offsets import Offset, read_offset
from events.zones import instant_of, wall_of
from tests.events.test_workdays import calendar_of

ZONES = (
    *("Asia/Shanghai", "Europe/Madrid", "America/New_York", "America/St_Johns"),
    *("Asia/Kathmandu", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Pago_Pago"),
    *("Pacific/Chatham", "Australia/Lord_Howe"),
)


def instants(point: Point, **values: object) -> list[str]:
    timing = Timing(**{"offset": Offset(-1, 0)} | values)  # type: ignore[arg-type]
    return [due.at.strftime("%m-%d %H:%M") for due in dues_of(point, timing)]


@pytest.mark.parametrize(
    ("wall", "zone", "at_time", "expected"),
    [
        # 23:30 in Beijing: the day before is the day before there
        ("2028-05-16T23:30", "Asia/Shanghai", None, "05-15 15:30"),
        ("2028-05-16T23:30", "Asia/Shanghai", "09:00", "05-15 01:00"),
        # the day before falls into Madrid's gap: 02:30 is read with the offset before
        ("2028-03-27T02:30", "Europe/Madrid", None, "03-26 01:30"),
        # and into the hour that comes twice: the first one
        ("2028-10-30T02:30", "Europe/Madrid", None, "10-29 00:30"),
        # 29 February
        ("2028-03-01T09:00", "Asia/Shanghai", None, "02-29 01:00"),
        # half-hour zone
        ("2028-05-16T09:00", "Asia/Kolkata", "09:00", "05-15 03:30"),
    ],
)
def test_day_before_on_the_events_clock(
    wall: str, zone: str, at_time: str | None, expected: str
) -> None:
    clock = time.fromisoformat(at_time) if at_time else None
    point = Point(wall=datetime.fromisoformat(wall), zone=zone)
    assert instants(point, at_time=clock) == [expected]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Shanghai", "05-15 01:00"),
        ("Europe/Madrid", "05-15 07:00"),
        # 09:30 in Beijing is the evening of the 15th in New York: the day before is the 14th
        ("America/New_York", "05-14 13:00"),
        ("Asia/Kathmandu", "05-15 03:15"),
        ("Pacific/Kiritimati", "05-14 19:00"),
    ],
)
def test_day_before_at_nine_of_the_reader(zone: str, expected: str) -> None:
    point = Point(wall=datetime(2028, 5, 16, 9, 30), zone="Asia/Shanghai").seen_from(zone)
    assert instants(point, at_time=time(9), by_reader=True) == [expected]


def test_day_of_a_whole_day_event_is_that_day_wherever_the_reader_is() -> None:
    point = Point(wall=datetime(2028, 5, 16), zone="Asia/Shanghai", is_day=True)
    seen = point.seen_from("America/New_York")
    assert instants(seen, at_time=time(9), by_reader=True) == ["05-15 13:00"]


def test_working_days_before_count_over_spring_festival() -> None:
    point = Point(wall=datetime(2026, 2, 25, 14, 0), zone="Asia/Shanghai")
    timing = Timing(offset=Offset(-5, 0), at_time=time(9), in_working_days=True)
    due = due_of(point, timing, calendar=calendar_of("CN"))
    assert due is not None
    assert (due.at, due.unsettled) == (datetime(2026, 2, 11, 1, 0, tzinfo=UTC), ())


def test_working_days_in_a_year_without_a_notice_say_so() -> None:
    point = Point(wall=datetime(2028, 3, 1, 14, 0), zone="Asia/Shanghai")
    timing = Timing(offset=Offset(-5, 0), in_working_days=True)
    due = due_of(point, timing, calendar=calendar_of("CN"))
    assert due is not None
    assert due.unsettled == (("CN", 2028),)


def test_repetitions_come_in_order_until_their_end_or_number() -> None:
    point = Point(wall=datetime(2028, 5, 16, 9, 30), zone="Asia/Shanghai")
    week = {"offset": read_offset("-P7D"), "every": read_offset("P2D")}
    assert instants(point, **week, times=9, until=read_offset("-P1D")) == [
        "05-09 01:30", "05-11 01:30", "05-13 01:30", "05-15 01:30",
    ]  # fmt: skip
    assert instants(point, **week, times=2) == ["05-09 01:30", "05-11 01:30"]
    assert due_of(point, Timing(offset=Offset(-1, 0)), occurrence=2) is None


@example(datetime(2024, 4, 8, 1), "Pacific/Kiritimati", "Pacific/Chatham", time(0), 0)
@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1)),
    st.sampled_from(ZONES), st.sampled_from(ZONES), st.times(), st.integers(0, 30),
)  # fmt: skip
def test_every_reader_falls_due_within_an_hour_of_a_look(
    wall: datetime, zone: str, reader: str, at_time: time, days: int
) -> None:
    at_time = at_time.replace(second=0, microsecond=0)
    point = Point(wall=wall.replace(second=0, microsecond=0), zone=zone)
    timing = Timing(offset=Offset(-days, 0), at_time=at_time, by_reader=True)
    due = due_of(point.seen_from(reader), timing)
    assert due is not None
    looks = every_due(point, timing)
    assert min(abs(due.at - look) for look in looks) <= timedelta(hours=1)
    shown = wall_of(due.at, reader)
    assert shown.time() == at_time or abs(
        timedelta(hours=shown.hour - at_time.hour, minutes=shown.minute - at_time.minute)
    ) <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        ("Asia/Shanghai", "2028-05-13T09:00"),
        ("Pacific/Kiritimati", "2028-05-13T09:00"),
        ("America/New_York", "2028-05-13T09:00"),
        # nine in the morning of the 13th is when it begins in Beijing, or later
        ("America/Los_Angeles", "2028-05-12T09:00"),
        ("Pacific/Honolulu", "2028-05-12T09:00"),
    ],
)
def test_eve_of_a_whole_day_is_before_it_begins_where_it_is_held(
    reader: str, expected: str
) -> None:
    day = Point(wall=datetime(2028, 5, 14), zone="Asia/Shanghai", is_day=True)
    timing = Timing(offset=Offset(-1, 0), at_time=time(9), by_reader=True)

    due = due_by_clocks_of(reader, day, timing, before=instant_of(day.wall, day.zone))

    assert due is not None
    assert wall_of(due.at, reader) == datetime.fromisoformat(expected)


@given(
    st.dates(date(2024, 1, 1), date(2032, 1, 1)),
    st.sampled_from(ZONES), st.sampled_from((*ZONES, "Pacific/Marquesas", "Pacific/Honolulu")),
    st.times(), st.integers(1, 30),
)  # fmt: skip
def test_eve_of_every_whole_day_falls_due_within_an_hour_of_a_look(
    day: date, zone: str, reader: str, at_time: time, days: int
) -> None:
    at_time = at_time.replace(second=0, microsecond=0)
    point = Point(wall=datetime.combine(day, time()), zone=zone, is_day=True)
    begins = instant_of(point.wall, zone)
    timing = Timing(offset=Offset(-days, 0), at_time=at_time, by_reader=True)

    due = due_by_clocks_of(reader, point, timing, before=begins)

    assert due is not None
    assert due.at < begins
    looks = every_due(point, timing, before=begins)
    assert min(abs(due.at - look) for look in looks) <= timedelta(hours=1)


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1)), st.sampled_from(ZONES),
    st.integers(-20_000, 20_000),
)  # fmt: skip
def test_hours_are_exact_whatever_the_clocks_do(wall: datetime, zone: str, minutes: int) -> None:
    point = Point(wall=wall.replace(second=0, microsecond=0), zone=zone)
    here = due_of(point, Timing(offset=Offset(0, 0)))
    there = due_of(point, Timing(offset=Offset(0, minutes)))
    assert here is not None
    assert there is not None
    assert there.at - here.at == timedelta(minutes=minutes)
