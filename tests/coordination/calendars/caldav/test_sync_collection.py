"""sync-collection: a copy kept by it is what is there; tokens are for one copy only."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alliances.joining import revise_alliance
from alliances.seating import end_seat, seat_person
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from coordination.changes.models import Counter
from coordination.changes.recording import recording
from events.owing import fulfil_duty, move_duty, set_duty
from events.scheduling import (
    cancel_event,
    confirm_event,
    discard_event,
    revise_event,
    schedule_event,
)
from tests.conftest import NOW
from tests.coordination.calendars.caldav.conftest import DECLARED, OpenPhone, Phone
from tests.factories import AFTERNOON, AT, Cast, make_event, make_person, secretariat_of

WHOLE = {"viewer": SYSTEM, "at": AT}


class Copy:
    """A copy of a calendar that is kept by sync alone: names and tags."""

    def __init__(self, phone: Phone, path: str, *, limit: int | str = "") -> None:
        self.phone, self.path, self.limit = phone, path, limit
        self.token = ""
        self.held: dict[str, str] = {}
        self.parts = 0

    def sync(self) -> list[str]:
        """Bring the copy up to date; return what was told, in order."""
        told: list[str] = []
        while True:
            answer = self.phone.sync(self.path, self.token, limit=self.limit)
            entries = answer.entries
            more = entries.pop(self.phone.home + self.path, None)
            assert len(entries) <= int(self.limit or 10**9)
            for href, entry in entries.items():
                name = href.removeprefix(self.phone.home + self.path)
                told.append(name)
                if entry.status == 404:
                    self.held.pop(name, None)
                else:
                    self.held[name] = entry.text("D:getetag")
            self.token = answer.token
            self.parts += 1
            if more is None:
                return told
            assert more.status == 507

    @property
    def fresh(self) -> dict[str, str]:
        """What a fresh reading gives."""
        entries = self.phone.propfind(self.path, "D:getetag", depth="1").entries
        start = self.phone.home + self.path
        return {
            href.removeprefix(start): entry.text("D:getetag")
            for href, entry in entries.items()
            if href != start
        }


def test_sync_without_a_token_lists_everything_and_nothing_removed(
    phone: Phone, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    gone = make_event(cast.alliance, audience="members")
    discard_event(gone, **WHOLE)
    make_event(cast.other, scheduled=True)

    answer = phone.sync("jjj/")

    assert answer.names == [event.dav_name]
    assert answer.token == phone.value("jjj/", "D:sync-token")


def test_sync_when_nothing_changed_tells_nothing_and_keeps_the_token(
    phone: Phone, cast: Cast
) -> None:
    make_event(cast.alliance, scheduled=True)
    token = phone.sync("jjj/").token
    answer = phone.sync("jjj/", token)

    assert (answer.names, answer.token) == ([], token)


@pytest.mark.parametrize("depth", ["0", "1"])
def test_sync_is_answered_at_either_depth(depth: str, phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    body = (
        f"<D:sync-collection {DECLARED}><D:sync-token/><D:sync-level>1</D:sync-level>"
        "<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )

    assert phone.ask("REPORT", "jjj/", body, Depth=depth).names == [event.dav_name]
    assert phone.ask("REPORT", "jjj/", body, Depth="infinity").status == 400


def test_sync_tells_each_change_once_and_what_left_as_404(phone: Phone, cast: Cast) -> None:
    moved, hidden, draft = (make_event(cast.alliance, scheduled=True) for _number in range(3))
    copy = Copy(phone, "jjj/")
    copy.sync()
    schedule_event(moved, AFTERNOON, **WHOLE)
    confirm_event(moved, **WHOLE)
    revise_event(hidden, audience="secretariat", **WHOLE)
    cancel_event(draft, reason="雨", **WHOLE)
    new = make_event(cast.alliance, scheduled=True)
    answer = phone.sync("jjj/", copy.token)

    told = zip(answer.names, answer.entries.values(), strict=True)
    assert {name: entry.status for name, entry in told} == {
        moved.dav_name: 200,
        hidden.dav_name: 404,
        draft.dav_name: 200,
        new.dav_name: 200,
    }
    copy.sync()
    assert copy.held == copy.fresh


def test_sync_brings_the_text_along_where_it_is_asked_for(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    answer = phone.sync("jjj/", prop="<D:getetag/><C:calendar-data/>")

    whole = phone.ask("GET", f"jjj/{event.dav_name}").text
    assert answer.only.text("C:calendar-data") == whole


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@pytest.mark.parametrize("path", ["jjj/", "mine/"])
def test_sync_in_parts_loses_nothing_whatever_changes_meanwhile(
    limit: int, path: str, phone: Phone, cast: Cast
) -> None:
    events = [
        make_event(cast.alliance, scheduled=True, named=[cast.member]) for _number in range(6)
    ]
    duties = [
        set_duty(event, cast.member, kind="send_agenda", due_at=NOW, **WHOLE)
        for event in events[:4]
    ]
    copy = Copy(phone, path, limit=limit)
    first = phone.sync(path, limit=limit)  # the first part, then everything changes
    copy.token = first.token
    copy.held = {
        name: entry.text("D:getetag")
        for name, entry in zip(first.names, first.entries.values(), strict=True)
        if name
    }
    discard_event(make_event(cast.alliance), **WHOLE)
    revise_event(events[0], audience="secretariat", **WHOLE)
    revise_event(events[4], title_zh="新名称", **WHOLE)
    move_duty(duties[1], due_at=AT, **WHOLE)
    make_event(cast.alliance, scheduled=True, named=[cast.member])
    copy.sync()
    copy.sync()

    assert copy.held == copy.fresh
    schedule_event(events[5], AFTERNOON, **WHOLE)
    fulfil_duty(duties[2], **WHOLE)
    revise_event(events[3], audience="secretariat", **WHOLE)
    set_duty(events[5], cast.member, kind="answer", due_at=NOW, **WHOLE)
    copy.sync()
    assert copy.held == copy.fresh
    assert phone.sync(path, copy.token, limit=limit).names == []


def test_sync_in_parts_gives_as_many_as_the_client_takes_and_says_so(
    phone: Phone, cast: Cast
) -> None:
    for _number in range(5):
        make_event(cast.alliance, scheduled=True)
    copy = Copy(phone, "jjj/", limit=2)

    assert len(copy.sync()) == 5
    assert copy.parts == 3
    assert copy.token == phone.value("jjj/", "D:sync-token")


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "9" * 40, "²"])
def test_limit_that_is_no_positive_number_is_refused(limit: str, phone: Phone) -> None:
    assert phone.sync("jjj/", limit=limit).status == 400


def test_tasks_follow_their_event_and_themselves(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True, audience="members")
    duty = set_duty(event, cast.member, kind="send_agenda", due_at=NOW, **WHOLE)
    name = f"duty-{duty.uid}.ics"
    copy = Copy(phone, "mine/")

    assert copy.sync() == [name]
    revise_event(event, title_zh="新名称", **WHOLE)
    assert copy.sync() == [name]
    fulfil_duty(duty, **WHOLE)
    assert copy.sync() == [name]
    make_event(cast.alliance, scheduled=True)
    assert copy.sync() == []
    revise_event(event, audience="secretariat", **WHOLE)
    assert copy.sync() == [name]
    assert copy.held == copy.fresh == {}
    revise_event(event, audience="members", **WHOLE)
    assert copy.sync() == [name]
    assert copy.held == copy.fresh != {}


def test_task_set_while_its_event_is_hidden_leaves_no_trace(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True, audience="members")
    copy = Copy(phone, "mine/")
    copy.sync()
    revise_event(event, audience="secretariat", **WHOLE)
    set_duty(event, cast.member, kind="send_agenda", due_at=NOW, **WHOLE)

    assert copy.sync() == []


def token_with(token: str, **parts: str) -> str:
    names = ["format", "number", "subject", "scopes", "seal"]
    values = dict(zip(names, token.rsplit(":", maxsplit=1)[-1].split("."), strict=True)) | parts
    return "urn:coordination:sync:" + ".".join(values.values())


def test_token_that_is_not_for_this_copy_is_refused(open_phone: OpenPhone, cast: Cast) -> None:
    phone, other = open_phone("liaison"), open_phone("host")
    make_event(cast.alliance, scheduled=True)
    token = phone.value("jjj/", "D:sync-token")
    refused = {
        "another person's": other.value("jjj/", "D:sync-token"),
        "another collection's": phone.value("dongbei/", "D:sync-token"),
        "one's own collection's": phone.value("mine/", "D:sync-token"),
        "of the future": token_with(token, number="999999"),
        "of the past, by hand": token_with(token, number="1"),
        "another seal": token_with(token, seal="0" * 22),
        "other scopes": token_with(token, scopes="0" * 22),
        "bare": token.removeprefix("urn:coordination:sync:"),
        "garbage": "garbage",
        "another server's": "http://radicale.org/ns/sync/12345",
        "empty of ours": "urn:coordination:sync:",
        "not sealed, listing": "urn:coordination:sync:1.1.2.3.4:list:" + "0" * 32,
        "suffix": f"{token}:more:1",
        "told": f"{token}:told:x:y",
        "long": f"{token}{'0' * 400}",
        "chinese": "令牌",
    }
    answers = {name: phone.sync("jjj/", value) for name, value in refused.items()}

    assert phone.sync("jjj/", token).status == 207
    assert {
        name: (answer.status, answer.condition)
        for name, answer in answers.items()
        if (answer.status, answer.condition) != (403, ["D:valid-sync-token"])
    } == {}


def test_token_of_another_installation_or_of_before_a_restore_is_refused(
    phone: Phone, cast: Cast
) -> None:
    token = phone.value("jjj/", "D:sync-token")
    Counter.objects.update(epoch="00000000-0000-4000-8000-000000000000")

    assert phone.sync("jjj/", token).condition == ["D:valid-sync-token"]


def test_token_of_another_language_is_refused_because_every_text_is_another(
    phone: Phone, cast: Cast
) -> None:
    token = phone.value("jjj/", "D:sync-token")
    User.objects.filter(pk=phone.user.pk).update(language="en")

    assert phone.sync("jjj/", token).condition == ["D:valid-sync-token"]


def test_access_that_ends_takes_events_away_and_access_that_begins_brings_them(
    open_phone: OpenPhone, cast: Cast
) -> None:
    person = make_person("newcomer")
    phone = open_phone("newcomer")
    event = make_event(cast.alliance, scheduled=True, audience="members")
    copy = Copy(phone, "jjj/")
    copy.sync()
    assert copy.held == {}
    seat = seat_person(
        person, role="staff", body=secretariat_of(cast.alliance), starts_on=AT.date(), **WHOLE
    )
    assert set(copy.sync()) == {event.dav_name}
    assert copy.held == copy.fresh
    end_seat(seat, on=NOW.date(), **WHOLE)

    assert set(copy.sync()) == {event.dav_name}
    assert copy.held == copy.fresh == {}


@pytest.mark.parametrize(
    "inner",
    [
        "<D:prop><D:getetag/></D:prop>",
        "<D:sync-token/><D:sync-level>2</D:sync-level><D:prop><D:getetag/></D:prop>",
        "<D:sync-token/><D:sync-level>1</D:sync-level>",
    ],
)
def test_sync_that_is_not_right_is_refused(inner: str, phone: Phone) -> None:
    body = f"<D:sync-collection {DECLARED}>{inner}</D:sync-collection>"

    assert phone.ask("REPORT", "jjj/", body).status == 400


def test_sync_without_news_costs_the_same_queries_however_much_there_is(
    phone: Phone, cast: Cast
) -> None:
    def queries() -> int:
        token = phone.sync("jjj/").token
        with CaptureQueriesContext(connection) as context:
            assert phone.sync("jjj/", token).names == []
        return len(context)

    make_event(cast.alliance, scheduled=True)
    few = queries()
    for _number in range(10):
        make_event(cast.alliance, scheduled=True)

    assert queries() == few


def test_alliance_s_new_name_comes_to_every_copy(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    copy = Copy(phone, "jjj/")
    copy.sync()
    before = dict(copy.held)
    revise_alliance(cast.alliance, name_zh="新联盟", **WHOLE)

    assert copy.sync() == [event.dav_name]
    assert copy.held == copy.fresh != before


def test_duty_that_is_owed_no_more_leaves_the_copy(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    duty = set_duty(event, cast.member, kind="send_agenda", due_at=NOW, **WHOLE)
    copy = Copy(phone, "mine/")
    copy.sync()
    duty.dropped_at = NOW
    with recording(SYSTEM.actor, at=NOW) as log:
        log.save(duty, "duty.dropped")

    assert copy.sync() == [f"duty-{duty.uid}.ics"]
    assert copy.held == copy.fresh == {}
