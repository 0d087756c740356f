"""Send what is due over one channel: claim, last look, render, send, settle, one by one.

    claimed -> still wanted? -> rendered -> handed over -> settled (its own commit) -> next

Each outcome is in the database before the next message is begun. Nothing new is begun after 70 %
of the lease, after the budget, or once a stop is asked for: the rest goes back at once.
"""

from __future__ import annotations

import functools
import logging
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from coordination.deliveries import circuit
from coordination.deliveries.backoff import retry_at
from coordination.deliveries.last_look import NotWanted, content_of, last_look, reader_at
from coordination.deliveries.limits import Pace, close_until, put_off, take_token
from coordination.deliveries.models import AttemptOutcome, Delivery, Endpoint, Message
from coordination.deliveries.outbox import (
    AWAY,
    BATCH,
    Settlement,
    begin,
    claim_due,
    claim_probes,
    plan_anew,
    put_back,
    release,
    settle,
    surely,
)
from coordination.deliveries.recipients import Reader, readers_of, tell_bounced
from coordination.deliveries.timing import Fence, Timepiece
from coordination.deliveries.transports.base import (
    Blame,
    Letter,
    Transport,
    TransportError,
    transport_for,
)

BUDGET_SECONDS = 20.0
MOST_RENDER_FAILURES = 3
MOST_REFUSALS_OF_US = 5
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What one drain did, by outcome."""

    sent: int = 0
    retried: int = 0
    dead: int = 0
    dropped: int = 0
    lost: int = 0
    claimed: int = 0

    def count(self, outcome: AttemptOutcome, settled: bool) -> None:
        """Count one settlement; `settled` is False when the lease was lost."""
        if not settled:
            self.lost += 1
        elif outcome == AttemptOutcome.SENT:
            self.sent += 1
        elif outcome == AttemptOutcome.RETRY:
            self.retried += 1
        elif outcome == AttemptOutcome.DEAD:
            self.dead += 1
        else:
            self.dropped += 1


@dataclass(slots=True)
class _Batch:
    """Claimed messages with what they need, read in three queries for all of them."""

    messages: list[Message]
    lines: dict[int, list[Delivery]]
    endpoints: dict[int, Endpoint]
    readers: dict[str, Reader]

    def reader_of(self, message: Message) -> Reader | None:
        """Return who gets a message: its endpoint's own reader, else the recipient's."""
        return self.readers.get(f"endpoint:{message.endpoint_id}") or self.readers.get(
            message.recipient
        )


@dataclass(slots=True)
class Drain:
    """One worker's pass over one channel.

    Attributes:
        channel: "email".
        piece: the database's time, carried on.
        stop: ends the pass after the message in hand.
        tally: what was done so far.
    """

    channel: str
    piece: Timepiece
    stop: threading.Event
    tally: Tally = field(default_factory=Tally)
    paused: bool = False
    noted: bool = False
    _handed_over: bool = False
    _addresses: dict[int, str] = field(default_factory=dict)
    _turns: dict[int, datetime] = field(default_factory=dict)
    _refusals: list[TransportError] = field(default_factory=list)

    def run(self, *, budget: float = BUDGET_SECONDS, limit: int = BATCH) -> Tally:
        """Send until nothing is due, the budget is used up, or a stop is asked for.

        Args:
            budget: seconds after which no further batch is claimed.
            limit: messages in one batch.
        """
        transport = transport_for(self.channel)
        until = time.monotonic() + budget
        plan_anew()
        while time.monotonic() < until and not self.stop.is_set() and not self.paused:
            fence = Fence(transport.lease)
            at = self.piece.now()
            claimed = claim_probes(self.channel, at=at, lease=transport.lease)
            claimed += claim_due(self.channel, at=at, lease=transport.lease, limit=limit)
            if not claimed:
                break
            self.tally.claimed += len(claimed)
            self._work_off(claimed, transport, fence, until)
        return self.tally

    def _work_off(
        self, claimed: list[Message], transport: Transport, fence: Fence, until: float
    ) -> None:
        rest, sent = list(claimed), self.tally.sent
        self._refusals.clear()
        try:
            batch = self._read(claimed)
            while rest and not self._must_end(transport, fence, until):
                self._handed_over, lost = False, self.tally.lost
                self._send_one(rest[0], batch, transport)
                rest.pop(0)
                if self.tally.lost > lost:
                    break  # the lease ended after all, a machine that slept say: so did the rest's
            self._note_addresses()
            if len(self._refusals) >= MOST_REFUSALS_OF_US and self.tally.sent == sent:
                self._pause(self._refusals[-1])  # nobody gets through: it is us whom they refuse
        finally:
            if rest and self._handed_over:
                rest.pop(0)  # it may have gone out: its lease ends by itself, and it is in doubt
            if rest:
                back = functools.partial(release, rest)
                surely(back, stop=self.stop, what=f"Giving {len(rest)} messages back")

    def _must_end(self, transport: Transport, fence: Fence, until: float) -> bool:
        if self.stop.is_set() or self.paused or time.monotonic() >= until:
            return True
        try:
            transport.prepare()
        except TransportError as error:
            self._pause(error)
            return True
        return fence.has_passed()  # after `prepare`: connecting may have taken long

    def _read(self, messages: list[Message]) -> _Batch:
        lines: dict[int, list[Delivery]] = {message.pk: [] for message in messages}
        for line in Delivery.objects.filter(message__in=messages, dropped_reason="").order_by("pk"):
            lines[line.message_id or 0].append(line)
        endpoints = Endpoint.objects.in_bulk({message.endpoint_id for message in messages})
        readers = readers_of((message.recipient for message in messages), self.channel)
        for endpoint in endpoints.values():
            if endpoint.name and endpoint.owner:
                readers[f"endpoint:{endpoint.pk}"] = reader_at(endpoint)
        return _Batch(messages, lines, endpoints, readers)

    def _send_one(self, message: Message, batch: _Batch, transport: Transport) -> None:
        begun_at = self.piece.now()
        address, stored = "", ""
        try:
            reader, wanted = last_look(
                message, batch.lines[message.pk], batch.reader_of(message), at=begun_at
            )
            address = reader.address
            rendered = content_of(message, wanted, reader)
            stored = rendered.stored()
            if not self._has_its_turn(message, transport):
                return
            self._begin(message, begun_at)
            self._handed_over = True
            transport.send(
                Letter(message.uid, reader, rendered, message.attempts, message.endpoint_id)
            )
            settlement = self._sent(message, begun_at, address, stored)
        except NotWanted as reason:
            settlement = self._dropped(message, begun_at, reason)
        except TransportError as error:
            settlement = self._failed(message, begun_at, error, address, stored, batch, transport)
        except AWAY:
            raise  # the database is away: what was not handed over goes back
        except Exception as error:
            settlement = self._broken(message, begun_at, error, transport)
        write = functools.partial(settle, [settlement])
        settled = surely(write, stop=self.stop, what=f"Settling message {message.uid}")
        self._handed_over = False
        self.tally.count(settlement.outcome, bool(settled))
        if settlement.outcome == AttemptOutcome.SENT:
            self._note_success(batch.endpoints[message.endpoint_id], address)

    def _has_its_turn(self, message: Message, transport: Transport) -> bool:
        """Take a token of the endpoint; without one the message comes back when there will be."""
        pace: Pace | None = getattr(transport, "pace", None)
        if pace is None:
            return True
        at = self.piece.now()
        wait = take_token(message.endpoint_id, pace, at=at)
        if wait is None:
            return True
        # One after another: those that come back together would only be sent away again.
        turn = max(at + wait, self._turns.get(message.endpoint_id, at) + pace.interval)
        self._turns[message.endpoint_id] = turn
        back = functools.partial(put_off, message, until=turn)
        surely(back, stop=self.stop, what=f"Putting message {message.uid} off")
        return False

    def _begin(self, message: Message, at: datetime) -> None:
        if message.never_twice and not begin(message, at=at):
            raise NotWanted(AttemptOutcome.HELD, "lease_lost")

    def _sent(self, message: Message, begun_at: datetime, address: str, stored: str) -> Settlement:
        return Settlement(
            message=message,
            outcome=AttemptOutcome.SENT,
            begun_at=begun_at,
            ended_at=self.piece.now(),
            failures=message.failures,
            address=address,
            rendered=stored,
        )

    def _dropped(self, message: Message, begun_at: datetime, reason: NotWanted) -> Settlement:
        return Settlement(
            message=message,
            outcome=reason.outcome,
            begun_at=begun_at,
            ended_at=self.piece.now(),
            code=reason.code,
            failures=message.failures,
        )

    def _failed(
        self,
        message: Message,
        begun_at: datetime,
        error: TransportError,
        address: str,
        stored: str,
        batch: _Batch,
        transport: Transport,
    ) -> Settlement:
        """Decide what follows from a failure the transport could name."""
        at = self.piece.now()
        if error.bounced:
            Endpoint.objects.filter(pk=message.endpoint_id).update(bounced_at=at, address=address)
            tell_bounced(message.recipient, self.channel, address, at)
        if error.blame is Blame.PACE:
            close_until(message.endpoint_id, at + (error.retry_after or transport.schedule.base))
        if error.switches_off:
            circuit.disable_endpoint(message.endpoint_id, reason=error.code, at=at)
        if error.blame is Blame.EITHER:
            self._refusals.append(error)
        is_theirs = error.blame in (Blame.LETTER, Blame.PACE, Blame.EITHER)
        pause_ends = None if is_theirs else self._pause(error)
        held_against = error.blame not in (Blame.CHANNEL, Blame.PACE)
        failures = message.failures + held_against
        outcome, code, again = self._verdict(message, error, failures, at, pause_ends, transport)
        if error.blame is Blame.LETTER and not error.permanent:
            circuit.note_endpoint_failure(message.endpoint_id, at=at)
        return Settlement(
            message=message,
            outcome=outcome,
            begun_at=begun_at,
            ended_at=at,
            code=code,
            detail=error.detail,
            retry_at=again,
            failures=failures,
            address=address,
            rendered=stored,
        )

    def _verdict(
        self,
        message: Message,
        error: TransportError,
        failures: int,
        at: datetime,
        pause_ends: datetime | None,
        transport: Transport,
    ) -> tuple[AttemptOutcome, str, datetime | None]:
        first = message.first_tried_at or at
        if error.permanent:
            return AttemptOutcome.DEAD, error.code, None
        if (
            error.blame in (Blame.US, Blame.EITHER)
            and failures >= MOST_REFUSALS_OF_US
            and circuit.has_succeeded_since(self.channel, first)
        ):
            # Others get through: it is this letter that is refused, not us.
            return AttemptOutcome.DEAD, error.code, None
        if message.never_twice and (error.in_doubt or error.blame is Blame.CONNECTION):
            return AttemptOutcome.HELD, "in_doubt", None
        if error.blame is Blame.CHANNEL:
            again = pause_ends
        else:
            again = retry_at(
                failures,
                transport.schedule,
                at=at,
                first_tried_at=first,
                spread=random.random(),
                retry_after=error.retry_after,
            )
        if again is None:
            return AttemptOutcome.DEAD, "given_up", None
        if error.blame in (Blame.US, Blame.CONNECTION) and pause_ends is not None:
            again = max(again, pause_ends + transport.schedule.base)  # others try the door first
        if message.expires_at is not None and again >= message.expires_at:
            return AttemptOutcome.EXPIRED, error.code, None
        return AttemptOutcome.RETRY, error.code, again

    def _broken(
        self, message: Message, begun_at: datetime, error: Exception, transport: Transport
    ) -> Settlement:
        """Judge a mistake of our own: a template, a source. Dead after three, others flow."""
        log.exception("Message %s could not be made.", message.uid)
        at = self.piece.now()
        failures = message.failures + 1
        again = None
        if failures < MOST_RENDER_FAILURES:
            again = retry_at(
                failures,
                transport.schedule,
                at=at,
                first_tried_at=message.first_tried_at or at,
                spread=random.random(),
            )
        return Settlement(
            message=message,
            outcome=AttemptOutcome.RETRY if again else AttemptOutcome.DEAD,
            begun_at=begun_at,
            ended_at=at,
            code="cannot_be_made",
            detail=f"{type(error).__name__}: {error}",
            retry_at=again,
            failures=failures,
        )

    def _pause(self, error: TransportError) -> datetime | None:
        at = self.piece.now()
        self.noted = False
        if error.blame is Blame.CONNECTION:
            ends = circuit.note_channel_stumble(self.channel, reason=str(error), at=at)
            if ends is not None:
                put_back(self.channel, until=ends + transport_for(self.channel).schedule.base)
        else:
            is_us = error.blame in (Blame.US, Blame.EITHER)
            ends = circuit.pause_channel(self.channel, reason=str(error), refuses_us=is_us, at=at)
        self.paused = ends is not None
        return ends

    def _note_success(self, endpoint: Endpoint, address: str) -> None:
        if endpoint.failures or endpoint.bounced_at is not None:
            circuit.note_endpoint_success(endpoint.pk)
        if not endpoint.name and endpoint.address != address:
            self._addresses[endpoint.pk] = address
        if not self.noted:
            circuit.note_channel_success(self.channel, at=self.piece.now())
            self.noted = True

    def _note_addresses(self) -> None:
        """Write where letters went beside their endpoints, for those who look there.

        Once a batch and not with each letter: an address lost to a kill is written next time, and
        each attempt has its own.
        """
        if not self._addresses:
            return
        # In the order of keys, as everybody does: no two workers wait for each other.
        rows = [(address, pk) for pk, address in sorted(self._addresses.items())]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany("UPDATE deliveries_endpoint SET address = %s WHERE id = %s", rows)
        self._addresses.clear()
