"""Derived data of calendars, made again from the events at will, and people's private links.

None of it is tracked: texts and stamps follow from events, and a link is nobody's agreed fact.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance
from coordination.accounts.models import ApiToken, User
from coordination.calendars.querysets import EventTextQuerySet, FeedLinkQuerySet
from events.calendar_event import Level
from events.models import Event


class EventText(models.Model):
    """One event as a VEVENT, in one language, for one level of disclosure.

    A row stands for exactly what that level may see: there is none for the public while the event
    is open to members only, and none at all for an event without a time. Not tracked: the truth
    is the event, see `coordination.calendars.rendering`.

    Attributes:
        level: "public", "member" or "secretariat".
        body: the component, lines ending in CRLF.
        time_zone: the zone that the text refers to, whose VTIMEZONE must go with it; empty for
            whole days and for UTC.
        first_on: first day of the span shown, in the event's own zone.
        last_on: last day of it (inclusive).
        renderer: fingerprint of what rendered it besides the event itself.
    """

    event = models.ForeignKey(Event, models.CASCADE, related_name="texts", verbose_name=_("event"))
    language = models.CharField(_("language"), max_length=10)
    level = models.CharField(max_length=20, choices=[(level.value, level.value) for level in Level])
    body = models.TextField()
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    first_on = models.DateField()
    last_on = models.DateField()
    renderer = models.CharField(max_length=40, db_index=True)

    objects = EventTextQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendar text")
        verbose_name_plural = _("calendar texts")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "language", "level"], name="event_text_is_single"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.language} {self.level}"


class FeedStamp(models.Model):
    """When an alliance's public calendar last changed: its revision and its Last-Modified.

    Whole seconds, and never the same second twice: many programs revalidate by If-Modified-Since
    alone, so two states of a calendar must not carry one date. After many changes in one second
    it runs ahead of the clock by as many seconds.
    """

    alliance = models.OneToOneField(
        Alliance,
        models.CASCADE,
        primary_key=True,
        related_name="feed_stamp",
        verbose_name=_("alliance"),
    )
    modified_at = models.DateTimeField()

    class Meta:
        verbose_name = _("feed stamp")
        verbose_name_plural = _("feed stamps")

    def __str__(self) -> str:
        return f"{self.alliance_id} {self.modified_at:%Y-%m-%dT%H:%M:%SZ}"


class ScopeSet(models.Model):
    """The scopes that some copy was made with, under a name that tokens can carry.

    The same set has the same name for ever, so a row is written once and never changed. Kept on
    the server because the scopes' names hold keys of rows, which stay inside.

    Attributes:
        digest: fingerprint of the names.
        names: the scopes, sorted, with spaces between them.
    """

    digest = models.CharField(max_length=22, primary_key=True)
    names = models.TextField()

    class Meta:
        verbose_name = _("set of scopes")
        verbose_name_plural = _("sets of scopes")

    def __str__(self) -> str:
        return self.digest


class FeedLink(models.Model):
    """An address that a person made for a calendar program: it shows what that person may see.

    Whoever holds the address reads as the person does now, so it can be revoked, or replaced by a
    new one. Only its SHA-256 is stored; it is made from the installation's key, see
    `coordination.calendars.links`, so that its owner can be shown it again.

    Attributes:
        token: the API token that made it, whose rights narrow it and with which it ends.
        parameters: the filters, as `Selection` takes them.
        alarms: how many minutes before the beginning programs should ring, longest first.
        days_only: whether events show as whole days, without their hours.
        with_windows: whether plan lines without a date show over their planned period.
        generation: raised whenever it is given a new address.
        version: raised with every change that its owner makes.
        last_fetched_at: rounded down to the hour.
        last_program: which program fetched it then, as `programs.program_named` says it.
        view: fingerprint of everything but the log that its bytes depended on when last checked.
        number: the change of the log up to which it was checked.
        sync_token: the same, as `changes_since` takes it.
        digest: fingerprint of its bytes then; "" when it was never compiled.
        modified_at: when its bytes last changed, whole seconds; never the same second twice.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        User, models.CASCADE, related_name="feed_links", verbose_name=_("person")
    )
    token = models.ForeignKey(
        ApiToken, models.CASCADE, null=True, blank=True, related_name="feed_links"
    )
    name = models.CharField(_("name"), max_length=100)
    parameters = models.JSONField(_("filters"), default=dict, blank=True)
    language = models.CharField(_("language"), max_length=10)
    alarms = models.JSONField(_("alarms"), default=list, blank=True)
    days_only = models.BooleanField(_("whole days only"), default=False)
    with_windows = models.BooleanField(_("with planned periods"), default=False)
    generation = models.PositiveIntegerField(default=1, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("made at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_fetched_at = models.DateTimeField(_("last fetched at"), null=True, blank=True)
    last_program = models.CharField(_("last fetched by"), max_length=60, blank=True)
    view = models.CharField(max_length=32, blank=True, editable=False)
    number = models.BigIntegerField(default=0, editable=False)
    sync_token = models.TextField(blank=True, editable=False)
    digest = models.CharField(max_length=32, blank=True, editable=False)
    modified_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = FeedLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("private calendar link")
        verbose_name_plural = _("private calendar links")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(language__in=["zh-hans", "en"]), name="feed_link_language_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_fetch_due(self, at: datetime) -> bool:
        """Whether a fetch at ``at`` falls in a later hour than the last one written down."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        return self.last_fetched_at is None or self.last_fetched_at < hour


class CollectionPreference(models.Model):
    """What a person has set for one of their calendars over CalDAV: nobody else's business.

    Attributes:
        collection: the last part of the collection's address; "" for the whole home.
        properties: qualified name of the property -> the client's own text.
        version: raised whenever they are set.
    """

    user = models.ForeignKey(
        User, models.CASCADE, related_name="collection_preferences", verbose_name=_("person")
    )
    collection = models.CharField(max_length=60, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("setting of a calendar")
        verbose_name_plural = _("settings of calendars")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "collection"], name="person_sets_a_collection_up_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.collection}"
