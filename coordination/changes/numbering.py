"""Numbering: the last thing a recording does before it commits."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F

from coordination.changes.buffering import Entry
from coordination.changes.models import WHOLE_LOG, Change, ChangeScope, Counter, Scope

BATCH = 500


def number_entries(entries: Sequence[Entry]) -> None:
    """Lock the counter, number the entries and write them. The last statements before commit."""
    last = _take(len(entries))
    first = last - len(entries) + 1
    changes, concerns, scopes = [], [], {WHOLE_LOG: last}
    for number, entry in enumerate(entries, start=first):
        recorded = entry.recorded
        changes.append(_change(number, entry))
        for scope in recorded.before | recorded.after:
            scopes[scope] = number
            concerns.append(
                ChangeScope(
                    number=number,
                    scope=scope,
                    before=scope in recorded.before,
                    after=scope in recorded.after,
                )
            )
    Change.objects.bulk_create(changes, batch_size=BATCH)
    ChangeScope.objects.bulk_create(concerns, batch_size=BATCH)
    Scope.objects.bulk_create(
        [Scope(name=name, last_number=number) for name, number in sorted(scopes.items())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["last_number"],
    )


def _take(how_many: int) -> int:
    """Take that many numbers, and return the last of them."""
    counter = Counter.objects.filter(pk=1)
    if not counter.update(value=F("value") + how_many):  # an emptied database
        Counter.objects.bulk_create([Counter(pk=1)], ignore_conflicts=True)
        counter.update(value=F("value") + how_many)
    return Counter.objects.values_list("value", flat=True).get(pk=1)


def _change(number: int, entry: Entry) -> Change:
    recorded = entry.recorded
    return Change(
        number=number,
        kind=recorded.kind,
        object_type=recorded.obj.object_type(),
        object_uid=recorded.obj.uid,
        object_version=entry.version,
        actor=entry.actor,
        at=entry.at,
        reason=entry.reason,
        diff=recorded.diff,
    )
