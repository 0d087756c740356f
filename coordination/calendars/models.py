"""Derived data of calendars: thrown away and made again from the events. Not tracked."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance
from coordination.calendars.querysets import EventTextQuerySet
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
