"""Whose webhooks are: people's own, and those of an alliance's secretariat; and with whose eyes.

A webhook sees what its owner may see on the day. One that was made with a token sees what the
token may see, and ends with it, or when who made it acts for the owner no more; whoever acts for
the owner may take it over, and answers for it from then on.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance
from coordination.accounts.models import ApiToken, User
from coordination.accounts.viewer import Grant, Viewer, scopes_of, viewer_for
from coordination.bilingual import CHINESE, language_or_default
from coordination.changes.refusals import NotAllowed, TransitionNotAllowed
from coordination.deliveries.models import Subscription
from coordination.deliveries.subscribing import (
    Missed,
    Subscribed,
    enable_subscription,
    may_keep,
    subscribe,
)

ALLIANCE = "alliance"


def owner_of_viewer(viewer: Viewer) -> str:
    """Return the key under which a person owns webhooks; "" for nobody."""
    return "" if viewer.uid is None else f"user:{viewer.uid}"


def owner_of_alliance(alliance: Alliance) -> str:
    """Return the key under which an alliance's secretariat owns webhooks."""
    return f"{ALLIANCE}:{alliance.slug}"


def staffed_owners(viewer: Viewer) -> Iterable[str]:
    """Return the keys of the secretariats that the viewer works in."""
    staffed = viewer.pks("secretariat", "alliance")
    if not staffed:
        return ()
    return [owner_of_alliance(one) for one in Alliance.objects.filter(pk__in=staffed)]


def view_of(subscription: Subscription, *, at: datetime) -> Viewer | None:
    """Return the viewer in whose name a webhook looks; None when there is nobody any more.

    Args:
        subscription: with its endpoint and its token.
        at: aware instant; rights are those of its day.
    """
    token = subscription.token
    if token is not None and not token.is_live(at):
        return None
    kind, _colon, name = subscription.endpoint.owner.partition(":")
    if kind == ALLIANCE:
        alliance = alliance_named_by(subscription.endpoint.owner)
        if alliance is None or not _may_speak_for(token, alliance, at=at):
            return None
        return Viewer(None, grants=frozenset({Grant("secretariat", "alliance", alliance.pk)}))
    user = User.objects.filter(uid=UUID(name), is_active=True).first()
    if user is None:
        return None
    language = language_or_default(user.language)
    return viewer_for(user, at=at, language=language, token=token)


def alliance_named_by(owner: str) -> Alliance | None:
    """Return the alliance whose secretariat a key names; None for other keys."""
    kind, _colon, slug = owner.partition(":")
    return Alliance.objects.filter(slug=slug).first() if kind == ALLIANCE else None


def _may_speak_for(token: ApiToken | None, alliance: Alliance, *, at: datetime) -> bool:
    """Whether whoever's token it is still works in the secretariat; without a token always."""
    if token is None:
        return True
    viewer = viewer_for(token.user, at=at, language=CHINESE, token=token)
    return viewer.is_unlimited or viewer.has("secretariat", "alliance", alliance.pk)


def standing_of(viewer: Viewer) -> str:
    """Return a fingerprint of what a viewer may see."""
    return sha256(" ".join(scopes_of(viewer)).encode()).hexdigest()


def make_webhook(owner: str, *, viewer: Viewer, at: datetime, **values: Any) -> Subscribed:
    """Make a webhook that hears of what happens from now on; see `subscribe` for the values."""
    made = subscribe(owner, viewer=viewer, at=at, **values)
    eyes = view_of(made.subscription, at=at)
    if eyes is not None:
        made.subscription.standing = standing_of(eyes)
        made.subscription.save(update_fields=["standing"])
    return made


def enable_webhook(
    subscription: Subscription, *, missed: Missed, viewer: Viewer, at: datetime
) -> Subscription:
    """Send again, see `enable_subscription`.

    Raises:
        NotAllowed, InvalidInput: as there.
        TransitionNotAllowed: nobody looks in its name any more.
    """
    if may_keep(viewer, subscription.endpoint.owner) and view_of(subscription, at=at) is None:
        raise TransitionNotAllowed(
            _("Nobody answers for this webhook any more. Take it over first, then switch it on."),
            code="nobody_answers",
        )
    return enable_subscription(subscription, missed=missed, viewer=viewer, at=at)


def take_over(
    subscription: Subscription, *, viewer: Viewer, at: datetime, token: ApiToken | None = None
) -> Subscription:
    """Answer for a webhook from now on; it no longer hangs on who made it, or on their token.

    Args:
        subscription: with its endpoint.
        viewer: who takes it over.
        at: aware instant.
        token: the token that asks, if one does: the webhook then ends with that one.

    Raises:
        NotAllowed: the viewer does not act for the owner.
    """
    if not may_keep(viewer, subscription.endpoint.owner):
        raise NotAllowed
    subscription.kept_by, subscription.keeper_left_at = viewer.actor, None
    subscription.token = token
    subscription.version += 1
    subscription.changed_at = at
    subscription.save(update_fields=["kept_by", "keeper_left_at", "token", "version", "changed_at"])
    return subscription
