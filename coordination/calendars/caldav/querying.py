"""Which objects fulfil a filter: first by the index of times, then exactly.

A range of time walks the index of beginnings: an event lasts at most a year, so nothing that
began earlier can reach into it. Whole days begin at midnight of a zone, which one the client may
say; so the index is asked for two days more on either side, and each candidate exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db.models import Q

from coordination.calendars.caldav.components import Component, read_component
from coordination.calendars.caldav.filters import ComponentFilter, TimeRange
from coordination.calendars.caldav.objects import DUTY, EVENT, CalendarObject, read_objects
from coordination.calendars.caldav.resources import Collection
from events.models.spans import LONGEST

SLACK: Final = timedelta(days=2)
REACH: Final = LONGEST + SLACK


def matching_objects(
    collection: Collection, wanted: ComponentFilter, *, zone: str = ""
) -> Iterator[CalendarObject]:
    """Yield the objects that fulfil a filter, in the order in which they begin.

    Args:
        collection: where to look.
        wanted: the condition on the VCALENDAR.
        zone: IANA name of the zone in which dates begin; "" for each object's own.
    """
    inner = [one for one in wanted.components if not one.is_not_defined]
    named = {one.name for one in inner}
    if EVENT in named or DUTY not in named:
        spans = [one.time_range for one in inner if one.name == EVENT and one.time_range]
        exactly = inner[0] if _is_plain(wanted) and named == {EVENT} else None
        for item in _candidates(collection, spans[0] if spans else None):
            if exactly is not None and item.starts_at is not None:
                if _lies_in(item, exactly.time_range, zone):
                    yield item
            elif _fulfils(item, wanted, zone):
                yield item
    if DUTY in named or EVENT not in named:
        for item in collection.duties.all():
            if _fulfils(item, wanted, zone):
                yield item


def events_in(
    collection: Collection, span: TimeRange, *, zone: str = ""
) -> Iterator[CalendarObject]:
    """Yield the events with a time in force that lies in a range."""
    for item in _candidates(collection, span):
        if item.starts_at is not None and _lies_in(item, span, zone):
            yield item


def span_of(item: CalendarObject, zone: str) -> TimeRange | None:
    """Return the time of an event in force: its days as they lie in ``zone``."""
    if item.starts_at is None or item.ends_at is None:
        return None
    if not item.all_day or not zone or zone == item.zone:
        return TimeRange(item.starts_at, item.ends_at)
    calendar = read_component(item.body())
    event = next(inner for inner in calendar.components if inner.name == item.component)
    starts, ends = event.first("DTSTART"), event.first("DTEND")
    starts_at = starts.instant(zone) if starts is not None else None
    ends_at = ends.instant(zone) if ends is not None else None
    if starts_at is None or ends_at is None:
        return None
    return TimeRange(starts_at, ends_at)


def _is_plain(wanted: ComponentFilter) -> bool:
    """Whether nothing but one component, and its time, is asked for."""
    return (
        not wanted.properties and len(wanted.components) == 1 and wanted.components[0].is_time_only
    )


def _lies_in(item: CalendarObject, wanted: TimeRange | None, zone: str) -> bool:
    span = span_of(item, zone)
    return wanted is None or (span is not None and wanted.overlaps(span.since, span.until))


def _fulfils(item: CalendarObject, wanted: ComponentFilter, zone: str) -> bool:
    holder = Component("", [], [read_component(item.body())])
    return wanted.test(holder, zone or item.zone)


def _candidates(collection: Collection, span: TimeRange | None) -> Iterator[CalendarObject]:
    """Yield the events that may lie in a range; all of them without one."""
    texts = collection.texts()
    if span is None:
        yield from read_objects(texts.order_by("event_id"), collection.language, full=True)
        return
    since, until = span.since - SLACK, span.until + SLACK
    timed = texts.filter(event__starts_at__lt=until, event__ends_at__gt=since)
    if span.since.year > REACH.days // 365 + 1:
        timed = timed.filter(event__starts_at__gt=span.since - REACH)
    order = ("event__starts_at", "event_id")
    yield from read_objects(timed.order_by(*order), collection.language, full=True)
    # A postponed event without a new date shows the time it had, and has no instants.
    shown = Q(first_on__lte=until.date(), last_on__gte=since.date())
    undated = texts.filter(shown, event__state="postponed", event__starts_at__isnull=True)
    yield from read_objects(undated.order_by("event_id"), collection.language, full=True)
