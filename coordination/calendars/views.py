"""The public feeds, and what robots may read: plain views outside the pages' middleware.

Calendar programs send no Accept header or a strange one, follow no redirect, keep no cookie and
cannot log in; they get the same bytes as everybody, and a 304 while nothing changed.
"""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import http_date
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext_lazy as _

from coordination.bilingual import ENGLISH, language_or_default
from coordination.calendars.feeds import FIRST_YEAR, LAST_YEAR, FeedAddress
from coordination.calendars.negotiation import IDENTITY, choose_coding, is_unchanged
from coordination.calendars.shelf import Rendition, shelf

READING = ("GET", "HEAD", "OPTIONS")
MAX_AGE_SECONDS = 300
LANGUAGE_TAGS = {ENGLISH: "en"}
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
    address = FeedAddress(slug, year, language_or_default(request.GET.get("lang")))
    possible = year is None or FIRST_YEAR <= year <= LAST_YEAR
    rendition = shelf.fetch(address) if possible else None
    if rendition is None:
        message = _("There is no calendar at this address.")
        return _refusal(request, message, status=HTTPStatus.NOT_FOUND)
    return _answer(request, address, rendition)


def robots(request: HttpRequest) -> HttpResponse:
    """Tell robots what they may read: calendars above all, or Google would not import them."""
    if refusal := _refused_method(request):
        return refusal
    response = HttpResponse(ROBOTS, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "public, max-age=86400"
    return response


def _answer(request: HttpRequest, address: FeedAddress, rendition: Rendition) -> HttpResponse:
    """Answer 200 with the bytes in the best coding, or 304 to a client that has them."""
    coding = choose_coding(request.headers.get("Accept-Encoding", ""))
    etag, changed_at = rendition.etag(coding), rendition.changed_at
    unchanged = is_unchanged(
        if_none_match=request.headers.get("If-None-Match"),
        if_modified_since=request.headers.get("If-Modified-Since"),
        etag=etag,
        changed_at=changed_at,
    )
    response = HttpResponse(status=HTTPStatus.NOT_MODIFIED) if unchanged else HttpResponse()
    response["ETag"] = etag
    if changed_at <= timezone.now():  # RFC 9110 section 8.8.2.1: never a date to come
        response["Last-Modified"] = http_date(changed_at.timestamp())
    response["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
    response["Vary"] = "Accept-Encoding"
    if unchanged:
        del response["Content-Type"]
        return response
    content = rendition.content(coding)
    response["Content-Type"] = "text/calendar; charset=utf-8"
    response["Content-Length"] = str(len(content))
    response["Content-Language"] = LANGUAGE_TAGS.get(address.language, "zh-Hans")
    response["Content-Disposition"] = f'inline; filename="{address.file_name}"'
    response["X-Robots-Tag"] = "noindex"
    response["Access-Control-Allow-Origin"] = "*"
    if coding != IDENTITY:
        response["Content-Encoding"] = coding
    if request.method == "GET":
        response.content = content
    return response


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
