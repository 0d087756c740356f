"""A loop in a process of its own, to be killed: it writes each letter to a file, and sends.

    python -m tests.coordination.deliveries.killed_worker FOLDER LEASE_SECONDS

A line is appended to FOLDER/letters before the outcome can be in the database, so that a kill in
between shows as a second line with the same id.
"""

import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import django


def main(folder: Path, lease: float) -> None:
    django.setup()
    from coordination.deliveries import sources, subscribers
    from coordination.deliveries.backoff import MAIL
    from coordination.deliveries.loop import run_loop
    from coordination.deliveries.models import Delivery
    from coordination.deliveries.recipients import Reader, register_address_book
    from coordination.deliveries.sources import Rendered, register_source
    from coordination.deliveries.transports import base
    from coordination.deliveries.transports.base import Letter, Receipt, register_transport

    class Notices:
        kind = "notice"

        def fire_next(self, at: datetime) -> bool:
            return False

        def oldest_due_at(self, at: datetime) -> datetime | None:
            return None

        def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
            return ""

        def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
            return Rendered("s", "t")

    class Boxes:
        def readers(self, recipients: Iterable[str], channel: str) -> Mapping[str, Reader]:
            return {key: Reader(key, f"{key}@example.org") for key in recipients}

        def mark_bounced(self, recipient: str, channel: str, address: str, at: datetime) -> None:
            pass

    class FilePost:
        schedule = MAIL

        def __init__(self) -> None:
            self.lease = timedelta(seconds=lease)
            self.file = os.open(folder / "letters", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

        def prepare(self) -> None:
            pass

        def send(self, letter: Letter) -> Receipt:
            os.write(self.file, f"{letter.uid} {letter.attempt}\n".encode())
            time.sleep(0.001)
            return Receipt()

        def close(self) -> None:
            os.close(self.file)

    for registry in (sources._sources, subscribers._subscribers, base._factories, base._workers):
        registry.clear()
    register_source(Notices())
    register_address_book("box", Boxes())
    register_transport("post", FilePost, workers=2)
    run_loop(threading.Event(), threading.Event(), interval=0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
