"""Somebody who was sent an invitation, and answers."""

from __future__ import annotations

from typing import Any

import pytest

from coordination.accounts.models import User
from coordination.deliveries.models import Cursor
from events.invitation_notices import InvitationNews
from events.inviting import (
    invite_organizations,
)
from events.models import Invitee
from tests.events.replying import send
from tests.factories import AT, Cast, make_event


@pytest.fixture
def from_the_beginning(db: None) -> None:
    """Those invited hear of every change in the log."""
    Cursor.objects.create(subscriber=InvitationNews.name)


@pytest.fixture
def invitee(cast: Cast, settings: Any, from_the_beginning: None) -> Invitee:
    """The liaison officer of the member, who was sent an invitation."""
    settings.REPLY_ADDRESS = "reply@example.org"
    event = make_event(cast.alliance, scheduled=True)
    invite_organizations(event, [cast.member], viewer=cast.secretary, at=AT)
    User.objects.update(language="en")
    send()
    return Invitee.objects.select_related("invitation__event", "person").get()
