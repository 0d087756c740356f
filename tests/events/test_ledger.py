from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.deliveries.models import Delivery, Endpoint, Message, MessageState
from events.ledger import STATES, Asked, lines_for, state_of
from tests.factories import AT, Cast, make_event

pytestmark = pytest.mark.django_db


def tell(about: UUID, *, state: str | None, dropped: str = "") -> None:
    """Write a line, in a message of this state or in none."""
    endpoint = Endpoint.objects.create(channel="email", owner=f"person:{uuid4()}")
    message = None
    if state is not None:
        message = Message.objects.create(
            uid=uuid4(), endpoint=endpoint, recipient=endpoint.owner, channel="email",
            source="notice", state=state, sent_at=AT, next_attempt_at=AT,
        )  # fmt: skip
    Delivery.objects.create(
        source="notice", source_id="1", recipient=endpoint.owner, channel="email",
        endpoint=endpoint, about_type="events.event", about_uid=about, due_at=AT, send_after=AT,
        message=message, dropped_reason=dropped,
    )  # fmt: skip


@pytest.fixture
def ledger(cast: Cast) -> None:
    """Lines in every state, with and without a message, kept and dropped."""
    about = make_event(cast.alliance).uid
    for state in (None, *MessageState.values):
        tell(about, state=state)
        tell(about, state=state, dropped="by_wish")


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("state", STATES)
def test_lines_in_a_state_are_those_that_are_told_to_be_in_it(cast: Cast, state: str) -> None:
    for viewer in (cast.secretary, SYSTEM):
        lines = list(lines_for(viewer, Asked()))
        expected = {line.pk for line in lines if state_of(line) == state}

        assert len(lines) == 14
        assert expected
        assert {line.pk for line in lines_for(viewer, Asked(state=state))} == expected


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("state", STATES)
def test_lines_in_a_state_of_other_alliances_are_not_shown(cast: Cast, state: str) -> None:
    def seen_by(viewer: Viewer) -> list[Delivery]:
        asked = Asked(state=state, since=AT, until=AT + timedelta(seconds=1), channel="email")
        return list(lines_for(viewer, asked))

    assert seen_by(cast.other_secretary) == []
    assert seen_by(cast.secretary) != []
