"""What a person's organizations owe, as tasks in their own collection.

There are few of them, and their words depend on the event as well as on the duty, so they are put
into words when they are read; the text is pure, so equal values give equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from coordination.accounts.viewer import Viewer
from coordination.calendars.caldav.objects import DUTY, HEADS, CalendarObject
from coordination.rest.preconditions import etag_of
from events.calendar_event import Words
from events.calendar_values import publisher_address, publisher_of
from events.models import Duty
from events.querysets import organizations_of
from events.vtodo import DutyValues, vtodo

_NAME: Final = re.compile(r"duty-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.ics")


def name_of_duty(uid: UUID) -> str:
    """Return the last part of a duty's address."""
    return f"duty-{uid}.ics"


def duty_name(name: str) -> UUID | None:
    """Return the uid of the duty of which this is the name; None where it is no duty's."""
    match = _NAME.fullmatch(name)
    return UUID(match[1]) if match else None


class DutyShelf:
    """The duties of the organizations that somebody acts for; empty for nobody."""

    def __init__(self, viewer: Viewer | None) -> None:
        """Read nothing yet."""
        self.viewer = viewer

    def rows(self) -> QuerySet[Duty]:
        """Return the duties, in order of their making."""
        if self.viewer is None:
            return Duty.objects.none()
        mine = Duty.objects.visible_to(self.viewer).filter(
            organization__in=organizations_of(self.viewer)
        )
        gone = Q(event__retired=True) | Q(dropped_at__isnull=False)
        return mine.exclude(Q(event__openness="secretariat") | gone).order_by("pk")

    def all(self) -> list[CalendarObject]:
        """Return all of them."""
        return self.read(self.rows())

    def named(self, names: Iterable[str]) -> list[CalendarObject]:
        """Return those of these names."""
        uids = [uid for uid in map(duty_name, names) if uid is not None]
        return self.read(self.rows().filter(uid__in=uids))

    def read(self, rows: QuerySet[Duty]) -> list[CalendarObject]:
        """Return rows of duties as calendar objects; no query for nobody."""
        if self.viewer is None:
            return []
        related = ("event__alliance", "event__plan", "organization")
        language = self.viewer.language
        return [object_of(duty, language=language) for duty in rows.select_related(*related)]


def object_of(duty: Duty, *, language: str) -> CalendarObject:
    """Return a duty as a calendar object."""
    values = values_of(duty)
    text = vtodo(values, language=language)
    return CalendarObject(
        name=name_of_duty(duty.uid),
        etag=etag_of(duty.version, (HEADS[language] + text).encode()),
        changed_at=values.changed_at,
        component=DUTY,
        language=language,
        text=text,
        time_zone=values.tzid,
        first_on=values.due_on,
        last_on=values.due_on,
        starts_at=duty.due_at,
        ends_at=duty.due_at,
        zone=values.zone,
        state=values.status,
    )


def values_of(duty: Duty) -> DutyValues:
    """Return what a calendar shows of a duty; reads its organization, event and alliance."""
    event, organization = duty.event, duty.organization
    return DutyValues(
        uid=str(duty.uid),
        kind=duty.kind,
        version=duty.version,
        created_at=duty.created_at,
        changed_at=max(duty.changed_at, event.changed_at),
        due_at=duty.due_at,
        done_at=duty.done_at,
        zone=organization.time_zone,
        organization=Words(zh=organization.name_zh, en=organization.name_en),
        event_uid=event.ical_uid,
        event_state=event.state,
        event_title=Words(zh=event.title_zh, en=event.title_en),
        event_span=event.span,
        home_zone=event.alliance.time_zone,
        organizer=publisher_of(event.alliance),
        organizer_uri=f"mailto:{publisher_address(event.alliance)}",
        url=f"{settings.COORDINATION_BASE_URL}/events/{event.uid}/",
    )
