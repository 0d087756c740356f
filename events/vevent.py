"""Write an event as a VEVENT, and the calendar around it (RFC 5545, RFC 7986). Pure.

The text depends on nothing but the values passed in: no clock, no settings, no database. Two
renderings of the same values are the same bytes; DTSTAMP and LAST-MODIFIED are the time of the
event's last change. Lines end in CRLF and hold at most 75 octets of UTF-8 (RFC 5545 section 3.1);
a character is never cut in two.

How states are told to calendars (RFC 5545 section 3.8.1.11): an event whose date is set but not
yet confirmed is TENTATIVE, as are a plan line's window and a postponed event; confirmed and held
are CONFIRMED; a cancelled event stays, CANCELLED. Postponed and cancelled are also said in words
in the SUMMARY, because not every program shows the STATUS.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from coordination.bilingual import CHINESE, language_or_default
from events.calendar_event import (
    CalendarEvent,
    Level,
    Span,
    describe_event,
    describe_place,
    disclosed,
    mark_title,
)
from events.zones import UTC_NAMES, vtimezone, wall_of

RENDERER_VERSION: Final = 1
"""Raised whenever the same values give other bytes than before."""

CALENDAR_TAIL: Final = "END:VCALENDAR\r\n"
UTC_LENGTH: Final = len("20240402T030405Z")
LINE_OCTETS: Final = 75  # RFC 5545 section 3.1, without the line break

_STATUS: Final = {
    "planned": "TENTATIVE",
    "scheduled": "TENTATIVE",
    "confirmed": "CONFIRMED",
    "held": "CONFIRMED",
    "postponed": "TENTATIVE",
    "cancelled": "CANCELLED",
}
_NOT_IN_A_URI: Final = re.compile(r"""[^!-~]|["<>\\^`{|}]""")
_BEGIN: Final = "BEGIN:VEVENT\r\n"
_END: Final = "END:VEVENT\r\n"
_CONTROLS: Final = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
_LINE_BREAKS: Final = "\n\r\v\f\x85\u2028\u2029"
_CLEANING: Final = str.maketrans(
    {**_CONTROLS, ord("\t"): "\t", **{ord(char): "\n" for char in _LINE_BREAKS}}
)
_UNCLEAN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarHead:
    """What a subscriber sees of the calendar itself.

    Attributes:
        name: Shown in the list of calendars.
        description: One or two sentences.
        zone: IANA zone in which the calendar's people think.
        language: Language of its text.
        color: A CSS3 colour name (RFC 7986 section 5.9).
        refresh: How often to ask for news.
        source: Address of the feed; empty when it has none.
        url: The page for people.
        changed: LAST-MODIFIED of the newest event in it, as `newest_change` finds it, or empty.
    """

    name: str
    description: str
    zone: str
    language: str
    color: str
    refresh: timedelta
    source: str
    url: str
    changed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneUse:
    """A zone that some text refers to, and the days between which it does, both included."""

    zone: str
    first_on: date
    last_on: date


def vevent(event: CalendarEvent, *, language: str, level: Level) -> str:
    """Return the event as one VEVENT component in ``language``, as far as ``level`` may know.

    Raises:
        ValueError: The event has no time, neither now nor before.
    """
    return next(vevents(event, languages=(language,), levels=(level,)))[2]


def vevents(
    event: CalendarEvent, *, languages: Iterable[str], levels: Iterable[Level]
) -> Iterator[tuple[str, Level, str]]:
    """Yield the event as a VEVENT in each language for each level, with the two.

    What all have in common is written once, and so is the text of levels that know the same.

    Raises:
        ValueError: The event has no time, neither now nor before.
    """
    span = event.shown_span
    if span is None:
        raise ValueError(f"{event.ical_uid} has no time to show")
    known = {level: disclosed(event, level) for level in levels}
    common = _lines(*_identity(event), *_times(span))
    for language in languages:
        title = _lines(("SUMMARY", escaped(one_line(mark_title(event, language=language)))))
        circumstances = _lines(*_circumstances(event, language))
        texts: dict[tuple[str, str, str], str] = {}
        for level, facts in known.items():
            if facts not in texts:
                told = escaped(describe_event(event, language=language, level=level))
                body = (common, title, folded("DESCRIPTION", told), circumstances)
                conference = _lines(*_conference(event, level))
                texts[facts] = "".join((_BEGIN, *body, conference, _END))
            yield language, level, texts[facts]


def calendar_head(head: CalendarHead, *, method: str = "PUBLISH") -> str:
    """Return the opening lines of a VCALENDAR.

    Without a UID: clients that read a feed item by item take one for the whole feed's.

    Args:
        head: The calendar's own values.
        method: iTIP method of a feed; empty for an object over CalDAV (RFC 4791 section 4.1).
    """
    tongue = "ZH" if language_or_default(head.language) == CHINESE else "EN"
    minutes = head.refresh // timedelta(minutes=1)
    every = f"PT{minutes}M" if minutes % 60 else f"PT{minutes // 60}H"
    properties = [
        ("VERSION", "2.0"),
        ("PRODID", f"-//Coordination//Calendar {RENDERER_VERSION}//{tongue}"),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", method),
        ("NAME", escaped(one_line(head.name))),
        ("X-WR-CALNAME", escaped(one_line(head.name))),
        ("DESCRIPTION", escaped(head.description)),
        ("X-WR-CALDESC", escaped(head.description)),
        ("X-WR-TIMEZONE", head.zone),
        ("REFRESH-INTERVAL;VALUE=DURATION", every),
        ("X-PUBLISHED-TTL", every),
        ("COLOR", head.color),
        ("SOURCE;VALUE=URI", uri(head.source)),
        ("URL", uri(head.url)),
        ("LAST-MODIFIED", head.changed),
    ]
    lines = [folded(name, value) for name, value in properties if value]
    return "".join(("BEGIN:VCALENDAR\r\n", *lines))


def newest_change(bodies: Iterable[str]) -> str:
    """Return the newest LAST-MODIFIED of rendered events, in UTC as written; "" without any."""
    mark = "\r\nLAST-MODIFIED:"
    stamps = (body[body.index(mark) + len(mark) :][:UTC_LENGTH] for body in bodies)
    return max(stamps, default="")


def zones_text(uses: Iterable[ZoneUse]) -> str:
    """Return the VTIMEZONEs of all zones used, each once, by name."""
    spans: dict[str, tuple[date, date]] = {}
    for use in uses:
        first, last = spans.get(use.zone, (use.first_on, use.last_on))
        spans[use.zone] = (min(first, use.first_on), max(last, use.last_on))
    return "".join(
        vtimezone(zone, first=first, last=last) for zone, (first, last) in sorted(spans.items())
    )


def clean(text: str) -> str:
    """Return ``text`` without control characters; line breaks of every kind become newlines.

    RFC 5545 section 3.1 allows no control character but the tab; lone surrogates are no text.
    """
    if _UNCLEAN.search(text) is None:
        return text
    plain = text.replace("\r\n", "\n").translate(_CLEANING)
    return plain.encode("utf-8", "ignore").decode("utf-8")


def one_line(text: str) -> str:
    """Return ``text`` with every run of white space as one blank."""
    return " ".join(clean(text).split())


def escaped(text: str) -> str:
    """Return ``text`` as a TEXT value (RFC 5545 section 3.3.11)."""
    plain = clean(text).replace("\\", "\\\\")
    return plain.replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def uri(address: str) -> str:
    """Return ``address`` as a URI: what may not stand in one is percent-encoded as UTF-8."""
    return _NOT_IN_A_URI.sub(lambda match: _percent(match[0]), one_line(address))


def parameter(text: str) -> str:
    """Return ``text`` as a quoted parameter value (RFC 5545 section 3.2, RFC 6868).

    A backslash means nothing there, but some programs take it for an escape: it becomes a slash.
    """
    value = one_line(text).replace("\\", "/").replace("^", "^^").replace('"', "^'")
    return f'"{value}"'


def folded(name: str, value: str) -> str:
    """Return a content line, cut where it passes 75 octets but never inside a character."""
    line = f"{name}:{value}"
    octets = line.encode()
    if len(octets) <= LINE_OCTETS:
        return line + "\r\n"
    pieces = []
    start, room = 0, LINE_OCTETS
    while len(octets) - start > room:
        end = start + room
        while octets[end] & 0b1100_0000 == 0b1000_0000:
            end -= 1
        pieces.append(octets[start:end])
        start, room = end, LINE_OCTETS - 1
    pieces.append(octets[start:])
    return b"\r\n ".join(pieces).decode() + "\r\n"


def utc_text(instant: datetime) -> str:
    """Return an instant as a DATE-TIME in UTC, to the second (RFC 5545 section 3.3.5, form 2)."""
    moment = instant.astimezone(UTC)
    return f"{moment.year:04d}{moment:%m%dT%H%M%SZ}"  # %Y alone writes the year 1 as "1"


def _identity(event: CalendarEvent) -> Iterator[tuple[str, str]]:
    """Yield what tells one revision of an event from another."""
    changed = utc_text(event.changed_at)
    yield "UID", escaped(event.ical_uid)
    yield "DTSTAMP", changed
    yield "CREATED", utc_text(event.created_at)
    yield "LAST-MODIFIED", changed
    yield "SEQUENCE", str(event.sequence)
    yield "STATUS", _STATUS[event.state]
    if not event.takes_time:
        yield "TRANSP", "TRANSPARENT"


def _times(span: Span) -> Iterator[tuple[str, str]]:
    """Yield DTSTART and, where it lies after that, DTEND."""
    if span.is_all_day:
        yield "DTSTART;VALUE=DATE", f"{span.first_on:%Y%m%d}"
        yield "DTEND;VALUE=DATE", f"{span.last_on + timedelta(days=1):%Y%m%d}"
        return
    in_zone = span.zone not in UTC_NAMES
    named = f";TZID={span.zone}" if in_zone else ""
    for name, instant in (("DTSTART", span.starts_at), ("DTEND", span.ends_at)):
        if name == "DTEND" and instant <= span.starts_at:
            return
        # Back from the instant: a wall time that the clocks skip is written as they will show it.
        local = wall_of(instant, span.zone)
        yield name + named, f"{local:%Y%m%dT%H%M%S}" + ("" if in_zone else "Z")


def _circumstances(event: CalendarEvent, language: str) -> Iterator[tuple[str, str]]:
    """Yield where it is, what it belongs to, who holds it and where more is said."""
    if where := one_line(describe_place(event, language=language)):
        yield "LOCATION", escaped(where)
    if event.latitude is not None and event.longitude is not None:
        yield "GEO", f"{event.latitude:.6f};{event.longitude:.6f}"
    if area := one_line(event.work_area.text(language)):
        yield "CATEGORIES", escaped(area)
    common_name = parameter(event.organizer.text(language))
    yield f"ORGANIZER;CN={common_name}", uri(event.organizer_uri)
    yield "URL", uri(event.url)


def _conference(event: CalendarEvent, level: Level) -> Iterator[tuple[str, str]]:
    """Yield the address at which one takes part, which the public is not told."""
    online, _contact, _notes = disclosed(event, level)
    if online:
        yield "CONFERENCE;VALUE=URI;FEATURE=VIDEO", uri(online)


def _lines(*properties: tuple[str, str]) -> str:
    """Return content lines."""
    return "".join([folded(name, value) for name, value in properties])


def _percent(char: str) -> str:
    """Return a character as the percent-encoding of its octets (RFC 3986 section 2.1)."""
    return "".join(f"%{octet:02X}" for octet in char.encode())
