"""Short forms of what tests of webhooks do: subscribe somebody, let the log be read, look."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from coordination.accounts.models import ApiToken, User
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.calendars.webhook_owners import make_webhook
from coordination.calendars.webhooks import WebhookNews
from coordination.changes.models import Counter
from coordination.deliveries.models import Cursor, Message, Subscription
from coordination.deliveries.sources import Rendered
from coordination.deliveries.subscribers import read_on
from tests.factories import AT

URL = "https://hooks.example.org/coordination"


def owner_of(viewer: Viewer) -> str:
    """Return the key of a viewer with an account."""
    return f"user:{User.objects.get(pk=viewer.user_id).uid}"


def hook(
    owner: Viewer | str,
    *,
    filters: Mapping[str, str] | None = None,
    kinds: Sequence[str] = (),
    name: str = "钩子",
    url: str = URL,
    token: ApiToken | None = None,
    at: datetime = AT,
) -> Subscription:
    """Make a webhook that hears of what happens from now on."""
    key = owner if isinstance(owner, str) else owner_of(owner)
    made = make_webhook(
        key, name=name, url=url, filters=filters, kinds=kinds, viewer=SYSTEM, at=at, token=token
    ).subscription
    end = Counter.objects.get(pk=1).value
    Cursor.objects.update_or_create(subscriber="webhooks", defaults={"number": end})
    return made


def hear(at: datetime = AT) -> None:
    """Let the log be read to its end."""
    while read_on(WebhookNews(), at=at):
        pass


def payloads(subscription: Subscription) -> list[dict[str, Any]]:
    """Return what was queued for a webhook, in the order in which it goes out."""
    messages = Message.objects.filter(endpoint=subscription.endpoint_id).order_by("pk")
    return [json.loads(Rendered.from_stored(message.rendered).text) for message in messages]


def told(subscription: Subscription) -> list[tuple[str, Any]]:
    """Let the log be read; return type and changed fields, or None, of what was queued."""
    hear()
    return [(one["type"], one["data"].get("changed")) for one in payloads(subscription)]
