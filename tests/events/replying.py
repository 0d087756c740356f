"""Invite somebody, and let what their calendar answers come in."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event as Stop

from django.core import mail

from coordination.deliveries.draining import Drain
from coordination.deliveries.loop import tick
from coordination.deliveries.timing import Timepiece
from events.answer_links import reply_address
from events.inbound import read_waiting, receive
from events.models import Answer, InboundMessage, Invitee
from tests.events.reply_samples import sample
from tests.factories import AT, stored

LATER = AT + timedelta(minutes=5)
STAMP = "20280110T020600Z"
ADDRESS = "liaison@example.org"


def send(at: datetime = LATER) -> None:
    mail.outbox.clear()
    tick(at, stop=Stop())
    Drain("email", Timepiece(at), Stop()).run()


def reply(name: str, invitee: Invitee, **values: object) -> bytes:
    event = stored(invitee.invitation.event)
    known: dict[str, object] = {
        "uid": event.ical_uid,
        "reply_to": reply_address(invitee),
        "attendee": ADDRESS,
        "sequence": event.sequence,
        "stamp": STAMP,
    }
    return sample(name, **known | values)


def come_in(raw: bytes, *, at: datetime = LATER + timedelta(minutes=5)) -> InboundMessage:
    row, _is_new = receive(raw, way="mailbox", at=at)
    read_waiting(at=at)
    row.refresh_from_db()
    return row


def answers() -> list[tuple[str, str, str]]:
    return list(Answer.objects.order_by("pk").values_list("state", "way", "comment"))
