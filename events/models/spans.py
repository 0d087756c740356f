"""Which times an event can have."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

from coordination.changes.checking import FIRST_YEAR, LAST_YEAR, OUT_OF_RANGE
from coordination.changes.refusals import InvalidInput, invalid
from events.calendar_event import Span
from events.zones import wall_of, zone_names

LONGEST: Final = timedelta(days=370)


def possible(span: Span) -> Span:
    """Return the span to the minute, if an event can be then.

    Raises:
        InvalidInput: it ends before it starts, lasts more than a year, lies out of reach of
            calendars, or its zone is not known.
    """
    span = _to_the_minute(span)
    if span.ends_at <= span.starts_at:
        if span.starts < span.ends:
            raise _skipped_by_the_clocks(span)
        raise invalid("ends_at", _("The end must be after the beginning."))
    if span.ends_at - span.starts_at > LONGEST:
        raise invalid("ends_at", _("An event lasts at most a year."))
    return span


def _skipped_by_the_clocks(span: Span) -> InvalidInput:
    """Return the refusal of a beginning that no clock shows, read as a time after the end."""
    sentence = _(
        "On %(day)s the clocks of %(zone)s go forward and never show %(skipped)s; it is read as "
        "%(read)s, and the end must be after that. Choose another beginning or a later end."
    )
    values = {
        "day": f"{span.starts:%Y-%m-%d}",
        "zone": span.zone,
        "skipped": f"{span.starts:%H:%M}",
        "read": f"{wall_of(span.starts_at, span.zone):%H:%M}",
    }
    return invalid("starts_at", sentence % values, code="skipped_time")


def _to_the_minute(span: Span) -> Span:
    """Return the span without seconds, which are not kept.

    Raises:
        InvalidInput: no instant can be told for it.
    """
    for field, wall in (("starts_at", span.starts), ("ends_at", span.ends)):
        if not FIRST_YEAR <= wall.year <= LAST_YEAR:
            raise invalid(field, OUT_OF_RANGE, code="date_out_of_range")
    if span.zone not in zone_names():
        raise invalid("time_zone", _("There is no such time zone."), code="time_zone")
    starts, ends = (wall.replace(second=0, microsecond=0) for wall in (span.starts, span.ends))
    return replace(span, starts=starts, ends=ends)
