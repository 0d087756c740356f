"""Send what is due over a channel where many answers can be awaited at once: webhooks.

One thread talks to the database; requests wait on an event loop elsewhere. A message takes off
when its endpoint has room, and is settled when its answer lands, whatever others still wait for:

    claimed -> waiting (by endpoint) -> last look, handed over -> flying -> landed -> settled

An endpoint has at most four messages on their way, and one that is full is not claimed for. So an
endpoint that hangs holds up its own messages, not its neighbours'. The lanes of the queue keep
the order within an endpoint: no two messages of a lane are ever claimed together.
"""

from __future__ import annotations

import functools
import logging
import queue
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Protocol, runtime_checkable

from django.db import InterfaceError, OperationalError

from coordination.deliveries import circuit
from coordination.deliveries.draining import BUDGET_SECONDS, Drain, Tally, _Batch
from coordination.deliveries.last_look import NotWanted, content_of, last_look
from coordination.deliveries.models import AttemptOutcome, Message
from coordination.deliveries.outbox import (
    BATCH,
    Settlement,
    claim_due,
    claim_probes,
    plan_anew,
    release,
    settle,
    surely,
)
from coordination.deliveries.timing import Fence, Timepiece
from coordination.deliveries.transports.base import (
    Letter,
    Receipt,
    Transport,
    TransportError,
    transport_for,
)

MOST_FLYING = 256
MOST_FLYING_TO_ONE = 4
LOOK_AGAIN_SECONDS = 0.25
SECONDS_TO_LAND_AFTER_STOP = 5.0
log = logging.getLogger(__name__)


@runtime_checkable
class ManyAtOnce(Protocol):
    """A transport that can send letters without waiting for the answers."""

    def begin(self, letter: Letter) -> Future[Any]:
        """Send a letter without waiting."""
        ...

    def landed(self, sent: Future[Any]) -> Receipt:
        """Return what the answer means.

        Raises:
            TransportError.
        """
        ...


def drain_for(channel: str, piece: Timepiece, stop: Event) -> Drain:
    """Return what drains a channel: one letter after another, or many at once."""
    is_many = isinstance(transport_for(channel), ManyAtOnce)
    return (Stream if is_many else Drain)(channel, piece, stop)


@dataclass(slots=True)
class _Claimed:
    """A message under a lease, with what was read for its batch."""

    message: Message
    batch: _Batch
    fence: Fence


@dataclass(slots=True)
class _Flight:
    """A message on its way."""

    claimed: _Claimed
    begun_at: Any
    address: str
    stored: str


@dataclass(slots=True)
class Stream(Drain):
    """One worker's pass over a channel, with many messages on their way.

    Attributes:
        waiting: claimed messages by endpoint, in their order.
        flying: what is awaited.
        stumbled: endpoints that failed during this pass.
    """

    waiting: dict[int, deque[_Claimed]] = field(default_factory=dict)
    flying: dict[Future[Any], _Flight] = field(default_factory=dict)
    stumbled: set[int] = field(default_factory=set)
    _landings: queue.SimpleQueue[Future[Any]] = field(default_factory=queue.SimpleQueue)
    _look_at: float = 0.0

    def run(self, *, budget: float = BUDGET_SECONDS, limit: int = BATCH) -> Tally:
        """Send until nothing is due and nothing awaited, or a stop is asked for.

        Args:
            budget: seconds after which no more is claimed, unless an answer must be awaited
                anyway: then others need not wait for it.
            limit: messages claimed at once.
        """
        transport: Any = transport_for(self.channel)
        until = time.monotonic() + budget
        plan_anew()
        try:
            while not self.stop.is_set() and (self.flying or time.monotonic() < until):
                found_some = self._claim_more(transport, limit)
                self._take_off(transport)
                if not (found_some or self.flying or self.waiting):
                    break
                self._land(transport, LOOK_AGAIN_SECONDS)
        finally:
            self._give_back([one for line in self.waiting.values() for one in line])
            self.waiting.clear()
            self._land_the_rest(transport)
        return self.tally

    def _claim_more(self, transport: Any, limit: int) -> bool:
        """Claim for endpoints that have room, when it is time to look; return whether it did."""
        room = MOST_FLYING - len(self.flying) - sum(len(line) for line in self.waiting.values())
        if room <= 0 or time.monotonic() < self._look_at:
            return False
        fence, at = Fence(transport.lease), self.piece.now()
        busy = {pk for pk in self._endpoints_in_hand() if pk in self.waiting or self._is_full(pk)}
        claimed = claim_probes(self.channel, at=at, lease=transport.lease)
        claimed += claim_due(
            self.channel,
            at=at,
            lease=transport.lease,
            limit=min(limit, room),
            busy=busy,
            at_once=MOST_FLYING_TO_ONE,
        )
        if not claimed:
            self._look_at = time.monotonic() + LOOK_AGAIN_SECONDS
            return False
        self.tally.claimed += len(claimed)
        try:
            batch = self._read(claimed)
        except (OperationalError, InterfaceError):
            self._give_back([_Claimed(one, _Batch([], {}, {}, {}), fence) for one in claimed])
            raise
        for message in claimed:
            line = self.waiting.setdefault(message.endpoint_id, deque())
            line.append(_Claimed(message, batch, fence))
        return True

    def _endpoints_in_hand(self) -> set[int]:
        flying = {flight.claimed.message.endpoint_id for flight in self.flying.values()}
        return flying | set(self.waiting)

    def _is_full(self, endpoint_id: int) -> bool:
        flights = self.flying.values()
        mine = sum(1 for one in flights if one.claimed.message.endpoint_id == endpoint_id)
        return mine >= MOST_FLYING_TO_ONE

    def _take_off(self, transport: Any) -> None:
        """Hand over what has room at its endpoint; what waited too long goes back."""
        dropped: list[Settlement] = []
        late: list[_Claimed] = []
        for pk in list(self.waiting):
            line = self.waiting[pk]
            while line and not self._is_full(pk):
                if line[0].fence.has_passed():
                    late += line
                    line.clear()
                    break
                settlement = self._begin_one(line[0], transport)
                line.popleft()
                if settlement is not None:
                    dropped.append(settlement)
            if not line:
                del self.waiting[pk]
        self._settle(dropped)
        self._give_back(late)

    def _begin_one(self, claimed: _Claimed, transport: Any) -> Settlement | None:
        """Take the last look and send; return an outcome where it came to nothing."""
        message, batch, begun_at = claimed.message, claimed.batch, self.piece.now()
        try:
            reader, wanted = last_look(
                message, batch.lines[message.pk], batch.reader_of(message), at=begun_at
            )
            rendered = content_of(message, wanted, reader)
            flight = _Flight(claimed, begun_at, reader.address, rendered.stored())
            self._begin(message, begun_at)
            letter = Letter(message.uid, reader, rendered, message.attempts, message.endpoint_id)
            sent = transport.begin(letter)
        except NotWanted as reason:
            return self._dropped(message, begun_at, reason)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            return self._broken(message, begun_at, error, transport)
        self.flying[sent] = flight
        sent.add_done_callback(self._landings.put)
        return None

    def _land(self, transport: Any, seconds: float) -> None:
        """Wait for an answer for so long, then settle all that have come."""
        if not self.flying:
            return
        landed: list[Future[Any]] = []
        try:
            landed.append(self._landings.get(timeout=seconds))
            while True:
                landed.append(self._landings.get_nowait())
        except queue.Empty:
            pass
        flights = [(sent, self.flying.pop(sent)) for sent in landed if sent in self.flying]
        settlements = [self._judged(sent, flight, transport) for sent, flight in flights]
        self._settle(settlements)
        if settlements:
            self._look_at = 0.0  # a lane, or room at an endpoint, may have come free
        for (_sent, flight), settlement in zip(flights, settlements, strict=True):
            if settlement.outcome == AttemptOutcome.SENT:
                self._note_arrival(flight)
        self._note_addresses()

    def _judged(self, sent: Future[Any], flight: _Flight, transport: Any) -> Settlement:
        """Return what became of one message, and take note of it at its endpoint."""
        claimed = flight.claimed
        message, pk = claimed.message, claimed.message.endpoint_id
        try:
            receipt = transport.landed(sent)
        except TransportError as error:
            if error.permanent and not error.switches_off:
                circuit.note_endpoint_failure(pk, at=self.piece.now())
            self.stumbled.add(pk)
            self._give_back(list(self.waiting.pop(pk, ())))  # its circuit may have opened
            return self._failed(
                message, flight.begun_at, error, flight.address, flight.stored, claimed.batch,
                transport,
            )  # fmt: skip
        except Exception as error:
            return self._broken(message, flight.begun_at, error, transport)
        return Settlement(
            message=message,
            outcome=AttemptOutcome.SENT,
            begun_at=flight.begun_at,
            ended_at=self.piece.now(),
            detail=receipt.detail,
            failures=message.failures,
            address=flight.address,
            rendered=flight.stored,
        )

    def _note_arrival(self, flight: _Flight) -> None:
        endpoint = flight.claimed.batch.endpoints[flight.claimed.message.endpoint_id]
        if endpoint.pk in self.stumbled and not endpoint.failures:
            circuit.note_endpoint_success(endpoint.pk)
        self.stumbled.discard(endpoint.pk)
        self._note_success(endpoint, flight.address)

    def _settle(self, settlements: Sequence[Settlement]) -> None:
        if not settlements:
            return
        write = functools.partial(settle, settlements)
        settled = surely(write, stop=self.stop, what=f"Settling {len(settlements)} messages")
        for place, settlement in enumerate(settlements):
            self.tally.count(settlement.outcome, place < settled)

    def _give_back(self, claimed: Sequence[_Claimed]) -> None:
        """Give back what was claimed and not begun."""
        messages = [one.message for one in claimed]
        if messages:
            back = functools.partial(release, messages)
            surely(back, stop=self.stop, what=f"Giving {len(messages)} messages back")

    def _land_the_rest(self, transport: Transport) -> None:
        """Wait for what is on its way, but after a stop not for long: it is in doubt then."""
        asked_at: float | None = None
        while self.flying:
            if self.stop.is_set():
                asked_at = asked_at or time.monotonic()
                if time.monotonic() - asked_at > SECONDS_TO_LAND_AFTER_STOP:
                    break
            self._land(transport, LOOK_AGAIN_SECONDS)
        for sent in self.flying:
            sent.cancel()
        self.flying.clear()
