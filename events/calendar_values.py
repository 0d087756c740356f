"""Take what calendars show of an event from its rows, for whoever writes it in a format.

One place for all formats: a feed, an object over CalDAV, a JSCalendar object and a mail cannot
disagree about what an event is called, when it is, and who publishes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from email.utils import parseaddr
from functools import cache

from django.conf import settings

from alliances.models import Alliance
from events.calendar_event import CalendarEvent, Span, Words
from events.models import Event, EventState


def calendar_event(event: Event) -> CalendarEvent:
    """Return what calendars show of an event.

    Reads its alliance, plan, work area, hosts and their organizations: fetch them with it.
    """
    area = event.work_area
    return CalendarEvent(
        ical_uid=event.ical_uid,
        sequence=event.sequence,
        created_at=event.created_at,
        changed_at=event.changed_at,
        state=event.state,
        span=event.span,
        previous=event.previous_span,
        reason=event.reason,
        title=Words(zh=event.title_zh, en=event.title_en),
        description=Words(zh=event.description_zh, en=event.description_en),
        type_text=event.type_text,
        format=event.format,
        place=Words(zh=event.place_zh, en=event.place_en),
        address=event.address,
        latitude=event.latitude,
        longitude=event.longitude,
        work_area=Words(zh=area.name_zh, en=area.name_en) if area is not None else Words(),
        hosts=tuple(_host_names(event)),
        organizer=publisher_of(event.alliance),
        organizer_uri=f"mailto:{publisher_address(event.alliance)}",
        home_zone=event.alliance.time_zone,
        plan_uid=str(event.plan.uid) if event.plan is not None else "",
        url=f"{settings.COORDINATION_BASE_URL}/events/{event.uid}/",
        online_url=event.online_url,
        contact=event.contact,
        notes=event.notes,
    )


def with_window(values: CalendarEvent, event: Event) -> CalendarEvent:
    """Return the values of a planned event with its window as whole days; others as they are.

    Such a span takes nobody's time: the words and the state say that the time is not set.
    """
    first, last = event.window_starts_on, event.window_ends_on
    if event.state != EventState.PLANNED or first is None or last is None:
        return values
    window = Span(
        starts=datetime.combine(first, time()),
        ends=datetime.combine(last + timedelta(days=1), time()),
        zone=event.time_zone,
        is_all_day=True,
    )
    return replace(values, span=window)


def publisher_of(alliance: Alliance) -> Words:
    """Return the name of the alliance's secretariat, who publishes its calendar."""
    zh = f"{alliance.name_zh}秘书处" if alliance.name_zh else ""
    en = f"{alliance.name_en} Secretariat" if alliance.name_en else ""
    return Words(zh=zh, en=en)


def publisher_address(alliance: Alliance | None = None) -> str:
    """Return the secretariat's public address, or the one that the installation writes from."""
    own = alliance.email if alliance is not None else ""
    return own or _bare(settings.DEFAULT_FROM_EMAIL)


@cache
def _bare(sender: str) -> str:
    """Return the address in the value of a From field."""
    return parseaddr(sender)[1]


def _host_names(event: Event) -> Iterator[Words]:
    """Yield the hosts' names in order: the organization's, else as written."""
    for host in event.part_rows("hosts"):
        organization = host.organization
        if organization is None:
            yield Words(zh=host.name)
        else:
            yield Words(zh=organization.name_zh, en=organization.name_en)
