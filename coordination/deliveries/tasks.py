"""Celery's part: workers drain when they are woken. The messages that wake them carry no data.

Whatever a broker loses costs seconds: the clock wakes again, and drains by itself when nobody
does. Nothing is ever scheduled in the broker; only the clock publishes, never a web process.
"""

from __future__ import annotations

import logging
import threading
import time

from celery.signals import worker_shutting_down

from coordination.celery import app
from coordination.deliveries.loop import drain_channel, run_once

WORTH_SECONDS = 10
QUIET_SECONDS = 60.0
log = logging.getLogger(__name__)
_stop = threading.Event()


@app.task(name="deliveries.drain", ignore_result=True, expires=WORTH_SECONDS)
def drain(*, channel: str) -> None:
    """Send what is due over one channel; finds its work in the database."""
    drain_channel(channel, stop=_stop)


@app.task(name="deliveries.go_round", ignore_result=True, expires=WORTH_SECONDS)
def go_round() -> None:
    """Go round once, for those who prefer beat to the clock: see its table in `celery.py`."""
    run_once(stop=_stop)


@worker_shutting_down.connect
def _end_drains(**_options: object) -> None:
    """Let drains give back what they have not begun, so that the worker ends within seconds."""
    _stop.set()


class WorkerCall:
    """Wakes workers without ever waiting for the broker: a thread of its own publishes.

    A channel that is already waiting to be published is not queued again, so that a broker that
    is away for hours costs nothing.
    """

    def __init__(self, stop: threading.Event) -> None:
        """Begin to wait for calls.

        Args:
            stop: ends the thread.
        """
        self._stop = stop
        self._wanted: set[str] = set()
        self._lock = threading.Lock()
        self._call = threading.Event()
        self._complained = float("-inf")
        threading.Thread(target=self._run, name="worker-call", daemon=True).start()

    def __call__(self, channel: str) -> None:
        """Ask that workers drain `channel`; returns at once."""
        with self._lock:
            self._wanted.add(channel)
        self._call.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._call.wait(1.0)
            self._call.clear()
            with self._lock:
                wanted, self._wanted = self._wanted, set()
            for channel in wanted:
                self._publish(channel)

    def _publish(self, channel: str) -> None:
        try:
            drain.apply_async(kwargs={"channel": channel}, retry=False)
        except Exception as error:  # whatever a broker's client raises: the clock goes on
            if time.monotonic() - self._complained > QUIET_SECONDS:
                self._complained = time.monotonic()
                log.warning("Workers cannot be woken, the clock sends by itself: %s", error)
