"""A month as weeks, with events of several days as one bar a week; pure.

The reader's zone decides on which day an instant lies: 01:30 in Beijing is the day before for a
reader in Geneva. A date without a clock time is the same date for every reader.
"""

from calendar import Calendar
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from coordination.portal.lanes import pack_lanes

MONDAY = 0
"""The first day of a week (GB/T 7408, ISO 8601)."""

DAYS_OF_WEEK = 7


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Something that takes the days from `first` to `last`, both included."""

    key: Hashable
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class WeekBar:
    """A bar in one week. Columns count from 1 (Monday), lanes from 0."""

    key: Hashable
    column: int
    span: int
    lane: int
    continues_before: bool
    continues_after: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the grid; `in_month` is False for the days of the months beside it."""

    on: date
    in_month: bool


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days and the bars over them."""

    days: tuple[Day, ...]
    bars: tuple[WeekBar, ...]
    lanes: int


def days_touched(starts_at: datetime, ends_at: datetime, *, zone: tzinfo) -> tuple[date, date]:
    """Return the first and last day that a half-open stretch of time touches in a zone.

    Args:
        starts_at: Aware start, included.
        ends_at: Aware end, excluded; one that is not after the start counts as the start.
        zone: The reader's zone.
    """
    first = starts_at.astimezone(zone).date()
    if ends_at <= starts_at:
        return first, first
    last = (ends_at - timedelta(microseconds=1)).astimezone(zone).date()
    return first, max(first, last)


def lay_month(year: int, month: int, *, spans: Sequence[DaySpan]) -> tuple[Week, ...]:
    """Lay a month out in weeks from Monday to Sunday, with every span as one bar a week."""
    weeks = Calendar(MONDAY).monthdatescalendar(year, month)
    return tuple(_lay_week(days, month=month, spans=spans) for days in weeks)


def grid_days(year: int, month: int) -> tuple[date, date]:
    """Return the first and last day of a month's grid, both included."""
    weeks = Calendar(MONDAY).monthdatescalendar(year, month)
    return weeks[0][0], weeks[-1][-1]


def neighbour_months(year: int, month: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the (year, month) before and after a month."""
    number = year * 12 + month - 1
    before, after = number - 1, number + 1
    return (before // 12, before % 12 + 1), (after // 12, after % 12 + 1)


def _lay_week(days: Sequence[date], *, month: int, spans: Sequence[DaySpan]) -> Week:
    """Cut the spans at the week's ends and pack them into lanes."""
    monday, sunday = days[0], days[-1]
    present = [span for span in spans if span.first <= sunday and span.last >= monday]
    present.sort(key=lambda span: span.first)
    stretches = []
    for span in present:
        first, last = max(span.first, monday), min(span.last, sunday)
        stretches.append(((first - monday).days + 1, (last - first).days + 1))
    lanes = pack_lanes(stretches)
    bars = tuple(
        WeekBar(
            key=span.key,
            column=column,
            span=length,
            lane=lane,
            continues_before=span.first < monday,
            continues_after=span.last > sunday,
        )
        for span, (column, length), lane in zip(present, stretches, lanes, strict=True)
    )
    return Week(
        days=tuple(Day(day, day.month == month) for day in days),
        bars=bars,
        lanes=max(lanes, default=-1) + 1,
    )
