"""Importing a plan workbook: preview what it would change, then apply it through the verbs.

Everything happens in one recording: an import that is refused, or killed, leaves nothing. The same
file again changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliances import rules
from alliances.models import Alliance, Plan, PlanItem, PlanKind, PlanState
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import Refusal, invalid
from coordination.workbooks.applying import apply_matches, area_names
from coordination.workbooks.comparing import compare
from coordination.workbooks.naming import KnownOrganizations
from coordination.workbooks.plan_import import PlanImport
from coordination.workbooks.plan_sheet import PlanSheet, parse_plan
from coordination.workbooks.problems import Problem
from coordination.workbooks.written import note_of, title_of
from events.models import Event, EventState


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
    _check_request(alliance, viewer, kind)
    sheet = parse_plan(data, file_name=file_name, year=_wanted_year(year, kind, slug))
    return _compared(sheet, alliance=alliance, kind=kind, slug=slug, new_rows=new_rows)


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
    _check_request(alliance, viewer, kind)
    sheet = parse_plan(data, file_name=file_name, year=_wanted_year(year, kind, slug))
    with transaction.atomic():
        # The plan stays locked from the comparison to the last write: what is compared is changed.
        answer = _compared(
            sheet, alliance=alliance, kind=kind, slug=slug, new_rows=new_rows, lock=True
        )
        if answer.is_refused:
            return answer
        if digest and digest != _digest_shown(answer, has_new_rows=bool(new_rows)):
            raise PreviewIsStale
        if answer.needs_reason and not reason.strip():
            raise invalid(
                "reason",
                _(
                    "The plan is adopted: say why it changes. The reason goes into the next "
                    "edition."
                ),
                code="reason_required",
            )
        if answer.has_changes:
            _apply(answer, viewer=viewer, at=at, reason=reason)
    answer.applied = True
    return answer


class PreviewIsStale(Refusal):
    """The changes are not those that were shown."""

    code = "preview_is_stale"
    default_message = _(
        "The plan has changed since the preview. Look at the changes again, then confirm."
    )


def _check_request(alliance: Alliance, viewer: Viewer, kind: str) -> None:
    rules.require(rules.may_open_plan(viewer, alliance))
    if kind not in PlanKind.values:
        raise invalid("kind", _("The kind is “annual” or “campaign”."))


def _wanted_year(year: int | None, kind: str, slug: str) -> int | None:
    """Return the year asked for; an annual plan's address is its year."""
    is_year = kind == PlanKind.ANNUAL and re.fullmatch(r"(?:19|20)[0-9]{2}", slug)
    return year or (int(slug) if is_year else None)


def _compared(
    sheet: PlanSheet,
    *,
    alliance: Alliance,
    kind: str,
    slug: str,
    new_rows: Collection[int],
    lock: bool = False,
) -> PlanImport:
    title = sheet.title
    plan = find_plan(alliance, kind=kind, slug=slug, year=sheet.year, title=title, lock=lock)
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


def _digest_shown(answer: PlanImport, *, has_new_rows: bool) -> str:
    """Return the mark of the preview; it did not know yet which rows would be taken as new."""
    if not has_new_rows:
        return answer.digest
    seen = replace(answer, matches=[], plan_values={}, kept=set(), problems=[])
    _compare(seen, new_rows=())
    return seen.digest


def _apply(answer: PlanImport, *, viewer: Viewer, at: datetime, reason: str) -> None:
    answer.plan = apply_matches(
        answer.plan,
        _plan_values(answer),
        [match for match in answer.matches if not answer.is_kept(match)],
        kept=[match.item for match in answer.matches if match.item and answer.is_kept(match)],
        alliance=answer.alliance,
        known=answer.known,
        viewer=viewer,
        at=at,
        reason=reason,
    )


def find_plan(
    alliance: Alliance,
    *,
    kind: str,
    slug: str,
    year: int | None,
    title: str = "",
    lock: bool = False,
) -> Plan | None:
    """Return the stored plan that a workbook is about; None when it would be a new one.

    With `lock` nobody else changes it before the transaction ends.
    """
    plans = Plan.objects.filter(alliance=alliance).select_related("alliance")
    if lock:
        plans = plans.select_for_update(of=("self",))
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
