"""Applying an import: the plan, its areas and lines are changed by the verbs, in one recording."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from alliances.drafting import Host, Line, add_items, drop_item, revise_item
from alliances.models import Alliance, Organization, Plan, PlanItem, WorkArea
from alliances.planning import add_work_area, open_plan, revise_plan, revise_work_area
from coordination.accounts.viewer import Viewer
from coordination.changes.recording import recording
from coordination.workbooks.comparing import Match, key_of
from coordination.workbooks.naming import KnownOrganizations
from coordination.workbooks.plan_sheet import PlanLine
from coordination.workbooks.written import one_line

NO_LONGER_THERE = _("No longer in the imported workbook.")


def area_names(text: str) -> tuple[str, str]:
    """Return the column for a name in its language, and the name."""
    return ("name_zh" if re.search(r"[\u3400-\u9fff]", text) else "name_en", text)


def apply_matches(
    plan: Plan | None,
    plan_values: Mapping[str, Any],
    matches: Sequence[Match],
    *,
    kept: Sequence[PlanItem] = (),
    alliance: Alliance,
    known: KnownOrganizations,
    viewer: Viewer,
    at: datetime,
    reason: str,
) -> Plan:
    """Make a plan what a workbook says; without a stored plan, open one from `plan_values`.

    Stored lines without a line in the file are dropped; those in `kept` stay, without the number
    if the file gives it to another line.

    Raises:
        NotAllowed, InvalidInput, StaleVersion, TransitionNotAllowed: as the verbs say; then nothing
            was changed.
    """
    with recording(viewer.actor, at=at, reason=reason):
        if plan is None:
            plan = open_plan(alliance, viewer=viewer, at=at, **plan_values)
        elif plan_values:
            revise_plan(plan, viewer=viewer, at=at, reason=reason, **plan_values)
        work = _Work(plan, known, viewer, at, reason)
        work.settle_areas(matches)
        work.drop([match.item for match in matches if match.line is None and match.item])
        work.step_aside(kept, {match.line.number for match in matches if match.line})
        work.revise([match for match in matches if match.line and match.item and match.cells])
        work.add(matches)
    return plan


class _Work:
    """One import under way."""

    def __init__(
        self, plan: Plan, known: KnownOrganizations, viewer: Viewer, at: datetime, reason: str
    ) -> None:
        self.plan = plan
        self.known = known
        self.viewer = viewer
        self.at = at
        self.reason = reason
        self.areas: dict[str, WorkArea] = {}

    def settle_areas(self, matches: Sequence[Match]) -> None:
        """Find the areas that lines stand in; rename those renamed, add those that are new."""
        stored = list(self.plan.work_areas.order_by("position"))
        for area in stored:
            area.plan = self.plan
            for name in filter(None, (area.name_en, area.name_zh)):
                self.areas[key_of(name)] = area
        wanted = dict.fromkeys(
            match.line.work_area for match in matches if match.line and match.line.work_area
        )
        kept = {self.areas[key_of(name)].pk for name in wanted if key_of(name) in self.areas}
        for name in wanted:
            if key_of(name) in self.areas:
                continue
            column, text = area_names(name)
            old = self._renamed(name, matches)
            if old is not None and old not in kept:
                area = next(area for area in stored if area.pk == old)
                kept.add(old)
                revise_work_area(area, viewer=self.viewer, at=self.at, **{column: text})
            else:
                area = add_work_area(self.plan, viewer=self.viewer, at=self.at, **{column: text})
            self.areas[key_of(name)] = area

    def _renamed(self, name: str, matches: Sequence[Match]) -> int | None:
        """Return the one area that all lines of a new area stood in before, if there is one."""
        before = {
            match.item.work_area_id
            for match in matches
            if match.line and match.item and match.line.work_area == name
        }
        after = {
            match.line.work_area
            for match in matches
            if match.line and match.item and match.item.work_area_id in before
        }
        return before.pop() if len(before) == 1 and after == {name} else None

    def drop(self, items: Sequence[PlanItem]) -> None:
        """Take lines out of the plan."""
        day = self.at.astimezone(ZoneInfo(self.plan.alliance.time_zone)).date()
        for item in items:
            drop_item(
                item,
                on=day,
                reason=self.reason or str(NO_LONGER_THERE),
                viewer=self.viewer,
                at=self.at,
            )

    def step_aside(self, items: Sequence[PlanItem], numbers: set[str]) -> None:
        """Take the number from lines that stay although the file gives it to another line."""
        for item in items:
            if item.number and item.number in numbers:
                self._revise(item, Line({"number": ""}, _hosts_of(item), item.work_area))

    def revise(self, matches: Sequence[Match]) -> None:
        """Change lines, in an order in which no number is ever used twice."""
        waiting = [(match.line, match.item) for match in matches if match.line and match.item]
        used = {item.number for _line, item in waiting if item.number}
        while waiting:
            later = []
            for line, item in waiting:
                if line.number and line.number != item.number and line.number in used:
                    later.append((line, item))
                    continue
                used.discard(item.number)
                used.add(line.number)
                self._revise(item, self._line(line, item))
            if len(later) == len(waiting):
                # Numbers that changed places: one of the lines steps aside.
                line, item = later[0]
                used.discard(item.number)
                self._revise(item, Line({"number": ""}, _hosts_of(item), item.work_area))
            waiting = later

    def _revise(self, item: PlanItem, line: Line) -> None:
        revise_item(item, line, viewer=self.viewer, at=self.at, reason=self.reason)

    def add(self, matches: Sequence[Match]) -> None:
        """Add new lines; each stands behind the line that it follows in the file."""
        lines, behind = [], 0
        is_first = not any(match.item for match in matches)
        for match in matches:
            if match.item is not None:
                behind = max(behind, match.item.position)
            elif match.line is not None:
                line = self._line(match.line, None)
                position = {} if is_first else {"position": behind}
                lines.append(Line(dict(line.values) | position, line.hosts, line.work_area))
        add_items(self.plan, lines, viewer=self.viewer, at=self.at, reason=self.reason)

    def _line(self, line: PlanLine, item: PlanItem | None) -> Line:
        values: dict[str, Any] = {
            "number": line.number,
            "type_text": line.type,
            "place_text": line.place,
            "participants_text": line.participants,
            "notes": line.notes,
            "window_text": line.time,
            "windows": [window.as_json() for window in line.windows],
        }
        stored = () if item is None else (one_line(item.title_zh), one_line(item.title_en))
        if line.title not in stored:
            values[area_names(line.title)[0].replace("name", "title")] = line.title
        own = {} if item is None else {host.name: host.organization for host in item.hosts.all()}
        hosts = [Host(name, self._organization(name, own)) for name in line.hosts]
        return Line(values, hosts, self.areas.get(key_of(line.work_area)))

    def _organization(
        self, name: str, own: Mapping[str, Organization | None]
    ) -> Organization | None:
        """Return whom a name means; what a person linked by hand stays linked."""
        return own.get(name) or self.known.named(name)


def _hosts_of(item: PlanItem) -> list[Host]:
    return [Host(host.name, host.organization) for host in item.hosts.all()]
