"""Find out who a program is: bearer token, app password, or a page's session.

Every way answers a ``User`` and sets ``request.viewer``. A secret is looked up by its SHA-256 in
one query. Whatever an ``Authorization`` header holds, the answer is a person or a 401 that says
why (RFC 9110 section 11.6, RFC 6750, RFC 7617), never a 500.
"""

import base64
import binascii
import hmac
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from coordination.accounts.languages import program_language
from coordination.accounts.models import ApiToken, TokenKind, User
from coordination.accounts.tokens import hash_secret
from coordination.accounts.viewer import Viewer, viewer_for
from coordination.prepared import Blank, built, columns_of, prepared

REALM = "coordination"
HEADER_LENGTH = 4096  # characters; longer ones are refused unread

log = logging.getLogger(__name__)


class SignInRefused(Exception):
    """A credential that is not taken.

    Attributes:
        code: "malformed", "wrong_scheme", "unknown", "revoked", "expired" or "inactive".
        reason: a sentence for people.
    """

    def __init__(self, code: str, reason: str | Promise) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


def find_bearer(header: str, *, at: datetime) -> ApiToken:
    """Answer the live API token that an ``Authorization: Bearer`` header presents.

    Raises:
        SignInRefused: see its codes.
    """
    secret = _credentials(header, "bearer")
    if not secret or any(character.isspace() for character in secret):
        raise SignInRefused("malformed", _("The Authorization header holds no single token."))
    return _find_live(secret, kind=TokenKind.BEARER, at=at)


def find_app_password(header: str, *, at: datetime) -> ApiToken:
    """Answer the live app password that an ``Authorization: Basic`` header presents.

    The user name (or e-mail address) must be the owner's, in any case.

    Raises:
        SignInRefused: see its codes.
    """
    encoded = _credentials(header, "basic")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise SignInRefused("malformed", _("The Authorization header cannot be read.")) from error
    name, colon, secret = text.partition(":")
    if not colon:
        raise SignInRefused("malformed", _("The Authorization header cannot be read."))
    token = _find_live(secret, kind=TokenKind.APP_PASSWORD, at=at)
    owner = token.user
    if not any(_is_same(name, known) for known in (owner.username, owner.email) if known):
        raise SignInRefused("unknown", _("The user name or the app password is not right."))
    return token


def note_use(token: ApiToken, *, at: datetime) -> None:
    """Write down the hour of a token's last use; never waits for a writer and never fails."""
    if not token.is_use_due(at):
        return
    hour = at.replace(minute=0, second=0, microsecond=0)
    due = Q(last_used_at=None) | Q(last_used_at__lt=hour)
    try:
        with without_waiting():
            ApiToken.objects.filter(due, pk=token.pk).update(last_used_at=hour)
    except DatabaseError:
        log.info("The last use of a token was not written down: the database is busy.")


def viewer_of(request: Request) -> Viewer:
    """Answer the viewer of an API request, signing it in when nothing has yet.

    Raises:
        AuthenticationFailed: the credentials are not taken.
    """
    plain: HttpRequest = request._request
    person = request.user  # signs in; a token's viewer is narrower than its owner's
    if not hasattr(plain, "viewer"):
        set_viewer(plain, person)
    viewer: Viewer = plain.viewer  # type: ignore[attr-defined]
    return viewer


def set_viewer(
    request: HttpRequest, user: User | AnonymousUser, *, token: ApiToken | None = None
) -> Viewer:
    """Put the viewer of a program's request on it, in the language the program asks for."""
    language = program_language(request, user)
    viewer = viewer_for(user, at=timezone.now(), language=language, token=token)
    request.viewer = viewer  # type: ignore[attr-defined]
    return viewer


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer`` with an API token; any other scheme is refused."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Answer the token's owner; None where no header was sent.

        Raises:
            AuthenticationFailed: the header or the token is not taken.
        """
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        at = timezone.now()
        try:
            token = find_bearer(header, at=at)
        except SignInRefused as refused:
            request._request.refused_token = True  # type: ignore[attr-defined]
            reason: Any = refused.reason  # lazy: the language is chosen later
            raise AuthenticationFailed(reason, code=refused.code) from refused
        note_use(token, at=at)
        set_viewer(request._request, token.user, token=token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Answer the challenge of a 401 (RFC 6750 section 3)."""
        challenge = f'Bearer realm="{REALM}"'
        if hasattr(request._request, "refused_token"):
            challenge += ', error="invalid_token"'
        return challenge


class PageSessionAuthentication(SessionAuthentication):
    """A page's session cookie, with the CSRF check that goes with it."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        """Answer the person signed in to the pages; None where there is none.

        Raises:
            PermissionDenied: a change without the page's CSRF token.
        """
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        self.enforce_csrf(request)
        set_viewer(request._request, user)
        return user, None


class PublicAuthentication(BaseAuthentication):
    """Nobody: the last in the row, so that the public has a viewer too."""

    def authenticate(self, request: Request) -> None:
        """Set the public's viewer and leave the request without a person."""
        set_viewer(request._request, AnonymousUser())


API_AUTHENTICATION = (BearerAuthentication, PageSessionAuthentication, PublicAuthentication)
"""The classes of every API view, in this order."""


def _credentials(header: str, scheme: str) -> str:
    """Answer what follows the scheme of an ``Authorization`` header."""
    if len(header) > HEADER_LENGTH:
        raise SignInRefused("malformed", _("The Authorization header is too long."))
    word, _space, rest = header.strip().partition(" ")
    if word.lower() != scheme:
        raise SignInRefused(
            "wrong_scheme",
            _("Sign in here with “Authorization: %s”.") % scheme.capitalize(),
        )
    return rest.strip()


@prepared
def _tokens_of_a_secret() -> QuerySet[ApiToken, Any]:
    sha256, kind = Blank(0, ApiToken, "sha256"), Blank(1, ApiToken, "kind")
    rows = ApiToken.objects.filter(sha256=sha256, kind=kind).order_by()
    return rows.values_list(*columns_of(ApiToken, "user"))


def _find_live(secret: str, *, kind: TokenKind, at: datetime) -> ApiToken:
    """Look a secret up by its hash: one indexed query, the owner with it."""
    found = _tokens_of_a_secret().rows(hash_secret(secret), kind)
    if not found:
        raise SignInRefused("unknown", _("This token is not known here."))
    token = built(ApiToken, found[0], "user")
    if token.revoked_at is not None:
        raise SignInRefused("revoked", _("This token was revoked."))
    if not token.is_live(at):
        raise SignInRefused("expired", _("This token has expired."))
    if not token.user.is_active:
        raise SignInRefused("inactive", _("This account is closed."))
    return token


def _is_same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.casefold().encode(), known.casefold().encode())


@contextmanager
def without_waiting() -> Iterator[None]:
    """On SQLite, fail at once instead of waiting for another writer to finish."""
    if connection.vendor != "sqlite":
        yield
        return
    usual = float(connection.settings_dict.get("OPTIONS", {}).get("timeout", 5.0))  # seconds
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(usual * 1000)}")
