"""The last look, right before sending: is it still wanted, by whom, and how does it read?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Q

from coordination.deliveries.digesting import dressed, joined, tidied
from coordination.deliveries.models import Attempt, AttemptOutcome, Delivery, Endpoint, Message
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Rendered, source_of
from coordination.deliveries.transports.base import DOUBTFUL, DOUBTFUL_FAMILY

EXPIRED = "expired"


class NotWanted(Exception):
    """The last look said no.

    Attributes:
        outcome: superseded, expired, held or dead.
        code: short code for the ledger.
    """

    def __init__(self, outcome: AttemptOutcome, code: str) -> None:
        """Say why."""
        super().__init__(code)
        self.outcome = outcome
        self.code = code


def last_look(
    message: Message, lines: Sequence[Delivery], reader: Reader | None, *, at: datetime
) -> tuple[Reader, list[Delivery]]:
    """Return the reader and the lines that are still wanted.

    Args:
        message: claimed.
        lines: its deliveries that have not been dropped.
        reader: who is behind the recipient's key now; None for nobody.
        at: now.

    Raises:
        NotWanted: nothing is.
    """
    if message.never_twice and message.begun_at is not None:
        raise NotWanted(AttemptOutcome.HELD, "in_doubt")
    if message.expires_at is not None and message.expires_at <= at:
        raise NotWanted(AttemptOutcome.EXPIRED, EXPIRED)
    if reader is None:
        raise NotWanted(AttemptOutcome.SUPERSEDED, "recipient_gone")
    wanted = _wanted_lines(message, lines, reader, at)
    if not reader.address:
        raise NotWanted(AttemptOutcome.DEAD, "no_address")
    return reader, wanted


def _wanted_lines(
    message: Message, lines: Iterable[Delivery], reader: Reader, at: datetime
) -> list[Delivery]:
    """Ask the source about each line; note why a line of a digest is left out."""
    wanted: list[Delivery] = []
    dropped: dict[str, list[int]] = {}
    for line in lines:
        too_late = line.expires_at is not None and line.expires_at <= at
        reason = EXPIRED if too_late else source_of(line.source).still_wanted(line, reader, at)
        if reason:
            dropped.setdefault(reason, []).append(line.pk)
        else:
            wanted.append(line)
    if not wanted:
        is_over = EXPIRED in dropped
        code = EXPIRED if is_over else next(iter(dropped), "nothing_left")
        dropped.pop(code, None)  # the message says it; where lines differ, they say their own
        _note_reasons(dropped)
        raise NotWanted(AttemptOutcome.EXPIRED if is_over else AttemptOutcome.SUPERSEDED, code)
    if dropped and message.rendered:
        if _may_be_out(message):
            # The reader may have it: what goes out again is the same to the byte, or it would
            # be another message under the same id.
            return wanted
        message.rendered = ""  # nobody has it: it is written anew, without what is off
    _note_reasons(dropped)
    return wanted


def _note_reasons(dropped: Mapping[str, Sequence[int]]) -> None:
    for reason, keys in dropped.items():
        Delivery.objects.filter(pk__in=keys).update(dropped_reason=reason)


def _may_be_out(message: Message) -> bool:
    """Whether an earlier try may have reached the reader though it did not succeed."""
    tries = Attempt.objects.filter(message=message).filter(
        Q(outcome=AttemptOutcome.IN_DOUBT)
        | Q(code__in=DOUBTFUL)
        | Q(code__startswith=DOUBTFUL_FAMILY)
    )
    return message.in_doubt or tries.exists()


def content_of(message: Message, wanted: Sequence[Delivery], reader: Reader) -> Rendered:
    """Return the content that the first try fixed, or write it now."""
    if message.rendered:
        return Rendered.from_stored(message.rendered)
    at = message.first_tried_at
    if at is None:
        raise ValueError("a claimed message knows when it was first tried")
    by_source: dict[str, list[Delivery]] = {}
    for line in wanted:
        by_source.setdefault(line.source, []).append(line)
    written = [source_of(kind).render(lines, reader, at) for kind, lines in by_source.items()]
    whole = joined(written, reader)
    return tidied(dressed(whole, reader, by_source) if message.channel == "email" else whole)


def reader_at(endpoint: Endpoint) -> Reader:
    """Return the reader that an endpoint of its own stands for: a robot, a web address."""
    return Reader(
        recipient=endpoint.owner,
        address=endpoint.address,
        name=endpoint.name,
        language=endpoint.language or "zh-hans",
        time_zone=endpoint.time_zone or "Asia/Shanghai",
    )
