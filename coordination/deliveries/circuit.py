"""When an endpoint, or a whole channel, fails again and again: pause it, not its messages.

Five passing failures in a row open an endpoint's circuit: from then on one probe is sent each
time its pause ends, until one goes through. After five days of that it is switched off. A
channel pauses at once when the other side is away or refuses *us*: nothing is then held against
the messages that happened to be in hand, and what all who were sending saw at once counts once.
"""

from __future__ import annotations

import logging
import random
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from coordination.deliveries.backoff import (
    CHANNEL_AWAY,
    CHANNEL_REFUSES_US,
    ENDPOINT_CIRCUIT,
    Schedule,
    wait_after,
)
from coordination.deliveries.models import Channel, Endpoint

OPEN_AFTER = 5
log = logging.getLogger(__name__)


def note_endpoint_failure(endpoint_id: int, *, at: datetime) -> None:
    """Count a passing failure; from the fifth in a row on, pause the endpoint."""
    Endpoint.objects.filter(pk=endpoint_id).update(
        failures=F("failures") + 1, failing_since=Coalesce("failing_since", at)
    )
    endpoint = Endpoint.objects.only("failures", "failing_since", "disabled_at").get(pk=endpoint_id)
    if endpoint.failures < OPEN_AFTER:
        return
    since = endpoint.failing_since or at
    if at - since >= ENDPOINT_CIRCUIT.give_up_after and endpoint.disabled_at is None:
        disable_endpoint(endpoint_id, reason="failing_for_days", at=at)
        return
    steps = endpoint.failures - OPEN_AFTER + 1
    wait = wait_after(steps, ENDPOINT_CIRCUIT, spread=random.random())
    Endpoint.objects.filter(pk=endpoint_id).update(paused_until=at + wait)


def disable_endpoint(endpoint_id: int, *, reason: str, at: datetime) -> None:
    """Switch an endpoint off: what waits for it stays where it is."""
    Endpoint.objects.filter(pk=endpoint_id).update(disabled_at=at, disabled_reason=reason)
    log.error("endpoint.disabled: endpoint %s is switched off: %s.", endpoint_id, reason)


def note_endpoint_success(endpoint_id: int) -> None:
    """Close the circuit; nothing is written for an endpoint that was well."""
    Endpoint.objects.filter(pk=endpoint_id).filter(
        Q(failures__gt=0) | Q(bounced_at__isnull=False)
    ).update(failures=0, failing_since=None, paused_until=None, bounced_at=None)


def pause_channel(name: str, *, reason: str, refuses_us: bool, at: datetime) -> datetime:
    """Pause a channel after a failure that is the channel's; each one in a row pauses longer.

    Args:
        name: "email".
        reason: what the other side said, for the health page.
        refuses_us: the other side is there but will not take anything from us.
        at: now.

    Returns:
        When the pause ends.
    """
    schedule: Schedule = CHANNEL_REFUSES_US if refuses_us else CHANNEL_AWAY
    ends = _count_channel_failure(name, reason=reason, at=at, schedule=schedule, free=0)
    assert ends is not None
    return ends


def note_channel_stumble(name: str, *, reason: str, at: datetime) -> datetime | None:
    """Count a connection that broke; the fifth in a row pauses the channel.

    Returns:
        When the pause ends; None when there is none.
    """
    return _count_channel_failure(
        name, reason=reason, at=at, schedule=CHANNEL_AWAY, free=OPEN_AFTER - 1
    )


def _count_channel_failure(
    name: str, *, reason: str, at: datetime, schedule: Schedule, free: int
) -> datetime | None:
    """Count a failure of the channel, unless it is paused: what all who were sending see is one.

    Args:
        name: "email".
        reason: what the other side said.
        at: now.
        schedule: how long it pauses.
        free: how many in a row pause nothing.

    Returns:
        When the pause ends, also one that stood already; None when there is none.
    """
    Channel.objects.get_or_create(name=name)
    with transaction.atomic():
        channel = Channel.objects.select_for_update().get(name=name)
        if channel.paused_until is not None and channel.paused_until > at:
            return channel.paused_until
        channel.failures += 1
        channel.failing_since = channel.failing_since or at
        channel.reason = reason[:300]
        ends = None
        if channel.failures > free:
            ends = at + wait_after(channel.failures - free, schedule, spread=random.random())
            channel.paused_until = ends
            log.warning("Channel %s is paused until %s: %s", name, ends.isoformat(), reason)
        channel.save(update_fields=["failures", "failing_since", "reason", "paused_until"])
    return ends


def note_channel_success(name: str, *, at: datetime) -> None:
    """Close the channel's circuit, and note the minute: at most one write a minute."""
    channel, _made = Channel.objects.get_or_create(name=name)
    minute = at.replace(second=0, microsecond=0)
    if channel.failures or channel.succeeded_at != minute:
        Channel.objects.filter(name=name).update(
            failures=0, failing_since=None, paused_until=None, reason="", succeeded_at=minute
        )


def has_succeeded_since(name: str, instant: datetime) -> bool:
    """Whether anything went through the channel after `instant` (to the minute)."""
    return Channel.objects.filter(name=name, succeeded_at__gt=instant).exists()


BY_HAND = "by_hand"


def switch_off(endpoint_id: int, *, at: datetime) -> None:
    """Let nothing more go to an endpoint until somebody switches it on; what waits, waits."""
    disable_endpoint(endpoint_id, reason=BY_HAND, at=at)


def switch_on(endpoint_id: int) -> None:
    """Let messages go to an endpoint again, from a fresh count of failures."""
    Endpoint.objects.filter(pk=endpoint_id).update(
        disabled_at=None, disabled_reason="", failures=0, failing_since=None, paused_until=None
    )


def resume_channel(name: str) -> None:
    """Try a paused channel at once, from a fresh count of failures."""
    Channel.objects.filter(name=name).update(
        failures=0, failing_since=None, paused_until=None, reason=""
    )
