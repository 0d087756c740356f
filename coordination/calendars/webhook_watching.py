"""Notice what becomes of the people and tokens behind webhooks, whatever tells it.

Seats and memberships are changes of the log: they are looked at when the log is read. An account
that is closed, a superuser who is one no more, a token that is revoked or runs out stand in no
log: every round of the loop looks at those, by two queries, and reckons rights anew only where
something moved.

- An owner who sees through other scopes is told `access.changed`: what left and what came is
  the sync address' to say.
- A webhook whose token ended, or lost the rights of who made it, is switched off; its owner is
  told (`webhook_notices`).
- A secretariat's webhook goes on when whoever answers for it has left: it is the alliance's. Its
  staff are told once (`webhook_keepers`), and its page says so until somebody takes it over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import transaction

from alliances.models import Alliance
from coordination.accounts.models import User
from coordination.accounts.viewer import Viewer, viewer_for
from coordination.calendars.webhook_keepers import tell_staff
from coordination.calendars.webhook_notices import TOKEN_ENDED
from coordination.calendars.webhook_owners import alliance_named_by, standing_of, view_of
from coordination.deliveries.circuit import disable_endpoint
from coordination.deliveries.models import Subscription
from coordination.deliveries.posting import Piece, post

ACCESS: Final = "access.changed"
NOBODY: Final = "nobody"  # the standing of a webhook in whose name nobody looks
USER: Final = "user"
Views = dict[int, Viewer | None]
"""With whose eyes each webhook looks, by its key."""


def all_webhooks() -> list[Subscription]:
    """Return all webhooks with their endpoints and tokens, in the order they were made."""
    return list(Subscription.objects.select_related("endpoint", "token__user").order_by("pk"))


def views_of(webhooks: Iterable[Subscription], *, at: datetime) -> Views:
    """Return the views of webhooks; those of one owner are looked up once."""
    known: dict[tuple[str, int | None], Viewer | None] = {}
    views: Views = {}
    for webhook in webhooks:
        key = (webhook.endpoint.owner, webhook.token_id)
        if key not in known:
            known[key] = view_of(webhook, at=at)
        views[webhook.pk] = known[key]
    return views


def review(
    webhooks: Sequence[Subscription], views: Views, *, happened_at: datetime, at: datetime
) -> None:
    """Note the rights with which webhooks look, and tell those whose rights are others now.

    Args:
        webhooks: as read.
        views: of them, as they are now.
        happened_at: instant of what moved them.
        at: the database's time.
    """
    pieces = []
    for webhook in webhooks:
        viewer = views[webhook.pk]
        if _is_noted(webhook, NOBODY if viewer is None else standing_of(viewer)):
            continue
        if viewer is None:
            _end_with_token(webhook, at=at)
        elif not webhook.kinds or ACCESS in webhook.kinds:
            pieces.append(_access_piece(webhook, happened_at))
    if pieces:
        post(pieces, at=at)


def _is_noted(webhook: Subscription, standing: str) -> bool:
    """Whether the standing is the one noted already, or the first; else it is noted now.

    Two loops that look at the same time note it once.
    """
    known, webhook.standing = webhook.standing, standing
    if standing == known:
        return True
    rows = Subscription.objects.filter(pk=webhook.pk, standing=known)
    return not rows.update(standing=standing) or not known


def _end_with_token(webhook: Subscription, *, at: datetime) -> None:
    if webhook.token_id is not None and webhook.endpoint.disabled_at is None:
        disable_endpoint(webhook.endpoint_id, reason=TOKEN_ENDED, at=at)


def _access_piece(webhook: Subscription, happened_at: datetime) -> Piece:
    query = urlencode(sorted(webhook.filters.items()))
    address = f"{settings.COORDINATION_BASE_URL}/api/v1/sync/"
    return Piece(
        subscription=webhook,
        source_id=f"access:{webhook.standing[:16]}:{happened_at.isoformat()}",
        kind=ACCESS,
        happened_at=happened_at,
        data={"url": f"{address}?{query}" if query else address},
        lane="access",
    )


def review_keepers(webhooks: Iterable[Subscription], *, at: datetime) -> None:
    """Note who has left the secretariat whose webhook they answer for; tell its staff, once."""
    acting: dict[tuple[str, str], bool] = {}
    for webhook in webhooks:
        alliance = alliance_named_by(webhook.endpoint.owner)
        if alliance is None:
            continue
        key = (webhook.keeper, alliance.slug)
        if key not in acting:
            acting[key] = _acts_for(webhook.keeper, alliance, at=at)
        _note_keeper(webhook, has_left=not acting[key], at=at)


def _acts_for(keeper: str, alliance: Alliance, *, at: datetime) -> bool:
    """Whether an actor works in the alliance's secretariat; background work and superusers do."""
    kind, _colon, uid = keeper.partition(":")
    if kind != USER:
        return True
    user = User.objects.filter(uid=UUID(uid), is_active=True).first()
    if user is None:
        return False
    viewer = viewer_for(user, at=at, language=user.language)
    return viewer.is_unlimited or viewer.has("secretariat", "alliance", alliance.pk)


def _note_keeper(webhook: Subscription, *, has_left: bool, at: datetime) -> None:
    if has_left == (webhook.keeper_left_at is not None):
        return
    rows = Subscription.objects.filter(pk=webhook.pk, keeper_left_at=webhook.keeper_left_at)
    if not rows.update(keeper_left_at=at if has_left else None):
        return
    webhook.keeper_left_at = at if has_left else None
    if has_left:
        tell_staff(webhook, at=at)


class Watch:
    """What one loop knows of the accounts and tokens behind webhooks."""

    def __init__(self) -> None:
        """Begin without knowing any: everything is looked at once."""
        self._known: dict[int, Any] = {}

    def look(self, at: datetime) -> bool:
        """Review the webhooks behind which something moved since the last look.

        Args:
            at: the database's time.

        Returns:
            Whether something did.
        """
        webhooks = all_webhooks()
        facts = _facts_of(webhooks, at=at) if webhooks else {}
        moved = [one for one in webhooks if self._known.get(one.pk) != facts[one.pk]]
        if moved:
            with transaction.atomic():
                review(moved, views_of(moved, at=at), happened_at=at, at=at)
                review_keepers(moved, at=at)
        self._known = facts
        return bool(moved)


def _facts_of(webhooks: Collection[Subscription], *, at: datetime) -> dict[int, Any]:
    """Return, for each webhook, what the log does not tell: accounts and token as they are."""
    actors = {key for one in webhooks for key in (one.endpoint.owner, one.keeper)}
    uids = [key.partition(":")[2] for key in actors if key.startswith(f"{USER}:")]
    rows = User.objects.filter(uid__in=uids).order_by()
    accounts = {
        f"{USER}:{uid}": rights
        for uid, *rights in rows.values_list("uid", "is_active", "is_superuser")
    }
    return {
        one.pk: (
            accounts.get(one.endpoint.owner),
            (one.keeper, accounts.get(one.keeper)),
            one.token and (one.token.is_live(at), _rights(one.token.user)),
        )
        for one in webhooks
    }


def _rights(user: User) -> tuple[bool, bool]:
    return user.is_active, user.is_superuser
