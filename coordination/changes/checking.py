"""Whether values fit where they are to be kept, said before the database is asked.

Both databases then refuse the same: SQLite would keep a number or a text of any size, PostgreSQL
would break off on a character that it cannot hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils.translation import gettext_lazy as _

from coordination.changes.models import UNTRACKED_COLUMNS
from coordination.changes.refusals import FieldError, InvalidInput

REASON_LENGTH: Final = 500
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200
LARGEST_JSON: Final = 200_000
"""Characters of all texts in one JSON column; a line held every day of a year has 40,000."""

# What XML 1.0 (section 2.2) cannot carry, and so neither workbooks nor CalDAV; with it NUL, which
# PostgreSQL cannot keep, and halves of surrogate pairs, which have no UTF-8.
UNKEEPABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

SAID_BETTER_HERE: Final = (_("Null characters are not allowed."),)
"""What Django's forms say of NUL: its Chinese is garbled, and our catalogue is looked at first."""


def check_fields(obj: models.Model, *, only: Sequence[str] | None = None) -> None:
    """Check that values fit their columns, without a query; values are cast as columns want them.

    Args:
        obj: the row.
        only: column names to check; None for all.

    Raises:
        InvalidInput: naming each field that does not fit.
    """
    columns = [
        column
        for column in obj._meta.concrete_fields
        if not column.primary_key
        and column.name not in UNTRACKED_COLUMNS
        and (only is None or column.attname in only)
    ]
    errors = [error for column in columns for error in _misfits(column, obj)]
    if errors:
        raise InvalidInput(errors)
    checked = {column.name for column in columns if not column.is_relation}
    try:
        obj.clean_fields({column.name for column in obj._meta.concrete_fields} - checked)
    except ValidationError as error:
        raise InvalidInput(
            FieldError(name, problem.code or "invalid", " ".join(problem.messages))
            for name, problems in error.error_dict.items()
            for problem in problems
        ) from None


def check_reason(reason: str) -> None:
    """Check the reason that is kept with a change.

    Raises:
        InvalidInput: it is too long, or has a character that cannot be kept.
    """
    errors = list(_misfits_of_text("reason", reason, REASON_LENGTH))
    if errors:
        raise InvalidInput(errors)


def _misfits(column: Any, obj: models.Model) -> Iterator[FieldError]:
    value = getattr(obj, column.attname)
    if column.is_relation:
        if value is None and not column.null and column.name != getattr(obj, "owner_field", ""):
            yield FieldError(column.name, "required", _("This is needed."))
    elif isinstance(value, str):
        longest = column.max_length if isinstance(column, models.TextField) else None
        yield from _misfits_of_text(column.name, value, longest)
    elif isinstance(value, date):
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            yield FieldError(column.name, "date_out_of_range", OUT_OF_RANGE)
    elif isinstance(value, int):
        yield from _misfits_of_number(column, value)
    elif isinstance(column, models.JSONField):
        texts = list(_texts_in(value))
        yield from _misfits_of_text(column.name, "".join(texts), LARGEST_JSON)


OUT_OF_RANGE = _("Give a date from the year 1900 to the year 2200.")


def _misfits_of_text(name: str, text: str, longest: int | None) -> Iterator[FieldError]:
    if longest is not None and len(text) > longest:
        yield FieldError(
            name,
            "max_length",
            _("This text is too long: at most %(longest)s characters.") % {"longest": longest},
        )
    elif UNKEEPABLE.search(text):
        yield FieldError(
            name,
            "unkeepable_character",
            _("This text has a character in it that cannot be kept, such as a control character."),
        )


def _misfits_of_number(column: Any, value: int) -> Iterator[FieldError]:
    limits = BaseDatabaseOperations.integer_field_ranges.get(column.get_internal_type())
    if limits is not None and not limits[0] <= value <= limits[1]:
        yield FieldError(
            column.name,
            "number_out_of_range",
            _("Give a number from %(least)s to %(most)s.")
            % {"least": limits[0], "most": limits[1]},
        )


def _texts_in(value: Any) -> Iterator[str]:
    """Yield every text inside a JSON value, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts_in(inner)
