"""Reminder rules, and the reminders that fall due from them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Plan, WorkArea
from coordination.changes.models import Tracked
from events.models.event import Event
from events.querysets import ReminderRuleQuerySet

AUDIENCE_WORDS = {
    "hosts": _("hosts"),
    "members": _("members"),
    "named": _("the organizations named"),
    "secretariat": _("the secretariat"),
}
CHANNEL_WORDS = {"email": _("e-mail")}
OWNERS = ("alliance", "plan", "work_area", "event")


def _stands_only_on(owner: str) -> models.Q:
    """Return the condition that of all owners only this one is set."""
    return models.Q(**{f"{name}__isnull": name != owner for name in OWNERS})


class Anchor(models.TextChoices):
    """From where an offset counts."""

    START = "start", _("the beginning")
    END = "end", _("the end")


class ReminderRule(Tracked):
    """When, and whom, to remind of an event (提醒规则).

    It stands on an alliance, a plan, a work area or one event. The nearest level that has rules
    counts: those of an event replace those of its work area, and so on outward.

    Attributes:
        offset: signed ISO 8601 duration from the anchor, "-P7D", "-PT1H". Days are nominal in
            the event's zone, hours exact (RFC 5545 section 3.3.6).
        at_time: time of day for offsets in days; None keeps the event's own.
        audience: list of "hosts", "members", "named", "secretariat".
        channels: list of "email".
        grace_minutes: how late it may still go out after a standstill.
    """

    alliance = models.ForeignKey(
        Alliance,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reminder_rules",
        verbose_name=_("alliance"),
    )
    plan = models.ForeignKey(
        Plan,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reminder_rules",
        verbose_name=_("plan"),
    )
    work_area = models.ForeignKey(
        WorkArea,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reminder_rules",
        verbose_name=_("work area"),
    )
    event = models.ForeignKey(
        Event,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reminder_rules",
        verbose_name=_("event"),
    )
    offset = models.CharField(_("offset"), max_length=20)
    anchor = models.CharField(
        _("counted from"), max_length=10, choices=Anchor.choices, default=Anchor.START
    )
    at_time = models.TimeField(_("at"), null=True, blank=True)
    audience = models.JSONField(_("who is reminded"), default=list)
    channels = models.JSONField(_("channels"), default=list)
    grace_minutes = models.PositiveIntegerField(_("may be late by minutes"), default=1440)
    rearm_on_move = models.BooleanField(_("again when the event moves"), default=True)
    enabled = models.BooleanField(_("in use"), default=True)
    text_zh = models.TextField(_("own words in Chinese"), blank=True, max_length=2000)
    text_en = models.TextField(_("own words in English"), blank=True, max_length=2000)

    objects = ReminderRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("reminder rule")
        verbose_name_plural = _("reminder rules")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=reduce(or_, map(_stands_only_on, OWNERS)),
                name="reminder_rule_stands_on_one_thing",
                violation_error_message=_(
                    "A rule stands on an alliance, a plan, a work area or an event: name one."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.offset

    @classmethod
    def value_in_words(cls, name: str, value: Any) -> str:
        """Say who is reminded, and how."""
        known = {"audience": AUDIENCE_WORDS, "channels": CHANNEL_WORDS}.get(name)
        if known is None or not isinstance(value, list):
            return ""
        return gettext("; ").join(str(known.get(word, word)) for word in value)

    @property
    def owner(self) -> Alliance | Plan | WorkArea | Event:
        """What the rule stands on."""
        for name in OWNERS:
            if getattr(self, f"{name}_id") is not None:
                found: Alliance | Plan | WorkArea | Event = getattr(self, name)
                return found
        raise ValueError("a rule stands on one thing")

    @property
    def alliance_key(self) -> int:
        """The key of the alliance whose secretariat keeps the rule."""
        owner = self.owner
        if isinstance(owner, Alliance):
            return owner.pk
        return owner.plan.alliance_id if isinstance(owner, WorkArea) else owner.alliance_id

    def concerned_scopes(self) -> set[str]:
        """The secretariat's business."""
        return {f"alliance:{self.alliance_key}:secretariat"}


class ReminderState(models.TextChoices):
    """What became of a reminder."""

    PENDING = "pending", _("pending")
    FIRED = "fired", _("fired")
    SKIPPED = "skipped", _("skipped")
    CANCELLED = "cancelled", _("no longer needed")


class Reminder(models.Model):
    """One reminder that falls due: a rule applied to an event. Derived, so not tracked.

    Attributes:
        due_at: instant, UTC; derived from the event's wall time.
        generation: raised when it fires again because the event moved.
        note: why it was skipped.
    """

    event = models.ForeignKey(Event, models.CASCADE, related_name="reminders")
    rule = models.ForeignKey(ReminderRule, models.CASCADE, related_name="reminders")
    due_at = models.DateTimeField(_("due"))
    state = models.CharField(
        max_length=20, choices=ReminderState.choices, default=ReminderState.PENDING
    )
    generation = models.PositiveIntegerField(default=1)
    fired_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ["due_at", "pk"]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state="pending"), name="reminder_still_due"
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "rule"], name="rule_reminds_of_an_event_once")
        ]

    def __str__(self) -> str:
        return f"{self.event} · {self.due_at}"
