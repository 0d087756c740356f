"""In whose calendar an event is because of us: what the ledger says that people got.

One UID stands for an event in a calendar, however many invitations asked its owner to it. A copy
whose fate is unknown may be there, so it counts as got; what takes it back counts only once it is
surely out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from coordination.deliveries.models import Attempt, AttemptOutcome, Delivery, MessageState
from coordination.deliveries.transports.base import DOUBTFUL
from events.models import Invitation, InvitationNotice, NoticeMethod

SOURCE = "invitation"
CHANNEL = "email"
BY_WISH = "by_wish"  # the inbox told them in its place


@dataclass(frozen=True, slots=True)
class Entry:
    """One REQUEST that a reader got, or may have got, and that nothing took back since.

    Attributes:
        recipient: key of the reader.
        notice: the REQUEST.
        is_sure: it was sent, and nothing that may be out takes it back.
    """

    recipient: str
    notice: InvitationNotice
    is_sure: bool


def entries_of(
    invitations: Iterable[Invitation],
    *,
    before: int | None = None,
    but: QuerySet[Any, Any] | None = None,
) -> list[Entry]:
    """Return what stands in people's calendars by invitations to one event, oldest first.

    Args:
        invitations: of one event.
        before: only what notices below this number did.
        but: rows of one column with keys of readers who are left out.
    """
    found = list(invitations)
    if not found:
        return []
    keys = [row.pk for row in found]
    notices = {
        (str(row.invitation_id), row.number): row
        for row in InvitationNotice.objects.filter(invitation__in=keys)
    }
    lines = Delivery.objects.filter(source=SOURCE, source_id__in=[str(pk) for pk in keys])
    if before is not None:
        lines = lines.filter(generation__lt=before)
    if but is not None:
        lines = lines.exclude(recipient__in=but)
    back = _Back(_parted(found[0].event_id))
    asked = []
    for line in _fates(lines):
        notice = notices.get((line.source_id, line.generation))
        if notice is None:
            continue
        if notice.method == NoticeMethod.REQUEST:
            asked.append((line, notice))
        elif notice.person_id is None:
            back.note(line)
    return [
        Entry(line.recipient, notice, is_sure=line.is_out and not back.may_take(line, notice))
        for line, notice in sorted(asked, key=lambda pair: pair[1].pk)
        if line.may_be_out and not back.takes(line, notice)
    ]


def is_told_or_waits(notice: InvitationNotice) -> bool:
    """Whether what one reader alone was to be told was sent, failed for good, or still waits.

    Otherwise it was withdrawn, or the last look found that it was no longer wanted.
    """
    line = (
        Delivery.objects.from_source(SOURCE, str(notice.invitation_id))
        .filter(generation=notice.number, channel=CHANNEL)
        .select_related("message")
        .first()
    )
    if line is None or line.dropped_reason not in ("", BY_WISH):
        return False
    return line.message is None or line.message.state != MessageState.SUPERSEDED


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of one line of the ledger: whether it is surely out, or may be."""

    source_id: str
    recipient: str
    generation: int
    is_out: bool
    may_be_out: bool


@dataclass(slots=True)
class _Back:
    """What was taken back: by a CANCEL to all that an invitation asked, or to one who left.

    Attributes:
        parted: reader -> number of the row of the last CANCEL to them alone that was sent, and of
            the last one that may be out.
        off: invitation and reader -> the same of CANCELs to all, by the notices' own numbers.
    """

    parted: dict[str, tuple[int, int]]
    off: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def note(self, line: _Fate) -> None:
        """Note a CANCEL to all that an invitation asked."""
        key = (line.source_id, line.recipient)
        self.off[key] = _later(self.off.get(key, (0, 0)), line.generation, line)

    def takes(self, line: _Fate, notice: InvitationNotice) -> bool:
        """Whether a REQUEST was surely taken back."""
        return self._has_taken(line, notice, 0)

    def may_take(self, line: _Fate, notice: InvitationNotice) -> bool:
        """Whether a REQUEST may have been taken back."""
        return self._has_taken(line, notice, 1)

    def _has_taken(self, line: _Fate, notice: InvitationNotice, which: int) -> bool:
        off = self.off.get((line.source_id, line.recipient), (0, 0))
        parted = self.parted.get(line.recipient, (0, 0))
        return off[which] > notice.number or parted[which] > notice.pk


def _later(known: tuple[int, int], number: int, line: _Fate) -> tuple[int, int]:
    surely, perhaps = known
    return (
        max(surely, number) if line.is_out else surely,
        max(perhaps, number) if line.may_be_out or line.is_out else perhaps,
    )


def _parted(event: int) -> dict[str, tuple[int, int]]:
    """Return whom a CANCEL to them alone took the event from, see `_Back.parted`."""
    notices = {
        (str(row.invitation_id), row.number): row
        for row in InvitationNotice.objects.filter(
            invitation__event=event, person__isnull=False, method=NoticeMethod.CANCEL
        )
    }
    if not notices:
        return {}
    wanted = Q()
    for source_id, number in notices:
        wanted |= Q(source_id=source_id, generation=number)
    found: dict[str, tuple[int, int]] = {}
    for line in _fates(Delivery.objects.filter(wanted, source=SOURCE)):
        pk = notices[line.source_id, line.generation].pk
        found[line.recipient] = _later(found.get(line.recipient, (0, 0)), pk, line)
    return found


def _fates(lines: QuerySet[Delivery]) -> list[_Fate]:
    rows = list(
        lines.values_list(
            "source_id",
            "recipient",
            "generation",
            "channel",
            "dropped_reason",
            "message",
            "message__state",
            "message__in_doubt",
            "message__lease",
        )
    )
    unsure = {
        message
        for *_key, message, state, in_doubt, _lease in rows
        if message and state != MessageState.SENT and not in_doubt
    }
    doubtful = _doubtful(unsure)
    fates = []
    for source_id, recipient, generation, channel, dropped, message, state, doubt, lease in rows:
        is_sent = state == MessageState.SENT and not dropped
        is_on_its_way = state == MessageState.PENDING and bool(lease)
        fates.append(
            _Fate(
                source_id=source_id,
                recipient=recipient,
                generation=generation,
                is_out=channel == CHANNEL and (is_sent or dropped == BY_WISH),
                may_be_out=is_sent or bool(doubt) or is_on_its_way or message in doubtful,
            )
        )
    return fates


def _doubtful(messages: Iterable[int]) -> set[int]:
    """Return the messages of which some try may have reached the reader though it failed."""
    keys = sorted(messages)
    if not keys:
        return set()
    tries = Attempt.objects.filter(message__in=keys).filter(
        Q(outcome=AttemptOutcome.IN_DOUBT) | Q(code__in=DOUBTFUL)
    )
    return set(tries.values_list("message", flat=True))
