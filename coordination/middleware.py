"""Keep programs' doors outside the pages' middleware.

A browser's page needs a session, a CSRF check, a language, messages and a content policy; a
calendar that asks every quarter of an hour whether anything changed needs none of them, and they
cost it half of its time. ``settings.MIDDLEWARE`` keeps its usual form::

    MIDDLEWARE = [
        ...,                                        # every request
        "coordination.middleware.ProgramsPassBy",
        ...,                                        # pages only
        "coordination.middleware.PagesEndHere",
    ]

A request for a path in ``settings.PROGRAM_PATHS`` goes from the first of the two straight to what
the second one stands before. At ``settings.SESSION_PATHS`` one that brings a session cookie and no
``Authorization`` still passes ``settings.SESSION_MIDDLEWARE``, so that pages may call the API; the
API checks CSRF itself.

A calendar program that was given nothing but the host's name asks at ``/``: a request there by one
of ``settings.PROGRAM_METHODS`` is led to ``settings.PROGRAM_ROOT``, with its method and its body.
"""

import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.module_loading import import_string

Handler = Callable[[HttpRequest], HttpResponseBase]


class _Built(threading.local):
    """What this thread has built so far: Django builds the chain from its inner end outwards."""

    inner: Handler | None = None


_built = _Built()


class PagesEndHere:
    """Mark the inner end of the pages' middleware; takes no part in answering."""

    def __init__(self, get_response: Handler) -> None:
        """Remember what stands inside the pages' middleware.

        Raises:
            MiddlewareNotUsed: always, so that Django leaves the mark out of the chain.
        """
        _built.inner = get_response
        raise MiddlewareNotUsed


class ProgramsPassBy:
    """Lead programs around the pages' middleware."""

    def __init__(self, get_response: Handler) -> None:
        """Build the three ways once, at start.

        Raises:
            ImproperlyConfigured: the inner end is not marked by ``PagesEndHere``.
        """
        inner, _built.inner = _built.inner, None
        if inner is None:
            raise ImproperlyConfigured("PagesEndHere must follow ProgramsPassBy in MIDDLEWARE.")
        self.pages = get_response
        self.programs = inner
        self.sessions = inner
        for name in reversed(settings.SESSION_MIDDLEWARE):
            wrapped: Any = convert_exception_to_response(import_string(name)(self.sessions))
            self.sessions = wrapped

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request by the way of its path."""
        path = request.path_info
        if path == "/" and request.method in settings.PROGRAM_METHODS:
            return _led_to(settings.PROGRAM_ROOT)
        if not path.startswith(settings.PROGRAM_PATHS):
            return self.pages(request)
        # The thread still speaks the language of the page it served before.
        translation.activate(settings.LANGUAGE_CODE)
        if not path.startswith(settings.SESSION_PATHS):
            request.csrf_processing_done = True  # type: ignore[attr-defined]
            return self.programs(request)
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        if has_session and "HTTP_AUTHORIZATION" not in request.META:
            return self.sessions(request)
        return self.programs(request)


def _led_to(path: str) -> HttpResponse:
    """Return a redirect that keeps method and body (RFC 9110 section 15.4.8)."""
    answer = HttpResponse(status=HTTPStatus.TEMPORARY_REDIRECT)
    answer["Location"] = path
    return answer
