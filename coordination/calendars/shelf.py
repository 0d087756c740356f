"""Feeds ready to be sent: compiled once for each revision, compressed once for each coding.

The shelf belongs to one process and holds bytes only. Whether what it holds is still good is
asked of the database at every request, by one indexed row: the alliance's stamp. So all
processes answer alike, and a change shows at the next request.
"""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

import brotli  # type: ignore[import-untyped]

from alliances.models import Alliance
from coordination.calendars.answering import etag_of
from coordination.calendars.feeds import FeedAddress, compile_feed
from coordination.calendars.models import FeedStamp
from coordination.calendars.negotiation import IDENTITY
from coordination.statements import row_of

SHELF_BYTES = 64 * 1024 * 1024
GZIP_LEVEL = 6
BROTLI_QUALITY = 5


Revision = tuple[object, ...]
"""What tells one state of a calendar from every other. For an alliance's the row as the database
driver gives it: its outside id and the stamp of the last change."""

# By hand, because a poll costs little more than this query, and building it anew through the ORM
# would cost twice what the rest of the request does.
REVISION_SQL = """
    SELECT alliance.uid, stamp.modified_at
    FROM alliances_alliance AS alliance
    LEFT JOIN calendars_feedstamp AS stamp ON stamp.alliance_id = alliance.id
    WHERE alliance.slug = %s
"""


@dataclass(slots=True)
class Rendition:
    """One state of one calendar, as bytes.

    Attributes:
        revision: The state it was compiled in, or has been found to be the same in.
        changed_at: When the bytes last changed, UTC, in whole seconds; None where nobody knows.
        digest: Fingerprint of the bytes: the same for ever for the same bytes.
    """

    revision: Revision
    changed_at: datetime | None
    digest: str
    codings: dict[str, bytes] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def etag(self, coding: str) -> str:
        """Return the strong entity tag of the bytes in a coding, quoted."""
        return etag_of(self.digest, coding)

    def content(self, coding: str) -> bytes:
        """Return the bytes in a coding; encodes them when first asked."""
        with self.lock:
            if coding not in self.codings:
                self.codings[coding] = _encode(self.codings[IDENTITY], coding)
            return self.codings[coding]

    @property
    def size(self) -> int:
        """Number of bytes held."""
        return sum(map(len, tuple(self.codings.values())))


class Shelf:
    """The renditions of this process, the longest unasked for thrown away first."""

    def __init__(self, *, limit: int = SHELF_BYTES) -> None:
        """Make an empty shelf that holds at most ``limit`` bytes, and always one rendition."""
        self._limit = limit
        self._held: OrderedDict[Hashable, Rendition] = OrderedDict()
        self._lock = Lock()
        self._compiling: dict[FeedAddress, Lock] = {}

    def fetch(self, address: FeedAddress, *, revision: Revision | None = None) -> Rendition | None:
        """Return the feed as it stands now, or None where there is no such alliance.

        One query while nothing changed. Requests that arrive while it is compiled wait for it
        rather than compile it again.

        Args:
            address: which feed.
            revision: what `revision_of` just said, where it was asked already.
        """
        revision = revision or revision_of(address.slug)
        if revision is None:
            return None
        rendition = self.look(address)
        if rendition is not None and rendition.revision == revision:
            return rendition
        with self._lock:
            compiling = self._compiling.setdefault(address, Lock())
        with compiling:
            rendition = self.look(address)
            if rendition is None or rendition.revision != revision:
                rendition = self._compile(address, revision, rendition)
        with self._lock:
            self._compiling.pop(address, None)
        return rendition

    def look(self, key: Hashable) -> Rendition | None:
        """Return what is held under a key, and move it to the front."""
        with self._lock:
            rendition = self._held.get(key)
            if rendition is not None:
                self._held.move_to_end(key)
            return rendition

    def keep(self, key: Hashable, rendition: Rendition) -> None:
        """Hold a rendition; what has been asked for longest ago makes room for it."""
        with self._lock:
            self._held[key] = rendition
            self._held.move_to_end(key)
            while len(self._held) > 1 and self._size() > self._limit:
                self._held.popitem(last=False)

    def clear(self) -> None:
        """Throw everything away."""
        with self._lock:
            self._held.clear()

    def _compile(
        self, address: FeedAddress, revision: Revision, held: Rendition | None
    ) -> Rendition | None:
        """Compile a feed and keep it; what turns out to be the same bytes is not encoded again."""
        alliance = Alliance.objects.filter(slug=address.slug).select_related("feed_stamp").first()
        if alliance is None:
            return None
        content = compile_feed(alliance, address).encode()
        rendition = rendition_of(content, revision=revision, held=held)
        rendition.changed_at = _changed_at(alliance)
        self.keep(address, rendition)
        return rendition

    def _size(self) -> int:
        """Return the number of bytes on the shelf."""
        return sum(rendition.size for rendition in self._held.values())


def rendition_of(content: bytes, *, revision: Revision, held: Rendition | None) -> Rendition:
    """Return bytes with their fingerprint; those held already are not encoded again."""
    digest = hashlib.sha256(content).hexdigest()[:32]
    same = held is not None and held.digest == digest
    codings = dict(held.codings) if held is not None and same else {IDENTITY: content}
    return Rendition(revision, None, digest, codings)


def revision_of(slug: str) -> Revision | None:
    """Return the present revision of an alliance's calendar: one query of two indexed rows."""
    return row_of(REVISION_SQL, [slug])


def _changed_at(alliance: Alliance) -> datetime:
    """Return the stamp of an alliance's calendar; its birth where nothing was ever in it."""
    try:
        return alliance.feed_stamp.modified_at
    except FeedStamp.DoesNotExist:
        return alliance.created_at.replace(microsecond=0)


def _encode(content: bytes, coding: str) -> bytes:
    """Return ``content`` compressed; the same bytes at any time (a gzip header without a date)."""
    if coding == "gzip":
        return gzip.compress(content, GZIP_LEVEL, mtime=0)
    return bytes(brotli.compress(content, mode=brotli.MODE_TEXT, quality=BROTLI_QUALITY))


shelf = Shelf()
