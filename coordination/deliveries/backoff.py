"""When to try again: pure arithmetic over counts and instants.

The wait doubles with each failure up to a cap, and is spread so that what failed together does
not come back together. Nothing is tried past the instant at which it becomes worthless.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_RETRY_AFTER = timedelta(hours=24)
MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a channel waits.

    Attributes:
        base: wait after the first failure.
        cap: longest wait.
        give_up_after: age of the first try from which a message is given up.
        steps: waits one by one, in place of doubling; after the last of them a message is given
            up.
    """

    base: timedelta
    cap: timedelta
    give_up_after: timedelta
    steps: tuple[timedelta, ...] = ()


MAIL = Schedule(timedelta(minutes=1), timedelta(hours=2), timedelta(days=3))
# Standard Webhooks 1.0, "Deliverability and reliability": ten attempts within four days.
WEBHOOK = Schedule(
    timedelta(seconds=5),
    timedelta(hours=24),
    timedelta(days=30),
    steps=(
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
    ),
)
ENDPOINT_CIRCUIT = Schedule(timedelta(seconds=30), timedelta(hours=1), timedelta(days=5))
CHANNEL_AWAY = Schedule(timedelta(seconds=5), timedelta(minutes=5), timedelta.max)
CHANNEL_REFUSES_US = Schedule(timedelta(minutes=1), timedelta(minutes=30), timedelta.max)


def wait_after(failures: int, schedule: Schedule, *, spread: float) -> timedelta:
    """Return how long to wait after the `failures`-th failure in a row.

    Args:
        failures: 1 for the first.
        schedule: the channel's.
        spread: a number from 0 to 1, drawn by the caller; the wait is 0.5 to 1 times the full
            one, a step 0.8 to 1.2 times.

    >>> wait_after(3, MAIL, spread=1.0)
    datetime.timedelta(seconds=240)
    """
    if schedule.steps:
        return schedule.steps[min(failures, len(schedule.steps)) - 1] * (0.8 + 0.4 * spread)
    doublings: int = min(max(failures - 1, 0), MOST_DOUBLINGS)
    full = min(schedule.cap, schedule.base * (1 << doublings))
    return full * (0.5 + spread / 2)


def retry_at(
    failures: int,
    schedule: Schedule,
    *,
    at: datetime,
    first_tried_at: datetime,
    spread: float,
    retry_after: timedelta | None = None,
) -> datetime | None:
    """Return when to try again, or None to give up.

    Args:
        failures: passing failures so far, with this one.
        schedule: the channel's.
        at: now.
        first_tried_at: instant of the first try.
        spread: a number from 0 to 1.
        retry_after: what the other side asked for; obeyed up to 24 h (RFC 9110 section 10.2.3).
    """
    if at - first_tried_at >= schedule.give_up_after:
        return None
    if schedule.steps and failures > len(schedule.steps):
        return None
    wait = wait_after(failures, schedule, spread=spread)
    if retry_after is not None:
        wait = max(wait, min(retry_after, LONGEST_RETRY_AFTER))
    return at + wait
