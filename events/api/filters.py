"""Which events a list holds."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters

from alliances.models import Alliance, Openness, Organization, Plan, WorkArea
from coordination.accounts.models import DEFAULT_TIME_ZONE
from coordination.rest.filters import ResourceFilters
from events.models import EventAlliance, EventState
from events.models.spans import LONGEST
from events.zones import zone_named

Rows = TypeVar("Rows", bound=QuerySet[Any])
HOME = zone_named(DEFAULT_TIME_ZONE)
_LOST_PLUS = re.compile(r"(?<=:\d\d) (?=\d\d:\d\d\Z)")
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)


class MomentField(forms.CharField):
    """An instant with an offset (RFC 3339), or a day, which begins at midnight in Beijing."""

    def clean(self, value: Any) -> datetime | None:
        """Return an aware instant.

        Raises:
            ValidationError: it is neither an instant with an offset nor a day.
        """
        text = super().clean(value)
        if not text:
            return None
        try:
            found = _midnight(parse_date(text)) or parse_datetime(with_its_plus(text))
        except ValueError:
            found = None
        if found is None or found.tzinfo is None or not EARLIEST <= found.date() <= LATEST:
            raise ValidationError(
                _("Write a day such as 2026-05-14, or 2026-05-14T09:30:00+08:00."), code="invalid"
            )
        return found


class MomentFilter(filters.CharFilter):
    """Takes a `MomentField`."""

    field_class = MomentField


def with_its_plus(text: str) -> str:
    """Return a time from an address with the plus sign of its offset.

    In an address a bare "+" means a space (URL Standard, application/x-www-form-urlencoded), and
    no time has one before an offset.

    >>> with_its_plus("2026-05-14T09:30:00 08:00")
    '2026-05-14T09:30:00+08:00'
    """
    return _LOST_PLUS.sub("+", text)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), HOME)


def ending_after(rows: QuerySet[Any], since: datetime) -> QuerySet[Any]:
    """Return the events whose time, or else whose planned window, ends after an instant."""
    timed = Q(ends_at__gt=since, starts_at__gt=since - LONGEST - timedelta(days=1))
    windowed = Q(starts_at__isnull=True, window_ends_on__gte=since.astimezone(HOME).date())
    return rows.filter(timed | windowed)


def beginning_before(rows: QuerySet[Any], until: datetime) -> QuerySet[Any]:
    """Return the events whose time, or else whose planned window, begins before an instant."""
    last = (until.astimezone(HOME) - timedelta(microseconds=1)).date()
    windowed = Q(starts_at__isnull=True, window_starts_on__lte=last)
    return rows.filter(Q(starts_at__lt=until) | windowed)


def held_by(rows: Rows, alliance: int) -> Rows:
    """Return the events that the alliance of a key owns or co-hosts."""
    co_hosted = EventAlliance.objects.filter(event=OuterRef("pk"), alliance=alliance)
    return rows.filter(Q(alliance=alliance) | Exists(co_hosted))


class EventFilters(ResourceFilters):
    """Filters of events. `from` and `to` take what overlaps [from, to)."""

    alliance = filters.CharFilter(
        method="of_alliance", help_text="Slug: events it owns or co-hosts.", max_length=50
    )
    plan = filters.UUIDFilter(method="of_plan", help_text="Events of this plan.")
    work_area = filters.UUIDFilter(method="of_work_area", help_text="Events in this area.")
    organization = filters.UUIDFilter(
        method="of_organization", help_text="Events that it hosts or that name it."
    )
    state = filters.ChoiceFilter(choices=EventState.choices, help_text="The event's state.")
    audience = filters.ChoiceFilter(choices=Openness.choices, help_text="Whom it is meant for.")
    type = filters.CharFilter(
        field_name="type_text", max_length=100, help_text="The type of event, as written."
    )
    q = filters.CharFilter(
        method="with_words", max_length=100, help_text="Words in the title, in either language."
    )
    moments = {
        "from": MomentFilter(
            method="since",
            help_text="A day (in Beijing) or an instant: events that end after it. Events without "
            "a time are taken by their planned window.",
        ),
        "to": MomentFilter(
            method="until",
            help_text="A day (in Beijing) or an instant: events that begin before it.",
        ),
    }

    def of_alliance(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Return the events that an alliance owns or co-hosts."""
        return held_by(rows, key_of(Alliance.objects.filter(slug=value)))

    def of_plan(self, rows: QuerySet[Any], _name: str, value: Any) -> QuerySet[Any]:
        """Return the events of a plan."""
        return rows.filter(plan=key_of(Plan.objects.filter(uid=value)))

    def of_work_area(self, rows: QuerySet[Any], _name: str, value: Any) -> QuerySet[Any]:
        """Return the events in an area of work."""
        return rows.filter(work_area=key_of(WorkArea.objects.filter(uid=value)))

    def of_organization(self, rows: QuerySet[Any], _name: str, value: Any) -> QuerySet[Any]:
        """Return the events that an organization hosts or that name it."""
        found: QuerySet[Any] = rows.concerning_organization(  # type: ignore[attr-defined]
            key_of(Organization.objects.filter(uid=value))
        )
        return found

    def since(self, rows: QuerySet[Any], _name: str, value: datetime) -> QuerySet[Any]:
        """Return the events that end after an instant."""
        return ending_after(rows, value)

    def until(self, rows: QuerySet[Any], _name: str, value: datetime) -> QuerySet[Any]:
        """Return the events that begin before an instant."""
        return beginning_before(rows, value)

    def with_words(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Return the events whose title holds the words."""
        return rows.filter(Q(title_zh__icontains=value) | Q(title_en__icontains=value))


# `from` is a word of Python, so these two cannot be named in the class.
EventFilters.base_filters |= EventFilters.moments


def key_of(rows: QuerySet[Any]) -> int:
    """Return the key of the only row; 0, which no row has, when there is none."""
    found: int | None = rows.values_list("pk", flat=True).first()
    return found or 0


class ReminderRuleFilters(ResourceFilters):
    """Rules by what they stand on."""

    alliance = filters.CharFilter(field_name="alliance__slug", max_length=50, help_text="Slug.")
    plan = filters.UUIDFilter(field_name="plan__uid", help_text="Rules on this plan.")
    work_area = filters.UUIDFilter(field_name="work_area__uid", help_text="Rules on this area.")
    event = filters.UUIDFilter(field_name="event__uid", help_text="Rules on this event.")
