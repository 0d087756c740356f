from __future__ import annotations

import doctest
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import progress
from events.progress import Occurrence, Outcome, Standing, Timing, count, quarter_of, stand

MARCH = (date(2028, 3, 1), date(2028, 3, 31))
DAYS = st.dates(date(2027, 1, 1), date(2029, 12, 31))
MAYBE = st.none() | DAYS


@st.composite
def occurrences(draw: Any) -> Occurrence:
    start = draw(MAYBE)
    end = None if start is None else start + timedelta(days=draw(st.integers(0, 366)))
    return Occurrence(
        window_start=start,
        window_end=end,
        scheduled_on=draw(MAYBE),
        held_on=draw(MAYBE),
        cancelled_on=draw(MAYBE),
        dropped_on=draw(MAYBE),
        is_added=draw(st.booleans()),
    )


def test_docstring_examples_hold() -> None:
    assert doctest.testmod(progress).failed == 0


@pytest.mark.parametrize(
    ("values", "on", "status", "days_late"),
    [
        ({}, date(2028, 3, 31), "coming", 0),
        ({}, date(2028, 4, 1), "late", 1),
        ({}, date(2027, 6, 1), "coming", 0),
        ({"scheduled_on": date(2028, 3, 31)}, date(2028, 3, 31), "coming", 0),
        ({"scheduled_on": date(2028, 3, 31)}, date(2028, 4, 2), "late", 2),
        ({"scheduled_on": date(2028, 2, 29)}, date(2028, 2, 1), "coming", 0),
        ({"scheduled_on": date(2028, 4, 5)}, date(2028, 3, 1), "moved_quarter", 5),
        ({"scheduled_on": date(2028, 4, 5)}, date(2028, 4, 9), "moved_quarter", 9),
        ({"scheduled_on": date(2027, 12, 31)}, date(2027, 12, 1), "moved_quarter", 0),
        ({"held_on": date(2028, 3, 10)}, date(2028, 3, 9), "coming", 0),
        ({"held_on": date(2028, 3, 10)}, date(2028, 3, 10), "held", 0),
        ({"held_on": date(2028, 3, 10)}, date(2029, 1, 1), "held", 0),
        ({"held_on": date(2028, 4, 1)}, date(2029, 1, 1), "moved_quarter", 1),
        ({"cancelled_on": date(2028, 3, 2)}, date(2028, 3, 1), "coming", 0),
        ({"cancelled_on": date(2028, 3, 2)}, date(2028, 3, 2), "dropped", 0),
        ({"dropped_on": date(2028, 3, 2)}, date(2028, 3, 2), "dropped", 0),
        (
            {"held_on": date(2028, 3, 10), "dropped_on": date(2028, 4, 2)},
            date(2028, 5, 1), "held", 0,
        ),
    ],
)  # fmt: skip
def test_stand_measures_against_march(
    values: dict[str, date], on: date, status: str, days_late: int
) -> None:
    standing = stand(Occurrence(*MARCH, **values), on=on)
    assert (standing.status, standing.days_late) == (status, days_late)


def test_stand_late_within_the_quarter_is_late_and_not_moved() -> None:
    february = Occurrence(date(2028, 2, 1), date(2028, 2, 29), held_on=date(2028, 3, 2))
    assert stand(february, on=date(2028, 12, 31)) == Standing(Outcome.HELD, Timing.LATE, 2, False)


def test_stand_of_a_window_over_several_quarters_is_in_any_of_them() -> None:
    half = Occurrence(date(2028, 1, 1), date(2028, 6, 30), held_on=date(2028, 6, 30))
    assert stand(half, on=date(2028, 7, 1)).timing == Timing.ON_TIME


def test_stand_without_a_window_has_no_timing() -> None:
    on = date(2028, 3, 1)
    assert stand(Occurrence(), on=on) == Standing(Outcome.UNDATED, None, 0, False)
    dated = Occurrence(scheduled_on=on, is_added=True)
    assert stand(dated, on=on) == Standing(Outcome.COMING, None, 0, True)
    assert stand(Occurrence(held_on=on), on=on) == Standing(Outcome.HELD, None, 0, False)


def test_quarter_of_counts_through_the_years() -> None:
    assert quarter_of(date(2029, 1, 1)) - quarter_of(date(2028, 12, 31)) == 1
    assert quarter_of(date(2028, 3, 31)) == quarter_of(date(2028, 1, 1))


@given(st.lists(occurrences(), max_size=20), DAYS)
def test_count_adds_up(rows: list[Occurrence], on: date) -> None:
    totals = count(stand(row, on=on) for row in rows)
    assert totals.held + totals.coming + totals.undated + totals.dropped == len(rows)
    assert totals.planned + totals.added == totals.occurrences == len(rows)
    timed = totals.on_time + totals.late + totals.moved_quarter
    assert timed <= totals.held + totals.coming


@given(occurrences(), DAYS)
def test_stand_ignores_what_became_known_later(row: Occurrence, on: date) -> None:
    later = {
        name: None
        for name in ("held_on", "cancelled_on", "dropped_on")
        if (getattr(row, name) or on) > on
    }
    known = Occurrence(
        row.window_start, row.window_end,
        scheduled_on=row.scheduled_on or (row.held_on if "held_on" in later else None),
        **{n: getattr(row, n) for n in ("held_on", "cancelled_on", "dropped_on")} | later,
        is_added=row.is_added,
    )  # fmt: skip
    assert stand(row, on=on) == stand(known, on=on)


@given(occurrences(), DAYS, st.integers(0, 400))
def test_stand_held_stays_held_and_delay_never_shrinks(
    row: Occurrence, on: date, days: int
) -> None:
    now, later = stand(row, on=on), stand(row, on=on + timedelta(days=days))
    if now.outcome == Outcome.HELD:
        assert later == now
    if now.outcome == later.outcome == Outcome.COMING:
        assert later.days_late >= now.days_late


@given(occurrences(), DAYS)
def test_stand_in_time_is_never_late(row: Occurrence, on: date) -> None:
    standing = stand(row, on=on)
    if standing.timing == Timing.ON_TIME:
        assert standing.days_late == 0
    if standing.timing == Timing.LATE:
        assert standing.days_late > 0
