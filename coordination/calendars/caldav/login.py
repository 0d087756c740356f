"""Sign in over CalDAV: Basic, with an app password (RFC 7617).

The secret is found by its SHA-256, one indexed look-up, at every request: what was revoked or has
expired is refused from the next request on. Whatever the header holds, it is a 401 and never a
failure.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from coordination.accounts.authentication import (
    REALM,
    SignInRefused,
    find_app_password,
    note_use,
)
from coordination.accounts.languages import program_language
from coordination.accounts.viewer import viewer_for
from coordination.calendars.caldav import xml
from coordination.calendars.caldav.polls import known_token
from coordination.calendars.caldav.properties import Asking

CHALLENGE: Final = f'Basic realm="{REALM}", charset="UTF-8"'


def sign_in(request: HttpRequest, *, at: datetime) -> Asking:
    """Return who asks, with the rights that the app password leaves them.

    The language is the person's own choice, else what the program asks for: a device that says
    another one now and then must not find other bytes each time.

    Raises:
        SignInRefused: no credentials, or none that are taken.
    """
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        raise SignInRefused("missing", _("Sign in with your user name and an app password."))
    token = known_token(request, at=at) or find_app_password(header, at=at)
    note_use(token, at=at)
    user = token.user
    language = user.language or program_language(request, user)
    return Asking(viewer_for(user, at=at, language=language, token=token), user, at, token)


def challenge(reason: str | Promise) -> HttpResponse:
    """Return the 401 that asks for an app password."""
    answer = xml.error_response(HTTPStatus.UNAUTHORIZED, "<D:need-privileges/>", reason)
    answer["WWW-Authenticate"] = CHALLENGE
    return answer
