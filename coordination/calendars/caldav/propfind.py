"""PROPFIND (RFC 4918 section 9.1), with depth 0 and 1.

A calendar of depth 1 costs one query, whatever is asked about its objects; so does the home, with
one more for the person's preferences and one for where the log stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from coordination.calendars.caldav import xml
from coordination.calendars.caldav.objects import CalendarObject
from coordination.calendars.caldav.properties import (
    ALL_PROPERTIES,
    NEEDS_TEXT,
    OBJECT_VALUES,
    Asking,
    object_constants,
    values_of,
)
from coordination.calendars.caldav.resources import (
    AnyResource,
    Collection,
    Home,
    Homes,
    Member,
    Principal,
    Principals,
    Root,
    quoted,
)
from coordination.calendars.caldav.xml import DAV, Refused, name

MOST_PROPERTIES: Final = 200
LONGEST_NAMES: Final = 16 * 1024  # characters of all of them, said again for each object
EMPTY: Final[Mapping[str, Callable[[CalendarObject], str]]] = {}
_MARK: Final = "\x00"  # stands in no text of XML


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which properties a client asks for.

    Attributes:
        names: by qualified name, in order, each once; beside `is_all` those to be added to it.
        is_all: allprop.
        is_names: propname: only which there are.
        is_minimal: ``Prefer: return=minimal`` (RFC 8144): say nothing of those there are not.
    """

    names: tuple[str, ...] = ()
    is_all: bool = False
    is_names: bool = False
    is_minimal: bool = False

    def chosen(self, known: Iterable[str]) -> list[str]:
        """Return the properties to answer about, of a resource that has `known`."""
        if self.is_names:
            return list(known)
        if not self.is_all:
            return list(self.names)
        return [*(key for key in known if key in ALL_PROPERTIES), *self.names]

    @property
    def needs_text(self) -> bool:
        """Whether the objects' texts must be read."""
        return self.is_all or not NEEDS_TEXT.isdisjoint(self.names)


def wanted_of(holder: Element, *, is_minimal: bool) -> Wanted:
    """Return what a propfind, or a report with the same children, asks for.

    Raises:
        Refused: 400, neither names, allprop nor propname, or more of them than there are.
    """
    names: dict[str, None] = {}
    found = {child.tag for child in holder}
    for child in holder:
        if child.tag in (name(DAV, "prop"), name(DAV, "include")):
            names.update(dict.fromkeys(str(grandchild.tag) for grandchild in child))
    if len(names) > MOST_PROPERTIES or sum(map(len, names)) > LONGEST_NAMES:
        raise Refused(400, "", _("The request names too many properties."))
    if name(DAV, "propname") in found:
        return Wanted(is_names=True)
    if name(DAV, "allprop") in found:
        return Wanted(tuple(names), is_all=True, is_minimal=is_minimal)
    if name(DAV, "prop") not in found:
        raise Refused(400, "", _("The request does not say which properties it asks for."))
    return Wanted(tuple(names), is_minimal=is_minimal)


def answer_propfind(
    request: HttpRequest, resource: AnyResource, root: Element | None, asking: Asking
) -> HttpResponse:
    """Answer a PROPFIND.

    Raises:
        Refused: depth infinity (403, RFC 4918 section 9.1.1), or no propfind (400).
    """
    depth = depth_of(request, default="infinity")
    if depth == "infinity" and not isinstance(resource, Member):
        sentence = _("Depth infinity is not offered. Ask with Depth 0 or 1.")
        raise Refused(403, "<D:propfind-finite-depth/>", sentence)
    is_minimal = prefers_minimal(request)
    if root is None:
        wanted = Wanted(_told_unasked(resource), is_all=True, is_minimal=is_minimal)
    elif root.tag == name(DAV, "propfind"):
        wanted = wanted_of(root, is_minimal=is_minimal)
    else:
        raise Refused(400, "", _("The body of a PROPFIND is a DAV:propfind."))
    answer = xml.multistatus(_responses(resource, depth, wanted, asking))
    return noting_minimal(answer, is_minimal=is_minimal)


def _told_unasked(resource: AnyResource) -> tuple[str, ...]:
    """Return what a PROPFIND without a body is told beside allprop.

    Many programs lose their question on the way from /.well-known/caldav, because libraries follow
    a 301 without the body; at the root they need to hear who they are all the same.
    """
    return (name(DAV, "current-user-principal"),) if isinstance(resource, Root) else ()


def depth_of(request: HttpRequest, *, default: str) -> str:
    """Return the Depth header: "0", "1" or "infinity" (RFC 4918 section 10.2).

    Raises:
        Refused: 400, it is none of these.
    """
    depth = request.headers.get("Depth", default).strip().lower()
    if depth not in ("0", "1", "infinity"):
        raise Refused(400, "", _("Depth is 0, 1 or infinity."))
    return depth


def prefers_minimal(request: HttpRequest) -> bool:
    """Whether the client wants to hear nothing of properties that are not there (RFC 8144)."""
    asked = request.headers.get("Prefer", "").replace(" ", "").lower()
    return "return=minimal" in asked.replace(";", ",").split(",") or (
        request.headers.get("Brief", "").strip().lower() == "t"
    )


def noting_minimal(answer: HttpResponse, *, is_minimal: bool) -> HttpResponse:
    """Return the answer, which says that the preference was heeded."""
    if is_minimal:
        answer["Preference-Applied"] = "return=minimal"
        answer["Vary"] = "Prefer, Brief"
    return answer


def resource_response(resource: AnyResource, wanted: Wanted, asking: Asking) -> str:
    """Return what a resource that is no object answers."""
    values = values_of(resource, asking)
    found, missing = [], []
    for key in wanted.chosen(values):
        value = values.get(key)
        if value is None:
            missing.append(key)
        else:
            found.append(xml.property_element(key, "" if wanted.is_names else value()))
    return xml.response(resource.path, _propstats("".join(found), missing, wanted))


def object_responses(
    collection: Collection,
    items: Iterable[CalendarObject],
    wanted: Wanted,
    asking: Asking,
    *,
    more: Mapping[str, Callable[[CalendarObject], str]] = EMPTY,
) -> Iterator[str]:
    """Yield what objects answer; which properties there are is worked out once for all.

    Args:
        collection: that the objects stand in.
        items: the objects, with their text where it is asked for.
        wanted: what is asked for.
        asking: who asks.
        more: further properties of objects, such as calendar-data in a report.
    """
    own, constants = {**OBJECT_VALUES, **more}, object_constants(collection, asking)
    chosen = wanted.chosen([*constants, *OBJECT_VALUES])
    missing = [key for key in chosen if key not in own and key not in constants]
    functions: list[Callable[[CalendarObject], str]] = []
    shown = ""
    for key in chosen:
        if key in own and not wanted.is_names:
            shown += xml.property_element(key, "%s")
            functions.append(own[key])
        elif key in own or key in constants:
            value = "" if wanted.is_names else constants[key]()
            shown += xml.property_element(key, value).replace("%", "%%")
    rest = _propstats(_MARK, missing, wanted).replace("%", "%%").replace(_MARK, shown)
    template = f"<D:response><D:href>{xml.text(collection.path)}%s</D:href>{rest}</D:response>"
    for item in items:
        told = [function(item) for function in functions]
        yield template % (xml.text(quoted(item.name)), *told)


def member_response(member: Member, wanted: Wanted, asking: Asking) -> str | None:
    """Return what the object at an address answers; None where there is none."""
    item = member.collection.object_named(member.name)
    if item is None:
        return None
    return next(object_responses(member.collection, [item], wanted, asking))


def _responses(resource: AnyResource, depth: str, wanted: Wanted, asking: Asking) -> Iterator[str]:
    """Yield the answers of a resource and, at depth 1, of what is in it."""
    if isinstance(resource, Member):
        answer = member_response(resource, wanted, asking)
        if answer is None:
            raise Refused(404, "", _("Nothing was found here, or it is not open to you."))
        yield answer
        return
    yield resource_response(resource, wanted, asking)
    if depth != "1":
        return
    if isinstance(resource, Collection):
        items = resource.listed(full=wanted.needs_text)
        yield from object_responses(resource, items, wanted, asking)
    else:
        for child in _children(resource):
            yield resource_response(child, wanted, asking)


def _children(resource: AnyResource) -> list[AnyResource]:
    """Return what is in a resource that holds no objects."""
    match resource:
        case Root(viewer):
            return [Principals(viewer), Homes(viewer)]
        case Principals(viewer):
            return [Principal(viewer)]
        case Homes(viewer):
            return [Home(viewer)]
        case Home():
            return list(resource.collections())
        case _:
            return []


def _propstats(found: str, missing: list[str], wanted: Wanted) -> str:
    """Return the propstats of one resource; there is always one (RFC 4918 section 14.24)."""
    absent = "" if wanted.is_minimal else "".join(map(xml.property_element, missing))
    nothing_there = bool(missing) and len(missing) == len(wanted.names) and not wanted.is_all
    parts = [] if nothing_there and absent else [xml.propstat(found, 200)]
    if absent:
        parts.append(xml.propstat(absent, 404))
    return "".join(parts)
