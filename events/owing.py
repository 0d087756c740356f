"""Duties: what organizations owe an event, set by the secretariat and fulfilled by them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

from alliances.models import Organization
from coordination.accounts.viewer import Viewer
from coordination.changes.recording import Log, recording
from coordination.changes.refusals import TransitionNotAllowed, invalid
from events import rules
from events.models import AnswerState, Duty, DutyKind, Event, EventState, Invitation

SLIP: Final = timedelta(days=1)


def set_duty(
    event: Event,
    organization: Organization,
    *,
    kind: str,
    due_at: datetime,
    viewer: Viewer,
    at: datetime,
) -> Duty:
    """Set what an organization owes an event, and by when.

    Raises:
        NotAllowed.
        InvalidInput: the kind is unknown, the duty is set already, or its time is over.
    """
    rules.require(rules.may_manage_event(viewer, event))
    _refuse_when_over(due_at, at)
    duty = Duty(event=event, organization=organization, kind=kind, due_at=due_at)
    with recording(viewer.actor, at=at) as log:
        log.save(duty, "duty.set")
    return duty


def move_duty(duty: Duty, *, due_at: datetime, viewer: Viewer, at: datetime) -> Duty:
    """Set another date; a standard duty then keeps it, wherever the event moves.

    Raises:
        NotAllowed, StaleVersion.
        InvalidInput: the date is another one, and over.
        TransitionNotAllowed: it is done, or no longer owed.
    """
    rules.require(rules.may_manage_event(viewer, duty.event))
    _refuse_when_done(duty)
    if due_at != duty.due_at:
        _refuse_when_over(due_at, at)
    duty.due_at, duty.standard = due_at, None
    with recording(viewer.actor, at=at) as log:
        log.save(duty, "duty.moved")
    return duty


def fulfil_duty(duty: Duty, *, viewer: Viewer, at: datetime) -> Duty:
    """Record that the duty is done.

    Raises:
        NotAllowed, StaleVersion.
        TransitionNotAllowed: it is done already, or no longer owed.
    """
    rules.require(rules.may_fulfil_duty(viewer, duty))
    _refuse_when_done(duty)
    duty.done_at = at
    with recording(viewer.actor, at=at) as log:
        log.save(duty, "duty.fulfilled")
    return duty


def reopen_duty(duty: Duty, *, viewer: Viewer, at: datetime) -> Duty:
    """Take back that the duty is done: it is owed again by its date, and chased.

    The steps after its date go on where they were, without the days on which it counted as done,
    so that the officer hears of it before the head does. A slip that is taken back within
    `SLIP` changes nothing.

    Raises:
        NotAllowed, StaleVersion.
        TransitionNotAllowed: it is not done, or what it asks for has happened.
    """
    rules.require(rules.may_fulfil_duty(viewer, duty))
    if duty.done_at is None:
        raise TransitionNotAllowed(_("This is not done yet."))
    if _has_happened(duty):
        raise TransitionNotAllowed(
            _("The date is named, or the invitation is answered. Change that instead.")
        )
    if at - duty.done_at >= SLIP:
        base = duty.overdue_from
        away = at - max(duty.done_at, base)
        duty.chased_from = base + away if away > timedelta() else duty.chased_from
    duty.done_at = None
    with recording(viewer.actor, at=at) as log:
        log.save(duty, "duty.reopened")
    return duty


def pass_on_duties(kept: Organization, merged: Organization, log: Log) -> None:
    """Hand the duties of an organization that was merged to the one that remains.

    Where both owed the same it is owed once, and done when either did it.
    """
    own = {(row.event_id, row.kind): row for row in Duty.objects.filter(organization=kept)}
    for row in Duty.objects.filter(organization=merged).select_related("event").order_by("pk"):
        other = own.get((row.event_id, row.kind))
        if other is not None:
            log.delete(row, "duty.passed_on")
            if other.done_at is None and row.done_at is not None:
                other.event, other.done_at = row.event, row.done_at
                log.save(other, "duty.fulfilled")
            continue
        row.organization = kept
        log.save(row, "duty.passed_on")


def is_named(duty: Duty) -> bool:
    """Whether a date that was owed has been named."""
    event = duty.event
    return (
        duty.kind == DutyKind.NAME_DATE
        and event.starts_at is not None
        and event.state != EventState.CANCELLED
    )


def is_answered(invitation: Invitation, kind: str) -> bool:
    """Whether an invitation has the answer that a kind of duty asks for.

    Args:
        invitation: with its answers.
        kind: to answer, or to name delegates.
    """
    if kind == DutyKind.ANSWER:
        return invitation.state != AnswerState.NEEDS_ACTION
    last = max(invitation.answers.all(), key=lambda answer: answer.pk, default=None)
    return last is not None and last.delegates is not None


def _has_happened(duty: Duty) -> bool:
    """Whether what is asked for is there, whoever says that it is not."""
    if duty.kind not in (DutyKind.ANSWER, DutyKind.NAME_DELEGATES):
        return is_named(duty)
    rows = Invitation.objects.filter(event=duty.event, organization=duty.organization_id)
    found = rows.filter(withdrawn_at__isnull=True).prefetch_related("answers").first()
    return found is not None and is_answered(found, duty.kind)


def _refuse_when_done(duty: Duty) -> None:
    if duty.done_at is not None:
        raise TransitionNotAllowed(_("This is done already."))
    if duty.dropped_at is not None:
        raise TransitionNotAllowed(_("This is no longer owed."))


def _refuse_when_over(due_at: datetime, at: datetime) -> None:
    if due_at < at:
        message = _("This time is over; nobody could keep it. Choose one that is still to come.")
        raise invalid("due_at", message, code="over")
