"""Read the times of a calendar object: dates, wall times, zones, durations. Pure.

A zone must be one that the IANA database knows, by whatever name (`events.zone_aliases`): what an
event's clocks show has to stay true when governments change them. A time in UTC or without a zone
is read on the clocks of the zone in which the event stands.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from events.calendar_event import Span
from events.content_lines import Component, Property
from events.vevent import one_line
from events.zone_aliases import zone_for
from events.zones import UTC_NAMES, instant_of, wall_of

_DATE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_DATE_TIME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z?)", re.ASCII)
_DURATION: Final = re.compile(
    r"\+?P(?:(\d{1,5})W|(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?)",
    re.ASCII,
)


class Fault(StrEnum):
    """What is wrong with an object; each has a sentence where it is answered."""

    MALFORMED = "malformed"
    NOT_ONE_CALENDAR = "not_one_calendar"
    WRONG_VERSION = "wrong_version"
    METHOD = "method"
    NOT_ONE_OBJECT = "not_one_object"
    WRONG_COMPONENT = "wrong_component"
    NO_UID = "no_uid"
    LONG_UID = "long_uid"
    TWICE = "twice"
    REPEATING = "repeating"
    NO_TIME = "no_time"
    BAD_TIME = "bad_time"
    UNKNOWN_ZONE = "unknown_zone"
    BAD_PLACE = "bad_place"


class UnreadableObject(ValueError):
    """The object cannot be taken.

    Attributes:
        fault: What is wrong.
        quoted: What it is about, in the words of the text: a zone, a property, a value.
    """

    def __init__(self, fault: Fault, quoted: str = "") -> None:
        """Keep what is wrong; long quotations are cut."""
        super().__init__(fault)
        self.fault = fault
        self.quoted = one_line(quoted)[:80]


@dataclass(frozen=True, slots=True)
class Clock:
    """Reads times of one object.

    Attributes:
        zones: IANA names by TZID, from the object's VTIMEZONEs.
        home: IANA zone for times in UTC and without a zone.
    """

    zones: Mapping[str, str]
    home: str

    def wall(self, found: Property) -> tuple[datetime, str]:
        """Return a DATE-TIME as a wall time and its zone."""
        match = _DATE_TIME.fullmatch(found.raw.strip().upper())
        if match is None:
            raise UnreadableObject(Fault.BAD_TIME, found.raw)
        *numbers, zulu = match.groups()
        year, month, day, hour, minute, second = map(int, numbers)
        try:
            # A leap second counts as the one before it (RFC 5545 section 3.3.12); events are kept
            # to the minute.
            wall = datetime(year, month, day, hour, minute, min(second, 59)).replace(second=0)
        except ValueError as error:
            raise UnreadableObject(Fault.BAD_TIME, found.raw) from error
        if zulu:
            return self._at_home(wall.replace(tzinfo=UTC), found.raw)
        tzid = found.parameters.get("TZID")
        if tzid is None:
            return wall, self.home
        zone = self.zones.get(tzid.strip()) or zone_for(tzid)
        if zone is None:
            raise UnreadableObject(Fault.UNKNOWN_ZONE, tzid)
        if zone in UTC_NAMES:
            return self._at_home(wall.replace(tzinfo=UTC), found.raw)
        return wall, zone

    def day(self, found: Property) -> date:
        """Return a DATE."""
        match = _DATE.fullmatch(found.raw.strip())
        if match is None:
            raise UnreadableObject(Fault.BAD_TIME, found.raw)
        try:
            return date(*map(int, match.groups()))
        except ValueError as error:
            raise UnreadableObject(Fault.BAD_TIME, found.raw) from error

    def instant(self, found: Property) -> datetime:
        """Return the instant of a DATE-TIME, or of the beginning of a DATE."""
        if is_day(found):
            return instant_of(datetime.combine(self.day(found), time()), self.home)
        return _instant(*self.wall(found))

    def _at_home(self, instant: datetime, raw: str) -> tuple[datetime, str]:
        """Return what the clocks at home show; in UTC where they show it for the second time."""
        try:
            wall = wall_of(instant, self.home)
        except OverflowError as error:
            raise UnreadableObject(Fault.BAD_TIME, raw) from error
        if _instant(wall, self.home) == instant:
            return wall, self.home
        return instant.replace(tzinfo=None), "UTC"


def is_day(found: Property) -> bool:
    """Return whether a value is a DATE; some programs leave the parameter out."""
    return found.parameters.get("VALUE", "").upper() == "DATE" or "T" not in found.raw.upper()


def _instant(wall: datetime, zone: str) -> datetime:
    """Return the instant of a wall time, in UTC."""
    try:
        return instant_of(wall, zone)
    except OverflowError as error:
        raise UnreadableObject(Fault.BAD_TIME, f"{wall:%Y-%m-%d}") from error


def span_of(component: Component, clock: Clock) -> Span:
    """Return from when to when an event is (RFC 5545 section 3.6.1)."""
    starts = component.first("DTSTART")
    if starts is None:
        raise UnreadableObject(Fault.NO_TIME)
    ends, length = component.first("DTEND"), component.first("DURATION")
    if ends is not None and (length is not None or is_day(ends) != is_day(starts)):
        raise UnreadableObject(Fault.BAD_TIME, ends.raw)
    try:
        if is_day(starts):
            return _whole_days(starts, ends, length, clock)
        return _hours(starts, ends, length, clock)
    except OverflowError as error:
        raise UnreadableObject(Fault.BAD_TIME, starts.raw) from error


def _whole_days(
    starts: Property, ends: Property | None, length: Property | None, clock: Clock
) -> Span:
    """Return a span of dates; without an end it is one day."""
    first = clock.day(starts)
    after = first + timedelta(days=1)
    if ends is not None:
        # Some programs write the same day as the end of one whole day.
        after = max(clock.day(ends), after) if clock.day(ends) >= first else clock.day(ends)
    elif length is not None:
        after = first + timedelta(days=max(sum(_length(length), timedelta(0)).days, 1))
    midnight = time()
    return Span(
        starts=datetime.combine(first, midnight),
        ends=datetime.combine(after, midnight),
        zone=clock.home,
        is_all_day=True,
    )


def _hours(starts: Property, ends: Property | None, length: Property | None, clock: Clock) -> Span:
    """Return a span of times on the clocks of the zone in which it begins."""
    begins, zone = clock.wall(starts)
    if ends is not None:
        finishes, other = clock.wall(ends)
        if other != zone:
            finishes = wall_of(_instant(finishes, other), zone)
    elif length is not None:
        days, rest = _length(length)
        # Days are of the calendar, hours are exact (RFC 5545 section 3.3.6).
        finishes = wall_of(_instant(begins + days, zone) + rest, zone)
    else:
        finishes = begins
    return Span(starts=begins, ends=finishes, zone=zone)


def _length(found: Property) -> tuple[timedelta, timedelta]:
    """Return a DURATION as days of the calendar and the exact rest (RFC 5545 section 3.3.6)."""
    match = _DURATION.fullmatch(found.raw.strip().upper())
    if match is None or not any(match.groups()):
        raise UnreadableObject(Fault.BAD_TIME, found.raw)
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    rest = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timedelta(days=7 * weeks + days), rest
