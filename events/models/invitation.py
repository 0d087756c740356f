"""Invitations of organizations to events, and their answers."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.models import Organization, Person
from coordination.changes.models import Tracked
from events.models.event import Event
from events.querysets import AnswerQuerySet, InvitationQuerySet


class AnswerState(models.TextChoices):
    """What an organization says to an invitation (RFC 5545 section 3.2.12, PARTSTAT).

    Asking for another date is a counter proposal (RFC 5546 section 3.2.7): neither yes nor no.
    """

    NEEDS_ACTION = "needs_action", _("not answered")
    ACCEPTED = "accepted", _("accepted")
    TENTATIVE = "tentative", _("perhaps")
    DECLINED = "declined", _("declined")
    DELEGATED = "delegated", _("sends others")
    OTHER_DATE = "other_date", _("asks for another date")


class AnswerWay(models.TextChoices):
    """How an answer was given."""

    PAGE = "page", _("on the event's page")
    LINK = "link", _("by the link in a message")
    MAIL = "mail", _("from a calendar, by mail")


class Invitation(Tracked):
    """An organization asked to an event. `state` is that of its latest answer.

    Attributes:
        names_organization: inviting named the organization in the event, so that it may see it;
            withdrawing takes that back.
    """

    event = models.ForeignKey(
        Event, models.PROTECT, related_name="invitations", verbose_name=_("event")
    )
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        related_name="invitations",
        verbose_name=_("organization"),
    )
    state = models.CharField(
        _("answer"), max_length=20, choices=AnswerState.choices, default=AnswerState.NEEDS_ACTION
    )
    answer_by = models.DateField(_("answer by"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    names_organization = models.BooleanField(default=False, db_default=False, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["event", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "organization"],
                name="organization_is_invited_once",
                violation_error_message=_("This organization is invited already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} · {self.organization}"

    def concerned_scopes(self) -> set[str]:
        """The owner's secretariat, and the organization asked."""
        return {
            f"alliance:{self.event.alliance_id}:secretariat",
            f"organization:{self.organization_id}",
        }


class Answer(Tracked):
    """One answer to an invitation; the latest counts, all are kept.

    Attributes:
        sequence: SEQUENCE of the event as it was answered.
        proposed_time: the other date asked for, in words.
        way: how it was given.
    """

    invitation = models.ForeignKey(
        Invitation, models.PROTECT, related_name="answers", verbose_name=_("invitation")
    )
    state = models.CharField(_("answer"), max_length=20, choices=AnswerState.choices)
    delegates = models.PositiveSmallIntegerField(_("people coming"), null=True, blank=True)
    comment = models.CharField(_("comment"), max_length=1000, blank=True)
    person = models.ForeignKey(
        Person,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="answers",
        verbose_name=_("answered by"),
    )
    sequence = models.PositiveIntegerField(default=0)
    proposed_time = models.CharField(
        _("time asked for instead"), max_length=200, blank=True, default="", db_default=""
    )
    way = models.CharField(
        _("how it was given"),
        max_length=10,
        choices=AnswerWay.choices,
        default=AnswerWay.PAGE,
        db_default=AnswerWay.PAGE,
    )

    objects = AnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ["invitation", "pk"]

    def __str__(self) -> str:
        return str(self.get_state_display())

    def concerned_scopes(self) -> set[str]:
        """As the invitation."""
        return self.invitation.concerned_scopes()
