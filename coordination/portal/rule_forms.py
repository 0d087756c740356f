"""The form of reminder rules, and what it shares with those of what is owed."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from alliances.models import (
    Alliance,
    Membership,
    MembershipRole,
    Organization,
    Plan,
    SeatRole,
    WorkArea,
)
from alliances.models.membership import KNOWN_TIERS
from coordination.pages.forms import (
    MomentField,
    RowChoice,
    RowChoices,
    VerbForm,
    ZoneField,
    row_label,
)
from events.dues import MOST_TIMES
from events.models import (
    Anchor,
    Clock,
    DayUnit,
    ReminderRule,
    RepeatWhile,
    Urgency,
    WorkdaysOf,
)
from events.models.reminder import ANSWER_WORDS, AUDIENCE_WORDS, CHANNEL_WORDS
from events.offsets import read_offset

UNITS = (
    ("days", _("days")),
    ("working", _("working days")),
    ("hours", _("hours")),
    ("minutes", _("minutes")),
)
SPAN_UNITS = tuple(unit for unit in UNITS if unit[0] != "working")  # as the distance has them
SIDES = (
    ("before", pgettext_lazy("distance", "before")),
    ("after", pgettext_lazy("distance", "after")),
)
TOLD_ROLES = [
    (role.value, role.label)
    for role in (SeatRole.LIAISON, SeatRole.DEPUTY, SeatRole.REPRESENTATIVE,
                 SeatRole.CHAIR, SeatRole.MEMBER, SeatRole.OBSERVER)
]  # fmt: skip


def several(label: Any, choices: Any, **options: Any) -> forms.MultipleChoiceField:
    """Return a field of boxes to tick."""
    return forms.MultipleChoiceField(
        label=label, choices=choices, widget=forms.CheckboxSelectMultiple, **options
    )


def clock_field(label: Any, **options: Any) -> forms.TimeField:
    """Return a field for a time of day."""
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, widget=widget, **options)


def own_words_field(label: Any) -> forms.CharField:
    """Return a field for the words that an office adds to a message."""
    widget = forms.Textarea(attrs={"rows": 3})
    return forms.CharField(label=label, max_length=2000, required=False, widget=widget)


def words_of(text: str) -> list[str]:
    """Return the words of a line, however they are parted."""
    for mark in "，、；,;":
        text = text.replace(mark, " ")
    return list(dict.fromkeys(text.split()))


def distance_of(values: dict[str, Any]) -> tuple[str, str]:
    """Return the offset and the unit of its days, from a number, a unit and a side."""
    number, unit = values["distance"], values["unit"]
    sign = "-" if values.get("side") == "before" and number else ""
    text = {"hours": f"PT{number}H", "minutes": f"PT{number}M"}.get(unit, f"P{number}D")
    days = DayUnit.WORKING if unit == "working" else DayUnit.CALENDAR
    return sign + text, days.value


def distance_values(offset: str, day_unit: str) -> dict[str, Any]:
    """Return what a form of a distance begins with."""
    if not offset:
        return {}
    read = read_offset(offset)
    side = "after" if read.days > 0 or read.minutes > 0 else "before"
    if read.days:
        unit = "working" if day_unit == DayUnit.WORKING else "days"
        return {"distance": abs(read.days), "unit": unit, "side": side}
    if read.minutes % 60:
        return {"distance": abs(read.minutes), "unit": "minutes", "side": side}
    unit = "hours" if read.minutes else ("working" if day_unit == DayUnit.WORKING else "days")
    return {"distance": abs(read.minutes) // 60, "unit": unit, "side": side}


def repetition_values(rule: ReminderRule) -> dict[str, Any]:
    """Return what the two distances of a repetition begin with."""
    nothing = {"distance": None, "unit": "days", "side": "before"}
    return {
        f"{name}_{part}": value
        for name, text in (("repeat", rule.repeat_every), ("last", rule.repeat_until))
        for part, value in (nothing | distance_values(text, DayUnit.CALENDAR)).items()
    }


class DistanceForm(VerbForm):
    """A form with a distance: a number, a unit and a side."""

    distance = forms.IntegerField(label=_("how far"), min_value=0, max_value=700)
    unit = forms.ChoiceField(label=_("unit"), choices=UNITS)
    side = forms.ChoiceField(label=_("before or after"), choices=SIDES)

    def offset_given(self) -> tuple[str, str]:
        """Return the offset and the unit of its days; one that was not touched stays as it was.

        A form shows days or hours: of "1 day and 2 hours" it would lose the hours.
        """
        if self.is_untouched("distance", "unit", "side"):
            return self.initial["offset"], self.initial["day_unit"]
        return distance_of(self.cleaned_data)

    def is_untouched(self, *names: str) -> bool:
        """Whether the fields came back as the form showed them."""
        return all(self.cleaned_data[name] == self.initial.get(name) for name in names)


class AreaChoice(RowChoice):
    """A choice of areas of work, each with its plan: other years have areas of the same name."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the names of the plan and of the area."""
        return " · ".join(row_label(row, self.language) for row in (obj.plan, obj))


class RuleForm(DistanceForm):
    """A reminder rule; where it stands is chosen when it is new."""

    alliance = RowChoice(Alliance.objects.none(), label=_("for all events of"), required=False)
    event_type = forms.CharField(
        label=_("only events of type"), max_length=100, required=False,
        help_text=_("Together with an alliance."),
    )  # fmt: skip
    plan = RowChoice(Plan.objects.none(), label=_("or of the plan"), required=False)
    work_area = AreaChoice(
        WorkArea.objects.none(), label=_("or of the area of work"), required=False
    )
    joins = forms.BooleanField(
        label=_("in addition to inherited rules"), required=False,
        help_text=_("Otherwise rules of this level replace those of all levels further out."),
    )  # fmt: skip
    distance = forms.IntegerField(
        label=_("how far"), min_value=0, max_value=700, required=False, initial=7
    )
    unit = forms.ChoiceField(label=_("unit"), choices=UNITS, initial="days")
    side = forms.ChoiceField(label=_("before or after"), choices=SIDES, initial="before")
    anchor = forms.ChoiceField(
        label=_("counted from"), choices=Anchor.choices, initial=Anchor.START
    )
    at_time = clock_field(_("at"), required=False)
    clock = forms.ChoiceField(label=_("clock"), choices=Clock.choices, initial=Clock.EVENT)
    workdays_of = forms.ChoiceField(
        label=_("working days of"), choices=WorkdaysOf.choices, initial=WorkdaysOf.ALLIANCE
    )
    at_wall = MomentField(
        label=_("or at a fixed time"), required=False,
        help_text=_("Then leave the distance empty."),
    )  # fmt: skip
    at_zone = ZoneField(label=_("zone of the fixed time"), required=False)
    repeat_distance = forms.IntegerField(
        label=_("again after every"), min_value=1, max_value=700, required=False
    )
    repeat_unit = forms.ChoiceField(
        label=_("unit of the repetition"), choices=SPAN_UNITS, initial="days"
    )
    repeat_while = forms.ChoiceField(
        label=_("repeated"), choices=RepeatWhile.choices, initial=RepeatWhile.ALWAYS
    )
    last_distance = forms.IntegerField(
        label=_("not later than"), min_value=0, max_value=700, required=False
    )
    last_unit = forms.ChoiceField(
        label=_("unit of the latest time"), choices=SPAN_UNITS, initial="days"
    )
    last_side = forms.ChoiceField(
        label=_("before or after, for the latest time"), choices=SIDES, initial="before"
    )
    repeat_times = forms.IntegerField(
        label=_("times at most"), min_value=1, max_value=MOST_TIMES, initial=5
    )
    audience = several(
        _("who is reminded"), list(AUDIENCE_WORDS.items()), initial=["hosts", "members", "named"]
    )
    organizations = RowChoices(
        Organization.objects.none(), label=_("chosen organizations"), required=False
    )
    roles = several(_("seats"), TOLD_ROLES, required=False)
    member_roles = several(_("only members that are"), MembershipRole.choices, required=False)
    tiers = several(_("only tiers"), [], required=False)
    tags = forms.CharField(label=_("only tags"), max_length=300, required=False)
    answers = several(_("only by answer"), list(ANSWER_WORDS.items()), required=False)
    channels = several(_("channels"), list(CHANNEL_WORDS.items()), initial=["email"])
    urgency = forms.ChoiceField(label=_("urgency"), choices=Urgency.choices, initial=Urgency.NORMAL)
    respects_quiet = forms.BooleanField(label=_("keeps quiet hours"), required=False, initial=True)
    quiet_from = clock_field(_("quiet from"), initial="22:00")
    quiet_until = clock_field(_("quiet until"), initial="07:00")
    min_useful_minutes = forms.IntegerField(
        label=_("of use until so many minutes before"), min_value=0, max_value=10_080, initial=60
    )
    grace_minutes = forms.IntegerField(
        label=_("may be late by minutes"), min_value=0, max_value=10_080, initial=1440
    )
    never_twice = forms.BooleanField(
        label=_("never twice"), required=False,
        help_text=_("Rather held back than sent again when it is unknown whether it went out."),
    )  # fmt: skip
    rearm_on_move = forms.BooleanField(
        label=_("again when the event moves"), required=False, initial=True
    )
    enabled = forms.BooleanField(label=_("in use"), required=False, initial=True)
    text_zh = own_words_field(_("own words in Chinese"))
    text_en = own_words_field(_("own words in English"))
    field_names: ClassVar = {
        "offset": "distance", "repeat_every": "repeat_distance", "repeat_until": "last_distance",
        "overrides": "joins",
    }  # fmt: skip
    stands: ClassVar = ("alliance", "event_type", "plan", "work_area", "joins")
    groups: ClassVar = (
        (_("Where it stands"), stands),
        (_("When"), ("distance", "unit", "side", "anchor", "at_time", "clock", "workdays_of")),
        (_("At a fixed time, or again and again"),
         ("at_wall", "at_zone", "repeat_distance", "repeat_unit", "repeat_while", "repeat_times",
          "last_distance", "last_unit", "last_side")),
        (_("Whom"), ("audience", "organizations", "roles", "member_roles", "tiers", "tags",
                     "answers")),
        (_("How"), ("channels", "urgency", "respects_quiet", "quiet_from", "quiet_until",
                    "min_useful_minutes", "grace_minutes", "never_twice", "rearm_on_move",
                    "enabled")),
        (_("In which words"), ("text_zh", "text_en")),
    )  # fmt: skip

    def __init__(
        self, *args: Any, alliances: Any, plans: Any, language: str, fixed: bool, **options: Any
    ):
        super().__init__(*args, **options)
        areas = WorkArea.objects.filter(plan__in=plans).select_related("plan")
        chosen = self.initial.get("organizations", Organization.objects.none())
        organizations = Organization.objects.filter(
            Q(memberships__alliance__in=alliances) | Q(pk__in=chosen), merged_into__isnull=True
        )
        self.offer_rows(
            language,
            alliance=alliances,
            plan=plans,
            work_area=areas.order_by("-plan__year", "plan", "position"),
            organizations=organizations.distinct().order_by("pk"),
        )
        known = Membership.objects.filter(alliance__in=alliances).values_list("tier", flat=True)
        tiers = sorted({*known, *self.initial.get("tiers", ())} - {""})
        tiers_field: Any = self.fields["tiers"]
        tiers_field.choices = [(tier, KNOWN_TIERS.get(tier, tier)) for tier in tiers]
        if fixed:
            for name in self.stands[:-1]:
                del self.fields[name]

    @property
    def sections(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields in groups, each with its heading."""
        return [
            (heading, [self[name] for name in names if name in self.fields])
            for heading, names in self.groups
        ]

    def clean(self) -> dict[str, Any]:
        """See that the rule stands on one thing, and has one time."""
        values = super().clean()
        owners = [name for name in ("alliance", "plan", "work_area") if values.get(name)]
        if "alliance" in self.fields and len(owners) != 1:
            words = _("Choose an alliance, a plan or an area of work: one of them.")
            self.add_error("alliance", words)
        has_time = values.get("distance") is not None or bool(values.get("at_wall"))
        if not has_time and "distance" not in self.errors:
            self.add_error("distance", _("Give a distance or a fixed time, one of both."))
        return values

    @property
    def owner(self) -> Alliance | Plan | WorkArea:
        """What the rule stands on."""
        given = self.cleaned_data
        owner: Alliance | Plan | WorkArea = given["alliance"] or given["plan"] or given["work_area"]
        return owner

    @property
    def values(self) -> dict[str, Any]:
        """The values as a verb takes them."""
        given = dict(self.cleaned_data)
        for name in ("version", "alliance", "plan", "work_area"):
            given.pop(name, None)
        offset, day_unit = "", DayUnit.CALENDAR.value
        if given["distance"] is not None:
            offset, day_unit = self.offset_given()
        every = self._repetition_given("repeat", "repeat_every")
        until = self._repetition_given("last", "repeat_until")
        for name in ("distance", "unit", "side"):
            for part in (name, f"repeat_{name}", f"last_{name}"):
                given.pop(part, None)
        given |= {
            "offset": offset,
            "day_unit": day_unit,
            "repeat_every": every,
            "repeat_until": until,
            "tags": words_of(given["tags"]),
            "organizations": [str(row.uid) for row in given["organizations"]],
            "at_zone": given["at_zone"] if given["at_wall"] is not None else "",
        }
        return given

    def _repetition_given(self, name: str, stored: str) -> str:
        """Return a distance of the repetition; as with the offset, if untouched it stays."""
        parts = [part for part in ("distance", "unit", "side") if f"{name}_{part}" in self.fields]
        if self.is_untouched(*(f"{name}_{part}" for part in parts)):
            kept: str = self.initial.get(stored, "")
            return kept
        given = {part: self.cleaned_data[f"{name}_{part}"] for part in parts}
        return "" if given["distance"] is None else distance_of(given)[0]

    @staticmethod
    def values_of(rule: ReminderRule) -> dict[str, Any]:
        """Return what the form of a stored rule begins with."""
        same = {
            name: getattr(rule, name)
            for name in (
                *("version", "joins", "anchor", "at_time", "clock", "workdays_of", "at_wall"),
                *("at_zone", "repeat_while", "repeat_times", "audience", "roles", "channels"),
                *("offset", "day_unit", "repeat_every", "repeat_until", "tiers"),
                *("member_roles", "answers", "urgency", "respects_quiet", "quiet_from"),
                *("quiet_until", "min_useful_minutes", "grace_minutes", "never_twice"),
                *("rearm_on_move", "enabled", "text_zh", "text_en"),
            )
        }
        return {
            "distance": None,
            "unit": "days",
            "side": "before",
            **same,
            **distance_values(rule.offset, rule.day_unit),
            **repetition_values(rule),
            "tags": " ".join(rule.tags),
            "organizations": Organization.objects.filter(uid__in=rule.organizations),
        }
