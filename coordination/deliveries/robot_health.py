"""How a robot is doing: what waits, what failed, and what its answers mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q

from coordination.deliveries.models import Endpoint, Message
from coordination.deliveries.robot_words import explain


@dataclass(frozen=True, slots=True)
class Health:
    """The condition of one endpoint.

    Attributes:
        state: "off", "paused", "failing" or "well".
        reason: what is wrong and what to do; "" when nothing is.
        paused_until: instant; None when it is not paused.
        waiting: messages still to be sent.
        failed: messages that failed for good.
        sent_at: when the last message was taken; None for never.
    """

    state: str
    reason: Any
    paused_until: datetime | None
    waiting: int
    failed: int
    sent_at: datetime | None


def health_of(endpoints: Sequence[Endpoint], *, at: datetime) -> dict[int, Health]:
    """Return the condition of endpoints by key; two queries for all of them.

    Args:
        endpoints: rows as they are stored now.
        at: the database's time.
    """
    keys = [endpoint.pk for endpoint in endpoints]
    rows = (
        Message.objects.filter(endpoint__in=keys)
        .order_by()
        .values("endpoint")
        .annotate(
            waiting=Count("pk", filter=Q(state="pending")),
            failed=Count("pk", filter=Q(state="dead")),
            sent=Max("sent_at"),
        )
    )
    counts: dict[int, Any] = {row["endpoint"]: dict(row) for row in rows}
    return {
        endpoint.pk: _health(endpoint, counts.get(endpoint.pk, {}), at) for endpoint in endpoints
    }


def _health(endpoint: Endpoint, counts: dict[str, Any], at: datetime) -> Health:
    state, reason = "well", ""
    is_paused = endpoint.paused_until is not None and endpoint.paused_until > at
    if endpoint.disabled_at is not None:
        state, reason = "off", explain(endpoint.disabled_reason)
    elif is_paused:
        state = "paused"
    elif endpoint.failures:
        state = "failing"
    return Health(
        state=state,
        reason=reason,
        paused_until=endpoint.paused_until if state == "paused" else None,
        waiting=counts.get("waiting", 0),
        failed=counts.get("failed", 0),
        sent_at=counts.get("sent"),
    )
