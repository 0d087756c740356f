"""Make, change and end webhooks; keep their secrets; send what failed again.

Whoever may act for the owner may keep a webhook. What the filters and kinds mean is checked by
the room that knows them, before it calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from coordination.accounts.models import ApiToken
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import (
    InvalidInput,
    NotAllowed,
    TransitionNotAllowed,
    invalid,
)
from coordination.deliveries import egress
from coordination.deliveries.egress import EgressRefused
from coordination.deliveries.models import Endpoint, Message, MessageState, Subscription
from coordination.deliveries.posting import PING, Piece, post
from coordination.deliveries.querysets import MessageQuerySet
from coordination.deliveries.signing import make_secret
from coordination.deliveries.subscriptions import WEBHOOK, owner_keys_of

BOTH_SECRETS_FOR = timedelta(hours=24)
MOST_OF_ONE_OWNER = 50
NAME_LENGTH = 100  # characters
PAUSED = "paused"
REMOVED = "removed"
Missed = Literal["replay", "skip"]

WHY_REFUSED: Mapping[str, Any] = {
    "https_only": _("The address must begin with https://."),
    "credentials_in_url": _("The address must not hold a user name or a password."),
    "port_not_allowed": _("This port is not open. Use https:// without a port."),
    "address_inside": _(
        "This address lies in a private network and is not reached. Give one that is open to the "
        "internet, or ask the operator to allow the network."
    ),
    "not_a_web_address": _("Give a full web address, for example https://example.org/hooks."),
}


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A webhook and, this once, its secret."""

    subscription: Subscription
    secret: str


def may_keep(viewer: Viewer, owner: str) -> bool:
    """Whether the viewer may keep webhooks of an owner."""
    return viewer.is_unlimited or owner in owner_keys_of(viewer)


def subscribe(
    owner: str,
    *,
    name: str,
    url: str,
    viewer: Viewer,
    at: datetime,
    filters: Mapping[str, str] | None = None,
    kinds: Sequence[str] = (),
    standing: str = "",
    token: ApiToken | None = None,
) -> Subscribed:
    """Make a webhook.

    Args:
        owner: key of whose view it has.
        name: what the owner recognises it by; each of the owner's has another.
        url: where to.
        viewer: who makes it.
        at: aware instant.
        filters: which events, as the list of events takes it.
        kinds: which kinds of news; none for all.
        standing: fingerprint of what the owner can see now.
        token: the token that asks: the webhook sees what it may see, and ends with it.

    Raises:
        NotAllowed: the viewer does not act for the owner.
        InvalidInput: the name or the address cannot be taken.
        TransitionNotAllowed: the owner has too many.
    """
    if not may_keep(viewer, owner):
        raise NotAllowed
    secret = make_secret()
    with transaction.atomic():
        others = Endpoint.objects.filter(channel=WEBHOOK, owner=owner, subscription__isnull=False)
        if others.count() >= MOST_OF_ONE_OWNER:
            raise TransitionNotAllowed(
                _("There are 50 webhooks already. Delete one that is not used."), code="too_many"
            )
        endpoint = Endpoint.objects.create(
            channel=WEBHOOK,
            owner=owner,
            name=_checked_name(name, owner),
            address=_checked_url(url),
            secret=secret,
            created_at=at,
        )
        subscription = Subscription.objects.create(
            endpoint=endpoint,
            filters=dict(filters or {}),
            kinds=sorted(set(kinds)),
            standing=standing,
            token=token,
            created_by=viewer.actor,
            created_at=at,
            changed_at=at,
        )
    return Subscribed(subscription, secret)


def revise_subscription(
    subscription: Subscription,
    *,
    viewer: Viewer,
    at: datetime,
    name: str | None = None,
    url: str | None = None,
    filters: Mapping[str, str] | None = None,
    kinds: Sequence[str] | None = None,
) -> Subscription:
    """Change what is given of a webhook. Messages that wait go to the new address.

    Raises:
        NotAllowed: the viewer does not act for the owner.
        InvalidInput: the name or the address cannot be taken.
    """
    endpoint = _kept(subscription, viewer)
    with transaction.atomic():
        if name is not None and name.strip() != endpoint.name:
            endpoint.name = _checked_name(name, endpoint.owner)
        if url is not None and url != endpoint.address:
            endpoint.address = _checked_url(url)
        endpoint.save(update_fields=["name", "address"])
        if filters is not None:
            subscription.filters = dict(filters)
        if kinds is not None:
            subscription.kinds = sorted(set(kinds))
        _touch(subscription, at)
    return subscription


def rotate_secret(subscription: Subscription, *, viewer: Viewer, at: datetime) -> Subscribed:
    """Give a webhook a new secret; for 24 hours the one before it signs too.

    Raises:
        NotAllowed: the viewer does not act for the owner.
    """
    endpoint = _kept(subscription, viewer)
    endpoint.previous_secret = endpoint.secret
    endpoint.previous_secret_until = at + BOTH_SECRETS_FOR
    endpoint.secret = make_secret()
    with transaction.atomic():
        endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
        _touch(subscription, at)
    return Subscribed(subscription, endpoint.secret)


def pause_subscription(subscription: Subscription, *, viewer: Viewer, at: datetime) -> Subscription:
    """Stop sending; what happens meanwhile waits, for 30 days at most.

    Raises:
        NotAllowed: the viewer does not act for the owner.
        TransitionNotAllowed: nothing is sent as it is.
    """
    endpoint = _kept(subscription, viewer)
    if endpoint.disabled_at is not None:
        raise TransitionNotAllowed(_("This webhook is switched off already."))
    with transaction.atomic():
        endpoint.disabled_at, endpoint.disabled_reason = at, PAUSED
        endpoint.save(update_fields=["disabled_at", "disabled_reason"])
        _touch(subscription, at)
    return subscription


def enable_subscription(
    subscription: Subscription, *, missed: Missed, viewer: Viewer, at: datetime
) -> Subscription:
    """Send again: what was missed first, or only what comes from now on.

    Args:
        subscription: one that is paused, switched off or failing.
        missed: "replay": what waits goes out, and what failed for good since the failures began
            is tried again; "skip": what waits is dropped, the receiver reads anew by itself.
        viewer: who decides.
        at: aware instant.

    Raises:
        NotAllowed: the viewer does not act for the owner.
        InvalidInput: the address may not be connected.
    """
    endpoint = _kept(subscription, viewer)
    _checked_url(endpoint.address)
    since = endpoint.failing_since or endpoint.disabled_at or at
    with transaction.atomic():
        if missed == "skip":
            _waiting(endpoint).update(state=MessageState.SUPERSEDED, reason="skipped")
        else:
            _waiting(endpoint).update(next_attempt_at=at, failures=0)
            _again(messages_of(subscription).filter(created_at__gte=since), at)
        Endpoint.objects.filter(pk=endpoint.pk).update(
            failures=0,
            failing_since=None,
            paused_until=None,
            disabled_at=None,
            disabled_reason="",
            owner_told_at=None,
        )
        endpoint.refresh_from_db()
        _touch(subscription, at)
    return subscription


def unsubscribe(subscription: Subscription, *, viewer: Viewer, at: datetime) -> None:
    """End a webhook: nothing more is sent from the next moment on. Its ledger stays.

    Raises:
        NotAllowed: the viewer does not act for the owner.
    """
    endpoint = _kept(subscription, viewer)
    with transaction.atomic():
        Message.objects.filter(endpoint=endpoint, state=MessageState.PENDING).update(
            state=MessageState.SUPERSEDED, reason="webhook_removed"
        )
        endpoint.name = str(endpoint.uid)  # the name is free for another
        endpoint.secret = endpoint.previous_secret = ""
        endpoint.disabled_at, endpoint.disabled_reason = at, REMOVED
        endpoint.save()
        subscription.delete()


def ping(subscription: Subscription, *, viewer: Viewer, at: datetime) -> Message:
    """Send a message that says nothing, so that the owner sees whether it arrives.

    Raises:
        NotAllowed: the viewer does not act for the owner.
        TransitionNotAllowed: nothing is sent as it is.
    """
    endpoint = _kept(subscription, viewer)
    if endpoint.disabled_at is not None:
        raise TransitionNotAllowed(_("This webhook is switched off. Switch it on first."))
    piece = Piece(
        subscription=subscription,
        source_id=f"ping:{uuid4()}",
        kind=PING,
        happened_at=at,
        data={"webhook": str(subscription.uid)},
    )
    return post([piece], at=at)[0]


def replay_messages(
    subscription: Subscription,
    *,
    viewer: Viewer,
    at: datetime,
    message: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Send again, under the same ids: one message, or all that failed for good in a span.

    Args:
        subscription: whose.
        viewer: who asks.
        at: aware instant.
        message: id of one message, sent or failed.
        since: instant from which on failed ones were made, included; None for the beginning.
        until: instant before which they were made; None for now.

    Returns:
        How many are due again.

    Raises:
        NotAllowed: the viewer does not act for the owner.
        InvalidInput: there is no such message, its content is no longer kept, or the span ends
            before it begins.
    """
    _kept(subscription, viewer)
    if since is not None and until is not None and until <= since:
        raise invalid("until", _("The end must be after the beginning."))
    chosen = messages_of(subscription)
    if message is None:
        if since is not None:
            chosen = chosen.filter(created_at__gte=since)
        if until is not None:
            chosen = chosen.filter(created_at__lt=until)
        return _again(chosen, at)
    found = chosen.filter(uid=message).exclude(state=MessageState.PENDING)
    count = _due_again(found.exclude(rendered=""), at)
    if not count:
        raise invalid(
            "message", _("There is no such message, it still waits, or it is over 90 days old.")
        )
    return count


def messages_of(subscription: Subscription) -> MessageQuerySet:
    """Return what was and will be sent to a webhook."""
    return Message.objects.filter(endpoint=subscription.endpoint_id)


def state_of(disabled_at: datetime | None, disabled_reason: str) -> str:
    """Return "active", "paused" (by its owner) or "disabled" (after failures)."""
    if disabled_at is None:
        return "active"
    return "paused" if disabled_reason == PAUSED else "disabled"


def _kept(subscription: Subscription, viewer: Viewer) -> Endpoint:
    endpoint: Endpoint = subscription.endpoint
    if not may_keep(viewer, endpoint.owner):
        raise NotAllowed
    return endpoint


def _touch(subscription: Subscription, at: datetime) -> None:
    subscription.version += 1
    subscription.changed_at = at
    subscription.save()


def _waiting(endpoint: Endpoint) -> MessageQuerySet:
    return Message.objects.filter(endpoint=endpoint, state=MessageState.PENDING, lease="")


def _again(messages: MessageQuerySet, at: datetime) -> int:
    return _due_again(messages.dead().exclude(rendered=""), at)


def _due_again(messages: MessageQuerySet, at: datetime) -> int:
    return messages.update(
        state=MessageState.PENDING,
        reason="",
        failures=0,
        next_attempt_at=at,
        first_tried_at=None,
        sent_at=None,
        expires_at=None,
    )


def _checked_url(url: str) -> str:
    """Return the address if it may be connected, as far as it tells.

    Raises:
        InvalidInput: it may not; the message says why.
    """
    url = url.strip()
    try:
        egress.check(url)
    except EgressRefused as refused:
        raise invalid("url", WHY_REFUSED[refused.code], code=refused.code) from None
    return url


def _checked_name(name: str, owner: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise _refused_name(_("Give the webhook a name of at most 100 characters."))
    if Endpoint.objects.filter(channel=WEBHOOK, owner=owner, name=name).exists():
        raise _refused_name(_("There is a webhook of this name already."), code="taken")
    return name


def _refused_name(message: Any, *, code: str = "invalid") -> InvalidInput:
    return invalid("name", message, code=code)
