"""Plans from the first draft to the last edition: opening, adopting, publishing, closing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from alliances import rules
from alliances.editions import LINE_KINDS, last_reasons
from alliances.followers import followers
from alliances.models import (
    Alliance,
    Edition,
    EditionItem,
    EditionState,
    Plan,
    PlanItem,
    PlanKind,
    PlanState,
    WorkArea,
)
from alliances.models.edition import SNAPSHOT_FIELDS
from coordination.accounts.viewer import Viewer
from coordination.changes.assigning import assign
from coordination.changes.recording import Log, recording
from coordination.changes.refusals import TransitionNotAllowed, invalid

COLORS = 8
FIXED_OF_PLAN = frozenset({"alliance", "slug", "state", "openness", "edition", "adopted_on"})


def open_plan(alliance: Alliance, *, viewer: Viewer, at: datetime, **values: Any) -> Plan:
    """Open a plan as a draft. An annual plan's address is its year, its period the year.

    Raises:
        NotAllowed, InvalidInput.
    """
    rules.require(rules.may_open_plan(viewer, alliance))
    plan = assign(Plan(alliance=alliance), values, fixed=FIXED_OF_PLAN - {"slug"})
    if plan.year is None:
        raise invalid("year", _("Say which year the plan is for."), code="required")
    if not plan.slug and plan.kind == PlanKind.ANNUAL:
        plan.slug = str(plan.year)
    if not plan.slug:
        raise invalid("slug", _("Give a campaign a short address."), code="required")
    plan.starts_on = plan.starts_on or date(plan.year, 1, 1)
    plan.ends_on = plan.ends_on or date(plan.year, 12, 31)
    with recording(viewer.actor, at=at) as log:
        log.save(plan, "plan.opened")
    return plan


def revise_plan(
    plan: Plan, *, viewer: Viewer, at: datetime, reason: str = "", **values: Any
) -> Plan:
    """Change a plan's title, period, target or document number.

    Raises:
        NotAllowed, InvalidInput, StaleVersion.
        TransitionNotAllowed: the plan is closed.
    """
    rules.require(rules.may_manage_plan(viewer, plan))
    refuse_when_closed(plan)
    assign(plan, values, fixed=FIXED_OF_PLAN)
    with recording(viewer.actor, at=at, reason=reason) as log:
        log.save(plan, "plan.revised")
    return plan


def add_work_area(plan: Plan, *, viewer: Viewer, at: datetime, **values: Any) -> WorkArea:
    """Add an area of work at the end, in the next colour.

    Raises:
        NotAllowed, InvalidInput.
        TransitionNotAllowed: the plan is closed.
    """
    rules.require(rules.may_manage_plan(viewer, plan))
    refuse_when_closed(plan)
    area = assign(WorkArea(plan=plan), values, fixed=["plan"])
    with recording(viewer.actor, at=at) as log:
        hold_plan(plan, log=log)
        if area.position is None:
            last = plan.work_areas.order_by("-position").values_list("position", flat=True).first()
            area.position = (last or 0) + 1
        if "color" not in values:
            area.color = (area.position - 1) % COLORS + 1
        log.save(area, "work_area.added")
    return area


def revise_work_area(area: WorkArea, *, viewer: Viewer, at: datetime, **values: Any) -> WorkArea:
    """Change an area's name, position or colour.

    Raises:
        NotAllowed, InvalidInput, StaleVersion, TransitionNotAllowed.
    """
    rules.require(rules.may_manage_plan(viewer, area.plan))
    refuse_when_closed(area.plan)
    assign(area, values, fixed=["plan"])
    with recording(viewer.actor, at=at) as log:
        hold_plan(area.plan, log=log)
        if log.save(area, "work_area.revised"):
            for follower in followers:
                follower.work_area_renamed(area, viewer=viewer, at=at)
    return area


def remove_work_area(area: WorkArea, *, viewer: Viewer, at: datetime) -> None:
    """Remove an area that no line stands in.

    Raises:
        NotAllowed, StaleVersion, TransitionNotAllowed.
        InUse: lines or events stand in it.
    """
    rules.require(rules.may_manage_plan(viewer, area.plan))
    refuse_when_closed(area.plan)
    with recording(viewer.actor, at=at) as log:
        hold_plan(area.plan, log=log)
        log.delete(area, "work_area.removed")


def adopt_plan(
    plan: Plan,
    *,
    on: date,
    viewer: Viewer,
    at: datetime,
    reason: str = "",
    document_number: str = "",
) -> Edition:
    """Adopt the draft, or the changes since the last edition, as the next edition.

    Every standing line is kept as it is now; from then on its circle of readers sees it.

    Raises:
        NotAllowed, StaleVersion.
        TransitionNotAllowed: the plan is closed, empty, or has no changes to adopt.
    """
    rules.require(rules.may_manage_plan(viewer, plan))
    refuse_when_closed(plan)
    with recording(viewer.actor, at=at, reason=reason) as log:
        hold_plan(plan, log=log)
        draft = draft_edition(plan)
        if plan.is_adopted and draft is None:
            raise TransitionNotAllowed(_("Nothing has changed since the last edition."))
        items = _standing_items(plan)
        if not items:
            raise TransitionNotAllowed(
                _("A plan without lines cannot be adopted."), code="plan_empty"
            )
        plan.adopt(on=on)
        if document_number:
            plan.document_number = document_number
        log.save(plan, "plan.adopted")
        edition = draft or Edition(plan=plan)
        edition.number, edition.state, edition.adopted_on = plan.edition, EditionState.ADOPTED, on
        edition.document_number = plan.document_number
        edition.reason = reason or edition.reason
        log.save(edition, "edition.adopted")
        for item in items:
            item.plan = plan
            if item.since_edition is None:
                item.since_edition = plan.edition
        log.update_all(items, "plan_item.adopted")
        log.freeze(_snapshots(edition, items))
        _tell_opened(plan, viewer=viewer, at=at, log=log)
    return edition


def publish_plan(plan: Plan, *, viewer: Viewer, at: datetime) -> Plan:
    """Open an adopted plan, its lines and its public events to everyone.

    Raises:
        NotAllowed, StaleVersion, TransitionNotAllowed.
    """
    rules.require(rules.may_manage_plan(viewer, plan))
    plan.publish()
    with recording(viewer.actor, at=at) as log:
        log.save(plan, "plan.published")
        items = _standing_items(plan)
        for item in items:
            item.plan = plan
        log.update_all(items, "plan_item.published")
        _tell_opened(plan, viewer=viewer, at=at, log=log)
    return plan


def close_plan(plan: Plan, *, viewer: Viewer, at: datetime, reason: str = "") -> Plan:
    """Close a plan; its record stands.

    Raises:
        NotAllowed, StaleVersion, TransitionNotAllowed.
    """
    rules.require(rules.may_manage_plan(viewer, plan))
    plan.close()
    with recording(viewer.actor, at=at, reason=reason) as log:
        log.save(plan, "plan.closed")
    return plan


def refuse_when_closed(plan: Plan) -> None:
    """Go on unless the plan is closed.

    Raises:
        TransitionNotAllowed: it is.
    """
    if plan.state == PlanState.CLOSED:
        raise TransitionNotAllowed(
            _("The plan is closed and cannot be changed. Carry its lines over into the next."),
            code="plan_closed",
        )


def hold_plan(plan: Plan, *, log: Log) -> None:
    """Let nobody adopt, publish or close the plan, or change its lines, until the recording ends.

    So a line never changes between being kept in an edition and being committed, and lines get
    their places one after the other.

    Raises:
        StaleVersion: the plan was adopted, published or closed since it was read.
    """
    log.hold(plan, unchanged=["state", "edition"])


def draft_edition(plan: Plan) -> Edition | None:
    """Return the edition that collects the changes since the last one, or None."""
    found: Edition | None = plan.editions.filter(state=EditionState.DRAFT).first()
    if found is not None:
        found.plan = plan
    return found


def open_draft_edition(plan: Plan, *, reason: str, log: Log) -> None:
    """See to it that a change of an adopted plan has a reason and a draft edition to stand in.

    Raises:
        InvalidInput: the plan is adopted and no reason was given.
    """
    if not plan.is_adopted:
        return
    if not reason.strip():
        raise invalid(
            "reason",
            _("The plan is adopted: say why it changes. The reason goes into the next edition."),
            code="reason_required",
        )
    if draft_edition(plan) is None:
        log.save(Edition(plan=plan, number=plan.edition + 1, reason=reason), "edition.opened")


def _standing_items(plan: Plan) -> list[PlanItem]:
    rows = PlanItem.objects.filter(plan=plan).standing().select_related("work_area")
    return list(rows.prefetch_related("hosts").order_by("position", "pk"))


def _tell_opened(plan: Plan, *, viewer: Viewer, at: datetime, log: Log) -> None:
    rows = list(plan.work_areas.all())
    for row in rows:
        row.plan = plan
    log.update_all(rows, "work_area.opened")
    for follower in followers:
        follower.plan_opened(plan, viewer=viewer, at=at)


def _snapshots(edition: Edition, items: Sequence[PlanItem]) -> list[EditionItem]:
    last = last_reasons([str(item.uid) for item in items], LINE_KINDS)
    rows = []
    for item in items:
        area = item.work_area
        reason, actor = last.get(str(item.uid), ("", ""))
        rows.append(
            EditionItem(
                edition=edition,
                item_uid=item.uid,
                work_area_zh=area.name_zh if area else "",
                work_area_en=area.name_en if area else "",
                host_names=[host.name for host in item.hosts.all()],
                reason=reason,
                actor=actor,
                **{name: getattr(item, name) for name in SNAPSHOT_FIELDS},
            )
        )
    return rows
