"""When a reminder falls due: signed ISO 8601 durations from a wall time. Pure.

Days and weeks are nominal: the same time of day, in the event's zone. Hours, minutes and seconds
are exact (RFC 5545 section 3.3.6). Subtracting days from UTC instead is wrong across a change of
the clocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from events.zones import instant_of

_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<weeks>[0-9]{1,3})W)?(?:(?P<days>[0-9]{1,4})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,4})H)?(?:(?P<minutes>[0-9]{1,5})M)?)?"
)


class NotAnOffset(ValueError):
    """The text is not a signed ISO 8601 duration of weeks, days, hours and minutes."""


@dataclass(frozen=True, slots=True)
class Offset:
    """A signed distance: nominal days, then exact minutes."""

    days: int
    minutes: int


def read_offset(text: str) -> Offset:
    """Read "-P7D", "-P1DT2H", "-PT90M", "P1D".

    Raises:
        NotAnOffset: it is written otherwise, or longer than two years.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match[name] for name in ("weeks", "days", "hours", "minutes")):
        raise NotAnOffset(text)
    sign = -1 if match["sign"] == "-" else 1
    days = int(match["weeks"] or 0) * 7 + int(match["days"] or 0)
    minutes = int(match["hours"] or 0) * 60 + int(match["minutes"] or 0)
    if days + minutes / 1440 > 731:
        raise NotAnOffset(text)
    return Offset(sign * days, sign * minutes)


def due_at(wall: datetime, zone: str, offset: Offset, *, at_time: time | None = None) -> datetime:
    """Return the instant (UTC) that lies `offset` from a wall time.

    Args:
        wall: naive time in `zone` from which the offset counts.
        zone: IANA name.
        offset: distance; its days are counted on the calendar, its minutes on the clock.
        at_time: time of day to which the day is set before the minutes count, or None.
    """
    day = wall + timedelta(days=offset.days)
    if at_time is not None:
        day = datetime.combine(day.date(), at_time)
    return instant_of(day, zone) + timedelta(minutes=offset.minutes)
