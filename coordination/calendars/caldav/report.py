"""REPORT (RFC 3253 section 3.6): which one is asked for, and the reports on calendars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from coordination.calendars.caldav import xml
from coordination.calendars.caldav.calendar_data import data_property, form_of
from coordination.calendars.caldav.filters import read_filter
from coordination.calendars.caldav.freebusy import answer_free_busy
from coordination.calendars.caldav.preferences import zone_in
from coordination.calendars.caldav.principal_reports import (
    answer_expand,
    answer_match,
    answer_search,
    answer_search_properties,
)
from coordination.calendars.caldav.properties import Asking
from coordination.calendars.caldav.propfind import (
    Wanted,
    depth_of,
    noting_minimal,
    object_responses,
    prefers_minimal,
    wanted_of,
)
from coordination.calendars.caldav.querying import matching_objects
from coordination.calendars.caldav.resources import (
    AnyResource,
    Collection,
    Member,
    path_of_href,
)
from coordination.calendars.caldav.sync_collection import answer_sync_collection
from coordination.calendars.caldav.xml import CALDAV, DAV, Refused, name
from events.zones import zone_names

MOST_HREFS: Final = 5000
NOTHING: Final = Wanted()


def answer_report(
    request: HttpRequest, resource: AnyResource, root: Element | None, asking: Asking
) -> HttpResponse:
    """Answer a REPORT.

    Raises:
        Refused: 400 without a body; 403 with DAV:supported-report for one that is not offered
            here (RFC 3253 section 3.6); and whatever the report itself refuses.
    """
    if root is None:
        raise Refused(400, "", _("A REPORT says in its body which one it is."))
    if root.tag == name(DAV, "principal-search-property-set"):
        return answer_search_properties()
    if root.tag == name(DAV, "principal-property-search"):
        return answer_search(root, asking)
    if root.tag == name(DAV, "principal-match"):
        return answer_match(resource, root, asking)
    if root.tag == name(DAV, "expand-property"):
        return answer_expand(request, resource, root, asking)
    if isinstance(resource, Collection | Member):
        answer = _calendar_report(request, resource, root, asking)
        if answer is not None:
            return answer
    sentence = _("This report is not offered here.")
    raise Refused(403, "<D:supported-report/>", sentence)


def _calendar_report(
    request: HttpRequest, resource: Collection | Member, root: Element, asking: Asking
) -> HttpResponse | None:
    """Answer a report on a calendar, or on one object of it; None where it is another."""
    collection = resource.collection if isinstance(resource, Member) else resource
    if root.tag == name(CALDAV, "calendar-query"):
        return _answer_query(request, resource, root, asking)
    if root.tag == name(CALDAV, "calendar-multiget"):
        return _answer_multiget(request, collection, root, asking)
    if isinstance(resource, Member):
        return None
    if root.tag == name(DAV, "sync-collection"):
        return answer_sync_collection(request, collection, root, asking)
    if root.tag == name(CALDAV, "free-busy-query"):
        return answer_free_busy(collection, root, asking)
    return None


def _answer_query(
    request: HttpRequest, resource: Collection | Member, root: Element, asking: Asking
) -> HttpResponse:
    """Answer a calendar-query (RFC 4791 section 7.8)."""
    is_minimal = prefers_minimal(request)
    wanted, form = _what(root, is_minimal=is_minimal), form_of(root)
    condition = read_filter(root.find(name(CALDAV, "filter")))
    collection = resource.collection if isinstance(resource, Member) else resource
    zone = _zone(root, collection, asking)
    if isinstance(resource, Collection) and depth_of(request, default="1") == "0":
        found = []  # RFC 4791 section 7.8: the collection itself, which is no calendar object
    else:
        found = list(matching_objects(collection, condition, zone=zone))
    if isinstance(resource, Member):
        found = [item for item in found if item.name == resource.name]
    more = data_property(form)
    responses = object_responses(collection, found, wanted, asking, more=more)
    return noting_minimal(xml.multistatus(responses), is_minimal=is_minimal)


def _answer_multiget(
    request: HttpRequest, collection: Collection, root: Element, asking: Asking
) -> HttpResponse:
    """Answer a calendar-multiget (RFC 4791 section 7.9): one answer for each href, in order."""
    is_minimal = prefers_minimal(request)
    wanted, form = _what(root, is_minimal=is_minimal), form_of(root)
    hrefs = list(dict.fromkeys(found.text or "" for found in root.findall(name(DAV, "href"))))
    if len(hrefs) > MOST_HREFS:
        sentence = _("The request asks for too much at once.")
        raise Refused(403, "<D:number-of-matches-within-limits/>", sentence)
    host = request.get_host()
    members = {text: _member(text, collection, host) for text in hrefs}
    names = [member for member in members.values() if member is not None]
    found = collection.objects_named(names)

    def responses() -> Iterator[str]:
        more = data_property(form)
        good = object_responses(collection, found.values(), wanted, asking, more=more)
        told = dict(zip(found, good, strict=True))
        for text, member in members.items():
            answer = told.get(member) if member is not None else None
            yield answer or xml.status_response(text.strip(), 404)

    return noting_minimal(xml.multistatus(responses()), is_minimal=is_minimal)


def _what(root: Element, *, is_minimal: bool) -> Wanted:
    """Return the properties asked for; none is a request for none."""
    tags = {child.tag for child in root}
    if tags.isdisjoint(name(DAV, local) for local in ("prop", "allprop", "propname")):
        return NOTHING
    return wanted_of(root, is_minimal=is_minimal)


def _member(href: str, collection: Collection, host: str) -> str | None:
    """Return the name of the collection's object that an href means; None for anything else."""
    path = path_of_href(href, host)
    if path is None or "\x00" in path:
        return None
    if path.startswith(collection.path) and "/" not in path[len(collection.path) :]:
        return path[len(collection.path) :] or None
    return None


def _zone(root: Element, collection: Collection, asking: Asking) -> str:
    """Return the zone in which whole days lie: the request's, the person's, else "".

    Raises:
        Refused: 403, the request names one that is not known, or brings none where it says so.
    """
    named = root.find(name(CALDAV, "timezone-id"))  # RFC 7809 section 6.2
    if named is not None:
        if (named.text or "").strip() not in zone_names():
            raise Refused(403, "<C:valid-timezone/>", _("There is no such time zone."))
        return (named.text or "").strip()
    brought = root.find(name(CALDAV, "timezone"))
    if brought is not None and "BEGIN:VTIMEZONE" not in (brought.text or ""):
        sentence = _("A time zone is written as an iCalendar object with a VTIMEZONE.")
        raise Refused(403, "<C:valid-calendar-data/>", sentence)
    text = brought.text if brought is not None else None
    text = text or asking.preferences.text(collection.name, name(CALDAV, "calendar-timezone"))
    zone = zone_in(text)
    return zone if zone in zone_names() else ""
