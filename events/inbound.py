"""Mail that comes in: kept first, read afterwards, and counted only where its sender is proved.

What proves an answer is the secret in the address that it is sent to, together with the name of
the calendar it was sent for: the secret was mailed to that person alone. A From line proves
nothing, so a reply without the secret is shown to the secretariat, which counts it or not.

Nothing that comes in is ever answered by mail, so no loop can begin here.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import TransitionNotAllowed
from events import rules
from events.answer_links import invitee_of_addresses
from events.bounces import note_returned
from events.counting import count_reply
from events.inviting import answer_invitation
from events.itip_reading import NotACalendar, Participant, Reply, describe_proposal, read_replies
from events.mail_reading import ReadMail, is_tangled, read_mail
from events.models import (
    OPEN_STATES,
    AnswerNames,
    AnswerState,
    Event,
    InboundMessage,
    InboundState,
    Invitation,
    Invitee,
)
from events.reply_order import SKEW, reason_it_is_old, written_at
from events.senders import (
    addresses_of,
    asked_now,
    invitation_of_attendee,
    invitation_of_thread,
)
from events.told_times import sequence_answered

LARGEST: Final = 2 * 1024 * 1024  # bytes; answers are small, even with a logo in their foot
LONGEST_HEAD: Final = 64 * 1024  # bytes
MOST_TRIES: Final = 3
BATCH: Final = 100
KEPT: Final = timedelta(days=90)
NAMES_KEPT: Final = timedelta(days=400)
_BODY: Final = re.compile(rb"\r?\n\r?\n")  # begins after an empty line
COUNTED: Final = {
    "ACCEPTED": AnswerState.ACCEPTED,
    "TENTATIVE": AnswerState.TENTATIVE,
    "DECLINED": AnswerState.DECLINED,
    "DELEGATED": AnswerState.DELEGATED,
}
log = logging.getLogger(__name__)


def receive(raw: bytes, *, way: str, at: datetime) -> tuple[InboundMessage, bool]:
    """Keep a mail; the same bytes twice are kept once.

    Args:
        raw: the mail as it came (RFC 5322).
        way: of `InboundWay`.
        at: aware.

    Returns:
        Its row, and whether it is new.
    """
    digest = hashlib.sha256(raw).hexdigest()
    known = InboundMessage.objects.filter(digest=digest).first()
    if known is not None:
        return known, False
    row = InboundMessage(digest=digest, way=way, received_at=at, raw=raw)
    refused = "too_large" if len(raw) > LARGEST else "tangled" if is_tangled(raw) else ""
    if refused:
        row.raw, row.state, row.error = None, InboundState.SET_ASIDE, refused
        _read_head(row, raw)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        return InboundMessage.objects.get(digest=digest), False
    return row, True


def read_waiting(*, at: datetime) -> int:
    """Read the mails that wait, each in a transaction of its own; return how many were done.

    One that cannot be read is tried again, and set aside after the third time, for people to see.
    """
    done = 0
    waiting = InboundMessage.objects.filter(state=InboundState.WAITING).order_by("pk")
    for pk in list(waiting.values_list("pk", flat=True)[:BATCH]):
        try:
            done += _read_one(pk, at)
        except Exception as error:  # whatever a mail does, the others are read
            log.exception("A mail that came in cannot be read; others are.")
            _note_failure(pk, error)
    return done


def settle_message(
    row: InboundMessage, *, counts: bool, viewer: Viewer, at: datetime
) -> InboundMessage:
    """Decide about a mail whose sender is not proved, or that people must read.

    Args:
        row: open, of an invitation.
        counts: whether what it says is the organization's answer.
        viewer: of the secretariat.
        at: aware.

    Raises:
        NotAllowed: the viewer is not of the event's secretariat.
        TransitionNotAllowed: it was dealt with, or says nothing that could be counted.
        Refusal: see `answer_invitation`.
    """
    if row.invitation is None:
        rules.require(viewer.is_unlimited)
    else:
        rules.require(rules.may_manage_event(viewer, row.invitation.event))
    if row.state not in OPEN_STATES:
        raise TransitionNotAllowed(_("This mail was dealt with already."))
    if counts and (row.invitation is None or not row.said):
        raise TransitionNotAllowed(_("This mail gives no answer that could be counted."))
    with transaction.atomic():
        if counts and row.invitation is not None:
            row.answer = answer_invitation(
                row.invitation,
                state=row.said,
                names=row.names,
                proposed_time=row.proposed_time,
                comment=row.note,
                sequence=row.sequence,
                viewer=viewer,
                at=at,
            )
        row.state = InboundState.ANSWERED if counts else InboundState.SETTLED
        row.read_at = at
        row.save(update_fields=["answer", "state", "read_at"])
    return row


def forget_old(*, at: datetime) -> int:
    """Forget the bytes, and all that names anybody, of mails of over 90 days ago or of the erased.

    Names of those who came are forgotten 400 days after their event, or with whoever named them.

    Returns:
        How many mails were emptied.
    """
    AnswerNames.objects.filter(
        Q(answer__invitation__event__ends_at__lt=at - NAMES_KEPT)
        | Q(answer__person__erased_at__isnull=False)
    ).delete()
    old = InboundMessage.objects.filter(
        Q(received_at__lt=at - KEPT) | Q(person__erased_at__isnull=False)
    ).exclude(sender="", raw__isnull=True)
    return old.update(raw=None, sender="", subject="", attendee="", names="", note="", error="")


def _read_one(pk: int, at: datetime) -> int:
    with transaction.atomic():
        rows = InboundMessage.objects.filter(pk=pk, state=InboundState.WAITING)
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        row = rows.first()
        if row is None:
            return 0
        mail = read_mail(bytes(row.raw or b""))
        row.sender, row.subject, row.note = mail.sender, mail.subject, mail.note
        row.state = _decide(row, mail, at)
        row.read_at, row.error = at, row.error[:500]
        row.save()
    return 1


def _read_head(row: InboundMessage, raw: bytes) -> None:
    """Find out from a mail's headers alone who wrote it and about what, so that people ask them."""
    try:
        mail = read_mail(_BODY.split(raw[:LONGEST_HEAD], maxsplit=1)[0])
    except Exception:  # whatever a mail does, it is set aside
        log.exception("The head of a mail that was set aside cannot be read.")
        return
    row.sender, row.subject = mail.sender, mail.subject
    if _note_invitee(row, mail.recipients) is None:
        row.invitation, row.person = invitation_of_thread(mail.replies_to)


def _note_invitee(row: InboundMessage, addresses: Iterable[str]) -> Invitee | None:
    invitee = invitee_of_addresses(addresses)
    if invitee is not None:
        invitee = asked_now(invitee)
        row.invitation, row.person = invitee.invitation, invitee.person
    return invitee


def _note_failure(pk: int, error: Exception) -> None:
    row = InboundMessage.objects.get(pk=pk)
    row.tries += 1
    row.error = f"{type(error).__name__}: {error}"[:500]
    if row.tries >= MOST_TRIES:
        row.state = InboundState.SET_ASIDE
    row.save(update_fields=["tries", "error", "state"])


@dataclass(frozen=True, slots=True)
class _Said:
    """What a reply comes to, and for whom."""

    reply: Reply
    who: Participant
    state: AnswerState
    names: str


def _decide(row: InboundMessage, mail: ReadMail, at: datetime) -> InboundState:
    """Find out what a mail is and do what it asks for; fills in the row."""
    if mail.returned:
        note_returned(mail.returned, at=at)
        return InboundState.BOUNCE
    replies, broken = _replies(mail.calendars)
    invitee = _note_invitee(row, [*mail.recipients, *(reply.organizer for reply in replies)])
    if row.invitation is not None:  # a mail may speak of other events too
        asked = row.invitation.event.ical_uid
        replies.sort(key=lambda reply: reply.uid != asked)
    own = addresses_of(row.person)
    said = _said(replies, own)
    if said is not None:
        return _take_reply(row, said, invitee, at)
    answers = [one for one in replies if one.method in ("REPLY", "COUNTER", "")]
    broken = broken or ("calendar" if answers else "")
    guessed = _said((replace(one, method="REPLY") for one in answers if not one.method), own)
    if guessed is not None and _note_guess(row, guessed):
        broken = "no_method"
    is_broken_answer = broken == "no_method" or (bool(broken) and invitee is not None)
    is_for_people = is_broken_answer or bool(mail.sealed_answer) or mail.says_returned
    if mail.is_automatic and not is_for_people:
        return InboundState.AUTOMATIC
    row.error = "sealed_part" if mail.has_sealed_part else broken
    if mail.files:
        row.error = row.error or "files"
        row.note = f"{mail.note[:600]}\n{' '.join(f'[{name}]' for name in mail.files)}".strip()
    if mail.sealed_answer:  # which time it answers is sealed too: people count it
        row.said, row.attendee = COUNTED[mail.sealed_answer], mail.sender
    if row.invitation is None:
        row.invitation, row.person = invitation_of_thread(mail.replies_to)
    return InboundState.LETTER if row.invitation is not None else InboundState.UNMATCHED


def _replies(calendars: Iterable[str]) -> tuple[list[Reply], str]:
    """Return what the calendars say, and why one of them could not be read ("" when all could)."""
    found: list[Reply] = []
    broken = ""
    for text in calendars:
        try:
            found += read_replies(text)
        except NotACalendar as error:
            broken = f"calendar: {error}"
    return found, broken


def _said(replies: Iterable[Reply], own: frozenset[str]) -> _Said | None:
    """Return the first reply that gives an answer; None when none does.

    Args:
        replies: of one mail.
        own: addresses of the person asked, where they are known: they are who answers, also
            beside those whom they send.
    """
    for reply in replies:
        who = next((one for one in reply.attendees if one.address in own), None)
        who = who or next(iter(reply.attendees), None)
        if who is None:
            continue
        if reply.method == "COUNTER":
            state = AnswerState.OTHER_DATE
        elif reply.method == "REPLY" and who.partstat in COUNTED:
            state = COUNTED[who.partstat]
        elif reply.method == "REQUEST" and who.delegated_to:
            state = AnswerState.DELEGATED  # RFC 5546 section 3.2.2.3: a copy to the organizer
        else:
            continue
        others = [one for one in reply.attendees if one.address in who.delegated_to]
        for one in others:
            if one.partstat == "DECLINED":  # RFC 5546 section 4.2.6: nobody comes in their place
                return _Said(reply, one, AnswerState.DECLINED, "")
        named = [
            f"{one.name} <{one.address}>".strip() if one.name else one.address for one in others
        ]
        names = ", ".join(named or who.delegated_to)[:500]
        return _Said(reply, who, state, names if state == AnswerState.DELEGATED else "")
    return None


def _note_guess(row: InboundMessage, said: _Said) -> bool:
    """Note what a calendar without a METHOD seems to answer; only people can say that it does.

    Anybody's own entry of the event reads the same, so it is never counted unseen.
    """
    if row.invitation is None:
        row.invitation, row.person = invitation_of_attendee(said.reply.uid, said.who.address)
    if row.invitation is None or row.invitation.event.ical_uid != said.reply.uid:
        return False
    row.attendee, row.said, row.names = said.who.address[:320], said.state, said.names
    if said.state == AnswerState.DELEGATED and not said.names:
        row.said = ""
    _note_sequence(row, row.invitation, said.reply)
    return True


def _note_sequence(row: InboundMessage, invitation: Invitation, reply: Reply) -> datetime:
    """Note which SEQUENCE a reply answers; return when it was written."""
    notices = list(invitation.notices.all())
    stamp = min(written_at(reply, notices, row.received_at), row.received_at + SKEW)
    row.sequence = sequence_answered(notices, said=reply.sequence, written_at=stamp)
    return stamp


def _take_reply(
    row: InboundMessage, said: _Said, invitee: Invitee | None, at: datetime
) -> InboundState:
    """Count a reply whose sender is proved; show one whose sender is not."""
    row.attendee = said.who.address[:320]
    row.said, row.names = said.state, said.names
    row.note = said.reply.comment[:1000]  # the mail's own words are the program's
    if invitee is None or invitee.invitation.event.ical_uid != said.reply.uid:
        found, person = invitation_of_attendee(said.reply.uid, said.who.address)
        if invitee is None or Event.objects.filter(ical_uid=said.reply.uid).exists():
            row.invitation, row.person = found, person
        invitee = None  # to an address of ours, about nothing that we know: people look at it
    if row.invitation is None:
        return InboundState.UNMATCHED
    event = row.invitation.event
    if said.state == AnswerState.OTHER_DATE:
        row.proposed_time = describe_proposal(said.reply, event.time_zone)
    stamp = _note_sequence(row, row.invitation, said.reply)
    if invitee is None or said.who.address not in addresses_of(invitee.person):
        return InboundState.UNVERIFIED
    if said.state == AnswerState.DELEGATED and not said.names:
        return InboundState.LETTER
    old = reason_it_is_old(invitee, row, stamp)
    return old or count_reply(row, invitee, stamp=stamp, at=at)
