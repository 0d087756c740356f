"""Forms for events: one for each verb."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Openness, Organization, Plan, WorkArea
from coordination.pages.forms import (
    DateInput,
    MomentField,
    MomentInput,
    RowChoice,
    RowChoices,
    VerbForm,
    ZoneField,
)
from events.calendar_event import Span
from events.inviting import Given
from events.models import AnswerState, DutyKind, Event, EventFormat, Invitation
from events.scheduling import Host

HOST_SEPARATORS = ";；、\n"


class SpanForm(VerbForm):
    """A time: wall clock and zone. The last day of an all-day event is included."""

    field_names: ClassVar = {
        "starts_at": "starts",
        "ends_at": "ends",
        "starts_wall": "starts",
        "ends_wall": "ends",
    }
    pairs: ClassVar = [("starts", "ends")]
    needs_span = True

    starts = MomentField(label=_("starts"), widget=MomentInput())
    ends = MomentField(label=_("ends"), widget=MomentInput())
    all_day = forms.BooleanField(label=_("all day (the last day counts too)"), required=False)
    time_zone = ZoneField(help_text=_("The clock that the times above are read from."))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("starts", "ends"):
            self.fields[name].required = self.needs_span
        field = self.fields["time_zone"]
        if isinstance(field, ZoneField):
            field.offer(str(self.initial.get("time_zone", "")))

    def clean(self) -> dict[str, Any]:
        """See that both ends are there, or neither, in their order."""
        values: dict[str, Any] = super().clean() or {}
        starts, ends = values.get("starts"), values.get("ends")
        if (starts is None) != (ends is None) and not self.errors:
            self.add_error("ends" if ends is None else "starts", _("Give both ends, or neither."))
        if starts and ends:
            too_early = ends.date() < starts.date() if values.get("all_day") else ends <= starts
            if too_early:
                self.add_error("ends", _("The end must be after the beginning."))
        return values

    def span(self) -> Span | None:
        """Return the time that was typed, or None."""
        values = self.cleaned_data
        starts, ends = values.get("starts"), values.get("ends")
        if starts is None or ends is None:
            return None
        if values.get("all_day"):
            starts = datetime.combine(starts.date(), time())
            ends = datetime.combine(ends.date() + timedelta(days=1), time())
        return Span(
            starts=starts,
            ends=ends,
            zone=values["time_zone"],
            is_all_day=bool(values.get("all_day")),
        )


class ReasonField(forms.CharField):
    """Why; people will ask."""

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(
            label=_("reason"),
            required=required,
            max_length=500,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text=_("It is shown to everyone who sees the event."),
        )


class ScheduleForm(SpanForm):
    """Set or move the time."""

    reason = ReasonField(required=False)


class ConfirmForm(VerbForm):
    """Confirm the time; nothing to fill in."""


class PostponeForm(SpanForm):
    """Put it off, to a new time or until further notice."""

    needs_span = False

    reason = ReasonField()
    field_order = ["version", "reason", "starts", "ends", "all_day", "time_zone"]


class CancelForm(VerbForm):
    """Call it off."""

    reason = ReasonField()


class ConcludeForm(VerbForm):
    """Record that it was held."""

    outcome_zh = forms.CharField(
        label=_("outcome in Chinese"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    outcome_en = forms.CharField(
        label=_("outcome in English"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    attendance = forms.IntegerField(
        label=_("people present"), required=False, min_value=0, max_value=1_000_000
    )


class InviteForm(VerbForm):
    """Invite organizations."""

    organizations = RowChoices(Organization.objects.none(), label=_("organizations"))
    answer_by = forms.DateField(label=_("answer by"), required=False, widget=DateInput())

    def __init__(self, *args: Any, members: Any, language: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.offer_rows(language, organizations=members)


GIVEN_FIELDS = ("state", "delegates", "names", "proposed_time", "comment")


CHOOSE = _("No answer was chosen. Choose one of the answers offered.")


class AnswerForm(VerbForm):
    """Answer an invitation."""

    state = forms.ChoiceField(
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
        label=_("answer"),
        choices=[choice for choice in AnswerState.choices if choice[0] != "needs_action"],
        widget=forms.RadioSelect,
    )
    delegates = forms.IntegerField(
        label=_("people coming"), required=False, min_value=0, max_value=10_000
    )
    names = forms.CharField(label=_("who comes"), required=False, max_length=500)
    proposed_time = forms.CharField(label=_("when would suit you"), required=False, max_length=200)
    comment = forms.CharField(label=_("comment"), required=False, max_length=1000)
    sequence = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def renew(self, invitation: Invitation) -> None:
        """Keep what was typed, as an answer to what the page shows now."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data[self.add_prefix("version")] = str(invitation.version)
        data[self.add_prefix("sequence")] = str(invitation.event.sequence)
        self.data = data

    def given(self) -> Given:
        """Return what was answered."""
        return Given(**{name: self.cleaned_data[name] for name in GIVEN_FIELDS})


class DutyForm(VerbForm):
    """Ask an organization for something by a day."""

    organization = RowChoice(Organization.objects.none(), label=_("owed by"))
    kind = forms.ChoiceField(label=_("what"), choices=DutyKind.choices)
    due_on = forms.DateField(label=_("by"), widget=DateInput())
    field_names: ClassVar = {"due_at": "due_on"}

    def __init__(self, *args: Any, members: Any, language: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.offer_rows(language, organization=members)


class MaterialForm(VerbForm):
    """Attach a document."""

    file = forms.FileField(label=_("file"))
    title = forms.CharField(label=_("title"), required=False, max_length=200)
    openness = forms.ChoiceField(
        label=_("open to"), choices=Openness.choices, initial=Openness.MEMBERS
    )


class ReplaceForm(VerbForm):
    """Add a newer version of a document."""

    file = forms.FileField(label=_("file"))


class WithdrawForm(VerbForm):
    """Withdraw an invitation."""

    reason = forms.CharField(
        label=_("reason"),
        required=False,
        max_length=300,
        help_text=_("For the history; the notice does not repeat it."),
    )


WORDS = (
    "title_zh",
    "title_en",
    "type_text",
    "participants_text",
    "format",
    "place_zh",
    "place_en",
    "address",
    "online_url",
    "contact",
    "audience",
    "description_zh",
    "description_en",
    "notes",
)


class EventForm(VerbForm):
    """An event's words, place, hosts and audience."""

    title_zh = forms.CharField(label=_("title in Chinese"), required=False, max_length=200)
    title_en = forms.CharField(label=_("title in English"), required=False, max_length=200)
    plan = RowChoice(Plan.objects.none(), label=_("plan"), required=False)
    work_area = RowChoice(WorkArea.objects.none(), label=_("work area"), required=False)
    type_text = forms.CharField(label=_("type of event"), required=False, max_length=100)
    format = forms.ChoiceField(label=_("format"), choices=EventFormat.choices)
    place_zh = forms.CharField(label=_("place in Chinese"), required=False, max_length=300)
    place_en = forms.CharField(label=_("place in English"), required=False, max_length=300)
    address = forms.CharField(label=_("address"), required=False, max_length=300)
    online_url = forms.URLField(
        label=_("online link"),
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text=_("Only members and the secretariat see it."),
    )
    hosts = RowChoices(Organization.objects.none(), label=_("hosts"), required=False)
    other_hosts = forms.CharField(
        label=_("other hosts"),
        required=False,
        max_length=1000,
        help_text=_("Separate names with a semicolon."),
    )
    named = RowChoices(Organization.objects.none(), label=_("organizations named"), required=False)
    co_hosts = RowChoices(Alliance.objects.none(), label=_("co-hosting alliances"), required=False)
    participants_text = forms.CharField(label=_("participants"), required=False, max_length=1000)
    audience = forms.ChoiceField(label=_("open to"), choices=Openness.choices)
    contact = forms.CharField(
        label=_("contact"),
        required=False,
        max_length=300,
        help_text=_("Only members and the secretariat see it."),
    )
    description_zh = forms.CharField(
        label=_("description in Chinese"), required=False, max_length=8000, widget=forms.Textarea
    )
    description_en = forms.CharField(
        label=_("description in English"), required=False, max_length=8000, widget=forms.Textarea
    )
    notes = forms.CharField(
        label=_("internal notes"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Only the secretariat sees them."),
    )

    def __init__(self, *args: Any, alliance: Alliance, language: str, **options: Any) -> None:
        super().__init__(*args, **options)
        members = Organization.objects.filter(memberships__alliance=alliance).distinct()
        standing = members.filter(merged_into__isnull=True).order_by("pk")
        self.offer_rows(
            language,
            plan=alliance.plans.order_by("-year", "pk"),
            work_area=WorkArea.objects.filter(plan__alliance=alliance).select_related("plan"),
            hosts=standing,
            named=standing,
            co_hosts=Alliance.objects.exclude(pk=alliance.pk).order_by("pk"),
        )

    def clean(self) -> dict[str, Any]:
        """See that there is a title in one of both languages."""
        values: dict[str, Any] = super().clean() or {}
        if not values.get("title_zh") and not values.get("title_en"):
            self.add_error("title_zh", _("Give a title in Chinese or in English."))
        return values

    def words(self) -> dict[str, Any]:
        """Return the columns as the verbs take them."""
        values = {name: self.cleaned_data[name] for name in WORDS}
        return values | {
            "plan": self.cleaned_data["plan"],
            "work_area": self.cleaned_data["work_area"],
        }

    def host_list(self) -> list[Host]:
        """Return the hosts: organizations chosen, then names typed."""
        text = self.cleaned_data["other_hosts"]
        for mark in HOST_SEPARATORS:
            text = text.replace(mark, "\0")
        names = [name.strip() for name in text.split("\0") if name.strip()]
        return [Host(organization=each) for each in self.cleaned_data["hosts"]] + [
            Host(name=name) for name in names
        ]

    def parts(self) -> dict[str, Any]:
        """Return hosts, co-hosts and organizations named as the verbs take them."""
        return {
            "hosts": self.host_list(),
            "co_hosts": self.cleaned_data["co_hosts"],
            "named": self.cleaned_data["named"],
        }


class NewEventForm(EventForm, SpanForm):
    """A new event, with a time where there is one already."""

    needs_span = False


def values_of(event: Event) -> dict[str, Any]:
    """Return an event's values as the form shows them."""
    hosts = list(event.hosts.all())
    return {name: getattr(event, name) for name in WORDS} | {
        "version": event.version,
        "plan": event.plan,
        "work_area": event.work_area,
        "hosts": [row.organization for row in hosts if row.organization is not None],
        "other_hosts": "；".join(row.name for row in hosts if row.organization is None),
        "named": [row.organization for row in event.named.all()],
        "co_hosts": [row.alliance for row in event.co_hosts.all()],
    }


def span_values(event: Event) -> dict[str, Any]:
    """Return an event's time as the form shows it; its window's days where it has none."""
    starts, ends = event.starts_wall, event.ends_wall
    if event.all_day and ends is not None:
        ends -= timedelta(days=1)
    if starts is None and event.window_starts_on is not None and event.window_precision == "day":
        starts = datetime.combine(event.window_starts_on, time(9))
        ends = datetime.combine(event.window_ends_on or event.window_starts_on, time(17))
    return {
        "version": event.version,
        "starts": starts,
        "ends": ends,
        "all_day": event.all_day,
        "time_zone": event.time_zone or event.alliance.time_zone,
    }
