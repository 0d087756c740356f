"""What a reader does with the messages in their inbox."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import NotVisible
from coordination.deliveries.models import Endpoint, InboxItem

INBOX = "inbox"


def open_inboxes_of(recipients: Collection[str]) -> int:
    """Give an inbox to readers who can sign in; one that they have stays.

    Args:
        recipients: their keys.

    Returns:
        How many keys there were.
    """
    Endpoint.objects.bulk_create(
        [Endpoint(channel=INBOX, owner=key, address=INBOX) for key in recipients],
        ignore_conflicts=True,
    )
    rows = Endpoint.objects.filter(channel=INBOX, name="", owner__in=recipients)
    return rows.update(address=INBOX)


def inbox_item(uid: UUID, *, viewer: Viewer) -> InboxItem:
    """Return a message of the viewer's own inbox.

    Raises:
        NotVisible: there is none.
    """
    found = InboxItem.objects.visible_to(viewer).filter(uid=uid).first()
    if found is None:
        raise NotVisible
    return found


def mark_read(uid: UUID, *, viewer: Viewer, at: datetime) -> InboxItem:
    """Note that a message was read; the first time counts.

    Raises:
        NotVisible.
    """
    InboxItem.objects.visible_to(viewer).unread().filter(uid=uid).update(read_at=at)
    return inbox_item(uid, viewer=viewer)


def mark_unread(uid: UUID, *, viewer: Viewer) -> InboxItem:
    """Take the note back.

    Raises:
        NotVisible.
    """
    InboxItem.objects.visible_to(viewer).filter(uid=uid).update(read_at=None)
    return inbox_item(uid, viewer=viewer)


def mark_all_read(*, viewer: Viewer, at: datetime) -> int:
    """Note that everything was read; return how much was unread."""
    return InboxItem.objects.visible_to(viewer).unread().update(read_at=at)


def unread_count(viewer: Viewer) -> int:
    """Return how many messages the viewer has not read; one small query, none for the public."""
    if not viewer.is_authenticated:
        return 0
    return InboxItem.objects.visible_to(viewer).unread().count()
