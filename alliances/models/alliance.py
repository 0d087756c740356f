"""Alliances, and the bodies that govern them."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.columns import time_zone_field
from alliances.querysets import PublicQuerySet
from coordination.changes.models import Tracked


class AllianceKind(models.TextChoices):
    """What an alliance is made of."""

    HIGH_TECH_ZONE = "high_tech_zone", _("high-tech zones")
    CITY = "city", _("cities")
    OTHER = "other", _("other")


def public_and_staff(alliance_id: int | None) -> set[str]:
    """Return the scopes of what everybody may know about an alliance."""
    return {"public", f"alliance:{alliance_id}:members", f"alliance:{alliance_id}:secretariat"}


class Alliance(Tracked):
    """An alliance of zones, cities or others. Public: whoever asks may know that it exists."""

    slug = models.SlugField(
        _("short address"),
        max_length=50,
        unique=True,
        validators=[
            RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*$", _("Use small letters, digits and hyphens."))
        ],
    )
    kind = models.CharField(_("kind"), max_length=20, choices=AllianceKind.choices)
    name_zh = models.CharField(_("name in Chinese"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    short_name_zh = models.CharField(_("short name in Chinese"), max_length=60, blank=True)
    short_name_en = models.CharField(_("short name in English"), max_length=60, blank=True)
    description_zh = models.TextField(_("description in Chinese"), blank=True, max_length=4000)
    description_en = models.TextField(_("description in English"), blank=True, max_length=4000)
    founded_on = models.DateField(_("founded on"), null=True, blank=True)
    website = models.URLField(_("website"), blank=True)
    email = models.EmailField(_("secretariat's public address"), blank=True)
    time_zone = time_zone_field()
    source = models.CharField(_("source"), max_length=300, blank=True)
    illustrative = models.BooleanField(_("illustrative"), default=False)

    objects = PublicQuerySet.as_manager()

    class Meta:
        verbose_name = _("alliance")
        verbose_name_plural = _("alliances")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(name_zh="", name_en=""),
                name="alliance_has_a_name",
                violation_error_message=_("Give a name in Chinese or in English."),
            )
        ]

    def __str__(self) -> str:
        return self.name_zh or self.name_en

    def concerned_scopes(self) -> set[str]:
        """An alliance is known to everyone."""
        return public_and_staff(self.pk)


class BodyKind(models.TextChoices):
    """What a body is in the charter."""

    ASSEMBLY = "assembly", _("members' assembly")
    COUNCIL = "council", _("council")
    STANDING_COUNCIL = "standing_council", _("standing council")
    EXPERT_COMMITTEE = "expert_committee", _("expert committee")
    SECRETARIAT = "secretariat", _("secretariat")
    JOINT_MEETING = "joint_meeting", _("joint meeting")
    OTHER = "other", _("other")


class Body(Tracked):
    """A body of an alliance: its assembly, council, secretariat and so on."""

    alliance = models.ForeignKey(
        Alliance, models.PROTECT, related_name="bodies", verbose_name=_("alliance")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=BodyKind.choices)
    name_zh = models.CharField(_("name in Chinese"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    term_years = models.PositiveSmallIntegerField(_("term in years"), null=True, blank=True)

    objects = PublicQuerySet.as_manager()

    class Meta:
        verbose_name = _("body")
        verbose_name_plural = _("bodies")
        ordering = ["alliance", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(name_zh="", name_en=""),
                name="body_has_a_name",
                violation_error_message=_("Give a name in Chinese or in English."),
            ),
            models.UniqueConstraint(
                fields=["alliance"],
                condition=models.Q(kind="secretariat"),
                name="alliance_has_one_secretariat",
                violation_error_message=_("This alliance has a secretariat already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name_zh or self.name_en

    def concerned_scopes(self) -> set[str]:
        """A body is known to everyone."""
        return public_and_staff(self.alliance_id)
