"""GET and HEAD: one object, or a whole calendar as one file."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date
from django.utils.translation import gettext as _

from coordination.calendars.answering import ANOTHER_VERSION
from coordination.calendars.caldav.objects import CalendarObject
from coordination.calendars.caldav.properties import Asking, collection_tag, zone_text
from coordination.calendars.caldav.resources import AnyResource, Collection, Member
from coordination.calendars.caldav.xml import Refused
from coordination.calendars.feeds import REFRESH
from coordination.calendars.negotiation import is_as_believed, is_unchanged
from events.vevent import CALENDAR_TAIL, CalendarHead, ZoneUse, calendar_head, zones_text


def answer_get(request: HttpRequest, resource: AnyResource, asking: Asking) -> HttpResponse:
    """Answer with an object, a calendar, or a word to people who look here with a browser.

    Raises:
        Refused: 404, there is no such object; 412, it is not the version that was asked for.
    """
    if isinstance(resource, Member):
        item = resource.collection.object_named(resource.name)
        if item is None:
            sentence = _("Nothing was found here, or it is not open to you.")
            raise Refused(404, "", sentence)
        return _object(request, item)
    if isinstance(resource, Collection):
        return _calendar(request, resource, asking)
    words = _("This address is for calendar programs. How to set one up is said at %s.")
    text = words % f"{settings.COORDINATION_BASE_URL}/"
    return _sent(request, HttpResponse(f"{text}\n", content_type="text/plain; charset=utf-8"))


def _object(request: HttpRequest, item: CalendarObject) -> HttpResponse:
    """Answer with one object; not compressed, so that its tag stays strong by every way."""
    _check_wanted(request, item.etag, item.changed_at)
    if _has_it(request, item.etag):
        answer = _not_modified(item.etag)
    else:
        answer = HttpResponse(item.body().encode(), content_type=item.content_type)
        answer["ETag"] = item.etag
    answer["Last-Modified"] = http_date(item.changed_at.timestamp())
    return _sent(request, answer)


def _calendar(request: HttpRequest, collection: Collection, asking: Asking) -> HttpResponse:
    """Answer with all objects of a calendar in one."""
    etag = f'"{collection_tag(collection, asking)}-ics"'
    _check_wanted(request, etag, None)
    if _has_it(request, etag):
        return _sent(request, _not_modified(etag))
    items = collection.listed(full=True)
    uses = [
        ZoneUse(zone=item.time_zone, first_on=item.first_on, last_on=item.last_on)
        for item in items
        if item.time_zone
    ]
    head = calendar_head(
        CalendarHead(
            name=collection.title,
            description=collection.description,
            zone=collection.time_zone,
            language=collection.language,
            color="",
            refresh=REFRESH,
            source="",
            url=settings.COORDINATION_BASE_URL + collection.path,
        ),
        method="",
    )
    texts = (item.text for item in items)
    zones = zones_text(uses)
    if not items:  # RFC 5545 section 3.6: a calendar holds at least one component
        zones = zone_text(collection)
    body = "".join((head, zones, *texts, CALENDAR_TAIL))
    answer = HttpResponse(body.encode(), content_type="text/calendar; charset=utf-8")
    answer["ETag"] = etag
    answer["Content-Disposition"] = f'inline; filename="{collection.name}.ics"'
    return _sent(request, answer)


def _check_wanted(request: HttpRequest, etag: str, changed_at: datetime | None) -> None:
    """See that the client asks for these bytes, or for whatever there is (RFC 9110 13.2.2).

    Raises:
        Refused: 412.
    """
    if not is_as_believed(
        if_match=request.headers.get("If-Match"),
        if_unmodified_since=request.headers.get("If-Unmodified-Since"),
        etag=etag,
        changed_at=changed_at,
    ):
        raise Refused(HTTPStatus.PRECONDITION_FAILED, "", ANOTHER_VERSION)


def _has_it(request: HttpRequest, etag: str) -> bool:
    """Whether the client has it already, by entity tags alone."""
    return is_unchanged(
        if_none_match=request.headers.get("If-None-Match"),
        if_modified_since=None,
        etag=etag,
        changed_at=None,
    )


def _not_modified(etag: str) -> HttpResponse:
    answer = HttpResponse(status=HTTPStatus.NOT_MODIFIED)
    del answer["Content-Type"]
    answer["ETag"] = etag
    return answer


def _sent(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Return the answer; without its content to a HEAD."""
    answer["Cache-Control"] = "private, no-cache"
    if answer.status_code != HTTPStatus.NOT_MODIFIED:
        answer["Content-Length"] = str(len(answer.content))
    if request.method == "HEAD":
        answer.content = b""
    return answer
