"""Plans, their areas of work, lines and editions in the API."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from alliances import carrying, drafting, planning
from alliances.api import filters, inputs, readings
from alliances.api.lines import line_from
from alliances.comparing import LineChange, LineChangeKind, LineState
from alliances.editions import compare_editions, lines_of
from alliances.models import Edition, Plan, PlanItem, WorkArea
from coordination.bilingual import pair, text_in
from coordination.changes.refusals import NotVisible
from coordination.rest.problems import parameter_error
from coordination.rest.views import HouseView
from coordination.rest.viewsets import Changing, Creating, Deleting, ResourceViewSet, transition

Values = dict[str, Any]


class PlanViewSet(Creating, Changing, ResourceViewSet):
    """Plans of a year and campaigns."""

    resource = "plans"
    model = Plan
    reading = readings.PlanReading
    create_input = inputs.PlanInput
    change_input = inputs.PlanChange
    filterset_class = filters.PlanFilters
    orderings: ClassVar = {"created": "pk", "year": "year", "starts_on": "starts_on"}
    related = ("alliance",)

    def perform_create(self, values: Values) -> Plan:
        """Open it as a draft."""
        return planning.open_plan(values.pop("alliance"), viewer=self.viewer, at=self.at, **values)

    def perform_change(self, plan: Plan, values: Values) -> Plan:
        """Revise it."""
        return planning.revise_plan(plan, viewer=self.viewer, at=self.at, **values)

    @transition(inputs.AdoptInput)
    def adopt(self, plan: Plan, values: Values) -> Plan:
        """Adopt the draft, or what has changed since the last edition, as the next edition."""
        planning.adopt_plan(
            plan,
            on=values.get("on") or self.today,
            reason=values.get("reason", ""),
            document_number=values.get("document_number", ""),
            viewer=self.viewer,
            at=self.at,
        )
        return plan

    @transition(inputs.WhyInput)
    def publish(self, plan: Plan, values: Values) -> Plan:
        """Open an adopted plan to everyone."""
        return planning.publish_plan(plan, viewer=self.viewer, at=self.at)

    @transition(inputs.WhyInput)
    def close(self, plan: Plan, values: Values) -> Plan:
        """Close the plan; its record stands."""
        return planning.close_plan(
            plan, reason=values.get("reason", ""), viewer=self.viewer, at=self.at
        )

    @transition(inputs.CarryOverInput, replies=readings.CarriedShape)
    def carry_over(self, plan: Plan, values: Values) -> Values:
        """Carry lines into another plan: those named, or all that are unfinished today."""
        if "items" in values:
            rows = plan.items.visible_to(self.viewer).standing()
            items = list(rows.filter(uid__in=values["items"]))
        else:
            items = carrying.unfinished_items(plan, viewer=self.viewer, on=self.today)
        carried = carrying.carry_over(
            items,
            values["into"],
            reason=values.get("reason", ""),
            viewer=self.viewer,
            at=self.at,
        )
        return {"carried": [item.uid for item in carried]}


class OfPlan(ResourceViewSet):
    """What stands under a plan."""

    resource = "plans"

    @cached_property
    def plan(self) -> Plan:
        """Return the plan in the path.

        Raises:
            NotVisible: there is none that the viewer may see.
        """
        plans = Plan.objects.visible_to(self.viewer).select_related("alliance")
        plan: Plan | None = plans.filter(uid=self.kwargs["plan_uid"]).first()
        if plan is None:
            raise NotVisible
        return plan

    def rows(self) -> QuerySet[Any]:
        """Return the plan's rows that the viewer may see.

        Raises:
            NotVisible: the viewer may not see the plan.
        """
        plans = Plan.objects.visible_to(self.viewer).filter(uid=self.kwargs["plan_uid"])
        pk = plans.order_by().values_list("pk", flat=True).first()
        if pk is None:
            raise NotVisible
        return super().rows().filter(plan=pk)


class WorkAreaViewSet(Creating, Changing, Deleting, OfPlan):
    """Areas of work (themes) of a plan."""

    model = WorkArea
    reading = readings.WorkAreaReading
    create_input = inputs.WorkAreaInput
    change_input = inputs.WorkAreaInput
    orderings: ClassVar = {"position": "position", "created": "pk"}
    ordering = "position"
    related = ("plan__alliance",)

    def perform_create(self, values: Values) -> WorkArea:
        """Add it."""
        return planning.add_work_area(self.plan, viewer=self.viewer, at=self.at, **values)

    def perform_change(self, area: WorkArea, values: Values) -> WorkArea:
        """Revise it."""
        return planning.revise_work_area(area, viewer=self.viewer, at=self.at, **values)

    def perform_delete(self, area: WorkArea, reason: str) -> None:
        """Remove it."""
        planning.remove_work_area(area, viewer=self.viewer, at=self.at)


class PlanItemViewSet(Creating, Changing, Deleting, OfPlan):
    """Lines of a plan. An adopted plan's change needs a reason and goes into its next edition."""

    model = PlanItem
    reading = readings.PlanItemReading
    create_input = inputs.PlanItemInput
    change_input = inputs.PlanItemInput
    filterset_class = filters.PlanItemFilters
    orderings: ClassVar = {"position": "position", "starts_on": "starts_on", "created": "pk"}
    ordering = "position"
    related = ("plan__alliance", "work_area")

    def perform_create(self, values: Values) -> PlanItem:
        """Add it at the end."""
        reason = values.pop("reason", "")
        line = line_from(values, plan=self.plan, item=None)
        items = drafting.add_items(self.plan, [line], reason=reason, viewer=self.viewer, at=self.at)
        return items[0]

    def perform_change(self, item: PlanItem, values: Values) -> PlanItem:
        """Revise it."""
        reason = values.pop("reason", "")
        line = line_from(values, plan=item.plan, item=item)
        return drafting.revise_item(item, line, reason=reason, viewer=self.viewer, at=self.at)

    def perform_delete(self, item: PlanItem, reason: str) -> None:
        """Drop it from the plan."""
        drafting.drop_item(item, on=self.today, reason=reason, viewer=self.viewer, at=self.at)


class EditionViewSet(OfPlan):
    """Editions of a plan, named by their numbers."""

    model = Edition
    reading = readings.EditionReading
    filterset_class = filters.EditionFilters
    orderings: ClassVar = {"number": "number"}
    ordering = "number"
    lookup_field = "number"
    lookup_value_converter = "int"
    related = ("plan",)


class EditionLinesView(HouseView):
    """The lines of one edition, as it was adopted."""

    resource = "plans"

    @extend_schema(operation_id="plans_editions_lines", responses=readings.EditionLinesShape)
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer all lines of the edition, in order."""
        edition = edition_of(self, kwargs["plan_uid"], kwargs["number"])
        lines = [_state(line, self.viewer.language) for line in lines_of(edition)]
        return self.answer_tagged({"edition": edition.number, "lines": lines})


class CompareView(HouseView):
    """Two editions of a plan, compared line by line."""

    resource = "plans"
    parameters = frozenset({"from", "to"})

    @extend_schema(
        operation_id="plans_compare",
        responses=readings.ComparisonShape,
        parameters=[
            OpenApiParameter(name, OpenApiTypes.INT, description=words, required=True)
            for name, words in (("from", "The earlier edition."), ("to", "The later one."))
        ],
    )
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer every line that is new, moved, changed or dropped, with why and by whom."""
        query = request._request.GET
        before = edition_of(self, kwargs["plan_uid"], _number(query, "from"), parameter="from")
        after = edition_of(self, kwargs["plan_uid"], _number(query, "to"), parameter="to")
        changes = [
            _change(change, self.viewer.language)
            for change in compare_editions(before, after)
            if change.kind != LineChangeKind.SAME
        ]
        shown = {"from": before.number, "to": after.number, "changes": changes}
        return self.answer_tagged(shown)


def edition_of(view: HouseView, plan_uid: Any, number: int, *, parameter: str = "") -> Edition:
    """Return an edition of a plan, both visible to the viewer.

    Raises:
        NotVisible: there is none.
        ProblemError: there is none, and a parameter named it.
    """
    plan = Plan.objects.visible_to(view.viewer).filter(uid=plan_uid).first()
    if plan is None:
        raise NotVisible
    rows = Edition.objects.visible_to(view.viewer).select_related("plan")
    edition: Edition | None = rows.filter(plan=plan, number=number).first()
    if edition is None and parameter:
        raise parameter_error(parameter, _("The plan has no such edition."), code="unknown")
    if edition is None:
        raise NotVisible
    return edition


def _number(query: QueryDict, name: str) -> int:
    text = query.get(name)
    if text is None:
        raise parameter_error(name, _("Say which edition."), code="required")
    try:
        return int(serializers.IntegerField(min_value=0, max_value=2**31 - 1).run_validation(text))
    except serializers.ValidationError:
        raise parameter_error(name, _("Give the number of an edition.")) from None


def _state(line: LineState, language: str) -> Values:
    """Return a line of an edition as the API shows it."""
    values = dict(line.values)
    window = readings.whole_window(
        values.pop("window_text"),
        values.pop("starts_on"),
        values.pop("ends_on"),
        values.pop("precision"),
    )
    for name in ("title", "work_area"):
        zh, en = values.pop(f"{name}_zh"), values.pop(f"{name}_en")
        values |= {name: text_in(language, zh, en), f"{name}_i18n": pair(zh, en)}
    return {"uid": line.uid, **values, "window": window}


def _change(change: LineChange, language: str) -> Values:
    """Return a compared line as the API shows it."""
    before, after = change.before, change.after
    last = after or before
    return {
        "uid": change.uid,
        "change": change.kind.value,
        "fields": list(change.fields),
        "reason": "" if last is None else last.reason,
        "actor": "" if last is None else last.actor,
        "before": None if before is None else _state(before, language),
        "after": None if after is None else _state(after, language),
    }
