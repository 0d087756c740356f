"""Answer requests for calendars in front of Django's handler, with the very same answers.

Most requests that an installation gets are calendar programs asking whether anything changed. What
that costs is settled by `fetching`; to build a request object, walk the middleware and resolve the
address costs three times as much again. So the WSGI application is wrapped::

    application = ShortPath(get_wsgi_application())

What is answered here is what `views` would answer, header by header, because both take it from
`answering`; and what CalDAV's programs ask is asked of the same view, `caldav.views.dav`. All else
goes on to Django: other addresses and methods, calendars that do not exist, and requests during
which the database fails. No request is logged here; the server's own access log has them.

A body that comes in chunks is measured here for everybody, because Django takes a request without
a ``Content-Length`` for one without a body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest, get_bytes_from_wsgi
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpResponse, QueryDict
from django.middleware.security import SecurityMiddleware
from django.utils import timezone

from coordination.bilingual import CHINESE, language_or_default
from coordination.calendars.answering import Answer, Asked, Standing, answer
from coordination.calendars.caldav.polls import answer_poll, is_for_calendars
from coordination.calendars.caldav.views import dav
from coordination.calendars.fetching import find_feed, find_link
from coordination.calendars.programs import program_named

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Headers = list[tuple[str, str]]

_dav: Any = convert_exception_to_response(dav)
CHUNK: Final = 64 * 1024  # octets
ADDRESS: Final = re.compile(
    r"/calendars/(?:alliances/(?P<slug>[-a-zA-Z0-9_]+)(?:/(?P<year>[0-9]{4}))?"
    r"|links/(?P<secret>[^/]+))\.ics"
)


class ShortPath:
    """A WSGI application in front of another one."""

    def __init__(self, application: Application) -> None:
        """Stand before ``application``."""
        self.application = application
        self._fixed: dict[tuple[str, bool | None], Headers] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request for a calendar that exists; lead every other one on."""
        found = None
        if "HTTP_TRANSFER_ENCODING" in environ:
            _measure(environ)
        if is_for_calendars(environ):
            found = _of_caldav(environ)
        elif environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            address = ADDRESS.fullmatch(environ.get("PATH_INFO", ""))
            found = _answered(environ, address) if address is not None else None
        if found is None:
            return self.application(environ, start_response)
        status = f"{found.status.value} {found.status.phrase}"
        start_response(status, found.headers + self._fixed_headers(environ))
        return [found.body]

    def _fixed_headers(self, environ: Environ) -> Headers:
        """Return the fields that Django's middleware adds to every answer; made once a scheme."""
        key = (environ["wsgi.url_scheme"], _said_by_proxy(environ))
        if key not in self._fixed:
            middleware = SecurityMiddleware(lambda _request: HttpResponse())
            response = HttpResponse()
            del response["Content-Type"]
            middleware.process_response(WSGIRequest(environ), response)
            self._fixed[key] = list(response.items())
        return self._fixed[key]


def _measure(environ: Environ) -> None:
    """Give a body that came in chunks its length, where the server says that the input ends.

    Of one that is longer than any that is taken, so much is read that it is refused as too long.
    """
    if environ.get("CONTENT_LENGTH") or not environ.get("wsgi.input_terminated"):
        return
    body = BytesIO()
    length = 0
    while length <= settings.COORDINATION_MAX_UPLOAD_BYTES:
        chunk = environ["wsgi.input"].read(CHUNK)
        if not chunk:
            break
        length += body.write(chunk)
    body.seek(0)
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = body, str(length)


def _answered(environ: Environ, address: re.Match[str]) -> Answer | None:
    """Return the answer, or None where Django should give it."""
    asked = Asked(
        method=environ["REQUEST_METHOD"],
        accept_encoding=environ.get("HTTP_ACCEPT_ENCODING", ""),
        if_none_match=environ.get("HTTP_IF_NONE_MATCH"),
        if_modified_since=environ.get("HTTP_IF_MODIFIED_SINCE"),
        at=timezone.now(),
    )
    database = connections[DEFAULT_DB_ALIAS]
    _close_if_obsolete(database)
    try:
        standing = _standing(environ, address, asked)
        return None if standing is None else answer(asked, standing)
    except (Error, SuspiciousOperation):
        return None
    finally:
        _close_if_obsolete(database)


def _of_caldav(environ: Environ) -> Answer | None:
    """Return the answer to what a CalDAV program asks, remembered or given now.

    None where the database fails before anything was answered.
    """
    database = connections[DEFAULT_DB_ALIAS]
    _close_if_obsolete(database)
    try:
        return answer_poll(environ, at=timezone.now()) or _asked(environ)
    except Error:
        return None
    finally:
        _close_if_obsolete(database)


def _asked(environ: Environ) -> Answer:
    """Return what the view answers; its failures become what Django makes of failures."""
    response = _dav(WSGIRequest(environ))
    return Answer(HTTPStatus(response.status_code), list(response.items()), response.content)


def _close_if_obsolete(database: BaseDatabaseWrapper) -> None:
    """Do what Django does at both ends of a request: a pool, say, wants its connection back."""
    if not database.in_atomic_block:  # else it is not this request's to close
        database.close_if_unusable_or_obsolete()


def _standing(environ: Environ, address: re.Match[str], asked: Asked) -> Standing | None:
    if secret := address["secret"]:
        program = program_named(environ.get("HTTP_USER_AGENT", ""))
        return find_link(secret, at=asked.at, program=program)
    year = int(address["year"]) if address["year"] else None
    return find_feed(address["slug"], year, _language(environ))


def _language(environ: Environ) -> str:
    """Return the language that ``?lang=`` asks for, read as Django reads it."""
    if not environ.get("QUERY_STRING"):
        return CHINESE
    query = QueryDict(get_bytes_from_wsgi(environ, "QUERY_STRING", ""), encoding="utf-8")
    return language_or_default(query.get("lang"))


def _said_by_proxy(environ: Environ) -> bool | None:
    """Return whether a trusted proxy says the request was encrypted; None where none is."""
    if settings.SECURE_PROXY_SSL_HEADER is None:
        return None
    name, secure = settings.SECURE_PROXY_SSL_HEADER
    said = environ.get(name)
    return None if said is None else said.partition(",")[0].strip() == secure
