"""Forms for alliances, members, people and plans: one for each verb."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from alliances.drafting import Host, Line
from alliances.joining import organizations_by_name
from alliances.models import (
    Alliance,
    AllianceKind,
    Body,
    BodyKind,
    MembershipRole,
    Organization,
    OrganizationKind,
    Person,
    Plan,
    PlanItem,
    PlanKind,
    SeatRole,
    WorkArea,
)
from alliances.models.organization import name_key
from alliances.windows import read_window
from coordination.pages.forms import DateInput, RowChoice, VerbForm, ZoneField, row_label

HOST_MARKS = ";；、\n"


def _text(label: Any, length: int, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, required=False, **options)


def _long(label: Any, length: int = 4000) -> forms.CharField:
    return _text(label, length, widget=forms.Textarea(attrs={"rows": 3}))


def _day(label: Any, *, required: bool = False, **options: Any) -> forms.DateField:
    return forms.DateField(label=label, required=required, widget=DateInput(), **options)


class NamedForm(VerbForm):
    """A form with a name in at least one of both languages."""

    name_zh = _text(_("name in Chinese"), 200)
    name_en = _text(_("name in English"), 200)

    def clean(self) -> dict[str, Any]:
        """See that there is a name."""
        values: dict[str, Any] = super().clean() or {}
        if not values.get("name_zh") and not values.get("name_en") and "name_zh" in self.fields:
            self.add_error("name_zh", _("Give a name in Chinese or in English."))
        return values

    def values(self) -> dict[str, Any]:
        """Return what was typed as columns."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class AllianceForm(NamedForm):
    """An alliance's details."""

    short_name_zh = _text(_("short name in Chinese"), 60)
    short_name_en = _text(_("short name in English"), 60)
    kind = forms.ChoiceField(label=_("kind"), choices=AllianceKind.choices)
    founded_on = _day(_("founded on"))
    time_zone = ZoneField()
    website = forms.URLField(label=_("website"), required=False, assume_scheme="https")
    email = forms.EmailField(label=_("secretariat's public address"), required=False)
    description_zh = _long(_("description in Chinese"))
    description_en = _long(_("description in English"))
    source = _text(_("source"), 300)


class NewAllianceForm(AllianceForm):
    """A new alliance, with the short address that it keeps."""

    slug = forms.SlugField(
        label=_("short address"),
        max_length=50,
        help_text=_("Small letters, digits and hyphens; it stands in links and stays."),
    )
    field_order = ["version", "name_zh", "name_en", "slug"]


class AdmitForm(VerbForm):
    """Admit an organization, known or new, from a day on."""

    organization = RowChoice(
        Organization.objects.none(),
        label=_("organization"),
        required=False,
        help_text=_("Choose one that is known here, or name a new one below."),
    )
    name_zh = _text(_("new organization: name in Chinese"), 200)
    name_en = _text(_("new organization: name in English"), 200)
    kind = forms.ChoiceField(
        label=_("kind of new organization"), choices=OrganizationKind.choices, required=False
    )
    country = _text(_("country of new organization (two letters)"), 2, initial="CN")
    role = forms.ChoiceField(
        label=_("role"), choices=MembershipRole.choices, initial=MembershipRole.MEMBER
    )
    tier = _text(_("tier"), 60)
    starts_on = _day(_("member from"), required=True)

    def __init__(self, *args: Any, language: str, **options: Any) -> None:
        super().__init__(*args, **options)
        known = Organization.objects.filter(merged_into__isnull=True).order_by("pk")
        self.offer_rows(language, organization=known)

    def clean(self) -> dict[str, Any]:
        """See that one organization is meant: a known one, or a new one that is not known."""
        values: dict[str, Any] = super().clean() or {}
        names = [values.get("name_zh"), values.get("name_en")]
        if bool(values.get("organization")) == any(names):
            self.add_error("organization", _("Choose an organization, or name a new one."))
        known = organizations_by_name() if any(names) else {}
        for name in filter(None, names):
            if name_key(name) in known:
                self.add_error("name_zh", _("This organization is known here; choose it above."))
                break
        return values


class MembershipForm(VerbForm):
    """Change a membership."""

    role = forms.ChoiceField(label=_("role"), choices=MembershipRole.choices)
    tier = _text(_("tier"), 60)
    tags = _text(_("tags"), 300)
    display_name_zh = _text(_("name in this alliance"), 200)
    display_name_en = _text(_("name in this alliance, English"), 200)
    starts_on = _day(_("member from"), required=True)


class EndForm(VerbForm):
    """End something on a day, and say why."""

    on = _day(
        _("first day on which it no longer holds"),
        required=True,
    )
    reason = forms.CharField(label=_("reason"), max_length=300)
    field_names: ClassVar = {"ends_on": "on"}


class BodyForm(NamedForm):
    """A body of an alliance."""

    kind = forms.ChoiceField(label=_("kind"), choices=BodyKind.choices)
    term_years = forms.IntegerField(
        label=_("term in years"), required=False, min_value=1, max_value=20
    )
    field_order = ["version", "kind", "name_zh", "name_en"]


class PersonForm(NamedForm):
    """A form that names a person."""

    name_zh = _text(pgettext_lazy("person", "name in Chinese"), 200)
    name_en = _text(pgettext_lazy("person", "name in English"), 200)


class SeatForm(PersonForm):
    """Give a person a seat for a member or in a body."""

    title_zh = _text(_("position in Chinese"), 100)
    title_en = _text(_("position in English"), 100)
    email = forms.EmailField(label=_("e-mail"), required=False)
    phone = _text(_("telephone"), 40)
    role = forms.ChoiceField(label=_("role"), choices=SeatRole.choices)
    organization = RowChoice(
        Organization.objects.none(),
        label=_("for the member"),
        required=False,
        help_text=_("Liaison officers, deputies and representatives sit for an organization."),
    )
    body = RowChoice(
        Body.objects.none(),
        label=_("in the body"),
        required=False,
        help_text=_("Secretariat staff, chairs, members and observers sit in a body."),
    )
    starts_on = _day(_("from"), required=True)
    ends_on = _day(_("until (exclusive)"))
    pairs: ClassVar = [("starts_on", "ends_on"), ("organization", "body"), ("email", "phone")]

    def __init__(self, *args: Any, alliance: Alliance, language: str, **options: Any) -> None:
        super().__init__(*args, **options)
        members = Organization.objects.filter(memberships__alliance=alliance)
        self.offer_rows(
            language,
            organization=members.distinct().order_by("pk"),
            body=alliance.bodies.order_by("pk"),
        )


class PersonChoice(RowChoice):
    """A choice of people, named in the reader's language."""

    def label_from_instance(self, obj: Person) -> str:
        """Return the person's name."""
        return row_label(obj.details, self.language)


class HandOverForm(PersonForm):
    """Hand a seat to a successor: somebody known, or a person to add."""

    successor = PersonChoice(
        Person.objects.none(),
        label=_("successor"),
        required=False,
        empty_label=_("somebody new: fill in below"),
    )
    title_zh = _text(_("position in Chinese"), 100)
    title_en = _text(_("position in English"), 100)
    email = forms.EmailField(label=_("e-mail"), required=False)
    phone = _text(_("telephone"), 40)
    on = _day(_("first day of the successor"), required=True)
    pairs: ClassVar = [("email", "phone")]
    field_names: ClassVar = {"starts_on": "on", "ends_on": "on"}
    field_order = ["version", "on", "successor"]

    def __init__(self, *args: Any, people: Any, language: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.offer_rows(language, successor=people)

    def clean(self) -> dict[str, Any]:
        """Ask for a name only of somebody new."""
        if self.cleaned_data.get("successor") is not None:
            return VerbForm.clean(self)
        return super().clean()


class PlanForm(VerbForm):
    """A plan's title, period and target."""

    title_zh = _text(_("title in Chinese"), 200)
    title_en = _text(_("title in English"), 200)
    starts_on = _day(_("first day"))
    ends_on = _day(_("last day"))
    target_number = forms.IntegerField(
        label=_("target number of events"), required=False, min_value=0, max_value=100_000
    )
    document_number = _text(_("document number"), 100)
    note = _long(_("note under the title"), 2000)
    pairs: ClassVar = [("starts_on", "ends_on"), ("target_number", "document_number")]

    def clean(self) -> dict[str, Any]:
        """See that there is a title."""
        values: dict[str, Any] = super().clean() or {}
        if not values.get("title_zh") and not values.get("title_en"):
            self.add_error("title_zh", _("Give a title in Chinese or in English."))
        return values

    def values(self) -> dict[str, Any]:
        """Return what was typed as columns; an empty period is left to the verb."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name != "version" and not (name in ("starts_on", "ends_on") and value is None)
        }


class NewPlanForm(PlanForm):
    """A new plan with its work areas."""

    kind = forms.ChoiceField(label=_("kind"), choices=PlanKind.choices)
    year = forms.IntegerField(label=_("year"), min_value=1990, max_value=2200)
    slug = forms.CharField(
        label=_("short address"),
        max_length=50,
        required=False,
        help_text=_("For campaigns; an annual plan's address is its year."),
    )
    work_areas = _text(_("work areas, one a line"), 4000, widget=forms.Textarea(attrs={"rows": 7}))
    pairs: ClassVar = [*PlanForm.pairs, ("kind", "year")]
    field_order = ["version", "kind", "year", "slug", "title_zh", "title_en"]

    def areas(self) -> list[str]:
        """Return the names of the work areas, in order."""
        lines = str(self.cleaned_data["work_areas"]).splitlines()
        return [line.strip() for line in lines if line.strip()]

    def values(self) -> dict[str, Any]:
        """Return what was typed as columns of the plan."""
        return {name: value for name, value in super().values().items() if name != "work_areas"}


class AdoptForm(VerbForm):
    """Adopt the draft, or the changes, as the next edition."""

    on = _day(_("adopted on"), required=True)
    document_number = _text(_("document number"), 100)
    reason = _text(_("reason"), 500)


class WorkAreaForm(NamedForm):
    """Add a work area, or change its name."""


class ItemForm(VerbForm):
    """A line of a plan. The time is written as people write it."""

    number = _text(_("number"), 20)
    work_area = RowChoice(WorkArea.objects.none(), label=_("work area"), required=False)
    title_zh = _text(_("title in Chinese"), 200)
    title_en = _text(_("title in English"), 200)
    window_text = _text(
        _("time"),
        200,
        help_text=_(
            "As in the plan: 5月14日, 5月中旬, 5—6月, 第二季度, 每季度末, 待定, Q2, mid-May."
        ),
    )
    type_text = _text(_("type of event"), 100)
    hosts = _text(_("hosts"), 1000, help_text=_("Separate names with a semicolon."))
    place_text = _text(_("place"), 300)
    participants_text = _text(_("participants"), 1000)
    notes = _long(_("notes"), 2000)
    reason = _text(
        _("reason for the change"),
        500,
        help_text=_("Needed once the plan is adopted; it goes into the next edition."),
    )
    pairs: ClassVar = [("number", "work_area"), ("type_text", "place_text")]
    field_names: ClassVar = {"windows": "window_text", "starts_on": "window_text"}

    def __init__(self, *args: Any, plan: Plan, language: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.plan = plan
        self.offer_rows(language, work_area=plan.work_areas.order_by("position"))

    def clean(self) -> dict[str, Any]:
        """Read the time, and see that there is a title."""
        values: dict[str, Any] = super().clean() or {}
        if not values.get("title_zh") and not values.get("title_en"):
            self.add_error("title_zh", _("Give a title in Chinese or in English."))
        written = values.get("window_text", "")
        read = read_window(written, year=self.plan.year, notes=values.get("notes", ""))
        if any(problem.code.is_error for problem in read.problems):
            self.add_error("window_text", _("This time cannot be: check the dates and the year."))
        values["windows"] = [window.as_json() for window in read.windows]
        return values

    def line(self) -> Line:
        """Return the line as the verbs take it."""
        values = {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in ("version", "work_area", "hosts", "reason")
        }
        return Line(values=values, hosts=self.host_list(), work_area=self.cleaned_data["work_area"])

    def host_list(self) -> list[Host]:
        """Return the hosts with the organizations that their names mean."""
        text = str(self.cleaned_data["hosts"])
        for mark in HOST_MARKS:
            text = text.replace(mark, "\0")
        names = [name.strip() for name in text.split("\0") if name.strip()]
        known = organizations_by_name() if names else {}
        return [Host(name, known.get(name_key(name))) for name in names]


class DropForm(VerbForm):
    """Take a line out of the plan."""

    on = _day(_("dropped on"), required=True)
    reason = _text(_("reason"), 500)


def item_values(item: PlanItem) -> dict[str, Any]:
    """Return a line's values as the form shows them."""
    names = (
        "number",
        "title_zh",
        "title_en",
        "window_text",
        "type_text",
        "place_text",
        "participants_text",
        "notes",
        "version",
        "work_area",
    )
    return {name: getattr(item, name) for name in names} | {
        "hosts": "；".join(host.name for host in item.hosts.all())
    }


def values_of(obj: Any, form: type[VerbForm]) -> dict[str, Any]:
    """Return an object's columns that a form of this class shows."""
    return {name: getattr(obj, name) for name in form.base_fields if hasattr(obj, name)}
