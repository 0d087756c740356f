"""What causes deliveries: each kind of cause registers a `Source`.

A source knows three things that this room does not: what is due, whether it is still wanted at
the very last moment, and how it reads. `events` registers "reminder"::

    class Reminders:
        kind = "reminder"
        news = News.REMINDERS               # what it is to its reader; see news.py
        def fire_next(self, at): ...        # fans one due reminder out, in one transaction
        def oldest_due_at(self, at): ...
        def still_wanted(self, delivery, reader, at): ...
        def render(self, deliveries, reader, at): ...

    register_source(Reminders())

One whose news grow stale may say which of them did, while nothing went out: see `stale_among`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from coordination.deliveries.models import Delivery
from coordination.deliveries.recipients import Reader


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message beside its text.

    Attributes:
        content: the bytes.
        media_type: "text/calendar; method=REQUEST".
        filename: name of an attachment; "" for another form of the same text (an alternative).
    """

    content: bytes
    media_type: str
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a message tells, for places with little room: chats, inboxes, digests.

    Attributes:
        title: what it is about, in a line.
        text: what there is to say of it, in a line or two; "" for nothing more.
        url: where it is shown in full; "" for nowhere.
    """

    title: str
    text: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in one reader's language and zone.

    Attributes:
        subject: one line.
        text: plain text, always there.
        html: the same as HTML; "" for none.
        language: tag of the language it is written in.
        unsubscribe_url: where the reader stops such messages (RFC 2369, 8058); "" for none.
        reply_to: address that replies to a mail go to; "" for the sender's.
        parts: alternatives and attachments.
        items: the same in short, one for each thing told; where there are none, the subject and
            the text are what is shown.
    """

    subject: str
    text: str
    html: str = ""
    language: str = "zh-hans"
    unsubscribe_url: str = ""
    reply_to: str = ""
    parts: tuple[Part, ...] = ()
    items: tuple[Item, ...] = ()

    def stored(self) -> str:
        """Return the message as it is kept in the ledger."""
        values: dict[str, Any] = {
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "language": self.language,
            "unsubscribe_url": self.unsubscribe_url,
            "reply_to": self.reply_to,
            "parts": [
                [base64.b64encode(part.content).decode(), part.media_type, part.filename]
                for part in self.parts
            ],
            "items": [[item.title, item.text, item.url] for item in self.items],
        }
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_stored(cls, stored: str) -> Rendered:
        """Return the message that `stored` made, byte for byte the same."""
        values = json.loads(stored)
        parts = tuple(
            Part(base64.b64decode(content), media_type, filename)
            for content, media_type, filename in values.pop("parts")
        )
        items = tuple(Item(*texts) for texts in values.pop("items", []))
        return cls(**values, parts=parts, items=items)


class Source(Protocol):
    """A kind of cause."""

    kind: str

    def fire_next(self, at: datetime) -> bool:
        """Fan out at most one thing that is due, in one transaction of its own.

        It must leave alone what another process has locked (`select_for_update(skip_locked=True)`
        where the database has it), and mark what it fired in the same transaction. What it
        cannot fire it must set aside, or the rest would wait behind it.

        Args:
            at: the database's time.

        Returns:
            Whether there was one; it is then asked again.
        """
        ...

    def oldest_due_at(self, at: datetime) -> datetime | None:
        """Return since when something has been due and not fired; None when nothing is."""
        ...

    def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
        """Take the last look, right before sending.

        Returns:
            "" to send; otherwise a short code that says why not ("event_cancelled").
        """
        ...

    def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
        """Write the message.

        Args:
            deliveries: one or more, of this source, still wanted.
            reader: gives the language and the zone.
            at: instant of the first try, the same for every copy.
        """
        ...


TOO_LATE = "too_late"
"""Why a line is left out that grew stale."""
_sources: dict[str, Source] = {}


def stale_among(kind: str, deliveries: Sequence[Delivery], at: datetime) -> set[int]:
    """Return the keys of those deliveries of one source that a standstill has made too late.

    A source whose news grow stale has a method `stale(deliveries, at)` that answers this.

    Args:
        kind: of the source.
        deliveries: of that kind, without a message, which waited longer than they should have.
        at: the database's time.
    """
    judge: Callable[[Sequence[Delivery], datetime], set[int]] | None
    judge = getattr(_sources.get(kind), "stale", None)
    return judge(deliveries, at) if judge is not None else set()


class UnknownSource(LookupError):
    """A delivery names a source that no room has registered."""


def register_source(source: Source) -> None:
    """Register a kind of cause; for `AppConfig.ready`. The last one of a kind counts."""
    _sources[source.kind] = source


def all_sources() -> tuple[Source, ...]:
    """Return the registered sources, in the order in which they were registered."""
    return tuple(_sources.values())


def source_of(kind: str) -> Source:
    """Return the source of a kind.

    Raises:
        UnknownSource.
    """
    try:
        return _sources[kind]
    except KeyError:
        raise UnknownSource(f"No source {kind!r} is registered.") from None
