"""The secrets by which somebody answers without a login: a link, and an address for replies.

A secret is the invitee's random uid and a seal over it, in letters and digits that no mail server
changes (RFC 4648 section 6, lower case): 26 and 16 characters. The seal is an HMAC with the
installation's key, so neither a copy of the database nor a guess opens anything. Link and address
have seals of their own: whoever is forwarded an invitation's calendar part can reply as its
attendee, as with any invitation, but has no link.

    >>> answer_url(invitee)          # https://host/answer/<secret>/
    >>> reply_address(invitee)       # reply+<secret>@host
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from events.models import Invitee

_LINK: Final = "events.answer_links.link"
_ADDRESS: Final = "events.answer_links.address"
_SEAL_OCTETS: Final = 10  # 80 bits, beside the 122 random ones of the uid
_UID_SIGNS: Final = 26
_SECRET_SIGNS: Final = 42


def answer_url(invitee: Invitee) -> str:
    """Return the address of the page on which one person answers one invitation."""
    return f"{settings.COORDINATION_BASE_URL}/answer/{link_secret(invitee)}/"


def reply_address(invitee: Invitee) -> str:
    """Return where the person's calendar sends its reply; "" where no address is set up."""
    local, _at, host = settings.REPLY_ADDRESS.partition("@")
    return f"{local}+{_secret(invitee, _ADDRESS)}@{host}" if host else ""


def link_secret(invitee: Invitee) -> str:
    """Return the secret in the person's link."""
    return _secret(invitee, _LINK)


def invitee_of_link(secret: str) -> Invitee | None:
    """Return whose link it is; None when it is nobody's, or not any more."""
    return _find(secret, _LINK)


def invitee_of_addresses(addresses: Iterable[str]) -> Invitee | None:
    """Return whose address for replies is among these; None when nobody's is."""
    own, _at, host = settings.REPLY_ADDRESS.lower().partition("@")
    for address in addresses:
        local, _at, there = address.lower().partition("@")
        name, _plus, secret = local.partition("+")
        if secret and there == host and name == own:
            found = _find(secret, _ADDRESS)
            if found is not None:
                return found
    return None


def _secret(invitee: Invitee, purpose: str) -> str:
    return _signs(invitee.uid.bytes) + _seal(invitee.uid, purpose, settings.SECRET_KEY)


def _seal(uid: UUID, purpose: str, key: str | bytes) -> str:
    digest = salted_hmac(purpose, uid.bytes, secret=key, algorithm="sha256").digest()
    return _signs(digest[:_SEAL_OCTETS])


def _signs(octets: bytes) -> str:
    return base64.b32encode(octets).decode().rstrip("=").lower()


def _find(secret: str, purpose: str) -> Invitee | None:
    """Return whose secret it is; keys that were in use before still open."""
    if len(secret) != _SECRET_SIGNS or not secret.isascii():
        return None
    head, seal = secret[:_UID_SIGNS].lower(), secret[_UID_SIGNS:].lower()
    try:
        uid = UUID(bytes=base64.b32decode(f"{head}======", casefold=True))
    except (binascii.Error, ValueError):
        return None
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(constant_time_compare(seal, _seal(uid, purpose, key)) for key in keys):
        return None
    found: Invitee | None = (
        Invitee.objects.filter(uid=uid)
        .select_related(
            "person__user",
            "person__details",
            "invitation__event__alliance",
            "invitation__organization",
        )
        .first()
    )
    return found
