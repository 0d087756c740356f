"""Put a reply of a calendar in order among the answers that are here (RFC 5546 section 2.1.5)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max

from events.itip_reading import Reply
from events.models import (
    Answer,
    AnswerWay,
    InboundMessage,
    InboundState,
    InvitationNotice,
    Invitee,
)

SKEW: Final = timedelta(minutes=5)  # by which clocks of calendars may be wrong


def written_at(
    reply: Reply, notices: Iterable[InvitationNotice], received_at: datetime
) -> datetime:
    """Return when a reply was written: its DTSTAMP.

    Where that is left out, or copied from the invitation it answers, it is when it came.
    """
    stamp = reply.stamp_at
    is_copied = any(stamp == notice.stamp_at for notice in notices)
    return received_at if stamp is None or is_copied else stamp


def reason_it_is_old(invitee: Invitee, row: InboundMessage, stamp: datetime) -> InboundState | None:
    """Return why a reply changes nothing; None when it is newer than all that is known.

    RFC 5546 section 2.1.5: SEQUENCE decides, then DTSTAMP. Against answers by page or link, and
    those of colleagues, its DTSTAMP counts; clocks differ, so people look at what is near.
    """
    replied = (row.sequence, stamp)
    before = (invitee.replied_sequence, invitee.replied_stamp_at)
    if None not in (*replied, *before) and replied <= before:
        return InboundState.REPEATED if replied == before else InboundState.OUTDATED
    newest = _newest_of_others(invitee)
    if newest is None or newest <= stamp:
        return None
    if newest > stamp + SKEW:
        return InboundState.OUTDATED
    if row.said == invitee.invitation.state:
        return None
    row.error = "near"
    return InboundState.LETTER


def _newest_of_others(invitee: Invitee) -> datetime | None:
    """Return when the last answer otherwise than by the person's own calendar was given."""
    given = Answer.objects.filter(invitation=invitee.invitation_id).exclude(way=AnswerWay.MAIL)
    others = Invitee.objects.filter(invitation=invitee.invitation_id).exclude(pk=invitee.pk)
    found = (
        given.aggregate(newest=Max("created_at"))["newest"],
        others.aggregate(newest=Max("replied_stamp_at"))["newest"],
    )
    return max((instant for instant in found if instant is not None), default=None)
