"""When governments change clocks: the wall time stays, the instants follow the new zone data.

An event at 09:30 in Madrid stays at 09:30 there. After an update of the time zone database its
instants, and the reminders derived from them, are made again; calendars hear of it through the
change log like of any other move.
"""

from __future__ import annotations

from datetime import datetime

from coordination.accounts.viewer import SYSTEM
from coordination.changes.recording import recording
from events.models import Event
from events.zones import ZONE_DATA_VERSION


def follow_zone_data(*, at: datetime, version: str = ZONE_DATA_VERSION) -> int:
    """Derive again the instants of events to come that older zone data gave; return how many moved.

    Events whose instants stay the same are not touched.

    Args:
        at: now, aware; what has ended by then stays as it was.
        version: the zone data in use.
    """
    moved = []
    with recording(SYSTEM.actor, at=at, reason=f"tzdata {version}") as log:
        rows = Event.objects.filter(ends_at__gt=at).exclude(tzdata_version=version)
        for event in rows.prefetch_related("hosts", "co_hosts", "named").order_by("pk"):
            before = (event.starts_at, event.ends_at)
            event.set_span(event.span, tzdata_version=version)
            if (event.starts_at, event.ends_at) != before:
                event.sequence += 1
                moved.append(event)
        for event in moved:
            log.save(event, "event.rezoned")
    return len(moved)
