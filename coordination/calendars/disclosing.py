"""Which fields of the API a change of an event touched, as far as a viewer may know them.

The log knows columns; who reads the API knows fields. The representation of an event says which
columns stand behind each field, so the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache

from coordination.accounts.viewer import Viewer
from coordination.rest.reading import Computed, Localized, Reader, Reading, Rows, Texts
from events.api.serializers import EventReading, for_secretariat, is_inside
from events.models import Event

UNTOLD = frozenset({"uid", "url", "version", "created_at", "changed_at"})
FOR_INSIDERS = frozenset({"online_url", "contact"})
FOR_SECRETARIAT = frozenset({"notes"})


@cache
def columns_by_field() -> dict[str, frozenset[str]]:
    """Return the columns and parts of an event behind each field of its representation."""
    fields = EventReading().fields
    return {
        name: frozenset(_columns(field, name))
        for name, field in fields.items()
        if name not in UNTOLD and not isinstance(field, Texts)
    }


def _columns(field: object, name: str) -> Iterable[str]:
    if isinstance(field, Localized):
        return [f"{field.columns}_zh", f"{field.columns}_en"]
    if isinstance(field, Computed):
        return [_column(need) for need in field.needs if need != "concerns"]
    if isinstance(field, Rows):
        return [field.related]
    if isinstance(field, Reading):
        return [_column(name)]
    return [_column(str(getattr(field, "source", "") or name))]


def _column(path: str) -> str:
    """Return the event's own column that a dotted path begins with."""
    first = path.partition(".")[0]
    columns = {column.name: column.attname for column in Event._meta.concrete_fields}
    return columns.get(first, first)


def known_fields(
    diff: Collection[str], viewer: Viewer, *, seen_by: Collection[str], alliance: int | None
) -> list[str]:
    """Return the fields that a change touched and that the viewer may know, sorted.

    Args:
        diff: names of columns and parts that differ.
        viewer: who is told.
        seen_by: scopes that see the event after the change.
        alliance: key of the alliance that owns it.
    """
    reader = Reader(viewer, viewer.language)
    hidden: frozenset[str] = frozenset()
    if not is_inside(reader, " ".join(seen_by)):
        hidden |= FOR_INSIDERS
    if alliance is None or for_secretariat(reader, alliance, "") is None:
        hidden |= FOR_SECRETARIAT
    changed = set(diff)
    return sorted(
        name
        for name, columns in columns_by_field().items()
        if name not in hidden and columns & changed
    )
