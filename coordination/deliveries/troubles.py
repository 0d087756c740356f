"""Tell whoever keeps an endpoint that it was switched off: by mail, once, with what to do.

A source like others: it finds endpoints that were switched off and whose owner has not been told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from coordination.bilingual import language_or_default
from coordination.deliveries.fanout import Cause, fan_out
from coordination.deliveries.grouping import REMOVED
from coordination.deliveries.models import Delivery, Endpoint
from coordination.deliveries.news import News
from coordination.deliveries.owners import keepers_of, name_of_owner
from coordination.deliveries.recipients import Reader
from coordination.deliveries.robot_words import explain
from coordination.deliveries.sources import Item, Rendered
from coordination.deliveries.transports.robots import ROBOTS

OWN_DECISIONS = (REMOVED, "paused")


class Troubles:
    """The source "endpoint_trouble": one cause is one endpoint, switched off once."""

    kind = "endpoint_trouble"
    news = News.CHASING

    def fire_next(self, at: datetime) -> bool:
        """Tell the keepers of one endpoint; return whether there was one."""
        with transaction.atomic():
            rows = _untold().order_by("pk")
            if connection.features.has_select_for_update_skip_locked:
                rows = rows.select_for_update(skip_locked=True)
            endpoint = rows.first()
            if endpoint is None:
                return False
            keepers = keepers_of(endpoint.owner, on=at.date())
            if keepers is not None:
                fan_out(keepers, channel="email", cause=_cause(endpoint, at))
            Endpoint.objects.filter(pk=endpoint.pk).update(owner_told_at=at)
        return True

    def oldest_due_at(self, at: datetime) -> datetime | None:
        """Return since when an owner should have been told; None when none should."""
        return _untold().order_by("disabled_at").values_list("disabled_at", flat=True).first()

    def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
        """Return "mended" when the endpoint works again, else ""."""
        uids = [uid for uid in (delivery.about_uid,) if uid is not None]
        endpoint = Endpoint.objects.filter(uid__in=uids).first()
        if endpoint is None or endpoint.disabled_at is None:
            return "mended"
        return "" if reader.address else "no_address"

    def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
        """Say which robots were switched off, why, and where they are mended."""
        language = language_or_default(reader.language)
        uids = [row.about_uid for row in deliveries if row.about_uid is not None]
        endpoints = Endpoint.objects.filter(uid__in=uids).order_by("pk")
        with override(language):
            items = tuple(_item(endpoint, language) for endpoint in endpoints)
            context = {"reader": reader, "items": items, "language": language}
            return Rendered(
                subject=_("%(name)s no longer works") % {"name": items[0].title},
                text=render_to_string("deliveries/mail/trouble.txt", context),
                html=render_to_string("deliveries/mail/trouble.html", context),
                language=language,
                items=items,
            )


def _untold() -> QuerySet[Endpoint]:
    rows: QuerySet[Endpoint] = Endpoint.objects.filter(
        disabled_at__isnull=False, owner_told_at__isnull=True, channel__in=list(ROBOTS)
    ).exclude(disabled_reason__in=OWN_DECISIONS)
    return rows


def _cause(endpoint: Endpoint, at: datetime) -> Cause:
    """Return the cause; an endpoint that is switched off again is another one."""
    since = endpoint.disabled_at or at
    return Cause(
        source=Troubles.kind,
        source_id=f"{endpoint.uid}:{since.timestamp():.0f}",
        due_at=at,
        send_after=at,
        about_type="deliveries.endpoint",
        about_uid=endpoint.uid,
        urgent=True,
    )


def _item(endpoint: Endpoint, language: str) -> Item:
    title = _("The robot “%(name)s” of %(owner)s") % {
        "name": endpoint.name,
        "owner": name_of_owner(endpoint.owner, language),
    }
    url = f"{settings.COORDINATION_BASE_URL}/robots/{endpoint.uid}/"
    return Item(title, str(explain(endpoint.disabled_reason)), url)
