"""Every promise that the database keeps has a sentence, on both databases."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, models

from coordination.changes.integrity import TAKEN, is_lost_race, refusal_for
from coordination.changes.models import Part, Tracked

NOUNS = [model for model in apps.get_models() if issubclass(model, Tracked | Part)]
PROMISES = [(model, rule) for model in NOUNS for rule in model._meta.constraints]
OTHER_PROMISES = [
    (model, name) for model in NOUNS for name in getattr(model, "database_promises", {})
]


def as_postgresql(name: str) -> IntegrityError:
    error = IntegrityError(f'new row violates constraint "{name}"\nDETAIL:  Failing row contains …')
    error.__cause__ = Refused(name)
    return error


class Refused(Exception):
    def __init__(self, name: str) -> None:
        self.diag = SimpleNamespace(constraint_name=name)
        self.sqlstate = "23505"


def as_sqlite(model: type[models.Model], rule: Any) -> IntegrityError:
    if not isinstance(rule, models.UniqueConstraint):
        return IntegrityError(f"CHECK constraint failed: {rule.name}")
    columns = [model._meta.get_field(name).column for name in rule.fields]  # type: ignore[union-attr]
    keys = ", ".join(f"{model._meta.db_table}.{column}" for column in columns)
    return IntegrityError(f"UNIQUE constraint failed: {keys}")


@pytest.mark.parametrize(("model", "rule"), PROMISES, ids=[rule.name for _m, rule in PROMISES])
def test_broken_promise_is_said_in_a_sentence_on_both_databases(
    model: type[models.Model], rule: Any
) -> None:
    said = [
        refusal_for(as_postgresql(rule.name), model),
        refusal_for(as_sqlite(model, rule), model),
    ]

    errors = [refusal.errors[0] for refusal in said if refusal is not None]
    assert len(errors) == 2
    assert errors[0].message == errors[1].message
    message = str(errors[0].message)
    assert message not in (rule.name, str(TAKEN), rule.default_violation_error_message)


@pytest.mark.parametrize(
    ("model", "name"), OTHER_PROMISES, ids=[name for _m, name in OTHER_PROMISES]
)
def test_promise_beside_the_constraints_is_said_in_its_own_words(
    model: type[models.Model], name: str
) -> None:
    refusal = refusal_for(as_postgresql(name), model)

    assert refusal is not None
    assert refusal.errors[0].code == name


@pytest.mark.parametrize("model", NOUNS, ids=[model.__name__ for model in NOUNS])
def test_taken_key_names_its_field_on_both_databases(model: type[models.Model]) -> None:
    for column in model._meta.concrete_fields:
        if not column.unique or column.primary_key:
            continue
        table = model._meta.db_table
        sqlite = IntegrityError(f"UNIQUE constraint failed: {table}.{column.column}")
        for error in (sqlite, as_postgresql(f"{table}_{column.column}_key")):
            refusal = refusal_for(error, model)
            assert refusal is not None
            assert (refusal.errors[0].field, refusal.errors[0].code) == (column.name, "unique")


@pytest.mark.parametrize(
    ("state", "lost"), [("40P01", True), ("40001", True), ("23503", True), ("23505", False)]
)
def test_lost_race_is_told_from_other_errors(state: str, lost: bool) -> None:
    error = IntegrityError("…")
    error.__cause__ = Refused("x")
    error.__cause__.sqlstate = state

    assert is_lost_race(error) is lost
    assert is_lost_race(IntegrityError("FOREIGN KEY constraint failed")) is True
