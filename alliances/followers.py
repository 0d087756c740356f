"""Those who follow what happens to plans and organizations, inside the same recording.

Events stand above alliances in the house, so planning cannot call them; they register a follower
in `AppConfig.ready`, and the verbs here tell it what they did.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from alliances.models import Alliance, Organization, Plan, PlanItem, WorkArea
from coordination.accounts.viewer import Viewer


class Follower(Protocol):
    """What a follower of plans and organizations is told. All run inside the open recording."""

    def lines_added(
        self, plan: Plan, items: Sequence[PlanItem], *, viewer: Viewer, at: datetime
    ) -> None:
        """Lines were added to the plan."""

    def line_revised(self, item: PlanItem, *, viewer: Viewer, at: datetime) -> None:
        """A line has other words, hosts or windows than before."""

    def line_dropped(self, item: PlanItem, *, reason: str, viewer: Viewer, at: datetime) -> None:
        """A line was taken out of an adopted plan."""

    def line_discarded(self, item: PlanItem, *, viewer: Viewer, at: datetime) -> None:
        """A line that no edition had is about to be deleted."""

    def still_to_hold(self, items: Sequence[int], *, on: date) -> dict[int, int]:
        """Return, for lines by key, how often each is still to be held after the day."""

    def plan_opened(self, plan: Plan, *, viewer: Viewer, at: datetime) -> None:
        """The plan's circle of readers changed."""

    def work_area_renamed(self, work_area: WorkArea, *, viewer: Viewer, at: datetime) -> None:
        """A work area has another name or colour."""

    def alliance_renamed(self, alliance: Alliance, *, viewer: Viewer, at: datetime) -> None:
        """An alliance has another name, public address or time zone."""

    def organization_renamed(
        self, organization: Organization, *, viewer: Viewer, at: datetime
    ) -> None:
        """An organization has another name."""

    def organizations_merged(
        self, kept: Organization, merged: Organization, *, viewer: Viewer, at: datetime
    ) -> None:
        """One organization turned out to be another."""


followers: list[Follower] = []


def register_follower(follower: Follower) -> None:
    """Have `follower` told from now on."""
    if follower not in followers:
        followers.append(follower)
