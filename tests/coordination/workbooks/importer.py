"""Imports and previews by the secretary of the cast."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from alliances.models import PlanItem
from coordination.changes.models import Change
from coordination.workbooks.importing import (
    import_plan,
    preview_import,
)
from coordination.workbooks.plan_import import PlanImport
from tests.coordination.workbooks.sheets import line
from tests.factories import Cast

AT = datetime(2024, 1, 15, 2, tzinfo=UTC)
THREE = [line(1, "对接会", "5月14日"), line(2, "走访", "每季度末"), line(3, "年会", "12月中旬")]


def take(cast: Cast, data: bytes, **options: Any) -> PlanImport:
    told = {"file_name": "plan.xlsx", "viewer": cast.secretary, "at": AT} | options
    return import_plan(data, alliance=cast.alliance, **told)


def look(cast: Cast, data: bytes, **options: Any) -> PlanImport:
    told = {"file_name": "plan.xlsx", "viewer": cast.secretary} | options
    return preview_import(data, alliance=cast.alliance, **told)


def changes() -> int:
    return Change.objects.count()


def titles() -> list[str]:
    return [str(item) for item in PlanItem.objects.standing().order_by("position", "pk")]
