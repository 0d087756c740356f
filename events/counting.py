"""Count a calendar's reply whose sender is proved: for the invitation it answers, and for others.

Whoever is asked to an event for several organizations has it in their calendar once, since one UID
stands for it, and answers it there once. Their reply so answers every invitation that put it
there, as far as nobody has answered one of them otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from coordination.changes.refusals import NotAllowed, Refusal, TransitionNotAllowed
from events.entries import entries_of
from events.inviting import Given, answer_as_invitee, given_in
from events.models import (
    Answer,
    AnswerState,
    AnswerWay,
    InboundMessage,
    InboundState,
    Invitation,
    Invitee,
)
from events.told_times import answers_this_time, sequence_answered


def count_reply(
    row: InboundMessage, invitee: Invitee, *, stamp: datetime, at: datetime
) -> InboundState:
    """Count a reply; one to an earlier SEQUENCE too, where the time is the same as then.

    Args:
        row: the mail, with what it says; its answer, or why there is none, is filled in.
        invitee: whom its secret belongs to.
        stamp: when it was written.
        at: now.

    Returns:
        What became of the mail, by the invitation whose secret it showed.
    """
    newest = _newest(invitee.invitation)
    try:
        row.answer = answer_as_invitee(
            invitee,
            _given(row, invitee.invitation, newest),
            way=AnswerWay.MAIL,
            at=at,
            sequence=row.sequence,
            replied_at=stamp,
        )
    except (NotAllowed, TransitionNotAllowed) as refusal:
        if refusal.code == "event_moved":
            return InboundState.OUTDATED
        row.error = refusal.code
        return InboundState.LATE
    except Refusal as refusal:
        row.error = refusal.code
        return InboundState.LETTER
    for other in _answered_alike(invitee):
        _count_alike(row, other, stamp, at)
    return InboundState.REPEATED if row.answer == newest else InboundState.ANSWERED


def _answered_alike(invitee: Invitee) -> Iterator[Invitee]:
    """Yield the same person as they are asked by other invitations that put the event in."""
    rows = Invitee.objects.filter(
        person=invitee.person_id,
        invitation__event=invitee.invitation.event_id,
        invitation__withdrawn_at__isnull=True,
    ).exclude(pk=invitee.pk)
    others = list(
        rows.select_related(
            "person__user", "invitation__event__alliance", "invitation__organization"
        )
    )
    key = f"person:{invitee.person.uid}"
    entries = entries_of(other.invitation for other in others)
    had = {entry.notice.invitation_id for entry in entries if entry.recipient == key}
    for other in others:
        if other.invitation_id in had and _follows_the_calendar(other):
            yield other


def _follows_the_calendar(invitee: Invitee) -> bool:
    """Whether nobody has answered for the time now but the person's own calendar."""
    newest = _newest(invitee.invitation)
    return (
        newest is None
        or invitee.invitation.state == AnswerState.NEEDS_ACTION
        or (newest.way == AnswerWay.MAIL and newest.person_id == invitee.person_id)
        or not answers_this_time(newest, invitee.invitation.notices.all())
    )


def _count_alike(row: InboundMessage, invitee: Invitee, stamp: datetime, at: datetime) -> None:
    """Count a reply for an invitation other than the one whose secret it showed."""
    invitation = invitee.invitation
    sequence = sequence_answered(invitation.notices.all(), said=row.sequence, written_at=stamp)
    before, replied = (invitee.replied_sequence, invitee.replied_stamp_at), (sequence, stamp)
    if None not in (*before, *replied) and replied <= before:
        return
    try:
        answer_as_invitee(
            invitee,
            _given(row, invitation, _newest(invitation)),
            way=AnswerWay.MAIL,
            at=at,
            sequence=sequence,
            replied_at=stamp,
        )
    except Refusal:
        return  # they answer there no longer, or nothing is asked there any more


def _newest(invitation: Invitation) -> Answer | None:
    """Return the latest answer; None for none."""
    rows = Answer.objects.filter(invitation=invitation).select_related("who_comes")
    found: Answer | None = rows.order_by("-pk").first()
    return found


def _given(row: InboundMessage, invitation: Invitation, newest: Answer | None) -> Given:
    """Return what a reply says, with what stands beside the same answer and no calendar can say."""
    given = Given(state=row.said)
    if newest is not None and newest.state == row.said:
        is_standing = invitation.state == row.said
        if is_standing and answers_this_time(newest, invitation.notices.all()):
            given = given_in(newest)
    return replace(
        given,
        names=row.names or given.names,
        proposed_time=row.proposed_time or given.proposed_time,
        comment=row.note or given.comment,
    )
