"""Questions to the events' nouns. Every read starts at `visible_to(viewer)`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.apps import apps
from django.db.models import Exists, OuterRef, Q

from alliances.querysets import alliances_seen_from_inside
from coordination.accounts.viewer import Viewer
from coordination.changes.models import GuardedQuerySet


def _organizations_of(viewer: Viewer) -> frozenset[int]:
    return frozenset(grant.pk for grant in viewer.grants if grant.kind == "organization")


class EventQuerySet(GuardedQuerySet[Any]):
    """Events, each open to one circle."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the events that the viewer may see.

        The secretariat of the owner sees all; a co-hosting alliance sees what is open to more
        than the owner's secretariat; hosts and organizations named see theirs from then on too.
        """
        if viewer.is_unlimited:
            return self
        condition = Q(openness="public")
        inside = alliances_seen_from_inside(viewer)
        if inside:
            condition |= Q(openness="members", alliance__in=inside)
            condition |= Q(openness="members") & _co_hosted_by(inside)
        staffed = viewer.pks("secretariat", "alliance")
        if staffed:
            condition |= Q(alliance__in=staffed)
            condition |= ~Q(openness="secretariat") & _co_hosted_by(staffed)
        organizations = _organizations_of(viewer)
        if organizations:
            named = _part("EventHost", organization__in=organizations) | _part(
                "EventOrganization", organization__in=organizations
            )
            condition |= ~Q(openness="secretariat") & named
        return self.filter(condition)

    def overlapping(self, since: datetime, until: datetime) -> Self:
        """Return the events with a time in [since, until)."""
        return self.filter(starts_at__lt=until, ends_at__gt=since)

    def concerning_organization(self, organization_id: int) -> Self:
        """Return the events that an organization hosts or that name it."""
        return self.filter(
            _part("EventHost", organization=organization_id)
            | _part("EventOrganization", organization=organization_id)
        )


def _part(model: str, **conditions: Any) -> Q:
    rows = apps.get_model("events", model).objects.filter(event=OuterRef("pk"), **conditions)
    return Q(Exists(rows))


def _co_hosted_by(alliances: frozenset[int]) -> Q:
    return _part("EventAlliance", alliance__in=alliances)


class EventChildQuerySet(GuardedQuerySet[Any]):
    """Rows of an event with an openness of their own: seen inside both circles."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the rows of events that the viewer may see, as far as they are open."""
        if viewer.is_unlimited:
            return self
        events = apps.get_model("events", "Event").objects.visible_to(viewer)
        inside = alliances_seen_from_inside(viewer)
        open_here = Q(openness="public")
        if inside:
            open_here |= Q(openness="members", event__alliance__in=inside)
            co_hosted = apps.get_model("events", "EventAlliance").objects.filter(
                event=OuterRef("event"), alliance__in=inside
            )
            open_here |= Q(Exists(co_hosted), openness="members")
        organizations = _organizations_of(viewer)
        for model in ("EventHost", "EventOrganization") if organizations else ():
            rows = apps.get_model("events", model).objects.filter(
                event=OuterRef("event"), organization__in=organizations
            )
            open_here |= ~Q(openness="secretariat") & Q(Exists(rows))
        staffed = viewer.pks("secretariat", "alliance")
        if staffed:
            open_here |= Q(event__alliance__in=staffed)
        return self.filter(open_here, event__in=events.values("pk"))


class _OwedQuerySet(GuardedQuerySet[Any]):
    """Rows between an event's secretariat and one organization."""

    event_path = "event"
    organization_path = "organization"

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the rows of the viewer's organizations, and those the secretariat keeps."""
        if viewer.is_unlimited:
            return self
        organizations = _organizations_of(viewer)
        staffed = viewer.pks("secretariat", "alliance")
        mine = Q(**{f"{self.organization_path}__in": organizations}) & ~Q(
            **{f"{self.event_path}__openness": "secretariat"}
        )
        return self.filter(mine | Q(**{f"{self.event_path}__alliance__in": staffed}))


class InvitationQuerySet(_OwedQuerySet):
    """Invitations."""

    def unanswered(self) -> Self:
        """Return the invitations that wait for an answer."""
        return self.filter(state="needs_action", withdrawn_at__isnull=True)


class AnswerQuerySet(_OwedQuerySet):
    """Answers to invitations."""

    event_path = "invitation__event"
    organization_path = "invitation__organization"


class DutyQuerySet(_OwedQuerySet):
    """Duties."""

    def owed(self) -> Self:
        """Return the duties that are not done."""
        return self.filter(done_at__isnull=True)


class ReminderRuleQuerySet(GuardedQuerySet[Any]):
    """Reminder rules: the secretariat's business."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the rules of the viewer's secretariats."""
        if viewer.is_unlimited:
            return self
        staffed = viewer.pks("secretariat", "alliance")
        return self.filter(
            Q(alliance__in=staffed)
            | Q(plan__alliance__in=staffed)
            | Q(work_area__plan__alliance__in=staffed)
            | Q(event__alliance__in=staffed)
        )
