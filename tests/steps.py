"""How much SQLite does for something: the same each time, on any machine.

What the planner of PostgreSQL chooses depends on what it counted; what SQLite's does, on the words
of a statement alone. So it is here that a table read from end to end can be told from an index.
"""

from collections.abc import Callable
from itertools import count

import pytest
from django.db import connection

counted = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL plans by what it counted"
)


def steps_of(action: Callable[[], object]) -> int:
    """Return how many steps SQLite's machine takes for what is done."""
    steps = count()
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: next(steps) and None, 1)
    try:
        action()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return next(steps)
