"""A plan against what became of it, on any day; pure.

>>> from datetime import date
>>> plan = PlannedTime(date(2024, 5, 11), date(2024, 5, 20))
>>> actual = ActualTime(date(2024, 5, 14), held_on=date(2024, 5, 14))
>>> judge(plan, actual, on=date(2024, 6, 1))
Verdict(outcome=<Outcome.HELD: 'held'>, days_late=0, changed_quarter=False)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one planned event."""

    HELD = "held"
    SET = "set"
    OPEN = "open"
    OVERDUE = "overdue"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class PlannedTime:
    """The window of the first edition that has the line: its days, both included, or none."""

    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class ActualTime:
    """What is known of the event: its first day, and the days on which it ended one way or other.

    Attributes:
        first: First day of the agreed time, in the event's zone; None without one.
        held_on: Day on which it was held.
        dropped_on: Day on which it was cancelled, or its line dropped.
    """

    first: date | None = None
    held_on: date | None = None
    dropped_on: date | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one planned event stands on a day.

    Attributes:
        outcome: held, set (a date is agreed), open (none yet, and time left), overdue, dropped.
        days_late: Days after the window's last day: of the date; of the day asked, where that is
            later and it was not held.
        changed_quarter: The date lies in a quarter that the window does not touch.
    """

    outcome: Outcome
    days_late: int = 0
    changed_quarter: bool = False

    @property
    def is_on_time(self) -> bool:
        """Whether it was held, or is set, within its window."""
        return self.outcome in (Outcome.HELD, Outcome.SET) and self.days_late == 0


@dataclass(slots=True)
class Tally:
    """Numbers of one group: a work area, a member, or the whole plan."""

    planned: int = 0
    held: int = 0
    on_time: int = 0
    late: int = 0
    changed_quarter: int = 0
    set: int = 0
    open: int = 0
    overdue: int = 0
    dropped: int = 0
    added: int = 0

    def count(self, verdict: Verdict, *, is_added: bool) -> None:
        """Add one planned event."""
        self.planned += 1
        name = verdict.outcome.value
        setattr(self, name, getattr(self, name) + 1)
        self.on_time += verdict.is_on_time
        self.late += verdict.days_late > 0 and verdict.outcome != Outcome.DROPPED
        self.changed_quarter += verdict.changed_quarter
        self.added += is_added

    @property
    def percent_held(self) -> int:
        """Share of what was planned and not dropped that was held, in whole percent."""
        standing = self.planned - self.dropped
        return round(100 * self.held / standing) if standing else 0


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with the groups that it counts in."""

    verdict: Verdict
    is_added: bool = False
    groups: tuple[Hashable, ...] = field(default=())


def judge(planned: PlannedTime, actual: ActualTime, *, on: date) -> Verdict:
    """Return how a planned event stands on a day, leaving out what happened after it."""
    if actual.dropped_on is not None and actual.dropped_on <= on:
        return Verdict(Outcome.DROPPED)
    is_held = actual.held_on is not None and actual.held_on <= on
    day = actual.held_on if is_held and actual.held_on else actual.first
    if day is None:
        overdue = _days_after(planned, on)
        return Verdict(Outcome.OVERDUE if overdue else Outcome.OPEN, days_late=overdue)
    return Verdict(
        Outcome.HELD if is_held else Outcome.SET,
        days_late=_days_after(planned, day if is_held else max(day, on)),
        changed_quarter=_leaves_quarters(planned, day),
    )


def tally(judged: Iterable[Judged]) -> dict[Hashable, Tally]:
    """Count verdicts by group; the key None is the whole."""
    tallies: dict[Hashable, Tally] = {None: Tally()}
    for one in judged:
        for group in (None, *one.groups):
            tallies.setdefault(group, Tally()).count(one.verdict, is_added=one.is_added)
    return tallies


def _days_after(planned: PlannedTime, day: date) -> int:
    """Return by how many days `day` lies after the window; 0 within, before, or without one."""
    return max(0, (day - planned.last).days) if planned.last else 0


def _leaves_quarters(planned: PlannedTime, day: date) -> bool:
    """Return whether `day` lies in a quarter that the window does not touch."""
    if planned.first is None or planned.last is None:
        return False
    return not _quarter(planned.first) <= _quarter(day) <= _quarter(planned.last)


def _quarter(day: date) -> tuple[int, int]:
    return day.year, (day.month - 1) // 3
