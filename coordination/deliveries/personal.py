"""What a reader wishes, and what lies in a reader's inbox.

Neither is tracked: how somebody wants to be told, and what they have read, is nobody's agreed
fact. Both hang on a recipient's key, so that this room need not know people.
"""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from coordination.accounts.viewer import Viewer
from coordination.deliveries.recipients import own_recipients

KEY_LENGTH = 80  # as models.RECIPIENT_LENGTH


class Digest(models.TextChoices):
    """When several messages of one reader go out together."""

    AT_ONCE = "at_once", _("each at once")
    QUARTER_HOUR = "quarter_hour", _("together, every quarter of an hour")
    MORNING = "morning", _("together, every morning")
    WEEKLY = "weekly", _("together, on Monday morning")


class Wishes(models.Model):
    """How a reader wants to be told. Whoever has no row gets each message at once.

    Attributes:
        recipient: key of the reader.
        channels: kind of news to list of "email", "inbox"; a kind that is left out goes over both.
        digest: window in which mail is gathered; the inbox is never kept waiting.
        quiet_from, quiet_until: wall times in the reader's zone between which no mail goes out;
            half-open, may reach over midnight; both or neither.
    """

    recipient = models.CharField(max_length=KEY_LENGTH, unique=True)
    channels = models.JSONField(_("channels"), default=dict, blank=True)
    digest = models.CharField(
        _("mail"), max_length=12, choices=Digest.choices, default=Digest.AT_ONCE
    )
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("wishes")
        verbose_name_plural = _("wishes")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_both_ends",
            ),
            models.CheckConstraint(
                condition=models.Q(digest__in=Digest.values), name="digest_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.recipient

    def takes(self, news: str, channel: str) -> bool:
        """Whether news of this kind is wanted over a channel."""
        wanted = self.channels.get(news)
        return True if wanted is None else channel in wanted


class InboxQuerySet(models.QuerySet["InboxItem"]):
    """Messages in inboxes."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those of the viewer's own inbox; nobody reads another's, superusers neither."""
        own = own_recipients(viewer)
        return self.none() if own is None else self.filter(recipient__in=own)

    def unread(self) -> Self:
        """Those that have not been read."""
        return self.filter(read_at__isnull=True)


class InboxItem(models.Model):
    """A message as it lies in one reader's inbox.

    Attributes:
        message_uid: uid of the message that brought it: brought twice, it lies there once.
        news: kind of news.
        url: where it is about, an address of this installation or ""; opened from the inbox.
        about_type, about_uid: what it is about, as in the ledger.
        read_at: null while unread.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    recipient = models.CharField(max_length=KEY_LENGTH)
    message_uid = models.UUIDField(unique=True, editable=False)
    news = models.CharField(max_length=12)
    subject = models.CharField(max_length=500)
    text = models.TextField(blank=True)
    language = models.CharField(max_length=10)
    url = models.CharField(max_length=500, blank=True)
    about_type = models.CharField(max_length=60, blank=True)
    about_uid = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(_("arrived"))
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    objects = InboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("message in an inbox")
        verbose_name_plural = _("messages in inboxes")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["recipient", "id"], name="inbox_item_by_recipient"),
            models.Index(
                fields=["recipient"],
                condition=models.Q(read_at__isnull=True),
                name="inbox_item_unread",
            ),
            models.Index(fields=["created_at"], name="inbox_item_by_age"),
        ]

    def __str__(self) -> str:
        return self.subject
