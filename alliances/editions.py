"""Questions to the editions of a plan: what stands in one, and how two differ."""

from __future__ import annotations

from dataclasses import replace

from alliances.comparing import LineChange, LineChangeKind, LineState, compare_lines
from alliances.models import Edition, EditionState, PlanItem
from alliances.models.edition import SNAPSHOT_FIELDS
from coordination.changes.models import Change

LINE_KINDS = ["plan_item.added", "plan_item.revised", "plan_item.carried_over"]


def lines_of(edition: Edition) -> list[LineState]:
    """Return the lines of an edition: its snapshot, or for a draft the lines as they stand."""
    if edition.state == EditionState.DRAFT:
        return _standing_lines(edition)
    return [
        LineState(str(row.item_uid), row.values(), row.reason, row.actor)
        for row in edition.items.all()
    ]


def compare_editions(before: Edition, after: Edition) -> list[LineChange]:
    """Compare two editions of one plan line by line, each change with why and by whom.

    Three queries, however many lines there are.
    """
    changes = compare_lines(lines_of(before), lines_of(after))
    dropped = [change.uid for change in changes if change.kind == LineChangeKind.DROPPED]
    why = last_reasons(dropped, ["plan_item.dropped"]) if dropped else {}
    return [_explained(change, why) for change in changes]


def last_reasons(uids: list[str], kinds: list[str]) -> dict[str, tuple[str, str]]:
    """Return why and by whom each object last changed in one of these ways: uid -> both."""
    last: dict[str, tuple[str, str]] = {}
    for start in range(0, len(uids), 500):
        rows = Change.objects.filter(object_uid__in=uids[start : start + 500], kind__in=kinds)
        for uid, reason, actor in rows.order_by("number").values_list(
            "object_uid", "reason", "actor"
        ):
            last[str(uid)] = (reason, actor)
    return last


def _explained(change: LineChange, why: dict[str, tuple[str, str]]) -> LineChange:
    """Give a dropped line the reason for which it was dropped."""
    if change.before is None or change.kind != LineChangeKind.DROPPED:
        return change
    reason, actor = why.get(change.uid, ("", ""))
    return replace(change, before=replace(change.before, reason=reason, actor=actor))


def _standing_lines(edition: Edition) -> list[LineState]:
    items = list(
        PlanItem.objects.filter(plan=edition.plan_id)
        .standing()
        .select_related("work_area")
        .prefetch_related("hosts")
        .order_by("position", "pk")
    )
    why = last_reasons(
        [str(item.uid) for item in items],
        LINE_KINDS,
    )
    lines = []
    for item in items:
        values = {name: getattr(item, name) for name in SNAPSHOT_FIELDS}
        values["work_area_zh"] = item.work_area.name_zh if item.work_area else ""
        values["work_area_en"] = item.work_area.name_en if item.work_area else ""
        values["host_names"] = [host.name for host in item.hosts.all()]
        lines.append(LineState(str(item.uid), values, *why.get(str(item.uid), ("", ""))))
    return lines
