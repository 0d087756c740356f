"""Numbering: the last thing a recording does before it commits."""

from __future__ import annotations

from collections.abc import Sequence

from coordination.changes.buffering import Entry
from coordination.changes.models import WHOLE_LOG, Change, ChangeScope, Counter, Scope
from coordination.prepared import Columns, insert_rows
from coordination.statements import row_of

TAKE_SQL = f"""
    UPDATE {Counter._meta.db_table} SET value = value + %s WHERE id = 1 RETURNING value
"""


def number_entries(entries: Sequence[Entry]) -> None:
    """Lock the counter, number the entries and write them. The last statements before commit."""
    last = _take(len(entries))
    first = last - len(entries) + 1
    changes: list[Columns] = []
    concerns: list[Columns] = []
    scopes = {WHOLE_LOG: last}
    for number, entry in enumerate(entries, start=first):
        recorded = entry.recorded
        changes.append(_change(number, entry))
        for scope in recorded.before | recorded.after:
            scopes[scope] = number
            concerns.append(
                {
                    "number": number,
                    "scope": scope,
                    "before": scope in recorded.before,
                    "after": scope in recorded.after,
                }
            )
    insert_rows(Change, changes)
    insert_rows(ChangeScope, concerns)
    insert_rows(
        Scope,
        [{"name": name, "last_number": number} for name, number in sorted(scopes.items())],
        unique=("name",),
        update=("last_number",),
    )


def _take(how_many: int) -> int:
    """Take that many numbers, and return the last of them."""
    taken = row_of(TAKE_SQL, [how_many])
    if taken is None:  # an emptied database
        Counter.objects.bulk_create([Counter(pk=1)], ignore_conflicts=True)
        return _take(how_many)
    last: int = taken[0]
    return last


def _change(number: int, entry: Entry) -> Columns:
    recorded = entry.recorded
    return {
        "number": number,
        "kind": recorded.kind,
        "object_type": recorded.obj.object_type(),
        "object_uid": recorded.obj.uid,
        "object_version": entry.version,
        "actor": entry.actor,
        "at": entry.at,
        "reason": entry.reason,
        "diff": recorded.diff,
    }
