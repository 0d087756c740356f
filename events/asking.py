"""Who is asked to an event now: which invitations stand, and who answers for whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from alliances.expiring import day_of_rights
from alliances.models import Membership, Seat
from coordination.accounts.viewer import Grant, Viewer
from coordination.deliveries.recipients import RecipientKey
from events.models import Event, EventState, Invitation
from events.rules import ANSWERING_ROLES

ON = frozenset({EventState.SCHEDULED, EventState.CONFIRMED, EventState.POSTPONED})


def is_wanted(invitation: Invitation, *, at: datetime) -> bool:
    """Whether the invitation stands, and its organization may see the event."""
    event = invitation.event
    if invitation.withdrawn_at is not None or event.state not in ON:
        return False
    return Event.objects.visible_to(_as_organization(invitation, at)).filter(pk=event.pk).exists()


def people_asked(invitation: Invitation, *, at: datetime) -> QuerySet[Any, Any]:
    """Return the seats of those who answer for the organization, with their `recipient` key."""
    return seats_of([invitation.organization_id], at=at)


def seats_of(organizations: Iterable[int], *, at: datetime) -> QuerySet[Any, Any]:
    """Return the seats of those who answer for organizations, with their `recipient` key.

    Args:
        organizations: keys.
        at: now; the day is taken in the zone in which rights are read.
    """
    seats: QuerySet[Any, Any] = (
        Seat.objects.active_on(day_of_rights(at))
        .filter(
            organization__in=list(organizations),
            role__in=ANSWERING_ROLES,
            person__erased_at__isnull=True,
        )
        .annotate(recipient=RecipientKey("person", "person__uid"))
    )
    return seats


def asked_for(event: Event, person_uid: str, *, at: datetime) -> QuerySet[Any, Any]:
    """Return the invitations to an event of organizations that a person answers for now.

    They were not withdrawn; see `is_wanted` for whether they stand.
    """
    seats = Seat.objects.active_on(day_of_rights(at)).filter(
        person__uid=person_uid, person__erased_at__isnull=True, role__in=ANSWERING_ROLES
    )
    rows: QuerySet[Any, Any] = Invitation.objects.filter(
        event=event, organization__in=seats.values("organization"), withdrawn_at__isnull=True
    )
    return rows.select_related("event", "organization").order_by("pk")


def is_asked(event: Event, person_uid: str, *, at: datetime, but: Invitation | None = None) -> bool:
    """Whether an invitation, other than `but`, asks a person to an event now."""
    rows = asked_for(event, person_uid, at=at)
    return any(row != but and is_wanted(row, at=at) for row in rows)


def is_asked_otherwise(invitation: Invitation, person_uid: str, *, at: datetime) -> bool:
    """Whether another invitation asks the same person to the same event: it is in their calendar.

    One UID stands for both there, so taking one back must not take the event out.
    """
    return is_asked(invitation.event, person_uid, at=at, but=invitation)


def _as_organization(invitation: Invitation, at: datetime) -> Viewer:
    """Return a viewer with what everybody who acts for the organization may see."""
    memberships = Membership.objects.filter(organization=invitation.organization_id)
    alliances = memberships.active_on(day_of_rights(at)).values_list("alliance", flat=True)
    grants = {Grant("member", "alliance", pk) for pk in alliances}
    return Viewer(
        user_id=None,
        grants=frozenset({Grant("member", "organization", invitation.organization_id), *grants}),
    )
