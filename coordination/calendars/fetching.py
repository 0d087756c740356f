"""Find a calendar by its address, and say how it stands, by as little work as is safe.

A public feed is settled by one row, see `shelf`. A private link shows what its owner may see now,
so more has to stand still for a 304: the link itself, the rights, and the log as far as these
rights reach. Three ways lead to the answer, the cheaper first:

1. One query tells that neither the link nor anything in the whole log moved since this process
   last looked, within the hour: rights begin and end on days, and all else by a recorded change.
2. Something moved. With the rights as they are now, one query says whether it can concern them.
3. It can. Then only the changes since are tested against the link's filters; where none is in
   them, the tag stays. Else the calendar is compiled, and has a new tag if a byte of it differs.

What 3. found out is written on the link's row when the bytes changed, or when many changes passed
them by; so a poll writes next to nothing, and another process has little to find out again.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError

from alliances.models import Alliance
from coordination.accounts.authentication import without_waiting
from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import hash_secret
from coordination.accounts.viewer import Viewer, viewer_for
from coordination.calendars.answering import Standing
from coordination.calendars.feeds import FIRST_YEAR, LAST_YEAR, FeedAddress
from coordination.calendars.linking import SECRET
from coordination.calendars.links import compile_link, selection_of
from coordination.calendars.models import FeedLink
from coordination.calendars.rendering import fingerprint
from coordination.calendars.shelf import Rendition, Revision, rendition_of, shelf
from coordination.calendars.syncing import changes_since, token_of
from coordination.calendars.tokens import TokenRefused, Watermark, watermark_of
from coordination.changes.models import Change, Counter
from coordination.statements import instant_of, row_of
from events.models import Event

FILE_NAME: Final = "calendar.ics"
REMEMBERED: Final = 10_000  # links of one process
CHANGES_TESTED: Final = 200  # events at a time
CHANGES_UNNOTED: Final = 500  # that passed a link by before its row says so
ROUNDS: Final = 5  # after more it is cheaper to compile
VARIANT: Final = "link"  # what its sync tokens are for
log = logging.getLogger(__name__)

Facts = tuple[Any, ...]
"""A link's row as far as the answer depends on it, with its owner's, its token's and the log's, as
the database driver gives it; and the hour for which the fetch is noted and the rights are read,
since days begin on one."""

NUMBER = 4  # where they have `link.number`
EXPIRY, OF_THE_LOG = -3, -3  # in the row alone the end of the token; in all, where the log's begin

# By hand, because a poll costs little more than this query. The date is taken as text, which is
# all that comparing needs: SQLite's driver reads an instant slowly.
FACTS_SQL = f"""
    SELECT link.id, link.version, link.digest, link.view, link.number,
           CAST(link.modified_at AS varchar(40)), person.is_superuser, person.time_zone,
           token.expires_at, counter.value, counter.epoch
    FROM {FeedLink._meta.db_table} AS link
    JOIN {User._meta.db_table} AS person ON person.id = link.user_id
    CROSS JOIN {Counter._meta.db_table} AS counter
    LEFT JOIN {ApiToken._meta.db_table} AS token ON token.id = link.token_id
    WHERE link.sha256 = %s AND link.revoked_at IS NULL AND person.is_active
        AND token.revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What this process found out about a link.

    Attributes:
        facts: what it was found out from.
        link: as the row has it, with its owner and token; `number` and `sync_token` may be ahead.
    """

    facts: Facts
    link: FeedLink
    standing: Standing


_remembered: OrderedDict[str, Remembered] = OrderedDict()
_lock = Lock()
_compiling = tuple(Lock() for _ in range(64))


def find_feed(
    slug: str, year: int | None, language: str, *, revision: Revision | None = None
) -> Standing | None:
    """Return an alliance's public calendar, of all time or of one year; None without one.

    Args:
        slug: the alliance's.
        year: the one year, or None.
        language: "zh-hans" or "en".
        revision: what `shelf.revision_of` just said, where it was asked already.
    """
    if year is not None and not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    address = FeedAddress(slug, year, language)
    rendition = shelf.fetch(address, revision=revision)
    if rendition is None:
        return None
    return Standing(
        digest=rendition.digest,
        changed_at=rendition.changed_at,
        load=lambda: rendition,
        language=language,
        file_name=address.file_name,
        is_private=False,
    )


def find_link(
    secret: str, *, at: datetime, program: str, facts: Facts | None = None
) -> Standing | None:
    """Return the calendar of a private link, and note the fetch.

    Args:
        secret: the part of the address that cannot be guessed.
        at: now, aware.
        program: which one asks, as `programs.program_named` says it.
        facts: what `facts_of_link` just said, where it was asked already.

    Returns:
        None where there is no link in force.
    """
    facts = facts or facts_of_link(secret, at)
    if facts is None:
        return None
    sha256 = hash_secret(secret)
    known = _remembered.get(sha256)
    if known is not None and known.facts == facts:
        return known.standing
    if known is not None and known.facts[:OF_THE_LOG] == facts[:OF_THE_LOG]:
        link: FeedLink | None = copy(known.link)  # a check writes on it; threads share the other
    else:
        rows = FeedLink.objects.select_related("user", "token")
        link = rows.filter(sha256=sha256).first()
    if link is None:
        return None
    is_noted = _note_fetch(link, at=at, program=program)
    check = _Check(link, at, noted_number=facts[NUMBER])
    standing = check.standing()
    if not is_noted or check.wrote:  # the row is not what it should be, or not what `facts` say
        return standing._replace(is_lasting=False)
    _remember(sha256, Remembered(facts, check.link, standing))
    return standing


def facts_of_link(secret: str, at: datetime) -> Facts | None:
    """Return what stays the same as long as a link's calendar does, at least.

    One query, four indexed look-ups. None where there is no link in force: never made, revoked,
    replaced, its owner's account or the token that made it ended.
    """
    if SECRET.fullmatch(secret) is None:
        return None
    row = row_of(FACTS_SQL, [hash_secret(secret)])
    if row is None:
        return None
    expires_at = instant_of(row[EXPIRY])
    return (*row, _hour_of(at)) if expires_at is None or expires_at > at else None


def forget_all() -> None:
    """Forget what this process found out; the rows still say it."""
    with _lock:
        _remembered.clear()


def _hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _remember(sha256: str, remembered: Remembered) -> None:
    """Keep what was found out; what was looked at longest ago makes room."""
    with _lock:
        _remembered[sha256] = remembered
        _remembered.move_to_end(sha256)
        while len(_remembered) > REMEMBERED:
            _remembered.popitem(last=False)


def _note_fetch(link: FeedLink, *, at: datetime, program: str) -> bool:
    """Write down the hour of a fetch; never waits for a writer. Return whether it stands there."""
    if not link.is_fetch_due(at):
        return True
    hour = _hour_of(at)
    try:
        with without_waiting():
            rows = FeedLink.objects.filter(pk=link.pk)
            rows.update(last_fetched_at=hour, last_program=program)
    except DatabaseError:
        log.info("The fetch of a link was not written down: the database is busy.")
        return False
    link.last_fetched_at = hour
    return True


class _Check:
    """One look at a link, with its owner's rights as they are now."""

    def __init__(self, link: FeedLink, at: datetime, *, noted_number: int) -> None:
        self.link, self.at, self.wrote = link, at, False
        self.noted_number = noted_number  # on the row
        self.viewer: Viewer = viewer_for(link.user, at=at, language=link.language, token=link.token)
        self.mark: Watermark = watermark_of(self.viewer)
        self.view = _fingerprint_of(self.mark, link, self.viewer)

    def standing(self) -> Standing:
        """Say how the calendar stands; compiles it only if something may have changed in it."""
        link = self.link
        is_known = bool(link.digest) and link.view == self.view
        if is_known and (self.mark.number <= link.number or self._is_untouched()):
            return self._stands(link.digest, link.modified_at)
        rendition = self._compiled()
        return self._stands(rendition.digest, rendition.changed_at)

    def load(self) -> Rendition:
        """Return the bytes: those on the shelf if they are still the ones, else compiled."""
        rendition = shelf.look(self._key)
        if rendition is None or rendition.digest != self.link.digest:
            return self._compiled()
        rendition.changed_at = self.link.modified_at
        return rendition

    @property
    def _key(self) -> tuple[str, UUID]:
        return ("link", self.link.uid)

    def _stands(self, digest: str, changed_at: datetime | None) -> Standing:
        return Standing(
            digest=digest,
            changed_at=changed_at,
            load=self.load,
            language=self.link.language,
            file_name=FILE_NAME,
            is_private=True,
        )

    def _is_untouched(self) -> bool:
        """Test the changes since the last look; note that there was none in the filters."""
        types = {Alliance.object_type(), Event.object_type()}
        newer = Change.objects.filter(number__gt=self.link.number, object_type__in=types)
        moved = set(newer.order_by().values_list("object_type", flat=True).distinct())
        if Alliance.object_type() in moved:
            return False  # its name and address stand in the texts of all its events
        token = self._token_past_events() if moved else self.link.sync_token
        if not token:
            return False
        self.link.number, self.link.sync_token = self.mark.number, token
        if self.mark.number - self.noted_number > CHANGES_UNNOTED:
            self._save(self.link.digest, self.link.modified_at, token)
        return True

    def _token_past_events(self) -> str:
        """Return a token past the newer changes of events; "" when one is in the filters."""
        token, selection = self.link.sync_token, selection_of(self.link)
        for _round in range(ROUNDS):
            try:
                delta = changes_since(
                    token,
                    viewer=self.viewer,
                    selection=selection,
                    limit=CHANGES_TESTED,
                    at=self.at,
                    variant=VARIANT,
                )
            except TokenRefused:
                return ""
            if delta.changed or delta.removed:
                return ""
            token = delta.token
            if not delta.more:
                return token
        return ""

    def _compiled(self) -> Rendition:
        """Compile the calendar, keep it, and write down how it stands; once for many threads."""
        revision = (self.view, self.mark.number)
        with _compiling[hash(self.link.uid) % len(_compiling)]:
            held = shelf.look(self._key)
            if held is not None and held.revision == revision and self._is_latest(held):
                return held
            token = token_of(self.viewer, selection_of(self.link), variant=VARIANT, mark=self.mark)
            content = compile_link(self.link, self.viewer).encode()
            rendition = rendition_of(content, held=held, revision=revision)
            modified_at = self.link.modified_at
            if modified_at is None or rendition.digest != self.link.digest:
                modified_at = _next_second(modified_at, self.at)
            rendition.changed_at = self._save(rendition.digest, modified_at, token)
            shelf.keep(self._key, rendition)
        return rendition

    def _is_latest(self, held: Rendition) -> bool:
        """Whether no other process has dated other bytes since these were kept."""
        last = self.link.modified_at
        return held.changed_at is not None and (last is None or last <= held.changed_at)

    def _save(self, digest: str, modified_at: datetime | None, token: str) -> datetime | None:
        """Write on the row how the calendar stands, unless somebody else just did.

        Returns:
            The date that the row now gives to these bytes; None when it gives none, and then
            nobody may be told one.
        """
        link, self.wrote = self.link, True
        found = {
            "view": self.view,
            "number": self.mark.number,
            "sync_token": token,
            "digest": digest,
            "modified_at": modified_at,
        }
        same = {name: getattr(link, name) for name in ("view", "digest", "version")}
        rows = FeedLink.objects.filter(pk=link.pk, number=self.noted_number, **same)
        try:
            with without_waiting():
                if rows.update(**found):
                    for name, value in found.items():
                        setattr(link, name, value)
                    return modified_at
                link.refresh_from_db(fields=list(found))
        except DatabaseError:
            log.info("How a link stands was not written down: the database is busy.")
            return None
        return link.modified_at if link.digest == digest else None


def _fingerprint_of(mark: Watermark, link: FeedLink, viewer: Viewer) -> str:
    """Return the fingerprint of everything but the log that a link's bytes depend on."""
    parts = (str(mark.epoch), mark.digest, str(link.version), viewer.time_zone, fingerprint())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _next_second(last: datetime | None, at: datetime) -> datetime:
    """Return the second of a change: never the one before it again, see `FeedStamp`."""
    second = at.replace(microsecond=0)
    return second if last is None else max(second, last + timedelta(seconds=1))
