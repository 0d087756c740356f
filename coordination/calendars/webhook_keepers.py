"""Tell a secretariat, once and by mail, that who answered for one of its webhooks has left.

The webhook goes on, because it is the alliance's: an office's own system hangs on it. But whoever
set it up knows its secret, and may have led it to an address of their own. So somebody who works
there now should look at it, and take it over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from alliances.actors import names_of_actors
from coordination.bilingual import language_or_default
from coordination.calendars.webhook_notices import keepers_of
from coordination.deliveries.fanout import Cause, enqueue
from coordination.deliveries.models import Delivery, Subscription
from coordination.deliveries.news import News
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Rendered

KIND = "webhook_keeper_notice"


def tell_staff(webhook: Subscription, *, at: datetime) -> None:
    """Queue the mail for each who works in the secretariat that owns a webhook."""
    cause = Cause(
        source=KIND,
        source_id=_source_id(webhook),
        due_at=at,
        send_after=at,
        about_type="deliveries.endpoint",
        about_uid=webhook.endpoint.uid,
    )
    enqueue(keepers_of(webhook.endpoint.owner, at=at), channel="email", cause=cause)


def keeper_in_words(webhook: Subscription, language: str) -> str:
    """Return the name of who answers for a webhook, in a language."""
    return name_in_words(webhook.keeper, language)


def name_in_words(actor: str, language: str) -> str:
    """Return an actor's name, or a word for whoever has none."""
    with override(language):
        nobody = _("the system") if actor == "system" else _("somebody")
    return names_of_actors([actor], language).get(actor, nobody)


class KeeperNotices:
    """The source of mails about webhooks that nobody answers for; the watch makes them."""

    kind = KIND
    news = News.CHASING  # it asks for a decision: it cannot be stopped

    def fire_next(self, at: datetime) -> bool:
        """Nothing falls due by itself."""
        return False

    def oldest_due_at(self, at: datetime) -> datetime | None:
        """Nothing falls due by itself."""
        return None

    def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
        """Drop the mail when somebody took it over, or it was ended."""
        webhook = _webhook_of(delivery)
        if webhook is None:
            return "webhook_removed"
        return "" if _source_id(webhook) == delivery.source_id else "webhook_taken_over"

    def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
        """Say which one, who left, and what to do.

        Raises:
            LookupError: it is not there any more.
        """
        webhook = _webhook_of(deliveries[0])
        if webhook is None:
            raise LookupError("the webhook of this mail is not there")
        language = language_or_default(reader.language)
        name = keeper_in_words(webhook, language)
        with override(language):
            path = reverse("calendars:webhook", args=[webhook.uid])
            values = {
                "name": webhook.endpoint.name,
                "person": name,
                "url": webhook.endpoint.address,
                "page": f"{settings.COORDINATION_BASE_URL}{path}",
            }
            subject = _("Who answers for the webhook “%(name)s”?") % values
            text = _(
                "%(person)s, who answered for the webhook “%(name)s”, no longer works in the "
                "secretariat. It belongs to the alliance and goes on, to this address:\n"
                "%(url)s\n\n"
                "See that the address is still yours, then take the webhook over and give it a "
                "new secret, or delete it:\n%(page)s"
            )
            return Rendered(subject=subject, text=text % values, language=language)


def _webhook_of(delivery: Delivery) -> Subscription | None:
    if delivery.about_uid is None:
        return None
    rows = Subscription.objects.select_related("endpoint")
    return rows.filter(endpoint__uid=delivery.about_uid).first()


def _source_id(webhook: Subscription) -> str:
    left = webhook.keeper_left_at
    return f"{webhook.pk}:{left.timestamp() if left else ''}"
