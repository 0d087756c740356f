"""Django's SQLite, except that the text of a statement is made ready once and not at each use.

Django writes a value's place as "%s" and SQLite wants "?". Of a long statement the exchange costs
more than SQLite takes to find a row, and the same few statements are used again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from django.db.backends.sqlite3 import base

KEPT: Final = 512  # statements of this process


class SQLiteCursor(base.SQLiteCursorWrapper):
    """A cursor that remembers what statements are in SQLite's writing."""

    def convert_query(self, query: str, *, param_names: Sequence[str] | None = None) -> str:
        """Return a statement in SQLite's writing."""
        if param_names is not None:
            converted: str = super().convert_query(query, param_names=param_names)
            return converted
        return _with_question_marks(query)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to SQLite."""

    def create_cursor(self, name: str | None = None) -> SQLiteCursor:
        """Return a cursor."""
        cursor: SQLiteCursor = self.connection.cursor(factory=SQLiteCursor)
        return cursor


@lru_cache(maxsize=KEPT)
def _with_question_marks(query: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")
