"""The lines of a plan: adding, revising, dropping them, and carrying them over.

A line brings its events with it: followers are told, and make one event for each occurrence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from alliances import rules
from alliances.followers import followers
from alliances.models import Organization, Plan, PlanItem, PlanItemHost, WorkArea
from alliances.planning import hold_plan, open_draft_edition, refuse_when_closed
from coordination.accounts.viewer import Viewer
from coordination.changes.assigning import assign
from coordination.changes.recording import recording
from coordination.changes.refusals import TransitionNotAllowed, invalid

UNKNOWN_WINDOW: dict[str, Any] = {
    "start": None,
    "end": None,
    "precision": "unknown",
    "start_time": None,
    "end_time": None,
}
FIXED = frozenset({"plan", "since_edition", "dropped_on", "drop_reason"})


@dataclass(frozen=True, slots=True)
class Host:
    """A host as a line names it: the name as written, and the organization it means, if known."""

    name: str
    organization: Organization | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """The content of a line to be added or revised.

    Attributes:
        values: columns of `PlanItem` by name; `windows` among them, or nothing for an unknown time.
        hosts: the complete list, in order.
        work_area: the area it stands in.
    """

    values: Mapping[str, Any]
    hosts: Sequence[Host] = field(default_factory=tuple)
    work_area: WorkArea | None = None


def add_items(
    plan: Plan, lines: Sequence[Line], *, viewer: Viewer, at: datetime, reason: str = ""
) -> list[PlanItem]:
    """Add lines at the end of the plan, in order.

    Raises:
        NotAllowed, InvalidInput.
        TransitionNotAllowed: the plan is closed.
    """
    return add_lines(plan, lines, viewer=viewer, at=at, reason=reason, kind="plan_item.added")


def revise_item(
    item: PlanItem, line: Line, *, viewer: Viewer, at: datetime, reason: str = ""
) -> PlanItem:
    """Change a line; its events that have not begun follow it.

    Raises:
        NotAllowed, InvalidInput, StaleVersion.
        TransitionNotAllowed: the plan is closed, or the line was dropped.
    """
    rules.require(rules.may_manage_plan(viewer, item.plan))
    refuse_when_closed(item.plan)
    if item.dropped_on is not None:
        raise TransitionNotAllowed(_("This line was dropped from the plan."))
    _fill(item, line)
    with recording(viewer.actor, at=at, reason=reason) as log:
        hold_plan(item.plan, log=log)
        parts = {"hosts": host_rows(line.hosts)}
        if log.save(item, "plan_item.revised", parts=parts):
            open_draft_edition(item.plan, reason=reason, log=log)
            for follower in followers:
                follower.line_revised(item, viewer=viewer, at=at)
    return item


def drop_item(
    item: PlanItem, *, on: date, reason: str, viewer: Viewer, at: datetime
) -> PlanItem | None:
    """Take a line out of the plan. A line that no edition has is deleted; others stay as dropped.

    Returns:
        The dropped line, or None when it was deleted.

    Raises:
        NotAllowed, StaleVersion.
        InvalidInput: an adopted line needs a reason.
        TransitionNotAllowed: the plan is closed, the line was dropped, or an event has begun.
    """
    rules.require(rules.may_manage_plan(viewer, item.plan))
    refuse_when_closed(item.plan)
    if item.dropped_on is not None:
        raise TransitionNotAllowed(_("This line was dropped from the plan."))
    with recording(viewer.actor, at=at, reason=reason) as log:
        hold_plan(item.plan, log=log)
        if item.since_edition is None:
            for follower in followers:
                follower.line_discarded(item, viewer=viewer, at=at)
            log.delete(item, "plan_item.discarded")
            return None
        open_draft_edition(item.plan, reason=reason, log=log)
        item.dropped_on, item.drop_reason = on, reason
        log.save(item, "plan_item.dropped")
        for follower in followers:
            follower.line_dropped(item, reason=reason, viewer=viewer, at=at)
    return item


def host_rows(hosts: Sequence[Host]) -> list[PlanItemHost]:
    """Return the hosts as rows of a line, in order."""
    return [
        PlanItemHost(position=position, name=host.name, organization=host.organization)
        for position, host in enumerate(hosts, start=1)
    ]


def add_lines(
    plan: Plan, lines: Sequence[Line], *, viewer: Viewer, at: datetime, reason: str, kind: str
) -> list[PlanItem]:
    """Add lines under a kind of change: added, or carried over from another plan.

    Raises:
        NotAllowed, InvalidInput, StaleVersion.
        TransitionNotAllowed: the plan is closed.
    """
    rules.require(rules.may_manage_plan(viewer, plan))
    refuse_when_closed(plan)
    if not lines:
        return []
    items = [_fill(PlanItem(plan=plan), line) for line in lines]
    parts = [{"hosts": host_rows(line.hosts)} for line in lines]
    with recording(viewer.actor, at=at, reason=reason) as log:
        hold_plan(plan, log=log)
        last = plan.items.order_by("-position").values_list("position", flat=True).first() or 0
        for position, item in enumerate(items, start=last + 1):
            item.position = position if item.position is None else item.position
        open_draft_edition(plan, reason=reason, log=log)
        log.insert_all(items, kind, parts=parts)
        for follower in followers:
            follower.lines_added(plan, items, viewer=viewer, at=at)
    return items


def _fill(item: PlanItem, line: Line) -> PlanItem:
    values = dict(line.values)
    windows = values.pop("windows", None)
    assign(item, values, fixed=FIXED)
    item.work_area = line.work_area
    if line.work_area is not None and line.work_area.plan_id != item.plan_id:
        raise invalid("work_area", _("This work area belongs to another plan."))
    if windows is not None:
        item.set_windows(windows)
    elif not item.windows:
        item.set_windows([dict(UNKNOWN_WINDOW)])
    return item
