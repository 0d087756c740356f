"""When a reader wants to be told: quiet hours and windows, arithmetic over instants; pure.

Both are read on the reader's clock. A wall time that a clock change skips is taken with the offset
before it, one that comes twice is taken the first time (RFC 5545 section 3.3.5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

QUARTER: Final = timedelta(minutes=15)
MORNING: Final = time(8, 0)
MONDAY: Final = 0
_WINDOW: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ")
LEAST_USEFUL: Final = timedelta(hours=1)
"""News that comes later than so long before the event begins is of no use to anybody."""


@dataclass(frozen=True, slots=True)
class Later:
    """That a message waits.

    Attributes:
        at: until when; aware, UTC.
        word: names the window: what waits for the same one goes out together.
    """

    at: datetime
    word: str


def is_window(word: str) -> bool:
    """Whether a digest is a window of its reader's, the word of a `Later`."""
    return _WINDOW.fullmatch(word) is not None


def window_end(at: datetime, *, digest: str, zone: str) -> datetime:
    """Return the end of the window in which an instant lies.

    Args:
        at: aware instant; a window includes its beginning and not its end, but what falls due
            in the very moment of a morning goes out that morning.
        digest: "at_once", "quarter_hour", "morning" or "weekly".
        zone: IANA name of the reader's zone.
    """
    if digest == "quarter_hour":
        begun = datetime.fromtimestamp(at.timestamp() // 900 * 900, UTC)
        return begun + QUARTER
    if digest not in ("morning", "weekly"):
        return at
    day = at.astimezone(ZoneInfo(zone)).date()
    while True:
        morning = _instant(datetime.combine(day, MORNING), zone)
        if morning >= at and (digest == "morning" or day.weekday() == MONDAY):
            return morning
        day += timedelta(days=1)


def quiet_end(
    at: datetime, *, quiet_from: time | None, quiet_until: time | None, zone: str
) -> datetime:
    """Return the end of the quiet hours in which an instant lies; the instant itself outside.

    Args:
        at: aware instant.
        quiet_from: wall time at which they begin; None for no quiet hours.
        quiet_until: wall time at which they end, itself not quiet; earlier than the beginning,
            they reach over midnight.
        zone: IANA name of the reader's zone.
    """
    if quiet_from is None or quiet_until is None or quiet_from == quiet_until:
        return at
    here = at.astimezone(ZoneInfo(zone))
    now = here.time()
    over_midnight = quiet_from > quiet_until
    if over_midnight:
        is_quiet = now >= quiet_from or now < quiet_until
    else:
        is_quiet = quiet_from <= now < quiet_until
    if not is_quiet:
        return at
    day = here.date()
    if over_midnight and now >= quiet_from:
        day += timedelta(days=1)
    return max(_instant(datetime.combine(day, quiet_until), zone), at)


def put_off(
    due: datetime,
    *,
    at: datetime,
    digest: str,
    quiet_from: time | None,
    quiet_until: time | None,
    zone: str,
) -> Later | None:
    """Return until when a message waits, or None when it goes out now.

    Args:
        due: when it might have gone out.
        at: now; not before `due`.
        digest: see `window_end`.
        quiet_from: see `quiet_end`.
        quiet_until: see `quiet_end`.
        zone: IANA name of the reader's zone.
    """
    end = max(window_end(due, digest=digest, zone=zone), at)
    moment = quiet_end(end, quiet_from=quiet_from, quiet_until=quiet_until, zone=zone)
    if moment <= at:
        return None
    return Later(moment.astimezone(UTC), f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}Z")


def is_in_time(later: datetime, *, expires_at: datetime | None) -> bool:
    """Whether a message that waits until then still comes early enough to be of use."""
    return expires_at is None or later <= expires_at - LEAST_USEFUL


def _instant(wall: datetime, zone: str) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
