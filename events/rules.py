"""Who may do what to events. The only reader of roles here."""

from __future__ import annotations

from datetime import date
from typing import Any

from alliances.models import Alliance, Person, Seat, SeatRole
from alliances.rules import is_secretariat_of, require
from coordination.accounts.viewer import Viewer
from events.models import Duty, Event, Invitation, ReminderRule

__all__ = ["require"]

ANSWERING_ROLES = (SeatRole.LIAISON, SeatRole.DEPUTY)


def may_draft_event(viewer: Viewer, alliance: Alliance) -> bool:
    """The alliance's secretariat."""
    return is_secretariat_of(viewer, alliance.pk)


def may_manage_event(viewer: Viewer, event: Event) -> bool:
    """Every verb on an event: the owner's secretariat."""
    return is_secretariat_of(viewer, event.alliance_id)


def may_see_member_details(viewer: Viewer, event: Event) -> bool:
    """The online link and the contact: members, co-hosts, hosts and organizations named."""
    if viewer.is_unlimited:
        return True
    alliances = {event.alliance_id} | {row.alliance_id for row in event.part_rows("co_hosts")}
    if any(grant.kind == "alliance" and grant.pk in alliances for grant in viewer.grants):
        return (
            event.openness != "organizations"
            or _is_named(viewer, event)
            or any(viewer.has("secretariat", "alliance", pk) for pk in alliances)
        )
    return _is_named(viewer, event)


def may_see_notes(viewer: Viewer, event: Event) -> bool:
    """Internal notes: the owner's secretariat."""
    return is_secretariat_of(viewer, event.alliance_id)


def may_attach_material(viewer: Viewer, event: Event) -> bool:
    """The owner's secretariat, and liaison officers of the event's hosts."""
    return may_manage_event(viewer, event) or any(
        viewer.has("liaison", "organization", row.organization_id)
        for row in event.part_rows("hosts")
    )


def may_answer_invitation(viewer: Viewer, invitation: Invitation) -> bool:
    """Liaison officers of the organization asked; the secretariat on its behalf."""
    return is_secretariat_of(viewer, invitation.event.alliance_id) or viewer.has(
        "liaison", "organization", invitation.organization_id
    )


def may_answer_as(person: Person, invitation: Invitation, *, on: date) -> bool:
    """Who shows the secret they were sent: a liaison officer or deputy, while the seat lasts."""
    if person.erased_at is not None:
        return False
    seats = Seat.objects.active_on(on).filter(
        person=person, organization=invitation.organization_id, role__in=ANSWERING_ROLES
    )
    found: bool = seats.exists()
    return found


def may_hand_in_mail(viewer: Viewer) -> bool:
    """Hand in mail that came to an address of ours: any secretariat, with a token for it."""
    return viewer.is_unlimited or bool(viewer.pks("secretariat", "alliance"))


def may_fulfil_duty(viewer: Viewer, duty: Duty) -> bool:
    """Liaison officers of the organization that owes it; the secretariat on its behalf."""
    return is_secretariat_of(viewer, duty.event.alliance_id) or viewer.has(
        "liaison", "organization", duty.organization_id
    )


def may_manage_chasing(viewer: Viewer, alliance_key: int) -> bool:
    """Standard duties and the steps by which they are chased: the alliance's secretariat."""
    return is_secretariat_of(viewer, alliance_key)


def may_mark_days(viewer: Viewer) -> bool:
    """Public holidays are the installation's: superusers, and the clock."""
    return viewer.is_unlimited


def may_manage_reminder_rule(viewer: Viewer, rule: ReminderRule) -> bool:
    """The secretariat of the alliance in which the rule stands."""
    return is_secretariat_of(viewer, rule.alliance_key)


def _is_named(viewer: Viewer, event: Event) -> bool:
    rows: list[Any] = [*event.part_rows("hosts"), *event.part_rows("named")]
    return any(viewer.has("member", "organization", row.organization_id) for row in rows)
