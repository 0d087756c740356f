"""`manage.py clock`: the production clock. Two copies are fine, on two hosts better."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from coordination.deliveries.loop import HandOver, run_loop


class Command(BaseCommand):
    """Fires what is due and wakes workers; sends by itself what they leave lying."""

    help = "Fires reminders that are due, wakes the workers, and sends by itself when they do not."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: D102 - Django's signature
        stop, wake = threading.Event(), threading.Event()

        def end(_number: int, _frame: FrameType | None) -> None:
            stop.set()
            wake.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        self.stdout.write("The clock is running. Ctrl-C ends it.")
        run_loop(stop, wake, name="clock", hand_over=self._hand_over(stop))

    def _hand_over(self, stop: threading.Event) -> HandOver | None:
        if not settings.REDIS_URL:
            return None
        from coordination.deliveries.tasks import WorkerCall  # celery is not needed without Redis

        return WorkerCall(stop)
