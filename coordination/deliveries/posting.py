"""Put news for webhooks into the queue, with its content, in the transaction of its cause.

Unlike a mail, what a webhook is told is fixed when it happens: a thin payload of what changed, the
same to the byte in every copy. Pieces of one lane (about one event) go out one after another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from coordination.deliveries.bundling import message_uid
from coordination.deliveries.models import Delivery, Message, Subscription
from coordination.deliveries.sources import Rendered
from coordination.deliveries.subscriptions import WEBHOOK

SOURCE = "webhook"
PING = "ping"
WORTH = timedelta(days=30)  # whoever was away longer reads anew


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of news for one webhook.

    Attributes:
        subscription: for which, with its endpoint.
        source_id: names the cause; a second piece of the same one is not queued.
        kind: the payload's `type`.
        happened_at: the payload's `timestamp`, aware.
        data: the payload's `data`.
        lane: pieces of one lane keep their order; "" for none.
    """

    subscription: Subscription
    source_id: str
    kind: str
    happened_at: datetime
    data: Mapping[str, Any]
    lane: str = ""

    @property
    def payload(self) -> str:
        """Return the body, JSON in UTF-8 without spaces."""
        values = {
            "type": self.kind,
            "timestamp": self.happened_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "data": dict(self.data),
        }
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def post(pieces: Sequence[Piece], *, at: datetime) -> list[Message]:
    """Queue pieces, in their order; those that are queued already are left out.

    Args:
        pieces: the earliest first.
        at: the database's time: they are due at once.

    Returns:
        The messages made.
    """
    with transaction.atomic():
        lines = [_line(piece, at) for piece in pieces]
        uids = [message_uid([line]) for line in lines]
        known = set(Message.objects.filter(uid__in=uids).values_list("uid", flat=True))
        fresh = [row for row in zip(pieces, lines, uids, strict=True) if row[2] not in known]
        made = Message.objects.bulk_create(
            Message(
                uid=uid,
                endpoint_id=line.endpoint_id,
                recipient=line.recipient,
                channel=WEBHOOK,
                source=SOURCE,
                lane=piece.lane,
                next_attempt_at=at,
                expires_at=at + WORTH,
                rendered=Rendered(subject=piece.kind, text=piece.payload).stored(),
                created_at=at,
            )
            for piece, line, uid in fresh
        )
        _tie([line for _piece, line, _uid in fresh], made)
    return made


def _line(piece: Piece, at: datetime) -> Delivery:
    endpoint = piece.subscription.endpoint
    return Delivery(
        source=SOURCE,
        source_id=piece.source_id,
        recipient=endpoint.owner,
        channel=WEBHOOK,
        endpoint=endpoint,
        lane=piece.lane,
        due_at=at,
        send_after=at,
        created_at=at,
    )


def _tie(lines: Iterable[Delivery], messages: Iterable[Message]) -> None:
    rows = []
    for line, message in zip(lines, messages, strict=True):
        line.message = message
        rows.append(line)
    Delivery.objects.bulk_create(rows)
