"""The stage: one kind of notice, one mail server on the loopback, processes to be broken.

Processes are forked from one that has everything loaded, so that a hundred of them start within
seconds; each is a process of its own, with its own connections and threads.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.faults.servers import Server, silence

LEASE_SECONDS = 3.0
THREADS = 4


def set_stage() -> None:
    """Replace what is registered: one source, one address book, mail alone; short waits."""
    from coordination.deliveries import sources, subscribers
    from coordination.deliveries.backoff import Schedule
    from coordination.deliveries.recipients import register_address_book
    from coordination.deliveries.transports import base, email

    for registry in (sources._sources, subscribers._subscribers, base._factories, base._workers):
        registry.clear()
    sources.register_source(Notices())
    register_address_book("box", Boxes())
    set_lease(LEASE_SECONDS)
    second = timedelta(seconds=1)
    email.EmailTransport.schedule = Schedule(second / 5, second, timedelta(days=3))
    base.register_transport("email", email.EmailTransport, workers=THREADS)


def set_lease(seconds: float) -> None:
    """Let claims last so long in processes started from now on, and letters a quarter of it."""
    from coordination.deliveries.transports import email

    email.EmailTransport.lease = timedelta(seconds=seconds)
    email.SECONDS_IN_ALL = min(seconds / 4, 30.0)
    email.SECONDS_OF_SILENCE = min(seconds / 6, 10.0)


class Notices:
    kind = "notice"

    def __getattr__(self, name: str) -> object:
        if name == "news":
            from coordination.deliveries.news import News

            return News.REMINDERS
        raise AttributeError(name)

    def fire_next(self, at: datetime) -> bool:
        return False

    def oldest_due_at(self, at: datetime) -> datetime | None:
        return None

    def still_wanted(self, delivery: object, reader: object, at: datetime) -> str:
        return ""

    def render(self, deliveries: Sequence[object], reader: object, at: datetime) -> object:
        from coordination.deliveries.sources import Rendered

        if deliveries[0].recipient.startswith("box:poison"):  # type: ignore[attr-defined]
            raise KeyError("a name that the template does not know")
        return Rendered("提醒:走进天开园", "5月14日 09:30 天津")


class Boxes:
    """ "box:450-7" is reached at 450@b7.example.org, which the mail server refuses with 450."""

    def readers(self, recipients: Iterable[str], channel: str) -> Mapping[str, object]:
        from coordination.deliveries.recipients import Reader

        found = {}
        for key in recipients:
            kind, _sign, number = key.removeprefix("box:").partition("-")
            found[key] = Reader(key, f"{kind}@b{number}.example.org")
        return found

    def mark_bounced(self, recipient: str, channel: str, address: str, at: datetime) -> None:
        """Nobody follows it up here."""


@dataclass
class Count:
    """What arrived, beside what was owed."""

    owed: int
    missing: int
    copies: int
    doubtful: int
    strangers: int

    @property
    def words(self) -> str:
        return (
            f"{self.owed} owed, {self.missing} missing, {self.copies} second copies"
            f" ({self.doubtful} messages in doubt)"
        )


@dataclass
class Stage:
    """What a row works with."""

    vendor: str
    folder: Path
    database: Server | None
    broker: Server | None
    kills: int
    away: float
    children: dict[int, str] = field(default_factory=dict)
    port: int = 0
    mark: int = 0

    # -- Processes -----------------------------------------------------------------------------

    def fork(self, action: Callable[[], object], name: str = "child") -> int:
        """Run an action in a process of its own; return the process's number."""
        from django.db import connections

        connections.close_all()
        for alias in connections:
            close_pool = getattr(connections[alias], "close_pool", None)
            if close_pool is not None:
                close_pool()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if not os.environ.get("FAULTS_ALOUD"):
                    silence()
                action()
                code = 0
            finally:
                os._exit(code)
        self.children[child] = name
        return child

    def loop(self, name: str = "loop", *, hand_over: bool = False) -> int:
        """Start a loop: embedded, or the clock of a larger installation."""

        def run() -> None:
            from coordination.deliveries.loop import run_loop

            stop, wake = threading.Event(), threading.Event()

            def end(_number: int, _frame: object) -> None:
                stop.set()
                wake.set()

            signal.signal(signal.SIGTERM, end)
            call = None
            if hand_over:
                from coordination.deliveries.tasks import WorkerCall

                call = WorkerCall(stop)
            run_loop(stop, wake, name=name, hand_over=call)

        return self.fork(run, name)

    def worker(self) -> int:
        """Start a Celery worker."""

        def run() -> None:
            from coordination.celery import app

            app.worker_main(
                ["worker", "--pool=threads", f"--concurrency={THREADS}", "--loglevel=CRITICAL"]
                + ["--without-gossip", "--without-mingle", "--without-heartbeat"]
            )

        return self.fork(run, "worker")

    def crew(self) -> dict[int, Callable[[], int]]:
        """Start what an installation of this kind runs; process -> how to start it again."""
        starts: list[Callable[[], int]] = [self.loop]
        if self.broker is not None:
            starts = [lambda: self.loop("clock", hand_over=True), self.worker, self.worker]
        return {start(): start for start in starts}

    def wait_ready(self) -> None:
        """Wait until the workers take work: Celery takes seconds to start."""
        if self.broker is None:
            time.sleep(1)
            return
        code = "from coordination.celery import app; print(len(app.control.ping(timeout=2)))"
        wanted = list(self.children.values()).count("worker")
        for _try in range(20):
            asked = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=False
            )
            if asked.stdout.strip() == str(wanted):
                return

    def kill(self, child: int) -> None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        del self.children[child]

    def kill_all(self) -> None:
        for child, name in list(self.children.items()):
            if name != "sink":
                os.kill(child, signal.SIGCONT)
                self.kill(child)

    def end(self, child: int) -> float:
        """Ask a process to end; return how many seconds it took."""
        begun = time.monotonic()
        os.kill(child, signal.SIGTERM)
        while time.monotonic() - begun < 30:
            if os.waitpid(child, os.WNOHANG)[0]:
                del self.children[child]
                return time.monotonic() - begun
            time.sleep(0.02)
        self.kill(child)
        return 30.0

    # -- The mail server -----------------------------------------------------------------------

    def open_sink(self) -> None:
        """Start the mail server; it notes what it stored in a file, one line a mail."""
        place = self.folder / "port"

        def run() -> None:
            from tests.coordination.deliveries.fake_smtp import fake_smtp

            with fake_smtp() as (port, seen), (self.folder / "mail").open("a") as book:
                (self.folder / "port.new").write_text(str(port))
                (self.folder / "port.new").rename(place)
                done = 0
                while True:
                    for _address, mail in seen.stored[done:]:
                        uid = mail["Message-ID"].strip("<>").partition("@")[0]
                        book.write(f"{uid} {time.time()}\n")
                        done += 1
                    book.flush()
                    time.sleep(0.005)

        self.fork(run, "sink")
        while not place.exists():
            time.sleep(0.02)
        self.port = int(place.read_text())

    def arrivals(self) -> list[tuple[str, float]]:
        """Return what has arrived since the row began: id and instant."""
        book = self.folder / "mail"
        lines = book.read_text().splitlines()[self.mark :] if book.exists() else []
        return [(line.split()[0], float(line.split()[1])) for line in lines]

    # -- The ledger ----------------------------------------------------------------------------

    def clear(self) -> None:
        """Begin a row with an empty ledger."""
        from django.conf import settings

        from coordination.deliveries.models import Attempt, Channel, Delivery, Endpoint, Message

        self.kill_all()
        set_lease(LEASE_SECONDS)
        time.sleep(0.1)
        self.mark += len(self.arrivals())
        for model in (Attempt, Delivery, Message, Channel):
            model._default_manager.all()._raw_delete("default")
        Endpoint.objects.filter(channel="email").delete()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", self.port

    def owe(self, number: int, kind: str = "ok", **options: object) -> list[str]:
        """Write deliveries that are due; return their recipients."""
        from coordination.deliveries.fanout import Cause, enqueue
        from coordination.deliveries.timing import database_time

        at = options.pop("at", None) or database_time()
        keys = [f"box:{kind}-{count}" for count in range(number)]
        cause = Cause("notice", f"{kind}{time.time()}", due_at=at, send_after=at, **options)
        enqueue(keys, channel="email", cause=cause)
        return keys

    def wait(self, is_done: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if is_done():
                return True
            time.sleep(0.05)
        return False

    def sent(self) -> int:
        from coordination.deliveries.models import Message

        return Message.objects.filter(state="sent").count()

    def wait_sent(self, number: int, seconds: float = 90) -> bool:
        """Wait until so many messages are marked as sent."""
        return self.wait(lambda: self.sent() >= number, seconds)

    def count(self, *, state: str = "sent", arrived: Iterable[str] | None = None) -> Count:
        """Compare what is marked as sent with what arrived, at the mail server unless given."""
        from coordination.deliveries.models import Attempt, Message

        time.sleep(0.2)  # the mail server's book
        if arrived is None:
            arrived = [uid for uid, _at in self.arrivals()]
        known = {str(uid) for uid in Message.objects.values_list("uid", flat=True)}
        owed = {str(u) for u in Message.objects.filter(state=state).values_list("uid", flat=True)}
        heard = Counter(uid for uid in arrived if uid in known)
        doubts = Attempt.objects.filter(outcome="in_doubt").values("message").distinct().count()
        return Count(
            owed=len(owed),
            missing=len(owed - heard.keys()),
            copies=sum(copies - 1 for copies in heard.values()),
            doubtful=doubts,
            strangers=len(heard.keys() - owed),
        )
