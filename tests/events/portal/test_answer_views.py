"""Answering by a link: one tap, no login, for that person and invitation alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from alliances.models import Person
from alliances.seating import end_seat, erase_person
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from coordination.changes.models import Change
from coordination.deliveries.models import Cursor
from coordination.deliveries.subscribers import read_on
from events.answer_links import answer_url, invitee_of_addresses, link_secret, reply_address
from events.invitation_notices import InvitationNews
from events.inviting import invite_organizations, withdraw_invitation
from events.models import Answer, Invitation, Invitee
from events.scheduling import cancel_event, schedule_event
from tests.factories import AFTERNOON, AT, MORNING, Cast, make_event, make_person, stored

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(LATER, tick=False) as traveller:
        yield traveller


@pytest.fixture
def browser() -> Client:
    """A browser that has never been here, and whose forms are checked."""
    return Client(enforce_csrf_checks=True)


def asked(cast: Cast, **values: object) -> Invitee:
    """Invite the member; return its liaison officer, who reads English."""
    Cursor.objects.get_or_create(subscriber=InvitationNews.name)
    event = make_event(cast.alliance, scheduled=True, **values)
    invite_organizations(event, [cast.member], viewer=cast.secretary, at=AT)
    User.objects.update(language="en")
    tell()
    return Invitee.objects.get(invitation__event=event, person__user__username="liaison")


def tell() -> None:
    while read_on(InvitationNews(), at=LATER):
        pass


def path(invitee: Invitee) -> str:
    return f"/answer/{link_secret(invitee)}/"


def answers() -> list[tuple[str, int | None, str, str, str]]:
    rows = Answer.objects.select_related("person").order_by("pk")
    return [(row.state, row.delegates, row.comment, row.way, str(row.person)) for row in rows]


@pytest.mark.parametrize("given", [{}, {"state": ""}, {"state": "dance"}])
def test_answer_without_a_choice_is_told_to_choose(
    cast: Cast, browser: Client, given: dict[str, str]
) -> None:
    response = browser.post(path(asked(cast)), given)

    words = "No answer was chosen. Choose one of the answers offered."
    assert (response.status_code, response.content.decode().count(words)) == (422, 1)
    assert Answer.objects.count() == 0


def test_page_shows_the_invitation_and_changes_nothing(cast: Cast, browser: Client) -> None:
    invitee = asked(cast, contact="010-1234", online_url="https://meet.example.org/1")
    before = Change.objects.count()

    response = browser.get(path(invitee), {"as": "accepted"})
    browser.head(path(invitee))

    text = response.content.decode()
    assert response.status_code == 200
    for words in ("Matchmaking", "16 May 2028, 09:30–12:00", "Shijiazhuang Zone", "010-1234"):
        assert words in text
    assert (Change.objects.count(), Answer.objects.count()) == (before, 0)


def test_page_is_kept_out_of_caches_engines_and_referers_and_sets_no_cookie(
    cast: Cast, browser: Client
) -> None:
    response = browser.get(path(asked(cast)))

    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Language"] == "en"
    assert response.cookies.output() == ""
    assert "csrfmiddlewaretoken" not in response.content.decode()


def test_page_offers_every_answer_as_a_button_of_a_form(cast: Cast, browser: Client) -> None:
    text = browser.get(path(asked(cast))).content.decode()

    buttons = re.findall(r'<button class="[^"]*big[^"]*" name="state" value="(\w+)">', text)
    assert buttons == ["accepted", "tentative", "declined", "delegated", "other_date"]
    assert "<script" not in text


@pytest.mark.parametrize("state", ["accepted", "tentative", "declined", "other_date"])
def test_one_tap_answers_and_says_how_to_change_it(cast: Cast, browser: Client, state: str) -> None:
    invitee = asked(cast)

    response = browser.post(path(invitee), {"state": state}, follow=True)

    assert response.redirect_chain == [(f"{path(invitee)}?done=1", 302)]
    assert "Your answer is recorded." in response.content.decode()
    assert "choose another answer" in response.content.decode()
    assert re.search(r"\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d", response.content.decode())
    assert not re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", response.content.decode())
    assert answers() == [(state, None, "", "link", "liaison")]
    assert Invitation.objects.get().state == state
    change = Change.objects.get(kind="answer.given")
    assert change.actor == f"person:{invitee.person.uid}"


def test_the_same_answer_twice_is_recorded_once_and_another_one_replaces_it(
    cast: Cast, browser: Client
) -> None:
    invitee = asked(cast)

    for state in ("accepted", "accepted", "declined"):
        browser.post(path(invitee), {"state": state, "delegates": "2"})

    assert answers() == [
        ("accepted", 2, "", "link", "liaison"),
        ("declined", None, "", "link", "liaison"),
    ]
    assert Invitation.objects.get().state == "declined"


def test_page_after_an_answer_keeps_its_words_for_the_next_tap(cast: Cast, browser: Client) -> None:
    invitee = asked(cast)
    said = {"state": "accepted", "delegates": "3", "comment": "请安排<接站>"}
    browser.post(path(invitee), said)

    text = browser.get(path(invitee)).content.decode()
    plain, _delegated, other = re.findall(r'<form class="answers.*?</form>', text, re.S)
    browser.post(path(invitee), said)

    assert "<details open>" in plain
    assert 'value="3"' in plain
    assert ">请安排&lt;接站&gt;</textarea>" in plain
    assert "接站" not in other
    assert answers() == [("accepted", 3, "请安排<接站>", "link", "liaison")]


def test_other_language_keeps_the_answer_that_was_chosen(cast: Cast, browser: Client) -> None:
    text = browser.get(path(asked(cast)), {"as": "delegated"}).content.decode()

    assert 'href="?lang=zh-hans&amp;as=delegated"' in text


def test_delegating_names_who_comes_beside_the_log(cast: Cast, browser: Client) -> None:
    invitee = asked(cast)

    refused = browser.post(path(invitee), {"state": "delegated", "delegates": "2"})
    browser.post(path(invitee), {"state": "delegated", "delegates": "2", "names": "张三、李四"})

    assert refused.status_code == 422
    assert "Say who comes." in refused.content.decode()
    answer = Answer.objects.get()
    assert (answer.state, answer.delegates, answer.who_comes.names) == (
        "delegated",
        2,
        "张三、李四",
    )
    assert "张三" not in str(list(Change.objects.values_list("diff", flat=True)))


def test_asking_for_another_date_keeps_the_words(cast: Cast, browser: Client) -> None:
    invitee = asked(cast)

    browser.post(path(invitee), {"state": "other_date", "proposed_time": "5月20日之后"})

    answer = Answer.objects.get()
    assert (answer.state, answer.proposed_time) == ("other_date", "5月20日之后")
    assert "5月20日之后" in browser.get(path(invitee)).content.decode()


def test_a_post_without_an_answer_is_refused(cast: Cast, browser: Client) -> None:
    invitee = asked(cast)

    for data in (
        {},
        {"state": "needs_action"},
        {"state": "x"},
        {"state": "accepted", "delegates": "-1"},
    ):
        assert browser.post(path(invitee), data).status_code == 422

    assert answers() == []


def test_link_of_nobody_shows_nothing(cast: Cast, browser: Client) -> None:
    good = link_secret(asked(cast))

    for secret in (good[:-1] + ("a" if good[-1] != "a" else "b"), "a" * 42, "x", good[::-1]):
        response = browser.get(f"/answer/{secret}/")
        assert response.status_code == 404
        assert "Matchmaking" not in response.content.decode()
        assert browser.post(f"/answer/{secret}/", {"state": "accepted"}).status_code == 404
    assert answers() == []


def test_secret_of_the_address_opens_no_page(cast: Cast, browser: Client, settings: object) -> None:
    settings.REPLY_ADDRESS = "reply@example.org"  # type: ignore[attr-defined]
    invitee = asked(cast)
    address = reply_address(invitee)

    assert invitee_of_addresses(["x@example.org", address.upper()]) == invitee
    assert browser.get(f"/answer/{address[6:48]}/").status_code == 404
    assert len(address.partition("@")[0]) <= 64


def _ends_seat(cast: Cast, invitee: Invitee) -> None:
    end_seat(invitee.person.seats.get(), on=AT.date(), viewer=SYSTEM, at=AT)


def _erases(cast: Cast, invitee: Invitee) -> None:
    person = Person.objects.select_related("user").get(pk=invitee.person_id)
    erase_person(person, viewer=cast.superuser, at=AT, reason="申请")


def _withdraws(cast: Cast, invitee: Invitee) -> None:
    withdraw_invitation(stored(invitee.invitation), viewer=SYSTEM, at=AT)


def _cancels(cast: Cast, invitee: Invitee) -> None:
    cancel_event(stored(invitee.invitation.event), reason="预算", viewer=SYSTEM, at=AT)


@pytest.mark.parametrize("ends", [_ends_seat, _erases, _withdraws, _cancels])
def test_link_ends_with_what_it_stands_on(cast: Cast, browser: Client, ends: object) -> None:
    invitee = asked(cast)
    assert browser.get(path(invitee)).status_code == 200

    ends(cast, invitee)  # type: ignore[operator]

    response = browser.get(path(invitee))
    assert response.status_code == 410
    assert "16 May" not in response.content.decode()
    assert browser.post(path(invitee), {"state": "accepted"}).status_code == 410
    assert answers() == []


def test_link_ends_when_the_event_does(
    cast: Cast, browser: Client, clock: time_machine.Traveller
) -> None:
    invitee = asked(cast)
    clock.move_to(MORNING.ends_at - timedelta(minutes=1))
    before = browser.get(path(invitee)).status_code

    clock.move_to(MORNING.ends_at)

    assert (before, browser.get(path(invitee)).status_code) == (200, 410)
    assert browser.post(path(invitee), {"state": "accepted"}).status_code == 410


def test_link_of_an_invitation_that_was_asked_anew_is_replaced(cast: Cast, browser: Client) -> None:
    old = path(asked(cast))
    invitation = Invitation.objects.get()
    withdraw_invitation(invitation, viewer=SYSTEM, at=LATER)
    invite_organizations(stored(invitation.event), [cast.member], viewer=SYSTEM, at=LATER)
    tell()

    new = path(Invitee.objects.select_related("person").get())

    assert (browser.get(old).status_code, browser.get(new).status_code) == (404, 200)


def test_page_after_the_event_moved_shows_the_new_time_and_asks_again(
    cast: Cast, browser: Client
) -> None:
    invitee = asked(cast)
    browser.post(path(invitee), {"state": "accepted"})
    schedule_event(stored(invitee.invitation.event), AFTERNOON, viewer=SYSTEM, at=LATER)
    tell()

    text = browser.get(path(invitee)).content.decode()
    browser.post(path(invitee), {"state": "accepted"})

    assert "23 May 2028, 14:00–17:30" in text
    assert "This answer was for another time." in text
    assert [row[0] for row in answers()] == ["accepted", "accepted"]
    assert "for another time" not in browser.get(path(invitee)).content.decode()


def fields_of(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))


def test_answer_to_a_page_opened_before_the_event_moved_is_not_one_to_the_new_time(
    cast: Cast, browser: Client
) -> None:
    invitee = asked(cast)
    opened = fields_of(browser.get(path(invitee)).content.decode())
    schedule_event(stored(invitee.invitation.event), AFTERNOON, viewer=SYSTEM, at=LATER)

    refused = browser.post(path(invitee), opened | {"state": "accepted", "comment": "两人"})
    text = refused.content.decode()

    assert (refused.status_code, answers()) == (422, [])
    assert "The time was changed meanwhile." in text
    assert "23 May 2028, 14:00–17:30" in text
    assert ">两人</textarea>" in text

    browser.post(path(invitee), fields_of(text) | {"state": "accepted"})
    assert answers() == [("accepted", None, "", "link", "liaison")]


def test_page_shows_a_colleagues_answer_by_name(cast: Cast, browser: Client) -> None:
    make_person("deputy", role="deputy", organization=cast.member)
    invitee = asked(cast)
    colleague = Invitee.objects.get(person__user__username="deputy")
    browser.post(path(colleague), {"state": "declined"})

    assert "Answered by deputy" in browser.get(path(invitee)).content.decode()


def test_answers_by_one_link_are_limited(cast: Cast, browser: Client) -> None:
    invitee = asked(cast)

    codes = [
        browser.post(path(invitee), {"state": "accepted", "delegates": str(n)}).status_code
        for n in range(21)
    ]

    assert codes == [302] * 20 + [429]
    assert len(answers()) == 20


def test_guessing_is_limited_for_an_address(cast: Cast, browser: Client) -> None:
    invitee = asked(cast)

    codes = {browser.get(f"/answer/{'a' * 40}{n:02d}/").status_code for n in range(31)}

    assert codes == {404}
    assert browser.get(path(invitee)).status_code == 429
    assert browser.get(path(invitee), REMOTE_ADDR="192.0.2.9").status_code == 200


def test_answer_url_is_short_enough_for_a_line_of_mail(cast: Cast) -> None:
    url = answer_url(asked(cast))

    assert url.startswith("http://127.0.0.1:8000/answer/")
    assert len(url) < 76
