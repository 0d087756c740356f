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
from datetime import datetime
from http import HTTPStatus
from io import BytesIO
from threading import Lock
from typing import Any, Final, NamedTuple

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
from coordination.calendars.fetching import facts_of_link, find_feed, find_link
from coordination.calendars.programs import program_named
from coordination.calendars.shelf import revision_of

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Headers = list[tuple[str, str]]
Question = tuple[str | None, ...]
Facts = tuple[Any, ...]

_dav: Any = convert_exception_to_response(dav)
CHUNK: Final = 64 * 1024  # octets
KEPT: Final = 10_000  # questions
LONGEST_QUESTION: Final = 2048  # characters in all
ASKED_BY: Final = (
    "REQUEST_METHOD",
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
    "wsgi.url_scheme",
)
"""All of a request for a feed that an answer depends on, beside what a trusted proxy says."""
ADDRESS: Final = re.compile(
    r"/calendars/(?:alliances/(?P<slug>[-a-zA-Z0-9_]+)(?:/(?P<year>[0-9]{4}))?"
    r"|links/(?P<secret>[^/]+))\.ics"
)


class Reply(NamedTuple):
    """An answer as it is sent: status line, all header fields, and the body."""

    status: str
    headers: Headers
    body: bytes = b""


class Told(NamedTuple):
    """That a client has the bytes, and what the database said of the calendar before."""

    facts: Facts
    reply: Reply


class ShortPath:
    """A WSGI application in front of another one."""

    def __init__(self, application: Application) -> None:
        """Stand before ``application``."""
        self.application = application
        proxy_says = settings.SECURE_PROXY_SSL_HEADER
        self._asked_by = ASKED_BY if proxy_says is None else (*ASKED_BY, proxy_says[0])
        self._fixed: dict[tuple[str, bool | None], Headers] = {}
        self._told: dict[Question, Told] = {}
        self._lock = Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request for a calendar that exists; lead every other one on."""
        reply = None
        if "HTTP_TRANSFER_ENCODING" in environ:
            _measure(environ)
        if is_for_calendars(environ):
            reply = self._of_caldav(environ)
        elif environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            address = ADDRESS.fullmatch(environ.get("PATH_INFO", ""))
            reply = self._of_feed(environ, address) if address is not None else None
        if reply is None:
            return self.application(environ, start_response)
        start_response(reply.status, [*reply.headers])
        return [reply.body]

    def _of_feed(self, environ: Environ, address: re.Match[str]) -> Reply | None:
        """Return the answer about a calendar, or None where Django should give it."""
        at = timezone.now()
        try:
            if "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ:
                return self._of_copy(environ, address, at)
            standing = _standing(environ, address, at, None)
            return standing and self._reply(environ, _answered(environ, standing, at))
        except (Error, SuspiciousOperation):
            return None
        finally:
            _close_if_obsolete(connections[DEFAULT_DB_ALIAS])

    def _of_copy(self, environ: Environ, address: re.Match[str], at: datetime) -> Reply | None:
        """Tell a client whether its copy is still good.

        It asks in the same words each time: while the facts are the same, so is the answer.
        """
        facts = _facts(address, at)
        if facts is None:
            return None
        question = tuple(map(environ.get, self._asked_by))
        told = self._told.get(question)
        if told is not None and told.facts == facts:
            return told.reply
        standing = _standing(environ, address, at, facts)
        if standing is None:
            return None
        found = _answered(environ, standing, at)
        reply = self._reply(environ, found)
        is_dated_now = standing.changed_at is not None and standing.changed_at > at
        is_lasting = standing.is_lasting and not is_dated_now
        if found.status == HTTPStatus.NOT_MODIFIED and is_lasting:
            self._keep(question, Told(facts, reply))
        return reply

    def _keep(self, question: Question, told: Told) -> None:
        """Keep what a question of common length was told; the oldest makes room."""
        if sum(map(len, filter(None, question))) > LONGEST_QUESTION:
            return
        with self._lock:
            self._told[question] = told
            if len(self._told) > KEPT:
                del self._told[next(iter(self._told))]

    def _of_caldav(self, environ: Environ) -> Reply | None:
        """Return the answer to what a CalDAV program asks, remembered or given now.

        None where the database fails before anything was answered.
        """
        try:
            found = answer_poll(environ, at=timezone.now()) or _asked(environ)
        except Error:
            return None
        finally:
            _close_if_obsolete(connections[DEFAULT_DB_ALIAS])
        return self._reply(environ, found)

    def _reply(self, environ: Environ, found: Answer) -> Reply:
        status = f"{found.status.value} {found.status.phrase}"
        return Reply(status, found.headers + self._fixed_headers(environ), found.body)

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


def _answered(environ: Environ, standing: Standing, at: datetime) -> Answer:
    asked = Asked(
        method=environ["REQUEST_METHOD"],
        accept_encoding=environ.get("HTTP_ACCEPT_ENCODING", ""),
        if_none_match=environ.get("HTTP_IF_NONE_MATCH"),
        if_modified_since=environ.get("HTTP_IF_MODIFIED_SINCE"),
        if_match=environ.get("HTTP_IF_MATCH"),
        if_unmodified_since=environ.get("HTTP_IF_UNMODIFIED_SINCE"),
        at=at,
    )
    return answer(asked, standing)


def _asked(environ: Environ) -> Answer:
    """Return what the view answers; its failures become what Django makes of failures."""
    response = _dav(WSGIRequest(environ))
    return Answer(HTTPStatus(response.status_code), list(response.items()), response.content)


def _close_if_obsolete(database: BaseDatabaseWrapper) -> None:
    """Do what Django does at both ends of a request: a pool, say, wants its connection back."""
    if not database.in_atomic_block:  # else it is not this request's to close
        database.close_if_unusable_or_obsolete()


def _facts(address: re.Match[str], at: datetime) -> Facts | None:
    """Return what stays the same as long as a calendar does, at least; one query."""
    slug, _year, secret = address.groups()
    return facts_of_link(secret, at) if secret else revision_of(slug)


def _standing(
    environ: Environ, address: re.Match[str], at: datetime, facts: Facts | None
) -> Standing | None:
    slug, year, secret = address.groups()
    if secret:
        program = program_named(environ.get("HTTP_USER_AGENT", ""))
        return find_link(secret, at=at, program=program, facts=facts)
    return find_feed(slug, int(year) if year else None, _language(environ), revision=facts)


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
