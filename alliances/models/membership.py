"""Memberships and rotating chairs: who belonged, and who led, from when until when."""

from __future__ import annotations

from typing import ClassVar, cast

from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.models.alliance import Alliance, Body, public_and_staff
from alliances.models.organization import Organization
from alliances.querysets import PeriodQuerySet
from coordination.changes.models import Tracked
from coordination.changes.refusals import Message


class MembershipRole(models.TextChoices):
    """In which role an organization belongs to an alliance."""

    FOUNDING = "founding", _("founding member")
    MEMBER = "member", _("member")
    CHAIR = "chair", _("chair")
    VICE_CHAIR = "vice_chair", _("vice chair")
    OBSERVER = "observer", _("observer")


KNOWN_TIERS: dict[str, Message] = {  # what zones are called by; an alliance may have its own words
    "national": _("national level"),
    "provincial": _("provincial level"),
}


def period_promises(name: str, words: Message) -> list[models.BaseConstraint]:
    """Return the constraint that a period begins before it ends (`ends_on` is exclusive)."""
    return [
        models.CheckConstraint(
            condition=models.Q(ends_on__isnull=True) | models.Q(starts_on__lt=models.F("ends_on")),
            name=name,
            violation_error_message=cast(str, words),
        )
    ]


class Membership(Tracked):
    """An organization's membership in an alliance for a period.

    Attributes:
        starts_on: first day of membership.
        ends_on: first day after it (exclusive); None while it lasts.
        tier: the alliance's own word for a class of members, for example "national".
        tags: the secretariat's own words for groups of members, with a space between them;
            reminders can be narrowed to them.
    """

    alliance = models.ForeignKey(
        Alliance, models.PROTECT, related_name="memberships", verbose_name=_("alliance")
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="memberships", verbose_name=_("organization")
    )
    role = models.CharField(
        _("role"), max_length=20, choices=MembershipRole.choices, default=MembershipRole.MEMBER
    )
    tier = models.CharField(_("tier"), max_length=60, blank=True)
    tags = models.CharField(_("tags"), max_length=300, blank=True, default="", db_default="")
    display_name_zh = models.CharField(_("name in this alliance"), max_length=200, blank=True)
    display_name_en = models.CharField(
        _("name in this alliance, English"), max_length=200, blank=True
    )
    starts_on = models.DateField(_("member from"))
    ends_on = models.DateField(_("member until (exclusive)"), null=True, blank=True)
    end_reason = models.CharField(_("reason for leaving"), max_length=300, blank=True)

    objects = PeriodQuerySet.as_manager()
    database_promises: ClassVar = {
        "membership_periods_never_overlap": (
            "starts_on",
            _("This organization is already a member of the alliance in this period."),
        )
    }

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["alliance", "pk"]
        constraints = period_promises(
            "membership_ends_after_it_starts", _("The end must be after the beginning.")
        )

    def __str__(self) -> str:
        return f"{self.organization} · {self.alliance}"

    @property
    def tier_in_words(self) -> str:
        """The tier in the reader's language, or in the alliance's own words."""
        return str(KNOWN_TIERS.get(self.tier, self.tier))

    def concerned_scopes(self) -> set[str]:
        """A membership is known to everyone."""
        return public_and_staff(self.alliance_id) | {f"organization:{self.organization_id}"}


class ChairTerm(Tracked):
    """The period for which an organization holds the rotating chair (轮值) of a body."""

    body = models.ForeignKey(
        Body, models.PROTECT, related_name="chair_terms", verbose_name=_("body")
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="chair_terms", verbose_name=_("organization")
    )
    starts_on = models.DateField(_("chair from"))
    ends_on = models.DateField(_("chair until (exclusive)"), null=True, blank=True)

    objects = PeriodQuerySet.as_manager()
    database_promises: ClassVar = {
        "chair_terms_never_overlap": (
            "starts_on",
            _("Another organization holds the chair in this period."),
        )
    }

    class Meta:
        verbose_name = _("term in the chair")
        verbose_name_plural = _("terms in the chair")
        ordering = ["body", "starts_on"]
        constraints = period_promises(
            "chair_term_ends_after_it_starts", _("The end must be after the beginning.")
        )

    def __str__(self) -> str:
        return f"{self.organization} · {self.body}"

    def concerned_scopes(self) -> set[str]:
        """Who holds the chair is known to everyone."""
        return public_and_staff(self.body.alliance_id)
