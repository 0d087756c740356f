"""The import over the API: `POST /api/v1/plans/import/`, with `?dry_run=1` a preview."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from alliances.models import PlanKind
from coordination.rest import problem_kinds as kinds
from coordination.rest.inputs import Input, Reference, Text
from coordination.rest.problems import InputError, Problem, ProblemError, parameter_error
from coordination.rest.views import HouseView
from coordination.workbooks.answer_schema import IMPORT_ANSWER
from coordination.workbooks.containers import FILE_LIMIT
from coordination.workbooks.importing import import_plan, preview_import
from coordination.workbooks.plan_import import PlanImport
from coordination.workbooks.problems import Severity

DRY_RUN = "dry_run"
FLAGS = {"1": True, "true": True, "0": False, "false": False}


class PlanImportInput(Input):
    """A workbook, and which plan it is about."""

    file = serializers.FileField(
        allow_empty_file=True, help_text="The workbook, .xlsx or .csv (UTF-8 or GB18030)."
    )
    alliance = Reference("alliances.Alliance", by="slug", help_text="The alliance's slug.")
    year = serializers.IntegerField(
        required=False,
        min_value=1990,
        max_value=2200,
        help_text="When neither the title nor the file's name says it.",
    )
    kind = serializers.ChoiceField(
        choices=PlanKind.values, required=False, default=PlanKind.ANNUAL.value
    )
    plan = serializers.RegexField(
        r"^[a-z0-9]+(-[a-z0-9]+)*\Z",
        max_length=50,
        required=False,
        help_text="The plan's slug; the year for an annual plan.",
    )
    reason = Text(max_length=500, help_text="Why an adopted plan changes.")
    new_rows = serializers.RegexField(
        r"^\d{1,7}(,\d{1,7})*\Z",
        max_length=2000,
        required=False,
        help_text="Rows that are new lines although another line had their number: 5,17.",
    )


class PlanImportView(HouseView):
    """Import a plan workbook."""

    resource = "plans"
    parameters = frozenset({DRY_RUN})
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="plans_import",
        tags=["plans"],
        parameters=[
            OpenApiParameter(
                DRY_RUN, enum=["0", "1", "false", "true"], description="1: change nothing."
            )
        ],
        request={"multipart/form-data": PlanImportInput},
        responses={200: IMPORT_ANSWER},
    )
    def post(self, request: Request) -> HttpResponse:
        """Import a plan workbook, or with `dry_run=1` say what it would change.

        A preview answers 200 with every problem found. An import with errors in the file changes
        nothing and answers 400, with each cell under `errors` and the whole preview under `import`.
        """
        is_preview = self._is_dry_run(request)
        values = self.values(PlanImportInput)
        uploaded = values["file"]
        told: dict[str, Any] = {
            "file_name": uploaded.name,
            "alliance": values["alliance"],
            "viewer": self.viewer,
            "year": values.get("year"),
            "kind": values["kind"],
            "slug": values.get("plan", ""),
            "new_rows": [int(row) for row in values.get("new_rows", "").split(",") if row],
        }
        data = uploaded.read(FILE_LIMIT + 1)
        if is_preview:
            return self.answer(preview_import(data, **told).as_json())
        answer = import_plan(data, at=self.at, reason=values.get("reason", ""), **told)
        if answer.is_refused:
            raise ProblemError(_refusal(answer))
        return self.answer(answer.as_json())

    def _is_dry_run(self, request: Request) -> bool:
        text = request.query_params.get(DRY_RUN, "0")
        if text not in FLAGS:
            raise parameter_error(DRY_RUN, _("Choose 1 or 0."))
        return FLAGS[text]


def _refusal(answer: PlanImport) -> Problem:
    """Return the problem document of a file with errors: one entry for each cell."""
    errors = tuple(
        InputError("/file", problem.code, f"{problem.cell} {problem.message}".strip())
        for problem in answer.problems
        if problem.severity is Severity.ERROR
    )
    return Problem(
        kinds.INVALID_INPUT,
        detail=errors[0].message,
        code="workbook_refused",
        errors=errors,
        extra={"import": answer.as_json()},
    )
