"""Forms of pages that need both domains."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alliances.models import PlanItem
from coordination.pages.forms import RowChoices, VerbForm


class CarryForm(VerbForm):
    """Lines of another plan to be carried over."""

    items = RowChoices(PlanItem.objects.none(), label=_("unfinished lines"))
    reason = forms.CharField(
        label=_("reason"),
        max_length=500,
        required=False,
        help_text=_("Needed once the plan is adopted; it goes into the next edition."),
    )

    def __init__(self, *args: Any, items: Any, language: str, **options: Any):
        super().__init__(*args, **options)
        self.offer_rows(language, items=items)


class HolidayFileForm(VerbForm):
    """A file of public holidays and make-up working days."""

    file = forms.FileField(
        label=_("file (CSV, UTF-8)"),
        help_text=_(
            "Columns: day, country, kind (holiday or workday), name_zh, name_en. Each year of a "
            "country that the file has replaces what was known of it."
        ),
    )
    source = forms.CharField(
        label=_("source"), max_length=300,
        help_text=_("For example the notice of the State Council with its number."),
    )  # fmt: skip
