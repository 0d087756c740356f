"""What a poll of a calendar costs the server: CPU per request, and how it grows with the calendar.

    .venv/bin/python benchmarks/feeds.py [--events 24 1000 10000] [--seconds 1]

Runs the whole request through Django's WSGI handler in one process, on SQLite in a temporary
folder. Beside each figure stands the naive way in the same run: read the events, build them with
the icalendar library, send them. Ratios count, milliseconds belong to the machine.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

FEED = "/calendars/alliances/bench.ics"
START = datetime(2024, 1, 8, 1, 0, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, nargs="+", default=[24, 1000, 10_000])
    parser.add_argument("--seconds", type=float, default=1.0, help="of CPU for each figure")
    options = parser.parse_args()
    print(f"{'events':>7} {'what':<22} {'ms':>9} {'naive/this':>11} {'growth':>7}")
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
            ratio = figures["naive 200"] / milliseconds
            print(f"{count:>7} {name:<22} {milliseconds:>9.3f} {ratio:>11.1f} {growth:>7.2f}")


def measure(count: int, *, seconds: float) -> dict[str, float]:
    """Return milliseconds of CPU for each kind of request, on a calendar of ``count`` events."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "coordination.settings"
    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    alliance = fill(count)
    application = get_wsgi_application()
    ask = lambda **headers: request(application, headers)  # noqa: E731
    status, answered = ask()
    assert status.startswith("200"), status
    etag, modified = answered["ETag"], answered["Last-Modified"]
    assert ask(HTTP_IF_NONE_MATCH=etag)[0].startswith("304")
    return {
        "304 by tag": cpu(lambda: ask(HTTP_IF_NONE_MATCH=etag), seconds),
        "304 by date": cpu(lambda: ask(HTTP_IF_MODIFIED_SINCE=modified), seconds),
        "200": cpu(ask, seconds),
        "200 gzip": cpu(lambda: ask(HTTP_ACCEPT_ENCODING="gzip"), seconds),
        "200 after a change": cpu(lambda: changed(alliance, ask), seconds),
        "naive 200": cpu(lambda: naive(alliance), seconds),
    }


def fill(count: int) -> Any:
    """Make an alliance with ``count`` public events, in one recording."""
    from alliances.joining import found_alliance
    from coordination.accounts.viewer import SYSTEM
    from coordination.changes.recording import recording
    from events.calendar_event import Span
    from events.models import Event
    from events.scheduling import new_event

    alliance = found_alliance(
        viewer=SYSTEM, at=START, slug="bench", kind="other", name_zh="联盟", name_en="Alliance"
    )
    events = []
    for number in range(count):
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
    return alliance


def request(application: Any, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Send one GET through the WSGI application and read the answer to its end."""
    answered: dict[str, Any] = {}

    def start_response(status: str, fields: list[tuple[str, str]], error: Any = None) -> None:
        answered["status"], answered["headers"] = status, dict(fields)

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": FEED,
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
    body.close()
    return answered["status"], answered["headers"]


def changed(alliance: Any, ask: Callable[[], Any]) -> None:
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
