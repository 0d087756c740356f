"""Comparing two editions of a plan line by line. Pure.

>>> from datetime import date
>>> before = [LineState("a", {"title_zh": "论坛", "starts_on": date(2024, 5, 1)})]
>>> after = [LineState("a", {"title_zh": "论坛", "starts_on": date(2024, 6, 1)})]
>>> [(change.kind, change.fields) for change in compare_lines(before, after)]
[('moved', ('starts_on',))]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

TIME_FIELDS = frozenset({"window_text", "windows", "precision", "starts_on", "ends_on"})
UNCOUNTED_FIELDS = frozenset({"position"})


class LineChangeKind(StrEnum):
    """What became of a line from one edition to another."""

    NEW = "new"
    MOVED = "moved"
    CHANGED = "changed"
    DROPPED = "dropped"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class LineState:
    """A line as one edition has it.

    Attributes:
        uid: the line's own uid, the same in every edition.
        values: what can differ.
        reason: why it differs from the edition before.
        actor: who changed it, a key of the change log.
    """

    uid: str
    values: Mapping[str, Any]
    reason: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line compared: its kind, the states on both sides, and the fields that differ."""

    uid: str
    kind: LineChangeKind
    before: LineState | None
    after: LineState | None
    fields: tuple[str, ...] = ()


def compare_lines(before: Sequence[LineState], after: Sequence[LineState]) -> list[LineChange]:
    """Return every line of either side once: those of `after` in its order, then those dropped.

    A line whose time differs is `moved`, whatever else differs; its place in the order alone does
    not count.
    """
    old = {line.uid: line for line in before}
    changes = [_compared(old.pop(line.uid, None), line) for line in after]
    changes += [LineChange(line.uid, LineChangeKind.DROPPED, line, None) for line in old.values()]
    return changes


def _compared(before: LineState | None, after: LineState) -> LineChange:
    if before is None:
        return LineChange(after.uid, LineChangeKind.NEW, None, after)
    fields = tuple(
        name
        for name, value in after.values.items()
        if name not in UNCOUNTED_FIELDS and before.values.get(name) != value
    )
    kind = LineChangeKind.SAME
    if fields:
        kind = LineChangeKind.MOVED if TIME_FIELDS & set(fields) else LineChangeKind.CHANGED
    return LineChange(after.uid, kind, before, after, fields)
