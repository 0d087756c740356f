"""What every transport offers: send one letter, or say exactly why not.

A transport knows nothing of queues and rows. It tells three things about a failure: whether it
may pass, whose fault it is, and what the other side said. The queue decides what follows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Protocol
from uuid import UUID

from coordination.deliveries.backoff import Schedule
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Rendered

DOUBTFUL = frozenset({"lease_ended", "mail_cut", "timeout", "cut", "not_http", "garbage"})
DOUBTFUL_FAMILY = "http_5"
"""Codes of failures after which nobody knows whether the letter was taken."""


class Blame(Enum):
    """Whose a failure is."""

    LETTER = "letter"
    """This letter's or this address': others are not touched."""
    CONNECTION = "connection"
    """A connection broke on the way: this letter is tried again; five in a row pause all."""
    CHANNEL = "channel"
    """The other side is away: everything waits, and nothing is held against the letter."""
    PACE = "pace"
    """It was too often for this endpoint: all of its letters wait, none is held to blame."""
    EITHER = "either"
    """This address' or ours: this letter waits; where all are refused so, everything does."""
    US = "us"
    """The other side is there but takes nothing from us: password, relay, sender."""


class TransportError(Exception):
    """A letter was not sent.

    Attributes:
        code: short code, "smtp_450".
        detail: what the other side said; no secrets.
        permanent: trying this letter again is pointless.
        blame: whose fault it is.
        retry_after: wait that the other side asked for.
        bounced: the other side says that the address does not exist.
        in_doubt: it may have been taken all the same.
        switches_off: nothing will be taken at this endpoint until its owner mends it.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        permanent: bool = False,
        blame: Blame = Blame.LETTER,
        retry_after: timedelta | None = None,
        bounced: bool = False,
        in_doubt: bool = False,
        switches_off: bool = False,
    ) -> None:
        """Describe the failure."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.permanent = permanent
        self.blame = blame
        self.retry_after = retry_after
        self.bounced = bounced
        self.in_doubt = in_doubt
        self.switches_off = switches_off


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to go.

    Attributes:
        uid: the same in every copy.
        reader: to whom.
        rendered: what.
        attempt: 1 for the first try.
        endpoint_id: key of the endpoint it goes to.
    """

    uid: UUID
    reader: Reader
    rendered: Rendered
    attempt: int
    endpoint_id: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """A letter was taken by the other side.

    Attributes:
        detail: what it said, if anything.
    """

    detail: str = ""


class Transport(Protocol):
    """Carries letters over one channel; one object for each thread, kept between letters."""

    lease: timedelta
    """How long claims of this channel last: over three times the longest `send` or `prepare`."""
    schedule: Schedule
    """How failures of letters wait."""

    def prepare(self) -> None:
        """Make ready to send: open the connection if it is not open.

        Raises:
            TransportError: the other side is away or refuses us.
        """
        ...

    def send(self, letter: Letter) -> Receipt:
        """Send one letter, within a quarter of the lease in all.

        Raises:
            TransportError.
        """
        ...

    def close(self) -> None:
        """Close what is open; never raises."""
        ...


_factories: dict[str, Callable[[], Transport]] = {}
_workers: dict[str, int] = {}
_most_lines: dict[str, int] = {}
_kept = threading.local()


def register_transport(
    channel: str, factory: Callable[[], Transport], *, workers: int = 1, most_lines: int = 0
) -> None:
    """Let `factory` make the transports of a channel; for `AppConfig.ready`.

    Args:
        channel: "email".
        factory: makes a transport for one thread.
        workers: how many threads one loop uses; where the other side is far away, the number of
            connections is what counts.
        most_lines: how many deliveries fit into one message; 0 for any number.
    """
    _factories[channel] = factory
    _workers[channel] = workers
    _most_lines[channel] = most_lines


def workers_of(channel: str) -> int:
    """Return how many threads one loop uses for a channel."""
    return _workers[channel]


def most_lines_of(channel: str) -> int:
    """Return how many deliveries fit into one message of a channel; 0 for any number."""
    return _most_lines.get(channel, 0)


def channels() -> tuple[str, ...]:
    """Return the channels that have a transport."""
    return tuple(_factories)


def transport_for(channel: str) -> Transport:
    """Return this thread's transport of a channel; it is made once and kept."""
    factory = _factories[channel]
    kept: dict[str, tuple[Callable[[], Transport], Transport]] = _kept.__dict__
    if channel not in kept or kept[channel][0] is not factory:
        kept[channel] = (factory, factory())
    return kept[channel][1]


def close_transports() -> None:
    """Close all transports of this thread."""
    for _factory, transport in list(_kept.__dict__.values()):
        transport.close()
    _kept.__dict__.clear()
