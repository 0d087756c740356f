"""A statement that goes straight to the driver does what it does by Django's cursor."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, ProgrammingError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from coordination.changes.models import Scope
from coordination.statements import kept, row_of, rows_of, written_by

pytestmark = pytest.mark.django_db
READ = (
    "SELECT name, last_number FROM changes_scope WHERE name LIKE %s AND name <> '%%' ORDER BY name"
)
WRITE = "INSERT INTO changes_scope (name, last_number) VALUES (%s, %s)"


@pytest.fixture(params=["driver", "cursor"], autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Ask by the driver, and as it is asked where somebody watches."""
    Scope.objects.bulk_create([Scope(name=f"x:{number}", last_number=number) for number in (1, 2)])
    connection.ensure_connection()
    with CaptureQueriesContext(connection) if request.param == "cursor" else nullcontext() as seen:
        yield seen


def test_rows_are_those_of_the_table() -> None:
    assert rows_of(READ, ["x:%"]) == [("x:1", 1), ("x:2", 2)]
    assert row_of(READ, ["x:2"]) == ("x:2", 2)
    assert row_of(READ, ["y:%"]) is None


def test_rows_written_are_counted() -> None:
    assert written_by(WRITE, ["x:3", 3]) == 1
    assert (
        written_by("UPDATE changes_scope SET last_number = %s WHERE name LIKE %s", [9, "x:%"]) == 3
    )
    assert row_of(READ, ["x:3"]) == ("x:3", 9)


def test_failures_are_django_s_and_leave_the_transaction_to_be_undone() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        written_by(WRITE, ["x:3", 3])
        written_by(WRITE, ["x:1", 1])
    with pytest.raises((OperationalError, ProgrammingError)), transaction.atomic():
        rows_of("SELECT nothing FROM nowhere", [])

    assert row_of(READ, ["x:3"]) is None


def test_a_statement_that_is_kept_says_how_many_rows_and_which() -> None:
    raised = "UPDATE changes_scope SET last_number = %(to)s WHERE name LIKE %(name)s"

    assert kept(raised, {"to": 7, "name": "x:%"})[0] == 2
    assert kept(f"{raised} RETURNING name", {"to": 8, "name": "x:2"})[1] == [("x:2",)]
    assert row_of(READ, ["x:2"]) == ("x:2", 8)


def test_what_is_kept_fails_as_django_says_it() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        kept("INSERT INTO changes_scope (name, last_number) VALUES (%(n)s, 1)", {"n": "x:1"})
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            kept("SELECT 1 FROM changes_scope", {})


def test_nothing_is_asked_in_a_broken_transaction() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            rows_of(READ, ["x:%"])
        with pytest.raises(TransactionManagementError):
            written_by(WRITE, ["x:3", 3])


def test_whoever_watches_sees_every_statement(way: Any) -> None:
    rows_of(READ, ["x:%"])
    written_by(WRITE, ["x:3", 3])
    seen = []
    with connection.execute_wrapper(lambda run, sql, *rest: seen.append(sql) or run(sql, *rest)):
        rows_of(READ, ["x:%"])

    assert seen == [READ]
    assert way is None or len(way) == 3
