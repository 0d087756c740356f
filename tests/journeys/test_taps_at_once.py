"""One link is tapped several times at one moment: one answer is kept, and nobody sees a failure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.test import Client

from coordination.deliveries.models import Cursor
from coordination.deliveries.subscribers import read_on
from events.answer_links import link_secret
from events.invitation_notices import InvitationNews
from events.inviting import invite_organizations
from events.models import Answer, Invitation, Invitee
from tests.factories import AT, make_cast, make_event
from tests.journeys.test_two_at_once import at_once, expect_numbers_without_gaps

pytestmark = pytest.mark.django_db(transaction=True)
LATER = AT + timedelta(minutes=5)


@pytest.fixture
def link() -> Iterator[str]:
    """The path of the liaison officer's own link."""
    cast = make_cast()
    Cursor.objects.create(subscriber=InvitationNews.name)
    event = make_event(cast.alliance, scheduled=True)
    with time_machine.travel(LATER, tick=False):
        invite_organizations(event, [cast.member], viewer=cast.secretary, at=AT)
        while read_on(InvitationNews(), at=LATER):
            pass
        yield f"/answer/{link_secret(Invitee.objects.get())}/"


def tap(link: str, *states: str) -> list[tuple[int, int]]:
    """Tap answers at one moment; return what each tap, and the page after it, answered."""
    seen: list[tuple[int, int]] = []

    def send(state: str) -> None:
        browser = Client(enforce_csrf_checks=True)
        answered = browser.post(link, {"state": state})
        seen.append((answered.status_code, browser.get(answered["Location"]).status_code))

    raised = at_once([partial(send, state) for state in states])
    assert raised == [None] * len(states)
    return seen


def test_same_answer_tapped_four_times_at_once_is_one_answer_and_four_thanks(link: str) -> None:
    assert tap(link, *["accepted"] * 4) == [(302, 200)] * 4

    assert [(row.state, row.way) for row in Answer.objects.all()] == [("accepted", "link")]
    assert Invitation.objects.get().state == "accepted"
    expect_numbers_without_gaps()


def test_two_answers_tapped_at_once_are_kept_in_order_and_the_later_counts(link: str) -> None:
    assert tap(link, "accepted", "declined") == [(302, 200)] * 2

    kept = list(Answer.objects.order_by("pk").values_list("state", flat=True))
    assert sorted(kept) == ["accepted", "declined"]
    assert Invitation.objects.get().state == kept[-1]
    expect_numbers_without_gaps()
