"""Filters of the lists of alliances, organizations, members, people and plans."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet

from alliances.models import (
    AllianceKind,
    BodyKind,
    EditionState,
    Membership,
    MembershipRole,
    OrganizationAlias,
    OrganizationKind,
    PlanItemHost,
    PlanKind,
    PlanState,
    Seat,
    SeatRole,
)
from alliances.models.organization import name_key
from coordination.rest.filters import ResourceFilters, WholeNumberFilter


def _alliance(path: str) -> django_filters.CharFilter:
    return django_filters.CharFilter(field_name=path, help_text="Slug of an alliance.")


def _uid(path: str, what: str) -> django_filters.UUIDFilter:
    return django_filters.UUIDFilter(field_name=path, help_text=f"uid of {what}.")


def _choice(choices: Any) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(choices=choices)


class PeriodFilters(ResourceFilters):
    """Filters of what has a period."""

    active_on = django_filters.DateFilter(
        method="on_day", help_text="Only what holds on this day: who was a member on day X."
    )

    def on_day(self, rows: Any, name: str, value: date) -> Any:
        """Return the rows whose period includes the day."""
        return rows.active_on(value)


class AllianceFilters(ResourceFilters):
    """Filters of alliances."""

    kind = _choice(AllianceKind.choices)


class BodyFilters(ResourceFilters):
    """Filters of bodies."""

    alliance = _alliance("alliance__slug")
    kind = _choice(BodyKind.choices)


class OrganizationFilters(ResourceFilters):
    """Filters of organizations."""

    kind = _choice(OrganizationKind.choices)
    country = django_filters.CharFilter(max_length=2, help_text="ISO 3166-1, two letters.")
    alliance = django_filters.CharFilter(
        method="of_alliance", help_text="Slug of an alliance: its members of any time."
    )
    name = django_filters.CharFilter(
        method="named", max_length=200, help_text="A name or an alias, in any width and case."
    )

    def of_alliance(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return the organizations that are or were members."""
        members = Membership.objects.filter(alliance__slug=value)
        return rows.filter(pk__in=members.values("organization"))

    def named(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return the organizations known by exactly this name."""
        named = Q(name_zh__iexact=value) | Q(name_en__iexact=value) | Q(name_local__iexact=value)
        known = OrganizationAlias.objects.filter(key=name_key(value))
        return rows.filter(named | Q(pk__in=known.values("organization")))


class MembershipFilters(PeriodFilters):
    """Filters of memberships."""

    alliance = _alliance("alliance__slug")
    organization = _uid("organization__uid", "an organization")
    role = _choice(MembershipRole.choices)
    tier = django_filters.CharFilter(max_length=60)


class ChairTermFilters(PeriodFilters):
    """Filters of terms in the chair."""

    alliance = _alliance("body__alliance__slug")
    body = _uid("body__uid", "a body")
    organization = _uid("organization__uid", "an organization")


class SeatFilters(PeriodFilters):
    """Filters of seats."""

    alliance = _alliance("body__alliance__slug")
    body = _uid("body__uid", "a body")
    organization = _uid("organization__uid", "an organization")
    person = _uid("person__uid", "a person")
    role = _choice(SeatRole.choices)


class PersonFilters(ResourceFilters):
    """Filters of people."""

    organization = django_filters.UUIDFilter(
        method="of_organization", help_text="uid of an organization they have a seat for."
    )

    def of_organization(self, rows: QuerySet[Any], name: str, value: UUID) -> QuerySet[Any]:
        """Return the people who hold or held a seat for it."""
        seats = Seat.objects.filter(organization__uid=value)
        return rows.filter(pk__in=seats.values("person"))


class PlanFilters(ResourceFilters):
    """Filters of plans."""

    alliance = _alliance("alliance__slug")
    year = WholeNumberFilter(min_value=1, max_value=9999)
    kind = _choice(PlanKind.choices)
    state = _choice(PlanState.choices)
    slug = django_filters.CharFilter(max_length=50)


class PlanItemFilters(ResourceFilters):
    """Filters of the lines of a plan; days compare with a line's whole window."""

    work_area = _uid("work_area__uid", "a work area")
    organization = django_filters.UUIDFilter(
        method="hosted_by", help_text="uid of an organization that hosts."
    )
    dropped = django_filters.BooleanFilter(
        field_name="dropped_on",
        lookup_expr="isnull",
        exclude=True,
        help_text="true: only dropped lines; false: only those that stand.",
    )
    field_from = django_filters.DateFilter(field_name="ends_on", lookup_expr="gte")
    to = django_filters.DateFilter(
        field_name="starts_on", lookup_expr="lte", help_text="Begins on this day or earlier."
    )

    def hosted_by(self, rows: QuerySet[Any], name: str, value: UUID) -> QuerySet[Any]:
        """Return the lines that the organization hosts."""
        hosted = PlanItemHost.objects.filter(organization__uid=value)
        return rows.filter(pk__in=hosted.values("item"))


_from = PlanItemFilters.base_filters.pop("field_from")
_from.extra["help_text"] = "Ends on this day or later."
PlanItemFilters.base_filters["from"] = _from


class EditionFilters(ResourceFilters):
    """Filters of editions."""

    state = _choice(EditionState.choices)
