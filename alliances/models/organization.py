"""Organizations: zones, cities and other bodies.

They belong to the installation, not to one alliance.
"""

from __future__ import annotations

import unicodedata

from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.columns import time_zone_field, validate_country
from alliances.querysets import PublicQuerySet
from coordination.changes.models import GuardedQuerySet, Part, Tracked

OFFICE_SUFFIXES = ("管理委员会", "管委会")


class OrganizationKind(models.TextChoices):
    """What an organization is."""

    ZONE = "zone", _("zone")
    CITY = "city", _("city")
    INTERNATIONAL = "international", _("international organization")
    OTHER = "other", _("other")


def name_key(name: str) -> str:
    """Return the form of a name by which names are compared.

    Width, case and spaces do not tell names apart, nor does the word for a zone's administrative
    office: 天津滨海高新区 and 天津滨海高新区管委会 are one.
    """
    key = "".join(unicodedata.normalize("NFKC", name).casefold().split())
    for suffix in OFFICE_SUFFIXES:
        if key.endswith(suffix) and len(key) > len(suffix):
            return key.removesuffix(suffix)
    return key


class Organization(Tracked):
    """A zone, a city or another body; may belong to several alliances."""

    kind = models.CharField(_("kind"), max_length=20, choices=OrganizationKind.choices)
    name_zh = models.CharField(_("name in Chinese"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    name_local = models.CharField(_("name in its own language"), max_length=200, blank=True)
    local_language = models.CharField(_("its own language"), max_length=35, blank=True)
    country = models.CharField(
        _("country"), max_length=2, default="CN", validators=[validate_country]
    )
    time_zone = time_zone_field()
    website = models.URLField(_("website"), blank=True)
    source = models.CharField(_("source"), max_length=300, blank=True)
    illustrative = models.BooleanField(_("illustrative"), default=False)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged",
        verbose_name=_("merged into"),
    )

    objects = PublicQuerySet.as_manager()

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(name_zh="", name_en=""),
                name="organization_has_a_name",
                violation_error_message=_("Give a name in Chinese or in English."),
            )
        ]

    def __str__(self) -> str:
        return self.name_zh or self.name_en

    def concerned_scopes(self) -> set[str]:
        """An organization's name and place are known to everyone."""
        return {"public"} | ({f"organization:{self.pk}"} if self.pk else set())

    def name_keys(self) -> set[str]:
        """Return every form by which this organization may be found."""
        names = [self.name_zh, self.name_en, self.name_local]
        names += [alias.name for alias in self.part_rows("aliases")]
        return {name_key(name) for name in names if name}


class OrganizationAlias(Part):
    """Another name under which people write an organization."""

    owner_field = "organization"
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="aliases")
    name = models.CharField(_("alias"), max_length=200)
    key = models.CharField(max_length=200, db_index=True, editable=False)

    objects = GuardedQuerySet.as_manager()

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                name="alias_names_one_organization",
                violation_error_message=_("Another organization is already known by this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name
