"""vdirsyncer and khal: a secretary's calendar as files, both ways."""

from pathlib import Path

import pytest

from coordination.accounts.viewer import SYSTEM
from events.models import Event
from events.scheduling import revise_event
from tests.clients import programs
from tests.clients.conftest import Served
from tests.factories import AT, stored

pytestmark = pytest.mark.network
CONFIG = """
[general]
status_path = "{folder}/status/"
[pair calendars]
a = "files"
b = "server"
collections = ["from b"]
conflict_resolution = "b wins"
metadata = ["color", "displayname"]
[storage files]
type = "filesystem"
path = "{folder}/files/"
fileext = ".ics"
[storage server]
type = "caldav"
url = "{url}/dav/"
username = "{username}"
password = "{password}"
"""
FEED = """
[general]
status_path = "{folder}/status/"
[pair feed]
a = "files"
b = "server"
collections = null
[storage files]
type = "filesystem"
path = "{folder}/files/feed/"
fileext = ".ics"
[storage server]
type = "http"
url = "{url}/calendars/alliances/jjj.ics"
"""


class Syncer:
    """vdirsyncer with its files in a folder of its own."""

    def __init__(self, folder: Path, config: str) -> None:
        self.folder = folder
        (folder / "config").write_text(config, encoding="utf-8")
        (folder / "files" / "feed").mkdir(parents=True)

    def __call__(self, command: str) -> str:
        program = programs.environment("sync") / "vdirsyncer"
        answer = "yes\n" * 20
        done = programs.run(
            "sh", "-c", f"printf '{answer}' | {program} -c config {command}", folder=self.folder
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def copies(self, collection: str) -> dict[str, str]:
        """Return the files of a collection by their name on the server."""
        folder = self.folder / "files" / collection
        return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.ics")}


def secretarys(served: Served, folder: Path) -> Syncer:
    username, password = served.password(served.cast.secretary)
    words = {"url": served.url, "username": username, "password": password, "folder": folder}
    syncer = Syncer(folder, CONFIG.format(**words))
    syncer("discover")
    syncer("sync")
    return syncer


def what_moved(said: str) -> list[str]:
    return [line for line in said.splitlines() if "item" in line.lower() or "Copying" in line]


def test_sync_again_transfers_nothing(served: Served, tmp_path: Path) -> None:
    syncer = secretarys(served, tmp_path)

    assert len(syncer.copies("jjj")) == len(served.events)
    assert what_moved(syncer("sync")) == []


def test_sync_after_a_change_here_brings_that_one(served: Served, tmp_path: Path) -> None:
    syncer = secretarys(served, tmp_path)
    revise_event(stored(served.events["days"]), title_zh="成果展（新）", viewer=SYSTEM, at=AT)

    moved = what_moved(syncer("sync"))

    assert [served.events["days"].ical_uid in line for line in moved] == [True]
    changed = [text for text in syncer.copies("jjj").values() if "成果展（新）" in text]
    assert len(changed) == 1


def test_sync_after_a_change_there_moves_the_event(served: Served, tmp_path: Path) -> None:
    syncer = secretarys(served, tmp_path)
    event = served.events["beijing"]
    [path] = [
        path
        for path in (tmp_path / "files" / "jjj").glob("*.ics")
        if event.ical_uid in path.read_text(encoding="utf-8")
    ]
    text = path.read_bytes().decode()
    assert "DTSTART;TZID=Asia/Shanghai:20280516T093000" in text
    path.write_bytes(text.replace("T093000", "T103000").replace("T120000", "T123000").encode())

    syncer("sync")
    syncer("sync")

    moved = stored(event)
    assert (moved.starts_wall.isoformat(), moved.title_zh, moved.description_zh) == (
        "2028-05-16T10:30:00", event.title_zh, event.description_zh,
    )  # fmt: skip
    assert what_moved(syncer("sync")) == []


def test_sync_of_an_event_born_in_a_file_makes_it_here(served: Served, tmp_path: Path) -> None:
    syncer = secretarys(served, tmp_path)
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//a client//EN", "BEGIN:VEVENT",
        "UID:born-in-a-file@example.org", "DTSTAMP:20280110T020000Z",
        "DTSTART;TZID=Asia/Shanghai:20280601T090000", "DTEND;TZID=Asia/Shanghai:20280601T100000",
        "SUMMARY:新活动", "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    (tmp_path / "files" / "jjj" / "born.ics").write_text("\r\n".join(lines), encoding="utf-8")

    syncer("sync")

    made = Event.objects.get(ical_uid="born-in-a-file@example.org")
    assert (made.title_zh, made.state, made.alliance_id) == (
        "新活动", "scheduled", served.cast.alliance.pk,
    )  # fmt: skip
    syncer("sync")
    assert what_moved(syncer("sync")) == []


def test_sync_of_the_public_feed_holds_each_event_once(served: Served, tmp_path: Path) -> None:
    syncer = Syncer(tmp_path, FEED.format(url=served.url, folder=tmp_path))
    syncer("discover")
    syncer("sync")

    assert len(syncer.copies("feed")) == 4
    assert what_moved(syncer("sync")) == []


def test_khal_lists_what_vdirsyncer_brought(served: Served, tmp_path: Path) -> None:
    secretarys(served, tmp_path)
    (tmp_path / "khal.conf").write_text(
        f"[calendars]\n[[jjj]]\npath = {tmp_path}/files/jjj\nreadonly = True\n"
        "[locale]\nlocal_timezone = Asia/Shanghai\ndefault_timezone = Asia/Shanghai\n"
        "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
        "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
        f"[sqlite]\npath = {tmp_path}/khal.db\n",
        encoding="utf-8",
    )
    khal = programs.environment("sync") / "khal"
    done = programs.run(
        khal, "-c", tmp_path / "khal.conf", "list", "--format", "{start} {end} {title}",
        "--day-format", "", "2028-02-01", "2028-07-31", folder=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    lines = set(filter(None, map(str.strip, done.stdout.splitlines())))
    assert {
        "2028-05-16 09:30 2028-05-16 12:00 京津冀产业对接会，第一场",
        "2028-05-16 09:30 2028-05-16 12:00 【已取消】路演",
        "2028-06-30 23:30 2028-07-01 00:30 【延期】论坛",
    } <= lines
    assert any("2028-03-26 08:30" in line and "马德里研讨会" in line for line in lines)
