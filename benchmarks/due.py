"""What many reminders due at the same minute cost: memory, the web meanwhile, the first mail.

    python -m benchmarks.due                          SQLite: one process that serves and delivers
    python -m benchmarks.due --on postgresql          web, clock and two workers; Redis beside them
    python -m benchmarks.due --on postgresql --redis-gone

The product as it is started for real: an alliance of 1,000 liaison officers, 100 events, one rule;
at a full minute all 100 reminders fall due, each to all of them. Meanwhile pages, a feed and the
API are asked ten times a second, over the wire. The mail server takes letters and throws them
away. Ends with 1 when a bar is not held; the seconds belong to the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from benchmarks.faults.servers import Server, postgresql, redis
from tests.servers import free_port

MOST_MEGABYTES = 100
MOST_MILLISECONDS = 300
MOST_SECONDS = {False: 3.0, True: 10.0}  # by: is Redis gone
EACH = 0.2  # seconds between two requests of one client
CLIENTS = 2
BEFORE = 5.0  # seconds of watching before they are due
SEATS = 10  # liaison officers of each member
BATCH = 500
PATHS = (
    "/alliances/crowd/",
    "/events/",
    "/calendars/alliances/crowd.ics",
    "/api/v1/events/?alliance=crowd",
    "/healthz/live",
)


def main() -> int:
    """Start everything, watch the minute, print, and say whether the bars are held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--due", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=120.0, help="watched, once they are due")
    parser.add_argument("--lead", type=float, default=90.0, help="seconds for making everything")
    parser.add_argument("--redis-gone", action="store_true", help="kill it before they are due")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="coordination-due-") as name,
        contextlib.ExitStack() as stack,
    ):
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as a user of its own
        letters = stack.enter_context(mail_server())
        broker = prepare(options, folder, letters, stack)
        due = make_all(options)
        port, processes = start_all(options, folder, stack)
        if options.redis_gone and broker is not None:
            broker.end(signal.SIGKILL)
        return watch(options, due, port, processes, letters)


def prepare(
    options: argparse.Namespace, folder: Path, letters: Letters, stack: contextlib.ExitStack
) -> Server | None:
    """Point this process and its children at a database, a broker and a mail server."""
    broker = None
    os.environ |= {
        "COORDINATION_VAR": f"{folder}/var",
        "COORDINATION_LOG_LEVEL": "ERROR",
        "DATABASE_URL": f"sqlite:///{folder}/due.sqlite3",
        "DJANGO_SETTINGS_MODULE": "coordination.settings",
        "EMAIL_URL": f"smtp://127.0.0.1:{letters.port}",
    }
    os.environ.pop("REDIS_URL", None)
    if options.on == "postgresql":
        _server, os.environ["DATABASE_URL"] = stack.enter_context(postgresql(folder / "pg"))
        broker, os.environ["REDIS_URL"] = stack.enter_context(redis(folder / "redis"))
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return broker


# -- The mail server -----------------------------------------------------------------------------


@dataclass
class Letters:
    """What the mail server has taken, counted in memory that its process shares."""

    port: int
    number: Synchronized[int]
    first: Synchronized[float]


@contextlib.contextmanager
def mail_server() -> Iterator[Letters]:
    """Run a mail server in a process of its own; it takes everything and keeps nothing."""
    letters = Letters(free_port(), multiprocessing.Value("i", 0), multiprocessing.Value("d", 0.0))
    process = multiprocessing.Process(target=take_letters, args=(letters,), daemon=True)
    process.start()
    try:
        yield letters
    finally:
        process.kill()


def take_letters(letters: Letters) -> None:
    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 due\r\n")
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                command = (await reader.readuntil(b"\r\n")).upper()
                if command.startswith(b"DATA"):
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    letters.number.value += 1
                    letters.first.value = letters.first.value or time.time()
                writer.write(b"250 ok\r\n")
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(attend, "127.0.0.1", letters.port, limit=2**20)
        await server.serve_forever()

    asyncio.run(serve())


# -- The alliance ----------------------------------------------------------------------------------


def make_all(options: argparse.Namespace) -> datetime:
    """Make an alliance, its people and events; return when everything falls due."""
    from coordination.accounts.viewer import SYSTEM
    from events.calendar_event import Span
    from events.reminding import add_reminder_rule
    from events.scheduling import draft_event, schedule_event
    from tests.factories import BEIJING, make_alliance

    due = (datetime.now(UTC) + timedelta(seconds=options.lead)).replace(second=0, microsecond=0)
    due += timedelta(minutes=1)
    starts = due + timedelta(hours=2)
    alliance = make_alliance("crowd")
    make_people(alliance, options.due // options.events)
    at = datetime.now(UTC)
    add_reminder_rule(
        alliance, viewer=SYSTEM, at=at, offset="-PT2H", audience=["members"], respects_quiet=False
    )
    from zoneinfo import ZoneInfo

    wall = starts.astimezone(ZoneInfo(BEIJING)).replace(tzinfo=None)
    time_of_all = Span(starts=wall, ends=wall + timedelta(hours=1), zone=BEIJING, is_all_day=False)
    for number in range(options.events):
        event = draft_event(
            alliance, viewer=SYSTEM, at=at, title_zh=f"项目对接会{number}", audience="public"
        )
        schedule_event(event, time_of_all, viewer=SYSTEM, at=at)
    return due


def make_people(alliance: Any, number: int) -> None:
    """Give the alliance so many liaison officers, ten for each member, a table at a time."""
    from django.db import models

    from alliances.models import Membership, Organization, Person, PersonDetails, Seat

    def make(model: Any, rows: list[Any]) -> list[Any]:
        return list(models.QuerySet(model).bulk_create(rows, batch_size=BATCH))

    since = (datetime.now(UTC) - timedelta(days=30)).date()
    places = make(
        Organization,
        [Organization(kind="zone", name_zh=f"高新区{n}") for n in range(-(-number // SEATS))],
    )
    make(
        Membership,
        [Membership(alliance=alliance, organization=one, starts_on=since) for one in places],
    )
    people = make(Person, [Person() for _n in range(number)])
    make(
        PersonDetails,
        [
            PersonDetails(person=one, name_zh=f"联络员{n}", email=f"liaison{n}@example.org")
            for n, one in enumerate(people)
        ],
    )
    make(
        Seat,
        [
            Seat(person=one, role="liaison", organization=places[n // SEATS], starts_on=since)
            for n, one in enumerate(people)
        ],
    )


# -- The processes ---------------------------------------------------------------------------------


@dataclass
class Watched:
    """One process of the installation and its memory.

    Attributes:
        before: megabytes in use before anything is due.
        most: megabytes at the highest since.
    """

    name: str
    pid: int
    before: float = 0.0
    most: float = 0.0

    def begin(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # the peak counts from now on
        self.before = self._megabytes("VmRSS")

    def look(self) -> None:
        with contextlib.suppress(OSError):
            self.most = self._megabytes("VmHWM")

    def _megabytes(self, name: str) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def start_all(
    options: argparse.Namespace, folder: Path, stack: contextlib.ExitStack
) -> tuple[int, list[Watched]]:
    """Start what an installation of this kind runs; return the web's port and the processes."""
    from django.db import connections

    connections.close_all()
    port = free_port()
    manage, web = [sys.executable, "manage.py"], ["up", "--no-demo", "--bind", f"127.0.0.1:{port}"]
    commands = {"web and loop": [*manage, *web]}
    if options.on == "postgresql":
        serve = ["granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1"]
        serve += ["--port", str(port), "--workers", "2", "--blocking-threads", "4", "--http", "1"]
        work = ["celery", "--app", "coordination.celery", "worker", "--pool", "threads"]
        work += ["--concurrency", "8", "--without-gossip", "--without-mingle"]
        run = [sys.executable, "-m"]
        last = ["nice", "-n", "10"]  # what docs/operations.md says of what sends
        commands = {
            "web": [*run, *serve, "--no-ws", "django.core.wsgi:get_wsgi_application"],
            "clock": [*last, *manage, "clock"],
            "worker 1": [*last, *run, *work, "--loglevel", "critical"],
            "worker 2": [*last, *run, *work, "--loglevel", "critical"],
        }
    said = stack.enter_context((folder / "said.txt").open("wb"))
    started = {}
    for name, command in commands.items():
        process = subprocess.Popen(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        stack.callback(end, process)
        started[name] = process
    for _try in range(300):
        with contextlib.suppress(OSError), contextlib.closing(client(port)) as asked:
            asked.request("GET", "/healthz/live")
            asked.getresponse().read()
            break
        time.sleep(0.1)
    time.sleep(5)  # Celery's workers
    return port, [
        Watched(name, pid) for name, process in started.items() for pid in family(process.pid)
    ]


def client(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def family(pid: int) -> list[int]:
    """Return a process and those it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(below for child in children for below in family(int(child)))]


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()


# -- Watching --------------------------------------------------------------------------------------


@dataclass
class Answers:
    """What the web answered, and how long each answer took."""

    seconds: list[float] = field(default_factory=list)
    bad: int = 0

    def p95(self) -> float:
        return statistics.quantiles(self.seconds, n=20)[-1]


def ask(port: int, until: float, answers: Answers) -> None:
    """Ask one page after another at a steady pace, over one connection."""
    asked = client(port)
    turn = time.monotonic()
    number = 0
    while time.monotonic() < until:
        begun = time.monotonic()
        try:
            asked.request("GET", PATHS[number % len(PATHS)])
            answer = asked.getresponse()
            answer.read()
            answers.bad += answer.status != 200
        except OSError:
            answers.bad += 1
            asked.close()
        answers.seconds.append(time.monotonic() - begun)
        number += 1
        turn = max(turn + EACH, time.monotonic() - EACH)
        time.sleep(max(turn - time.monotonic(), 0))


def asked_for(port: int, seconds: float) -> Answers:
    """Ask with several clients for so long."""
    answers = Answers()
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=ask, args=(port, until, answers)) for _n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def watch(
    options: argparse.Namespace,
    due: datetime,
    port: int,
    processes: list[Watched],
    letters: Letters,
) -> int:
    """Watch the minute; print what was seen, and return 1 when a bar is not held."""
    if datetime.now(UTC) > due - timedelta(seconds=2 * BEFORE):
        raise SystemExit("Making everything took too long: give it more with --lead.")
    time.sleep((due - datetime.now(UTC)).total_seconds() - 2 * BEFORE)
    quiet = asked_for(port, BEFORE)
    for process in processes:
        process.begin()
    time.sleep(max((due - datetime.now(UTC)).total_seconds(), 0))
    busy = asked_for(port, options.seconds)
    for process in processes:
        process.look()
    first = letters.first.value - due.timestamp() if letters.first.value else float("inf")
    most = max(process.most - process.before for process in processes)
    p95 = busy.p95() * 1000
    print(
        f"{options.on}: {options.due:,} due at once{', Redis gone' if options.redis_gone else ''}"
    )
    print(f"  first mail {first:.1f} s after they were due")
    print(f"  {letters.number.value:,} mails within {options.seconds:.0f} s")
    for process in processes:
        print(f"  {process.name}: {process.before:.0f} MiB, +{process.most - process.before:.0f}")
    print(f"  web: p95 {quiet.p95() * 1000:.0f} ms before, {p95:.0f} ms meanwhile,")
    print(
        f"       worst {max(busy.seconds) * 1000:.0f} ms; {len(busy.seconds)} asked, {busy.bad} bad"
    )
    held = first <= MOST_SECONDS[options.redis_gone] and most < MOST_MEGABYTES
    held = held and p95 < MOST_MILLISECONDS and not busy.bad
    print("  every bar is held" if held else "  a bar is NOT held")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
