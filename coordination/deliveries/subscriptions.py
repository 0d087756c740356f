"""Webhooks: which part of the news goes to which web address, and whose it is.

An owner is an opaque key: "user:<uid>" for oneself; the rooms above register further kinds, such
as an alliance's secretariat. None of it is tracked: it is nobody's agreed fact.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from coordination.accounts.viewer import Viewer

WEBHOOK = "webhook"


OwnerKeys = Callable[[Viewer], Iterable[str]]
_owner_keys: list[OwnerKeys] = []


def register_owner_keys(keys: OwnerKeys) -> None:
    """Add a function that names the owners a viewer may act for; for `AppConfig.ready`.

    Args:
        keys: takes a viewer, answers keys such as "alliance:jjj".
    """
    if keys not in _owner_keys:
        _owner_keys.append(keys)


def owner_keys_of(viewer: Viewer) -> frozenset[str]:
    """Return the keys of the owners that the viewer may act for: oneself, and who is registered."""
    own = set() if viewer.uid is None else {f"user:{viewer.uid}"}
    return frozenset(own.union(*(keys(viewer) for keys in _owner_keys)))


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Webhooks."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Webhooks that the viewer may keep; superusers see everybody's."""
        if viewer.is_unlimited:
            return self
        return self.filter(endpoint__owner__in=owner_keys_of(viewer))


class Subscription(models.Model):
    """What a webhook wants to hear of: an endpoint, and which part of the news goes there.

    What the filters mean is known to the rooms above; here they are kept.

    Attributes:
        endpoint: address, secret and condition.
        version: 1 when made, one more with each change by a person.
        filters: names and values, as the list of events takes them.
        kinds: kinds of news; none for all of them.
        standing: fingerprint of what the owner could see when last told; "" for never.
        token: token it was made with: it sees what the token may see, and ends with it.
        created_by: actor who made it.
        kept_by: actor who answers for it: who made it, or took it over; "" for who made it.
        keeper_left_at: instant at which it was noticed that they act for the owner no more.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    endpoint = models.OneToOneField(
        "deliveries.Endpoint", models.PROTECT, related_name="subscription"
    )
    version = models.PositiveIntegerField(_("version"), default=1)
    filters = models.JSONField(_("filters"), default=dict, blank=True)
    kinds = models.JSONField(_("kinds"), default=list, blank=True)
    standing = models.CharField(max_length=64, blank=True, default="")
    token = models.ForeignKey(
        "accounts.ApiToken", models.CASCADE, null=True, blank=True, related_name="+"
    )
    created_by = models.CharField(max_length=60)
    kept_by = models.CharField(max_length=60, blank=True, default="", db_default="")
    keeper_left_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    changed_at = models.DateTimeField(_("changed"), db_default=Now())

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.uid)

    @property
    def keeper(self) -> str:
        """Return the actor who answers for it."""
        return self.kept_by or self.created_by
