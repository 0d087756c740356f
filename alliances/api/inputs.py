"""What the API takes for alliances, organizations, members, people and plans."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from alliances.models import (
    AllianceKind,
    BodyKind,
    MembershipRole,
    OrganizationKind,
    PlanKind,
    SeatRole,
)
from alliances.windows import Precision
from coordination.rest.inputs import Input, Reference, Text

PRECISIONS = [(precision.value, precision.value) for precision in Precision]


def _date(*, required: bool = False) -> serializers.DateField:
    return serializers.DateField(required=required, allow_null=not required)


def _number(*, least: int = 0, most: int = 32_767, **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(
        **{"required": False, "min_value": least, "max_value": most, **options}
    )


def _flag() -> serializers.BooleanField:
    return serializers.BooleanField(required=False)


class WhyInput(Input):
    """A reason, kept in the log."""

    reason = Text(max_length=500)


class NeedsReasonInput(Input):
    """A reason that must be given."""

    reason = serializers.CharField(max_length=500)


class EndInput(WhyInput):
    """An end: the first day on which it no longer holds; today when left out."""

    on = _date()


class AllianceChange(Input):
    """Details of an alliance."""

    texts: ClassVar = {"name": 200, "short_name": 60, "description": 4000}
    kind = serializers.ChoiceField(choices=AllianceKind.choices)
    founded_on = _date()
    website = Text(max_length=200)
    email = Text(max_length=254)
    time_zone = serializers.CharField(required=False, max_length=64)
    source = Text(max_length=300)  # type: ignore[assignment]
    illustrative = _flag()


class AllianceInput(AllianceChange):
    """An alliance to be founded."""

    slug = serializers.RegexField(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=50)


class BodyChange(Input):
    """Details of a body."""

    texts: ClassVar = {"name": 200}
    kind = serializers.ChoiceField(choices=BodyKind.choices)
    term_years = _number(least=1, most=99, allow_null=True)


class BodyInput(BodyChange):
    """A body to be added to an alliance."""

    alliance = Reference("alliances.Alliance", by="slug")


class OrganizationInput(Input):
    """An organization, with all names that it is known by."""

    texts: ClassVar = {"name": 200}
    kind = serializers.ChoiceField(choices=OrganizationKind.choices)
    name_local = Text(max_length=200)
    local_language = Text(max_length=35)
    country = serializers.RegexField(r"^[A-Z]{2}\Z", required=False)
    time_zone = serializers.CharField(required=False, max_length=64)
    website = Text(max_length=200)
    source = Text(max_length=300)  # type: ignore[assignment]
    illustrative = _flag()
    aliases = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=100
    )


class MergeInput(NeedsReasonInput):
    """Which organization turned out to be this one."""

    merged = Reference("alliances.Organization")


class MembershipChange(Input):
    """Role, tier, period and display name of a membership."""

    texts: ClassVar = {"display_name": 200}
    role = serializers.ChoiceField(choices=MembershipRole.choices, required=False)
    tier = Text(max_length=60)
    tags = Text(max_length=300, help_text="Words with a space between them.")
    starts_on = serializers.DateField()
    ends_on = _date()


class MembershipInput(MembershipChange):
    """A membership to begin."""

    alliance = Reference("alliances.Alliance", by="slug")
    organization = Reference("alliances.Organization")


class ChairTermChange(Input):
    """The period of a term in the chair."""

    starts_on = serializers.DateField()
    ends_on = _date()


class ChairTermInput(ChairTermChange):
    """A term in the chair to begin."""

    body = Reference("alliances.Body")
    organization = Reference("alliances.Organization")


class PersonInput(Input):
    """A person's details."""

    texts: ClassVar = {"name": 100, "title": 100}
    email = Text(max_length=254)
    phone = Text(max_length=40)


class SeatInput(Input):
    """A seat to be given: for an organization or in a body."""

    person = Reference("alliances.Person")
    role = serializers.ChoiceField(choices=SeatRole.choices)
    organization = Reference("alliances.Organization", required=False, allow_null=True)
    body = Reference("alliances.Body", required=False, allow_null=True)
    starts_on = serializers.DateField()
    ends_on = _date()


class HandOverInput(Input):
    """Who takes the seat, and from which day; today when left out."""

    successor = Reference("alliances.Person")
    on = _date()


class PlanChange(WhyInput):
    """Title, period, target and document number of a plan."""

    texts: ClassVar = {"title": 200}
    note = Text(max_length=2000)
    year = _number(least=1990, most=2200)
    starts_on = serializers.DateField(required=False)
    ends_on = serializers.DateField(required=False)
    document_number = Text(max_length=100)
    target_number = _number(most=1_000_000, allow_null=True)
    source = Text(max_length=300)  # type: ignore[assignment]
    illustrative = _flag()


class PlanInput(PlanChange):
    """A plan to be opened. An annual plan's address is its year."""

    reason = None  # type: ignore[assignment]
    alliance = Reference("alliances.Alliance", by="slug")
    kind = serializers.ChoiceField(choices=PlanKind.choices, required=False)
    year = _number(least=1990, most=2200, required=True)
    slug = serializers.RegexField(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", required=False, max_length=50)


class AdoptInput(WhyInput):
    """When and as what the plan was adopted."""

    on = _date()
    document_number = Text(max_length=100)


class CarryOverInput(WhyInput):
    """Into which plan; and which lines, or all that were not held when left out."""

    into = Reference("alliances.Plan")
    items = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=5000)


class WorkAreaInput(Input):
    """An area of work; at the end and in the next colour when these are left out."""

    texts: ClassVar = {"name": 200}
    position = _number(least=1)
    color = _number(least=1, most=8)


class LineHostInput(Input):
    """A host: a name, an organization, or both."""

    name = Text(max_length=200)
    organization = Reference("alliances.Organization", required=False, allow_null=True)


class LineWindowInput(Input):
    """When it is to be held once; days are inclusive, times are wall times ("09:30")."""

    start = _date()
    end = _date()
    precision = serializers.ChoiceField(choices=PRECISIONS)
    start_time = serializers.TimeField(required=False, allow_null=True)
    end_time = serializers.TimeField(required=False, allow_null=True)


class PlanItemInput(WhyInput):
    """A line of a plan. Its time is written as people write it, or given as windows."""

    texts: ClassVar = {"title": 200}
    number = Text(max_length=20)
    work_area = Reference("alliances.WorkArea", required=False, allow_null=True)
    type_text = Text(max_length=100)
    place_text = Text(max_length=300)
    participants_text = Text(max_length=1000)
    notes = Text(max_length=2000)
    window_text = Text(max_length=200)
    windows = serializers.ListField(
        child=LineWindowInput(), required=False, min_length=1, max_length=366
    )
    hosts = serializers.ListField(child=LineHostInput(), required=False, max_length=100)
