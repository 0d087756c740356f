"""The answer of an import: what a workbook would change, or has changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from alliances.models import Alliance, Plan
from coordination.workbooks.comparing import Change, Match
from coordination.workbooks.naming import KnownOrganizations
from coordination.workbooks.plan_sheet import PlanSheet
from coordination.workbooks.problems import Problem, Severity
from coordination.workbooks.written import title_of

TITLE_LIMIT = 200


@dataclass(slots=True)
class PlanImport:
    """What a workbook would change, or has changed.

    Attributes:
        plan: the stored plan; None while it would be a new one.
        slug: its address in the alliance.
        matches: the file's lines in order, then stored lines that are gone.
        plan_values: columns of the plan itself that would change -> new value.
        needs_reason: whether the plan is adopted, so that its changes need a reason.
        applied: whether it has been stored.
    """

    alliance: Alliance
    kind: str
    slug: str
    sheet: PlanSheet
    known: KnownOrganizations
    plan: Plan | None = None
    matches: list[Match] = field(default_factory=list)
    plan_values: dict[str, Any] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    applied: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether an error stands against the file."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def changed(self) -> list[Match]:
        """The lines that importing would touch."""
        return [
            match
            for match in self.matches
            if match.change is not Change.SAME and not self.is_kept(match)
        ]

    @property
    def has_changes(self) -> bool:
        """Whether importing would change anything."""
        return bool(self.plan is None or self.changed or self.plan_values)

    @property
    def needs_reason(self) -> bool:
        """Whether the changes need a reason, because the plan is adopted."""
        return self.plan is not None and self.plan.is_adopted and bool(self.changed)

    def is_kept(self, match: Match) -> bool:
        """Whether a line that is gone from the file stays, because an event of it has a time."""
        return match.line is None and match.item is not None and match.item.pk in self.kept

    @property
    def title(self) -> str:
        """The plan's title: the file's, the stored one's, or one made of alliance and year."""
        if self.sheet.title:
            return self.sheet.title
        return title_of(self.plan) if self.plan else default_title(self.alliance, self.sheet.year)

    @property
    def digest(self) -> str:
        """A mark of exactly these changes: what was previewed is what gets confirmed."""
        seen = [
            [
                match.change.value,
                match.line.row if match.line else None,
                [str(match.item.uid), match.item.version] if match.item else None,
                sorted(match.cells.items()),
            ]
            for match in self.changed
        ]
        whole = [self.plan and str(self.plan.uid), sorted(map(str, self.plan_values.items())), seen]
        return hashlib.sha256(json.dumps(whole, ensure_ascii=False).encode()).hexdigest()[:32]

    def counts(self) -> dict[str, int]:
        """Return how many lines are new, same, changed and gone."""
        counted = dict.fromkeys((change.value for change in Change), 0)
        for match in self.matches:
            counted[match.change.value] += 1
        return counted

    def as_json(self) -> dict[str, Any]:
        """Return the answer of command, API and preview; messages in the active language."""
        return {
            "alliance": self.alliance.slug,
            "plan": self.slug or None,
            "year": self.sheet.year,
            "kind": str(self.kind),
            "title": self.title,
            "target": self.sheet.target,
            "items": [self._item(match) for match in self.matches],
            "work_areas": self.sheet.work_areas,
            "count": self.sheet.count,
            "changes": self.counts(),
            "needs_reason": self.needs_reason,
            "accepted": not self.is_refused,
            "applied": self.applied,
            "problems": [problem.as_json() for problem in self.problems],
        }

    def _item(self, match: Match) -> dict[str, Any]:
        cells = match.cells.items()
        return (
            (self._written(match) if match.line else self._stored(match))
            | {"uid": str(match.item.uid) if match.item else None}
            | {"change": match.change.value, "found_by": match.found_by or None}
            | {"cells": {name: {"before": old, "after": new} for name, (old, new) in cells}}
        )

    def _written(self, match: Match) -> dict[str, Any]:
        line = match.line
        if line is None:
            return {}
        whole = line.whole.as_json()
        return {
            "row": line.row,
            "number": _number(line.number),
            "work_area": line.work_area or None,
            "title": line.title,
            "type": line.type,
            "hosts": [self._host(name) for name in line.hosts],
            "place": line.place,
            "window": {
                "text": line.time,
                "start": whole["start"],
                "end": whole["end"],
                "precision": whole["precision"],
            },
            "occurrences": [window.as_json() for window in line.windows],
            "participants": line.participants,
            "notes": line.notes,
        }

    def _stored(self, match: Match) -> dict[str, Any]:
        item = match.item
        if item is None:
            return {}
        return {
            "row": None,
            "number": _number(item.number),
            "work_area": str(item.work_area) if item.work_area else None,
            "title": str(item),
            "type": item.type_text,
            "hosts": [self._host(host.name) for host in item.hosts.all()],
            "place": item.place_text,
            "window": {
                "text": item.window_text,
                "start": item.starts_on.isoformat() if item.starts_on else None,
                "end": item.ends_on.isoformat() if item.ends_on else None,
                "precision": item.precision,
            },
            "occurrences": item.windows,
            "participants": item.participants_text,
            "notes": item.notes,
        }

    def _host(self, name: str) -> dict[str, Any]:
        organization = self.known.named(name)
        if organization is None:
            return {"name": name, "organization": None}
        return {"name": name, "organization": str(organization.uid)}


def default_title(alliance: Alliance, year: int | None) -> str:
    """Return a title for a workbook that has none."""
    if year is None:
        return ""
    return f"{alliance.name_zh or alliance.name_en}{year}年计划"[:TITLE_LIMIT]


def _number(text: str) -> int | str | None:
    """Return a line's number as JSON has it: a whole number where it is one."""
    if not text:
        return None
    return int(text) if text.isdecimal() and text.isascii() else text
