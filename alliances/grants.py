"""From seats to grants: what a person may do today, as `accounts` holds it without knowing it.

Roles in an alliance: "secretariat", "chair", "council" (a member of a body), "observer", and
"member" (acts for a member organization). Roles in an organization: "liaison" for its liaison
officers and deputies, "member" for everybody who acts for it.
"""

from __future__ import annotations

from datetime import date

from django.db import connection

from alliances.models import Body, BodyKind, Membership, Person, Seat, SeatRole
from coordination.accounts.viewer import Grant
from coordination.statements import rows_of

BODY_GRANTS = {
    SeatRole.CHAIR: "chair",
    SeatRole.MEMBER: "council",
    SeatRole.OBSERVER: "observer",
}

# Asked at every request of whoever is signed in, so it is written out: putting it together anew
# would cost more than running it.
_SEATS = f"""
    SELECT seat.role, seat.organization_id, membership.alliance_id, membership.role,
           body.kind, body.alliance_id
    FROM "{Seat._meta.db_table}" seat
    JOIN "{Person._meta.db_table}" person ON person.id = seat.person_id
    LEFT JOIN "{Body._meta.db_table}" body ON body.id = seat.body_id
    LEFT JOIN "{Membership._meta.db_table}" membership
        ON membership.organization_id = seat.organization_id AND membership.starts_on <= %s
        AND (membership.ends_on IS NULL OR membership.ends_on > %s)
    WHERE person.user_id = %s AND seat.starts_on <= %s
        AND (seat.ends_on IS NULL OR seat.ends_on > %s)
"""


def grants_of(user_id: int, on: date) -> frozenset[Grant]:
    """Return the grants that the user's seats give on the day; one query."""
    day = connection.ops.adapt_datefield_value(on)
    rows = rows_of(_SEATS, [day, day, user_id, day, day])
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
