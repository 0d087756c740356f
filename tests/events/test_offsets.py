from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.offsets import NotAnOffset, Offset, due_at, read_offset


@pytest.mark.parametrize(
    ("text", "days", "minutes"),
    [
        ("-P7D", -7, 0),
        ("-P1W", -7, 0),
        ("-P1W2D", -9, 0),
        ("P1D", 1, 0),
        ("+P1D", 1, 0),
        ("-PT1H", 0, -60),
        ("-PT90M", 0, -90),
        ("-P1DT2H30M", -1, -150),
        ("PT0M", 0, 0),
        ("-P731D", -731, 0),
    ],
)
def test_read_offset_reads_a_signed_duration(text: str, days: int, minutes: int) -> None:
    assert read_offset(text) == Offset(days, minutes)


@pytest.mark.parametrize(
    "text",
    ["", "P", "-P", "PT", "-P1DT", "7D", "-P7", "-P1Y", "-P1M", "-PT30S", "-P-7D", "-p7d", "-P7D ",
     "-P732D", "-P731DT1M", "七天", "-P٧D", "-P7D\n"],
)  # fmt: skip
def test_read_offset_of_anything_else_is_refused(text: str) -> None:
    with pytest.raises(NotAnOffset):
        read_offset(text)


def test_due_at_counts_days_on_the_calendar_across_a_change_of_clocks() -> None:
    wall = datetime(2028, 3, 30, 9, 0)  # Madrid changed its clocks on the 26th
    due = due_at(wall, "Europe/Madrid", read_offset("-P7D"))
    assert due == datetime(2028, 3, 23, 8, 0, tzinfo=UTC)


def test_due_at_counts_hours_on_the_clock_across_a_change_of_clocks() -> None:
    wall = datetime(2028, 3, 26, 9, 0)
    due = due_at(wall, "Europe/Madrid", read_offset("-PT12H"))
    assert due == datetime(2028, 3, 25, 19, 0, tzinfo=UTC)


def test_due_at_of_a_time_of_day_sets_the_day_first() -> None:
    wall = datetime(2028, 3, 1, 23, 30)
    due = due_at(wall, "Asia/Shanghai", read_offset("-P1D"), at_time=time(9))
    assert due == datetime(2028, 2, 29, 1, 0, tzinfo=UTC)


def test_due_at_after_the_end_lies_after_it() -> None:
    wall = datetime(2028, 12, 31, 17, 0)
    due = due_at(wall, "Asia/Shanghai", read_offset("P1D"))
    assert due == datetime(2029, 1, 1, 9, 0, tzinfo=UTC)


@given(
    st.integers(-700, 700),
    st.integers(-1440, 1440),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),
)
def test_due_at_where_clocks_never_change_is_plain_arithmetic(
    days: int, minutes: int, wall: datetime
) -> None:
    due = due_at(wall, "Asia/Shanghai", Offset(days, minutes))
    plain = wall + timedelta(days=days, minutes=minutes) - timedelta(hours=8)
    assert due == plain.replace(tzinfo=UTC)
