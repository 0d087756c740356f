"""Our calendars beside Radicale, Xandikos and nginx, in one run, with the same events.

    .venv/bin/python benchmarks/calendars.py [--events 24 1000] [--seconds 1] [--rounds 3]
        [--growth 100000]

Every server is started here as it is run for real: ours by granian with two workers, all
middleware and a login with each request; Radicale under gunicorn with two workers and a login.
All of them are up at once and each operation is asked of one after the other, in several rounds,
since a machine that others share is now slow and now fast; the best round counts on every side.
Each figure is requests a second over kept connections (where a server keeps them), and beside it
milliseconds of the server's CPU for one request. Ratios count: "x R" is how many times Radicale's
requests a second, "x X" Xandikos'. `--growth N` measures ours alone again with N events and prints
what each CPU figure is of that with the fewest. On SQLite, or whatever DATABASE_URL names
(``python -m tests.servers .venv/bin/python benchmarks/calendars.py``).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import Pipe, get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import rivals
from benchmarks.rivals import Rival
from benchmarks.wire import Answer, Exchange, raw

CLIENTS = 2
XML = {"Content-Type": "application/xml; charset=utf-8"}
ICS = {"Content-Type": "text/calendar; charset=utf-8"}
CALENDAR = {"Accept": "text/calendar"}
PROPFIND = (
    b'<propfind xmlns="DAV:" xmlns:s="http://calendarserver.org/ns/"><prop><s:getctag/>'
    b"<sync-token/></prop></propfind>"
)
PROPFIND_ETAGS = b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
SYNC = (
    '<sync-collection xmlns="DAV:"><sync-token>{}</sync-token><sync-level>1</sync-level>'
    "<prop><getetag/></prop></sync-collection>"
)
MONTH = (
    b'<c:calendar-query xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><getetag/>'
    b'<c:calendar-data/></prop><c:filter><c:comp-filter name="VCALENDAR">'
    b'<c:comp-filter name="VEVENT"><c:time-range start="20240301T000000Z"'
    b' end="20240401T000000Z"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>'
)
BARS = {  # against Radicale, by requests a second
    24: {"304 feed": 6, "200 feed": 4, "PROPFIND 0": 6, "sync, no change": 3, "PROPFIND 1": 5,
         "one month": 2.5, "multiget 50": 3, "PUT": 1.5, "sync of 1": 1.5},
    1000: {"304 feed": 130, "200 feed": 20, "PROPFIND 0": 130, "sync, no change": 130,
           "PROPFIND 1": 80, "one month": 30, "multiget 50": 5, "PUT": 1.5, "sync of 1": 1.5},
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """What one operation does: requests a second, and the server's CPU for one, milliseconds."""

    rate: float
    cpu: float


Figures = dict[str, Figure]
Operations = dict[str, Callable[[], Figures]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, nargs="+", default=[24, 1000])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", type=int, nargs="*", default=[], help="ours alone")
    options = parser.parse_args()
    first: Figures | None = None
    for count in options.events:
        found = measured_apart(count, options, True)
        first = first or found["ours"]
        show(count, found)
    for count in options.growth:
        grown = measured_apart(count, options, False)["ours"]
        show_growth(count, grown, first or grown)


def measured_apart(count: int, options: argparse.Namespace, compare: bool) -> dict[str, Figures]:
    """Measure in a process of its own: one process holds one database."""
    here, there = Pipe()
    process = get_context("fork").Process(target=_measure, args=(count, options, compare, there))
    process.start()
    there.close()  # so that a measurement that failed ends this one
    found: dict[str, Figures] = here.recv()
    process.join()
    return found


def _measure(count: int, options: argparse.Namespace, compare: bool, answer: Any) -> None:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        own = stack.enter_context(our_server(folder, count))
        asked = {"ours": operations_of(own, options.seconds, moved=our_move)}
        if compare:
            objects = our_objects(own)
            _status, _headers, feed = own.ask("GET", own.feed)
            for rival in (rivals.radicale, rivals.xandikos):
                server = stack.enter_context(rival(folder, objects))
                asked[server.name] = operations_of(server, options.seconds, moved=their_move)
            static = stack.enter_context(rivals.nginx(folder, feed))
            if static is not None:
                asked["nginx"] = {"304 feed": polling(static, options.seconds)}
        answer.send(best_of(options.rounds, asked))


def best_of(rounds: int, asked: Mapping[str, Operations]) -> dict[str, Figures]:
    """Measure every operation on one server after the other; return the best round of each."""
    found: dict[str, Figures] = {server: {} for server in asked}
    for operation in asked["ours"]:
        for _round in range(rounds):
            for server, operations in asked.items():
                if operation not in operations:
                    continue
                for name, figure in operations[operation]().items():
                    best = found[server].get(name, figure)
                    found[server][name] = Figure(
                        max(best.rate, figure.rate), min(best.cpu, figure.cpu)
                    )
    return found


@contextlib.contextmanager
def our_server(folder: Path, count: int) -> Iterator[Rival]:
    """Fill the database with ``count`` events and run the production entry on it."""
    os.environ["COORDINATION_VAR"] = str(folder)
    os.environ["COORDINATION_LOG_LEVEL"] = "ERROR"
    os.environ["COORDINATION_SECRET_KEY"] = "k" * 60
    os.environ["COORDINATION_BASE_URL"] = "http://127.0.0.1"
    os.environ["COORDINATION_ALLOWED_HOSTS"] = "127.0.0.1"
    os.environ["DJANGO_SETTINGS_MODULE"] = "coordination.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from benchmarks.feeds import fill

    call_command("flush" if "DATABASE_URL" in os.environ else "migrate", verbosity=0,
                 interactive=False)  # fmt: skip
    alliance = fill(count)
    headers, feed, username = our_login(alliance)
    connections.close_all()
    with rivals.ours(folder) as (port, process):
        calendar = f"/dav/calendars/{username}/{alliance.slug}/"
        yield Rival("ours", port, process, calendar, feed, headers)


def our_login(alliance: Any) -> tuple[dict[str, str], str, str]:
    """Return the login of a secretary, the path of their private link, and their address."""
    from alliances.seating import add_person, seat_person
    from benchmarks.feeds import START
    from coordination.accounts.models import User
    from coordination.accounts.tokens import issue_token
    from coordination.accounts.viewer import SYSTEM
    from coordination.calendars.linking import LinkSettings, issue_link, path_of

    user = User.objects.create_user(rivals.USER)
    person = add_person(viewer=SYSTEM, at=START, user_id=user.pk, name_zh="秘书", name_en="S")
    body = alliance.bodies.get(kind="secretariat")
    seat_person(person, role="staff", starts_on=START.date(), body=body, viewer=SYSTEM, at=START)
    token = issue_token(
        user, name="b", kind="app_password", scopes=["*:*"], viewer=SYSTEM, at=START
    )
    settings = LinkSettings("b", "zh-hans", {"alliance": alliance.slug})
    link = issue_link(user, settings, viewer=SYSTEM, at=START)
    return rivals.login(user.username, token.secret), path_of(link), str(user.uid)


def our_objects(server: Rival) -> dict[str, bytes]:
    """Return every object of our calendar by its name, for the others to hold."""
    return {href.rpartition("/")[2]: server.ask("GET", href)[2] for href in hrefs_of(server)}


def hrefs_of(server: Rival) -> list[str]:
    """Return the addresses of the objects."""
    _status, _headers, body = server.ask(
        "PROPFIND", server.calendar, PROPFIND_ETAGS, {"Depth": "1", **XML}
    )
    found = re.findall(r"<(?:\w+:)?href>([^<]+\.ics)</", body.decode())
    return list(dict.fromkeys(found))


def operations_of(
    server: Rival, seconds: float, *, moved: Callable[[bytes, int], bytes]
) -> Operations:
    """Return what measures each operation on a server, by the operation's name."""
    hrefs = hrefs_of(server)
    fifty = "".join(f"<href>{href}</href>" for href in (hrefs * 3)[:50])
    multiget = (
        '<c:calendar-multiget xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop>'
        f"<getetag/><c:calendar-data/></prop>{fifty}</c:calendar-multiget>"
    ).encode()
    sync = SYNC.format(token_of(server)).encode()
    at = server.calendar
    # Every worker's first answers, which it puts itself together for, are not counted.
    load(server, "PROPFIND", at, PROPFIND, {"Depth": "0"}, seconds=min(seconds, 1.0))
    asked: dict[str, tuple[str, str, bytes, Mapping[str, str]]] = {
        "200 feed": ("GET", server.feed, b"", CALENDAR),
        "PROPFIND 0": ("PROPFIND", at, PROPFIND, {"Depth": "0"}),
        "sync, no change": ("REPORT", at, sync, {"Depth": "0"}),
        "PROPFIND 1": ("PROPFIND", at, PROPFIND_ETAGS, {"Depth": "1"}),
        "one month": ("REPORT", at, MONTH, {"Depth": "1"}),
        "multiget 50": ("REPORT", at, multiget, {"Depth": "1"}),
        "GET": ("GET", hrefs[0], b"", {}),
    }

    def measuring(name: str) -> Callable[[], Figures]:
        method, path, body, headers = asked[name]
        return lambda: {name: load(server, method, path, body, headers, seconds=seconds)}

    return {
        "304 feed": polling(server, seconds),
        **{name: measuring(name) for name in asked},
        "writes": lambda: writes(server, hrefs[0], seconds, moved),
    }


def unchanged(server: Rival) -> dict[str, str]:
    """Return the headers of somebody who has the whole calendar as it is."""
    _status, headers, _body = server.ask("GET", server.feed, headers=CALENDAR)
    fields = {name.lower(): value for name, value in headers.items()}
    return {"If-None-Match": fields["etag"], **CALENDAR}


def polling(server: Rival, seconds: float) -> Callable[[], Figures]:
    """Return what measures polls of the whole calendar by somebody who has it."""
    headers = unchanged(server)
    return lambda: {"304 feed": load(server, "GET", server.feed, headers=headers, seconds=seconds)}


def token_of(server: Rival) -> str:
    """Return the sync token of the collection as it is now."""
    _status, _headers, body = server.ask(
        "PROPFIND", server.calendar, PROPFIND, {"Depth": "0", **XML}
    )
    found = re.search(r"<(?:\w+:)?sync-token>([^<]+)</", body.decode())
    assert found, body[:500]
    return found[1]


def our_move(text: bytes, number: int) -> bytes:
    """Return an object moved to another minute; a reason is wanted when a date was out."""
    return their_move(text, number).replace(b"END:VEVENT", b"COMMENT:bench\r\nEND:VEVENT")


def their_move(text: bytes, number: int) -> bytes:
    """Return an object moved to another minute."""
    clock = f"T09{number % 30:02d}00".encode()
    return re.sub(rb"(DTSTART;[^:]+:\d{8})T\d{6}", rb"\1" + clock, text)


def writes(
    server: Rival, href: str, seconds: float, moved: Callable[[bytes, int], bytes]
) -> Figures:
    """Measure, one after the other, a PUT and the sync that brings it; the first is not counted."""
    _status, _headers, text = server.ask("GET", href)
    spent = {"PUT": [0.0, 0.0], "sync of 1": [0.0, 0.0]}
    rounds, end = -1, time.monotonic() + seconds * 2
    with Exchange(server.port) as line:
        while time.monotonic() < end or rounds < 3:
            rounds += 1
            token = token_of(server)
            requests = {
                "PUT": raw("PUT", href, moved(text, rounds), {**server.headers, **ICS}),
                "sync of 1": raw(
                    "REPORT", server.calendar, SYNC.format(token).encode(),
                    {**server.headers, **XML, "Depth": "0"},
                ),
            }  # fmt: skip
            for name, request in requests.items():
                cpu, began = server.cpu_seconds(), time.perf_counter()
                answer = line.send(request)
                if rounds:
                    spent[name][0] += time.perf_counter() - began
                    spent[name][1] += server.cpu_seconds() - cpu
                assert answer.status in (201, 204, 207), answer.head
    return {name: Figure(rounds / wall, cpu / rounds * 1000) for name, (wall, cpu) in spent.items()}


def load(
    server: Rival,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    seconds: float,
) -> Figure:
    """Send one request again and again from a few processes; return what the server did."""
    fields = {**server.headers, **(headers or {}), **(XML if body else {})}
    request = raw(method, path, body, fields)
    context = get_context("fork")
    answers = []
    cpu, began = server.cpu_seconds(), time.perf_counter()
    for _client in range(CLIENTS):
        here, there = Pipe()
        context.Process(target=_load, args=(server.port, request, seconds, there)).start()
        answers.append(here)
    done = sum(here.recv() for here in answers)
    wall = time.perf_counter() - began
    return Figure(done / wall, (server.cpu_seconds() - cpu) / done * 1000)


def _load(port: int, request: bytes, seconds: float, answer: Any) -> None:
    end, done = time.perf_counter() + seconds, 0
    with Exchange(port) as line:
        while time.perf_counter() < end or not done:
            got: Answer = line.send(request)
            assert got.status in (200, 207, 304), got.head
            done += 1
    answer.send(done)


def show(count: int, found: Mapping[str, Figures]) -> None:
    """Print each operation: ours, and how many times the others'."""
    print(f"\n{count} events{'':<10} {'ours/s':>9} {'ms CPU':>8} {'x R':>8} {'bar':>6} "
          f"{'by CPU':>7} {'x X':>8} {'x nginx':>8}")  # fmt: skip
    for name, own in found["ours"].items():
        cells = [f"{name:<18} {own.rate:>9.0f} {own.cpu:>8.2f}"]
        theirs = found.get("Radicale", {}).get(name)
        bar = BARS.get(count, {}).get(name)
        cells.append(f"{own.rate / theirs.rate:>8.1f}" if theirs else f"{'':>8}")
        cells.append(f"{bar:>6}" if bar else f"{'':>6}")
        cells.append(f"{theirs.cpu / own.cpu:>7.1f}" if theirs and own.cpu else f"{'':>7}")
        for other in ("Xandikos", "nginx"):
            figure = found.get(other, {}).get(name)
            cells.append(f"{own.rate / figure.rate:>8.2f}" if figure else f"{'':>8}")
        print(" ".join(cells))


def show_growth(count: int, grown: Figures, first: Figures) -> None:
    """Print how the CPU of each operation grew with the number of events."""
    print(f"\n{count} events{'':<10} {'ours/s':>9} {'ms CPU':>8} {'growth':>8}")
    for name, figure in grown.items():
        growth = figure.cpu / first[name].cpu if first[name].cpu else 0
        print(f"{name:<18} {figure.rate:>9.0f} {figure.cpu:>8.2f} {growth:>8.2f}")


if __name__ == "__main__":
    main()
