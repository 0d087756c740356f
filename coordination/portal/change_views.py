"""The audit page: the latest changes of what the viewer's secretariats keep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from alliances.rules import is_secretariat_anywhere
from coordination.bilingual import text_in
from coordination.changes.history import describe_changes
from coordination.changes.models import Change, ChangeScope
from coordination.changes.refusals import NotAllowed
from coordination.pages.answers import page, viewer_of

PAGE_ROWS = 100


@require_safe
@page
def changes(request: HttpRequest) -> HttpResponse:
    """List the latest changes, the newest first, page by page by their numbers."""
    viewer = viewer_of(request)
    if not is_secretariat_anywhere(viewer):
        raise NotAllowed
    rows = Change.objects.order_by("-number")
    if not viewer.is_unlimited:
        staffed = viewer.pks("secretariat", "alliance")
        scopes = [f"alliance:{pk}:secretariat" for pk in sorted(staffed)]
        seen = ChangeScope.objects.filter(scope__in=scopes)
        rows = rows.filter(number__in=seen.values("number"))
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 18:
        rows = rows.filter(number__lt=int(before))
    found = list(rows[: PAGE_ROWS + 1])
    shown = found[:PAGE_ROWS]
    names = _names(shown, viewer.language)
    entries = describe_changes(shown, language=viewer.language)
    return render(
        request,
        "portal/changes.html",
        {
            "changes": [
                (entry, change.object_uid, names.get(change.object_uid, ""))
                for entry, change in zip(entries, shown, strict=True)
            ],
            "before": shown[-1].number if len(found) > PAGE_ROWS else None,
        },
    )


def _names(found: Sequence[Change], language: str) -> dict[UUID, str]:
    """Return the present names of the objects changed; one query for all that have one.

    What has none of its own, such as a seat, is called by its kind.
    """
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for change in found:
        wanted[change.object_type].add(change.object_uid)
    names: dict[UUID, str] = {}
    named: list[QuerySet[Any, Any]] = []
    for object_type, uids in wanted.items():
        model = apps.get_model(object_type)
        column = next((name for name in ("title", "name") if hasattr(model, f"{name}_zh")), "")
        if column:
            rows = model._default_manager.filter(uid__in=uids).order_by()
            named.append(rows.values_list("uid", f"{column}_zh", f"{column}_en"))
        else:
            names |= dict.fromkeys(uids, str(model._meta.verbose_name))
    if named:
        every = named[0].union(*named[1:], all=True)
        names |= {uid: text_in(language, zh, en) for uid, zh, en in every}
    return names
