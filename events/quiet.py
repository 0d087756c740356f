"""Quiet hours: when a message may reach a reader at all. Pure.

In order: put off to their end, if that is still early enough before the event; otherwise brought
forward to just before they begin; otherwise sent at once when it is urgent; otherwise left out,
with a note.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from events.zones import instant_of, wall_of

JUST_BEFORE: Final = timedelta(minutes=1)
AT_ONCE: Final = timedelta(minutes=1)
"""Times of rules are whole minutes: what is less late than this is not late at all."""
ONE_DAY: Final = timedelta(days=1)
LONGEST: Final = timedelta(hours=23)
"""Quiet hours are kept up to this length: a reader may ask for all but an hour of the day."""
LONGEST_OF_A_RULE: Final = timedelta(hours=14)
"""Those that a rule sets for whoever named none."""


class QuietNote(StrEnum):
    """What quiet hours did to a message."""

    NONE = ""
    PUT_OFF = "put_off"
    BROUGHT_FORWARD = "brought_forward"
    SENT_AS_URGENT = "sent_as_urgent"
    LEFT_OUT = "quiet_hours"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A span of every day by the reader's clock; it may run over midnight.

    Attributes:
        begins: first quiet minute.
        ends: first minute that is not quiet; the same as `begins` for no quiet hours at all.
    """

    begins: time
    ends: time

    @property
    def length(self) -> timedelta:
        """How long they last by the clock."""
        begins, ends = (
            timedelta(hours=at.hour, minutes=at.minute) for at in (self.begins, self.ends)
        )
        return (ends - begins) % ONE_DAY

    def around(self, at: datetime, zone: str) -> tuple[datetime, datetime] | None:
        """Return the quiet span (instants, half-open) in which `at` lies; None outside."""
        if self.begins == self.ends:
            return None
        wall = wall_of(at, zone)
        for days in (1, 0):
            first = wall.date() - days * ONE_DAY
            last = first + ONE_DAY if self.ends <= self.begins else first
            begins = instant_of(datetime.combine(first, self.begins), zone)
            ends = instant_of(datetime.combine(last, self.ends), zone)
            if begins <= at < ends:
                return begins, ends
        return None


@dataclass(frozen=True, slots=True)
class Sending:
    """When to send, and what quiet hours did.

    Attributes:
        at: instant; None when it is left out.
        note: what happened.
    """

    at: datetime | None
    note: QuietNote = QuietNote.NONE


def sending_time(
    due: datetime,
    *,
    zone: str,
    quiet: QuietHours | None,
    now: datetime,
    event_starts: datetime | None,
    min_useful: timedelta,
    is_urgent: bool,
) -> Sending:
    """Return when something that falls due is sent to a reader.

    Args:
        due: instant at which it falls due.
        zone: the reader's, an IANA name.
        quiet: the reader's quiet hours; None for none.
        now: nothing is sent before it, see `told_at`.
        event_starts: the instant before which it must arrive; None where it need not.
        min_useful: it is worth reading only this long before `event_starts`.
        is_urgent: whether it may break into quiet hours when nothing else is left.
    """
    at = told_at(due, now)
    span = quiet.around(at, zone) if quiet is not None else None
    if span is None:
        return Sending(at)
    begins, ends = span
    if event_starts is None or ends <= event_starts - min_useful:
        return Sending(ends, QuietNote.PUT_OFF)
    if begins - JUST_BEFORE >= now:
        return Sending(begins - JUST_BEFORE, QuietNote.BROUGHT_FORWARD)
    if is_urgent:
        return Sending(at, QuietNote.SENT_AS_URGENT)
    return Sending(None, QuietNote.LEFT_OUT)


def told_at(due: datetime, now: datetime) -> datetime:
    """Return when it might go out: when it falls due, or now where that was longer ago.

    The clock comes by a moment later. What falls due at eight is of eight all the same, and joins
    what its reader gets at eight in the morning.
    """
    return now if now - due >= AT_ONCE else due


def must_look_ahead(due: datetime, *, event_starts: datetime | None, min_useful: timedelta) -> bool:
    """Whether quiet hours could ask for something to go out before it falls due.

    That is when quiet hours of the greatest length might not leave enough time at their end.
    """
    if event_starts is None or due >= event_starts:
        return False
    return event_starts - due < LONGEST + min_useful
