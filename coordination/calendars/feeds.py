"""What stands in an alliance's public feed.

A feed holds the events that the alliance owns and those it co-hosts, as far as they are open to
everyone and have a time. Nothing in it depends on the day on which it is read: a cancelled event
leaves it by a change of its own, after 400 days.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q, QuerySet

from alliances.models import Alliance, AllianceKind
from coordination.bilingual import CHINESE, localized
from coordination.calendars.models import EventText
from events.calendar_event import Level
from events.models import EventAlliance
from events.vevent import (
    CALENDAR_TAIL,
    CalendarHead,
    ZoneUse,
    calendar_head,
    newest_change,
    zones_text,
)

REFRESH = timedelta(hours=1)
FIRST_YEAR, LAST_YEAR = 1990, 2200
COLORS = {  # CSS3 names, as RFC 7986 section 5.9 asks
    AllianceKind.HIGH_TECH_ZONE: "steelblue",
    AllianceKind.CITY: "teal",
    AllianceKind.OTHER: "slateblue",
}


class FeedAddress(NamedTuple):
    """Which public feed: of which alliance, of which year (None for all), in which language."""

    slug: str
    year: int | None
    language: str

    @property
    def path(self) -> str:
        """Its path and query below the installation's address; Chinese needs no query."""
        name = f"{self.slug}/{self.year}" if self.year else self.slug
        query = "" if self.language == CHINESE else f"?lang={self.language}"
        return f"/calendars/alliances/{name}.ics{query}"

    @property
    def file_name(self) -> str:
        """The name under which a browser keeps it."""
        return f"{self.slug}-{self.year}.ics" if self.year else f"{self.slug}.ics"


def compile_feed(alliance: Alliance, address: FeedAddress) -> str:
    """Return the whole feed as text, by one query."""
    bodies: list[str] = []
    uses: list[ZoneUse] = []
    rows = _texts(alliance, address).values_list("body", "time_zone", "first_on", "last_on")
    for body, zone, first_on, last_on in rows.iterator():
        bodies.append(body)
        if zone:
            uses.append(ZoneUse(zone=zone, first_on=first_on, last_on=last_on))
    if not bodies:  # RFC 5545 section 3.6: a calendar holds at least one component
        begun = alliance.created_at.date()
        uses.append(ZoneUse(zone=alliance.time_zone, first_on=begun, last_on=begun))
    head = calendar_head(_head(alliance, address, changed=newest_change(bodies)))
    return "".join((head, zones_text(uses), *bodies, CALENDAR_TAIL))


def _texts(alliance: Alliance, address: FeedAddress) -> QuerySet[EventText]:
    """Return the texts of a feed, in the order in which the events were made."""
    co_hosted = EventAlliance.objects.filter(alliance=alliance.pk).values("event")
    texts = EventText.objects.filter(
        Q(event__alliance=alliance.pk) | Q(event__in=co_hosted),
        language=address.language,
        level=Level.PUBLIC,
    )
    if address.year is not None:
        texts = texts.filter(
            first_on__lte=date(address.year, 12, 31), last_on__gte=date(address.year, 1, 1)
        )
    return texts.order_by("event_id")


def _head(alliance: Alliance, address: FeedAddress, *, changed: str) -> CalendarHead:
    """Return what the calendar says of itself."""
    name = localized(alliance, "name", address.language)
    chinese = address.language == CHINESE
    if address.year is not None:
        year = f"{address.year}年" if chinese else f" {address.year}"
        name = f"{name}{year}"
    base = settings.COORDINATION_BASE_URL
    return CalendarHead(
        name=name,
        description=f"{name}公开活动" if chinese else f"Public events of {name}",
        zone=alliance.time_zone,
        language=address.language,
        color=COLORS[AllianceKind(alliance.kind)],
        refresh=REFRESH,
        source=f"{base}{address.path}",
        url=f"{base}/alliances/{alliance.slug}/",
        changed=changed,
    )
