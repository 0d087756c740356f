"""What the clock does beside delivering: small regular work that other rooms register.

A chore is idempotent, so that any number of clocks may do it; it runs when a loop begins, then
every so often. One that fails is logged and tried again at its next turn.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """One piece of regular work.

    Attributes:
        name: for the log of the process.
        run: does it; takes the database's time.
        every: how long to wait in between.
    """

    name: str
    run: Callable[[datetime], object]
    every: timedelta


_chores: dict[str, Chore] = {}


def register_chore(name: str, run: Callable[[datetime], object], *, every: timedelta) -> None:
    """Have `run(at)` done regularly; for `AppConfig.ready`. The last one of a name counts."""
    _chores[name] = Chore(name, run, every)


class Rota:
    """Remembers when one loop did each chore, by the monotonic clock."""

    def __init__(self) -> None:
        """Begin with everything still to do."""
        self._next: dict[str, float] = {}

    def run_due(self, at: datetime) -> int:
        """Do the chores whose turn it is; return how many were done.

        Args:
            at: the database's time.
        """
        done = 0
        for chore in list(_chores.values()):
            if time.monotonic() < self._next.get(chore.name, float("-inf")):
                continue
            self._next[chore.name] = time.monotonic() + chore.every.total_seconds()
            try:
                chore.run(at)
                done += 1
            except Exception:
                log.exception("%s failed; it will be tried again.", chore.name)
        return done
