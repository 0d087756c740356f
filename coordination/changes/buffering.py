"""What an open recording keeps in memory until it commits, or takes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from coordination.changes.models import Tracked
from coordination.changes.projections import Recorded


@dataclass(slots=True)
class Entry:
    """One change that waits for its number."""

    recorded: Recorded
    actor: str
    at: datetime
    reason: str
    version: int


@dataclass(frozen=True, slots=True)
class Before:
    """What a row in memory knew about the stored one when the recording began."""

    obj: Tracked
    pk: Any
    is_new: bool
    version: int
    concerns: str
    changed_at: datetime
    loaded: dict[str, Any] | None
    parts: dict[str, list[Any]]

    @classmethod
    def of(cls, obj: Tracked) -> Before:
        """Note how the row is now."""
        return cls(
            obj=obj,
            pk=obj.pk,
            is_new=obj._state.adding,
            version=obj.version,
            concerns=obj.concerns,
            changed_at=obj.changed_at,
            loaded=obj.loaded,
            parts=dict(obj.part_cache),
        )

    def restore(self) -> None:
        """Set it back; values that were changed but not stored stay as its owner wanted them."""
        obj = self.obj
        obj.pk, obj._state.adding = self.pk, self.is_new
        obj.version, obj.concerns, obj.changed_at = self.version, self.concerns, self.changed_at
        obj.loaded, obj.part_cache = self.loaded, self.parts


@dataclass(slots=True)
class Buffer:
    """One open recording: what it wrote, which rows it holds, and how they were before."""

    entries: list[Entry] = field(default_factory=list)
    before: dict[int, Before] = field(default_factory=dict)
    held: set[tuple[type[Tracked], Any]] = field(default_factory=set)
    broken: bool = False

    def keep(self, obj: Tracked) -> None:
        """Note how the row is before it is written for the first time."""
        if id(obj) not in self.before:
            self.before[id(obj)] = Before.of(obj)

    def restore(self) -> None:
        """After a rollback: what rows in memory know is again what the database holds."""
        for before in self.before.values():
            before.restore()
