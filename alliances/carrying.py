"""Carrying over: what a plan did not finish goes into another, and remembers where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from alliances import rules
from alliances.drafting import UNKNOWN_WINDOW, Host, Line, add_lines
from alliances.expiring import day_of_rights
from alliances.followers import followers
from alliances.models import Plan, PlanItem, WorkArea
from alliances.planning import hold_plan
from coordination.accounts.viewer import Viewer
from coordination.changes.recording import recording
from coordination.changes.refusals import invalid

COPIED = ("title_zh", "title_en", "type_text", "place_text", "participants_text")
NOTES_LENGTH = 2000


def unfinished_items(plan: Plan, *, viewer: Viewer, on: date) -> list[PlanItem]:
    """Return the standing lines of which something is still to be held at the end of a day.

    Costs the same few queries whatever the number of lines.

    Args:
        plan: a plan that the viewer may see.
        viewer: who asks; lines that they may not see are left out.
        on: the day; what was held or cancelled later is left out.
    """
    rows = PlanItem.objects.visible_to(viewer).filter(plan=plan).standing()
    items = list(
        rows.select_related("plan", "work_area")
        .prefetch_related("hosts__organization")
        .order_by("position", "pk")
    )
    left = still_to_hold(items, on=on)
    return [item for item in items if left[item.pk]]


def still_to_hold(items: Iterable[PlanItem], *, on: date) -> dict[int, int]:
    """Return how many occurrences of each line are still to be held at the end of a day."""
    left = {item.pk: item.occurrences for item in items}
    for follower in followers:
        left |= follower.still_to_hold(list(left), on=on)
    return left


def carry_over(
    items: Sequence[PlanItem], into: Plan, *, viewer: Viewer, at: datetime, reason: str = ""
) -> list[PlanItem]:
    """Carry lines into another plan of the alliance; those carried into it before are passed over.

    A line that is held several times is carried with what is left of it. The time of the new lines
    is not known yet; the old words for it are kept in the notes.

    Raises:
        NotAllowed, StaleVersion.
        InvalidInput: a line is the plan's own, or another alliance's.
        TransitionNotAllowed: the plan is closed.
    """
    rules.require(rules.may_manage_plan(viewer, into))
    chosen = [item.pk for item in items]
    rows = PlanItem.objects.filter(pk__in=chosen).select_related("plan", "work_area")
    found = {item.pk: item for item in rows.prefetch_related("hosts__organization")}
    for item in found.values():
        if item.plan_id == into.pk:
            raise invalid("items", _("A line cannot be carried over into its own plan."))
        if item.plan.alliance_id != into.alliance_id:
            raise invalid("items", _("A line is carried over inside its own alliance only."))
    left = still_to_hold(found.values(), on=day_of_rights(at))
    with recording(viewer.actor, at=at, reason=reason) as log:
        hold_plan(into, log=log)
        carried = set(into.items.filter(carried_from__in=chosen).values_list("carried_from_id"))
        areas = {str(area): area for area in into.work_areas.all()}
        lines = [
            _line(found[pk], areas, times=left[pk])
            for pk in dict.fromkeys(chosen)
            if (pk,) not in carried
        ]
        return add_lines(
            into, lines, viewer=viewer, at=at, reason=reason, kind="plan_item.carried_over"
        )


def _line(item: PlanItem, areas: Mapping[str, WorkArea], *, times: int) -> Line:
    values: dict[str, Any] = {name: getattr(item, name) for name in COPIED}
    old = f"{item.plan.year}: {item.window_text}" if item.window_text else ""
    values["notes"] = "\n".join(filter(None, (item.notes, old)))[:NOTES_LENGTH]
    values["windows"] = [dict(UNKNOWN_WINDOW) for _time in range(max(times, 1))]
    values["carried_from"] = item
    return Line(
        values=values,
        hosts=[Host(host.name, host.organization) for host in item.hosts.all()],
        work_area=areas.get(str(item.work_area)) if item.work_area else None,
    )
