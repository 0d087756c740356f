"""Plan against actual: where each planned event stands on a day. Pure.

An occurrence is one event that a plan sets. Two questions are asked of it, each with one answer:

* its outcome: **held**, **coming** (still to be held), **undated** (still to be held, with neither
  a planned time nor a date), **dropped** (cancelled, or its line was taken out of the plan);
* its timing, measured against the window planned first: **on_time**, **late** (held or scheduled
  after the window's last day, or not held though that day is past), **moved_quarter** (held or
  scheduled in a quarter that the window does not touch, whether sooner or later). What is dropped
  or has no window has no timing.

Besides, it may have been **added**: the first edition did not have it. Only what was so on the day
counts: an event held on the 10th was still to come on the 9th.

    >>> march = Occurrence(date(2024, 3, 1), date(2024, 3, 31), scheduled_on=date(2024, 4, 5))
    >>> standing = stand(march, on=date(2024, 3, 20))
    >>> standing.outcome.value, standing.timing.value, standing.days_late
    ('coming', 'moved_quarter', 5)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a planned event; every one has exactly one."""

    HELD = "held"
    COMING = "coming"
    UNDATED = "undated"
    DROPPED = "dropped"


class Timing(StrEnum):
    """How an event stands to the window planned first."""

    ON_TIME = "on_time"
    LATE = "late"
    MOVED_QUARTER = "moved_quarter"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What is known of one planned event; all days in the event's own zone.

    Attributes:
        window_start: first day of the window planned first; None when it is not known.
        window_end: its last day, inclusive.
        scheduled_on: first day of the agreed time, or None.
        held_on: day on which it was held, or None.
        cancelled_on: day on which it was cancelled, or None.
        dropped_on: day on which its line was taken out of the plan, or None.
        is_added: whether the first edition did not have it.
    """

    window_start: date | None = None
    window_end: date | None = None
    scheduled_on: date | None = None
    held_on: date | None = None
    cancelled_on: date | None = None
    dropped_on: date | None = None
    is_added: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a planned event stands on a day.

    Attributes:
        outcome: what became of it.
        timing: how it stands to its window; None when it is dropped or has no window.
        days_late: whole days after the window's last day, 0 when it is in time.
        is_added: whether the first edition did not have it.
    """

    outcome: Outcome
    timing: Timing | None
    days_late: int
    is_added: bool

    @property
    def status(self) -> str:
        """The one word to show: dropped and undated first, then what is wrong, then what is well.

        One of dropped, undated, moved_quarter, late, held, coming.
        """
        if self.outcome in (Outcome.DROPPED, Outcome.UNDATED):
            return self.outcome.value
        if self.timing in (Timing.MOVED_QUARTER, Timing.LATE):
            return self.timing.value
        return self.outcome.value


@dataclass(frozen=True, slots=True)
class Totals:
    """How many occurrences stand how.

    `held + coming + undated + dropped == occurrences`, and `planned + added == occurrences`.
    `on_time`, `late` and `moved_quarter` count those with a window that are not dropped.
    """

    occurrences: int = 0
    planned: int = 0
    added: int = 0
    held: int = 0
    coming: int = 0
    undated: int = 0
    dropped: int = 0
    on_time: int = 0
    late: int = 0
    moved_quarter: int = 0


def stand(occurrence: Occurrence, *, on: date) -> Standing:
    """Return where an occurrence stands at the end of the day `on`."""
    held_on = _known(occurrence.held_on, on)
    if held_on is not None:
        return _standing(occurrence, Outcome.HELD, day=held_on, until=held_on)
    if _known(occurrence.cancelled_on, on) or _known(occurrence.dropped_on, on):
        return Standing(Outcome.DROPPED, None, 0, occurrence.is_added)
    day = occurrence.scheduled_on or occurrence.held_on
    if day is None and occurrence.window_end is None:
        return Standing(Outcome.UNDATED, None, 0, occurrence.is_added)
    return _standing(occurrence, Outcome.COMING, day=day, until=max(day or on, on))


def count(standings: Iterable[Standing]) -> Totals:
    """Return the totals of standings."""
    rows = list(standings)
    outcomes = [row.outcome for row in rows]
    timings = [row.timing for row in rows]
    added = sum(row.is_added for row in rows)
    return Totals(
        occurrences=len(rows),
        planned=len(rows) - added,
        added=added,
        held=outcomes.count(Outcome.HELD),
        coming=outcomes.count(Outcome.COMING),
        undated=outcomes.count(Outcome.UNDATED),
        dropped=outcomes.count(Outcome.DROPPED),
        on_time=timings.count(Timing.ON_TIME),
        late=timings.count(Timing.LATE),
        moved_quarter=timings.count(Timing.MOVED_QUARTER),
    )


def quarter_of(day: date) -> int:
    """Return the number of a day's quarter, counted through the years: 2024 Q1 is 8096."""
    return day.year * 4 + (day.month - 1) // 3


def _standing(
    occurrence: Occurrence, outcome: Outcome, *, day: date | None, until: date
) -> Standing:
    """Measure against the window: `day` is when it is, `until` the day up to which it waits."""
    start, end = occurrence.window_start, occurrence.window_end
    if start is None or end is None:
        return Standing(outcome, None, 0, occurrence.is_added)
    days_late = max(0, (until - end).days)
    timing = Timing.LATE if days_late else Timing.ON_TIME
    if day is not None and not quarter_of(start) <= quarter_of(day) <= quarter_of(end):
        timing = Timing.MOVED_QUARTER
    return Standing(outcome, timing, days_late, occurrence.is_added)


def _known(day: date | None, on: date) -> date | None:
    """Return a day that lies no later than `on`; what lies later is not known yet."""
    return day if day is not None and day <= on else None
