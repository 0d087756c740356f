"""Whose webhooks are: people's own, and those of an alliance's secretariat; and with whose eyes.

A webhook sees what its owner may see on the day. One that was made with a token sees what the
token may see, and ends with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from alliances.models import Alliance
from coordination.accounts.models import User
from coordination.accounts.viewer import Grant, Viewer, scopes_of, viewer_for
from coordination.bilingual import language_or_default
from coordination.deliveries.models import Subscription
from coordination.deliveries.subscribing import Subscribed, subscribe


def owner_of_viewer(viewer: Viewer) -> str:
    """Return the key under which a person owns webhooks; "" for nobody."""
    return "" if viewer.uid is None else f"user:{viewer.uid}"


def owner_of_alliance(alliance: Alliance) -> str:
    """Return the key under which an alliance's secretariat owns webhooks."""
    return f"alliance:{alliance.slug}"


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
    if kind == "alliance":
        alliance = Alliance.objects.filter(slug=name).first()
        if alliance is None:
            return None
        return Viewer(None, grants=frozenset({Grant("secretariat", "alliance", alliance.pk)}))
    user = User.objects.filter(uid=UUID(name), is_active=True).first()
    if user is None:
        return None
    language = language_or_default(user.language)
    return viewer_for(user, at=at, language=language, token=token)


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
