"""Statements whose text stands already, given to the database driver as they are.

To find one row by an index costs a database less than Django's cursor costs around it. What is
asked at every poll and written with every change is therefore handed to the driver itself, in the
same connection and transaction and with Django's errors. Where somebody watches the statements
(a test that counts them, a wrapper, ``DEBUG``), and where the connection has yet to be opened,
checked or undone, it goes by Django's cursor as everything else does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter, methodcaller
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections

from coordination.sqlite.writing import with_question_marks

Row = tuple[Any, ...]
_ALL_ROWS: Final = methodcaller("fetchall")
_ROW_COUNT: Final = attrgetter("rowcount")


def rows_of(sql: str, values: Sequence[Any]) -> list[Row]:
    """Return all rows of an answer, as the driver gives them.

    Args:
        sql: with ``%s`` for each value.
        values: as the database wants them.
    """
    rows: list[Row] = _run(sql, values, _ALL_ROWS)
    return rows


def row_of(sql: str, values: Sequence[Any]) -> Row | None:
    """Return the one row of an answer; None without one."""
    rows = rows_of(sql, values)
    return rows[0] if rows else None


def instant_of(value: datetime | None) -> datetime | None:
    """Return an instant of a row aware of its zone; SQLite's driver gives it in UTC without one."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def written_by(sql: str, values: Sequence[Any]) -> int:
    """Return how many rows a statement wrote."""
    count: int = _run(sql, values, _ROW_COUNT)
    return count


def kept(sql: str, values: Mapping[str, Any]) -> tuple[int, list[Row]]:
    """Execute a statement that runs for every batch of work.

    PostgreSQL keeps it planned for the connection and answers in binary form, which is read at a
    tenth the cost.

    Args:
        sql: with names for its values, ``%(at)s``.
        values: by name, as the database wants them.

    Returns:
        How many rows it wrote or found, and what it answers.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        with database.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.rowcount, cursor.fetchall()
    if not _is_plain(database):
        database.cursor().close()  # opened, and checked
        database.validate_no_broken_transaction()
    try:
        return _kept_planned(database, sql, values)
    except Exception:
        with database.wrap_database_errors:
            raise


def _kept_planned(database: Any, sql: str, values: Mapping[str, Any]) -> tuple[int, list[Row]]:
    from psycopg import Cursor

    with Cursor(database.connection) as cursor:
        cursor.execute(sql, values, prepare=True, binary=True)
        return cursor.rowcount, cursor.fetchall() if cursor.description else []


def _run(sql: str, values: Sequence[Any], result: Callable[[Any], Any]) -> Any:
    """Return what is asked of the cursor after the statement, by the driver's or by Django's."""
    database = connections[DEFAULT_DB_ALIAS]
    if not _is_plain(database):
        with database.cursor() as cursor:
            cursor.execute(sql, values)
            return result(cursor)
    try:
        return result(_executed(database, sql, values))
    except Exception:
        with database.wrap_database_errors:
            raise


def _is_plain(database: Any) -> bool:
    """Return whether Django's cursor would only hand the statement on."""
    return (
        database.connection is not None
        and (database.health_check_done or not database.health_check_enabled)
        and not (database.needs_rollback or database.execute_wrappers or database.queries_logged)
    )


def _executed(database: Any, sql: str, values: Sequence[Any]) -> Any:
    text = with_question_marks(sql) if database.vendor == "sqlite" else sql
    return database.connection.execute(text, values)
