"""A day with real programs once they are set up: polls, changes both ways, refusals, lost tokens.

How each of them asks stands in a table: what it polls, how deep its reports are, how it reads
back what it has put, and how it starts anew when its token is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from coordination.accounts.viewer import SYSTEM
from events.models import Event
from events.scheduling import confirm_event, revise_event
from tests.coordination.calendars.caldav.conftest import DECLARED, Answer, OpenPhone, Phone
from tests.coordination.calendars.caldav.entries import put
from tests.factories import AT, Cast, make_event, stored

SAMPLES: Final = Path(__file__).parents[3] / "conformance" / "calendar_samples"
ETAG: Final = "<D:getetag/>"
TYPE_AND_ETAG: Final = "<D:getcontenttype/><D:getetag/>"
DATA: Final = "<D:getetag/><C:calendar-data/>"
DATA_2: Final = f'{TYPE_AND_ETAG}<C:calendar-data content-type="text/calendar" version="2.0"/>'
STATES: Final = "<CS:getctag/><D:sync-token/>"


@dataclass(frozen=True, kw_only=True)
class Program:
    """How a program asks.

    Attributes:
        polls: Address below the home, Depth and properties of its poll.
        depth: Of its reports.
        changes: Properties of its sync-collection.
        texts: Properties of its calendar-multiget.
        entry: Of which it makes a new one, as it exports it.
        reads_back: By which request it learns the tag of what it has put.
        starts_anew: By which request it lists everything once its token is refused.
        headers: That it sends with each request.
    """

    polls: tuple[str, str, str]
    depth: str
    changes: str
    texts: str
    entry: str
    reads_back: str
    starts_anew: str
    headers: Mapping[str, str] = field(default_factory=dict)


APPLE: Final = {"Brief": "t", "Prefer": "return=minimal"}
PROGRAMS: Final = {
    "macos": Program(
        polls=("", "1", f"{STATES}<D:displayname/><D:resourcetype/>"), depth="1",
        changes=TYPE_AND_ETAG, texts=f"{DATA}<C:schedule-tag/><CS:created-by/><CS:updated-by/>",
        entry="apple_calendar", reads_back="PROPFIND", starts_anew="PROPFIND",
        headers={"User-Agent": "macOS/15.1 (24B83) dataaccessd/1.0", **APPLE},
    ),
    "ios": Program(
        polls=("jjj/", "0", STATES), depth="1", changes=TYPE_AND_ETAG, texts=DATA,
        entry="apple_calendar", reads_back="sync", starts_anew="PROPFIND",
        headers={"User-Agent": "iOS/18.1 (22B83) dataaccessd/1.0", **APPLE},
    ),
    "thunderbird": Program(
        polls=("jjj/", "0", "<CS:getctag/>"), depth="1", changes=TYPE_AND_ETAG, texts=DATA,
        entry="thunderbird", reads_back="multiget", starts_anew="sync",
        headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Thunderbird/128.4.0"},
    ),
    "davx5": Program(
        polls=("jjj/", "0", "<C:max-resource-size/><D:supported-report-set/>" + STATES),
        depth="0", changes=ETAG, texts=DATA_2, entry="davx5", reads_back="sync",
        starts_anew="sync", headers={"User-Agent": "DAVx5/4.4.4-ose (dav4jvm; okhttp) Android/14"},
    ),
}  # fmt: skip


@dataclass
class Day:
    """A program in the hands of somebody."""

    program: Program
    phone: Phone

    def ask(self, method: str, path: str, body: str, depth: str) -> Answer:
        return self.phone.ask(method, path, body, Depth=depth, **self.program.headers)

    def propfind(self, path: str, depth: str, names: str) -> Answer:
        body = f"<D:propfind {DECLARED}><D:prop>{names}</D:prop></D:propfind>"
        return self.ask("PROPFIND", path, body, depth)

    def poll(self) -> str:
        """Return what tells the program whether there is news in the alliance's calendar."""
        path, depth, names = self.program.polls
        entry = self.propfind(path, depth, names).entries[f"{self.phone.home}jjj/"]
        return entry.text("CS:getctag")

    def sync(self, token: str) -> Answer:
        body = (
            f"<D:sync-collection {DECLARED}><D:sync-token>{token}</D:sync-token>"
            "<D:sync-level>1</D:sync-level>"
            f"<D:prop>{self.program.changes}</D:prop></D:sync-collection>"
        )
        return self.ask("REPORT", "jjj/", body, self.program.depth)

    def read(self, *paths: str) -> dict[str, tuple[str, str]]:
        """Return the tag and text of each address."""
        hrefs = "".join(f"<D:href>{path}</D:href>" for path in paths)
        body = (
            f"<C:calendar-multiget {DECLARED}><D:prop>{self.program.texts}</D:prop>{hrefs}"
            "</C:calendar-multiget>"
        )
        entries = self.ask("REPORT", "jjj/", body, self.program.depth).entries
        return {
            path: (entry.text("D:getetag"), entry.text("C:calendar-data"))
            for path, entry in entries.items()
        }

    def tag(self, path: str, token: str) -> str:
        """Return the tag of what was put, as the program learns it."""
        if self.program.reads_back == "PROPFIND":
            return self.propfind(path, "0", ETAG).only.text("D:getetag")
        if self.program.reads_back == "multiget":
            return self.read(path)[path][0]
        return self.sync(token).entries[path].text("D:getetag")

    def everything(self) -> dict[str, str]:
        """Return the tag of each entry, as the program begins anew."""
        if self.program.starts_anew == "sync":
            entries = self.sync("").entries
        else:
            entries = self.propfind("jjj/", "1", TYPE_AND_ETAG).entries
        return {
            path: entry.text("D:getetag")
            for path, entry in entries.items()
            if path.endswith(".ics")
        }

    def put(self, path: str, text: str, **conditions: str) -> Answer:
        agent = {"User-Agent": self.program.headers["User-Agent"]}
        return put(self.phone, path.removeprefix(self.phone.home), text, **agent, **conditions)

    def path(self, event: Event) -> str:
        return f"{self.phone.home}jjj/{event.dav_name}"


@pytest.fixture(params=list(PROGRAMS))
def day(request: Any, staff_phone: Phone) -> Day:
    """Each program, in the hands of a secretary."""
    return Day(PROGRAMS[request.param], staff_phone)


def test_program_hears_of_a_change_once_and_reads_only_that(day: Day, cast: Cast) -> None:
    event, _other = (make_event(cast.alliance, scheduled=True) for _number in range(2))
    token, quiet = day.sync("").token, day.poll()
    assert (day.sync(token).entries, day.poll()) == ({}, quiet)

    revise_event(event, viewer=SYSTEM, at=AT, title_zh="新名称")
    news = day.sync(token)
    ((path, (tag, text)),) = day.read(*news.entries).items()

    assert day.poll() != quiet
    assert (path, tag) == (day.path(event), news.only.text("D:getetag"))
    assert "SUMMARY:新名称" in text
    assert day.sync(news.token).entries == {}


def test_program_makes_an_entry_reads_it_back_and_edits_it(day: Day, cast: Cast) -> None:
    entry = (SAMPLES / f"{day.program.entry}.ics").read_bytes().decode()
    token, path = day.sync("").token, f"{day.phone.home}jjj/5B3D6F6E.ics"
    made = day.put(path, entry, If_None_Match="*")
    tag = day.tag(path, token)
    twice = day.put(path, entry, If_None_Match="*")
    shown_tag, shown = day.read(path)[path]
    edited = day.put(path, shown.replace("产业对接会", "对接会（下午）"), If_Match=tag)
    too_late = day.put(path, shown.replace("产业对接会", "别的名称"), If_Match=tag)

    assert [answer.status for answer in (made, twice, edited, too_late)] == [201, 412, 204, 412]
    assert ("ETag" in made.response, shown_tag) == (False, tag)
    assert Event.objects.get().title_zh == "对接会（下午）"
    assert [*day.sync(token).entries] == [path]
    assert day.tag(path, token) == day.everything()[path] != tag


def test_program_whose_token_is_refused_starts_anew(day: Day, cast: Cast) -> None:
    events = [make_event(cast.alliance, scheduled=True) for _number in range(3)]
    refused = day.sync("urn:coordination:sync:of-another-server")

    assert (refused.status, refused.condition) == (403, ["D:valid-sync-token"])
    found = day.everything()
    assert set(found) == {day.path(event) for event in events}
    assert {path: tag for path, (tag, _text) in day.read(*found).items()} == found


def test_program_that_deletes_keeps_the_event_and_may_cancel_it(day: Day, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    confirm_event(event, viewer=SYSTEM, at=AT)
    path, token = day.path(event), day.sync("").token
    tag, text = day.read(path)[path]

    deleted = day.phone.ask("DELETE", path, If_Match=tag, **day.program.headers)
    assert (deleted.status, day.read(path)[path]) == (403, (tag, text))

    cancelled = day.put(path, text.replace("STATUS:CONFIRMED", "STATUS:CANCELLED"), If_Match=tag)
    assert (cancelled.status, stored(event).state) == (204, "cancelled")
    assert [*day.sync(token).entries] == [path]
    assert "STATUS:CANCELLED" in day.read(path)[path][1]


def test_program_whose_entry_is_refused_takes_back_what_stands(day: Day, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    path, new, token = day.path(event), f"{day.phone.home}jjj/new.ics", day.sync("").token
    tag, text = day.read(path)[path]
    entry = (SAMPLES / f"{day.program.entry}.ics").read_bytes().decode()
    weekly = "END:VEVENT", "RRULE:FREQ=WEEKLY\r\nEND:VEVENT"

    answers = [
        day.put(path, text.replace(*weekly), If_Match=tag),
        day.put(new, entry.replace(*weekly), If_None_Match="*"),
    ]

    refusals = [(answer.status, answer.condition) for answer in answers]
    assert refusals == [(403, ["C:valid-calendar-object-resource"])] * 2
    assert day.sync(token).entries == {}
    assert day.read(path) == {path: (tag, text)}
    assert day.phone.multiget("jjj/", new).only.status == 404
    again = day.put(path, text.replace("SUMMARY:", "SUMMARY:改"), If_Match=tag)
    assert (again.status, [*day.sync(token).entries]) == (204, [path])


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_program_of_somebody_who_may_only_read_is_told_so_and_keeps_what_stands(
    name: str, open_phone: OpenPhone, cast: Cast
) -> None:
    day = Day(PROGRAMS[name], open_phone("liaison"))
    event = make_event(cast.alliance, scheduled=True)
    path = day.path(event)
    tag, text = day.read(path)[path]
    entry = (SAMPLES / f"{day.program.entry}.ics").read_bytes().decode()
    answers = [
        day.put(path, text.replace("SUMMARY:", "SUMMARY:改"), If_Match=tag),
        day.put(f"{day.phone.home}jjj/new.ics", entry, If_None_Match="*"),
        day.phone.ask("DELETE", path, If_Match=tag, **day.program.headers),
    ]

    refusals = [(answer.status, answer.condition) for answer in answers]
    assert refusals == [(403, ["D:need-privileges"])] * 3
    assert day.everything() == {path: tag}
    assert day.read(path) == {path: (tag, text)}
