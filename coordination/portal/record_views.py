"""Pages about what was: the history of anything, and a plan against what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from alliances.models import Alliance, Membership, Plan, PlanItem
from alliances.querysets import alliances_seen_from_inside
from alliances.rules import is_secretariat_of
from coordination.accounts.viewer import Viewer, scopes_of
from coordination.bilingual import localized
from coordination.changes.history import HistoryEntry, describe_changes
from coordination.changes.models import Change, ChangeScope, Tracked
from coordination.changes.refusals import NotVisible
from coordination.pages.answers import one, page, viewer_of
from coordination.pages.wording import window_in_words
from coordination.portal.views import parse_date_or, today_for
from events import rules as event_rules
from events.models import Event
from events.progress import Outcome, Tally
from events.reporting import Progress, Row, report_progress

CHANGES_SHOWN = 200
PRECISIONS = (("year", 360), ("half_year", 180), ("quarter", 88), ("month", 27), ("ten_days", 7))
"""The precision that a window of at least so many days (last minus first) is read as."""

MEMBER_DETAILS = ("online_url", "contact")


@require_safe
@page
def history(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show what was done to an object, by whom and why, as far as it was open to the viewer."""
    viewer = viewer_of(request)
    changes = Change.objects.filter(object_uid=uid).order_by("-number")
    newest = changes.first()
    if newest is None:
        raise NotVisible
    found = _visible_object(newest.object_type, uid, viewer)
    alliance_id = _alliance_key(found)
    if not (viewer.is_unlimited or (alliance_id and is_secretariat_of(viewer, alliance_id))):
        seen = ChangeScope.objects.filter(scope__in=scopes_of(viewer), after=True)
        changes = changes.filter(number__in=seen.values("number"))
    rows = list(changes[:CHANGES_SHOWN])
    entries = describe_changes(rows, language=viewer.language, hidden=_hidden(found, viewer))
    inside = alliance_id in alliances_seen_from_inside(viewer) or viewer.is_unlimited
    return render(
        request,
        "portal/history.html",
        {
            "entries": entries if inside else _without_people(entries, rows, viewer),
            "name": _name(found, viewer.language),
            "noun": str(found._meta.verbose_name),
            "address": _address(found),
        },
    )


@require_safe
@page
def actual(request: HttpRequest, slug: str, plan_slug: str) -> HttpResponse:
    """Show a plan against what became of it on a day, by work area and by member."""
    viewer = viewer_of(request)
    plans = Plan.objects.visible_to(viewer).select_related("alliance")
    plan = one(plans, alliance__slug=slug, slug=plan_slug)
    on = parse_date_or(request.GET.get("on", ""), today_for(viewer))
    report = report_progress(plan, viewer=viewer, on=on)
    rows = [_row(row, viewer.language) for row in report.rows]
    what = request.GET.get("what", "")
    return render(
        request,
        "portal/actual.html",
        {
            "plan": plan,
            "alliance": plan.alliance,
            "on": on,
            "what": what,
            "figures": _figures(report.totals),
            "groups": _tables(report, viewer.language),
            "rows": [row for row in rows if not what or what in row["keys"]],
        },
    )


def _visible_object(object_type: str, uid: UUID, viewer: Viewer) -> Tracked:
    """Return the object that changes are about, when the viewer may see it."""
    model: Any = apps.get_model(object_type)
    if not hasattr(model.objects, "visible_to"):
        raise NotVisible
    found: Tracked = one(model.objects.visible_to(viewer), uid=uid)
    return found


def _alliance_key(found: Any) -> int | None:
    """Return the key of the alliance that an object belongs to, where there is one."""
    if isinstance(found, Alliance):
        return found.pk
    for path in ("alliance_id", "plan.alliance_id", "event.alliance_id", "body.alliance_id"):
        value: Any = found
        for name in path.split("."):
            value = getattr(value, name, None)
        if value is not None:
            return int(value)
    return None


def _hidden(found: Tracked, viewer: Viewer) -> list[str]:
    """Return the names of the fields that the viewer may not see."""
    if not isinstance(found, Event):
        return []
    hidden = [] if event_rules.may_see_notes(viewer, found) else ["notes"]
    if not event_rules.may_see_member_details(viewer, found):
        hidden += MEMBER_DETAILS
    return hidden


def _without_people(
    entries: Sequence[HistoryEntry], changes: Sequence[Change], viewer: Viewer
) -> list[HistoryEntry]:
    """Leave out names of people, and the fields of changes before which nothing was open."""
    numbers = [change.number for change in changes]
    known = set(
        ChangeScope.objects.filter(
            number__in=numbers, scope__in=scopes_of(viewer), before=True
        ).values_list("number", flat=True)
    )
    return [
        replace(
            entry,
            actor=_("the secretariat"),
            fields=entry.fields if entry.number in known or entry.version == 1 else (),
        )
        for entry in entries
    ]


def _name(found: Any, language: str) -> str:
    for name in ("title", "name"):
        if hasattr(found, f"{name}_zh"):
            return localized(found, name, language)
    return str(found)


def _address(found: Any) -> str:
    if isinstance(found, Alliance):
        return reverse("portal:alliance", args=[found.slug])
    if isinstance(found, Plan):
        return reverse("portal:plan", args=[found.alliance.slug, found.slug])
    if isinstance(found, Event):
        return reverse("events:detail", args=[found.uid])
    if isinstance(found, PlanItem):
        return reverse("alliances:item", args=[found.uid])
    if isinstance(found, Membership):
        return reverse("portal:alliance", args=[found.alliance.slug])
    return ""


OUTCOME_MARKS = {
    Outcome.HELD: "held",
    Outcome.SET: "confirmed",
    Outcome.OPEN: "planned",
    Outcome.OVERDUE: "late",
    Outcome.DROPPED: "cancelled",
}


def _outcome_words(outcome: Outcome) -> str:
    return {
        Outcome.HELD: _("held"),
        Outcome.SET: _("date set"),
        Outcome.OPEN: _("open"),
        Outcome.OVERDUE: _("overdue"),
        Outcome.DROPPED: _("dropped"),
    }[outcome]


def _row(row: Row, language: str) -> dict[str, Any]:
    """Return one planned event as the page shows it; its keys say which figures count it."""
    verdict, titled = row.verdict, row.event or row.item
    keys = {verdict.outcome.value, "planned"}
    keys |= {"on_time"} if verdict.is_on_time else set()
    keys |= {"late"} if verdict.days_late and verdict.outcome != Outcome.DROPPED else set()
    keys |= {"changed_quarter"} if verdict.changed_quarter else set()
    keys |= {"added"} if row.is_added else set()
    return {
        "address": _address(titled),
        "title": _name(titled, language),
        "area": localized(row.work_area, "name", language) if row.work_area else "",
        "planned": _planned_words(row, language),
        "actual": row.actual.held_on or row.actual.first,
        "words": _outcome_words(verdict.outcome),
        "mark": OUTCOME_MARKS[verdict.outcome],
        "late": verdict.days_late if verdict.outcome != Outcome.DROPPED else 0,
        "moved": verdict.changed_quarter,
        "added": row.is_added,
        "keys": keys,
    }


def _planned_words(row: Row, language: str) -> str:
    """Return the window that a row is measured by; its precision is what its days show."""
    first, last = row.planned.first, row.planned.last
    written = row.item.window_text if row.item else ""
    if first is None or last is None:
        return window_in_words(None, None, precision="", language=language, written=written)
    days = (last - first).days
    found = [name for name, least in PRECISIONS if days >= least]
    return window_in_words(first, last, precision=found[0] if found else "day", language=language)


def _figures(whole: Tally) -> list[dict[str, Any]]:
    words = {
        "planned": _("number planned"),
        "held": _("held"),
        "on_time": _("on time"),
        "late": _("late"),
        "changed_quarter": _("other quarter"),
        "overdue": _("overdue"),
        "open": _("open"),
        "dropped": _("dropped"),
        "added": _("added"),
    }
    return [
        {"key": key, "number": getattr(whole, key), "words": label} for key, label in words.items()
    ]


def _tables(report: Progress, language: str) -> list[dict[str, Any]]:
    """Return the two tables: by work area with the whole at the end, and by hosting member."""
    by_area: list[tuple[str, Tally]] = [
        (localized(area, "name", language) if area else _("without a work area"), totals)
        for area, totals in report.by_work_area
    ]
    by_member = [
        (localized(organization, "name", language), totals)
        for organization, totals in report.by_member
    ]
    tables = [
        {
            "words": _("By work area"),
            "rows": [*by_area, (_("whole plan"), report.totals)],
            "has_total": True,
        }
    ]
    if by_member:
        tables.append({"words": _("By member (host)"), "rows": by_member, "has_total": False})
    return tables
