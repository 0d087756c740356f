"""Who may do what to alliances, members, people and plans. The only reader of roles here.

`may_<verb>(viewer, subject) -> bool`: verbs ask and refuse, faces ask to show or hide.
"""

from __future__ import annotations

from alliances.models import Alliance, Body, Membership, Organization, Person, Plan, Seat
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import NotAllowed


def require(allowed: bool) -> None:
    """Go on when allowed.

    Raises:
        NotAllowed: otherwise.
    """
    if not allowed:
        raise NotAllowed


def is_secretariat_of(viewer: Viewer, alliance_id: int) -> bool:
    """Return whether the viewer works in the alliance's secretariat (or is unlimited)."""
    return viewer.is_unlimited or viewer.has("secretariat", "alliance", alliance_id)


def is_secretariat_anywhere(viewer: Viewer) -> bool:
    """Return whether the viewer works in any secretariat (or is unlimited)."""
    return viewer.is_unlimited or bool(viewer.pks("secretariat", "alliance"))


def may_found_alliance(viewer: Viewer) -> bool:
    """A new alliance is set up by a superuser; its own secretariat then carries on."""
    return viewer.is_unlimited


def may_manage_alliance(viewer: Viewer, alliance: Alliance) -> bool:
    """Its details, bodies, members, seats, plans and rules: its secretariat."""
    return is_secretariat_of(viewer, alliance.pk)


def may_register_organization(viewer: Viewer) -> bool:
    """Any secretariat may add an organization that the installation does not know yet."""
    return is_secretariat_anywhere(viewer)


def may_revise_organization(viewer: Viewer, organization: Organization) -> bool:
    """Organizations belong to the installation; their liaison officers keep them current."""
    return viewer.is_unlimited or viewer.has("liaison", "organization", organization.pk)


def may_merge_organizations(viewer: Viewer) -> bool:
    """Merging duplicates touches several alliances: superusers only."""
    return viewer.is_unlimited


def may_manage_membership(viewer: Viewer, membership: Membership) -> bool:
    """The alliance's secretariat."""
    return is_secretariat_of(viewer, membership.alliance_id)


def may_manage_body(viewer: Viewer, body: Body) -> bool:
    """The alliance's secretariat."""
    return is_secretariat_of(viewer, body.alliance_id)


def may_add_person(viewer: Viewer) -> bool:
    """Any secretariat; liaison officers may add people of their own organization."""
    return is_secretariat_anywhere(viewer) or bool(viewer.pks("liaison", "organization"))


def may_seat_in_body(viewer: Viewer, body: Body) -> bool:
    """The secretariat of the body's alliance."""
    return is_secretariat_of(viewer, body.alliance_id)


def may_seat_for_organization(viewer: Viewer, organization: Organization) -> bool:
    """The secretariat of an alliance it belongs to, or its own liaison officer."""
    if viewer.is_unlimited or viewer.has("liaison", "organization", organization.pk):
        return True
    staffed = viewer.pks("secretariat", "alliance")
    return bool(staffed) and organization.memberships.filter(alliance__in=staffed).exists()


def may_manage_seat(viewer: Viewer, seat: Seat) -> bool:
    """Whoever may give the seat may also end it."""
    if seat.body is not None:
        return may_seat_in_body(viewer, seat.body)
    return seat.organization is not None and may_seat_for_organization(viewer, seat.organization)


def may_give_account(viewer: Viewer) -> bool:
    """To say that a person signs in with an account: any secretariat."""
    return is_secretariat_anywhere(viewer)


def may_manage_person(viewer: Viewer, person: Person) -> bool:
    """The person, or whoever may manage one of the person's seats."""
    if viewer.is_unlimited or (person.user_id is not None and person.user_id == viewer.user_id):
        return True
    seats = list(person.seats.select_related("body", "organization"))
    if not seats:
        return is_secretariat_anywhere(viewer)
    return any(may_manage_seat(viewer, seat) for seat in seats)


def may_erase_person(viewer: Viewer, person: Person) -> bool:
    """The person, or whoever may manage all of the person's seats: it takes the account too."""
    if viewer.is_unlimited or (person.user_id is not None and person.user_id == viewer.user_id):
        return True
    if person.user is not None and person.user.is_superuser:
        return False
    seats = list(person.seats.select_related("body", "organization"))
    if not seats:
        return person.user_id is None and is_secretariat_anywhere(viewer)
    return all(may_manage_seat(viewer, seat) for seat in seats)


def may_see_contact(viewer: Viewer, person: Person) -> bool:
    """Telephone and mail address: the person, and those who may manage the seats."""
    return may_manage_person(viewer, person)


def may_open_plan(viewer: Viewer, alliance: Alliance) -> bool:
    """The alliance's secretariat."""
    return is_secretariat_of(viewer, alliance.pk)


def may_manage_plan(viewer: Viewer, plan: Plan) -> bool:
    """Lines, work areas, editions and states: the alliance's secretariat."""
    return is_secretariat_of(viewer, plan.alliance_id)
