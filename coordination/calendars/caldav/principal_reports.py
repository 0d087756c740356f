"""Reports about people (RFC 3253 section 3.8, RFC 3744 section 9): only about oneself.

Apple's programs ask for all of these before they show a calendar. Whom else an installation knows
is nobody's business here: a search finds the person who asks, or nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from coordination.calendars.caldav import xml
from coordination.calendars.caldav.properties import Asking, Values, values_of
from coordination.calendars.caldav.propfind import (
    Wanted,
    member_response,
    resource_response,
    wanted_of,
)
from coordination.calendars.caldav.resources import (
    AnyResource,
    Member,
    Principal,
    Principals,
    path_of_href,
    resource_at,
)
from coordination.calendars.caldav.xml import CALDAV, CALENDARSERVER, DAV, Refused, name

SEARCHED: Final = {
    name(DAV, "displayname"): "Name",
    name(CALDAV, "calendar-user-address-set"): "Calendar user address",
    name(CALENDARSERVER, "email-address-set"): "E-mail address",
}
MOST_NESTED: Final = 3
XMLNS: Final = "http://www.w3.org/2000/xmlns/"  # no element is of this namespace
MOST_SEARCHES: Final = 20
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")


def answer_search_properties() -> HttpResponse:
    """Answer a principal-search-property-set (RFC 3744 section 9.5)."""
    inner = "".join(
        "<D:principal-search-property><D:prop>"
        f'{xml.property_element(key)}</D:prop><D:description xml:lang="en">{words}'
        "</D:description></D:principal-search-property>"
        for key, words in SEARCHED.items()
    )
    return xml.document("D:principal-search-property-set", inner)


def answer_search(root: Element, asking: Asking) -> HttpResponse:
    """Answer a principal-property-search (RFC 3744 section 9.4).

    Raises:
        Refused: 400, the request is not right.
    """
    searches = root.findall(name(DAV, "property-search"))
    if not 1 <= len(searches) <= MOST_SEARCHES:
        raise Refused(400, "", _("The request does not say what to search for."))
    principal = Principal(asking.viewer)
    values = values_of(principal, asking)
    tests = [_matches(search, values) for search in searches]
    found = any(tests) if root.get("test") == "anyof" else all(tests)
    wanted = _wanted(root)
    return xml.multistatus([resource_response(principal, wanted, asking)] if found else [])


def answer_match(resource: AnyResource, root: Element, asking: Asking) -> HttpResponse:
    """Answer a principal-match (RFC 3744 section 9.3): where the person stands for themselves."""
    found = isinstance(resource, Principals | Principal) or root.find(name(DAV, "self")) is None
    responses = []
    if found:
        responses.append(resource_response(Principal(asking.viewer), _wanted(root), asking))
    return xml.multistatus(responses)


def answer_expand(
    request: HttpRequest, resource: AnyResource, root: Element, asking: Asking
) -> HttpResponse:
    """Answer an expand-property (RFC 3253 section 3.8): properties, and those of what they name.

    Raises:
        Refused: 404, nothing is there.
    """
    answer = _expanded(resource, root, asking, request.get_host(), MOST_NESTED)
    if answer is None:
        raise Refused(404, "", _("Nothing was found here, or it is not open to you."))
    return xml.multistatus([answer])


def _expanded(
    resource: AnyResource, holder: Element, asking: Asking, host: str, depth: int
) -> str | None:
    asked = list(_asked(holder))
    if isinstance(resource, Member):
        return member_response(resource, Wanted(tuple(key for key, _one in asked)), asking)
    values = values_of(resource, asking)
    found, missing = [], []
    for key, element in asked:
        value = values.get(key)
        if value is None:
            missing.append(xml.property_element(key))
            continue
        inner = value()
        if len(element) and depth:
            inner = _followed(inner, element, asking, host, depth - 1)
        found.append(xml.property_element(key, inner))
    parts = [xml.propstat("".join(found), 200)] if found or not missing else []
    if missing:
        parts.append(xml.propstat("".join(missing), 404))
    return xml.response(resource.path, "".join(parts))


def _followed(inner: str, element: Element, asking: Asking, host: str, depth: int) -> str:
    """Return the answers of the resources that a property's value names."""
    responses = []
    for piece in inner.split("<D:href>")[1:]:
        path = path_of_href(piece.split("</D:href>")[0], host)
        resource = resource_at(path, asking.viewer) if path is not None else None
        answer = _expanded(resource, element, asking, host, depth) if resource else None
        if answer is not None:
            responses.append(answer)
    return "".join(responses)


def _asked(holder: Element) -> Iterator[tuple[str, Element]]:
    for element in holder.findall(name(DAV, "property")):
        namespace, local = element.get("namespace", DAV), element.get("name", "")
        if not _NAME.fullmatch(local) or "}" in namespace or namespace == XMLNS:
            raise Refused(400, "", _("The request names a property that cannot be."))
        yield name(namespace, local), element


def _matches(search: Element, values: Values) -> bool:
    """Whether all properties of a search hold its text, in any case."""
    wanted = (search.findtext(name(DAV, "match")) or "").strip().casefold()
    keys = [str(child.tag) for holder in search.findall(name(DAV, "prop")) for child in holder]
    if not wanted or not keys:
        return False
    return all(
        key in SEARCHED and key in values and xml.text(wanted) in values[key]().casefold()
        for key in keys
    )


def _wanted(root: Element) -> Wanted:
    if root.find(name(DAV, "prop")) is None:
        return Wanted()
    return wanted_of(root, is_minimal=False)
