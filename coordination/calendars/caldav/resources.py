"""Which resource stands at which address: root, principals, homes, collections, objects.

    /dav/                                   root
    /dav/principals/                        all principals (nobody is shown but oneself)
    /dav/principals/{person}/               a person
    /dav/calendars/{person}/                their calendar home
    /dav/calendars/{person}/{slug}/         an alliance's events, as the person may see them
    /dav/calendars/{person}/mine/           what their organizations host, are named in, and owe
    /dav/calendars/{person}/{slug}/{name}   one object

Every form also works without its last slash. What belongs to somebody else is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, unquote
from uuid import UUID

from django.db.models import Q, QuerySet

from alliances.models import Alliance
from coordination.accounts.viewer import Viewer
from coordination.bilingual import CHINESE, localized
from coordination.calendars.caldav.duties import DutyShelf, duty_name
from coordination.calendars.caldav.objects import (
    FULL,
    LIGHT,
    CalendarObject,
    objects_of,
    read_objects,
    variant_of,
)
from coordination.calendars.models import EventText
from coordination.calendars.selecting import Selection
from coordination.prepared import FEW, Blank, built, columns_of, few_blanks, prepared
from events import rules
from events.models import Event, EventAlliance
from events.querysets import organizations_of

ROOT: Final = "/dav/"
PRINCIPALS: Final = "/dav/principals/"
CALENDARS: Final = "/dav/calendars/"
MINE: Final = "mine"
CLASHING: Final = "mine.alliance"  # an alliance of that very name; no slug holds a full stop
PATH_LENGTH: Final = 1024  # characters


@dataclass(frozen=True, slots=True)
class Root:
    """The entry of the server."""

    viewer: Viewer
    path: str = ROOT


@dataclass(frozen=True, slots=True)
class Principals:
    """The collection of principals."""

    viewer: Viewer
    path: str = PRINCIPALS


@dataclass(frozen=True, slots=True)
class Principal:
    """The person who asks."""

    viewer: Viewer

    @property
    def path(self) -> str:
        """Its address."""
        return principal_path(self.viewer)


@dataclass(frozen=True, slots=True)
class Homes:
    """What holds the calendar homes."""

    viewer: Viewer
    path: str = CALENDARS


@dataclass(frozen=True, slots=True)
class Home:
    """The calendar home of the person who asks."""

    viewer: Viewer

    @property
    def path(self) -> str:
        """Its address."""
        return home_path(self.viewer)

    def collections(self) -> list[Collection]:
        """Return every calendar: one's own, alliances one has a part in, then the others."""
        inside = {grant.pk for grant in self.viewer.grants if grant.kind == "alliance"}
        rows = Alliance.objects.visible_to(self.viewer)
        alliances = sorted(rows, key=lambda alliance: (alliance.pk not in inside, alliance.pk))
        found = [Collection(MINE, None, self.viewer)]
        found += [Collection("alliance", alliance, self.viewer) for alliance in alliances]
        return found


@dataclass(frozen=True)
class Collection:
    """A calendar collection.

    Attributes:
        kind: "alliance" or "mine".
        alliance: whose events; None for one's own.
        viewer: who reads it.
    """

    kind: str
    alliance: Alliance | None
    viewer: Viewer

    @property
    def name(self) -> str:
        """The last part of its address."""
        if self.alliance is None:
            return MINE
        return self.alliance.slug if self.alliance.slug != MINE else CLASHING

    @property
    def path(self) -> str:
        """Its address."""
        return f"{home_path(self.viewer)}{self.name}/"

    @property
    def language(self) -> str:
        """The language of its texts."""
        return self.viewer.language

    @property
    def title(self) -> str:
        """What it is called unless the person calls it something else."""
        if self.alliance is not None:
            return localized(self.alliance, "name", self.language)
        return "我的活动" if self.language == CHINESE else "My events"

    @property
    def description(self) -> str:
        """What is in it, in a sentence."""
        if self.alliance is None:
            if self.language == CHINESE:
                return "本单位主办、参加的活动，以及本单位应办的任务。"
            return "Events that your organizations host or take part in, and what they owe."
        if self.language == CHINESE:
            return f"{self.title}的活动。"
        return f"Events of {self.title}."

    @property
    def time_zone(self) -> str:
        """The zone in which its people think."""
        return self.alliance.time_zone if self.alliance is not None else self.viewer.time_zone

    @property
    def components(self) -> tuple[str, ...]:
        """The kinds of components it holds."""
        return ("VEVENT", "VTODO") if self.alliance is None else ("VEVENT",)

    @cached_property
    def may_write(self) -> bool:
        """Whether objects may be put and deleted: by the secretariat, in its own alliance."""
        if self.alliance is None or not self.viewer.may_use("events", "write"):
            return False
        return rules.may_draft_event(self.viewer, self.alliance)

    @cached_property
    def may_tick(self) -> bool:
        """Whether tasks in it may be ticked off: in one's own, by liaison officers."""
        if self.alliance is not None or not self.viewer.may_use("events", "write"):
            return False
        return bool(self.viewer.pks("liaison", "organization"))

    @property
    def selection(self) -> Selection:
        """The events in it, as the sync core knows them."""
        if self.alliance is None:
            return Selection.mine()
        return Selection.of_alliance(self.alliance.slug, key=self.alliance.pk)

    @property
    def variant(self) -> str:
        """What a copy of it depends on besides the events."""
        return variant_of(self.language)

    def texts(self) -> QuerySet[EventText]:
        """Return the texts of its events that the viewer may read, in no order."""
        return _texts(self.viewer, self.key)

    @property
    def key(self) -> int | None:
        """The alliance's key; None for one's own."""
        return None if self.alliance is None else self.alliance.pk

    @property
    def duties(self) -> DutyShelf:
        """What the viewer's organizations owe; empty but in one's own collection."""
        return DutyShelf(self.viewer if self.alliance is None else None)

    def object_named(self, name: str) -> CalendarObject | None:
        """Return the object of a name; None where there is none for this viewer."""
        return next(iter(self.objects_named([name]).values()), None)

    def objects_named(self, names: Iterable[str]) -> dict[str, CalendarObject]:
        """Return the objects of these names, as far as there are any."""
        wanted = set(names)
        found: dict[str, CalendarObject] = {}
        events = [name for name in wanted if duty_name(name) is None]
        if len(events) == 1:
            few = _texts_of_a_name(self.viewer, self.key).rows(events[0])
            found |= {item.name: item for item in objects_of(few, self.language)}
        elif events:
            rows = self.texts().filter(event__dav_name__in=events)
            found |= {item.name: item for item in read_objects(rows, self.language, full=True)}
        if len(events) < len(wanted):
            found |= {item.name: item for item in self.duties.named(wanted)}
        return found

    def listed(self, *, full: bool = False) -> list[CalendarObject]:
        """Return every object, in the order in which events were made, then duties."""
        rows = self.texts().order_by("event_id")
        return [*read_objects(rows, self.language, full=full), *self.duties.all()]

    def of_events(self, uids: Sequence[UUID], *, full: bool) -> dict[UUID, CalendarObject]:
        """Return the objects of these events by uid, as far as the viewer may see them."""
        if len(uids) <= FEW:
            rows = _texts_of_few(self.viewer, self.key, full=full).rows(*uids)
        else:
            texts = self.texts().filter(event__uid__in=uids).order_by("event_id")
            rows = list(map(list, texts.values_list("event__uid", *(FULL if full else LIGHT))))
        items = objects_of((columns for _uid, *columns in rows), self.language)
        return dict(zip((uid for uid, *_columns in rows), items, strict=True))


@dataclass(frozen=True, slots=True)
class Member:
    """The address of an object, whether there is one or not."""

    collection: Collection
    name: str

    @property
    def viewer(self) -> Viewer:
        """Who asks."""
        return self.collection.viewer

    @property
    def path(self) -> str:
        """Its address."""
        return object_path(self.collection, self.name)


AnyResource = Root | Principals | Principal | Homes | Home | Collection | Member


def principal_path(viewer: Viewer) -> str:
    """Return the address of the person who asks."""
    return f"{PRINCIPALS}{viewer.uid}/"


def home_path(viewer: Viewer) -> str:
    """Return the address of their calendar home."""
    return f"{CALENDARS}{viewer.uid}/"


def object_path(collection: Collection, name: str) -> str:
    """Return the address of an object."""
    return f"{collection.path}{quoted(name)}"


def quoted(name: str) -> str:
    """Return an object's name as part of an address; an @ stays one, as clients write it."""
    return quote(name, safe="@")


def resource_at(path: str, viewer: Viewer) -> AnyResource | None:
    """Return what stands at a decoded path; None for nothing, or nothing for this viewer."""
    if len(path) > PATH_LENGTH or not path.startswith(ROOT) or "\x00" in path:
        return Root(viewer) if path == ROOT.rstrip("/") else None
    parts = path[len(ROOT) :].split("/")
    if parts[-1] == "":
        parts.pop()
    match parts:
        case []:
            return Root(viewer)
        case ["principals"]:
            return Principals(viewer)
        case ["principals", person]:
            return Principal(viewer) if person == str(viewer.uid) else None
        case ["calendars"]:
            return Homes(viewer)
        case ["calendars", person, *rest] if person == str(viewer.uid):
            return _in_home(rest, viewer)
    return None


def path_of_href(text: str, host: str) -> str | None:
    """Return the decoded path that a DAV:href means; None where it points elsewhere.

    Args:
        text: a path, or an absolute address of this server (RFC 4918 section 8.3).
        host: as in the request's Host header.
    """
    address = text.strip()
    for scheme in ("http://", "https://"):
        if address.lower().startswith(scheme):
            authority, slash, rest = address[len(scheme) :].partition("/")
            if authority.lower() != host.lower():
                return None
            address = slash + rest
    if not address.startswith("/") or "?" in address or "#" in address:
        return None
    return unquote(address)


def _in_home(parts: Sequence[str], viewer: Viewer) -> AnyResource | None:
    """Return what stands at a path below the viewer's home."""
    if not parts:
        return Home(viewer)
    collection = collection_named(parts[0], viewer)
    if collection is None or len(parts) == 1:
        return collection
    name = parts[1]
    return Member(collection, name) if len(parts) == 2 and name else None


def collection_named(name: str, viewer: Viewer) -> Collection | None:
    """Return the viewer's collection of a name, or None."""
    if name == MINE:
        return Collection(MINE, None, viewer)
    slug = MINE if name == CLASHING else name
    found = _alliances_named(viewer).rows(slug)
    return Collection("alliance", built(Alliance, found[0]), viewer) if found else None


@prepared
def _alliances_named(viewer: Viewer) -> QuerySet[Alliance, Any]:
    slug = Blank(0, Alliance, "slug")
    rows = Alliance.objects.visible_to(viewer).filter(slug=slug).order_by()
    return rows.values_list(*columns_of(Alliance))


def _texts(viewer: Viewer, alliance: int | None) -> QuerySet[EventText]:
    """Return the texts of an alliance's events, or of one's own, that a viewer may read."""
    texts: QuerySet[EventText] = EventText.objects.for_viewer(viewer, viewer.language)
    if alliance is None:
        events = Event.objects.concerning_organizations(organizations_of(viewer))
        return texts.filter(event__in=events.values("pk"))
    co_hosted = EventAlliance.objects.filter(alliance=alliance).values("event")
    return texts.filter(Q(event__alliance=alliance) | Q(event__in=co_hosted))


@prepared
def _texts_of_a_name(viewer: Viewer, alliance: int | None) -> QuerySet[EventText, Any]:
    name = Blank(0, Event, "dav_name")
    return _texts(viewer, alliance).filter(event__dav_name=name).values_list(*FULL)


@prepared
def _texts_of_few(viewer: Viewer, alliance: int | None, *, full: bool) -> QuerySet[EventText, Any]:
    uids = few_blanks(Event, "uid")
    rows = _texts(viewer, alliance).filter(event__uid__in=uids).order_by("event_id")
    return rows.values_list("event__uid", *(FULL if full else LIGHT))
