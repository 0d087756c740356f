"""What a poll of a calendar costs the server: CPU per request, and how it grows with the calendar.

    .venv/bin/python benchmarks/feeds.py [--events 24 1000 10000 100000] [--seconds 1] [--no-nginx]

Runs the whole request in one process, on SQLite in a temporary folder: through Django's WSGI
handler, and by the short path in front of it. "link" is the private calendar of a liaison officer,
with the rights of an alliance's member read anew wherever anything moved. Beside each figure stands
the naive way in the same run: read the events, build them with the icalendar library, send them.

Then the same 304 over the wire, granian with two workers beside nginx with the feed as a static
file: requests a second of each, as a part of nginx's, and the same by the CPU that the servers
spend, which says more where other work shares the machine; all are up at once and asked by turns,
and the best of the rounds counts on every side. Each program asks anew when it has its answer; many
programs keep a fast server from waiting for them, and both of our workers busy.

Ratios count, milliseconds belong to the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from benchmarks.rivals import Rival

FEED = "/calendars/alliances/bench.ics"
NAIVE_UP_TO = 10_000  # events; beyond, it takes minutes
PROGRAMS = (2, 16)  # that ask at the same time
CLIENTS = 2  # processes that they share
ROUNDS = 5
Ask = Callable[..., tuple[str, dict[str, str]]]
BATCH = 5000  # events in one recording
START = datetime(2024, 1, 8, 1, 0, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, nargs="+", default=[24, 1000, 10_000, 100_000])
    parser.add_argument("--seconds", type=float, default=1.0, help="of CPU for each figure")
    parser.add_argument("--no-nginx", action="store_true", help="leave the wire out")
    options = parser.parse_args()
    print(f"{'events':>7} {'what':<28} {'ms':>9} {'naive/this':>11} {'growth':>7}")
    first: dict[str, float] = {}
    for count in options.events:
        with tempfile.TemporaryDirectory() as folder:
            pid = os.fork()
            if not pid:
                os.environ["COORDINATION_VAR"] = folder
                os.environ["COORDINATION_LOG_LEVEL"] = "ERROR"
                report = Path(folder) / "report"
                report.write_text(json.dumps(measure(count, seconds=options.seconds)))
                os._exit(0)
            os.waitpid(pid, 0)
            figures: dict[str, float] = json.loads((Path(folder) / "report").read_text())
        for name, milliseconds in figures.items():
            growth = milliseconds / first.setdefault(name, milliseconds)
            naive = figures.get("naive 200")
            ratio = f"{naive / milliseconds:.1f}" if naive is not None else "-"
            print(f"{count:>7} {name:<28} {milliseconds:>9.3f} {ratio:>11} {growth:>7.2f}")
    if not options.no_nginx:
        over_the_wire(options.events[0], seconds=max(options.seconds, 1.0))


def measure(count: int, *, seconds: float) -> dict[str, float]:
    """Return milliseconds of CPU for each kind of request, on a calendar of ``count`` events."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "coordination.settings"
    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    alliance = fill(count)
    from coordination.calendars.short_path import ShortPath

    django_alone = get_wsgi_application()
    link = make_link(alliance)
    figures: dict[str, float] = {}
    for way, application in (("", django_alone), ("short ", ShortPath(django_alone))):
        for what, path in (("", FEED), ("link ", link)):
            polled = polls(asking(application, path), seconds)
            figures |= {f"{way}{what}{name}": value for name, value in polled.items()}
    ask = asking(django_alone, link)
    by_tag = {"HTTP_IF_NONE_MATCH": ask()[1]["ETag"]}
    figures["link 304, rights read anew"] = cpu(lambda: forgetting(ask, by_tag), seconds)
    figures["link 304, news elsewhere"] = cpu_after(news_elsewhere, lambda: ask(by_tag), seconds)
    figures["200 after a change"] = cpu(
        lambda: changed(alliance, asking(django_alone, FEED)), seconds
    )
    if count <= NAIVE_UP_TO:
        figures["naive 200"] = cpu(lambda: naive(alliance), seconds)
    return figures


def polls(ask: Ask, seconds: float) -> dict[str, float]:
    """Return milliseconds of CPU for each kind of poll of one calendar."""
    status, answered = ask()
    assert status.startswith("200"), status
    by_tag = {"HTTP_IF_NONE_MATCH": answered["ETag"]}
    by_date = {"HTTP_IF_MODIFIED_SINCE": answered["Last-Modified"]}
    assert ask(by_tag)[0].startswith("304")
    return {
        "304 by tag": cpu(lambda: ask(by_tag), seconds),
        "304 by date": cpu(lambda: ask(by_date), seconds),
        "200": cpu(ask, seconds),
        "200 gzip": cpu(lambda: ask({"HTTP_ACCEPT_ENCODING": "gzip"}), seconds),
    }


def fill(count: int) -> Any:
    """Make an alliance with ``count`` public events, some thousands in one recording."""
    from alliances.joining import found_alliance
    from coordination.accounts.viewer import SYSTEM

    alliance = found_alliance(
        viewer=SYSTEM, at=START, slug="bench", kind="other", name_zh="联盟", name_en="Alliance"
    )
    for first in range(0, count, BATCH):
        _fill(alliance, range(first, min(first + BATCH, count)))
    return alliance


def _fill(alliance: Any, numbers: range) -> None:
    """Make some of the events in one recording."""
    from coordination.changes.recording import recording
    from events.calendar_event import Span
    from events.models import Event
    from events.scheduling import new_event

    events = []
    for number in numbers:
        starts = datetime(2024, 1, 1, 9, 30) + timedelta(days=number % 700)
        event = Event(
            alliance=alliance,
            title_zh=f"产业对接活动第{number}场",
            title_en=f"Matchmaking no. {number}",
            description_zh="交流创新与产业协作。" * 5,
            place_zh="天津滨海高新区",
            audience="public",
            openness="public",
        )
        span = Span(starts=starts, ends=starts + timedelta(hours=2), zone="Asia/Shanghai")
        event.schedule(span, reason="", tzdata_version="bench")
        events.append(new_event(event))
    with recording("system", at=START) as log:
        log.insert_all(events, "event.drafted")


def make_link(alliance: Any) -> str:
    """Make a member's liaison officer with a private calendar, and return its path."""
    from alliances.joining import admit_member, register_organization
    from alliances.seating import add_person, seat_person
    from coordination.accounts.models import User
    from coordination.accounts.viewer import SYSTEM
    from coordination.calendars.linking import LinkSettings, issue_link, path_of

    organization = register_organization(
        viewer=SYSTEM, at=START, name_zh="天津滨海高新区", kind="zone"
    )
    admit_member(alliance, organization, viewer=SYSTEM, at=START, starts_on=START.date())
    user = User.objects.create_user("liaison")
    person = add_person(viewer=SYSTEM, at=START, user_id=user.pk, name_zh="联络员", name_en="Li")
    seat_person(
        person,
        viewer=SYSTEM,
        at=START,
        role="liaison",
        organization=organization,
        starts_on=START.date(),
    )
    settings = LinkSettings(name="Bench", language="zh-hans", parameters={"alliance": "bench"})
    return path_of(issue_link(user, settings, viewer=SYSTEM, at=START))


def asking(application: Any, path: str) -> Ask:
    """Return what sends one GET for a path."""
    return lambda headers=(): request(application, path, dict(headers))


def forgetting(ask: Ask, headers: Mapping[str, str]) -> None:
    """Ask a process that knows nothing of the link yet but has its row."""
    from coordination.calendars import fetching

    fetching.forget_all()
    assert ask(headers)[0].startswith("304")


def news_elsewhere() -> None:
    """Move the log by a change that concerns everybody and no event."""
    from alliances.joining import register_organization
    from coordination.accounts.viewer import SYSTEM

    register_organization(
        viewer=SYSTEM, at=START, name_zh=f"单位{time.monotonic_ns()}", kind="zone"
    )


def request(application: Any, path: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Send one GET through the WSGI application and read the answer to its end."""
    answered: dict[str, Any] = {}

    def start_response(status: str, fields: list[tuple[str, str]], error: Any = None) -> None:
        answered["status"], answered["headers"] = status, dict(fields)

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
        **headers,
    }
    body = application(environ, start_response)
    for _ in body:
        pass
    if hasattr(body, "close"):
        body.close()
    return answered["status"], answered["headers"]


def changed(alliance: Any, ask: Ask) -> None:
    """Ask after the calendar's stamp moved: the feed is compiled anew from the stored texts."""
    from coordination.calendars.rendering import stamp_feeds

    stamp_feeds([alliance.pk], at=START)
    ask()


def naive(alliance: Any) -> bytes:
    """Build the feed the usual way: all events, a library, every time."""
    import icalendar

    from events.calendar_values import calendar_event
    from events.models import Event

    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//naive//EN")
    events = Event.objects.filter(alliance=alliance, openness="public", starts_at__isnull=False)
    for event in events.select_related("alliance", "work_area").prefetch_related("hosts"):
        values = calendar_event(event)
        component = icalendar.Event()
        component.add("uid", values.ical_uid)
        component.add("dtstamp", values.changed_at)
        component.add("sequence", values.sequence)
        component.add("summary", values.title.text("zh-hans"))
        component.add("description", values.description.text("zh-hans"))
        component.add("dtstart", event.starts_at)
        component.add("dtend", event.ends_at)
        component.add("location", values.place.text("zh-hans"))
        component.add("url", values.url)
        calendar.add_component(component)
    return calendar.to_ical()


def cpu(action: Callable[[], Any], seconds: float) -> float:
    """Return milliseconds of CPU for one run: the best of three series."""
    action()
    return min(_series(action, seconds / 3) for _ in range(3))


def cpu_after(prepare: Callable[[], Any], action: Callable[[], Any], seconds: float) -> float:
    """Return milliseconds of CPU for one run of ``action``, each after an uncounted preparation."""
    spent, runs = 0.0, 0
    while spent < seconds / 3:
        prepare()
        started = time.process_time()
        action()
        spent += time.process_time() - started
        runs += 1
    return spent / runs * 1000


def over_the_wire(count: int, *, seconds: float) -> None:
    """Print how many 304s a second granian answers both ways, as a part of nginx's."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "COORDINATION_VAR": folder,
            "COORDINATION_LOG_LEVEL": "ERROR",
            "COORDINATION_SECRET_KEY": "only-for-this-run",
            "DJANGO_SETTINGS_MODULE": "coordination.settings",
        }
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        link = make_link(fill(count))
        print(f"\n{'304 by tag, over the wire':<36} {'a second':>9} {'of nginx':>9} {'by CPU':>7}")
        with contextlib.ExitStack() as stack:
            asked = servers_asked(Path(folder), link, stack)
            for number in PROGRAMS if asked else ():
                print_rates(number, asked, seconds)


def servers_asked(
    folder: Path, link: str, stack: contextlib.ExitStack
) -> dict[str, tuple[Rival, str]]:
    """Start nginx and ours, both ways; return whom to ask for which path. Empty without nginx."""
    from benchmarks import rivals

    static = stack.enter_context(rivals.nginx(folder, b"BEGIN:VCALENDAR\r\n" * 1000))
    if static is None:
        return {}
    asked = {"nginx": (static, "/jjj.ics")}
    for name, entry in (("Django", "coordination.wsgi:handler"), ("short path", rivals.ENTRY)):
        port, process = stack.enter_context(rivals.ours(folder, entry=entry))
        server = rivals.Rival(name, port, process, "/", FEED)
        asked |= {f"{name}, feed": (server, FEED), f"{name}, link": (server, link)}
    return asked


def print_rates(number: int, asked: Mapping[str, tuple[Rival, str]], seconds: float) -> None:
    """Let so many programs ask all by turns; print the best round of each, as a part of nginx's."""
    found: dict[str, tuple[float, float]] = {}
    for turn in range(ROUNDS + 1):
        for name, (server, path) in asked.items():
            many, spent = rate(server, path, seconds, number)
            best, least = found.get(name, (0.0, spent))
            if turn:  # the first is to warm up
                found[name] = max(best, many), min(least, spent)
    limit, limit_spent = found["nginx"]
    for name, (many, spent) in found.items():
        ratios = f"{many / limit:>9.3f} {limit_spent / spent:>7.3f}"
        print(f"{f'{number:>2} programs: {name}':<36} {many:>9.0f} {ratios}")


def rate(server: Rival, path: str, seconds: float, programs: int) -> tuple[float, float]:
    """Return how many 304s a second a server answers, and CPU for each."""
    etag = _etag(server.port, path)
    once = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nIf-None-Match: {etag}\r\n\r\n".encode()
    with multiprocessing.get_context("spawn").Pool(CLIENTS) as pool:
        before = server.cpu_seconds()
        task = (server.port, once, seconds, programs // CLIENTS)
        count = sum(pool.starmap(_answered, [task] * CLIENTS))
        spent = server.cpu_seconds() - before
    return count / seconds, spent / count


def _etag(port: int, path: str) -> str:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
        return str(response.headers["ETag"])


def _answered(port: int, once: bytes, seconds: float, programs: int) -> int:
    """Let programs ask, each anew when all have their answers; return how many 304s came back."""
    count = 0
    with contextlib.ExitStack() as stack:
        lines = [_line(port, stack) for _number in range(programs)]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for line in lines:
                line.sendall(once)
            for line in lines:
                data = b""
                while b"\r\n\r\n" not in data:
                    received = line.recv(1 << 16)
                    if not received:
                        raise ConnectionError("the server hung up")
                    data += received
                assert data.startswith(b"HTTP/1.1 304"), data[:200]
            count += programs
    return count


def _line(port: int, stack: contextlib.ExitStack) -> socket.socket:
    line = stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def _series(action: Callable[[], Any], seconds: float) -> float:
    gc.collect()
    started, runs = time.process_time(), 0
    for runs in _until(started + seconds):  # noqa: B007
        action()
    return (time.process_time() - started) / runs * 1000


def _until(end: float) -> Iterator[int]:
    runs = 0
    while time.process_time() < end or not runs:
        runs += 1
        yield runs


if __name__ == "__main__":
    main()
