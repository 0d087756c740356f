"""Forms of the import page: the file, and what was previewed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alliances.models import PlanKind
from coordination.pages.forms import VerbForm


class PlanWordsForm(VerbForm):
    """Which plan a workbook is about."""

    year = forms.IntegerField(
        label=_("year"),
        required=False,
        min_value=1990,
        max_value=2200,
        help_text=_("Only when neither the title nor the file's name says it."),
    )
    kind = forms.ChoiceField(
        label=_("kind"), choices=PlanKind.choices, initial=PlanKind.ANNUAL, required=False
    )
    plan = forms.SlugField(
        label=_("short address"),
        required=False,
        max_length=50,
        help_text=_("Only for a campaign; an annual plan's is its year."),
    )

    def clean_kind(self) -> str:
        """Take an annual plan when nothing is chosen."""
        return self.cleaned_data["kind"] or PlanKind.ANNUAL.value

    def words(self) -> dict[str, Any]:
        """Return what `preview_import` takes."""
        values = self.cleaned_data
        return {"year": values["year"], "kind": values["kind"], "slug": values["plan"]}


class UploadForm(PlanWordsForm):
    """A workbook to be previewed."""

    file = forms.FileField(
        label=_("workbook (.xlsx or .csv)"),
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.csv"}),
    )
    field_order = ["version", "file", "year", "kind", "plan"]


class ConfirmForm(PlanWordsForm):
    """A preview to be carried out."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=64)
    name = forms.CharField(widget=forms.HiddenInput, max_length=255)
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    reason = forms.CharField(label=_("reason"), required=False, max_length=500)
    new_rows = forms.TypedMultipleChoiceField(required=False, coerce=int, empty_value=[])

    def __init__(self, *args: Any, rows: list[int] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("year", "kind", "plan"):
            self.fields[name].widget = forms.HiddenInput()
        field = self.fields["new_rows"]
        field.choices = [(row, str(row)) for row in rows or []]  # type: ignore[attr-defined]
