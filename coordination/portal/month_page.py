"""The month page: weeks with their bars, days off, and an agenda for phones."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alliances.models import Alliance
from coordination.accounts.viewer import Viewer
from coordination.pages.wording import weekday_name
from coordination.portal.month import (
    Day,
    DaySpan,
    WeekBar,
    grid_days,
    lay_month,
    neighbour_months,
)
from coordination.portal.workdays import DayMark, mark_days
from events.models import Event
from events.portal.showing import EventLine, event_lines, held_in, not_over, with_line_relations

FIRST_YEAR, LAST_YEAR = 1990, 2200
MOST_EVENTS = 500
"""Events a month shows at most."""


@dataclass(frozen=True, slots=True)
class MarkedDay:
    """A day of the grid with its mark."""

    day: Day
    mark: DayMark | None
    is_today: bool
    is_weekend: bool


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """An event and its place in a week."""

    line: EventLine
    bar: WeekBar


@dataclass(frozen=True, slots=True)
class ShownWeek:
    """A week of the grid."""

    days: list[MarkedDay]
    bars: list[PlacedLine]


@dataclass(frozen=True, slots=True)
class AgendaDay:
    """A day of the agenda; an event of several days stands on its first day in the month."""

    on: date
    weekday: str
    mark: DayMark | None
    lines: list[EventLine]


def month_asked(text: str, today: date) -> tuple[int, int]:
    """Return the year and month of "2026-03", or this month for anything else."""
    match = re.fullmatch(r"(\d{4})-(\d{1,2})", text)
    if match:
        year, month = int(match[1]), int(match[2])
        if FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12:
            return year, month
    return today.year, today.month


def month_context(
    viewer: Viewer, year: int, month: int, *, today: date, alliance: str = ""
) -> dict[str, Any]:
    """Return what the month page shows; one query for the events."""
    first, last = grid_days(year, month)
    zone = ZoneInfo(viewer.time_zone)
    marks = mark_days(first, last, language=viewer.language)
    lines = _lines_between(viewer, first, last, today=today, alliance=alliance)
    found = {line.uid: line for line in lines}
    spans = [
        DaySpan(line.uid, line.first, line.last)
        for line in lines
        if line.first is not None and line.last is not None
    ]
    weeks = [
        ShownWeek(
            days=[
                MarkedDay(day, marks.get(day.on), day.on == today, day.on.weekday() >= 5)
                for day in week.days
            ],
            bars=[PlacedLine(found[bar.key], bar) for bar in week.bars],  # type: ignore[index]
        )
        for week in lay_month(year, month, spans=spans)
    ]
    before, after = neighbour_months(year, month)
    areas = {line.area_name: line.area for line in lines if line.area_name}
    return {
        "month": (year, month),
        "weeks": weeks,
        "weekdays": [weekday_name(day.day.on, language=viewer.language) for day in weeks[0].days],
        "agenda": _agenda(lines, marks, year, month, viewer.language),
        "before": f"{before[0]}-{before[1]:02d}",
        "after": f"{after[0]}-{after[1]:02d}",
        "areas": list(areas.items()),
        "zone": zone.key,
        "is_this_month": (year, month) == (today.year, today.month),
    }


def _lines_between(
    viewer: Viewer, first: date, last: date, *, today: date, alliance: str
) -> list[EventLine]:
    """Return the lines of events with an agreed time from `first` to `last`, both included."""
    zone = ZoneInfo(viewer.time_zone)
    # An all-day event keeps its dates whatever the reader's zone: a day of slack on each side.
    since = datetime.combine(first, time(), zone) - timedelta(days=1)
    until = datetime.combine(last, time(), zone) + timedelta(days=2)
    events = with_line_relations(
        Event.objects.visible_to(viewer).overlapping(since, until).filter(not_over(since))
    )
    if alliance:
        events = events.filter(held_in(*Alliance.objects.filter(slug=alliance)))
    lines = event_lines(
        events.order_by("starts_at", "pk")[:MOST_EVENTS],
        language=viewer.language,
        zone=viewer.time_zone,
        today=today,
    )
    return [
        line
        for line in lines
        if line.first is not None and line.last is not None
        if line.first <= last and line.last >= first
    ]


def _agenda(
    lines: list[EventLine], marks: dict[date, DayMark], year: int, month: int, language: str
) -> list[AgendaDay]:
    start = date(year, month, 1)
    days: dict[date, list[EventLine]] = defaultdict(list)
    for line in lines:
        if line.first is None or line.last is None:
            continue
        on = max(line.first, start)
        if (on.year, on.month) == (year, month) and line.last >= start:
            days[on].append(line)
    return [
        AgendaDay(day, weekday_name(day, language=language), marks.get(day), days[day])
        for day in sorted(days)
    ]
