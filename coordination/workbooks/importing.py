"""Importing a plan workbook: preview what it would change, then apply it through the verbs.

Everything happens in one recording: an import that is refused, or killed, leaves nothing. The same
file again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliances import rules
from alliances.models import Alliance, Plan, PlanItem, PlanKind, PlanState
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import Refusal, invalid
from coordination.workbooks.applying import apply_matches, area_names
from coordination.workbooks.comparing import Change, Match, compare
from coordination.workbooks.naming import KnownOrganizations
from coordination.workbooks.plan_sheet import PlanSheet, parse_plan
from coordination.workbooks.problems import Problem, Severity
from coordination.workbooks.written import note_of, title_of
from events.models import Event, EventState

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


def preview_import(
    data: bytes,
    *,
    file_name: str,
    alliance: Alliance,
    viewer: Viewer,
    year: int | None = None,
    kind: str = PlanKind.ANNUAL,
    slug: str = "",
    new_rows: Collection[int] = (),
) -> PlanImport:
    """Return what importing a workbook would change; nothing is stored.

    The year comes from `year`, else from the title, the sheet's or the file's name. `slug` is the
    plan's address in the alliance: the year for an annual plan. `new_rows` are rows that are new
    lines although their number was used by another line.

    Raises:
        NotAllowed: the viewer does not manage the alliance's plans.
        InvalidInput: `kind` or `slug` does not fit.
    """
    rules.require(rules.may_open_plan(viewer, alliance))
    if kind not in PlanKind.values:
        raise invalid("kind", _("The kind is “annual” or “campaign”."))
    wanted_year = year or (int(slug) if kind == PlanKind.ANNUAL and slug.isdecimal() else None)
    sheet = parse_plan(data, file_name=file_name, year=wanted_year)
    plan = find_plan(alliance, kind=kind, slug=slug, year=sheet.year, title=sheet.title)
    answer = PlanImport(
        alliance=alliance,
        kind=plan.kind if plan else kind,
        slug=plan.slug if plan else slug or default_slug(kind, sheet.year, alliance),
        sheet=sheet,
        known=KnownOrganizations(alliance),
        plan=plan,
        problems=list(sheet.problems),
    )
    if not answer.is_refused or sheet.lines:
        _compare(answer, new_rows=new_rows)
    return answer


def import_plan(
    data: bytes,
    *,
    file_name: str,
    alliance: Alliance,
    viewer: Viewer,
    at: datetime,
    year: int | None = None,
    kind: str = PlanKind.ANNUAL,
    slug: str = "",
    reason: str = "",
    new_rows: Collection[int] = (),
    digest: str = "",
) -> PlanImport:
    """Import a plan workbook: make the plan, or change it to what the file says.

    An adopted plan needs a `reason`, and its changes go into the next edition. `digest` is the
    mark of the preview that was confirmed; other changes than those are not applied. For the rest
    see `preview_import`.

    Returns:
        The answer; when it is refused, nothing was stored.

    Raises:
        NotAllowed, InvalidInput, StaleVersion: as the verbs say.
        PreviewIsStale: the changes are not those that were previewed.
    """
    answer = preview_import(
        data,
        file_name=file_name,
        alliance=alliance,
        viewer=viewer,
        year=year,
        kind=kind,
        slug=slug,
        new_rows=new_rows,
    )
    if answer.is_refused:
        return answer
    if digest:
        shown = answer
        if new_rows:
            # The preview did not know yet which rows would be taken as new.
            shown = preview_import(
                data,
                file_name=file_name,
                alliance=alliance,
                viewer=viewer,
                year=year,
                kind=kind,
                slug=slug,
            )
        if digest != shown.digest:
            raise PreviewIsStale
    if answer.needs_reason and not reason.strip():
        raise invalid(
            "reason",
            _("The plan is adopted: say why it changes. The reason goes into the next edition."),
            code="reason_required",
        )
    if answer.has_changes:
        answer.plan = apply_matches(
            answer.plan,
            _plan_values(answer),
            [match for match in answer.matches if not answer.is_kept(match)],
            kept=[match.item for match in answer.matches if match.item and answer.is_kept(match)],
            alliance=alliance,
            known=answer.known,
            viewer=viewer,
            at=at,
            reason=reason,
        )
    answer.applied = True
    return answer


class PreviewIsStale(Refusal):
    """The changes are not those that were shown."""

    code = "preview_is_stale"
    default_message = _(
        "The plan has changed since the preview. Look at the changes again, then confirm."
    )


def find_plan(
    alliance: Alliance, *, kind: str, slug: str, year: int | None, title: str = ""
) -> Plan | None:
    """Return the stored plan that a workbook is about; None when it would be a new one."""
    plans = Plan.objects.filter(alliance=alliance).select_related("alliance")
    if slug or kind == PlanKind.ANNUAL:
        found: Plan | None = plans.filter(slug=slug or str(year)).first()
        return found
    campaigns = plans.filter(kind=kind, year=year)
    named: Plan | None = campaigns.filter(Q(title_zh=title) | Q(title_en=title)).first()
    return named


def default_slug(kind: str, year: int | None, alliance: Alliance) -> str:
    """Return the address of a new plan: the year, or for a campaign campaign-2024, -2, …."""
    if year is None:
        return ""
    if kind == PlanKind.ANNUAL:
        return str(year)
    taken = set(Plan.objects.filter(alliance=alliance).values_list("slug", flat=True))
    names = [f"campaign-{year}", *(f"campaign-{year}-{n}" for n in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def default_title(alliance: Alliance, year: int | None) -> str:
    """Return a title for a workbook that has none."""
    if year is None:
        return ""
    return f"{alliance.name_zh or alliance.name_en}{year}年计划"[:TITLE_LIMIT]


def standing_items(plan: Plan) -> list[PlanItem]:
    """Return a plan's lines with areas and hosts, in order."""
    rows = PlanItem.objects.filter(plan=plan).standing().select_related("work_area")
    items = list(rows.prefetch_related("hosts__organization").order_by("position", "pk"))
    for item in items:
        item.plan = plan
    return items


def _compare(answer: PlanImport, *, new_rows: Collection[int]) -> None:
    items = standing_items(answer.plan) if answer.plan else []
    answer.matches = compare(answer.sheet.lines, items, new_rows=new_rows)
    if answer.plan is None:
        return
    answer.plan_values = _changed_plan_values(answer)
    _check_events(answer)
    if answer.plan.state == PlanState.CLOSED and answer.has_changes:
        answer.problems.append(Problem("plan_closed"))


def _changed_plan_values(answer: PlanImport) -> dict[str, Any]:
    plan, sheet = answer.plan, answer.sheet
    if plan is None:
        return {}
    values: dict[str, Any] = {}
    if sheet.title and sheet.title not in (plan.title_zh, plan.title_en, title_of(plan)):
        values |= titled(sheet.title)
    if sheet.note and sheet.note != note_of(plan):
        values["note"] = sheet.note
    if sheet.target is not None and sheet.target != plan.target_number:
        values["target_number"] = sheet.target
    return values


def _plan_values(answer: PlanImport) -> dict[str, Any]:
    """Return the columns of the plan to be set: all of a new one, the changed ones else."""
    if answer.plan is not None:
        return answer.plan_values
    return titled(answer.title) | {
        "kind": answer.kind,
        "slug": answer.slug,
        "year": answer.sheet.year,
        "note": answer.sheet.note,
        "target_number": answer.sheet.target,
    }


def titled(title: str) -> dict[str, str]:
    """Return a title as the column of its language: Chinese when it has Chinese characters."""
    return {area_names(title)[0].replace("name", "title"): title}


def _check_events(answer: PlanImport) -> None:
    """Say which lines cannot go or shrink because their events have a time."""
    gone = [match.item for match in answer.matches if match.line is None and match.item]
    shrinking = {
        match.item.pk: match
        for match in answer.matches
        if match.item and match.line and len(match.line.windows) < len(match.item.windows)
    }
    pks = [item.pk for item in gone] + list(shrinking)
    if not pks:
        return
    is_fixed = ~Q(state__in=[EventState.PLANNED, EventState.CANCELLED])
    fixed = Event.objects.filter(is_fixed, plan__alliance=answer.alliance, plan=answer.plan)
    counted: dict[int, list[tuple[int, str]]] = {}
    for item, occurrence, state in fixed.values_list("plan_item_id", "occurrence", "state"):
        counted.setdefault(item, []).append((occurrence, state))
    for item in gone:
        if item.pk in counted:
            answer.kept.add(item.pk)
            answer.problems.append(Problem("line_kept", values={"title": str(item)}))
    for pk, match in shrinking.items():
        wanted = len(match.line.windows) if match.line else 0
        if any(occurrence > wanted for occurrence, _state in counted.get(pk, ())):
            answer.problems.append(
                Problem(
                    "occurrence_has_a_time",
                    sheet=answer.sheet.sheet,
                    row=match.line.row if match.line else None,
                    column=answer.sheet.time_column,
                    values={"title": str(match.item)},
                )
            )


def _number(text: str) -> int | str | None:
    """Return a line's number as JSON has it: a whole number where it is one."""
    if not text:
        return None
    return int(text) if text.isdecimal() and text.isascii() else text
