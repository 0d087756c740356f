"""The dated table of public holidays and make-up working days, updated without code."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.columns import validate_country
from events.workdays import DayKind

WEEKEND = "56"


class HolidayYear(models.Model):
    """What is known of one year in one country. Not tracked: it is reference data, like zones.

    Attributes:
        is_settled: whether all its days have been laid down; otherwise rules that count working
            days in it say so.
        weekend: digits of the free weekdays, Monday is 0.
        source: where the days are from: a notice, the library and its version, a file.
    """

    country = models.CharField(_("country"), max_length=2, validators=[validate_country])
    year = models.PositiveSmallIntegerField(
        _("year"), validators=[MinValueValidator(1950), MaxValueValidator(2200)]
    )
    is_settled = models.BooleanField(_("laid down"), default=True)
    weekend = models.CharField(max_length=7, default=WEEKEND)
    source = models.CharField(_("source"), max_length=300, blank=True)
    taken_at = models.DateTimeField(_("taken over"))

    class Meta:
        verbose_name = _("year of holidays")
        verbose_name_plural = _("years of holidays")
        ordering = ["country", "year"]
        constraints = [
            models.UniqueConstraint(fields=["country", "year"], name="holiday_year_is_known_once")
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.year}"


class Holiday(models.Model):
    """One marked day: a public holiday, or a weekend day that is worked (调休)."""

    year = models.ForeignKey(HolidayYear, models.CASCADE, related_name="days")
    day = models.DateField(_("day"))
    kind = models.CharField(
        _("kind"),
        max_length=10,
        choices=[(DayKind.HOLIDAY.value, _("day off")), (DayKind.WORKDAY.value, _("working day"))],
    )
    name_zh = models.CharField(_("name in Chinese"), max_length=100, blank=True)
    name_en = models.CharField(_("name in English"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ["year", "day"]
        constraints = [
            models.UniqueConstraint(fields=["year", "day"], name="holiday_is_marked_once_a_year")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}"
