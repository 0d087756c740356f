"""Tell the owner of a webhook, once and by mail, that it was switched off.

It happens after five days of failures, when the receiver says that it is gone, when the address
leads into our own network, or when the token ended that it was made with. Whoever owns it decides
afterwards whether what was missed is sent; after the end of a token, whether it goes on without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from alliances.models import BodyKind, Seat, SeatRole
from coordination.accounts.models import User
from coordination.accounts.preferring import mark_bounced
from coordination.bilingual import language_or_default
from coordination.deliveries.fanout import Cause, enqueue
from coordination.deliveries.models import Delivery, Endpoint
from coordination.deliveries.news import News
from coordination.deliveries.querysets import EndpointQuerySet
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Rendered
from coordination.deliveries.subscribing import PAUSED, REMOVED
from coordination.deliveries.subscriptions import WEBHOOK

KIND = "webhook_notice"
TOKEN_ENDED = "token_ended"


class Accounts:
    """The address book of accounts: "user:<uid>"."""

    def readers(self, recipients: Iterable[str], channel: str) -> Mapping[str, Reader]:
        """Return the reader of each key whose account is open; one query."""
        keys = {key.partition(":")[2]: key for key in recipients}
        users = User.objects.filter(uid__in=[UUID(uid) for uid in keys], is_active=True)
        return {keys[str(user.uid)]: _reader(user, keys[str(user.uid)]) for user in users}

    def mark_bounced(self, recipient: str, channel: str, address: str, at: datetime) -> None:
        """Take note that mail to the address came back."""
        mark_bounced(address, reason="", at=at)


def _reader(user: User, key: str) -> Reader:
    return Reader(
        recipient=key,
        address=user.email if user.can_get_mail else "",
        name=user.username,
        language=language_or_default(user.language),
        time_zone=user.time_zone,
    )


class WebhookNotices:
    """The source of mails about webhooks that were switched off."""

    kind = KIND
    news = News.CHASING  # it asks for a decision: it cannot be stopped

    def fire_next(self, at: datetime) -> bool:
        """Tell the owner of one webhook; return whether there was one."""
        with transaction.atomic():
            endpoint = _untold().order_by("pk").first()
            if endpoint is None:
                return False
            rows = Endpoint.objects.filter(pk=endpoint.pk, owner_told_at__isnull=True)
            if rows.update(owner_told_at=at):
                cause = Cause(
                    source=KIND,
                    source_id=_source_id(endpoint),
                    due_at=at,
                    send_after=at,
                    about_type="deliveries.endpoint",
                    about_uid=endpoint.uid,
                )
                enqueue(keepers_of(endpoint.owner, at=at), channel="email", cause=cause)
        return True

    def oldest_due_at(self, at: datetime) -> datetime | None:
        """Return since when an owner has not been told; None when all have."""
        found = _untold().order_by("disabled_at").values_list("disabled_at", flat=True)
        return found.first()

    def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
        """Drop the mail when it is on again, or was ended."""
        endpoint = _endpoint_of(delivery)
        if endpoint is None or _source_id(endpoint) != delivery.source_id:
            return "webhook_on_again"
        return "webhook_removed" if endpoint.disabled_reason == REMOVED else ""

    def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
        """Say which one, why, and what to do.

        Raises:
            LookupError: it is not there any more.
        """
        endpoint = _endpoint_of(deliveries[0])
        if endpoint is None:
            raise LookupError("the endpoint of this mail is not there")
        language = language_or_default(reader.language)
        with override(language):
            path = reverse("calendars:webhook", args=[endpoint.subscription.uid])
            values = {
                "name": endpoint.name,
                "url": endpoint.address,
                "reason": reason_in_words(endpoint.disabled_reason),
                "page": f"{settings.COORDINATION_BASE_URL}{path}",
            }
            subject = _("The webhook “%(name)s” was switched off") % values
            text = _text(endpoint.disabled_reason)
            return Rendered(subject=subject, text=text % values, language=language)


def _text(reason: str) -> str:
    """Return the words of the mail in the language in force, with blanks for its values."""
    if reason == TOKEN_ENDED:
        return _(
            "The webhook “%(name)s” gets nothing more: %(reason)s\n"
            "Address: %(url)s\n\n"
            "What happens meanwhile is not kept for it. If your program still needs it, take it "
            "over, switch it on again and let the program read everything anew; otherwise delete "
            "it:\n%(page)s"
        )
    return _(
        "The webhook “%(name)s” gets nothing more: %(reason)s\n"
        "Address: %(url)s\n\n"
        "What happens meanwhile waits for 30 days. Mend the receiver, then switch the "
        "webhook on again and choose whether what was missed is sent:\n%(page)s"
    )


def reason_in_words(reason: str) -> str:
    """Return why an endpoint was switched off, as a sentence in the language in force."""
    if not reason:
        return ""
    words = {
        PAUSED: _("It was paused by its owner."),
        "failing_for_days": _("For five days nothing has arrived."),
        "http_410": _("The receiver said that it is gone for good (410)."),
        TOKEN_ENDED: _(
            "The token that it was made with has ended, or whoever made it acts for its owner no "
            "more."
        ),
        "address_inside": _("Its address leads into a private network, which is not reached."),
    }
    return words.get(reason) or _("Its address may not be connected (%(code)s).") % {"code": reason}


def keepers_of(owner: str, *, at: datetime) -> list[str]:
    """Return the keys of those who are told about an owner's webhooks: oneself, or its staff."""
    kind, _colon, name = owner.partition(":")
    if kind != "alliance":
        return [owner]
    staff = Seat.objects.active_on(at.date()).filter(
        role=SeatRole.STAFF, body__kind=BodyKind.SECRETARIAT, body__alliance__slug=name
    )
    uids = staff.order_by("person").values_list("person__uid", flat=True)
    return [f"person:{uid}" for uid in dict.fromkeys(uids)]


def _untold() -> EndpointQuerySet:
    return Endpoint.objects.filter(
        channel=WEBHOOK, disabled_at__isnull=False, owner_told_at__isnull=True
    ).exclude(disabled_reason__in=[PAUSED, REMOVED])


def _endpoint_of(delivery: Delivery) -> Endpoint | None:
    uid = delivery.about_uid
    return None if uid is None else Endpoint.objects.filter(uid=uid).first()


def _source_id(endpoint: Endpoint) -> str:
    since = endpoint.disabled_at
    return f"{endpoint.pk}:{since.timestamp() if since else ''}"
