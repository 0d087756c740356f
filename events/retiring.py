"""Cancelled events of long ago leave the calendars, by a change like any other.

They stay for 400 days, as long as a sync token is good: every copy that is kept at all has by then
seen the cancellation. What calendars hold never depends on the day they are read, so it is the
clock that retires, and the log says when.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from coordination.accounts.viewer import SYSTEM
from coordination.changes.recording import recording
from events.models import Event, EventState

CANCELLED_STAY: Final = timedelta(days=400)


def retire_cancelled_events(*, at: datetime) -> int:
    """Take out of calendars what was cancelled 400 days ago or longer; return how many.

    Args:
        at: now, aware.
    """
    until = (at - CANCELLED_STAY).date()
    with recording(SYSTEM.actor, at=at) as log:
        events = list(
            Event.objects.filter(state=EventState.CANCELLED, retired=False, cancelled_on__lte=until)
            .prefetch_related("hosts", "co_hosts", "named")
            .order_by("pk")
        )
        for event in events:
            event.retired = True
        return log.update_all(events, "event.retired")
