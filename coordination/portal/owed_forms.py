"""Forms of what is owed: standard duties, and the steps by which it is chased."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from coordination.portal.rule_forms import (
    DistanceForm,
    clock_field,
    distance_values,
    own_words_field,
    several,
)
from events.models import ChaseStep, DutyAnchor, DutyKind, OwedBy, StandardDuty, Urgency
from events.models.chase import CHASED_WORDS
from events.models.reminder import CHANNEL_WORDS


class ExpectedForm(DistanceForm):
    """A form of what an alliance expects, so far before or after something."""

    field_names: ClassVar = {"offset": "distance"}
    stored: ClassVar[tuple[str, ...]] = ()  # what it shows as the row has it

    @property
    def values(self) -> dict[str, Any]:
        """The values as a verb takes them."""
        given = {k: v for k, v in self.cleaned_data.items() if k != "version"}
        offset, day_unit = self.offset_given()
        for name in ("distance", "unit", "side"):
            given.pop(name)
        return given | {"offset": offset, "day_unit": day_unit}

    @classmethod
    def values_of(cls, row: StandardDuty | ChaseStep) -> dict[str, Any]:
        """Return what the form of a stored row begins with."""
        names = (*cls.stored, "version", "offset", "day_unit")
        shown = {name: getattr(row, name) for name in names}
        return shown | distance_values(row.offset, row.day_unit)


class StandardDutyForm(ExpectedForm):
    """A duty that every event of an alliance brings with it."""

    kind = forms.ChoiceField(label=_("what"), choices=DutyKind.choices)
    owed_by = forms.ChoiceField(label=_("owed by"), choices=OwedBy.choices)
    event_type = forms.CharField(label=_("only events of type"), max_length=100, required=False)
    anchor = forms.ChoiceField(label=_("counted from"), choices=DutyAnchor.choices)
    at_time = clock_field(_("at"), initial="17:00")
    enabled = forms.BooleanField(label=_("in use"), required=False, initial=True)
    field_order = (
        *("version", "kind", "owed_by", "event_type", "distance", "unit", "side", "anchor"),
        *("at_time", "enabled"),
    )
    pairs: ClassVar = (("distance", "unit"), ("side", "anchor"), ("kind", "owed_by"))
    stored: ClassVar = ("kind", "owed_by", "event_type", "anchor", "at_time", "enabled")


class ChaseStepForm(ExpectedForm):
    """A step by which an alliance chases what is owed."""

    kind = forms.ChoiceField(
        label=_("only duties"), choices=[("", _("all")), *DutyKind.choices], required=False
    )
    at_time = clock_field(_("at"), required=False)
    told = several(_("who is told"), list(CHASED_WORDS.items()), initial=["liaison"])
    channels = several(_("channels"), list(CHANNEL_WORDS.items())[:2], initial=["email", "inbox"])
    urgency = forms.ChoiceField(label=_("urgency"), choices=Urgency.choices, initial=Urgency.NORMAL)
    text_zh = own_words_field(_("own words in Chinese"))
    text_en = own_words_field(_("own words in English"))
    enabled = forms.BooleanField(label=_("in use"), required=False, initial=True)
    field_order = (
        *("version", "kind", "at_time", "distance", "unit", "side", "urgency", "told"),
        *("channels", "text_zh", "text_en", "enabled"),
    )
    pairs: ClassVar = (("distance", "unit"), ("side", "urgency"), ("kind", "at_time"))
    stored: ClassVar = (
        *("kind", "at_time", "told", "channels"),
        *("urgency", "text_zh", "text_en", "enabled"),
    )
