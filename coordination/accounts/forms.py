"""Clean what people type about themselves; every form is followed by one verb."""

import zoneinfo
from datetime import datetime, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from coordination.accounts.models import LANGUAGE_CHOICES, TokenKind
from coordination.accounts.scoping import FULL_SCOPE, READ_SCOPE, known_resources, limit_choices
from coordination.accounts.viewer import Viewer

EXPIRY_CHOICES = [
    ("30", _("After 30 days")),
    ("90", _("After 90 days")),
    ("365", _("After a year")),
    ("", _("Never")),
]
COMMON_ZONES = (
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Asia/Singapore",
    "Asia/Dubai",
    "Europe/Moscow",
    "Europe/Berlin",
    "Europe/London",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Los_Angeles",
    "Australia/Sydney",
    "UTC",
)


RESOURCE_WORDS = {
    "alliances": pgettext_lazy("scope", "alliances"),
    "bodies": pgettext_lazy("scope", "bodies"),
    "chair-terms": pgettext_lazy("scope", "rotating chairs"),
    "events": pgettext_lazy("scope", "events, invitations, duties and reminders"),
    "feed-links": pgettext_lazy("scope", "private calendars"),
    "inbound-mail": pgettext_lazy("scope", "mail that came in"),
    "inbox": pgettext_lazy("scope", "my inbox"),
    "memberships": pgettext_lazy("scope", "memberships"),
    "organizations": pgettext_lazy("scope", "organizations"),
    "people": pgettext_lazy("scope", "people"),
    "plans": pgettext_lazy("scope", "plans"),
    "robots": pgettext_lazy("scope", "robots in chat groups"),
    "seats": pgettext_lazy("scope", "seats"),
    "webhooks": pgettext_lazy("scope", "webhooks"),
    "wishes": pgettext_lazy("scope", "how I am told"),
}
"""What the resources of the API are to people; the code in a scope stands beside it."""


def zone_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    others = sorted(zoneinfo.available_timezones() - set(COMMON_ZONES))
    return [
        (str(_("Often used")), [(name, name) for name in COMMON_ZONES]),
        (str(_("All")), [(name, name) for name in others if "/" in name]),
    ]


class PreferencesForm(forms.Form):
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGE_CHOICES, required=False)
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zone_choices,
        help_text=_("Times are shown in the event's zone and in this one."),
    )


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("What you will recognise it by, for example the program that uses it."),
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=TokenKind.choices,
        initial=TokenKind.BEARER,
        help_text=_("An API token is for programs, an app password for calendars (CalDAV)."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Never more than you may do yourself."),
    )
    limits = forms.MultipleChoiceField(
        label=_("Only for these alliances"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without a choice: for all of yours."),
    )
    expires = forms.ChoiceField(
        label=_("Expires"), choices=EXPIRY_CHOICES, required=False, initial="365"
    )

    def __init__(self, data: object = None, *, viewer: Viewer) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.fields["scopes"].choices = scope_choices()  # type: ignore[attr-defined]
        self.fields["scopes"].initial = [READ_SCOPE]
        limits = self.fields["limits"]
        limits.choices = limit_choices(viewer)  # type: ignore[attr-defined]
        if not limits.choices:  # type: ignore[attr-defined]
            limits.widget = forms.MultipleHiddenInput()  # what is sent all the same is refused

    def expires_at(self, at: datetime) -> datetime | None:
        days = self.cleaned_data["expires"]
        return at + timedelta(days=int(days)) if days else None


def scope_choices() -> list[tuple[str, str]]:
    choices = [
        (READ_SCOPE, str(_("Read everything I may read"))),
        (FULL_SCOPE, str(_("Read and change everything I may"))),
    ]
    for resource in known_resources():
        words = RESOURCE_WORDS.get(resource)
        named = f"{words} ({resource})" if words else resource
        choices.append((f"{resource}:read", str(_("Read: %s") % named)))
        choices.append((f"{resource}:write", str(_("Read and change: %s") % named)))
    return choices


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("New password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if self.cleaned_data.get("password", again) != again:
            raise forms.ValidationError(_("The two passwords are not the same."))
        return again


class InvitationForm(forms.Form):
    username = forms.CharField(label=_("User name"), max_length=150)
    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    language = forms.ChoiceField(
        label=_("Language"), choices=LANGUAGE_CHOICES, required=False, initial="zh-hans"
    )
