"""Django's SQLite, except that the text of a statement is made ready once and not at each use."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.sqlite3 import base

from coordination.sqlite.writing import with_question_marks


class SQLiteCursor(base.SQLiteCursorWrapper):
    """A cursor that remembers what statements are in SQLite's writing."""

    def convert_query(self, query: str, *, param_names: Sequence[str] | None = None) -> str:
        """Return a statement in SQLite's writing."""
        if param_names is not None:
            converted: str = super().convert_query(query, param_names=param_names)
            return converted
        return with_question_marks(query)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to SQLite."""

    def create_cursor(self, name: str | None = None) -> SQLiteCursor:
        """Return a cursor."""
        cursor: SQLiteCursor = self.connection.cursor(factory=SQLiteCursor)
        return cursor
