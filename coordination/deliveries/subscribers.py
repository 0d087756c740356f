"""Read the change log behind a cursor and let subscribers turn changes into deliveries.

The log's numbers have no gaps and follow the order of commits, so a cursor misses nothing. The
cursor moves in the transaction that writes the deliveries: a crash undoes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from django.db import connection, transaction

from coordination.changes.models import Change, Counter
from coordination.deliveries.models import Cursor

BATCH = 200


class Subscriber(Protocol):
    """Turns changes into deliveries.

    One that reads what another writes says so, and reads no further than that one has: `follows`
    is the other's name.
    """

    name: str

    def tell(self, changes: Sequence[Change], at: datetime) -> None:
        """Fan out what these changes mean; called inside the transaction that moves the cursor.

        Args:
            changes: in the order of their numbers.
            at: the database's time.
        """
        ...


_subscribers: dict[str, Subscriber] = {}


def register_subscriber(subscriber: Subscriber) -> None:
    """Register a reader of the log; for `AppConfig.ready`. The last one of a name counts."""
    _subscribers[subscriber.name] = subscriber


def all_subscribers() -> tuple[Subscriber, ...]:
    """Return the registered subscribers."""
    return tuple(_subscribers.values())


def read_on(subscriber: Subscriber, *, at: datetime) -> int:
    """Let one subscriber read the next changes, and move its cursor.

    A new subscriber begins at the end of the log: it isn't told the past. Where another process
    is reading for it, nothing happens.

    Returns:
        How many changes it read; call again until it is 0.
    """
    if not Cursor.objects.filter(subscriber=subscriber.name).exists():
        end = Counter.objects.values_list("value", flat=True).first() or 0
        Cursor.objects.get_or_create(subscriber=subscriber.name, defaults={"number": end})
    with transaction.atomic():
        rows = Cursor.objects.filter(subscriber=subscriber.name)
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        cursor = rows.first()
        if cursor is None:
            return 0
        changes = list(Change.objects.filter(number__gt=cursor.number).order_by("number")[:BATCH])
        other: str = getattr(subscriber, "follows", "")
        if changes and other:
            changes = _read_by(other, changes)
        if changes:
            subscriber.tell(changes, at)
            Cursor.objects.filter(pk=cursor.pk).update(number=changes[-1].number, moved_at=at)
        return len(changes)


def _read_by(other: str, changes: Sequence[Change]) -> list[Change]:
    """Return the changes that another subscriber has read; all where it never has."""
    rows = Cursor.objects.filter(subscriber=other)
    read = rows.values_list("number", flat=True).first()
    return [change for change in changes if read is None or change.number <= read]
