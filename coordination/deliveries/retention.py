"""How long the ledger keeps what.

The content of a message for 90 days, its lines for 400. A message that nobody could send before
it became worthless is closed, so that the ledger says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction

from coordination.deliveries.models import (
    Attempt,
    Delivery,
    Endpoint,
    InboxItem,
    Message,
    MessageState,
    Wishes,
)

KEEP_CONTENT = timedelta(days=90)
KEEP_LINES = timedelta(days=400)
BATCH = 5000


def expire_overdue(at: datetime) -> int:
    """Close pending messages whose time is over and that nobody is sending.

    Returns:
        How many.
    """
    return (
        Message.objects.pending()
        .filter(expires_at__lte=at, lease="")
        .update(state=MessageState.EXPIRED, reason="expired")
    )


def forget_content(at: datetime) -> int:
    """Empty the content of messages made over 90 days ago; the lines stay.

    Returns:
        How many were emptied; call again until it is 0.
    """
    old = (
        Message.objects.exclude(state=MessageState.PENDING)
        .filter(created_at__lt=at - KEEP_CONTENT)
        .exclude(rendered="")
    )
    return Message.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:BATCH])).update(
        rendered=""
    )


def delete_old(at: datetime) -> int:
    """Delete messages made over 400 days ago with their lines and tries, 5000 at a time.

    And as many lines of that age that never came into a message, since it was not to be.

    Returns:
        How many messages and such lines were deleted; call again until it is 0.
    """
    before = at - KEEP_LINES
    old = Message.objects.exclude(state=MessageState.PENDING).filter(created_at__lt=before)
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:BATCH])
    dropped = Delivery.objects.filter(message=None, created_at__lt=before)
    dropped = dropped.exclude(dropped_reason="").order_by("pk")
    lines = list(dropped.values_list("pk", flat=True)[:BATCH])
    with transaction.atomic():
        for model, column, values in (
            (Attempt, "message", keys),
            (Delivery, "message", keys),
            (Message, "pk", keys),
            (Delivery, "pk", lines),
        ):
            rows = model._default_manager.filter(**{f"{column}__in": values})
            rows._raw_delete(connection.alias)
    return len(keys) + len(lines)


def empty_inboxes(at: datetime) -> int:
    """Delete what has lain in inboxes for over 400 days, 5000 at a time.

    Returns:
        How many; call again until it is 0.
    """
    old = InboxItem.objects.filter(created_at__lt=at - KEEP_LINES).order_by("pk")
    keys = list(old.values_list("pk", flat=True)[:BATCH])
    InboxItem.objects.filter(pk__in=keys).delete()
    return len(keys)


def forget_addresses(recipient: str) -> int:
    """Erase a person's addresses and what was written to them; the lines stay.

    Args:
        recipient: key of the person.

    Returns:
        How many endpoints were emptied.
    """
    with transaction.atomic():
        Attempt.objects.filter(message__recipient=recipient).update(address="", detail="")
        Message.objects.filter(recipient=recipient).update(rendered="", error="")
        InboxItem.objects.filter(recipient=recipient).delete()
        Wishes.objects.filter(recipient=recipient).delete()
        return Endpoint.objects.filter(owner=recipient, name="").update(address="")
