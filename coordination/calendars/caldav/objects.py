"""Calendar objects: one stored text, or one duty, as a calendar of its own (RFC 4791 section 4.1).

The text of an event was rendered when it changed; here it only gets the head, the VTIMEZONE that
it refers to and the tail. Its entity tag is made of the version and of what else its bytes depend
on: so it is known without reading the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final

import tzdata
from django.db.models import QuerySet

from coordination.bilingual import CHINESE, ENGLISH
from coordination.calendars.models import EventText
from coordination.calendars.rendering import fingerprint as renderer_fingerprint
from coordination.rest.preconditions import fingerprint
from events.models import Event
from events.vevent import CALENDAR_TAIL, RENDERER_VERSION, ZoneUse, zones_text

EVENT: Final = "VEVENT"
DUTY: Final = "VTODO"
MEDIA_TYPE: Final = "text/calendar"
CONTENT_TYPES: Final = {
    EVENT: "text/calendar; charset=utf-8; component=VEVENT",
    DUTY: "text/calendar; charset=utf-8; component=VTODO",
}
HEADS: Final = {
    language: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
    f"PRODID:-//Coordination//Calendar {RENDERER_VERSION}//{tongue}\r\n"
    "CALSCALE:GREGORIAN\r\n"
    for language, tongue in ((CHINESE, "ZH"), (ENGLISH, "EN"))
}
LIGHT: Final = ("event__dav_name", "event__version", "level", "event__changed_at", "event_id")
FULL: Final = (
    *LIGHT,
    "body",
    "time_zone",
    "first_on",
    "last_on",
    "event__starts_at",
    "event__ends_at",
    "event__all_day",
    "event__time_zone",
    "event__state",
)


@dataclass(slots=True)
class CalendarObject:
    """One object of a collection, as its viewer may read it.

    Attributes:
        name: the last part of its address.
        etag: strong, with quotes; the same in every answer.
        changed_at: of its last change, aware.
        component: "VEVENT" or "VTODO".
        language: of its text.
        event_pk: key of the event; None for a duty.
        text: the component; empty where only the tag was asked for.
        time_zone: the zone that the text refers to; empty for none.
        first_on: first day of the span shown.
        last_on: last day of it, inclusive.
        starts_at: first instant, aware; None where there is none in force.
        ends_at: first instant after it, aware.
        all_day: whether only the dates count.
        zone: the zone in which its days are counted.
        state: the event's.
    """

    name: str
    etag: str
    changed_at: datetime
    component: str
    language: str
    event_pk: int | None = None
    text: str = ""
    time_zone: str = ""
    first_on: date = date.min
    last_on: date = date.min
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    all_day: bool = False
    zone: str = "UTC"
    state: str = ""

    @property
    def event(self) -> Event | None:
        """The event itself, read when asked for; None for a duty."""
        if self.event_pk is None:
            return None
        rows = Event.objects.select_related("alliance", "plan", "plan_item", "work_area")
        found: Event | None = rows.filter(pk=self.event_pk).first()
        return found

    @property
    def content_type(self) -> str:
        """Its media type, with the component that it holds."""
        return CONTENT_TYPES[self.component]

    def body(self) -> str:
        """Return the whole object: head, the zone used, the component, tail."""
        return "".join((HEADS[self.language], self.zones(), self.text, CALENDAR_TAIL))

    def zones(self) -> str:
        """Return the VTIMEZONE that the text refers to, or nothing."""
        if not self.time_zone:
            return ""
        return zones_text(
            [ZoneUse(zone=self.time_zone, first_on=self.first_on, last_on=self.last_on)]
        )


def tag_of(number: int, level: str, language: str) -> str:
    """Return the entity tag `"version-variant"` of an event's text, without reading the text.

    The variant stands for all that the bytes depend on besides the event: language, level of
    disclosure, media type, renderer, the zones' data. Objects are not compressed, so there is one
    coding.
    """
    return f'"{number}-{_variant(language, level, renderer_fingerprint())}"'


@cache
def _variant(language: str, level: str, renderer: str) -> str:
    parts = f"{language} {level} {MEDIA_TYPE} {renderer} {tzdata.IANA_VERSION}"
    return fingerprint(parts.encode())


def variant_of(language: str) -> str:
    """Return what a copy depends on besides the events: language, renderer, zones' data."""
    return _copy_variant(language, renderer_fingerprint())


@cache
def _copy_variant(language: str, renderer: str) -> str:
    parts = (language, renderer, tzdata.IANA_VERSION)
    return fingerprint(" ".join(parts).encode())[:8]


def read_objects(
    rows: QuerySet[EventText], language: str, *, full: bool
) -> Iterator[CalendarObject]:
    """Return the objects of some texts, by one query.

    Args:
        rows: the texts.
        language: in which they are.
        full: with their text and times; else names, tags and dates of change only.
    """
    return objects_of(rows.values_list(*(FULL if full else LIGHT)).iterator(), language)


def objects_of(rows: Iterable[Any], language: str) -> Iterator[CalendarObject]:
    """Yield the objects that rows of the columns `LIGHT` or `FULL` hold."""
    for values in rows:
        name, number, level, changed_at, *rest = values
        tag = tag_of(number, level, language)
        yield CalendarObject(name, tag, changed_at, EVENT, language, *rest)
