"""What a viewer may not see leaves no trace in any answer."""

from collections.abc import Callable

import pytest

from coordination.accounts.viewer import SYSTEM
from coordination.calendars.selecting import Selection
from events.owing import set_duty
from events.scheduling import revise_event
from tests.conftest import NOW
from tests.coordination.calendars.caldav.conftest import (
    DECLARED,
    EVENT_FILTER,
    OpenPhone,
    Phone,
)
from tests.factories import AT, Cast, make_event, viewer_of

DATA = "<D:getetag/><D:displayname/><D:getlastmodified/><C:calendar-data/>"
BUSY = (
    f"<C:free-busy-query {DECLARED}>"
    '<C:time-range start="20280101T000000Z" end="20290101T000000Z"/></C:free-busy-query>'
)
WAYS: dict[str, Callable[[Phone, str], str]] = {
    "listing": lambda phone, _name: phone.propfind("jjj/", "D:getetag", depth="1").text,
    "sync": lambda phone, _name: phone.sync("jjj/", prop=DATA).text,
    "query": lambda phone, _name: phone.query("jjj/", EVENT_FILTER.format(""), prop=DATA).text,
    "busy": lambda phone, _name: phone.ask("REPORT", "jjj/", BUSY).text,
    "multiget": lambda phone, name: (
        phone.multiget("jjj/", f"{phone.home}jjj/{name}", prop=DATA).text
    ),
    "object": lambda phone, name: phone.ask("GET", f"jjj/{name}").text,
    "properties": lambda phone, name: phone.propfind(f"jjj/{name}", "D:getetag").text,
    "calendar": lambda phone, _name: phone.ask("GET", "jjj/").text,
    "own": lambda phone, _name: phone.ask("GET", "mine/").text,
}


def neutral(text: str, *names: str) -> str:
    """An answer without what differs from one asking to the next."""
    for name in names:
        text = text.replace(name, "NAME").replace(name.removesuffix(".ics"), "NAME")
    return text


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize(
    ("audience", "username"),
    [
        ("secretariat", "liaison"),
        ("secretariat", "chair"),
        ("members", "stranger"),
        ("members", "outsider"),
        ("organizations", "liaison"),
        ("secretariat", "other"),
    ],
)
def test_hidden_event_is_answered_as_if_it_were_not_there(
    way: str, audience: str, username: str, open_phone: OpenPhone, cast: Cast
) -> None:
    hidden = make_event(cast.alliance, scheduled=True, audience=audience, title_zh="闭门会")
    phone, staff = open_phone(username), open_phone("secretary")
    there = WAYS[way](phone, hidden.dav_name)
    absent = WAYS[way](phone, f"{'0' * 8}-0000-4000-8000-{'0' * 12}.ics")

    if way != "own":  # nothing of it concerns the secretariat's own organizations
        shown = WAYS[way](staff, hidden.dav_name)
        assert any(trace in shown for trace in (hidden.dav_name, "闭门会", "FREEBUSY;"))
    for trace in ("闭门会", "FREEBUSY;", "BEGIN:VEVENT"):
        assert trace not in there
    assert neutral(there, hidden.dav_name) == neutral(
        absent, f"{'0' * 8}-0000-4000-8000-{'0' * 12}.ics"
    )


@pytest.mark.parametrize("username", ["stranger", "outsider"])
def test_ctag_and_token_stand_still_over_what_is_hidden(
    username: str, open_phone: OpenPhone, cast: Cast
) -> None:
    phone = open_phone(username)

    def seen() -> tuple[str, str]:
        return phone.value("jjj/", "CS:getctag"), phone.value("jjj/", "D:sync-token")

    before = seen()
    event = make_event(cast.alliance, scheduled=True, audience="members")
    revise_event(event, viewer=SYSTEM, at=AT, title_zh="闭门会")
    set_duty(event, cast.member, kind="answer", due_at=NOW, viewer=SYSTEM, at=AT)

    assert seen() == before


def test_each_reads_as_much_of_an_event_as_they_may_know(open_phone: OpenPhone, cast: Cast) -> None:
    event = make_event(
        cast.alliance,
        scheduled=True,
        online_url="https://meet.example.org/1",
        contact="010-12345678",
        notes="机密",
    )

    def known(username: str) -> tuple[bool, bool, bool]:
        text = open_phone(username).ask("GET", f"jjj/{event.dav_name}").text.replace("\r\n ", "")
        found = [one in text for one in ("meet.example.org", "010-12345678", "机密")]
        return found[0], found[1], found[2]

    assert known("secretary") == (True, True, True)
    assert known("liaison") == (True, True, False)
    assert known("stranger") == known("outsider") == (False, False, False)


@pytest.mark.parametrize(
    "username", ["secretary", "other", "liaison", "host", "outsider", "chair", "stranger", "admin"]
)
def test_calendars_hold_what_the_sync_core_selects(
    username: str, open_phone: OpenPhone, cast: Cast
) -> None:
    for audience in ("public", "members", "organizations", "secretariat"):
        for owner, other in ((cast.alliance, cast.other), (cast.other, cast.alliance)):
            values = {"audience": audience, "scheduled": True, "named": [cast.member]}
            make_event(owner, **values)
            make_event(owner, co_hosts=[other], **values)
    phone = open_phone(username)
    viewer = viewer_of(phone.user, at=NOW)
    selections = {
        "jjj/": Selection.of_alliance("jjj"),
        "dongbei/": Selection.of_alliance("dongbei"),
        "mine/": Selection.mine(),
    }
    for path, selection in selections.items():
        expected = {event.dav_name for event in selection.rows(viewer)}
        assert set(phone.sync(path).names) == expected
