"""The lines of a file beside the lines of the stored plan: new, same, changed, gone.

A line is found again by the hidden mark of our own export (uid), then by its area and name, then
by its name alone where no other has it, at last by its number. A number is weak evidence: a
line found by it is said to be, and whoever imports may take it as new instead.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from alliances.models import PlanItem
from coordination.workbooks.plan_sheet import PlanLine
from coordination.workbooks.written import FIELDS, HOST_MARK, cells_of, one_line, windows_of


class Change(StrEnum):
    """How a line of the file stands to the stored plan."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(slots=True)
class Match:
    """A line of the file, the stored line it is, or both.

    Attributes:
        found_by: "uid", "title" or "number"; "" for new and gone lines.
        cells: name of each cell that differs -> (stored, written).
    """

    line: PlanLine | None = None
    item: PlanItem | None = None
    found_by: str = ""
    cells: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def change(self) -> Change:
        """What importing would do to it."""
        if self.item is None:
            return Change.NEW
        if self.line is None:
            return Change.GONE
        return Change.CHANGED if self.cells else Change.SAME


def key_of(text: str) -> str:
    """Return the form by which names are compared: width, case and spaces do not matter."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def compare(
    lines: Sequence[PlanLine], items: Sequence[PlanItem], *, new_rows: Collection[int] = ()
) -> list[Match]:
    """Return a match for each line in order, then one for each stored line that is gone.

    Args:
        lines: of the file.
        items: the standing lines of the plan, with work areas and hosts fetched.
        new_rows: rows that are new lines although their number was used by another.
    """
    found = _Pairing(lines, items)
    found.pair("uid", lambda line: line.uid, lambda item: {str(item.uid)})
    found.pair(
        "title",
        lambda line: (key_of(line.work_area), key_of(line.title)),
        lambda item: {(area, title) for area in _area_keys(item) for title in _title_keys(item)},
    )
    found.pair("title", lambda line: key_of(line.title), _title_keys, only_alone=True)
    found.pair(
        "number",
        lambda line: "" if line.row in new_rows else line.number,
        lambda item: {item.number},
    )
    matches = []
    for index, line in enumerate(lines):
        item, found_by = found.pairs.get(index, (None, ""))
        match = Match(line, item, found_by)
        if item is not None:
            match.cells = differing_cells(line, item)
        matches.append(match)
    return matches + [Match(item=item) for item in found.left]


def differing_cells(line: PlanLine, item: PlanItem) -> dict[str, tuple[str, str]]:
    """Return the cells in which a line of the file differs from the stored one."""
    before, after = cells_of(item), written_cells(line)
    differing = {
        name: (before[name], after[name]) for name in FIELDS if before[name] != after[name]
    }
    # The name in the other language is no change, nor is an area written with other spaces.
    if line.title in (one_line(item.title_zh), one_line(item.title_en)):
        differing.pop("title", None)
    if key_of(line.work_area) in _area_keys(item):
        differing.pop("work_area", None)
    windows = [window.as_json() for window in line.windows]
    if windows != windows_of(item):
        differing["windows"] = (_days(windows_of(item)), _days(windows))
    return differing


def written_cells(line: PlanLine) -> dict[str, str]:
    """Return a line of the file by the names of `FIELDS`."""
    return {name: getattr(line, name) for name in FIELDS} | {"hosts": HOST_MARK.join(line.hosts)}


def _days(windows: Sequence[dict[str, str | None]]) -> str:
    return "; ".join(
        f"{window['start']} – {window['end']}" if window["start"] else "—" for window in windows
    )


def _title_keys(item: PlanItem) -> set[Hashable]:
    return {key_of(title) for title in (item.title_zh, item.title_en) if title}


def _area_keys(item: PlanItem) -> set[Hashable]:
    area = item.work_area
    names = (area.name_zh, area.name_en) if area is not None else ()
    return {key_of(name) for name in names if name} or {""}


class _Pairing:
    """Pairs lines with stored lines, one way after another."""

    def __init__(self, lines: Sequence[PlanLine], items: Sequence[PlanItem]) -> None:
        self.lines = lines
        self.left = list(items)
        self.pairs: dict[int, tuple[PlanItem, str]] = {}

    def pair(
        self,
        found_by: str,
        key: Callable[[PlanLine], Hashable],
        keys: Callable[[PlanItem], set[Hashable]],
        *,
        only_alone: bool = False,
    ) -> None:
        """Pair what is still alone; of several with the same key, the first with the first."""
        waiting: dict[Hashable, list[PlanItem]] = defaultdict(list)
        for item in self.left:
            for each in keys(item):
                waiting[each].append(item)
        claims: dict[Hashable, list[int]] = defaultdict(list)
        for index, line in enumerate(self.lines):
            if index not in self.pairs and key(line) and any(_parts(key(line))):
                claims[key(line)].append(index)
        taken: set[int] = set()
        for each, indexes in claims.items():
            free = [item for item in waiting[each] if item.pk not in taken]
            if only_alone and (len(free) != 1 or len(indexes) != 1):
                continue
            for index, item in zip(indexes, free, strict=False):
                self.pairs[index] = (item, found_by)
                taken.add(item.pk)
        self.left = [item for item in self.left if item.pk not in taken]


def _parts(key: Hashable) -> Sequence[Hashable]:
    """Return the parts of a key; the last one, the name, must not be empty."""
    return key[-1:] if isinstance(key, tuple) else (key,)
