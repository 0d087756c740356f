"""How a row differs from what was read: the diff that the change log keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coordination.changes.models import UNTRACKED_COLUMNS, Guarded

Diff = dict[str, list[Any]]
"""Field name -> [before, after]."""


def all_columns(obj: Guarded) -> list[str]:
    """Return the names of the columns that the log keeps."""
    return [
        column.attname
        for column in obj._meta.concrete_fields
        if column.name not in UNTRACKED_COLUMNS
    ]


def changed_columns(obj: Guarded) -> list[str]:
    """Return the columns whose value is not the one read; what was never read has not changed."""
    loaded, unread = obj.loaded or {}, obj.get_deferred_fields()
    return [
        name
        for name in all_columns(obj)
        if name not in unread and (name not in loaded or loaded[name] != getattr(obj, name))
    ]


def column_diff(obj: Guarded, names: Sequence[str]) -> Diff:
    """Return what the columns were when read, and are now."""
    loaded = {} if obj.loaded is None else obj.loaded
    return {name: [loaded.get(name), getattr(obj, name)] for name in names}


def said(diff: Diff) -> Diff:
    """Leave out of the values of a row that comes or goes those that say nothing."""
    return {name: values for name, values in diff.items() if values[0] or values[1]}
