"""What follows from a change inside the same transaction, and who is woken after it.

A projection is a function that derives data (rendered calendar text, due reminders) from the
rows just written. It runs once for each recording, before the changes get their numbers, so the
derived rows commit with the change or not at all. Apps register theirs in `AppConfig.ready`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coordination.changes.models import Tracked


@dataclass(frozen=True, slots=True)
class Recorded:
    """One change of this recording, as projections see it."""

    obj: Tracked
    kind: str
    diff: dict[str, list[Any]]
    before: frozenset[str]
    after: frozenset[str]
    deleted: bool


Projection = Callable[[Sequence[Recorded], datetime], None]
_projections: list[Projection] = []
_wakers: list[Callable[[], None]] = []


def register_projection(projection: Projection) -> None:
    """Have `projection(changes, at)` run inside every recording that changed something."""
    if projection not in _projections:
        _projections.append(projection)


def register_waker(waker: Callable[[], None]) -> None:
    """Have `waker()` called after the commit of every recording that changed something."""
    if waker not in _wakers:
        _wakers.append(waker)


def run_projections(changes: Sequence[Recorded], at: datetime) -> None:
    """Run all projections, in the order in which they were registered."""
    for projection in _projections:
        projection(changes, at)


def wake_all() -> None:
    """Tell all wakers that something was committed."""
    for waker in _wakers:
        waker()
