"""From seats to grants: what a person may do today, as `accounts` holds it without knowing it.

Roles in an alliance: "secretariat", "chair", "council" (a member of a body), "observer", and
"member" (acts for a member organization). Roles in an organization: "liaison" for its liaison
officers and deputies, "member" for everybody who acts for it.
"""

from __future__ import annotations

from datetime import date

from django.db.models import FilteredRelation, Q

from alliances.models import BodyKind, Seat, SeatRole
from coordination.accounts.viewer import Grant

BODY_GRANTS = {
    SeatRole.CHAIR: "chair",
    SeatRole.MEMBER: "council",
    SeatRole.OBSERVER: "observer",
}


def grants_of(user_id: int, on: date) -> frozenset[Grant]:
    """Return the grants that the user's seats give on the day; one query."""
    current = Q(organization__memberships__starts_on__lte=on) & (
        Q(organization__memberships__ends_on__isnull=True)
        | Q(organization__memberships__ends_on__gt=on)
    )
    rows = (
        Seat.objects.active_on(on)
        .filter(person__user=user_id)
        .annotate(membership=FilteredRelation("organization__memberships", condition=current))
        .order_by()
        .values_list(
            "role",
            "organization_id",
            "membership__alliance_id",
            "membership__role",
            "body__kind",
            "body__alliance_id",
        )
    )
    grants: set[Grant] = set()
    for role, organization, alliance, membership_role, body_kind, body_alliance in rows:
        if organization is None:
            grants.add(Grant(_role_in_body(role, body_kind), "alliance", body_alliance))
            continue
        grants.add(Grant("member", "organization", organization))
        if role in (SeatRole.LIAISON, SeatRole.DEPUTY):
            grants.add(Grant("liaison", "organization", organization))
        if alliance is not None:
            seen_as = "observer" if membership_role == "observer" else "member"
            grants.add(Grant(seen_as, "alliance", alliance))
    return frozenset(grants)


def _role_in_body(role: str, body_kind: str) -> str:
    if role == SeatRole.STAFF:
        return "secretariat" if body_kind == BodyKind.SECRETARIAT else "council"
    return BODY_GRANTS[SeatRole(role)]
