"""Forms of pages that need both domains."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Plan, PlanItem
from coordination.pages.forms import RowChoice, RowChoices, VerbForm

AUDIENCES = (
    ("hosts", _("hosts")),
    ("members", _("members")),
    ("named", _("organizations named")),
    ("secretariat", _("the secretariat")),
)


class RuleForm(VerbForm):
    """A reminder rule for an alliance or one of its plans."""

    alliance = RowChoice(Alliance.objects.none(), label=_("for all events of"), required=False)
    plan = RowChoice(Plan.objects.none(), label=_("or of the plan"), required=False)
    days = forms.IntegerField(
        label=_("days before the beginning"), min_value=1, max_value=365, initial=7
    )
    audience = forms.MultipleChoiceField(
        label=_("who is reminded"),
        choices=AUDIENCES,
        initial=["hosts", "members", "named"],
        widget=forms.CheckboxSelectMultiple,
    )
    field_names: ClassVar = {"offset": "days"}

    def __init__(self, *args: Any, alliances: Any, plans: Any, language: str, **options: Any):
        super().__init__(*args, **options)
        self.offer_rows(language, alliance=alliances, plan=plans)

    def clean(self) -> dict[str, Any]:
        """See that the rule stands on one thing."""
        values = super().clean()
        if bool(values.get("alliance")) == bool(values.get("plan")):
            self.add_error("alliance", _("Choose an alliance or a plan, one of both."))
        return values

    @property
    def owner(self) -> Alliance | Plan:
        """What the rule stands on."""
        owner: Alliance | Plan = self.cleaned_data["alliance"] or self.cleaned_data["plan"]
        return owner


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
