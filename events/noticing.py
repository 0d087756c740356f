"""Write a notice of an invitation, and who is told it: to all whom it asks, or to one alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max

from alliances.models import Person
from coordination.deliveries.fanout import Cause, enqueue
from coordination.deliveries.outbox import supersede
from events.entries import CHANNEL, SOURCE
from events.models import Invitation, InvitationNotice, NoticeMethod
from events.told_times import time_text

ABOUT = "events.event"


def add_notice(
    invitation: Invitation, method: NoticeMethod, *, person: Person | None = None
) -> InvitationNotice:
    """Add a notice; what has not been sent of older ones to the same readers is withdrawn.

    Args:
        invitation: with its event.
        method: what it does.
        person: whom alone it tells; None for everybody.
    """
    event = invitation.event
    latest = invitation.notices.order_by("-number").first()
    stamp = max(event.changed_at, invitation.changed_at).replace(microsecond=0)
    before = _stamps_before(invitation, to_all=person is None)
    if before is not None:
        stamp = max(stamp, before + timedelta(seconds=1))
    notice = InvitationNotice.objects.create(
        invitation=invitation,
        person=person,
        number=latest.number + 1 if latest is not None else 1,
        method=method,
        sequence=event.sequence,
        stamp_at=stamp,
        time_text=time_text(event),
    )
    supersede(
        SOURCE,
        str(invitation.pk),
        before_generation=notice.number,
        reason="newer_notice",
        recipient=f"person:{person.uid}" if person is not None else "",
    )
    return notice


def _stamps_before(invitation: Invitation, *, to_all: bool) -> datetime | None:
    """Return the last DTSTAMP before a notice; None for none.

    What one person alone is told comes after all that they were told of the event: whoever leaves
    by one invitation may come back by another, and in a calendar both have one UID, of which the
    later DTSTAMP counts (RFC 5546 section 2.1.5).
    """
    rows = InvitationNotice.objects.filter(invitation__event=invitation.event_id)
    if to_all:
        rows = rows.filter(invitation=invitation)
    found: datetime | None = rows.aggregate(last=Max("stamp_at"))["last"]
    return found


def tell_alone(
    invitation: Invitation, person: Person, method: NoticeMethod, *, at: datetime
) -> None:
    """Tell one person alone; what has not been sent to them of older notices is withdrawn."""
    notice = add_notice(invitation, method, person=person)
    enqueue([f"person:{person.uid}"], channel=CHANNEL, cause=cause_of(notice, at))


def cause_of(notice: InvitationNotice, at: datetime) -> Cause:
    """Return what makes the lines of a notice necessary; worthless once the event is over."""
    event = notice.invitation.event
    return Cause(
        source=SOURCE,
        source_id=str(notice.invitation_id),
        generation=notice.number,
        due_at=at,
        send_after=at,
        expires_at=event.ends_at,
        about_type=ABOUT,
        about_uid=event.uid,
        lane=f"{SOURCE}:{notice.invitation_id}",  # a cancellation never overtakes a request
    )
