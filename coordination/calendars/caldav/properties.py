"""Live properties: what each resource says of itself (RFC 4918, 3744, 4791, 5397, 6578).

Two of them are not from an RFC but asked for by every client: getctag (calendarserver.org) and
Apple's colour and order. What the person has set for themselves (`preferences`) goes before what
we would say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Final

from django.utils.http import http_date

from alliances.models import AllianceKind
from coordination.accounts.models import ApiToken, User
from coordination.accounts.viewer import Viewer
from coordination.calendars.caldav import xml
from coordination.calendars.caldav.duties import duty_name
from coordination.calendars.caldav.objects import HEADS, CalendarObject
from coordination.calendars.caldav.preferences import Preferences, zone_in
from coordination.calendars.caldav.resources import (
    PRINCIPALS,
    AnyResource,
    Collection,
    Home,
    Homes,
    Member,
    Principal,
    Principals,
    Root,
    home_path,
    principal_path,
)
from coordination.calendars.caldav.xml import APPLE, CALDAV, CALENDARSERVER, DAV, element, name
from coordination.calendars.syncing import token_of
from coordination.calendars.tokens import Watermark, watermark_of
from events.vevent import CALENDAR_TAIL, ZoneUse, zones_text

Values = dict[str, Callable[[], str]]
ObjectValue = Callable[[CalendarObject], str]
TOKEN_PREFIX: Final = "urn:coordination:sync:"
FIRST_TIME: Final = "19900101T000000Z"  # see coordination.changes.checking
LAST_TIME: Final = "22001231T235959Z"
COLORS: Final = {
    AllianceKind.HIGH_TECH_ZONE: "#4682B4FF",  # steelblue, teal, slateblue: as in the feeds
    AllianceKind.CITY: "#008080FF",
    AllianceKind.OTHER: "#6A5ACDFF",
}
OWN_COLOR: Final = "#DC143CFF"  # crimson
COLLATIONS: Final = ("i;ascii-casemap", "i;octet", "i;unicode-casemap")
READING: Final = ("<D:read/>", "<C:read-free-busy/>")
TICKING: Final = "<D:write-content/>"
WRITING: Final = ("<D:write-content/>", "<D:bind/>", "<D:unbind/>")
ALL_PROPERTIES: Final = frozenset(
    name(DAV, local)
    for local in (
        "creationdate",
        "displayname",
        "getcontentlength",
        "getcontenttype",
        "getetag",
        "getlastmodified",
        "resourcetype",
    )
)
"""What allprop answers: the properties of RFC 4918 section 15; others must be asked for by name."""

REPORTS: Final = {
    "everywhere": (
        "D:expand-property",
        "D:principal-match",
        "D:principal-property-search",
        "D:principal-search-property-set",
    ),
    "collection": (
        "C:calendar-query",
        "C:calendar-multiget",
        "C:free-busy-query",
        "D:sync-collection",
    ),
}


@dataclass
class Asking:
    """Who asks, with what answers need more than once.

    Attributes:
        viewer: who asks.
        user: the same person as an account.
        at: now, aware.
        token: the app password that was presented.
    """

    viewer: Viewer
    user: User
    at: datetime
    token: ApiToken | None = None

    @cached_property
    def mark(self) -> Watermark:
        """Where the log stands for them; one query, however many collections are asked about."""
        return watermark_of(self.viewer)

    @cached_property
    def preferences(self) -> Preferences:
        """What they have set for themselves; one query."""
        return Preferences.of(self.viewer)


def sync_token(collection: Collection, asking: Asking) -> str:
    """Return the collection's sync token as a URI (RFC 6578 section 4)."""
    token = token_of(
        asking.viewer, collection.selection, variant=collection.variant, mark=asking.mark
    )
    return f"{TOKEN_PREFIX}{token}"


def collection_tag(collection: Collection, asking: Asking) -> str:
    """Return the tag that stands still while nothing in the collection changes."""
    mark = asking.mark
    return f"{mark.number}-{mark.digest[:8]}-{collection.variant}"


def values_of(resource: AnyResource, asking: Asking) -> Values:
    """Return the properties of a resource that is no object, by qualified name."""
    shared = _shared(resource, asking)
    match resource:
        case Principal():
            return shared | _principal(asking)
        case Home():
            return shared | asking.preferences.values("")
        case Collection():
            return shared | _collection(resource, asking)
        case _:
            return shared


def object_constants(collection: Collection, asking: Asking) -> Values:
    """Return the properties that are the same for all objects of a collection."""
    values = _shared(Member(collection, "any"), asking)
    return {key: value for key, value in values.items() if key not in ALL_PROPERTIES}


OBJECT_VALUES: Final[Mapping[str, ObjectValue]] = {
    name(DAV, "getetag"): lambda item: item.etag.replace('"', "&quot;"),
    name(DAV, "getcontenttype"): lambda item: item.content_type,
    name(DAV, "resourcetype"): lambda _item: "",
    name(DAV, "getlastmodified"): lambda item: http_date(item.changed_at.timestamp()),
    name(DAV, "getcontentlength"): lambda item: str(len(item.body().encode())),
    name(DAV, "displayname"): lambda item: xml.text(item.name.removesuffix(".ics")),
}
NEEDS_TEXT: Final = frozenset({name(DAV, "getcontentlength"), name(CALDAV, "calendar-data")})


def privileges(resource: AnyResource) -> tuple[str, ...]:
    """Return what the viewer may do there (RFC 3744 section 5.4)."""
    collection = resource.collection if isinstance(resource, Member) else resource
    if isinstance(collection, Collection) and collection.may_write:
        return READING + WRITING
    if isinstance(collection, Collection) and collection.may_tick:
        return READING if _is_event(resource) else (*READING, TICKING)
    return READING


def _is_event(resource: AnyResource) -> bool:
    """Return whether something is the address of an event, not of a task."""
    return isinstance(resource, Member) and duty_name(resource.name) is None


def _shared(resource: AnyResource, asking: Asking) -> Values:
    """Return what every resource has."""
    principal = xml.href(principal_path(asking.viewer))

    def privilege_set() -> str:
        return "".join(element("D:privilege", one) for one in privileges(resource))

    return {
        name(DAV, "resourcetype"): lambda: _resource_type(resource),
        name(DAV, "displayname"): lambda: xml.text(_title(resource, asking)),
        name(DAV, "current-user-principal"): lambda: principal,
        name(DAV, "principal-collection-set"): lambda: xml.href(PRINCIPALS),
        name(DAV, "owner"): lambda: principal,
        name(DAV, "current-user-privilege-set"): privilege_set,
        name(DAV, "supported-privilege-set"): lambda: SUPPORTED_PRIVILEGES,
        name(DAV, "acl"): lambda: (
            f"<D:ace><D:principal>{principal}</D:principal><D:grant>{privilege_set()}</D:grant>"
            "<D:protected/></D:ace>"
        ),
        name(DAV, "acl-restrictions"): lambda: "<D:grant-only/><D:no-invert/>",
        name(DAV, "inherited-acl-set"): lambda: "",
        name(DAV, "supported-report-set"): lambda: _reports(resource),
        name(CALDAV, "calendar-home-set"): lambda: xml.href(home_path(asking.viewer)),
    }


def _principal(asking: Asking) -> Values:
    """Return what a person has (RFC 3744 section 4, RFC 4791 section 6.2.1)."""
    user = asking.user

    def addresses() -> str:
        mail = xml.href(f"mailto:{user.email}") if user.email else ""
        return mail + xml.href(f"urn:uuid:{user.uid}") + xml.href(principal_path(asking.viewer))

    return {
        name(DAV, "principal-URL"): lambda: xml.href(principal_path(asking.viewer)),
        name(DAV, "alternate-URI-set"): lambda: "",
        name(DAV, "group-member-set"): lambda: "",
        name(DAV, "group-membership"): lambda: "",
        # Of RFC 6638, which is not announced: Apple's programs ask for it before they go on.
        name(CALDAV, "calendar-user-address-set"): addresses,
        name(CALENDARSERVER, "email-address-set"): lambda: (
            element("CS:email-address", xml.text(user.email)) if user.email else ""
        ),
    }


def _collection(collection: Collection, asking: Asking) -> Values:
    """Return what a calendar has (RFC 4791 section 5.2)."""
    values: Values = {
        name(CALENDARSERVER, "getctag"): lambda: collection_tag(collection, asking),
        name(DAV, "sync-token"): lambda: sync_token(collection, asking),
        name(CALDAV, "calendar-description"): lambda: xml.text(collection.description),
        name(CALDAV, "calendar-timezone"): lambda: xml.text(timezone_object(collection)),
        name(CALDAV, "calendar-timezone-id"): lambda: xml.text(
            zone_in(asking.preferences.text(collection.name, name(CALDAV, "calendar-timezone")))
            or collection.time_zone
        ),
        name(CALDAV, "supported-calendar-component-set"): lambda: "".join(
            f'<C:comp name="{component}"/>' for component in collection.components
        ),
        name(CALDAV, "supported-calendar-data"): lambda: (
            '<C:calendar-data content-type="text/calendar" version="2.0"/>'
        ),
        name(CALDAV, "supported-collation-set"): lambda: "".join(
            element("C:supported-collation", collation) for collation in COLLATIONS
        ),
        name(CALDAV, "max-resource-size"): lambda: str(xml.MAX_BODY),
        name(CALDAV, "min-date-time"): lambda: FIRST_TIME,
        name(CALDAV, "max-date-time"): lambda: LAST_TIME,
        name(CALDAV, "max-instances"): lambda: "1",
        name(APPLE, "calendar-color"): lambda: _color(collection),
        name(APPLE, "calendar-order"): lambda: _order(collection),
    }
    if collection.alliance is not None:
        created_at = collection.alliance.created_at.astimezone(UTC)
        values[name(DAV, "creationdate")] = lambda: (
            f"{created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        )
    return values | asking.preferences.values(collection.name)


def timezone_object(collection: Collection) -> str:
    """Return the collection's zone as an iCalendar object (RFC 4791 section 5.2.2)."""
    return "".join((HEADS[collection.language], zone_text(collection), CALENDAR_TAIL))


def zone_text(collection: Collection) -> str:
    """Return the VTIMEZONE of the zone in which the collection's people think."""
    day = date(2000, 1, 1)
    return zones_text([ZoneUse(zone=collection.time_zone, first_on=day, last_on=day)])


def _title(resource: AnyResource, asking: Asking) -> str:
    if isinstance(resource, Collection):
        return resource.title
    if isinstance(resource, Principal | Home):
        return asking.user.get_full_name() or asking.user.username
    return "Coordination"


def _color(collection: Collection) -> str:
    if collection.alliance is None:
        return OWN_COLOR
    return COLORS[AllianceKind(collection.alliance.kind)]


def _order(collection: Collection) -> str:
    """Return the place in a list: one's own, alliances one has a part in, then the others."""
    if collection.alliance is None:
        return "1"
    has_part = any(
        grant.kind == "alliance" and grant.pk == collection.alliance.pk
        for grant in collection.viewer.grants
    )
    return "2" if has_part else "3"


def _resource_type(resource: AnyResource) -> str:
    match resource:
        case Collection():
            return "<D:collection/><C:calendar/>"
        case Principal():
            return "<D:collection/><D:principal/>"
        case Root() | Principals() | Homes() | Home():
            return "<D:collection/>"
        case _:
            return ""


def _reports(resource: AnyResource) -> str:
    names: tuple[str, ...] = REPORTS["everywhere"]
    if isinstance(resource, Collection | Member):
        names = REPORTS["collection"] + names
    return "".join(
        element("D:supported-report", element("D:report", f"<{report}/>")) for report in names
    )


def _privilege_tree(tag: str, words: str, *inner: str) -> str:
    description = f'<D:description xml:lang="en">{words}</D:description>'
    parts = (element("D:privilege", f"<{tag}/>"), description, *inner)
    return element("D:supported-privilege", "".join(parts))


SUPPORTED_PRIVILEGES: Final = _privilege_tree(
    "D:all",
    "Everything",
    _privilege_tree(
        "D:read", "Read", _privilege_tree("C:read-free-busy", "Read when people are busy")
    ),
    _privilege_tree(
        "D:write",
        "Write",
        _privilege_tree("D:write-content", "Change events"),
        _privilege_tree("D:bind", "Add events"),
        _privilege_tree("D:unbind", "Delete drafts"),
    ),
)
