"""Feeds, private links, and what robots may read: plain views outside the pages' middleware.

Calendar programs send no Accept header or a strange one, follow no redirect, keep no cookie and
cannot log in; they get the same bytes as everybody, and a 304 while nothing changed.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext_lazy as _

from coordination.bilingual import language_or_default
from coordination.calendars.answering import Asked, Standing, answer
from coordination.calendars.fetching import find_feed, find_link
from coordination.calendars.programs import program_named

READING = ("GET", "HEAD", "OPTIONS")
ROBOTS = """User-agent: *
Allow: /calendars/
Disallow: /accounts/
Disallow: /admin/
Disallow: /api/
Disallow: /dav/
"""


def alliance_feed(request: HttpRequest, slug: str, year: int | None = None) -> HttpResponse:
    """Answer with an alliance's public calendar, of all time or of one year.

    ``?lang=en`` gives the English text, anything else the Chinese; other parameters change
    nothing, because programs and mailers add their own.
    """
    if refusal := _refused_method(request):
        return refusal
    asked = request.GET.get("lang") if request.META.get("QUERY_STRING") else None
    standing = find_feed(slug, year, language_or_default(asked))
    return _absent(request) if standing is None else _answer(request, standing, timezone.now())


def robots(request: HttpRequest) -> HttpResponse:
    """Tell robots what they may read: calendars above all, or Google would not import them."""
    if refusal := _refused_method(request):
        return refusal
    response = HttpResponse(ROBOTS, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "public, max-age=86400"
    return response


def private_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Answer with the calendar of a private link; the address is all that is asked for."""
    if refusal := _refused_method(request):
        return refusal
    at = timezone.now()
    program = program_named(request.META.get("HTTP_USER_AGENT", ""))
    standing = find_link(secret, at=at, program=program)
    return _absent(request) if standing is None else _answer(request, standing, at)


def _answer(request: HttpRequest, standing: Standing, at: datetime) -> HttpResponse:
    """Answer 200 with the bytes in the best coding, 304 to a client that has them, or 412."""
    asked = Asked(
        method=request.method or "GET",
        accept_encoding=request.META.get("HTTP_ACCEPT_ENCODING", ""),
        if_none_match=request.META.get("HTTP_IF_NONE_MATCH"),
        if_modified_since=request.META.get("HTTP_IF_MODIFIED_SINCE"),
        if_match=request.META.get("HTTP_IF_MATCH"),
        if_unmodified_since=request.META.get("HTTP_IF_UNMODIFIED_SINCE"),
        at=at,
    )
    found = answer(asked, standing)
    response = HttpResponse(found.body, status=found.status)
    del response["Content-Type"]
    for name, value in found.headers:
        response[name] = value
    return response


def _absent(request: HttpRequest) -> HttpResponse:
    """Say that there is no calendar."""
    message = _("There is no calendar at this address.")
    return _refusal(request, message, status=HTTPStatus.NOT_FOUND)


def _refused_method(request: HttpRequest) -> HttpResponse | None:
    """Return the answer to a method other than reading, with what is allowed; else None."""
    if request.method in {"GET", "HEAD"}:
        return None
    if request.method == "OPTIONS":
        response = HttpResponse(status=HTTPStatus.NO_CONTENT)
        del response["Content-Type"]
    else:
        message = _("This address can only be read.")
        response = _refusal(request, message, status=HTTPStatus.METHOD_NOT_ALLOWED)
    response["Allow"] = ", ".join(READING)
    return response


def _refusal(request: HttpRequest, message: str | Promise, *, status: HTTPStatus) -> HttpResponse:
    """Say in the reader's language why there is no calendar; ``?lang=`` goes before the header."""
    asked = request.GET.get("lang")
    with override(language_or_default(asked or get_language_from_request(request))):
        text = str(message)
    response = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    response["Vary"] = "Accept-Language"
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
