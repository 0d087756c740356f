"""Forms of the pages: they clean what was typed, call one verb, and say what was refused.

A form about an object carries the version that the page was made from. Whoever saves second is
shown both versions and nothing is lost: what was typed stays in the form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from coordination.bilingual import localized
from coordination.changes.models import Tracked
from coordination.changes.refusals import (
    InvalidInput,
    NotAllowed,
    NotVisible,
    Refusal,
    StaleVersion,
)

Outcome = TypeVar("Outcome")

COMMON_ZONES = (
    "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Urumqi", "Asia/Tokyo", "Asia/Seoul",
    "Asia/Singapore", "Asia/Bangkok", "Asia/Jakarta", "Asia/Kolkata", "Asia/Kathmandu",
    "Asia/Almaty", "Asia/Dubai", "Asia/Riyadh", "Asia/Tehran", "Europe/Istanbul", "Europe/Moscow",
    "Europe/Zurich", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/London",
    "Africa/Cairo", "Africa/Nairobi", "Africa/Johannesburg", "Africa/Lagos", "America/New_York",
    "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Mexico_City",
    "America/Bogota", "America/Sao_Paulo", "America/Argentina/Buenos_Aires", "Australia/Sydney",
    "Pacific/Auckland", "UTC",
)  # fmt: skip
"""Zones offered in forms, near ones first; any other IANA name that is set already is kept."""

PAIR_ENDS = ("_zh", "_en")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which what is saved now differs from what was typed."""

    label: str
    saved: str
    typed: str


class DateInput(forms.DateInput):
    """A date, picked or typed, always as 2024-05-14."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class MomentInput(forms.DateTimeInput):
    """A wall time, picked or typed, as 2024-05-14T09:30."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class MomentField(forms.Field):
    """A naive wall time; its zone stands in a field of its own."""

    widget = MomentInput
    default_error_messages: ClassVar = {
        "invalid": _("Give a date and a time, for example 2024-05-14 09:30.")
    }

    def to_python(self, value: Any) -> datetime | None:
        """Return the naive wall time.

        Raises:
            ValidationError: it cannot be read.
        """
        if value in (None, ""):
            return None
        if isinstance(value, datetime):
            return value.replace(tzinfo=None)
        try:
            return datetime.fromisoformat(str(value).strip()).replace(tzinfo=None, second=0)
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], "invalid") from None

    def prepare_value(self, value: Any) -> Any:
        """Return what the input shows."""
        return value


class ZoneField(forms.ChoiceField):
    """An IANA zone: the common ones, and whatever is set already."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("time zone"))
        super().__init__(
            choices=[(name, name.replace("_", " ")) for name in COMMON_ZONES], **options
        )

    def valid_value(self, value: Any) -> bool:
        """Take every zone that exists."""
        try:
            return bool(ZoneInfo(str(value)))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return False

    def offer(self, zone: str) -> None:
        """Add a zone to the list."""
        if zone and zone not in COMMON_ZONES and self.valid_value(zone):
            self.choices = [(name, name.replace("_", " ")) for name in (zone, *COMMON_ZONES)]


if TYPE_CHECKING:
    _ModelChoice = forms.ModelChoiceField[Any]
    _ModelChoices = forms.ModelMultipleChoiceField[Any]
else:
    _ModelChoice, _ModelChoices = forms.ModelChoiceField, forms.ModelMultipleChoiceField


def row_label(row: Any, language: str) -> str:
    """Return a row's title or name in a language."""
    return localized(row, "title" if hasattr(row, "title_zh") else "name", language)


class RowChoice(_ModelChoice):
    """A choice of rows, named in the reader's language; to choose none is in words too."""

    language = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        nothing = _("please choose") if options.get("required", True) else "—"
        options.setdefault("empty_label", nothing)
        super().__init__(*args, **options)

    def label_from_instance(self, obj: Any) -> str:
        """Return the row's name."""
        return row_label(obj, self.language)


class RowChoices(_ModelChoices):
    """A choice of several rows, named in the reader's language."""

    language = ""
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        """Return the row's name."""
        return row_label(obj, self.language)


class VerbForm(forms.Form):
    """A form whose answer is one call of a verb.

    Attributes:
        field_names: where a verb's name for a field differs from the form's: verb's to form's.
        conflict: the refusal of a save that came second, after `run`.
        differences: for such a save, each field in which both versions differ.
    """

    error_css_class = "wrong"
    field_names: ClassVar[Mapping[str, str]] = {}
    pairs: ClassVar[Sequence[tuple[str, str]]] = ()

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("label_suffix", "")
        super().__init__(*args, **options)
        self.conflict: StaleVersion | None = None
        self.differences: list[Difference] = []

    def clean(self) -> dict[str, Any]:
        """Take line ends as they are stored: browsers send CR LF (HTML, form submission)."""
        values: dict[str, Any] = super().clean() or {}
        for name, value in values.items():
            if isinstance(value, str):
                values[name] = value.replace("\r\n", "\n")
        return values

    def run(self, verb: Callable[[], Outcome]) -> Outcome | None:
        """Call the verb; on a refusal say it beside the field and return None.

        Raises:
            NotAllowed, NotVisible: these are pages of their own.
        """
        try:
            return verb()
        except (NotAllowed, NotVisible):
            raise
        except StaleVersion as refusal:
            self.conflict = refusal
            self.add_error(None, str(refusal.message))
        except InvalidInput as refusal:
            for error in refusal.errors:
                name = self.field_names.get(error.field, error.field)
                self.add_error(name if name in self.fields else None, str(error.message))
        except Refusal as refusal:
            name = self.field_names.get(refusal.field, refusal.field)
            self.add_error(name if name in self.fields else None, str(refusal.message))
        return None

    def held_against(self, obj: Tracked) -> None:
        """Compare with the version the page was made from.

        Raises:
            StaleVersion: the object has changed since.
        """
        version = self.cleaned_data.get("version")
        if version is not None and version != obj.version:
            raise StaleVersion(current=obj)

    def show_both(self, saved: Mapping[str, Any], *, version: int) -> None:
        """Keep what was typed, list where it differs, and let the next save replace it."""
        for name, value in saved.items():
            if name == "version" or name not in self.cleaned_data:
                continue
            typed = self.cleaned_data[name]
            if _plain(typed) != _plain(value):
                label = str(self.fields[name].label or name)
                self.differences.append(
                    Difference(label, self._shown(name, value), self._shown(name, typed))
                )
        data = QueryDict(mutable=True)
        data.update(self.data)
        data[self.add_prefix("version")] = str(version)
        self.data = data

    def offer_rows(self, language: str, **querysets: Any) -> None:
        """Give the fields named the rows to choose from, in the reader's language."""
        for name, queryset in querysets.items():
            field: Any = self.fields[name]
            field.language, field.queryset = language, queryset

    def rows(self) -> list[list[forms.BoundField]]:
        """Return the visible fields in rows; a text in both languages is one row of two."""
        partners = dict(self.pairs)
        for name in self.fields:
            if name.endswith("_zh") and name[:-3] + "_en" in self.fields:
                partners[name] = name[:-3] + "_en"
        seconds = set(partners.values())
        return [
            [self[name], self[partners[name]]] if name in partners else [self[name]]
            for name in self.fields
            if name not in seconds and not self[name].is_hidden
        ]

    def _shown(self, name: str, value: Any) -> str:
        field = self.fields[name]
        choices = getattr(field, "choices", None)
        if choices is not None and not isinstance(field, forms.ModelChoiceField):
            words = dict(choices)
            if isinstance(value, (list, tuple)):
                return ", ".join(str(words.get(str(each), each)) for each in value)
            return str(words.get(value, value or ""))
        return _plain(value)


def _plain(value: Any) -> str:
    """Return a value as text that two versions are compared by."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, (list, tuple)) or hasattr(value, "all"):
        rows = value.all() if hasattr(value, "all") else value
        return ", ".join(str(row) for row in rows)
    return str(value)
