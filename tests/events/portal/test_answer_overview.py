"""The secretariat sees who was told, who answered how, and decides about mail."""

from __future__ import annotations

import base64
from datetime import timedelta
from threading import Event as Stop
from typing import Any

import pytest
from django.test import Client

from alliances.models import Seat
from coordination.accounts.models import User
from coordination.accounts.viewer import Viewer
from coordination.deliveries.draining import Drain
from coordination.deliveries.loop import tick
from coordination.deliveries.models import Cursor, Endpoint
from coordination.deliveries.timing import Timepiece
from events.answer_links import reply_address
from events.inbound import read_waiting, receive
from events.invitation_notices import InvitationNews
from events.inviting import Given, answer_as_invitee, invite_organizations
from events.models import Answer, AnswerWay, Event, InboundMailbox, InboundMessage, Invitee
from tests.events.reply_samples import sample
from tests.factories import AT, Cast, make_event

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(minutes=5)


@pytest.fixture
def event(cast: Cast, fixed_clock: object) -> Event:
    """An event to which two organizations are invited; one of them has answered."""
    Cursor.objects.create(subscriber=InvitationNews.name)
    User.objects.update(language="en")
    event = make_event(cast.alliance, scheduled=True)
    invite_organizations(event, [cast.member, cast.outside], viewer=cast.secretary, at=AT)
    tick(LATER, stop=Stop())
    Drain("email", Timepiece(LATER), Stop()).run()
    given = Given(state="delegated", delegates=2, names="张三、李四", comment="两辆车")
    invitee = Invitee.objects.get(person__user__username="liaison")
    answer_as_invitee(invitee, given, way=AnswerWay.LINK, at=LATER)
    return event


def browser(viewer: Viewer) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    if viewer.user_id is not None:
        user = User.objects.get(pk=viewer.user_id)
        client.force_login(user)
    return client


def unproved(event: Event) -> InboundMessage:
    raw = sample(
        "outlook-accepted", uid=event.ical_uid, reply_to="office@example.org", sequence=1,
        attendee="outsider@example.org", stamp="20280110T020600Z",
    )  # fmt: skip
    row, _new = receive(raw, way="mailbox", at=LATER)
    read_waiting(at=LATER)
    row.refresh_from_db()
    assert row.state == "unverified"
    return row


def test_overview_tells_each_answer_with_who_when_and_how(cast: Cast, event: Event) -> None:
    Endpoint.objects.filter(address="outsider@example.org").update(bounced_at=LATER)

    text = browser(cast.secretary).get(f"/events/{event.uid}/answers/").content.decode()

    for words in ("张三、李四", "两辆车", "2 people come", "liaison", "mail came back"):
        assert words in text
    assert "by the link in a message" in text


def test_overview_of_an_organization_without_anybody_says_what_to_do(
    cast: Cast, event: Event
) -> None:
    invite_organizations(event, [cast.host], viewer=cast.secretary, at=LATER)
    client, page = browser(cast.secretary), f"/events/{event.uid}/answers/"
    untold = client.get(page).content.decode()

    Seat.objects.filter(organization=cast.host)._raw_delete("default")
    unseated = client.get(page).content.decode()

    words = "Nobody answers for this organization"
    assert ("not told yet" in untold, words in untold) == (True, False)
    assert ("not told yet" in unseated, words in unseated) == (False, True)


@pytest.mark.parametrize("name", ["member_liaison", "other_secretary", "chair"])
def test_overview_is_for_the_owners_secretariat(cast: Cast, event: Event, name: str) -> None:
    client = browser(cast.viewers()[name])

    assert client.get(f"/events/{event.uid}/").status_code == 200
    assert client.get(f"/events/{event.uid}/answers/").status_code == 403


def test_page_of_the_event_says_how_it_was_answered(cast: Cast, event: Event) -> None:
    page = f"/events/{event.uid}/"

    own = browser(cast.member_liaison).get(page).content.decode()
    other = browser(cast.host_liaison).get(page).content.decode()

    assert "by the link in a message" in own
    assert "张三、李四" in own
    assert "张三" not in other


def test_mail_whose_sender_is_not_proved_is_counted_by_a_tap(cast: Cast, event: Event) -> None:
    row = unproved(event)
    client = browser(cast.secretary)

    listed = client.get("/inbound-mail/").content.decode()
    response = client.post(f"/inbound-mail/{row.uid}/", {"counts": "yes"}, follow=True)

    assert "sender not proved" in listed
    assert "It counts as the answer." in response.content.decode()
    latest = Answer.objects.order_by("-pk")[0]
    assert (latest.state, latest.invitation.organization) == ("accepted", cast.outside)
    assert "sender not proved" not in client.get("/inbound-mail/").content.decode()


def test_mail_is_put_aside_and_counts_for_nothing(cast: Cast, event: Event) -> None:
    row = unproved(event)
    count = Answer.objects.count()

    browser(cast.secretary).post(f"/inbound-mail/{row.uid}/", {"counts": "no"})

    row.refresh_from_db()
    assert (row.state, Answer.objects.count()) == ("settled", count)


@pytest.mark.parametrize("name", ["other_secretary", "member_liaison", "stranger"])
def test_mail_of_another_secretariat_is_not_there(cast: Cast, event: Event, name: str) -> None:
    row = unproved(event)
    client = browser(cast.viewers()[name])

    assert client.post(f"/inbound-mail/{row.uid}/", {"counts": "yes"}).status_code == 404
    listed = client.get("/inbound-mail/")
    assert listed.status_code == (200 if name == "other_secretary" else 403)
    assert "Shijiazhuang" not in listed.content.decode()


def test_superuser_sees_whether_the_mailbox_is_read(cast: Cast, event: Event) -> None:
    InboundMailbox.objects.create(name="reply @ host/INBOX", failing_since=LATER, error="away")

    seen = browser(cast.superuser).get("/inbound-mail/").content.decode()
    hidden = browser(cast.secretary).get("/inbound-mail/").content.decode()

    assert "reply @ host/INBOX" in seen
    assert "cannot be read since" in seen
    assert "reply @ host/INBOX" not in hidden


@pytest.mark.parametrize(
    ("name", "said"), [(b"IPM.Microsoft Schedule.MtgRespN", "declined"), (b"\x00\x01\xff", "")]
)
def test_reply_that_is_sealed_as_a_whole_is_listed_with_what_to_do(
    cast: Cast, event: Event, settings: Any, name: bytes, said: str
) -> None:
    settings.REPLY_ADDRESS = "reply@example.org"
    invitee = Invitee.objects.get(person__user__username="outsider")
    sealed = base64.b64encode(b"\x78\x9f\x3e\x22\x01\x00" + name)
    head = f"From: outsider@example.org\r\nTo: {reply_address(invitee)}\r\nSubject: 答复\r\n"
    kind = "Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    receive((head + kind).encode() + sealed, way="mailbox", at=LATER)
    read_waiting(at=LATER)
    row = InboundMessage.objects.get()
    client = browser(cast.secretary)

    listed = client.get("/inbound-mail/").content.decode()
    client.post(f"/inbound-mail/{row.uid}/", {"counts": "yes" if said else "no"})

    assert (row.state, row.error, row.said) == ("letter", "sealed_part", said)
    assert row.invitation == invitee.invitation
    for words in ("winmail.dat", "answer by the link in the invitation", "Changchun Zone"):
        assert words in listed
    given = Answer.objects.filter(invitation=invitee.invitation).values_list("state", flat=True)
    assert list(given) == ([said] if said else [])
    row.refresh_from_db()
    assert row.is_open is False
