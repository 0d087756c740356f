"""Chasing what is owed: the steps that an alliance takes, and those due for each duty."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance
from coordination.changes.models import Tracked
from events.dues import Timing
from events.models.duty import Duty, DutyKind
from events.models.reminder import CHANNEL_WORDS, DayUnit, ReminderState, Urgency
from events.offsets import read_offset
from events.querysets import OfAllianceQuerySet

CHASED_WORDS = {
    "liaison": _("liaison officer"),
    "deputy": _("deputy liaison officer"),
    "representative": _("representative"),
    "secretariat": _("the secretariat"),
}
"""Who can be told of a duty, in the order in which one stands in for the next."""


class ChaseStep(Tracked):
    """One step by which an alliance chases what is owed (催办步骤).

    Attributes:
        kind: only duties of this kind; "" for all.
        offset: signed ISO 8601 duration from the instant the duty is due: "-P3D", "P2D".
        at_time: time of day, in the event's zone; None keeps the duty's own.
        told: list of "liaison", "deputy", "representative", "secretariat". Where nobody holds
            such a seat when it goes out, the next one's holder is told.
    """

    alliance = models.ForeignKey(
        Alliance, models.PROTECT, related_name="chase_steps", verbose_name=_("alliance")
    )
    kind = models.CharField(_("only duties"), max_length=20, choices=DutyKind.choices, blank=True)
    offset = models.CharField(_("offset"), max_length=20)
    day_unit = models.CharField(
        _("days are"), max_length=10, choices=DayUnit.choices, default=DayUnit.CALENDAR
    )
    at_time = models.TimeField(_("at"), null=True, blank=True)
    told = models.JSONField(_("who is told"), default=list)
    channels = models.JSONField(_("channels"), default=list)
    urgency = models.CharField(
        _("urgency"), max_length=10, choices=Urgency.choices, default=Urgency.NORMAL
    )
    enabled = models.BooleanField(_("in use"), default=True)
    text_zh = models.TextField(_("own words in Chinese"), blank=True, max_length=2000)
    text_en = models.TextField(_("own words in English"), blank=True, max_length=2000)

    objects = OfAllianceQuerySet.as_manager()

    class Meta:
        verbose_name = _("step of chasing")
        verbose_name_plural = _("steps of chasing")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.offset

    @classmethod
    def value_in_words(cls, name: str, value: Any) -> str:
        """Say who is told, and how."""
        known = {"told": CHASED_WORDS, "channels": CHANNEL_WORDS}.get(name)
        if known is None or not isinstance(value, list):
            return ""
        return gettext("; ").join(str(known.get(word, word)) for word in value)

    @property
    def timing(self) -> Timing:
        """How far from the duty's date it is taken, as arithmetic takes it."""
        return Timing(
            offset=read_offset(self.offset),
            at_time=self.at_time,
            in_working_days=self.day_unit == DayUnit.WORKING,
        )

    def concerned_scopes(self) -> set[str]:
        """The secretariat's business."""
        return {f"alliance:{self.alliance_id}:secretariat"}


class Chase(models.Model):
    """A step due for a duty. Derived, so not tracked.

    Attributes:
        due_at: instant, UTC; derived from the duty's date.
        generation: raised when it fires again because the duty's date moved.
        joined: keys of earlier steps, overdue too, whose people this one told with its own.
        note: why it was skipped.
    """

    duty = models.ForeignKey(Duty, models.CASCADE, related_name="chases")
    step = models.ForeignKey(ChaseStep, models.CASCADE, related_name="chases")
    due_at = models.DateTimeField(_("due"))
    state = models.CharField(
        max_length=20, choices=ReminderState.choices, default=ReminderState.PENDING
    )
    generation = models.PositiveIntegerField(default=1)
    fired_at = models.DateTimeField(null=True, blank=True)
    joined = models.JSONField(default=list)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("step due")
        verbose_name_plural = _("steps due")
        ordering = ["due_at", "pk"]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state="pending"), name="chase_still_due"
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["duty", "step"], name="step_is_due_once_for_a_duty")
        ]

    def __str__(self) -> str:
        return f"{self.duty} · {self.due_at}"
