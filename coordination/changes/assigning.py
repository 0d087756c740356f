"""From named values to columns: the step before a row is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy as _

from coordination.changes.models import Tracked
from coordination.changes.refusals import FieldError, InvalidInput

Noun = TypeVar("Noun", bound=Tracked)


def assign(obj: Noun, values: Mapping[str, Any]) -> Noun:
    """Set the columns named in `values` on `obj` and return it.

    Raises:
        InvalidInput: a name is no column of the object.
    """
    known = {field.name for field in obj._meta.concrete_fields}
    unknown = [name for name in values if name not in known]
    if unknown:
        raise InvalidInput(
            FieldError(name, "unknown_field", _("There is no such field.")) for name in unknown
        )
    for name, value in values.items():
        setattr(obj, name, value)
    return obj
