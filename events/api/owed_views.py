"""What is owed, over the API: duties, what is expected of every event, and the steps of chasing."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from coordination.bilingual import localized, pair
from coordination.rest.filters import ResourceFilters
from coordination.rest.problems import parameter_error
from coordination.rest.views import HouseView
from coordination.rest.viewsets import (
    Changing,
    Creating,
    Deleting,
    ResourceViewSet,
    transition,
)
from events.almanac import named_days, years_of
from events.api.inputs import NothingInput
from events.api.part_views import OfEvent
from events.api.resolving import find_one, standing_organizations
from events.api.rule_inputs import (
    ChaseStepChange,
    ChaseStepInput,
    DutyChange,
    DutyInput,
    StandardDutyChange,
    StandardDutyInput,
)
from events.api.rule_readings import (
    ChaseStepReading,
    DutyReading,
    HolidaysReading,
    StandardDutyReading,
)
from events.chasing import (
    add_chase_step,
    add_standard_duty,
    remove_chase_step,
    remove_standard_duty,
    revise_chase_step,
    revise_standard_duty,
)
from events.models import ChaseStep, Duty, DutyKind, HolidayYear, StandardDuty
from events.owing import fulfil_duty, move_duty, reopen_duty, set_duty

YEARS = range(1950, 2201)


class DutyViewSet(Creating, Changing, OfEvent):
    """What organizations owe an event, and by when."""

    model = Duty
    reading = DutyReading
    create_input = DutyInput
    change_input = DutyChange
    orderings = {"due_at": "due_at", "created": "pk"}
    ordering = "due_at"
    related = ("event", "organization")

    def perform_create(self, values: dict[str, Any]) -> Duty:
        """Set what an organization owes."""
        rows = standing_organizations()
        organization = find_one(rows, "organization", uid=values.pop("organization"))
        return set_duty(self.event, organization, viewer=self.viewer, at=self.at, **values)

    def perform_change(self, obj: Duty, values: dict[str, Any]) -> Duty:
        """Set another date."""
        due_at = values.get("due_at", obj.due_at)
        return move_duty(obj, due_at=due_at, viewer=self.viewer, at=self.at)

    @transition(NothingInput)
    def fulfil(self, obj: Duty, values: dict[str, Any]) -> Duty:
        """Record that a duty is done."""
        return fulfil_duty(obj, viewer=self.viewer, at=self.at)

    @transition(NothingInput)
    def reopen(self, obj: Duty, values: dict[str, Any]) -> Duty:
        """Take back that a duty is done."""
        return reopen_duty(obj, viewer=self.viewer, at=self.at)


class DutyFilters(ResourceFilters):
    """Duties of all events."""

    alliance = filters.CharFilter(
        field_name="event__alliance__slug", max_length=50, help_text="Slug."
    )
    organization = filters.UUIDFilter(
        field_name="organization__uid", help_text="Owed by this organization."
    )
    kind = filters.ChoiceFilter(choices=DutyKind.choices, help_text="What is owed.")
    owed = filters.BooleanFilter(method="still_owed", help_text="Neither done nor dropped.")

    def still_owed(self, rows: QuerySet[Any], _name: str, value: bool) -> QuerySet[Any]:
        """Return what is owed, or what is not any more."""
        owed = rows.filter(done_at__isnull=True, dropped_at__isnull=True)
        return owed if value else rows.exclude(pk__in=owed.values("pk"))


class OwedViewSet(ResourceViewSet):
    """What is owed, across events: the viewer's own organizations', and the secretariat's."""

    resource = "events"
    model = Duty
    reading = DutyReading
    filterset_class = DutyFilters
    orderings = {"due_at": "due_at", "created": "pk"}
    ordering = "due_at"
    related = ("event", "organization")

    @transition(NothingInput)
    def fulfil(self, obj: Duty, values: dict[str, Any]) -> Duty:
        """Record that a duty is done."""
        return fulfil_duty(obj, viewer=self.viewer, at=self.at)

    @transition(NothingInput)
    def reopen(self, obj: Duty, values: dict[str, Any]) -> Duty:
        """Take back that a duty is done."""
        return reopen_duty(obj, viewer=self.viewer, at=self.at)


class OfAllianceFilters(ResourceFilters):
    """Rows by alliance."""

    alliance = filters.CharFilter(field_name="alliance__slug", max_length=50, help_text="Slug.")


class StandardDutyViewSet(Creating, Changing, Deleting, ResourceViewSet):
    """What every event of an alliance brings with it: its secretariat's business."""

    resource = "events"
    model = StandardDuty
    reading = StandardDutyReading
    create_input = StandardDutyInput
    change_input = StandardDutyChange
    filterset_class = OfAllianceFilters
    related = ("alliance",)

    def perform_create(self, values: dict[str, Any]) -> StandardDuty:
        """Expect something of every event of an alliance."""
        alliance = values.pop("alliance")
        return add_standard_duty(alliance, viewer=self.viewer, at=self.at, **values)

    def perform_change(self, obj: StandardDuty, values: dict[str, Any]) -> StandardDuty:
        """Change what is expected; what is still owed follows."""
        return revise_standard_duty(obj, viewer=self.viewer, at=self.at, **values)

    def perform_delete(self, obj: StandardDuty, reason: str) -> None:
        """Remove it while nothing followed from it."""
        remove_standard_duty(obj, viewer=self.viewer, at=self.at)


class ChaseStepViewSet(Creating, Changing, Deleting, ResourceViewSet):
    """The steps by which an alliance chases what is owed: its secretariat's business."""

    resource = "events"
    model = ChaseStep
    reading = ChaseStepReading
    create_input = ChaseStepInput
    change_input = ChaseStepChange
    filterset_class = OfAllianceFilters
    related = ("alliance",)

    def perform_create(self, values: dict[str, Any]) -> ChaseStep:
        """Add a step."""
        alliance = values.pop("alliance")
        return add_chase_step(alliance, viewer=self.viewer, at=self.at, **values)

    def perform_change(self, obj: ChaseStep, values: dict[str, Any]) -> ChaseStep:
        """Change a step; what it has not done yet follows."""
        return revise_chase_step(obj, viewer=self.viewer, at=self.at, **values)

    def perform_delete(self, obj: ChaseStep, reason: str) -> None:
        """Remove a step with what it still had to do."""
        remove_chase_step(obj, viewer=self.viewer, at=self.at)


class HolidaysView(HouseView):
    """Public holidays and make-up working days, as working days are counted by them."""

    resource = "events"
    parameters = frozenset({"country", "year"})

    @extend_schema(
        operation_id="holidays",
        parameters=[
            OpenApiParameter("country", str, description="Two letters; CN when left out."),
            OpenApiParameter("year", int, description="This year when it is left out."),
        ],
        responses=HolidaysReading,
    )
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer the marked days of a year."""
        query = request._request.GET
        country = query.get("country", "CN")
        if not (len(country) == 2 and country.isascii() and country.isalpha()):
            raise parameter_error("country", _("Write a country with two letters, such as CN."))
        text = query.get("year", str(self.today.year))
        if not (text.isascii() and text.isdigit() and len(text) == 4 and int(text) in YEARS):
            raise parameter_error("year", _("Write a year such as 2026."))
        country, year = country.upper(), int(text)
        known = years_of([(country, year)])[country, year]
        head = HolidayYear.objects.filter(country=country, year=year).first()
        language = self.viewer.language
        return self.answer_tagged(
            {
                "country": country,
                "year": year,
                "is_settled": known.is_settled,
                "weekend": sorted(known.weekend),
                "source": head.source if head is not None else "",
                "items": [
                    {
                        "day": one.day,
                        "kind": one.kind.value,
                        "name": localized(one, "name", language),
                        "name_i18n": pair(one.name_zh, one.name_en),
                    }
                    for one in named_days(country, [year])
                ],
            }
        )
