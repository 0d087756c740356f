"""How SQLite wants a statement written.

Django writes a value's place as "%s" and SQLite wants "?". Of a long statement the exchange costs
more than SQLite takes to find a row, and the same few statements are used again and again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX

KEPT: Final = 512  # statements of this process


@lru_cache(maxsize=KEPT)
def with_question_marks(query: str) -> str:
    """Return a statement in SQLite's writing."""
    return FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")
