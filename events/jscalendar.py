"""Write an event as a JSCalendar Event object (RFC 8984). Pure.

The same values as in a VEVENT, at the same levels of disclosure, under the same UID and SEQUENCE
and with the same times, so that a program may take either. Section numbers are those of RFC 8984.

What people read (title with the mark of a state, description with the facts) is the same text as
in a VEVENT, because most programs show these two and nothing else. Postponed has no word of its
own in section 5.1.3: such an event is ``tentative``; until there is a new date it keeps the old
time and takes nobody's (``freeBusyStatus`` "free"). An event that is only planned can be written
once it has a window, as whole days that take nobody's time; without one it cannot be written,
because ``start`` is mandatory (section 5.1.1).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from coordination.bilingual import CHINESE, ENGLISH, language_or_default
from events.calendar_event import (
    CalendarEvent,
    Level,
    Span,
    describe_event,
    describe_place,
    mark_title,
)
from events.vevent import clean, one_line, uri
from events.zones import UTC_NAMES, wall_of

MEDIA_TYPE: Final = "application/jscalendar+json"  # section 6
EVENT_MEDIA_TYPE: Final = f"{MEDIA_TYPE};type=event"
PRODUCT: Final = "-//Coordination//JSCalendar 1//ZH"

_STATUS: Final = {
    "planned": "tentative",
    "scheduled": "tentative",
    "confirmed": "confirmed",
    "held": "confirmed",
    "postponed": "tentative",
    "cancelled": "cancelled",
}
_TAGS: Final = {CHINESE: "zh-Hans", ENGLISH: "en"}
_OTHER: Final = {CHINESE: ENGLISH, ENGLISH: CHINESE}
_UTC: Final = "Etc/UTC"


def is_writable(event: CalendarEvent) -> bool:
    """Return whether the event has a time to show, now or before; without, there is no object."""
    return event.shown_span is not None


def jscalendar_event(event: CalendarEvent, *, language: str, level: Level) -> dict[str, Any]:
    """Return the event as a JSCalendar Event, as far as ``level`` may know.

    The object speaks ``language``; what differs in the other one is under ``localizations``.
    Properties come in a fixed order, so the same values give the same bytes.

    Raises:
        ValueError: The event has no time: see `is_writable`.
    """
    span = event.shown_span
    if span is None:
        raise ValueError(f"{event.ical_uid} has no time to show")
    spoken = language_or_default(language)
    words = _texts(event, spoken, level)
    shown = {
        "@type": "Event",
        "uid": one_line(event.ical_uid),
        "prodId": PRODUCT,
        "created": utc_date_time(event.created_at),
        "updated": utc_date_time(event.changed_at),
        "sequence": event.sequence,
        "status": _STATUS[event.state],
        "freeBusyStatus": "busy" if event.takes_time else "free",
        **_times(span),
        "locale": _TAGS[spoken],
        "title": words["title"],
        "description": words["description"],
        **_places(event, words, level),
        **_relations(event, words),
    }
    patch = _patch(words, _texts(event, _OTHER[spoken], level))
    return shown | ({"localizations": {_TAGS[_OTHER[spoken]]: patch}} if patch else {})


def utc_date_time(instant: datetime) -> str:
    """Return an instant as a UTCDateTime, to the second (section 1.4.4)."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def duration_text(length: timedelta, *, in_days: bool = False) -> str:
    """Return a length of time as a Duration (section 1.4.6).

    Days in it are days of the calendar, which may have 23 or 25 hours; hours are exact. So whole
    days are told in days, and what clocks measure in hours and less, however long it is.
    """
    if in_days:
        return f"P{length // timedelta(days=1)}D"
    minutes, seconds = divmod(max(length, timedelta(0)) // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    return "PT" + ("".join(f"{count}{unit}" for count, unit in parts if count) or "0S")


def _times(span: Span) -> dict[str, Any]:
    """Return the properties of section 4.2.4, 4.7.1, 5.1.1 and 5.1.2.

    Whole days float, as a DATE in iCalendar does: they are the same days wherever one looks.
    """
    if span.is_all_day:
        days = span.last_on - span.first_on + timedelta(days=1)
        return {
            "start": f"{span.first_on:%Y-%m-%d}T00:00:00",
            "timeZone": None,
            "duration": duration_text(days, in_days=True),
            "showWithoutTime": True,
        }
    # Back from the instant: a wall time that the clocks skip is written as they will show it.
    starts = wall_of(span.starts_at, span.zone)
    return {
        "start": f"{starts:%Y-%m-%dT%H:%M:%S}",
        "timeZone": _UTC if span.zone in UTC_NAMES else span.zone,
        "duration": duration_text(span.ends_at - span.starts_at),
    }


def _texts(event: CalendarEvent, language: str, level: Level) -> dict[str, str]:
    """Return everything that is said in words, by the pointer under which it stands."""
    texts = {
        "title": one_line(mark_title(event, language=language)),
        "description": clean(describe_event(event, language=language, level=level)),
        "keyword": one_line(event.work_area.text(language)),
        "participants/organizer/name": one_line(event.organizer.text(language)),
    }
    if where := one_line(describe_place(event, language=language)):
        texts["locations/place/name"] = where
    for number, host in enumerate(event.hosts, start=1):
        texts[f"participants/host-{number}/name"] = one_line(host.text(language))
    return texts


def _places(event: CalendarEvent, words: Mapping[str, str], level: Level) -> dict[str, Any]:
    """Return where it is (sections 4.2.5 and 4.2.6); the online link for members only."""
    found: dict[str, Any] = {}
    place: dict[str, Any] = {"@type": "Location"}
    if name := words.get("locations/place/name"):
        place["name"] = name
    if event.latitude is not None and event.longitude is not None:
        place["coordinates"] = f"geo:{event.latitude:.6f},{event.longitude:.6f}"  # RFC 5870
    if len(place) > 1:
        found["locations"] = {"place": place}
    if event.online_url and level != Level.PUBLIC:
        online = {"@type": "VirtualLocation", "uri": uri(event.online_url)}
        found["virtualLocations"] = {"online": {**online, "features": {"video": True}}}
    return found


def _relations(event: CalendarEvent, words: Mapping[str, str]) -> dict[str, Any]:
    """Return what it belongs to and who stands behind it (sections 4.1.3, 4.2.7, 4.2.9, 4.4.6).

    Whoever publishes it owns it; the hosts own it too, and are in charge on the day. Neither
    ``replyTo`` nor ``sendTo``: nobody can be answered by scheduling messages through this object.
    """
    found: dict[str, Any] = {}
    if words["keyword"]:
        found["keywords"] = {words["keyword"]: True}
    page = {"@type": "Link", "href": uri(event.url), "contentType": "text/html"}
    found["links"] = {"page": {**page, "rel": "describedby"}}
    if event.plan_uid:
        plan = {"@type": "Relation", "relation": {"parent": True}}
        found["relatedTo"] = {event.plan_uid: plan}
    return found | {"participants": dict(_participants(event, words))}


def _participants(
    event: CalendarEvent, words: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the publisher and the hosts, by id."""
    base = {"@type": "Participant", "kind": "group"}
    name = words["participants/organizer/name"]
    organizer: dict[str, Any] = {**base, "name": name, "roles": {"owner": True, "contact": True}}
    scheme, _colon, address = event.organizer_uri.partition(":")
    if scheme == "mailto" and address:
        organizer["email"] = one_line(address)
    yield "organizer", organizer
    for number, _host in enumerate(event.hosts, start=1):
        name = words[f"participants/host-{number}/name"]
        yield f"host-{number}", {**base, "name": name, "roles": {"owner": True, "chair": True}}


def _patch(words: Mapping[str, str], others: Mapping[str, str]) -> dict[str, Any]:
    """Return the PatchObject that turns ``words`` into ``others`` (sections 1.4.9 and 4.6.1)."""
    patch: dict[str, Any] = {}
    for pointer, text in others.items():
        if text == words[pointer]:
            continue
        if pointer == "keyword":
            patch["keywords"] = {text: True}
        else:
            patch[pointer] = text
    return patch
