"""The row about the clock of the host."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from benchmarks.faults.stage import THREADS, Stage, set_lease

Verdict = tuple[str, bool | None]
USUAL_LEASE = 120.0


def host_clock(stage: Stage) -> Verdict:
    """the host's clock jumps an hour ahead, and back"""
    return _one_clock_jumps(stage) if stage.vendor == "sqlite" else _two_hosts_are_off(stage)


def _two_hosts_are_off(stage: Stage) -> Verdict:
    """Two loops whose hosts are an hour off, each its own way: what is due tells the database."""
    from coordination.deliveries.timing import database_time

    at = database_time()
    stage.owe(20, "now", at=at)
    stage.owe(20, "soon", at=at + timedelta(minutes=30))
    for hours in (1, -1):
        stage.fork(lambda h=hours: _loop_by(lambda: h, f"jump{h}"))
    done = stage.wait_sent(20)
    time.sleep(2)
    count = stage.count()
    return (
        f"{count.words}; 20 more due in half an hour, of which sent: {count.owed - 20}",
        done and count.owed == 20 and not count.missing and not count.copies,
    )


def _one_clock_jumps(stage: Stage) -> Verdict:
    """SQLite has no clock but the host's: to a process that begins then, all leases have ended.

    It takes what the first one holds. That one finds its lease lost after the letter in hand, once
    for each batch that was taken from it; a batch of the second may lie across two of the first.
    """
    set_lease(USUAL_LEASE)
    stage.owe(400, "slow")
    jump = stage.folder / "jump"

    def hours() -> int:
        return int(jump.exists())

    stage.fork(lambda: _loop_by(hours, "first"))
    stage.wait(lambda: len(stage.arrivals()) > 50, 30)
    jump.touch()
    stage.fork(lambda: _loop_by(hours, "second"))
    stage.wait(lambda: len(stage.arrivals()) > 200, 30)
    jump.unlink()
    done = stage.wait_sent(400)
    time.sleep(1.5)
    count = stage.count()
    fine = done and not count.missing and count.doubtful > 0 and count.copies <= 2 * THREADS
    return count.words, fine


def _loop_by(hours: Callable[[], int], name: str) -> None:
    """Run a loop for which it is so many hours later than it is."""
    from django.utils import timezone

    from coordination.deliveries.loop import run_loop

    really = timezone.now
    timezone.now = lambda: really() + timedelta(hours=hours())
    run_loop(threading.Event(), threading.Event(), name=name)
