"""Webhooks to real receivers: made, fed and sent, without a domain behind them."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from django.conf import settings

from coordination.accounts.viewer import SYSTEM
from coordination.deliveries.draining import Tally
from coordination.deliveries.models import Delivery, Message, Subscription
from coordination.deliveries.posting import SOURCE, Piece, post
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Rendered
from coordination.deliveries.streaming import drain_for
from coordination.deliveries.subscribing import Subscribed, subscribe
from coordination.deliveries.timing import Timepiece
from tests.coordination.deliveries.receiver import Receiver
from tests.coordination.deliveries.stage import AT

OWNER = "user:6b1c9a52-8d27-4a57-9f37-0e9a1f0c2b11"


class News:
    """The source of what webhooks are sent, always wanted unless said otherwise."""

    kind = SOURCE

    def __init__(self) -> None:
        self.refusals: dict[str, str] = {}

    def fire_next(self, at: datetime) -> bool:
        return False

    def oldest_due_at(self, at: datetime) -> datetime | None:
        return None

    def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
        return self.refusals.get(delivery.source_id, "")

    def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
        raise LookupError("content is written when the cause happens")


@contextmanager
def let_out(*receivers: Receiver) -> Iterator[None]:
    """Allow plain HTTP to these receivers on the loopback network."""
    kept = (settings.EGRESS_HTTP, settings.EGRESS_PORTS, settings.EGRESS_NETWORKS)
    settings.EGRESS_HTTP = True
    settings.EGRESS_PORTS = [443, *(receiver.port for receiver in receivers)]
    settings.EGRESS_NETWORKS = [ip_network("127.0.0.0/8")]
    try:
        yield
    finally:
        settings.EGRESS_HTTP, settings.EGRESS_PORTS, settings.EGRESS_NETWORKS = kept


def hook_to(url: str, *, name: str = "钩子", owner: str = OWNER) -> Subscribed:
    return subscribe(owner, name=name, url=url, viewer=SYSTEM, at=AT)


def feed(
    subscription: Subscription, *sources: str, lane: str = "", at: datetime = AT
) -> list[Message]:
    """Queue a piece for each source id."""
    pieces = [
        Piece(
            subscription=subscription,
            source_id=source,
            kind="event.revised",
            happened_at=at,
            data={"uid": source},
            lane=lane,
        )
        for source in sources
    ]
    return post(pieces, at=at)


def send(at: datetime = AT, *, stop: threading.Event | None = None, **options: Any) -> Tally:
    """Drain the channel once."""
    return drain_for("webhook", Timepiece(at), stop or threading.Event()).run(**options)


def later(**parts: float) -> datetime:
    return AT + timedelta(**parts)
