"""Give every page its viewer, its language and its time zone.

Stands behind Django's ``AuthenticationMiddleware`` in place of its ``LocaleMiddleware``. The
viewer is lazy: a page that asks for no rights pays no query for them.
"""

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from coordination.accounts.languages import asked_language, page_language
from coordination.accounts.models import DEFAULT_TIME_ZONE, User
from coordination.accounts.viewer import Viewer, viewer_for

YEAR_SECONDS = 365 * 24 * 3600


class PageViewer:
    """Set ``request.viewer`` and speak the reader's language in the reader's zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in the language chosen by ``languages.page_language``; keep ``?lang=``."""
        user = _person_of(request)
        language = page_language(request, user)
        request.LANGUAGE_CODE = language
        request.viewer = SimpleLazyObject(  # type: ignore[attr-defined]
            lambda: viewer_for(user, at=timezone.now(), language=language)
        )
        zone = user.time_zone if isinstance(user, User) else DEFAULT_TIME_ZONE
        with translation.override(language), timezone.override(_zone(zone)):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        asked = asked_language(request)
        if asked is not None:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                asked,
                max_age=YEAR_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response


def viewer_of(request: HttpRequest) -> Viewer:
    """Answer the viewer of a page's request, typed."""
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]
    return viewer


def _person_of(request: HttpRequest) -> User | AnonymousUser:
    """Fetch the person now: language and zone are needed by every page of theirs."""
    return request.user if isinstance(request.user, User) else AnonymousUser()


def _zone(name: str) -> zoneinfo.ZoneInfo:
    """Answer the zone, or the alliances' where a stored name has left the IANA database."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo(DEFAULT_TIME_ZONE)
