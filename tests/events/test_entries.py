"""What the ledger says of people's calendars: what may be there counts as being there."""

from __future__ import annotations

import pytest

from coordination.deliveries.models import Attempt, Message
from events.entries import entries_of
from events.inviting import invite_organizations, withdraw_invitation
from events.models import Invitation
from tests.events.replying import LATER, send
from tests.factories import AT, Cast, make_event, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def invitation(cast: Cast, from_the_beginning: None) -> Invitation:
    event = make_event(cast.alliance, scheduled=True)
    [invitation] = invite_organizations(event, [cast.member], viewer=cast.secretary, at=AT)
    send()
    return invitation


def standing(invitation: Invitation) -> list[tuple[int, bool]]:
    return [(entry.notice.number, entry.is_sure) for entry in entries_of([invitation])]


def test_entries_of_no_invitation_are_none() -> None:
    assert entries_of([]) == []


def test_entries_of_what_was_sent_are_sure(invitation: Invitation) -> None:
    assert standing(invitation) == [(1, True)]
    assert entries_of([invitation], before=1) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"state": "pending"}, []),
        ({"state": "pending", "lease": "worker"}, [(1, False)]),
        ({"state": "pending", "in_doubt": True}, [(1, False)]),
        ({"state": "dead"}, []),
        ({"state": "superseded", "in_doubt": True}, [(1, False)]),
    ],
)
def test_entries_of_what_may_be_out_stand(
    invitation: Invitation, values: dict[str, object], expected: list[tuple[int, bool]]
) -> None:
    Message.objects.update(**values)

    assert standing(invitation) == expected


def test_entries_of_a_letter_that_was_cut_off_stand(invitation: Invitation) -> None:
    Message.objects.update(state="dead")
    Attempt.objects.filter(outcome="sent").update(outcome="retry", code="mail_cut")

    assert standing(invitation) == [(1, False)]


def test_entries_end_with_a_cancellation_that_is_out_and_not_before(
    cast: Cast, invitation: Invitation
) -> None:
    withdraw_invitation(stored(invitation), viewer=cast.secretary, at=LATER)
    send()
    taken_back = standing(invitation)

    Message.objects.filter(deliveries__generation=2).update(state="pending", in_doubt=True)

    assert taken_back == []
    assert standing(invitation) == [(1, False)]
