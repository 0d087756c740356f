"""From named values to columns: the step before a row is saved."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy as _

from coordination.changes.models import Tracked
from coordination.changes.refusals import FieldError, InvalidInput

Noun = TypeVar("Noun", bound=Tracked)


OWN_COLUMNS = frozenset({"id", "version", "concerns", "created_at", "changed_at"})


def assign(obj: Noun, values: Mapping[str, Any], *, fixed: Collection[str] = ()) -> Noun:
    """Set the columns named in `values` on `obj` and return it.

    Args:
        obj: the row.
        values: values by name of column.
        fixed: columns that other verbs set, or none does; they may be named with the value they
            have. A stored row's `uid` is always fixed.

    Raises:
        InvalidInput: a name is no column of the object, or the column cannot be set here.
    """
    known = {field.name for field in obj._meta.concrete_fields} - OWN_COLUMNS
    unknown = [name for name in values if name not in known]
    if unknown:
        raise InvalidInput(
            FieldError(name, "unknown_field", _("There is no such field.")) for name in unknown
        )
    closed = {*fixed} if obj._state.adding else {*fixed, "uid"}
    refused = [name for name in values if name in closed and getattr(obj, name) != values[name]]
    if refused:
        raise InvalidInput(
            FieldError(name, "read_only", _("This cannot be set directly.")) for name in refused
        )
    for name, value in values.items():
        setattr(obj, name, value)
    return obj
