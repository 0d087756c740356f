"""Write invitations as iTIP messages (RFC 5546), for mail (RFC 6047). Pure.

The VEVENT is the one of the feeds, with the same UID and SEQUENCE. What an invitation adds: who is
asked (ATTENDEE), where their calendar sends its reply (ORGANIZER), and as DTSTAMP the instant of
the change that it tells of, so that the same message is the same bytes whenever it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from coordination.bilingual import CHINESE, language_or_default
from events.calendar_event import CalendarEvent, Level
from events.vevent import (
    CALENDAR_TAIL,
    RENDERER_VERSION,
    ZoneUse,
    folded,
    parameter,
    uri,
    vevent,
    zones_text,
)

_END: Final = "END:VEVENT\r\n"


class Method(StrEnum):
    """What a message does (RFC 5546 section 1.4)."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """Who is asked.

    Attributes:
        name: how they are called; may be "".
        address: their mail address.
        partstat: PARTSTAT as it is known now (RFC 5545 section 3.2.12).
    """

    name: str
    address: str
    partstat: str = "NEEDS-ACTION"


def itip_message(
    event: CalendarEvent,
    *,
    method: Method,
    attendee: Attendee,
    reply_to: str,
    stamp_at: datetime,
    language: str,
    is_off: bool = False,
) -> str:
    """Return a whole VCALENDAR that asks one attendee, or tells them that it is off.

    Args:
        event: as it stands.
        method: REQUEST asks, or brings what was asked up to date; CANCEL takes it back.
        attendee: who gets it.
        reply_to: mail address to which calendars send their answers: the ORGANIZER's.
        stamp_at: DTSTAMP.
        language: of its text.
        is_off: whether the whole event is; a CANCEL of an event that goes on without this
            attendee says no STATUS (RFC 5546 section 3.2.5).

    Raises:
        ValueError: the event has no time, neither now nor before.
    """
    told = replace(event, organizer_uri=f"mailto:{reply_to}", changed_at=stamp_at)
    span = told.shown_span
    if span is None:
        raise ValueError(f"{event.ical_uid} has no time to show")
    component = vevent(told, language=language, level=Level.MEMBER)
    if method is Method.CANCEL and not is_off:
        component = _without(component, "STATUS")
    tongue = "ZH" if language_or_default(language) == CHINESE else "EN"
    zones = (
        [ZoneUse(zone=told.tzid, first_on=span.first_on, last_on=span.last_on)] if told.tzid else []
    )
    return "".join(
        (
            "BEGIN:VCALENDAR\r\n",
            "VERSION:2.0\r\n",
            f"PRODID:-//Coordination//Calendar {RENDERER_VERSION}//{tongue}\r\n",
            "CALSCALE:GREGORIAN\r\n",
            f"METHOD:{method}\r\n",
            zones_text(zones),
            component.removesuffix(_END),
            *_attendee_lines(attendee, method),
            _END,
            CALENDAR_TAIL,
        )
    )


def _attendee_lines(attendee: Attendee, method: Method) -> Iterator[str]:
    """Yield the ATTENDEE: asked to reply in a REQUEST, merely named in a CANCEL."""
    named = f"ATTENDEE;CN={parameter(attendee.name or attendee.address)};CUTYPE=INDIVIDUAL"
    if method is Method.REQUEST:
        named += f";ROLE=REQ-PARTICIPANT;PARTSTAT={attendee.partstat};RSVP=TRUE"
    yield folded(named, uri(f"mailto:{attendee.address}"))


def _without(component: str, name: str) -> str:
    """Return a component without one of its properties, which is on a line of its own."""
    lines = component.split("\r\n")
    return "\r\n".join(line for line in lines if not line.startswith(f"{name}:"))
