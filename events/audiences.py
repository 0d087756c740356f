"""Who is told of an event: its audiences as rows, selected inside the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from alliances.models import BodyKind, Membership, Openness, Seat, SeatRole
from coordination.deliveries.recipients import RecipientKey
from events.models import Event

TOLD_ROLES = (SeatRole.LIAISON, SeatRole.DEPUTY)


def recipients_of(event: Event, audience: Sequence[str], *, on: date) -> QuerySet[Any, Any]:
    """Return the seats of those who belong to the audience, with their `recipient` key.

    Nobody is told of an event that they may not see: an event for the secretariat is told to the
    secretariat only, and members at large hear of what is open to members.

    Args:
        event: the event.
        audience: of "hosts", "members", "named", "secretariat".
        on: day on which seats and memberships must hold.
    """
    wanted = Q(pk__in=[])
    if "secretariat" in audience:
        wanted |= Q(
            role=SeatRole.STAFF,
            body__kind=BodyKind.SECRETARIAT,
            body__alliance=event.alliance_id,
        )
    for organizations in _organizations(event, audience, on):
        wanted |= Q(role__in=TOLD_ROLES, organization__in=organizations)
    seats: QuerySet[Any, Any] = (
        Seat.objects.active_on(on)
        .filter(wanted, person__erased_at__isnull=True)
        .annotate(recipient=RecipientKey("person", "person__uid"))
    )
    return seats


def _organizations(event: Event, audience: Sequence[str], on: date) -> list[Any]:
    if event.openness == Openness.SECRETARIAT:
        return []
    found: list[Any] = []
    if "hosts" in audience:
        found.append(_known(event, "hosts"))
    if "named" in audience:
        found.append(_known(event, "named"))
    if "members" in audience and event.openness in (Openness.MEMBERS, Openness.PUBLIC):
        alliances = [event.alliance_id, *(row.alliance_id for row in event.part_rows("co_hosts"))]
        rows = Membership.objects.filter(alliance__in=alliances).active_on(on)
        found.append(rows.values("organization"))
    return found


def _known(event: Event, part: str) -> list[int]:
    """Return the organizations in a part; hosts known by name only have none."""
    return [row.organization_id for row in event.part_rows(part) if row.organization_id]
