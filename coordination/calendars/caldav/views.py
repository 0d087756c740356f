"""The door of CalDAV: who asks, for what, by which method. Plain views without middleware.

Every refusal says in the person's language what to do, beside the element that the RFC names for
programs. What belongs to somebody else is not there: 404, for every method alike.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final
from xml.etree.ElementTree import Element

from django.contrib.auth.models import AnonymousUser
from django.db import DataError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from coordination.accounts.authentication import SignInRefused
from coordination.accounts.languages import program_language
from coordination.calendars.caldav import xml
from coordination.calendars.caldav.login import challenge, sign_in
from coordination.calendars.caldav.polls import before_answering, remember
from coordination.calendars.caldav.properties import Asking
from coordination.calendars.caldav.propfind import answer_propfind
from coordination.calendars.caldav.proppatch import answer_proppatch
from coordination.calendars.caldav.reading import answer_get
from coordination.calendars.caldav.report import answer_report
from coordination.calendars.caldav.resources import (
    ROOT,
    AnyResource,
    Collection,
    Home,
    Member,
    Principal,
    resource_at,
)
from coordination.calendars.caldav.xml import Refused
from coordination.changes.refusals import (
    InvalidInput,
    NotAllowed,
    NotVisible,
    Refusal,
    StaleVersion,
)

CLASSES: Final = "1, 3, access-control, calendar-access"
READ_METHODS: Final = ("OPTIONS", "GET", "HEAD", "PROPFIND", "REPORT")
WRITE_METHODS: Final = ("PUT", "DELETE")
NOT_FOUND: Final = _("Nothing was found here, or it is not open to you.")
BUSY_SECONDS: Final = 2
REFUSED: Final = {
    "MKCALENDAR": (
        "<C:calendar-collection-location-ok/>",
        _("Calendars are not made here: there is one for each alliance, and one of your own."),
    ),
    "MKCOL": (
        "<D:valid-resourcetype/>",
        _("Calendars are not made here: there is one for each alliance, and one of your own."),
    ),
    "COPY": (
        "<C:no-uid-conflict/>",
        _("An event has one address. Make a new event instead of a copy."),
    ),
    "MOVE": (
        "<C:calendar-collection-location-ok/>",
        _("An event stays in the calendar of the alliance that owns it."),
    ),
    "ACL": (
        "<D:no-ace-conflict/>",
        _("Who may see what follows from seats and memberships. It is not set here."),
    ),
}
log = logging.getLogger(__name__)


def well_known(request: HttpRequest) -> HttpResponse:
    """Lead to the root, by whatever method (RFC 6764 section 5)."""
    answer = HttpResponsePermanentRedirect(ROOT)
    answer["Cache-Control"] = "public, max-age=86400"
    return answer


def dav(request: HttpRequest) -> HttpResponse:
    """Answer a request below /dav/."""
    answer = _mark(_answer(request))
    if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED and "Allow" not in answer:
        answer["Allow"] = ", ".join(READ_METHODS)
    return answer


def _mark(answer: HttpResponse) -> HttpResponse:
    """Return an answer with what every one says: the classes, and that it is one person's."""
    answer["DAV"] = CLASSES
    if "Cache-Control" not in answer:
        answer["Cache-Control"] = "private, no-cache"
    if "Content-Length" not in answer:
        answer["Content-Length"] = str(len(answer.content))
    return answer


def _answer(request: HttpRequest) -> HttpResponse:
    """Sign in and answer in the person's language; nothing passes as a bare failure."""
    if request.method == "OPTIONS" and "HTTP_AUTHORIZATION" not in request.META:
        return _options(None)  # clients ask what is offered before they sign in
    try:
        asking = sign_in(request, at=timezone.now())
    except SignInRefused as refused:
        with translation.override(program_language(request, AnonymousUser())):
            return challenge(refused.reason)
    with translation.override(asking.viewer.language):
        try:
            return _dispatch(request, asking)
        except Refused as refused:
            return refused.response()
        except Refusal as refusal:
            return refusal_response(refusal, request.path_info)
        except (DataError, OverflowError, UnicodeEncodeError):
            return xml.error_response(400, "", _("A value is too large or cannot be stored."))
        except OperationalError as error:
            log.warning("The database is busy: %s", error)
            answer = xml.error_response(503, "", _("The server is busy. Try again in a moment."))
            answer["Retry-After"] = str(BUSY_SECONDS)
            return answer


def _dispatch(request: HttpRequest, asking: Asking) -> HttpResponse:
    """Answer by method.

    Raises:
        Refused, Refusal: see what each method refuses.
    """
    viewer, method = asking.viewer, request.method or ""
    if not viewer.may_use("events", "read"):
        sentence = _("This app password does not cover events. Make one that does.")
        raise Refused(403, needed("D:read", request.path_info), sentence)
    if method in REFUSED:
        condition, words = REFUSED[method]
        raise Refused(403, condition, words)
    before_answering(request, asking)
    resource = resource_at(request.path_info, viewer)
    if resource is None:
        raise Refused(404, "", NOT_FOUND)
    match method:
        case "OPTIONS":
            return _options(resource)
        case "GET" | "HEAD":
            answer = answer_get(request, resource, asking)
        case "PROPFIND":
            answer = answer_propfind(request, resource, _body(request), asking)
        case "REPORT":
            answer = answer_report(request, resource, _body(request), asking)
        case "PROPPATCH":
            return answer_proppatch(resource, _body(request))
        case "PUT" | "DELETE":
            return _write(request, resource)
        case _:
            return _not_offered(resource)
    remember(request, asking, _mark(answer))
    return answer


def _not_offered(resource: AnyResource) -> HttpResponse:
    answer = xml.error_response(405, "", _("This method is not offered here."))
    answer["Allow"] = ", ".join(allowed(resource))
    return answer


def _body(request: HttpRequest) -> Element | None:
    xml.check_coding(request)
    return xml.parse(xml.read_octets(request))


def _options(resource: AnyResource | None) -> HttpResponse:
    """Say what is offered at an address (RFC 4918 section 10.1, RFC 4791 section 5.1)."""
    answer = HttpResponse(status=HTTPStatus.OK)
    answer["Allow"] = ", ".join(allowed(resource))
    answer["Content-Length"] = "0"
    return answer


def allowed(resource: AnyResource | None) -> tuple[str, ...]:
    """Return the methods of a resource; clients take a calendar without PUT for read-only."""
    methods: tuple[str, ...] = READ_METHODS
    if isinstance(resource, Collection | Home | Principal):
        methods += ("PROPPATCH",)
    collection = resource.collection if isinstance(resource, Member) else resource
    if isinstance(collection, Collection) and collection.may_write:
        methods += WRITE_METHODS
    elif isinstance(collection, Collection) and collection.may_tick:
        methods += WRITE_METHODS[:1]
    return methods


def _write(request: HttpRequest, resource: AnyResource) -> HttpResponse:
    """Put or delete an object, where the person may.

    Raises:
        Refused: 403, they may not; 405, there is no object at such an address.
    """
    from coordination.calendars.caldav import transfer

    is_put = request.method == "PUT"
    if not isinstance(resource, Member):
        if is_put:
            return _not_offered(resource)
        raise Refused(
            403, needed("D:unbind", resource.path), _("A calendar cannot be deleted here.")
        )
    collection = resource.collection
    if not collection.may_write and collection.alliance is not None:
        sentence = _("You may read this calendar, not change it. Ask the secretariat.")
        raise Refused(403, needed("D:write-content", resource.path), sentence)
    write = transfer.put if is_put else transfer.delete
    return write(request, collection.viewer, collection, resource.name)


def needed(privilege: str, path: str) -> str:
    """Return the precondition of a missing privilege (RFC 3744 section 7.1.1)."""
    inner = f"{xml.href(path)}<D:privilege><{privilege}/></D:privilege>"
    return f"<D:need-privileges><D:resource>{inner}</D:resource></D:need-privileges>"


def refusal_response(refusal: Refusal, path: str) -> HttpResponse:
    """Return what a verb refused, as CalDAV says it."""
    sentence = str(refusal)
    match refusal:
        case NotAllowed():
            return xml.error_response(403, needed("D:write-content", path), sentence)
        case NotVisible():
            return xml.error_response(404, "", sentence)
        case StaleVersion():
            return xml.error_response(412, "", sentence)
        case InvalidInput():
            return xml.error_response(403, "<C:valid-calendar-object-resource/>", sentence)
        case _:
            return xml.error_response(409, "", sentence)
