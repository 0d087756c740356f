"""free-busy-query (RFC 4791 section 7.10): when people are busy, of what the viewer may see."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element

from django.http import HttpResponse

from coordination.calendars.caldav.filters import TimeRange, invalid_filter, read_range
from coordination.calendars.caldav.objects import HEADS
from coordination.calendars.caldav.properties import Asking
from coordination.calendars.caldav.querying import events_in, span_of
from coordination.calendars.caldav.resources import Collection
from coordination.calendars.caldav.xml import CALDAV, name
from events.models import EventState
from events.vevent import CALENDAR_TAIL, folded, utc_text

KINDS: Final = {
    EventState.CONFIRMED: "BUSY",
    EventState.HELD: "BUSY",
    EventState.SCHEDULED: "BUSY-TENTATIVE",
    EventState.POSTPONED: "BUSY-TENTATIVE",
}
"""Cancelled events take nobody's time, nor does a postponed one without a new date."""


def answer_free_busy(collection: Collection, root: Element, asking: Asking) -> HttpResponse:
    """Answer a free-busy-query with a VFREEBUSY.

    Raises:
        Refused: 403 valid-filter, there is no range of time or it is not right.
    """
    found = root.find(name(CALDAV, "time-range"))
    if found is None or found.get("start") is None or found.get("end") is None:
        raise invalid_filter()
    wanted = read_range(found)
    lines = [
        ("DTSTAMP", utc_text(asking.at)),
        ("UID", f"free-busy-{collection.name}-{found.get('start')}-{found.get('end')}"),
        ("DTSTART", utc_text(wanted.since)),
        ("DTEND", utc_text(wanted.until)),
    ]
    for kind, spans in busy_spans(collection, wanted).items():
        lines += [
            (f"FREEBUSY;FBTYPE={kind}", f"{utc_text(starts)}/{utc_text(ends)}")
            for starts, ends in spans
        ]
    text = "".join(folded(key, value) for key, value in lines)
    body = f"{HEADS[collection.language]}BEGIN:VFREEBUSY\r\n{text}END:VFREEBUSY\r\n{CALENDAR_TAIL}"
    return HttpResponse(body.encode(), content_type="text/calendar; charset=utf-8")


def busy_spans(
    collection: Collection, wanted: TimeRange
) -> dict[str, list[tuple[datetime, datetime]]]:
    """Return the busy times within a range by kind, those that touch joined; UTC."""
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    for item in events_in(collection, wanted):
        kind, span = KINDS.get(EventState(item.state)), span_of(item, "")
        if kind is not None and span is not None:
            starts = max(span.since, wanted.since).astimezone(UTC)
            ends = min(span.until, wanted.until).astimezone(UTC)
            found.setdefault(kind, []).append((starts, ends))
    return {kind: _joined(spans) for kind, spans in sorted(found.items())}


def _joined(spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    joined: list[tuple[datetime, datetime]] = []
    for starts, ends in sorted(spans):
        if joined and starts <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
        else:
            joined.append((starts, ends))
    return joined
