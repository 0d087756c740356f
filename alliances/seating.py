"""Who acts: adding people, giving them seats, handing seats over, and forgetting people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from alliances import rules
from alliances.expiring import day_of_rights, revoke_tokens_of_predecessors
from alliances.models import Body, Organization, Person, PersonDetails, Seat
from coordination.accounts.erasing import erase_account
from coordination.accounts.preferring import set_first_clock
from coordination.accounts.viewer import Viewer
from coordination.changes.checking import check_fields
from coordination.changes.recording import recording
from coordination.changes.refusals import FieldError, InvalidInput, TransitionNotAllowed, invalid

DETAILS = frozenset({"name_zh", "name_en", "title_zh", "title_en", "email", "phone"})


def add_person(
    *, viewer: Viewer, at: datetime, user_id: int | None = None, **details: Any
) -> Person:
    """Add a person. The details go to a table that can be erased, never into the log.

    Raises:
        NotAllowed, InvalidInput.
    """
    rules.require(rules.may_add_person(viewer))
    rules.require(user_id is None or rules.may_give_account(viewer))
    person = Person(user_id=user_id)
    with recording(viewer.actor, at=at) as log:
        log.save(person, "person.added")
        _save_details(PersonDetails(person=person), details)
    return person


def revise_person(person: Person, *, viewer: Viewer, at: datetime, **details: Any) -> Person:
    """Change a person's details.

    Raises:
        NotAllowed, InvalidInput, StaleVersion.
        TransitionNotAllowed: the person was erased.
    """
    rules.require(rules.may_manage_person(viewer, person))
    with recording(viewer.actor, at=at) as log:
        log.hold(person, unchanged=["erased_at"])
        _refuse_erased(person)
        stored, _created = PersonDetails.objects.get_or_create(person=person)
        _save_details(stored, details)
        log.touch_all([person], "person.revised")
    return person


def erase_person(person: Person, *, viewer: Viewer, at: datetime, reason: str) -> Person:
    """Erase a person's name and addresses everywhere; seats and deeds stay, without a name.

    Raises:
        NotAllowed, StaleVersion.
        TransitionNotAllowed: erased already.
    """
    rules.require(rules.may_erase_person(viewer, person))
    if person.erased_at is not None:
        raise TransitionNotAllowed(_("This person was erased already."))
    with recording(viewer.actor, at=at, reason=reason) as log:
        PersonDetails.objects.filter(person=person).delete()
        if person.user is not None:
            erase_account(person.user, at=at)
        person.erased_at = at
        log.save(person, "person.erased")
    return person


def seat_person(
    person: Person,
    *,
    role: str,
    starts_on: date,
    ends_on: date | None = None,
    organization: Organization | None = None,
    body: Body | None = None,
    viewer: Viewer,
    at: datetime,
) -> Seat:
    """Give a person a seat for an organization or in a body.

    Raises:
        NotAllowed.
        InvalidInput: neither or both were named, or the role does not fit.
    """
    if (organization is None) == (body is None):
        raise invalid("organization", _("Name either an organization or a body."))
    _refuse_erased(person)
    if organization is not None and organization.merged_into_id:
        raise invalid("organization", _("This organization was merged into another one."))
    allowed = (
        rules.may_seat_in_body(viewer, body)
        if body is not None
        else organization is not None and rules.may_seat_for_organization(viewer, organization)
    )
    rules.require(allowed)
    seat = Seat(
        person=person,
        role=role,
        organization=organization,
        body=body,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    with recording(viewer.actor, at=at) as log:
        log.save(seat, "seat.begun")
        _set_clock(seat)
    return seat


def end_seat(seat: Seat, *, on: date, viewer: Viewer, at: datetime, reason: str = "") -> Seat:
    """End a seat; `on` is the first day on which it no longer holds.

    Raises:
        NotAllowed, StaleVersion, InvalidInput.
        TransitionNotAllowed: it has ended already.
    """
    rules.require(rules.may_manage_seat(viewer, seat))
    if seat.ends_on is not None and seat.ends_on <= on:
        raise TransitionNotAllowed(_("This seat has ended already."))
    seat.ends_on = on
    with recording(viewer.actor, at=at, reason=reason) as log:
        log.save(seat, "seat.ended")
    return seat


def hand_over_seat(
    seat: Seat, successor: Person, *, on: date, viewer: Viewer, at: datetime
) -> Seat:
    """End a seat and give it to a successor from the same day on; return the new seat.

    The successor's seat ends when the old one would have. The predecessor's tokens are revoked
    on that day, unless another seat remains: now, or by the clock when the day comes. Duties are
    the organization's and pass on with the seat.

    Raises:
        NotAllowed, StaleVersion, InvalidInput, TransitionNotAllowed.
    """
    if successor.pk == seat.person_id:
        raise invalid("successor", _("The successor must be another person."))
    _refuse_erased(successor)
    until = seat.ends_on
    with recording(viewer.actor, at=at) as log:
        end_seat(seat, on=on, viewer=viewer, at=at)
        new = Seat(
            person=successor,
            role=seat.role,
            organization=seat.organization,
            body=seat.body,
            starts_on=on,
            ends_on=until,
        )
        log.save(new, "seat.begun")
        _set_clock(new)
        if on <= day_of_rights(at):
            revoke_tokens_of_predecessors([seat], on=on, at=at)
    return new


def _set_clock(seat: Seat) -> None:
    """Let a person's account read times on the clock of the first organization they act for."""
    user, organization = seat.person.user, seat.organization
    if user is None or organization is None:
        return
    seats = Seat.objects.filter(person=seat.person, organization__isnull=False)
    if not seats.exclude(pk=seat.pk).exists():
        set_first_clock(user.pk, time_zone=organization.time_zone)
        user.refresh_from_db(fields=["time_zone"])


def _refuse_erased(person: Person) -> None:
    if person.erased_at is not None:
        raise TransitionNotAllowed(_("This person was erased already."))


def _save_details(row: PersonDetails, details: Mapping[str, Any]) -> None:
    unknown = [name for name in details if name not in DETAILS]
    if unknown:
        raise InvalidInput(
            FieldError(name, "unknown_field", _("There is no such field.")) for name in unknown
        )
    for name, value in details.items():
        setattr(row, name, value)
    check_fields(row)
    row.save()
