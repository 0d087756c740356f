"""Hold messages back, let them go, and try failed ones again: what staff do with the ledger."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from coordination.deliveries.models import HoldPeriod, Message, MessageState
from coordination.deliveries.querysets import MessageQuerySet


def hold_period(*, from_at: datetime, until_at: datetime, reason: str) -> HoldPeriod:
    """Hold back what fell, or will be found to have fallen, due in a span of time.

    After a restore from a backup nobody knows what the lost installation had sent since.

    Args:
        from_at: first instant, inclusive: the moment of the backup.
        until_at: end, exclusive: the moment of the restore.
        reason: short code for the ledger, "restored".
    """
    with transaction.atomic():
        period = HoldPeriod.objects.create(from_at=from_at, until_at=until_at, reason=reason)
        due_then = Q(deliveries__due_at__gte=from_at, deliveries__due_at__lt=until_at)
        due_then |= Q(deliveries__send_after__gte=from_at, deliveries__send_after__lt=until_at)
        tried_then = Q(next_attempt_at__gte=from_at, next_attempt_at__lt=until_at)
        chosen = Message.objects.pending().filter(due_then | tried_then)
        hold(Message.objects.filter(pk__in=chosen.values("pk")), reason=reason)
    return period


def release_period(period: HoldPeriod, *, at: datetime) -> int:
    """Let go what was held for a span; what is no longer wanted then is dropped by the last look.

    Returns:
        How many messages are due again.
    """
    with transaction.atomic():
        HoldPeriod.objects.filter(pk=period.pk).update(released_at=at)
        return release_held(Message.objects.filter(reason=period.reason), at=at)


def hold(messages: MessageQuerySet, *, reason: str) -> int:
    """Hold pending messages back until they are released.

    Returns:
        How many.
    """
    return messages.pending().update(
        state=MessageState.HELD, reason=reason, lease="", leased_until=None, begun_at=None
    )


def release_held(messages: MessageQuerySet, *, at: datetime) -> int:
    """Let held messages go.

    Returns:
        How many are due again, at `at`.
    """
    return _again(messages.held(), at)


def replay(messages: MessageQuerySet, *, at: datetime) -> int:
    """Try messages again that failed for good, from a fresh count of failures.

    Returns:
        How many are due again, at `at`.
    """
    return _again(messages.dead(), at)


def _again(messages: MessageQuerySet, at: datetime) -> int:
    return messages.update(
        state=MessageState.PENDING,
        reason="",
        failures=0,
        next_attempt_at=at,
        first_tried_at=None,
        lease="",
        leased_until=None,
        begun_at=None,
    )


def skip(messages: MessageQuerySet, *, reason: str) -> int:
    """Close messages that failed for good or are held: nobody will send them any more.

    Args:
        messages: dead or held ones; others are left alone.
        reason: short code for the ledger, "skipped".

    Returns:
        How many.
    """
    return messages.filter(state__in=[MessageState.DEAD, MessageState.HELD]).update(
        state=MessageState.SUPERSEDED, reason=reason
    )
