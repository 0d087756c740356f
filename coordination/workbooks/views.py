"""Pages for workbooks: upload, preview, confirm; and download. They work without JavaScript."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from alliances import rules
from alliances.models import Alliance, Plan
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.changes.refusals import NotAllowed, Refusal
from coordination.pages.answers import now, one, page, viewer_of
from coordination.workbooks.comparing import Change, Match
from coordination.workbooks.containers import FILE_LIMIT
from coordination.workbooks.forms import ConfirmForm, UploadForm
from coordination.workbooks.holding import held, hold, release
from coordination.workbooks.importing import (
    PreviewIsStale,
    import_plan,
    preview_import,
)
from coordination.workbooks.plan_import import PlanImport
from coordination.workbooks.plan_sheet import PlanLine
from coordination.workbooks.problems import Severity
from coordination.workbooks.writing import XLSX_TYPE, file_name, write_plan
from coordination.workbooks.written import FIELD_NAMES

REFUSED, CONFLICT = 422, 409
LINES_SHOWN = 1_000


@require_http_methods(["GET", "HEAD", "POST"])
@page
def import_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a workbook, show what it would change, and change it once that is confirmed."""
    viewer = viewer_of(request)
    alliance = one(Alliance.objects.visible_to(viewer), slug=slug)
    if not rules.may_open_plan(viewer, alliance):
        raise NotAllowed
    if request.method == "POST" and "key" in request.POST:
        return _confirm(request, alliance, viewer)
    if request.method == "POST":
        return _preview(request, alliance, viewer)
    form = UploadForm(initial={"plan": request.GET.get("plan", "")[:50]})
    return _upload_page(request, alliance, viewer, form)


@require_safe
@page
def export_page(request: HttpRequest, slug: str, plan_slug: str) -> HttpResponse:
    """Give a plan as a workbook, with the lines that the viewer may see."""
    viewer = viewer_of(request)
    plans = Plan.objects.visible_to(viewer).select_related("alliance")
    plan = one(plans, alliance__slug=slug, slug=plan_slug)
    answer = HttpResponse(write_plan(plan, viewer=viewer), content_type=XLSX_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{file_name(plan)}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _preview(request: HttpRequest, alliance: Alliance, viewer: Viewer) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _upload_page(request, alliance, viewer, form)
    uploaded = form.cleaned_data["file"]
    # One byte more than is taken, so that a file that is too large is told from one that is not.
    data = uploaded.read(FILE_LIMIT + 1)
    answer = form.run(
        lambda: preview_import(
            data, file_name=uploaded.name, alliance=alliance, viewer=viewer, **form.words()
        )
    )
    if answer is None:
        return _upload_page(request, alliance, viewer, form)
    key = ""
    if not answer.is_refused:
        key = hold(data, user_id=viewer.user_id or 0, at=now())
    words = form.words()
    initial = {
        "key": key,
        "name": uploaded.name[-255:],
        "digest": answer.digest,
        "year": words["year"],
        "kind": words["kind"],
        "plan": words["slug"],
    }
    confirm = ConfirmForm(initial=initial, rows=_rows_by_number(answer))
    return _preview_page(request, answer, confirm, viewer)


def _confirm(request: HttpRequest, alliance: Alliance, viewer: Viewer) -> HttpResponse:
    key, owner = request.POST.get("key", ""), viewer.user_id or 0
    data = held(key, user_id=owner)
    form = ConfirmForm(request.POST, rows=_numbers(request.POST.getlist("new_rows")))
    if data is None or not form.is_valid():
        messages.warning(request, _("The file is no longer here. Please upload it again."))
        return HttpResponseRedirect(reverse("workbooks:import", args=[alliance.slug]))
    values = form.cleaned_data
    told: dict[str, Any] = {"file_name": values["name"], "alliance": alliance, "viewer": viewer}
    told |= form.words()
    try:
        answer = import_plan(
            data,
            at=now(),
            reason=values["reason"],
            new_rows=values["new_rows"],
            digest=values["digest"],
            **told,
        )
    except NotAllowed:
        raise
    except Refusal as refusal:
        return _show_again(request, preview_import(data, **told), form, viewer, refusal)
    if answer.is_refused or answer.plan is None:
        return _preview_page(request, answer, form, viewer, status=REFUSED)
    release(key, user_id=owner)
    messages.success(request, _("Imported.") if answer.has_changes else _("Nothing had changed."))
    address = reverse("portal:plan", args=[alliance.slug, answer.plan.slug])
    return HttpResponseRedirect(address)


def _show_again(
    request: HttpRequest,
    answer: PlanImport,
    form: ConfirmForm,
    viewer: Viewer,
    refusal: Refusal,
) -> HttpResponse:
    """Show the preview as it stands now, with what was refused."""
    values = {name: form.cleaned_data[name] for name in ("key", "name", "year", "kind", "plan")}
    again = ConfirmForm(
        initial=values | {"digest": answer.digest, "reason": form.cleaned_data["reason"]},
        rows=_rows_by_number(answer),
    )
    status = CONFLICT if isinstance(refusal, PreviewIsStale) else REFUSED
    return _preview_page(request, answer, again, viewer, status=status, refusal=str(refusal))


def _upload_page(
    request: HttpRequest, alliance: Alliance, viewer: Viewer, form: UploadForm
) -> HttpResponse:
    context = {"form": form, "alliance": alliance, "trail": _trail(alliance, viewer)}
    status = REFUSED if form.is_bound else 200
    return render(request, "workbooks/upload.html", context, status=status)


def _preview_page(
    request: HttpRequest,
    answer: PlanImport,
    form: ConfirmForm,
    viewer: Viewer,
    *,
    status: int = 200,
    refusal: str = "",
) -> HttpResponse:
    problems = sorted(answer.problems, key=lambda problem: problem.severity != Severity.ERROR)
    fresh = [match for match in answer.matches if match.change is Change.NEW]
    return render(
        request,
        "workbooks/preview.html",
        {
            "import": answer,
            "alliance": answer.alliance,
            "trail": _trail(answer.alliance, viewer),
            "form": form,
            "refusal": refusal,
            "problems": problems,
            "counts": answer.counts(),
            "plan_changes": _plan_changes(answer),
            "changed": [_shown(match) for match in answer.matches if match.cells],
            "new": [_line(match.line) for match in fresh[:LINES_SHOWN] if match.line],
            "more": max(0, len(fresh) - LINES_SHOWN),
            "gone": [match.item for match in answer.changed if match.line is None],
            "may_import": not answer.is_refused and answer.has_changes,
        },
        status=REFUSED if answer.is_refused else status,
    )


def _shown(match: Match) -> dict[str, Any]:
    """Return a changed line with each cell's change."""
    return {
        "row": match.line.row if match.line else "",
        "title": match.line.title if match.line else "",
        "by_number": match.found_by == "number",
        "cells": [
            {"name": _(FIELD_NAMES[name]), "before": before, "after": after}
            for name, (before, after) in match.cells.items()
        ],
    }


def _line(line: PlanLine) -> dict[str, Any]:
    """Return a new line with the days that its time was read as."""
    return {"line": line, "whole": line.whole, "times": len(line.windows)}


def _plan_changes(answer: PlanImport) -> list[dict[str, Any]]:
    if answer.plan is None:
        return []
    labels = {
        "title_zh": _("title in Chinese"),
        "title_en": _("title in English"),
        "note": _("note under the title"),
        "target_number": _("target number of events"),
    }
    return [
        {"name": labels[name], "before": getattr(answer.plan, name), "after": value}
        for name, value in answer.plan_values.items()
    ]


def _rows_by_number(answer: PlanImport) -> list[int]:
    """Return the rows whose line was found by its number alone."""
    return [m.line.row for m in answer.matches if m.line and m.found_by == "number"]


def _numbers(texts: list[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdecimal()]


def _trail(alliance: Alliance, viewer: Viewer) -> list[dict[str, str]]:
    address = reverse("portal:alliance", args=[alliance.slug])
    return [{"address": address, "words": localized(alliance, "name", viewer.language)}]
