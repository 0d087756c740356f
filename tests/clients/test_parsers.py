"""Three parsers read the same in a feed, and what they read is what we hold."""

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from coordination.calendars.models import EventText
from events.models import Event
from tests.clients import programs
from tests.clients.conftest import Served

pytestmark = pytest.mark.network
HERE = Path(__file__).parent
Found = dict[str, list[str]]


@pytest.fixture(params=["", "?lang=en"], ids=["zh", "en"])
def feed(served: Served, tmp_path: Path, request: Any) -> Path:
    file = tmp_path / "feed.ics"
    with urlopen(f"{served.url}/calendars/alliances/jjj.ics{request.param}") as answer:
        file.write_bytes(answer.read())
    return file


def read_by(parser: str, feed: Path) -> Found:
    if parser == "ical.js":
        folder = programs.node_package()
        shutil.copy(HERE / "parse_feed.mjs", folder)
        done = programs.run("node", "parse_feed.mjs", feed, folder=folder)
    else:
        python = programs.environment("parsers") / "python"
        done = programs.run(python, HERE / "parse_feed.py", parser, feed, folder=feed.parent)
    assert done.returncode == 0, done.stderr
    found: Found = json.loads(done.stdout)
    return found


def times(event: Event) -> tuple[str, str]:
    """Return beginning and end as the parsers tell them: days, or instants in UTC."""
    if event.all_day:
        return f"{event.starts_wall:%Y-%m-%d}", f"{event.ends_wall:%Y-%m-%d}"
    return f"{event.starts_at:%Y-%m-%dT%H:%M:%SZ}", f"{event.ends_at:%Y-%m-%dT%H:%M:%SZ}"


def test_three_parsers_read_the_same(served: Served, feed: Path) -> None:
    found = {parser: read_by(parser, feed) for parser in ("icalendar", "ical", "ical.js")}

    assert found["icalendar"] == found["ical"] == found["ical.js"]
    public = [event for event in served.events.values() if event.openness == "public"]
    read = {uid: (values[0], values[1], values[4]) for uid, values in found["ical"].items()}
    assert read == {event.ical_uid: (*times(event), str(event.sequence)) for event in public}
    assert EventText.objects.filter(level="public").count() == 2 * len(public)
