"""Make, renew and end the secrets that programs sign in with.

A secret is ``coo_<prefix>_<random>``: the prefix lets a person (and a secret scanner) recognise
it, the random part carries 190 bits. It is shown once, when it is made; what is stored is its
SHA-256. A slow hash would add nothing to a secret that cannot be guessed, and would cost every
request a third of a second.

A token may do what its scopes say (``scoping``) and never more than its owner. Without a word
about scopes it may do everything its owner may: ``*:*``. A program that signed in with a token
cannot make further ones, so a leaked token cannot outlive its revocation.
"""

import hashlib
import secrets
import string
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from coordination.accounts.models import ApiToken, TokenKind, User
from coordination.accounts.scoping import FULL_SCOPE, clean_limits, clean_scopes
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import NotAllowed, TransitionNotAllowed, invalid

_ALPHABET = string.ascii_letters + string.digits
_PREFIX_ALPHABET = string.ascii_lowercase + string.digits
PREFIX_LENGTH = 8
RANDOM_LENGTH = 32  # characters of 62: 190 bits
NAME_LENGTH = 100  # characters


Ender = Callable[[User, datetime], int]
_enders: list[Ender] = []


def register_ender(ender: Ender) -> None:
    """Have ``ender(owner, at)`` end other secrets of a person with their tokens.

    Call it from ``AppConfig.ready``; it answers how many it ended. Twice changes nothing.
    """
    if ender not in _enders:
        _enders.append(ender)


class IssuedToken(NamedTuple):
    """A token and, this once, the secret itself."""

    token: ApiToken
    secret: str


def hash_secret(secret: str) -> str:
    """Answer the SHA-256 under which a secret is stored, as 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def issue_token(
    owner: User,
    *,
    name: str,
    viewer: Viewer,
    at: datetime,
    kind: TokenKind = TokenKind.BEARER,
    scopes: Iterable[str] = (FULL_SCOPE,),
    limits: Iterable[str] = (),
    expires_at: datetime | None = None,
) -> IssuedToken:
    """Make a token for ``owner``.

    Args:
        owner: whose rights it carries.
        name: what the owner will recognise it by.
        viewer: the owner, a superuser, or background work.
        at: aware instant.
        kind: bearer (the API) or app password (CalDAV, feeds).
        scopes: what it may do; see ``scoping``.
        limits: the objects it is narrowed to; none narrows nothing.
        expires_at: aware instant from which it is refused; None for never.

    Raises:
        NotAllowed: the viewer is somebody else, or came with a token.
        InvalidInput: the name, a scope, a limit or the expiry cannot be taken.
    """
    _require_keeper(owner, viewer)
    if not owner.is_active:
        raise invalid("user", _("This account is closed."), code="inactive")
    name = name.strip()
    if not name or len(name) > NAME_LENGTH:
        raise invalid("name", _("Give the token a name of at most 100 characters."))
    if expires_at is not None and expires_at <= at:
        raise invalid("expires_at", _("The expiry must lie in the future."))
    secret, prefix = _make_secret()
    token = ApiToken.objects.create(
        user=owner,
        name=name,
        kind=kind,
        prefix=prefix,
        sha256=hash_secret(secret),
        scopes=clean_scopes(scopes),
        limits=clean_limits(limits),
        created_at=at,
        expires_at=expires_at,
    )
    return IssuedToken(token, secret)


def rotate_token(token: ApiToken, *, viewer: Viewer, at: datetime) -> IssuedToken:
    """Give a live token a new secret; the old one is refused from the next request on.

    Raises:
        NotAllowed: the viewer is somebody else, or came with a token.
        TransitionNotAllowed: the token is revoked or expired.
    """
    _require_keeper(token.user, viewer)
    if not token.is_live(at):
        raise TransitionNotAllowed(_("This token is no longer in force. Make a new one."))
    secret, token.prefix = _make_secret()
    token.sha256 = hash_secret(secret)
    token.save(update_fields=["prefix", "sha256"])
    return IssuedToken(token, secret)


def revoke_token(token: ApiToken, *, viewer: Viewer, at: datetime) -> ApiToken:
    """End a token: it is refused from the next request on. Ending it twice changes nothing.

    Raises:
        NotAllowed: the viewer is somebody else, or came with a token.
    """
    _require_keeper(token.user, viewer)
    if token.revoked_at is None:
        token.revoked_at = at
        token.save(update_fields=["revoked_at"])
    return token


def revoke_tokens_of(owner: User, *, viewer: Viewer, at: datetime) -> int:
    """End all tokens of a person and their other secrets; answer how many were in force.

    Raises:
        NotAllowed: the viewer is somebody else, or came with a token.
    """
    _require_keeper(owner, viewer)
    count = ApiToken.objects.filter(user=owner, revoked_at=None).update(revoked_at=at)
    return count + sum(ender(owner, at) for ender in _enders)


def _require_keeper(owner: User, viewer: Viewer) -> None:
    """Refuse whoever may not keep the owner's tokens."""
    if viewer.token_scopes is not None:
        raise NotAllowed(_("Tokens are made and ended by a person who is signed in."))
    if not viewer.is_unlimited and viewer.user_id != owner.pk:
        raise NotAllowed()


def _make_secret() -> tuple[str, str]:
    """Answer a new secret and the part of it that may be shown."""
    mark = "".join(secrets.choice(_PREFIX_ALPHABET) for _position in range(PREFIX_LENGTH))
    random = "".join(secrets.choice(_ALPHABET) for _position in range(RANDOM_LENGTH))
    return f"coo_{mark}_{random}", f"coo_{mark}"
