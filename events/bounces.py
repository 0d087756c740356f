"""Mail of ours that came back: the address is marked, the ledger says so, nobody is written to.

A report is believed only about a mail that did go to the address it names: it must enclose that
mail's Message-ID, which nobody else was sent. Otherwise anybody could silence anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from coordination.deliveries.models import Attempt, AttemptOutcome, Endpoint, Message
from coordination.deliveries.recipients import tell_bounced
from events.mail_reading import Returned


def note_returned(returned: Iterable[Returned], *, at: datetime) -> int:
    """Mark the addresses that mail of ours came back from for good; return how many.

    Args:
        returned: what a report says (RFC 3464).
        at: aware.
    """
    return sum(_note(one, at) for one in returned if one.is_permanent)


def uid_in(message_id: str) -> UUID | None:
    """Return the uid of a message of ours out of a Message-ID; None when it is none."""
    try:
        return UUID(message_id.strip("<>").partition("@")[0])
    except ValueError:
        return None


def _note(one: Returned, at: datetime) -> int:
    uid = uid_in(one.message_id)
    message = Message.objects.filter(uid=uid, channel="email").first() if uid else None
    if message is None:
        return 0
    sent = message.tries.filter(outcome=AttemptOutcome.SENT).order_by("-pk").first()
    if sent is None or sent.address.lower() != one.address:
        return 0
    if message.tries.filter(code="bounced").exists():
        return 0
    Attempt.objects.create(
        message=message,
        number=sent.number,
        outcome=AttemptOutcome.DEAD,
        code="bounced",
        detail=f"{one.status} {one.words}".strip()[:500],
        address=sent.address,
        begun_at=at,
        ended_at=at,
    )
    Endpoint.objects.filter(pk=message.endpoint_id).update(bounced_at=at)
    tell_bounced(message.recipient, message.channel, sent.address, at)
    return 1
