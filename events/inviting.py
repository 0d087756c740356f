"""Inviting organizations to an event, and their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from alliances.expiring import day_of_rights
from alliances.models import Organization, Person
from coordination.accounts.viewer import Viewer
from coordination.changes.checking import check_fields
from coordination.changes.recording import Log, recording
from coordination.changes.refusals import TransitionNotAllowed, invalid
from events import rules
from events.models import (
    Answer,
    AnswerNames,
    AnswerState,
    AnswerWay,
    Event,
    EventState,
    Invitation,
    Invitee,
)
from events.scheduling import named_rows
from events.told_times import time_text, time_told
from events.zones import wall_of

ANSWERS = frozenset(AnswerState) - {AnswerState.NEEDS_ACTION}


def invite_organizations(
    event: Event,
    organizations: Sequence[Organization],
    *,
    viewer: Viewer,
    at: datetime,
    answer_by: date | None = None,
) -> list[Invitation]:
    """Invite organizations; those invited already are passed over, those withdrawn asked again.

    Whoever is invited may see the event: one that neither hosts nor is named is named from now
    on, until its invitation is withdrawn.

    Returns:
        The invitations that are new or stand again.

    Raises:
        NotAllowed, StaleVersion.
        InvalidInput: the day by which to answer is over.
        TransitionNotAllowed: the event is over, or has no time yet.
    """
    rules.require(rules.may_manage_event(viewer, event))
    if event.is_over or event.state == EventState.PLANNED:
        raise TransitionNotAllowed(_("Invite to an event that has a time and is still to come."))
    if answer_by is not None and answer_by < wall_of(at, event.time_zone).date():
        message = _("This day is over; nobody could answer by it. Choose one still to come.")
        raise invalid("answer_by", message, code="over")
    with recording(viewer.actor, at=at) as log:
        log.hold(event, unchanged=["state"])
        event = _as_stored(event)
        known = {
            row.organization_id for part in ("hosts", "named") for row in event.part_rows(part)
        }
        stored = {row.organization_id: row for row in event.invitations.all()}
        new, again = [], []
        for organization in dict.fromkeys(organizations):
            row = stored.get(organization.pk)
            if row is None:
                row = Invitation(event=event, organization=organization)
                new.append(row)
            elif row.withdrawn_at is not None:
                row.withdrawn_at, row.state, row.event = None, AnswerState.NEEDS_ACTION, event
                again.append(row)
            else:
                continue
            row.answer_by = answer_by
            row.names_organization = organization.pk not in known
        asked = [row.organization for row in (*new, *again) if row.names_organization]
        _name(event, [*_named(event), *asked], log)
        log.insert_all(new, "invitation.sent")
        log.update_all(again, "invitation.sent")
        Invitee.objects.filter(invitation__in=again).delete()  # asked anew: old links end
    return new + again


def withdraw_invitation(
    invitation: Invitation, *, viewer: Viewer, at: datetime, reason: str = ""
) -> Invitation:
    """Withdraw an invitation; if inviting named the organization, it is named no longer.

    Raises:
        NotAllowed, StaleVersion.
        TransitionNotAllowed: it is withdrawn already.
    """
    rules.require(rules.may_manage_event(viewer, invitation.event))
    if invitation.withdrawn_at is not None:
        raise TransitionNotAllowed(_("This invitation was withdrawn."))
    with recording(viewer.actor, at=at, reason=reason) as log:
        log.hold(invitation.event)
        if invitation.names_organization:
            event, gone = _as_stored(invitation.event), invitation.organization_id
            _name(event, [one for one in _named(event) if one.pk != gone], log)
        invitation.withdrawn_at, invitation.names_organization = at, False
        log.save(invitation, "invitation.withdrawn")
    return invitation


def _as_stored(event: Event) -> Event:
    """Return the event as the database has it: `event` itself when it is fresh.

    Inviting does not depend on what else of the event changed since it was read; saving does.
    """
    current: Event = Event.objects.get(pk=event.pk)
    return event if event.version == current.version else current


def _named(event: Event) -> list[Organization]:
    return [row.organization for row in event.part_rows("named")]


def _name(event: Event, organizations: Sequence[Organization], log: Log) -> None:
    log.save(event, "event.named", parts={"named": named_rows(organizations)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an answer says.

    Attributes:
        state: one of `ANSWERS`.
        delegates: how many people come; None where that is not said.
        names: who comes; kept beside the answer, where it can be erased.
        proposed_time: the other date asked for, in words.
    """

    state: str
    delegates: int | None = None
    names: str = ""
    proposed_time: str = ""
    comment: str = ""


def answer_invitation(
    invitation: Invitation,
    *,
    state: str,
    viewer: Viewer,
    at: datetime,
    delegates: int | None = None,
    comment: str = "",
    names: str = "",
    proposed_time: str = "",
    sequence: int | None = None,
) -> Answer:
    """Answer for an organization; the latest answer counts, all are kept.

    Args:
        invitation: with its event and alliance.
        state: one of those that are offered.
        viewer: who answers.
        at: aware.
        delegates: how many come; None where it is not said.
        comment: in free words.
        names: who comes.
        proposed_time: in words.
        sequence: SEQUENCE of the event as whoever answers has seen it; None for as it is now.

    Raises:
        NotAllowed, StaleVersion.
        InvalidInput: no answer was chosen.
        TransitionNotAllowed: the invitation was withdrawn, the event is over or has moved since.
    """
    rules.require(rules.may_answer_invitation(viewer, invitation))
    given = Given(
        state=state,
        delegates=delegates,
        names=names,
        proposed_time=proposed_time,
        comment=comment,
    )
    refuse_closed(invitation)
    person = Person.objects.filter(user=viewer.user_id).first() if viewer.user_id else None
    with recording(viewer.actor, at=at) as log:
        log.hold(invitation.event, unchanged=["state", "sequence"])
        _refuse_moved(invitation, sequence)
        return _record_answer(invitation, given, person, AnswerWay.PAGE, log)


def answer_as_invitee(
    invitee: Invitee,
    given: Given,
    *,
    way: AnswerWay,
    at: datetime,
    sequence: int | None = None,
    replied_at: datetime | None = None,
) -> Answer:
    """Answer as the person asked, who has shown the secret of their own link or address.

    Args:
        invitee: whom the secret belongs to.
        given: what they say.
        way: link or mail.
        at: aware.
        sequence: SEQUENCE of the event as they have seen it; None for as it is now.
        replied_at: DTSTAMP of a calendar's reply, kept with it to put the next one in order.

    Raises:
        NotAllowed: they do not act for the organization any more.
        InvalidInput: no answer was chosen.
        TransitionNotAllowed: the invitation was withdrawn, the event is over or has moved since.
    """
    person, event = invitee.person, invitee.invitation.event
    with recording(f"person:{person.uid}", at=at) as log:
        log.hold(event)
        # Read again: whoever answers by a link answers the invitation as it is now.
        invitation = Invitation.objects.select_related("event__alliance").get(
            pk=invitee.invitation_id
        )
        rules.require(rules.may_answer_as(person, invitation, on=day_of_rights(at)))
        refuse_closed(invitation, at=at)
        _refuse_moved(invitation, sequence)
        if replied_at is not None:
            invitee.replied_sequence, invitee.replied_stamp_at = sequence, replied_at
            invitee.save(update_fields=["replied_sequence", "replied_stamp_at"])
        return _record_answer(invitation, given, person, way, log)


def refuse_closed(invitation: Invitation, *, at: datetime | None = None) -> None:
    """Go on while an answer is wanted.

    Args:
        invitation: with its event.
        at: then the end of the event's time closes it too.

    Raises:
        TransitionNotAllowed: the invitation was withdrawn, or the event is over.
    """
    event = invitation.event
    if invitation.withdrawn_at is not None:
        raise TransitionNotAllowed(_("This invitation was withdrawn."), code="withdrawn")
    if event.state == EventState.CANCELLED:
        raise TransitionNotAllowed(
            _("The event was cancelled; no answer is needed any more."), code="event_over"
        )
    has_ended = at is not None and event.ends_at is not None and event.ends_at <= at
    if event.is_over or has_ended:
        raise TransitionNotAllowed(
            _("The event is over; no answer is needed any more."), code="event_over"
        )


def _refuse_moved(invitation: Invitation, sequence: int | None) -> None:
    """Refuse an answer to another time than the event has; a mere confirmation moves nothing."""
    event = invitation.event
    if sequence is None or sequence >= event.sequence:
        return
    if time_told(invitation.notices.all(), sequence=sequence) != time_text(event):
        raise TransitionNotAllowed(
            _("The time was changed meanwhile. Please look at the new time and answer again."),
            code="event_moved",
        )


def _record_answer(
    invitation: Invitation, given: Given, person: Person | None, way: AnswerWay, log: Log
) -> Answer:
    """Write the answer; the same one by the same person twice is recorded once."""
    if given.state not in ANSWERS:
        raise invalid("state", _("Choose one of the answers."))
    if given.state == AnswerState.DELEGATED and not given.names.strip():
        raise invalid("names", _("Say who comes."), code="required")
    if given.state in (AnswerState.DECLINED, AnswerState.OTHER_DATE):
        given = replace(given, delegates=None)
    latest = invitation.answers.select_related("who_comes").order_by("-pk").first()
    if latest is not None and invitation.state == given.state:
        said = (given_in(latest), latest.person_id, latest.sequence)
        if said == (given, person.pk if person else None, invitation.event.sequence):
            found: Answer = latest
            return found
    answer = Answer(
        invitation=invitation,
        state=given.state,
        delegates=given.delegates,
        comment=given.comment,
        proposed_time=given.proposed_time,
        person=person,
        sequence=invitation.event.sequence,
        way=way,
    )
    log.save(answer, "answer.given")
    if given.names:
        who_comes = AnswerNames(answer=answer, names=given.names)
        check_fields(who_comes)
        who_comes.save()
    invitation.state = given.state
    if not log.save(invitation, "invitation.answered"):
        log.touch_all([invitation], "invitation.answered")
    return answer


def given_in(answer: Answer) -> Given:
    """Return what an answer said."""
    who_comes = getattr(answer, "who_comes", None)
    return Given(
        state=answer.state,
        delegates=answer.delegates,
        names=who_comes.names if who_comes is not None else "",
        proposed_time=answer.proposed_time,
        comment=answer.comment,
    )


def pass_on_invitations(kept: Organization, merged: Organization, log: Log) -> None:
    """Hand the invitations of an organization that was merged to the one that remains.

    Where both were asked, the answer of the merged one counts if the other gave none; its own
    invitation is withdrawn and keeps its answers.
    """
    own = {row.event_id: row for row in Invitation.objects.filter(organization=kept)}
    rows = Invitation.objects.filter(organization=merged).select_related("event").order_by("pk")
    for row in rows:
        other = own.get(row.event_id)
        if other is None:
            row.organization = kept
            log.save(row, "invitation.passed_on")
        elif row.withdrawn_at is None:
            if other.state == AnswerState.NEEDS_ACTION or other.withdrawn_at is not None:
                if other.withdrawn_at is not None:
                    other.names_organization = row.names_organization
                other.event, other.state, other.withdrawn_at = row.event, row.state, None
                log.save(other, "invitation.passed_on")
            row.withdrawn_at, row.names_organization = log.at, False
            log.save(row, "invitation.withdrawn")
