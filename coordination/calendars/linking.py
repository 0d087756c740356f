"""Make, change, replace and revoke private links to a calendar.

A link is an address that cannot be guessed and needs no sign-in, because calendar programs cannot
sign in. It shows what its owner may see at the time of each fetch, never more. It stands outside
the change log, as tokens do.

An API token may make links of its own, and only those: such a link has the token's narrower rights
and ends with it, so that a leaked token cannot outlive its revocation.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import hash_secret
from coordination.accounts.viewer import Viewer
from coordination.bilingual import LANGUAGES
from coordination.calendars.models import FeedLink
from coordination.calendars.selecting import cleaned_filters
from coordination.changes.refusals import (
    NotAllowed,
    StaleVersion,
    TransitionNotAllowed,
    invalid,
)

SALT: Final = "coordination.calendars.links"
SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits in base64url, without padding
MOST_LINKS: Final = 50  # in force, of one person
MOST_ALARMS: Final = 5  # of one link
LONGEST_ALARM: Final = 60 * 24 * 60  # minutes: 60 days
NAME_LENGTH: Final = 100  # characters


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What its owner chooses for a link; see `FeedLink`."""

    name: str
    language: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    alarms: Sequence[int] = ()
    days_only: bool = False
    with_windows: bool = False

    @classmethod
    def of(cls, link: FeedLink) -> LinkSettings:
        """Return the present settings of a link."""
        return cls(**{name: getattr(link, name) for name in cls.__slots__})

    def columns(self, *, viewer: Viewer, kept: Mapping[str, str]) -> dict[str, Any]:
        """Return the settings, cleaned, by column.

        Args:
            viewer: who has chosen them.
            kept: the filters that the link has had.

        Raises:
            InvalidInput: the name, the language, an alarm or a filter cannot be taken.
        """
        name = " ".join(self.name.split())
        if not name or len(name) > NAME_LENGTH:
            raise invalid("name", _("Give the calendar a name of at most 100 characters."))
        if self.language not in LANGUAGES:
            raise invalid("language", _("Choose zh-hans or en."))
        alarms = sorted(set(self.alarms), reverse=True)
        if len(alarms) > MOST_ALARMS or any(not 0 <= each <= LONGEST_ALARM for each in alarms):
            raise invalid("alarms", _("Give at most five alarms, each at most 60 days before."))
        return {
            "name": name,
            "language": self.language,
            "parameters": cleaned_filters(self.parameters, viewer=viewer, kept=kept),
            "alarms": alarms,
            "days_only": self.days_only,
            "with_windows": self.with_windows,
        }


def issue_link(
    owner: User,
    settings: LinkSettings,
    *,
    viewer: Viewer,
    at: datetime,
    token: ApiToken | None = None,
) -> FeedLink:
    """Make a private link for ``owner``; `secret_of` gives its address.

    Args:
        owner: whose rights it has.
        settings: what it shows, and how.
        viewer: the owner, or background work.
        at: aware instant.
        token: the API token that asks for it, if one does.

    Raises:
        NotAllowed: the viewer is somebody else.
        InvalidInput: see `LinkSettings.columns`.
        TransitionNotAllowed: the person has as many as there may be.
    """
    _require_owner(owner, viewer)
    if viewer.token_scopes is not None and token is None:
        raise NotAllowed
    columns = settings.columns(viewer=viewer, kept={})
    link = FeedLink(user=owner, token=token, created_at=at, **columns)
    link.sha256 = hash_secret(secret_of(link))
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)  # two at once count after each other
        if FeedLink.objects.filter(user=owner, revoked_at=None).count() >= MOST_LINKS:
            raise TransitionNotAllowed(
                _("You have 50 private calendar addresses. Revoke those no longer in use first."),
                code="too_many_links",
            )
        link.save(force_insert=True)
    return link


def revise_link(
    link: FeedLink,
    settings: LinkSettings,
    *,
    viewer: Viewer,
    at: datetime,
    token: ApiToken | None = None,
) -> FeedLink:
    """Change what a link shows, or what it is called; its address stays.

    Raises:
        NotAllowed: the viewer is somebody else, or a token that did not make it.
        InvalidInput: see `LinkSettings.columns`.
        StaleVersion: somebody else saved first, or revoked it.
    """
    _require_keeper(link, viewer, token)
    present = link.parameters
    columns = settings.columns(viewer=viewer, kept=present)
    if columns != LinkSettings.of(link).columns(viewer=viewer, kept=present):
        _write(link, columns)
    return link


def rename_link(
    link: FeedLink, name: str, *, viewer: Viewer, at: datetime, token: ApiToken | None = None
) -> FeedLink:
    """Give a link another name.

    Raises:
        NotAllowed, InvalidInput, StaleVersion: see `revise_link`.
    """
    settings = replace(LinkSettings.of(link), name=name)
    return revise_link(link, settings, viewer=viewer, at=at, token=token)


def replace_link(
    link: FeedLink, *, viewer: Viewer, at: datetime, token: ApiToken | None = None
) -> FeedLink:
    """Give a link a new address; the old one is dead at the next request.

    Raises:
        NotAllowed: the viewer is somebody else, or a token that did not make it.
        StaleVersion: somebody else saved first, or revoked it.
    """
    _require_keeper(link, viewer, token)
    link.generation += 1
    sha256 = hash_secret(secret_of(link))
    fetched = {"last_fetched_at": None, "last_program": ""}
    _write(link, {"generation": link.generation, "sha256": sha256} | fetched)
    return link


def revoke_link(link: FeedLink, *, viewer: Viewer, at: datetime) -> FeedLink:
    """End a link: its address is dead at the next request. Ending it twice changes nothing.

    Any token of the owner may do it: nobody gains by it.

    Raises:
        NotAllowed: the viewer is somebody else.
    """
    _require_owner(link.user, viewer)
    if link.revoked_at is None:
        link.revoked_at = at
        link.save(update_fields=["revoked_at"])
    return link


def revoke_links_of(owner: User, at: datetime) -> int:
    """End all links of a person, and return how many were in force."""
    return FeedLink.objects.filter(user=owner, revoked_at=None).update(revoked_at=at)


def secret_of(link: FeedLink) -> str:
    """Return the secret part of a link's address, made from the installation's key."""
    return _secret(link.uid, link.generation)


def path_of(link: FeedLink) -> str:
    """Return the path of a link's address; "" when the installation's key has changed since.

    The address goes on working then, but cannot be told any more.
    """
    return path_for(link.uid, link.generation, link.sha256)


def path_for(uid: UUID, generation: int, sha256: str) -> str:
    """Return `path_of` a link with these values."""
    secret = _secret(uid, generation)
    return f"/calendars/links/{secret}.ics" if hash_secret(secret) == sha256 else ""


def _secret(uid: UUID, generation: int) -> str:
    mac = salted_hmac(SALT, f"{uid}:{generation}", algorithm="sha256")
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()


def _write(link: FeedLink, columns: Mapping[str, Any]) -> None:
    """Store columns of a link that nobody has changed since it was read.

    Raises:
        StaleVersion: somebody has.
    """
    rows = FeedLink.objects.filter(pk=link.pk, version=link.version, revoked_at=None)
    if not rows.update(**columns, version=F("version") + 1):
        raise StaleVersion(current=FeedLink.objects.filter(pk=link.pk, revoked_at=None).first())
    link.refresh_from_db()


def _require_keeper(link: FeedLink, viewer: Viewer, token: ApiToken | None) -> None:
    """Refuse whoever may not have the link's address: a token knows only of those it made."""
    _require_owner(link.user, viewer)
    if viewer.token_scopes is not None and (token is None or link.token_id != token.pk):
        raise NotAllowed(_("This address was not made by this token. Change it on the pages."))


def _require_owner(owner: User, viewer: Viewer) -> None:
    if not viewer.is_system and viewer.user_id != owner.pk:
        raise NotAllowed
