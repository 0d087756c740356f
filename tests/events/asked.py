"""Organizations that are asked to an event, and the mail that their people get."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from threading import Event as Stop

from django.core import mail

from coordination.accounts.models import User
from coordination.deliveries.draining import Drain
from coordination.deliveries.loop import tick
from coordination.deliveries.timing import Timepiece
from events.inviting import invite_organizations
from events.models import Invitation
from tests.factories import AT, Cast, make_event

LATER = AT + timedelta(minutes=5)
TODAY = LATER.date()
LONG_AGO = date(2027, 1, 1)


def invited(cast: Cast, **values: object) -> Invitation:
    """Return the invitation of the member to an event with a time."""
    event = make_event(cast.alliance, scheduled=True, **values)
    [invitation] = invite_organizations(event, [cast.member], viewer=cast.secretary, at=AT)
    return invitation


def go_round(at: datetime = LATER, *, language: str = "en") -> None:
    """Read the log, and send what is due, to people who all read one language."""
    User.objects.update(language=language)
    mail.outbox.clear()
    tick(at, stop=Stop())
    Drain("email", Timepiece(at), Stop()).run()


def subjects() -> list[str]:
    """Return whom the mails sent last went to, and their subjects."""
    return [
        f"{one.to[0].partition('<')[2].partition('@')[0]}: {one.subject}" for one in mail.outbox
    ]
