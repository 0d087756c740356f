"""From a refusal of the database to a sentence: which promise was about to be broken.

The database keeps the promises (unique keys, checks, periods that never overlap); code does not
check first and write later. When it refuses, the name of the constraint, or the columns of the
unique key, lead to the words that its model gave for it.
"""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, IntegrityError, models
from django.utils.translation import gettext_lazy as _

from coordination.changes.refusals import FieldError, InvalidInput, Message

# foreign_key_violation, serialization_failure, deadlock_detected: PostgreSQL, appendix A.
LOST_RACES = frozenset({"23503", "40001", "40P01"})
TAKEN = _("This is already taken. Choose another.")


def refusal_for(error: IntegrityError, model: type[models.Model]) -> InvalidInput | None:
    """Return the refusal for a constraint of `model` or of its parts; None when none is named.

    A model may say the words for promises kept by triggers or exclusion constraints in
    `database_promises: dict[constraint name, (field, message)]`.
    """
    text = f"{error} {getattr(getattr(error.__cause__, 'diag', None), 'constraint_name', '')}"
    related = [relation.related_model for relation in model._meta.related_objects]
    for candidate in [model, *related]:
        found = _in_model(text, candidate) if isinstance(candidate, type) else None
        if found is not None:
            return InvalidInput([found])
    return None


def is_lost_race(error: DatabaseError) -> bool:
    """Return whether a recording could not be committed because of another one.

    What it refers to was deleted in the meantime (foreign keys are checked at commit), or the
    two waited for each other and PostgreSQL ended one of them.
    """
    state = getattr(error.__cause__, "sqlstate", "")
    return state in LOST_RACES or "FOREIGN KEY constraint failed" in str(error)


def _in_model(text: str, model: type[models.Model]) -> FieldError | None:
    promises: dict[str, tuple[str, Message]] = getattr(model, "database_promises", {})
    for name, (field, message) in promises.items():
        if name in text:
            return FieldError(field, name, message)
    for constraint in model._meta.constraints:
        fields = getattr(constraint, "fields", ())
        if constraint.name in text or (fields and _names_columns(text, model, fields)):
            first = fields[0] if fields else ""
            return FieldError(first, constraint.name, words_for(model, constraint))
    for column in model._meta.concrete_fields:
        if column.unique and not column.primary_key and _is_unique_key(text, model, column):
            return FieldError(column.name, "unique", TAKEN)
    return None


def words_for(model: type[models.Model], constraint: Any) -> Message:
    """Return the sentence for a constraint of a model that is about to be broken."""
    promises: dict[str, tuple[str, Message]] = getattr(model, "database_promises", {})
    if constraint.name in promises:
        return promises[constraint.name][1]
    message: Message = constraint.violation_error_message
    if message == constraint.default_violation_error_message:
        return TAKEN if isinstance(constraint, models.UniqueConstraint) else constraint.name
    return message


def _names_columns(text: str, model: type[models.Model], fields: Any) -> bool:
    table = model._meta.db_table
    by_name = {field.name: field.column for field in model._meta.concrete_fields}
    columns = ", ".join(f"{table}.{by_name[name]}" for name in fields)
    return text.startswith(f"UNIQUE constraint failed: {columns} ")


def _is_unique_key(text: str, model: type[models.Model], column: Any) -> bool:
    return (
        _names_columns(text, model, [column.name])
        or f"{model._meta.db_table}_{column.column}_" in text
    )
