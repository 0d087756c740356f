"""What the last look found, kept only while the change log stands still.

Before each message the last look asks whether it is still wanted. A thousand messages about one
event ask the same: so the answers are kept with the number of the log at which they were found,
and that number is read anew each time. Whoever writes anything moves it, in the same transaction:
a kept answer is never older than one that were asked for now.

Nothing is kept, and nothing kept is used, inside a transaction: it may be undone, and its number
given to another.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

from coordination.changes.models import Counter
from coordination.statements import rows_of

MOST_ANSWERS = 500
FEW = 4
MOST_PEOPLE = 5000
Mark = tuple[str, int]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Stand:
    """Where things stand at this moment.

    Attributes:
        mark: epoch and number of the log; None where nothing may be kept.
        generation: of the row that a message comes from, which may move without the log; None
            when it is gone.
    """

    mark: Mark | None
    generation: int | None


class Memory:
    """Answers about the rows of one table, shared by the threads of a process."""

    def __init__(self, model: type[Model]) -> None:
        """Remember nothing yet.

        Args:
            model: has a column `generation`.
        """
        counter = f"FROM {Counter._meta.db_table} WHERE id = 1"
        self._statement = (
            f"SELECT (SELECT CAST(epoch AS varchar(36)) {counter}), (SELECT value {counter}),"
            f" (SELECT generation FROM {model._meta.db_table} WHERE id = %s)"
        )
        self._lock = Lock()
        self._mark: Mark | None = None
        self._answers: dict[Hashable, Any] = {}

    def stand(self, pk: int) -> Stand:
        """Return where the log stands, and the generation of a row: one small query."""
        [(epoch, number, generation)] = rows_of(self._statement, [pk])
        is_kept = epoch is not None and not connection.in_atomic_block
        return Stand((epoch, number) if is_kept else None, generation)

    def recall(self, stand: Stand, key: Hashable, make: Callable[[], Answer]) -> Answer:
        """Return what is kept under a key, or make it.

        Args:
            stand: read before, for this message.
            key: what was asked.
            make: finds the answer out, from what is recorded in the log and from the key alone.
        """
        if stand.mark is None:
            return make()
        with self._lock:
            if self._mark != stand.mark:
                self._mark, self._answers = stand.mark, {}
            if key in self._answers:
                kept: Answer = self._answers[key]
                return kept
        answer = make()
        with self._lock:
            if self._mark == stand.mark and len(self._answers) < MOST_ANSWERS:
                self._answers[key] = answer
        return answer


class Audience:
    """Those who belong to an audience: looked up one by one, and as a whole where many ask."""

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        """Read nothing yet.

        Args:
            rows: with a column `recipient`.
        """
        self._rows = rows.order_by()
        self._asked = 0
        self._keys: frozenset[str] | None = None

    def holds(self, recipient: str) -> bool:
        """Whether a reader belongs to it."""
        self._asked += 1
        if self._keys is None and self._asked == FEW:
            keys = list(self._rows.values_list("recipient", flat=True)[: MOST_PEOPLE + 1])
            self._keys = frozenset(keys) if len(keys) <= MOST_PEOPLE else None
        if self._keys is not None:
            return recipient in self._keys
        return self._rows.filter(recipient=recipient).exists()
