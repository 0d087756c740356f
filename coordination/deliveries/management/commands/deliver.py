"""`manage.py deliver --once`: one pass of the loop, for cron and for trying out."""

from __future__ import annotations

import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from coordination.deliveries.loop import run_loop, run_once
from coordination.deliveries.transports.base import close_transports


class Command(BaseCommand):
    """Goes round the loop without a broker."""

    help = "Fires reminders that are due and sends the messages that follow, without a broker."

    def add_arguments(self, parser: CommandParser) -> None:  # noqa: D102 - Django's signature
        parser.add_argument("--once", action="store_true", help="One pass, then end.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: D102 - Django's signature
        stop = threading.Event()
        if not options["once"]:
            try:
                run_loop(stop, threading.Event())
            except KeyboardInterrupt:
                self.stdout.write("Ended.")
            return
        try:
            tallies = run_once(stop=stop)
        finally:
            close_transports()
        for channel, tally in tallies.items():
            self.stdout.write(
                f"{channel}: {tally.sent} sent, {tally.retried} to be tried again,"
                f" {tally.dead} failed, {tally.dropped} no longer wanted"
            )
