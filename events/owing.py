"""Duties: what organizations owe an event, set by the secretariat and fulfilled by them."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from alliances.models import Organization
from coordination.accounts.viewer import Viewer
from coordination.changes.recording import Log, recording
from coordination.changes.refusals import TransitionNotAllowed, invalid
from events import rules
from events.models import Duty, Event


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


def _refuse_when_done(duty: Duty) -> None:
    if duty.done_at is not None:
        raise TransitionNotAllowed(_("This is done already."))
    if duty.dropped_at is not None:
        raise TransitionNotAllowed(_("This is no longer owed."))


def _refuse_when_over(due_at: datetime, at: datetime) -> None:
    if due_at < at:
        message = _("This time is over; nobody could keep it. Choose one that is still to come.")
        raise invalid("due_at", message, code="over")
