"""Keep the text of every event as it stands: rendered when it changes, not when it is read.

`project_texts` runs inside the recording of a change, so the text commits with the change or not
at all. `rebuild_texts` makes all of it again; it writes only what differs, which is nothing unless
the renderer, the address of the installation or the publisher's mail address changed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from alliances.models import Alliance, Openness
from coordination.bilingual import LANGUAGES
from coordination.calendars.models import EventText, FeedStamp
from coordination.calendars.whole_events import event_of_key
from coordination.changes.projections import Recorded
from coordination.prepared import FEW, Columns, few_blanks, insert_rows, prepared
from events.calendar_event import Level
from events.calendar_values import calendar_event, publisher_address
from events.models import Event, EventState
from events.vevent import RENDERER_VERSION, vevents

BATCH = 500  # events
LEVELS_OPEN_TO: dict[str, tuple[Level, ...]] = {
    Openness.SECRETARIAT: (Level.SECRETARIAT,),
    Openness.ORGANIZATIONS: (Level.MEMBER, Level.SECRETARIAT),
    Openness.MEMBERS: (Level.MEMBER, Level.SECRETARIAT),
    Openness.PUBLIC: (Level.PUBLIC, Level.MEMBER, Level.SECRETARIAT),
}
WHAT_TEXTS_SHOW_OF_AN_ALLIANCE = {"name_zh", "name_en", "email", "time_zone"}
WHAT_A_TEXT_SAYS = ("body", "time_zone", "first_on", "last_on", "renderer")
STORED = ("event_id", "language", "level", *WHAT_A_TEXT_SAYS, "pk")
_MEMBERS_SCOPE = re.compile(r"alliance:(\d+):members")


def project_texts(changes: Sequence[Recorded], at: datetime) -> None:
    """Render the events that changed, and those of alliances that changed their name.

    A planned event has never had a time, so it has no text: importing a plan renders nothing.
    """
    events = {
        change.obj.pk
        for change in changes
        if isinstance(change.obj, Event)
        and not change.deleted
        and change.obj.state != EventState.PLANNED
    }
    alliances = {
        change.obj.pk
        for change in changes
        if isinstance(change.obj, Alliance) and WHAT_TEXTS_SHOW_OF_AN_ALLIANCE & change.diff.keys()
    }
    if alliances:
        events.update(Event.objects.filter(alliance__in=alliances).values_list("pk", flat=True))
    render_events(events)
    stamp_feeds(_alliances_whose_feed_changed(changes), at=at)


def rebuild_texts(*, at: datetime, only_stale: bool = False) -> int:
    """Render every event again; return how many texts differed.

    Args:
        at: Aware instant of the rebuilding; feeds are stamped with it if anything differed.
        only_stale: Leave texts alone that this renderer made, with this installation's address.
    """
    events = Event.objects.order_by("pk")
    if only_stale:
        stale = EventText.objects.exclude(renderer=fingerprint())
        events = events.filter(pk__in=stale.values("event"))
    with transaction.atomic():
        count = render_events(events.values_list("pk", flat=True))
        if count:
            stamp_feeds(Alliance.objects.values_list("pk", flat=True), at=at)
    return count


def stamp_feeds(alliances: Iterable[int], *, at: datetime) -> None:
    """Note that these alliances' public calendars changed, each at a second of its own."""
    pks = sorted(alliances)
    if not pks:
        return
    last = {
        pk: modified_at
        for start in range(0, len(pks), FEW)
        for pk, modified_at in _stamps_of_few().rows(*pks[start : start + FEW])
    }
    second = at.replace(microsecond=0)
    stamps = [
        {
            "alliance_id": pk,
            "modified_at": max(second, last[pk] + timedelta(seconds=1)) if pk in last else second,
        }
        for pk in pks
    ]
    insert_rows(FeedStamp, stamps, unique=("alliance",), update=("modified_at",))


@prepared
def _stamps_of_few() -> QuerySet[FeedStamp, Any]:
    rows = FeedStamp.objects.select_for_update().order_by("alliance")
    rows = rows.filter(alliance__pk__in=few_blanks(Alliance, "pk"))
    return rows.values_list("alliance", "modified_at")


def render_events(pks: Iterable[int]) -> int:
    """Bring the stored texts of these events up to date; return how many differed."""
    ordered = sorted(pks)
    return sum(
        _render_batch(ordered[start : start + BATCH]) for start in range(0, len(ordered), BATCH)
    )


def fingerprint() -> str:
    """Return what tells texts of one renderer, address and publisher from those of another."""
    return _hashed(str(RENDERER_VERSION), settings.COORDINATION_BASE_URL, publisher_address())


@cache
def _hashed(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]


def _alliances_whose_feed_changed(changes: Sequence[Recorded]) -> set[int]:
    """Return the alliances that show something public that changed, or showed it until now."""
    alliances: set[int] = set()
    for change in changes:
        scopes = change.before | change.after
        if "public" in scopes and isinstance(change.obj, Event | Alliance):
            matches = map(_MEMBERS_SCOPE.fullmatch, scopes)
            alliances.update(int(match[1]) for match in matches if match)
    return alliances


def _render_batch(pks: Sequence[int]) -> int:
    """Render up to `BATCH` events and write the texts that differ; return how many."""
    wanted = {
        (text["event_id"], text["language"], text["level"]): text
        for event in _events_of(pks)
        for text in _texts_of(event)
    }
    stored = {(event, language, level): said for event, language, level, *said in _stored(pks)}
    gone = [key for *_said, key in (stored[text] for text in stored.keys() - wanted.keys())]
    if gone:
        EventText.objects.filter(pk__in=gone).delete()
    different = [text for key, text in wanted.items() if _says(text) != stored.get(key, [])[:-1]]
    unique = ("event", "language", "level")
    insert_rows(EventText, different, unique=unique, update=WHAT_A_TEXT_SAYS)
    return len(gone) + len(different)


def _events_of(pks: Sequence[int]) -> Iterable[Event]:
    """Return the events of these keys as they are stored, with all that their texts show."""
    if len(pks) == 1:
        event = event_of_key(pks[0])
        return [] if event is None else [event]
    rows: Iterable[Event] = (
        Event.objects.filter(pk__in=pks)
        .select_related("alliance", "plan", "work_area")
        .prefetch_related("hosts__organization")
    )
    return rows


def _stored(pks: Sequence[int]) -> Iterable[Sequence[Any]]:
    """Return event, language and level of these events' texts, what they say, and their keys."""
    if len(pks) > FEW:
        return EventText.objects.filter(event__in=pks).values_list(*STORED)
    return _stored_of_few().rows(*pks)


@prepared
def _stored_of_few() -> QuerySet[EventText, Any]:
    rows = EventText.objects.filter(event__pk__in=few_blanks(Event, "pk")).order_by()
    return rows.values_list(*STORED)


def _texts_of(event: Event) -> Iterator[Columns]:
    """Yield the texts that should be stored: none without a time, none once retired."""
    values = calendar_event(event)
    span = values.shown_span
    if span is None or event.retired:
        return
    levels = LEVELS_OPEN_TO[event.openness]
    common = {
        "event_id": event.pk,
        "time_zone": values.tzid,
        "first_on": span.first_on,
        "last_on": span.last_on,
        "renderer": fingerprint(),
    }
    for language, level, body in vevents(values, languages=LANGUAGES, levels=levels):
        yield {**common, "language": language, "level": level.value, "body": body}


def _says(text: Columns) -> list[Any]:
    """Return what a text says, in the order of `WHAT_A_TEXT_SAYS`."""
    return [text[name] for name in WHAT_A_TEXT_SAYS]
