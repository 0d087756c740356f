"""What stands in a private link's calendar: what its owner may see now, as they want to see it.

The events are those of its filters, each in the text of the owner's own level. A plan line without
a date is not a text that is stored, because few ask for it: its planned period is rendered when
the calendar is compiled, from the event's row and nothing else, so the bytes are stable too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta

from django.conf import settings

from coordination.accounts.viewer import PUBLIC, Viewer, scopes_of
from coordination.bilingual import CHINESE
from coordination.calendars.dressing import dress
from coordination.calendars.feeds import REFRESH
from coordination.calendars.models import EventText, FeedLink
from coordination.calendars.selecting import Selection
from events.calendar_event import Level, Span
from events.calendar_values import calendar_event
from events.models import Event, EventState
from events.vevent import (
    CALENDAR_TAIL,
    CalendarHead,
    ZoneUse,
    calendar_head,
    newest_change,
    vevent,
    zones_text,
)

COLOR = "darkslateblue"  # a CSS3 name, as RFC 7986 section 5.9 asks


def selection_of(link: FeedLink) -> Selection:
    """Return the filters of a link; they were taken when it was made."""
    return Selection.parse(link.parameters)


def compile_link(link: FeedLink, viewer: Viewer) -> str:
    """Return the whole calendar of a link as text.

    Args:
        link: what is wanted.
        viewer: its owner, with the rights held now.
    """
    selection = selection_of(link)
    bodies: list[str] = []
    uses: list[ZoneUse] = []
    events = selection.rows(viewer).values("pk")
    texts = EventText.objects.for_viewer(viewer, link.language).filter(event__in=events)
    rows = texts.order_by("event_id").values_list("body", "time_zone", "first_on", "last_on")
    dressed = bool(link.days_only or link.alarms)
    for body, zone, first_on, last_on in rows.iterator():
        if dressed:
            days = (first_on, last_on) if link.days_only else None
            body = dress(body, days=days, alarms=link.alarms)
        bodies.append(body)
        if zone and not link.days_only:
            uses.append(ZoneUse(zone=zone, first_on=first_on, last_on=last_on))
    if link.with_windows:
        bodies.extend(_windows(selection, viewer, link.language))
    if not bodies:  # RFC 5545 section 3.6: a calendar holds at least one component
        begun = link.created_at.date()
        uses.append(ZoneUse(zone=viewer.time_zone, first_on=begun, last_on=begun))
    head = calendar_head(_head(link, viewer, changed=newest_change(bodies)))
    return "".join((head, zones_text(uses), *bodies, CALENDAR_TAIL))


def _windows(selection: Selection, viewer: Viewer, language: str) -> Iterator[str]:
    """Yield the plan lines without a date, each as whole days over its planned period."""
    planned = selection.rows(viewer).filter(
        state=EventState.PLANNED,
        retired=False,
        window_starts_on__isnull=False,
        window_ends_on__isnull=False,
    )
    events = planned.select_related("alliance", "work_area").prefetch_related("hosts__organization")
    held = set(scopes_of(viewer)) - set(scopes_of(PUBLIC))
    staffed = viewer.pks("secretariat", "alliance")
    for event in events.order_by("pk"):
        level = Level.MEMBER if held & set(event.concerns.split()) else Level.PUBLIC
        if viewer.is_unlimited or event.alliance_id in staffed:
            level = Level.SECRETARIAT
        values = replace(calendar_event(event), span=_window_of(event))
        yield vevent(values, language=language, level=level)


def _window_of(event: Event) -> Span:
    """Return the planned period as whole days; its last day is included."""
    assert event.window_starts_on is not None
    assert event.window_ends_on is not None
    return Span(
        starts=datetime.combine(event.window_starts_on, time()),
        ends=datetime.combine(event.window_ends_on, time()) + timedelta(days=1),
        zone=event.time_zone,
        is_all_day=True,
    )


def _head(link: FeedLink, viewer: Viewer, *, changed: str) -> CalendarHead:
    """Return what the calendar says of itself, without its address: a copy would give it away."""
    base = settings.COORDINATION_BASE_URL
    made_for = "私人订阅，请勿转发。" if link.language == CHINESE else "A private subscription."
    return CalendarHead(
        name=link.name,
        description=made_for,
        zone=viewer.time_zone,
        language=link.language,
        color=COLOR,
        refresh=REFRESH,
        source="",
        url=f"{base}/connect/",
        changed=changed,
    )
