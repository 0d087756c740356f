"""Duties: what an organization owes an event, and by when."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.models import Organization
from coordination.changes.models import Tracked
from events.models.event import Event
from events.querysets import DutyQuerySet


class DutyKind(models.TextChoices):
    """What is owed."""

    NAME_DATE = "name_date", _("name a date")
    SEND_AGENDA = "send_agenda", _("send the agenda")
    NAME_DELEGATES = "name_delegates", _("name delegates")
    SEND_MATERIALS = "send_materials", _("send materials")
    SEND_MINUTES = "send_minutes", _("send the minutes")
    ANSWER = "answer", _("answer the invitation")


class Duty(Tracked):
    """Something an organization owes an event by an instant; done once `done_at` is set."""

    event = models.ForeignKey(Event, models.PROTECT, related_name="duties", verbose_name=_("event"))
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="duties", verbose_name=_("owed by")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=DutyKind.choices)
    due_at = models.DateTimeField(_("due"))
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

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

    def concerned_scopes(self) -> set[str]:
        """The owner's secretariat, and the organization that owes it."""
        return {
            f"alliance:{self.event.alliance_id}:secretariat",
            f"organization:{self.organization_id}",
        }
