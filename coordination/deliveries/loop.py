"""The loop that makes deliveries happen, the same in one process and in many.

    tick:  beat, read the log, fire what is due, put deliveries into messages
    drain: send, in threads of its own, so that a slow mail server never stops the ticking

Any number of loops may run, in any number of processes: every step takes what nobody else has.
The loop survives whatever happens in a step, with a line in the log, and comes back by itself
when the database was away. It reads the database's clock once a tick and works by that.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from coordination.changes.projections import register_waker
from coordination.deliveries import retention
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.chores import Rota
from coordination.deliveries.draining import Tally
from coordination.deliveries.freshness import beat, oldest_due_seconds
from coordination.deliveries.models import Message
from coordination.deliveries.sources import all_sources
from coordination.deliveries.streaming import drain_for
from coordination.deliveries.subscribers import all_subscribers, read_on
from coordination.deliveries.timing import Timepiece, database_time
from coordination.deliveries.transports.base import channels, close_transports, workers_of

INTERVAL_SECONDS = 1.0
MOST_ROUNDS = 1000  # of one step in one tick, so that no step keeps the others waiting
STEP_SECONDS = 0.5  # of one step in one tick of a loop: what is ready is sent meanwhile
TIDY_EVERY_SECONDS = 60.0
HAND_OVER_SECONDS = 2.0
END_WITHIN_SECONDS = 8.0
log = logging.getLogger(__name__)

HandOver = Callable[[str], None]


def tick(at: datetime, *, stop: threading.Event, step_seconds: float = math.inf) -> bool:
    """Turn what has fallen due into messages: log, sources, bundles.

    Args:
        at: the database's time.
        stop: ends the tick between two steps.
        step_seconds: after which a step leaves the rest for the next tick.

    Returns:
        Whether something was left.
    """
    steps: list[tuple[str, Callable[[], int]]] = [
        *((reader.name, partial(read_on, reader, at=at)) for reader in all_subscribers()),
        *((source.kind, partial(source.fire_next, at)) for source in all_sources()),
        ("bundling", partial(bundle_due, at)),
    ]
    left = [_repeat(step, stop, name, step_seconds) for name, step in steps]
    return any(left)


def _repeat(step: Callable[[], int], stop: threading.Event, name: str, seconds: float) -> bool:
    """Do a step until it finds nothing; one that fails is logged and left for the next tick.

    Returns:
        Whether it might find more.
    """
    until = time.monotonic() + seconds
    for _round in range(MOST_ROUNDS):
        if stop.is_set():
            return False
        begun = time.monotonic()
        try:
            if not step():
                return False
        except (DatabaseError, InterfaceError) as error:
            log.warning("%s: %s", name, error)
            return False
        except Exception:
            log.exception("%s failed; it will be tried again.", name)
            return False
        if time.monotonic() >= until:
            return True
        if math.isfinite(seconds) and connection.vendor == "sqlite":
            # As long as it had the one place for writers, the others have it: they queue badly.
            stop.wait(time.monotonic() - begun)
    return True


def run_once(*, stop: threading.Event) -> dict[str, Tally]:
    """Go round once, in this thread: tick, then drain every channel until nothing is due.

    Returns:
        Channel -> what was done.
    """
    at = database_time()
    beat("loop", at=at)
    tick(at, stop=stop)
    retention.expire_overdue(at)
    piece = Timepiece(at)
    return {channel: drain_for(channel, piece, stop).run() for channel in channels()}


def drain_channel(channel: str, *, stop: threading.Event) -> Tally:
    """Drain one channel in this thread; what goes wrong is logged.

    Returns:
        What was done.
    """
    drain = drain_for(channel, Timepiece(database_time()), stop)
    try:
        return drain.run()
    except (DatabaseError, InterfaceError) as error:
        log.warning("Draining %s stopped: %s", channel, error)
    except Exception:
        log.exception("Draining %s stopped.", channel)
    return drain.tally


class Drainers:
    """Threads that drain, each with its own connections to the database and to mail servers."""

    def __init__(self, stop: threading.Event, wake: threading.Event) -> None:
        """Make no thread yet.

        Args:
            stop: ends them after the message in hand.
            wake: set when a drain left something for the next.
        """
        self._stop = stop
        self._wake = wake
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._running: dict[str, list[Future[Tally]]] = {}

    def start(self, channel: str) -> None:
        """Let this channel's idle threads drain it."""
        size = workers_of(channel)
        pool = self._pools.get(channel)
        if pool is None:
            pool = ThreadPoolExecutor(size, thread_name_prefix=f"drain-{channel}")
            self._pools[channel] = pool
        running = [future for future in self._running.get(channel, []) if not future.done()]
        running += [pool.submit(self._drain, channel) for _n in range(size - len(running))]
        self._running[channel] = running

    def _drain(self, channel: str) -> Tally:
        try:
            close_old_connections()
            tally = drain_channel(channel, stop=self._stop)
            if tally.claimed:
                self._wake.set()  # look again at once: there may be more
            return tally
        except (DatabaseError, InterfaceError) as error:
            log.warning("Draining %s did not begin: %s", channel, error)
            return Tally()
        finally:
            close_old_connections()

    def end(self) -> None:
        """Wait for the messages in hand, but not for long: what hangs is sent again later."""
        until = time.monotonic() + END_WITHIN_SECONDS
        for channel, pool in self._pools.items():
            for future in self._running.get(channel, []):
                future.cancel()
            for _n in range(workers_of(channel)):
                pool.submit(_leave)
            pool.shutdown(wait=False)
        for futures in self._running.values():
            for future in futures:
                while not future.done() and time.monotonic() < until:
                    time.sleep(0.02)


def _leave() -> None:
    """Close what this thread of a pool has open."""
    close_transports()
    connection.close()


class Loop:
    """One loop: what it remembers between two rounds."""

    def __init__(
        self,
        stop: threading.Event,
        wake: threading.Event,
        *,
        name: str = "loop",
        hand_over: HandOver | None = None,
    ) -> None:
        """Make a loop.

        Args:
            stop: ends it.
            wake: makes it go round at once.
            name: word for its heartbeat, "loop" or "clock".
            hand_over: asks workers elsewhere to drain a channel; must return at once. The loop
                then drains by itself only what has been due for over 2 s.
        """
        self._stop = stop
        self._wake = wake
        self._name = name
        self._hand_over = hand_over
        self._drainers = Drainers(stop, wake)
        self._tidied = float("-inf")
        self._rota = Rota()

    def go_round(self) -> None:
        """Tick once and see that what is due is being sent."""
        at = database_time()
        beat(self._name, at=at)
        self._rota.run_due(at)  # first: what is due may hang on them, on new rules of zones say
        if tick(at, stop=self._stop, step_seconds=STEP_SECONDS):
            self._wake.set()  # the rest at once, after those who beat and send had their turn
        for channel in channels():
            self._see_to(channel, at)
        if time.monotonic() - self._tidied > TIDY_EVERY_SECONDS:
            self._tidied = time.monotonic()
            retention.expire_overdue(at)

    def _see_to(self, channel: str, at: datetime) -> None:
        if not Message.objects.due(at).filter(channel=channel).exists():
            return
        if self._hand_over is not None:
            self._hand_over(channel)
            if oldest_due_seconds(at, channels=[channel]) <= HAND_OVER_SECONDS:
                return
        self._drainers.start(channel)

    def end(self) -> None:
        """End the threads."""
        self._drainers.end()


def run_loop(
    stop: threading.Event,
    wake: threading.Event,
    *,
    name: str = "loop",
    hand_over: HandOver | None = None,
    interval: float = INTERVAL_SECONDS,
) -> None:
    """Go round until a stop is asked for; ends within 10 s of it.

    Args:
        stop: ends the loop after the messages in hand.
        wake: makes it go round at once; commits in this process set it.
        name: word for its heartbeat.
        hand_over: see `Loop`.
        interval: seconds between two rounds.
    """
    register_waker(wake.set)
    loop = Loop(stop, wake, name=name, hand_over=hand_over)
    is_away = False
    while not stop.is_set():
        try:
            close_old_connections()
            loop.go_round()
            is_away = False
        except (DatabaseError, InterfaceError) as error:
            if not is_away:
                log.warning("The loop waits for the database: %s", error)
            is_away = True
            connection.close()
        except Exception:
            log.exception("A round of the loop failed; the next one follows.")
        close_old_connections()
        wake.wait(interval)
        wake.clear()
    loop.end()
    connection.close()
