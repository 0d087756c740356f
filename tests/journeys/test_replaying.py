"""What failed or was held is sent again by staff, by page or program; nobody is told twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event as Stop
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from coordination.deliveries.draining import Drain
from coordination.deliveries.holding import hold_period
from coordination.deliveries.loop import tick
from coordination.deliveries.models import HoldPeriod, Message
from coordination.deliveries.timing import Timepiece
from events.models import Event
from events.reminding import add_reminder_rule
from events.scheduling import cancel_event
from tests.factories import AT, Cast, make_event, make_person, stored

pytestmark = pytest.mark.django_db
DUE = datetime(2028, 5, 9, 1, 30, tzinfo=UTC)
"""A week before the event, 09:30 in Beijing."""
LATER = DUE + timedelta(hours=1)
DAY = "2028-05-09"
Deed = Callable[[Client, Message], Any]


def by_page(verb: str, **values: str) -> Deed:
    def send(client: Client, message: Message) -> Any:
        chosen = values or {"uid": str(message.uid)}
        return client.post(f"/ledger/all/{verb}/", chosen)

    return send


def by_program(verb: str, **values: str) -> Deed:
    def send(client: Client, message: Message) -> Any:
        if not values:
            return client.post(f"/api/v1/ledger/messages/{message.uid}/{verb}/")
        address = f"/api/v1/ledger/{verb}/"
        return client.post(address, values, content_type="application/json")

    return send


AGAIN = {
    "one by page": by_page("again"),
    "all since by page": by_page("again", since=DAY),
    "a range by page": by_page("again", since=DAY, until=DAY),
    "one by program": by_program("replay"),
    "all since by program": by_program("replay", since="2028-05-09T00:00:00+08:00"),
    "a range by program": by_program(
        "replay", since="2028-05-09T00:00:00+08:00", until="2028-05-10T00:00:00+08:00"
    ),
}


def go_round(at: datetime) -> Counter[str]:
    """Let everything that is due by now go out; return how many mails each got."""
    mail.outbox.clear()
    tick(at, stop=Stop())
    Drain("email", Timepiece(at), Stop()).run()
    return Counter(one.to[0].partition("<")[2].partition("@")[0] for one in mail.outbox)


def reminded(cast: Cast) -> Event:
    """Let three people be reminded of an event a week before it."""
    make_person("deputy", role="deputy", organization=cast.member)
    add_reminder_rule(
        cast.alliance, viewer=SYSTEM, at=AT, offset="-P7D", audience=["members"],
        roles=["liaison", "deputy"],
    )  # fmt: skip
    return make_event(cast.alliance, scheduled=True)


def fail(username: str) -> Message:
    """Let the message to a person have failed for good."""
    person = User.objects.get(username=username).person
    Message.objects.filter(recipient=f"person:{person.uid}").update(
        state="dead", reason="smtp_550", sent_at=None
    )
    return Message.objects.get(recipient=f"person:{person.uid}")


def signed_in(username: str, **options: bool) -> Client:
    client = Client(**options)  # type: ignore[arg-type]
    client.force_login(User.objects.get(username=username))
    return client


def submit(browser: Client, page: Any, address: str, **filled: str) -> Any:
    """Press the button that leads to an address, with what the form hides and what is filled in."""
    [form] = [
        form
        for form in re.findall(r"<form.*?</form>", page.content.decode(), re.DOTALL)
        if f'action="{address}"' in form
    ]
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    return browser.post(address, dict(hidden) | filled, follow=True)


@pytest.mark.parametrize("way", AGAIN)
def test_replay_reaches_who_was_not_told_and_tells_nobody_twice(cast: Cast, way: str) -> None:
    reminded(cast)
    assert go_round(DUE) == {"liaison": 1, "host": 1, "deputy": 1}
    failed = fail("deputy")

    with time_machine.travel(LATER, tick=False):
        client = signed_in("secretary")
        assert AGAIN[way](client, failed).status_code in (200, 302)
        assert go_round(LATER) == {"deputy": 1}
        AGAIN[way](client, failed)
        assert go_round(LATER) == {}

    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
    assert Message.objects.get(pk=failed.pk).uid == failed.uid


@pytest.mark.parametrize("way", AGAIN)
def test_replay_of_what_is_off_by_now_sends_nothing(cast: Cast, way: str) -> None:
    event = reminded(cast)
    go_round(DUE)
    failed = fail("deputy")
    cancel_event(stored(event), reason="场馆", viewer=SYSTEM, at=DUE)
    User.objects.update(is_active=True)

    with time_machine.travel(LATER, tick=False):
        AGAIN[way](signed_in("secretary"), failed)
        go_round(LATER)

    failed.refresh_from_db()
    assert (failed.state, failed.reason) == ("superseded", "event_cancelled")


@pytest.mark.parametrize("way", AGAIN)
@pytest.mark.parametrize("name", ["liaison", "deputy", "chair", "other", "outsider", ""])
def test_replay_by_anybody_else_sends_nothing(cast: Cast, way: str, name: str) -> None:
    reminded(cast)
    go_round(DUE)
    failed = fail("deputy")

    with time_machine.travel(LATER, tick=False):
        answer = AGAIN[way](signed_in(name) if name else Client(), failed)
        assert go_round(LATER) == {}

    failed.refresh_from_db()
    assert failed.state == "dead"
    is_span, is_page = "one" not in way, "page" in way
    if not name:
        assert answer.status_code == (302 if is_page else 401)
    elif name == "other":  # a secretariat, of another alliance: nothing of this is in its charge
        assert answer.status_code == (302 if is_page else 200 if is_span else 404)
        assert is_page or not is_span or answer.json() == {"messages": 0}
    else:
        assert answer.status_code == (403 if is_page or is_span else 404)


@pytest.mark.parametrize("verb", ["again", "skip"])
def test_dead_letters_are_dealt_with_on_the_pages_as_a_browser_does(cast: Cast, verb: str) -> None:
    reminded(cast)
    go_round(DUE)
    fail("deputy")
    failed = fail("liaison")
    User.objects.update(language="en")

    with time_machine.travel(LATER, tick=False):
        browser = signed_in("secretary", enforce_csrf_checks=True)
        listed = browser.get("/ledger/?state=dead")
        page = browser.get(f"/ledger/messages/{failed.uid}/")
        one = submit(browser, page, f"/ledger/all/{verb}/")
        rest = submit(browser, listed, f"/ledger/all/{verb}/", since=DAY, until=DAY)
        told = go_round(LATER)
        after = browser.get("/ledger/?state=dead")

    assert sorted(line.who for line in listed.context["lines"]) == ["deputy", "liaison"]
    words = "1 message goes out again." if verb == "again" else "1 message is given up."
    assert [words in found.content.decode() for found in (one, rest)] == [True, True]
    assert told == ({"liaison": 1, "deputy": 1} if verb == "again" else {})
    assert after.context["lines"] == []
    assert "Nobody was told anything of this kind." in after.content.decode()


def test_replay_until_a_day_that_is_none_sends_nothing(cast: Cast) -> None:
    reminded(cast)
    go_round(DUE)
    failed = fail("deputy")

    with time_machine.travel(LATER, tick=False):
        for until in ("2028-02-30", "soon", "9999-12-31"):
            answer = by_page("again", since=DAY, until=until)(signed_in("secretary"), failed)
            assert answer.status_code == 302
        assert go_round(LATER) == {}


@pytest.mark.parametrize("verb", ["release", "skip"])
def test_hold_after_a_restore_is_ended_by_a_superuser_from_the_page(cast: Cast, verb: str) -> None:
    reminded(cast)
    period = hold_period(from_at=DUE - timedelta(hours=1), until_at=LATER, reason="restored")
    assert go_round(LATER) == {}
    assert set(Message.objects.values_list("state", "reason")) == {("held", "restored")}
    address = f"/ledger/holds/{period.pk}/{verb}/"

    with time_machine.travel(LATER, tick=False):
        seen = {
            name: address in signed_in(name).get("/ledger/health/").content.decode()
            for name in ("secretary", "admin")
        }
        assert signed_in("secretary").post(address).status_code == 403
        assert HoldPeriod.objects.get().released_at is None
        assert signed_in("admin").post(address).status_code == 302
        told = go_round(LATER)
        again = signed_in("admin").post(address)

    assert seen == {"secretary": False, "admin": True}
    assert told == ({"liaison": 1, "host": 1, "deputy": 1} if verb == "release" else {})
    assert HoldPeriod.objects.get().released_at is not None
    assert again.status_code == 404
