"""Read a calendar object that a program has put: one event or one task. Pure.

What is taken, and what a person who works in Apple Calendar, Thunderbird or on a telephone would
expect of it:

* title, description, place, coordinates, time, STATUS, link and COMMENT are read;
* alarms, colours, categories, marks of the program's own are that person's and are left alone;
* repetition is refused, because every event of an alliance is planned and held on its own;
* other people's names (ATTENDEE) and files (ATTACH) are refused by whoever takes the object
  (`events.taking`), because leaving them out silently would let somebody believe that
  invitations went out or papers were attached.

How times and zones are read: `events.calendar_times`. What an object may be: RFC 4791 section 4.1.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from events.calendar_event import Span
from events.calendar_times import Clock, Fault, UnreadableObject, span_of
from events.content_lines import Component, MalformedText, read_components
from events.vevent import clean, one_line
from events.zone_aliases import zone_for

UID_LENGTH: Final = 255
EVENT: Final = "VEVENT"
TASK: Final = "VTODO"
_GEO: Final = re.compile(
    r"([+-]?\d{1,3}(?:\.\d{0,20})?)\s*;\s*([+-]?\d{1,3}(?:\.\d{0,20})?)", re.ASCII
)
MAP_PLACE: Final = "X-APPLE-STRUCTURED-LOCATION"
REPEATING: Final = ("RRULE", "RDATE", "EXRULE", "EXDATE", "RECURRENCE-ID")
ONCE: Final = (
    *("UID", "DTSTART", "DTEND", "DURATION", "DUE", "COMPLETED", "STATUS", "SUMMARY"),
    *("DESCRIPTION", "LOCATION", "GEO", "CLASS", "URL", "PERCENT-COMPLETE"),
)
"""What RFC 5545 sections 3.6.1 and 3.6.2 let stand once at most, as far as it is read here."""


@dataclass(frozen=True, kw_only=True)
class ProposedObject:
    """An event or task as a program wants it; None where the text says nothing of a value.

    Attributes:
        component: "VEVENT" or "VTODO".
        uid: As it stands.
        title: In one line.
        description: Lines end in a newline.
        status: In capitals, empty where there is none.
        span: The time of an event.
        location: In one line.
        coordinates: Degrees north and east.
        map_point: The same of a place picked from a map, which programs also add on their own.
        comment: All COMMENTs, in one line each.
        url: A page of the event.
        conference: Where it is held online.
        is_private: Whether CLASS asks that others see less.
        attendees: Addresses of people named, without the organizer's own.
        has_files: Whether files are attached.
        due_at: Until when a task is to be done, aware.
        is_done: Whether a task is said to be done.
    """

    component: str
    uid: str
    title: str | None
    description: str | None
    status: str
    span: Span | None
    location: str | None
    coordinates: tuple[Decimal, Decimal] | None
    map_point: tuple[Decimal, Decimal] | None
    comment: str
    url: str | None
    conference: str | None
    is_private: bool
    attendees: tuple[str, ...]
    has_files: bool
    due_at: datetime | None
    is_done: bool

    def without_attendee(self, address: str) -> "ProposedObject":
        """Return the object without one person among those named: programs add their owner."""
        others = tuple(found for found in self.attendees if found != address.casefold())
        return replace(self, attendees=others)


def read_object(octets: bytes, *, home_zone: str) -> ProposedObject:
    """Return the only event or task in a calendar object.

    Args:
        octets: The whole object, UTF-8.
        home_zone: IANA zone on whose clocks a time in UTC or without a zone is read.

    Raises:
        UnreadableObject: It cannot be taken; nothing of it was.
    """
    try:
        calendar = _calendar(read_components(octets))
        component = _only_component(calendar)
        return _proposed(component, Clock(_zones(calendar), home_zone))
    except MalformedText as error:
        raise UnreadableObject(Fault.MALFORMED) from error


def _calendar(components: list[Component]) -> Component:
    """Return the one VCALENDAR."""
    if [component.name for component in components] != ["VCALENDAR"]:
        raise UnreadableObject(Fault.NOT_ONE_CALENDAR)
    calendar = components[0]
    version = calendar.text("VERSION")
    if version is None or version.strip() != "2.0":
        raise UnreadableObject(Fault.WRONG_VERSION, version or "")
    if calendar.has("METHOD"):
        raise UnreadableObject(Fault.METHOD, calendar.text("METHOD") or "")
    return calendar


def _only_component(calendar: Component) -> Component:
    """Return the event or task, after seeing that there is one and that it stands alone."""
    found = [part for part in calendar.parts if part.name != "VTIMEZONE"]
    if len(found) != 1:
        raise UnreadableObject(Fault.NOT_ONE_OBJECT)
    component = found[0]
    if component.name not in (EVENT, TASK):
        raise UnreadableObject(Fault.WRONG_COMPONENT, component.name)
    for name in REPEATING:
        if component.has(name):
            raise UnreadableObject(Fault.REPEATING, name)
    for name in ONCE:
        if len(component.lines.get(name, ())) > 1:
            raise UnreadableObject(Fault.TWICE, name)
    return component


def _proposed(component: Component, clock: Clock) -> ProposedObject:
    """Return what a component says."""
    is_event = component.name == EVENT
    status = (component.text("STATUS") or "").strip().upper()
    completed = component.has("COMPLETED") or component.text("PERCENT-COMPLETE") == "100"
    privacy = (component.text("CLASS") or "").strip().upper()
    due = component.first("DUE")
    return ProposedObject(
        component=component.name,
        uid=_uid(component),
        title=_line(component.text("SUMMARY")),
        description=_lines(component.text("DESCRIPTION")),
        status=status,
        span=span_of(component, clock) if is_event else None,
        location=_line(component.text("LOCATION")),
        coordinates=_coordinates(component.text("GEO")),
        map_point=_map_point(component),
        comment=_comment(component),
        url=_line(_raw(component, "URL")),
        conference=_line(_raw(component, "CONFERENCE")),
        is_private=privacy in ("PRIVATE", "CONFIDENTIAL"),
        attendees=_attendees(component),
        has_files=component.has("ATTACH"),
        due_at=clock.instant(due) if due is not None else None,
        is_done=status == "COMPLETED" or (completed and status in ("", "NEEDS-ACTION")),
    )


def _comment(component: Component) -> str:
    """Return what was said about the change, each COMMENT in a line."""
    lines = (one_line(found.text) for found in component.all("COMMENT"))
    return "\n".join(filter(None, lines))


def _uid(component: Component) -> str:
    """Return the UID, which must be there and be short enough to be kept."""
    uid = one_line(component.text("UID") or "")
    if not uid:
        raise UnreadableObject(Fault.NO_UID)
    if len(uid) > UID_LENGTH:
        raise UnreadableObject(Fault.LONG_UID, uid)
    return uid


def _attendees(component: Component) -> tuple[str, ...]:
    """Return the addresses of people named; programs name the organizer among them."""
    organizer = _address(_raw(component, "ORGANIZER"))
    addresses = (_address(found.raw) for found in component.all("ATTENDEE"))
    return tuple(address for address in addresses if address != organizer)


def _address(uri: str | None) -> str:
    """Return a calendar address without its scheme, for comparing."""
    return (uri or "").strip().casefold().removeprefix("mailto:")


def _raw(component: Component, name: str) -> str | None:
    """Return the first value of a name as it stands: URIs are not escaped."""
    found = component.first(name)
    return None if found is None else found.raw


def _line(text: str | None) -> str | None:
    """Return a text in one line."""
    return None if text is None else one_line(text)


def _lines(text: str | None) -> str | None:
    """Return a text in lines without blanks at their ends."""
    if text is None:
        return None
    return "\n".join(line.rstrip() for line in clean(text).split("\n")).strip("\n")


def _coordinates(text: str | None) -> tuple[Decimal, Decimal] | None:
    """Return degrees north and east (RFC 5545 section 3.8.1.6)."""
    if text is None or not text.strip():
        return None
    match = _GEO.fullmatch(text.strip())
    values = tuple(map(Decimal, match.groups())) if match is not None else ()
    if not values or not (abs(values[0]) <= 90 and abs(values[1]) <= 180):
        raise UnreadableObject(Fault.BAD_PLACE, text)
    return values[0], values[1]


def _map_point(component: Component) -> tuple[Decimal, Decimal] | None:
    """Return where Apple's programs, which write no GEO, found a place; nothing where unclear."""
    try:
        found = _raw(component, MAP_PLACE)
        is_point = found is not None and found.strip().lower().startswith("geo:")
        return _coordinates(found.strip()[4:].replace(",", ";", 1)) if found and is_point else None
    except (MalformedText, UnreadableObject):
        return None


def _zones(calendar: Component) -> dict[str, str]:
    """Return the IANA names that the VTIMEZONEs of a calendar stand for, by their TZID."""
    zones = {}
    for part in calendar.named("VTIMEZONE"):
        name = part.text("TZID") or ""
        hints = (part.text("X-LIC-LOCATION"), part.text("TZID-ALIAS-OF"))
        if zone := zone_for(name, *filter(None, hints)):
            zones[name.strip()] = zone
    return zones
