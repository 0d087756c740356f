"""What one endpoint that hangs costs its neighbours, and what the queue costs beside bare POSTs.

    python -m benchmarks.webhooks [--endpoints N] [--messages N]     SQLite in a temporary folder
    python -m tests.servers python -m benchmarks.webhooks            PostgreSQL

One run, three figures: bare signed POSTs, the whole pipeline to sound endpoints, and the same with
one of them hanging until it is given up. Everything stays on the loopback network.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import timedelta

HANGING = "/0"


class Receivers:
    """An HTTP server that counts requests by path; one path never answers when told so."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.heard: Counter[str] = Counter()
        self.last: dict[str, float] = {}
        self.hangs = False
        self.port = 0
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait()

    def _run(self, ready: threading.Event) -> None:
        async def begin() -> None:
            server = await asyncio.start_server(self._attend, "127.0.0.1", 0, backlog=512)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()

        self.loop.create_task(begin())
        self.loop.run_forever()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ")[1]
            length = int(head.lower().split("content-length:")[1].split("\r\n")[0])
            await reader.readexactly(length)
            self.heard[path] += 1
            if self.hangs and path == HANGING:
                await reader.read()  # until the other side gives up
                return
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            await writer.drain()
            self.last[path] = time.perf_counter()
        finally:
            writer.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoints", type=int, default=50)
    parser.add_argument("--messages", type=int, default=40, help="for each endpoint")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="coordination-benchmark-")
    receivers = Receivers()
    os.environ["COORDINATION_VAR"] = folder
    os.environ["COORDINATION_EGRESS_HTTP"] = "yes"
    os.environ["COORDINATION_EGRESS_PORTS"] = str(receivers.port)
    os.environ["COORDINATION_EGRESS_NETWORKS"] = "127.0.0.0/8"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings")
    try:
        prepare()
        from django.db import connection

        count = (options.endpoints - 1) * options.messages
        bare = bare_rate(receivers, count)
        sound = rate_of_the_others(receivers, options.endpoints, options.messages)
        receivers.hangs = True
        hanging = rate_of_the_others(receivers, options.endpoints, options.messages)
        sys.stdout.write(
            f"{connection.vendor}: {options.messages} messages to each of {options.endpoints}\n"
            f"bare POSTs: {bare:.0f}/s\n"
            f"whole pipeline: {sound:.0f}/s, {sound / bare:.2f} of bare\n"
            f"the others while one hangs: {hanging:.0f}/s, {hanging / sound:.2f} of their rate\n"
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def bare_rate(receivers: Receivers, count: int) -> float:
    """Return POSTs per second, 64 at a time, with nothing behind them."""
    from coordination.deliveries import egress

    url = f"http://127.0.0.1:{receivers.port}/bare"
    begun = time.perf_counter()
    waiting = []
    for _n in range(count):
        if len(waiting) >= 64:
            waiting.pop(0).result()
        waiting.append(egress.begin_post(url, headers={}, content=b"{}"))
    for one in waiting:
        one.result()
    return count / (time.perf_counter() - begun)


def rate_of_the_others(receivers: Receivers, endpoints: int, messages: int) -> float:
    """Return messages per second that reached every endpoint but the first."""
    from django.utils import timezone

    from coordination.accounts.models import User
    from coordination.accounts.viewer import SYSTEM
    from coordination.deliveries.models import Attempt, Delivery, Endpoint, Message, Subscription
    from coordination.deliveries.posting import Piece, post
    from coordination.deliveries.streaming import drain_for
    from coordination.deliveries.subscribing import subscribe
    from coordination.deliveries.timing import Timepiece

    for model in (Attempt, Delivery, Message, Subscription, Endpoint, User):
        model.objects.all().delete()
    at = timezone.now() - timedelta(seconds=1)
    owners = [User.objects.create(username=f"owner{number}") for number in range(endpoints)]
    hooks = [
        subscribe(
            f"user:{owner.uid}",
            name="benchmark",
            url=f"http://127.0.0.1:{receivers.port}/{number}",
            viewer=SYSTEM,
            at=at,
        ).subscription
        for number, owner in enumerate(owners)
    ]
    for number in range(messages):
        post(
            [
                Piece(
                    subscription=hook,
                    source_id=f"ping:{number}",
                    kind="event.revised",
                    happened_at=at,
                    data={"uid": str(number), "version": 1},
                    lane=str(number),
                )
                for hook in hooks
            ],
            at=at,
        )
    receivers.last.clear()
    stop = threading.Event()
    done = threading.Thread(target=stop_when_told, args=(receivers, endpoints, messages, stop))
    receivers.heard.clear()
    begun = time.perf_counter()
    done.start()
    drain_for("webhook", Timepiece(timezone.now()), stop).run(budget=120)
    done.join()
    last = max(when for path, when in receivers.last.items() if path != HANGING)
    return (endpoints - 1) * messages / (last - begun)


def stop_when_told(
    receivers: Receivers, endpoints: int, messages: int, stop: threading.Event
) -> None:
    """Ask for an end once every endpoint but the first has heard everything."""
    while any(receivers.heard[f"/{number}"] < messages for number in range(1, endpoints)):
        time.sleep(0.01)
    stop.set()


if __name__ == "__main__":
    main()
