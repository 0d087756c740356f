"""Statements reach SQLite in its own writing, with every value in its place."""

import pytest
from django.db import connection

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="It is about SQLite's writing."),
]


def asked(statement, values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


def test_execute_the_same_statement_again_takes_the_new_values():
    statement = "SELECT %s || '%%' || %s"
    assert asked(statement, ["a", "b"]) == ("a%b",)
    assert asked(statement, ["%s", "?"]) == ("%s%?",)


def test_execute_with_named_values_takes_them_by_name():
    statement = "SELECT %(second)s || %(first)s || '%%'"
    assert asked(statement, {"first": "a", "second": "b"}) == ("ba%",)
    assert asked(statement, {"second": "d", "first": "c"}) == ("dc%",)


def test_execute_many_writes_every_row():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE written (word text)")
        cursor.executemany("INSERT INTO written VALUES (%s || '%%')", [["a"], ["b"]])
        cursor.execute("SELECT word FROM written ORDER BY word")
        assert cursor.fetchall() == [("a%",), ("b%",)]
