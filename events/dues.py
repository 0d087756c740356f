"""When something falls due, from an event's time or a fixed one. Pure.

Days are nominal and hours exact (RFC 5545 section 3.3.6); days may be working days; the time of
day may be that of the event's clock or of each reader's. A repetition counts on from the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import islice
from typing import Final

from events.offsets import Offset
from events.workdays import WorkCalendar
from events.zones import instant_of, wall_of

MOST_TIMES: Final = 60
HOUR: Final = timedelta(hours=1)
_EVERY_CLOCK: Final = tuple(
    f"Etc/GMT{hours:+d}" if hours else "Etc/GMT" for hours in range(-14, 13)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What an offset counts from.

    Attributes:
        wall: naive time on the clocks of `zone`.
        zone: IANA name.
        is_day: only the date counts: it is that day wherever the reader is.
    """

    wall: datetime
    zone: str
    is_day: bool = False

    def seen_from(self, zone: str) -> Point:
        """Return the same moment on the clocks of another zone."""
        if self.is_day or zone == self.zone:
            return replace(self, zone=zone)
        return Point(wall=wall_of(instant_of(self.wall, self.zone), zone), zone=zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How far from a point something falls due.

    Attributes:
        offset: nominal days, then exact minutes.
        at_time: time of day to which the day is set; None keeps the point's own.
        by_reader: `at_time` is on the clock of each reader, not of the event.
        in_working_days: the days of the offset, and of the repetition, are working days.
        every: distance between repetitions; None for once.
        until: last distance from the point at which it may repeat; None for no such end.
        times: how often at most.
    """

    offset: Offset
    at_time: time | None = None
    by_reader: bool = False
    in_working_days: bool = False
    every: Offset | None = None
    until: Offset | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Due:
    """One time at which something falls due.

    Attributes:
        at: instant, UTC.
        unsettled: (country, year) whose working days are not laid down yet.
    """

    at: datetime
    unsettled: tuple[tuple[str, int], ...] = ()


def due_of(
    point: Point, timing: Timing, *, calendar: WorkCalendar | None = None, occurrence: int = 1
) -> Due | None:
    """Return when it falls due for the given time; None when it does not repeat so often.

    Args:
        point: what it counts from, on the clock that counts (see `Point.seen_from`).
        timing: how far.
        calendar: needed where days are working days.
        occurrence: 1 for the first.
    """
    return next(islice(dues_of(point, timing, calendar=calendar), occurrence - 1, None), None)


def dues_of(point: Point, timing: Timing, *, calendar: WorkCalendar | None = None) -> Iterator[Due]:
    """Yield each time at which it falls due, in order."""
    calendar = calendar if timing.in_working_days else None
    wall = _shifted(point.wall, timing.offset.days, calendar)
    if timing.at_time is not None:
        wall = datetime.combine(wall.date(), timing.at_time)
    exact = timedelta(minutes=timing.offset.minutes)
    last = _last(point, timing, calendar)
    for number in range(timing.times if timing.every else 1):
        if number and timing.every is not None:
            wall = _shifted(wall, timing.every.days, calendar)
            exact += timedelta(minutes=timing.every.minutes)
        at = instant_of(wall, point.zone) + exact
        if number and last is not None and at > last:
            return
        first_day, last_day = point.wall.date(), wall.date()
        yield Due(at, calendar.unsettled(first_day, last_day) if calendar is not None else ())


def due_by_clocks_of(
    zone: str,
    point: Point,
    timing: Timing,
    *,
    before: datetime | None,
    calendar: WorkCalendar | None = None,
    occurrence: int = 1,
) -> Due | None:
    """Return when it falls due for a reader in a zone, on whose clocks it counts.

    A whole day is that day wherever the reader is. But in the far west its eve, by that date, may
    come only when it has begun where it is held: there it counts from the date on which it begins
    by the reader's clocks, so that whoever is to hear of it before does.

    Args:
        zone: IANA name.
        point: what it counts from.
        timing: how far.
        before: instant before which it is to fall due; None where it need not.
        calendar: needed where days are working days.
        occurrence: 1 for the first.
    """
    due = due_of(point.seen_from(zone), timing, calendar=calendar, occurrence=occurrence)
    if due is None or before is None or not point.is_day or due.at < before:
        return due
    moment = replace(point, is_day=False)
    return due_of(moment.seen_from(zone), timing, calendar=calendar, occurrence=occurrence)


def every_due(
    point: Point,
    timing: Timing,
    *,
    before: datetime | None = None,
    calendars: tuple[WorkCalendar | None, ...] = (None,),
    occurrence: int = 1,
) -> list[datetime]:
    """Return the instants at which it falls due by whole-hour clocks around the world, in order.

    A reader's own due instant lies within an hour of one of them: zones lie between the whole
    hours, and clocks change by one; at the ends, where the next clock has another date, an hour
    more is looked at. Where the event's clock counts it is the due instant itself.

    Args:
        point: what it counts from, in the event's zone.
        timing: how far.
        before: see `due_by_clocks_of`.
        calendars: those of all readers' countries.
        occurrence: 1 for the first.
    """
    due_in = partial(due_by_clocks_of, point=point, timing=timing, before=before)
    found = sorted(
        {
            due.at
            for zone in (_EVERY_CLOCK if timing.by_reader else (point.zone,))
            for calendar in calendars
            if (due := due_in(zone, calendar=calendar, occurrence=occurrence)) is not None
        }
    )
    if not timing.by_reader or not found:
        return found
    return [found[0] - HOUR, *found, found[-1] + HOUR]


def _last(point: Point, timing: Timing, calendar: WorkCalendar | None) -> datetime | None:
    if timing.until is None:
        return None
    wall = _shifted(point.wall, timing.until.days, calendar)
    if timing.at_time is not None:
        wall = datetime.combine(wall.date(), timing.at_time)
    return instant_of(wall, point.zone) + timedelta(minutes=timing.until.minutes)


def _shifted(wall: datetime, days: int, calendar: WorkCalendar | None) -> datetime:
    if calendar is None:
        return wall + timedelta(days=days)
    day: date = calendar.count(wall.date(), days)
    return datetime.combine(day, wall.time())
