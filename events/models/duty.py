"""Duties: what an organization owes an event, and by when."""

from __future__ import annotations

from datetime import datetime, time

from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Organization
from coordination.changes.models import Tracked
from events.dues import Timing
from events.models.event import Event
from events.models.reminder import DayUnit
from events.offsets import read_offset
from events.querysets import DutyQuerySet, OfAllianceQuerySet


class DutyKind(models.TextChoices):
    """What is owed."""

    NAME_DATE = "name_date", _("name a date")
    SEND_AGENDA = "send_agenda", _("send the agenda")
    NAME_DELEGATES = "name_delegates", _("name delegates")
    SEND_MATERIALS = "send_materials", _("send materials")
    SEND_MINUTES = "send_minutes", _("send the minutes")
    ANSWER = "answer", _("answer the invitation")


class DutyAnchor(models.TextChoices):
    """From where a standard duty's date counts."""

    START = "start", _("the beginning")
    END = "end", _("the end")
    WINDOW = "window", _("the first day of the planned time")


class OwedBy(models.TextChoices):
    """Who owes a standard duty."""

    HOSTS = "hosts", _("hosts")
    INVITED = "invited", _("the organizations invited")
    NAMED = "named", _("the organizations named")


class StandardDuty(Tracked):
    """A duty that every event of an alliance brings with it (标准任务).

    Attributes:
        event_type: only events of this type; "" for all.
        offset: signed ISO 8601 duration from the anchor; its days are of `day_unit`.
        at_time: time of day, in the event's zone, by which it is owed.
    """

    alliance = models.ForeignKey(
        Alliance, models.PROTECT, related_name="standard_duties", verbose_name=_("alliance")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=DutyKind.choices)
    owed_by = models.CharField(
        _("owed by"), max_length=10, choices=OwedBy.choices, default=OwedBy.HOSTS
    )
    event_type = models.CharField(_("only events of type"), max_length=100, blank=True)
    anchor = models.CharField(
        _("counted from"), max_length=10, choices=DutyAnchor.choices, default=DutyAnchor.START
    )
    offset = models.CharField(_("offset"), max_length=20)
    day_unit = models.CharField(
        _("days are"), max_length=10, choices=DayUnit.choices, default=DayUnit.CALENDAR
    )
    at_time = models.TimeField(_("at"), default=time(17))
    enabled = models.BooleanField(_("in use"), default=True)

    objects = OfAllianceQuerySet.as_manager()

    class Meta:
        verbose_name = _("standard duty")
        verbose_name_plural = _("standard duties")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["alliance", "kind", "event_type"],
                name="standard_duty_is_set_once_for_a_type",
                violation_error_message=_("This duty is a standard one already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.offset}"

    @property
    def timing(self) -> Timing:
        """When it falls due, as arithmetic takes it."""
        return Timing(
            offset=read_offset(self.offset),
            at_time=self.at_time,
            in_working_days=self.day_unit == DayUnit.WORKING,
        )

    def concerned_scopes(self) -> set[str]:
        """The secretariat's business."""
        return {f"alliance:{self.alliance_id}:secretariat"}


class Duty(Tracked):
    """Something an organization owes an event by an instant; done once `done_at` is set.

    Attributes:
        standard: the standard duty it was made by, whose date it follows as the event moves;
            None for one that the secretariat set.
        dropped_at: since when it is no longer owed, although nobody did it: the event is off, or
            the organization no longer hosts it; None while it is.
        chased_from: instant from which the steps after its date count, where that was taken back
            that it is done: what was left to wait then is waited from there on. None otherwise.
    """

    event = models.ForeignKey(Event, models.PROTECT, related_name="duties", verbose_name=_("event"))
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="duties", verbose_name=_("owed by")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=DutyKind.choices)
    due_at = models.DateTimeField(_("due"))
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    dropped_at = models.DateTimeField(_("no longer owed"), null=True, blank=True)
    chased_from = models.DateTimeField(_("chased from"), null=True, blank=True, editable=False)
    standard = models.ForeignKey(
        StandardDuty,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="duties",
        verbose_name=_("standard duty"),
    )

    objects = DutyQuerySet.as_manager()

    class Meta:
        verbose_name = _("duty")
        verbose_name_plural = _("duties")
        ordering = ["due_at", "pk"]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(done_at__isnull=True), name="duty_still_owed"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "organization", "kind"],
                name="duty_is_owed_once",
                violation_error_message=_("This duty is set already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization} · {self.get_kind_display()}"

    @property
    def is_chased_anew(self) -> bool:
        """Whether the steps after its date count from when it was taken back that it is done."""
        return self.chased_from is not None and self.chased_from > self._asked_at

    @property
    def overdue_from(self) -> datetime:
        """The instant from which the steps after its date count."""
        return max(self._asked_at, self.chased_from or self._asked_at)

    @property
    def _asked_at(self) -> datetime:
        """Its date, or when it was set where that was later: nobody was asked for it before."""
        return max(self.due_at, self.created_at)

    def concerned_scopes(self) -> set[str]:
        """The owner's secretariat, and the organization that owes it."""
        return {
            f"alliance:{self.event.alliance_id}:secretariat",
            f"organization:{self.organization_id}",
        }
