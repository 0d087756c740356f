"""Questions to the alliances' nouns. Every read starts at `visible_to(viewer)`."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.apps import apps
from django.db.models import Q

from coordination.accounts.viewer import Viewer
from coordination.changes.models import GuardedQuerySet


class PublicQuerySet(GuardedQuerySet[Any]):
    """Rows that everybody may know of."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return what the viewer may see: everything."""
        return self


class PeriodQuerySet(PublicQuerySet):
    """Rows with a period from `starts_on` to `ends_on` (exclusive, None = open)."""

    def active_on(self, day: date) -> Self:
        """Return the rows whose period includes `day`: who was a member on day X."""
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day)


def alliances_seen_from_inside(viewer: Viewer) -> frozenset[int]:
    """Return the keys of the alliances in which the viewer has any part."""
    return frozenset(grant.pk for grant in viewer.grants if grant.kind == "alliance")


def open_to(viewer: Viewer, *, openness: str, alliance: str) -> Q:
    """Return the condition for rows with an openness column, of the alliance at path `alliance`."""
    inside = alliances_seen_from_inside(viewer)
    condition = Q(**{openness: "public"})
    if inside:
        condition |= Q(**{openness: "members", f"{alliance}__in": inside})
        staffed = viewer.pks("secretariat", "alliance")
        if staffed:
            condition |= Q(**{f"{alliance}__in": staffed})
    return condition


class PlanQuerySet(GuardedQuerySet[Any]):
    """Plans: drafts for the secretariat, adopted ones for members, published ones for all."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the plans that the viewer may see."""
        if viewer.is_unlimited:
            return self
        return self.filter(open_to(viewer, openness="openness", alliance="alliance"))

    def for_year(self, year: int) -> Self:
        """Return the plans of a year."""
        return self.filter(year=year)


class WorkAreaQuerySet(GuardedQuerySet[Any]):
    """Work areas are seen as their plan is."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the work areas of plans that the viewer may see."""
        if viewer.is_unlimited:
            return self
        return self.filter(open_to(viewer, openness="plan__openness", alliance="plan__alliance"))


class PlanItemQuerySet(GuardedQuerySet[Any]):
    """Lines are seen as their plan is, from the first edition on that has them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the lines that the viewer may see."""
        if viewer.is_unlimited:
            return self
        seen = open_to(viewer, openness="plan__openness", alliance="plan__alliance") & Q(
            since_edition__isnull=False
        )
        staffed = viewer.pks("secretariat", "alliance")
        return self.filter(seen | Q(plan__alliance__in=staffed) if staffed else seen)

    def standing(self) -> Self:
        """Return the lines that were not dropped."""
        return self.filter(dropped_on__isnull=True)


class EditionQuerySet(GuardedQuerySet[Any]):
    """Adopted editions are seen as their plan is; a draft edition is the secretariat's."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the editions that the viewer may see."""
        if viewer.is_unlimited:
            return self
        seen = open_to(viewer, openness="plan__openness", alliance="plan__alliance") & Q(
            state="adopted"
        )
        staffed = viewer.pks("secretariat", "alliance")
        return self.filter(seen | Q(plan__alliance__in=staffed) if staffed else seen)


class SeatQuerySet(PeriodQuerySet):
    """Seats are known inside the alliances in which they act."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the seats of bodies and member organizations of the viewer's alliances."""
        if viewer.is_unlimited:
            return self
        if not viewer.is_authenticated:
            return self.none()
        inside = alliances_seen_from_inside(viewer)
        organizations = {grant.pk for grant in viewer.grants if grant.kind == "organization"}
        return self.filter(
            Q(body__alliance__in=inside)
            | Q(organization__in=organizations)
            | Q(organization__in=_members_of(inside))
            | Q(person__user=viewer.user_id)
        )


class PersonQuerySet(GuardedQuerySet[Any]):
    """People are known inside the alliances in which they hold seats."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the people whose seats the viewer may see, and the viewer."""
        if viewer.is_unlimited:
            return self
        if not viewer.is_authenticated:
            return self.none()
        seats = self.model._meta.get_field("seats").related_model.objects.visible_to(viewer)
        return self.filter(Q(pk__in=seats.values("person")) | Q(user=viewer.user_id))


def _members_of(alliances: frozenset[int]) -> Any:
    """Return the organizations that are, or were, members of `alliances`, as a subquery."""
    memberships = apps.get_model("alliances", "Membership").objects
    return memberships.filter(alliance__in=alliances).values("organization")
