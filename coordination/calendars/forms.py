"""What people choose for a private link; one verb follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Plan
from coordination.accounts.viewer import Viewer
from coordination.bilingual import CHINESE, ENGLISH
from coordination.calendars.linking import MOST_ALARMS, NAME_LENGTH, LinkSettings
from coordination.calendars.models import FeedLink
from coordination.calendars.selecting import MINE, rows_to_name
from coordination.calendars.wording import alarm_in_words
from coordination.pages.forms import RowChoice, VerbForm

ALARMS = (15, 60, 1440, 3 * 1440, 7 * 1440)  # minutes
EVERYTHING = "all"


class SelectionForm(VerbForm):
    """What a copy is of: all that one may see or what is one's own, one alliance, one plan.

    Attributes:
        kept: the filters that were chosen before; those that the form does not show stay.
    """

    what = forms.ChoiceField(
        label=_("events"), choices=(), initial=EVERYTHING, widget=forms.RadioSelect
    )
    alliance = RowChoice(
        Alliance.objects.none(),
        label=_("only of the alliance"),
        required=False,
        to_field_name="slug",
        empty_label=_("any alliance"),
    )
    plan = RowChoice(
        Plan.objects.none(),
        label=_("only of the plan"),
        required=False,
        to_field_name="uid",
        empty_label=_("any plan"),
    )
    everything: ClassVar[Any] = ""
    field_names: ClassVar = {
        "filters.alliance": "alliance",
        "filters.plan": "plan",
        "filters.mine": "what",
    }

    def __init__(
        self, *args: Any, viewer: Viewer, kept: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.kept = dict(kept or {})
        what: Any = self.fields["what"]
        mine = (MINE, _("what my organizations host or are named in"))
        what.choices = [(EVERYTHING, self.everything), mine]
        alliances = rows_to_name("alliance", viewer).order_by("pk")
        plans = rows_to_name("plan", viewer).order_by("-year", "pk")
        self.offer_rows(viewer.language, alliance=alliances, plan=plans)

    @staticmethod
    def initial_filters(filters: Mapping[str, str]) -> dict[str, Any]:
        """Return what the form shows of filters."""
        return {
            "what": MINE if MINE in filters else EVERYTHING,
            "alliance": filters.get("alliance"),
            "plan": filters.get("plan"),
        }

    def filters(self) -> dict[str, str]:
        """Return the filters that were chosen."""
        values = self.cleaned_data
        shown = ("alliance", "plan", MINE)
        chosen = {name: value for name, value in self.kept.items() if name not in shown}
        if values["what"] == MINE:
            chosen[MINE] = "1"
        if values["alliance"]:
            chosen["alliance"] = values["alliance"].slug
        if values["plan"]:
            chosen["plan"] = str(values["plan"].uid)
        return chosen


class LinkForm(SelectionForm):
    """A private calendar: what it shows, and how."""

    name = forms.CharField(
        label=_("name"),
        max_length=NAME_LENGTH,
        help_text=_("Under this name the calendar program shows it."),
    )
    with_windows = forms.BooleanField(
        label=_("also plan lines without a date, over their planned period"), required=False
    )
    days_only = forms.BooleanField(label=_("whole days only, without hours"), required=False)
    alarms = forms.MultipleChoiceField(
        label=_("alarms"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without a choice it does not ring. Whole days ring at nine in the morning."),
    )
    language = forms.ChoiceField(
        label=_("language"), choices=[(CHINESE, "中文"), (ENGLISH, "English")]
    )
    field_order = ["version", "name", "what", "alliance", "plan"]
    everything = _("all events that I may see")

    def __init__(
        self, *args: Any, viewer: Viewer, link: FeedLink | None = None, **options: Any
    ) -> None:
        kept = link.parameters if link is not None else None
        super().__init__(*args, viewer=viewer, kept=kept, **options)
        self.offer_alarms(link.alarms if link is not None else ())

    def offer_alarms(self, others: Iterable[int]) -> None:
        """Offer the usual alarms, and those that a program has set."""
        field: Any = self.fields["alarms"]
        minutes = sorted({*ALARMS, *others})
        field.choices = [(str(each), alarm_in_words(each)) for each in minutes]

    @classmethod
    def initial_of(cls, link: FeedLink) -> dict[str, Any]:
        """Return what the form shows of a link."""
        return {
            "version": link.version,
            "name": link.name,
            **cls.initial_filters(link.parameters),
            "with_windows": link.with_windows,
            "days_only": link.days_only,
            "alarms": [str(each) for each in link.alarms],
            "language": link.language,
        }

    def clean_alarms(self) -> list[int]:
        """Take as many as there may be."""
        chosen = [int(each) for each in self.cleaned_data["alarms"]]
        if len(chosen) > MOST_ALARMS:
            raise forms.ValidationError(_("Choose at most five."))
        return chosen

    def settings(self) -> LinkSettings:
        """Return what was chosen."""
        values = self.cleaned_data
        return LinkSettings(
            name=values["name"],
            language=values["language"],
            parameters=self.filters(),
            alarms=values["alarms"],
            days_only=values["days_only"],
            with_windows=values["with_windows"],
        )
