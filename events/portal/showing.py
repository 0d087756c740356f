"""Events as lines of a page: when, what, where, in which state, all in the reader's words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from coordination.bilingual import localized
from coordination.pages.wording import (
    clock_in_words,
    days_in_words,
    window_in_words,
)
from events.models import Event, EventAlliance, EventState
from events.models.spans import LONGEST

LATE = "late"
"""Shown in place of a state: the planned window has passed and there is no date."""

MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event as lists, boards and months show it.

    Attributes:
        first: First day on the reader's calendar (the window's where no time is agreed), or None.
        last: Last day, included.
        when: Day and clock time in the reader's zone, or the window, in words.
        clock: "09:30", or "" for all-day events and for windows.
        area: Number of the work area's colour, 0 without one.
        state: The state, or "late".
        has_time: A time is agreed.
    """

    uid: UUID
    address: str
    title: str
    first: date | None
    last: date | None
    when: str
    clock: str
    area: int
    area_name: str
    state: str
    state_words: str
    has_time: bool
    place: str
    alliance: str
    reason: str

    @property
    def label(self) -> str:
        """The whole line for readers who hear it."""
        return " · ".join(part for part in (self.when, self.title, self.state_words) if part)


def with_line_relations(events: QuerySet[Event]) -> QuerySet[Event]:
    """Fetch what lines show in the same query."""
    return events.select_related("alliance", "work_area")


def held_in(*alliances: Any) -> Q:
    """Return the condition for events that one of the alliances owns or co-hosts.

    It asks by subquery, so that a list need not make its rows distinct, which would read them all.

    Args:
        alliances: Alliances or their keys.
    """
    co_hosted = EventAlliance.objects.filter(alliance__in=alliances).values("event")
    return Q(alliance__in=alliances) | Q(pk__in=co_hosted)


def not_over(at: datetime) -> Q:
    """Return the condition for events that end after an instant.

    No event lasts longer than `LONGEST`, so those that began before that need not be looked at.
    """
    return Q(ends_at__gt=at, starts_at__gt=at - LONGEST)


def late_on(today: date) -> Q:
    """Return the condition for events whose window passed before `today` without a date."""
    return Q(
        state__in=[EventState.PLANNED, EventState.POSTPONED],
        starts_at__isnull=True,
        window_ends_on__lt=today,
    )


def event_lines(
    events: Iterable[Event], *, language: str, zone: str, today: date
) -> list[EventLine]:
    """Return events as lines.

    Args:
        events: Events with `alliance` and `work_area` fetched.
        language: "zh-hans" or "en".
        zone: IANA name of the reader's zone; it decides on which day an event lies.
        today: Today in the reader's zone.
    """
    reader = ZoneInfo(zone)
    return [_line(event, language, reader, today) for event in events]


def reader_days(event: Event, reader: ZoneInfo) -> tuple[date | None, date | None]:
    """Return the first and last day of an event on the reader's calendar, or of its window."""
    if event.starts_at is None or event.ends_at is None:
        return event.window_starts_on, event.window_ends_on
    if event.all_day and event.starts_wall is not None and event.ends_wall is not None:
        return event.starts_wall.date(), _last_day(event.starts_wall, event.ends_wall)
    starts, ends = event.starts_at.astimezone(reader), event.ends_at.astimezone(reader)
    return starts.date(), _last_day(starts, ends)


def own_days(event: Event) -> tuple[date | None, date | None]:
    """Return the first and last day of an event in its own zone, or of its window."""
    if event.starts_wall is None or event.ends_wall is None:
        return event.window_starts_on, event.window_ends_on
    return event.starts_wall.date(), _last_day(event.starts_wall, event.ends_wall)


def is_late(event: Event, today: date) -> bool:
    """Return whether the planned window passed without a date."""
    return (
        event.state in (EventState.PLANNED, EventState.POSTPONED)
        and event.starts_at is None
        and event.window_ends_on is not None
        and event.window_ends_on < today
    )


def _line(event: Event, language: str, reader: ZoneInfo, today: date) -> EventLine:
    first, last = reader_days(event, reader)
    clock = ""
    if event.starts_at is not None and not event.all_day:
        clock = clock_in_words(event.starts_at.astimezone(reader))
    late = is_late(event, today)
    return EventLine(
        uid=event.uid,
        address=reverse("events:detail", args=[event.uid]),
        title=localized(event, "title", language),
        first=first,
        last=last,
        when=_when(event, first, last, clock, language),
        clock=clock,
        area=event.work_area.color if event.work_area else 0,
        area_name=localized(event.work_area, "name", language) if event.work_area else "",
        state=LATE if late else event.state,
        state_words=_("late, no date") if late else str(event.get_state_display()),
        has_time=event.starts_at is not None,
        place=localized(event, "place", language),
        alliance=localized(event.alliance, "short_name", language)
        or localized(event.alliance, "name", language),
        reason=event.reason,
    )


def _when(event: Event, first: date | None, last: date | None, clock: str, language: str) -> str:
    if event.starts_at is not None and first is not None and last is not None:
        days = days_in_words(first, last, language=language)
        return f"{days} {clock}" if clock and first == last else days
    if event.state == EventState.POSTPONED:
        return _("date to be set")
    return window_in_words(
        first,
        last,
        precision=event.window_precision,
        language=language,
        written=event.window_text,
    )


def _last_day(starts: datetime, ends: datetime) -> date:
    """Return the last day of a half-open stretch; an end at midnight is not that day."""
    if ends.time() == MIDNIGHT:
        return max(starts.date(), ends.date() - timedelta(days=1))
    return max(starts.date(), ends.date())
