"""The ledger of what leaves the building, and the queue it is sent from: one and the same rows.

Who must be told what is a `Delivery`; what is sent is a `Message` (one or more deliveries of one
reader); each try is an `Attempt`. The database is the queue, the schedule and the proof: whatever
a broker or a process loses, these rows still say what is owed.

None of it is tracked by the change log: it is a log of its own. A recipient is an opaque key
("user:<uid>"), so that this room needs to know neither persons nor organizations.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from coordination.deliveries.personal import InboxItem, Wishes
from coordination.deliveries.pulse import Cursor, Heartbeat
from coordination.deliveries.querysets import DeliveryQuerySet, EndpointQuerySet, MessageQuerySet
from coordination.deliveries.subscriptions import Subscription

__all__ = [
    "Attempt", "AttemptOutcome", "Channel", "Cursor", "Delivery", "Endpoint", "Heartbeat",
    "HoldPeriod", "InboxItem", "Message", "MessageState", "Subscription", "Wishes",
]  # fmt: skip

RECIPIENT_LENGTH = 80
CHANNEL_LENGTH = 20
LANE_LENGTH = 60
TOLD_ONCE = ("source_id", "endpoint", "source", "generation")
"""Columns of the ledger's key: an endpoint has one owner and one channel, so they say who is told
what over which way. The two that tell most come first: others are rarely compared."""


class Endpoint(models.Model):
    """A way to reach someone: a person's mail address, a web address, a group's robot.

    Attributes:
        owner: opaque key of the recipient who is reached here.
        name: "" for the owner's own address, which follows the address book; otherwise what
            tells several endpoints of one owner apart.
        address: where messages go; for a person, as it was when last written to.
        language: language of messages to an endpoint that is no person ("" for persons).
        failures: passing failures in a row; from the fifth on only one probe at a time is sent.
        paused_until: nothing is sent before this instant.
        failing_since: instant of the first failure of the present row of failures.
        disabled_at: nothing is sent from this instant on, until staff enable it.
        bounced_at: instant at which the other side said that the address does not exist.
        previous_secret: also signs, until `previous_secret_until`, after the secret was changed.
        tokens: sends left in the rate limit's bucket, as of `tokens_at`.
        signing_key: second secret of a robot that signs; `secret` is the one in its address.
        keyword: word that a robot asks for in every message.
        mentions: whom a robot calls by name: its own ids of people, or "all", parted by spaces.
        owner_told_at: the owner was told that this endpoint was switched off.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.CharField(_("channel"), max_length=CHANNEL_LENGTH)
    owner = models.CharField(_("owner"), max_length=RECIPIENT_LENGTH)
    name = models.CharField(_("name"), max_length=100, blank=True, default="")
    address = models.CharField(_("address"), max_length=500, blank=True, default="")
    language = models.CharField(_("language"), max_length=10, blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=63, blank=True, default="")
    secret = models.CharField(max_length=200, blank=True, default="")
    previous_secret = models.CharField(max_length=200, blank=True, default="")
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, db_default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    disabled_at = models.DateTimeField(_("disabled"), null=True, blank=True)
    disabled_reason = models.CharField(max_length=60, blank=True, default="")
    bounced_at = models.DateTimeField(_("address refused"), null=True, blank=True)
    tokens = models.FloatField(null=True, blank=True)
    tokens_at = models.DateTimeField(null=True, blank=True)
    signing_key = models.CharField(max_length=200, blank=True, default="", db_default="")
    keyword = models.CharField(_("keyword"), max_length=100, blank=True, default="", db_default="")
    mentions = models.CharField(
        _("whom to mention"), max_length=500, blank=True, default="", db_default=""
    )
    owner_told_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "owner", "name"], name="endpoint_is_named_once_for_its_owner"
            )
        ]
        indexes = [
            models.Index(
                fields=["channel"],
                condition=models.Q(failures__gte=5)
                | models.Q(disabled_at__isnull=False)
                | models.Q(paused_until__isnull=False),
                name="endpoint_that_may_stand_still",
            )
        ]

    def __str__(self) -> str:
        return self.address or self.owner


class Channel(models.Model):
    """The state of a whole channel: a mail server that is away, or that refuses *us*.

    Attributes:
        failures: failures in a row that were the channel's and not an endpoint's.
        paused_until: nothing is sent over this channel before this instant.
        succeeded_at: instant of the last thing that went through (rounded to a minute).
    """

    name = models.CharField(_("channel"), max_length=CHANNEL_LENGTH, primary_key=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, db_default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="", db_default="")
    succeeded_at = models.DateTimeField(_("last success"), null=True, blank=True)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class MessageState(models.TextChoices):
    """What became of a message. Only a pending one is ever sent."""

    PENDING = "pending", _("pending")
    SENT = "sent", _("sent")
    DEAD = "dead", _("failed for good")
    EXPIRED = "expired", _("too late")
    SUPERSEDED = "superseded", _("no longer wanted")
    HELD = "held", _("held back")


class Message(models.Model):
    """What is sent: one or more deliveries of one reader over one channel.

    Attributes:
        uid: name-based (version 5) from its deliveries' keys; the same in every copy ever sent,
            as Message-ID or webhook-id.
        never_twice: rather held back than sent again when it is unknown whether it went out.
        attempts: how often it was claimed and, as far as can be known, begun.
        failures: passing failures since it was made, or replayed; drives the back-off.
        next_attempt_at: when it may be claimed.
        lease: token of the worker that has claimed it; "" for nobody.
        leased_until: from this instant on it may be claimed again; null for nobody's.
        lane: messages of one endpoint and lane go out one after the other, in the order in which
            they were made; "" for any order.
        in_doubt: it may have been begun under a claim that ended without an outcome: a copy may
            be out.
        begun_at: handed to the transport at this instant (only kept where `never_twice`).
        first_tried_at: instant of the first claim, which the text counts from.
        expires_at: not sent from this instant on.
        reason: code that explains any state but pending and sent.
        error: what the other side said last.
        rendered: the content, fixed by the first try; emptied after 90 days.
    """

    uid = models.UUIDField(unique=True, editable=False)
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="messages")
    recipient = models.CharField(_("recipient"), max_length=RECIPIENT_LENGTH)
    channel = models.CharField(_("channel"), max_length=CHANNEL_LENGTH)
    source = models.CharField(_("source"), max_length=40)
    never_twice = models.BooleanField(default=False, db_default=False)
    state = models.CharField(
        _("state"),
        max_length=12,
        choices=MessageState.choices,
        default=MessageState.PENDING,
        db_default=MessageState.PENDING,
    )
    reason = models.CharField(_("reason"), max_length=60, blank=True, default="", db_default="")
    error = models.CharField(_("answer"), max_length=500, blank=True, default="", db_default="")
    attempts = models.PositiveIntegerField(_("attempts"), default=0, db_default=0)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    lease = models.CharField(max_length=32, blank=True, default="", db_default="")
    leased_until = models.DateTimeField(null=True, blank=True)
    lane = models.CharField(
        max_length=LANE_LENGTH, blank=True, default="", db_default="", editable=False
    )
    in_doubt = models.BooleanField(default=False, db_default=False)
    begun_at = models.DateTimeField(null=True, blank=True)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    rendered = models.TextField(blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("created"), db_default=Now())

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=MessageState.values),
                name="message_is_in_a_known_state",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="sent") | models.Q(sent_at__isnull=False),
                name="sent_message_knows_when",
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "next_attempt_at", "id"],
                condition=models.Q(state="pending"),
                name="message_still_pending",
            ),
            models.Index(fields=["recipient", "id"], name="message_by_recipient"),
            models.Index(
                fields=["endpoint", "id"],
                condition=models.Q(state__in=["pending", "dead", "held"]),
                name="message_open_by_endpoint",
            ),
            models.Index(
                fields=["endpoint", "lane", "id"],
                condition=models.Q(state="pending") & ~models.Q(lane=""),
                name="message_in_its_lane",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)


class Delivery(models.Model):
    """That someone must be told something: a line of the ledger.

    Attributes:
        source: kind of what caused it, "reminder".
        source_id: which one of that kind, as text.
        generation: raised when the same source speaks again (an event moved).
        about_type, about_uid: what it is about, for the ledger of an event.
        digest: deliveries of one endpoint and source with the same word here share a message;
            "" stands alone.
        lane: see `Message.lane`; deliveries of several lanes never share a message.
        urgent: neither quiet hours nor a digest keep it waiting, and it goes over some channel
            whatever the reader wishes.
        due_at: when the source fell due.
        send_after: not sent before (quiet hours, digests).
        expires_at: worthless from this instant on (the event begins); null for never.
        message: the message it was put into; null until then.
        dropped_reason: why it was left out of its message; "" when it was not.
    """

    source = models.CharField(_("source"), max_length=40)
    source_id = models.CharField(max_length=64)
    generation = models.PositiveIntegerField(default=1, db_default=1)
    recipient = models.CharField(_("recipient"), max_length=RECIPIENT_LENGTH)
    channel = models.CharField(_("channel"), max_length=CHANNEL_LENGTH)
    endpoint = models.ForeignKey(  # chosen by the statement that inserts: no trigger looks again
        Endpoint, models.PROTECT, related_name="deliveries", db_index=False, db_constraint=False
    )
    about_type = models.CharField(max_length=60, blank=True, default="", db_default="")
    about_uid = models.UUIDField(null=True, blank=True)
    digest = models.CharField(max_length=80, blank=True, default="", db_default="")
    lane = models.CharField(
        max_length=LANE_LENGTH, blank=True, default="", db_default="", editable=False
    )
    never_twice = models.BooleanField(default=False, db_default=False)
    urgent = models.BooleanField(_("urgent"), default=False, db_default=False)
    due_at = models.DateTimeField(_("due"))
    send_after = models.DateTimeField(_("not before"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    message = models.ForeignKey(
        Message, models.PROTECT, null=True, blank=True, related_name="deliveries", db_index=False
    )
    dropped_reason = models.CharField(max_length=60, blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("created"), db_default=Now())

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=TOLD_ONCE, name="endpoint_is_told_once_for_each_cause")
        ]
        indexes = [
            models.Index(
                fields=["send_after", "id"],
                condition=models.Q(message__isnull=True, dropped_reason=""),
                name="delivery_without_a_message",
            ),
            models.Index(
                fields=["message"],
                condition=models.Q(message__isnull=False),
                name="delivery_in_its_message",
            ),
            models.Index(fields=["about_uid", "id"], name="delivery_by_subject"),
            models.Index(fields=["recipient", "id"], name="delivery_by_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.source_id}/{self.generation} > {self.recipient}"


class AttemptOutcome(models.TextChoices):
    """How a try ended."""

    SENT = "sent", _("sent")
    RETRY = "retry", _("to be tried again")
    DEAD = "dead", _("failed for good")
    EXPIRED = "expired", _("too late")
    SUPERSEDED = "superseded", _("no longer wanted")
    HELD = "held", _("held back")
    IN_DOUBT = "in_doubt", _("ended without an outcome")


class Attempt(models.Model):
    """One try at one message, as it ended. Never changed.

    Attributes:
        number: the message's count of claims at this try, from 1.
        address: where it went; emptied when the person's data are erased.
        code: short code of the outcome, "smtp_450".
        detail: what the other side said.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="tries", db_constraint=False)
    number = models.PositiveIntegerField(_("number"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=AttemptOutcome.choices)
    code = models.CharField(_("code"), max_length=60, blank=True, default="", db_default="")
    detail = models.CharField(_("answer"), max_length=500, blank=True, default="", db_default="")
    address = models.CharField(_("address"), max_length=500, blank=True, default="", db_default="")
    begun_at = models.DateTimeField(_("begun"))
    ended_at = models.DateTimeField(_("ended"))

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.message_id} #{self.number}: {self.outcome}"


class HoldPeriod(models.Model):
    """What fell due in this span waits for staff: it may have gone out before a restore.

    Attributes:
        from_at: first instant of the span, inclusive: the moment of the backup.
        until_at: end of the span, exclusive: the moment of the restore.
        released_at: staff let the messages go; null while they are held.
    """

    from_at = models.DateTimeField(_("from"))
    until_at = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=60)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    released_at = models.DateTimeField(_("released"), null=True, blank=True)

    class Meta:
        verbose_name = _("period held back")
        verbose_name_plural = _("periods held back")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until_at__gt=models.F("from_at")),
                name="hold_period_ends_after_it_starts",
            )
        ]

    def __str__(self) -> str:
        return f"{self.from_at} - {self.until_at}"
