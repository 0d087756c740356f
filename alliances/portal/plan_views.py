"""Pages that make and change plans: the plan itself, its lines, and its editions compared."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from alliances import drafting, planning, rules
from alliances.actors import names_of_actors
from alliances.comparing import LineChange, LineChangeKind
from alliances.editions import compare_editions
from alliances.models import Alliance, Edition, Plan, PlanItem, PlanState
from alliances.portal.forms import (
    AdoptForm,
    DropForm,
    ItemForm,
    NewPlanForm,
    PlanForm,
    WorkAreaForm,
    item_values,
    values_of,
)
from alliances.portal.views import CONFLICT, REFUSED, alliance_step, form_page, save, show_form
from alliances.querysets import alliances_seen_from_inside
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.changes.refusals import NotAllowed
from coordination.pages.answers import now, one, page, posted, viewer_of
from coordination.pages.forms import VerbForm

SHOWN_FIELDS = (
    "window_text",
    "title_zh",
    "title_en",
    "work_area_zh",
    "type_text",
    "host_names",
    "place_text",
    "participants_text",
    "notes",
    "number",
)


@form_page
@page
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Open a plan with its work areas."""
    viewer, at = viewer_of(request), now()
    alliance = one(Alliance.objects.visible_to(viewer), slug=slug)
    if not rules.may_open_plan(viewer, alliance):
        raise NotAllowed
    form = NewPlanForm(posted(request), initial={"year": at.year, "kind": "annual"})
    made: list[Plan] = []

    def verb() -> Plan:
        with transaction.atomic():
            plan = planning.open_plan(alliance, viewer=viewer, at=at, **form.values())
            for name in form.areas():
                planning.add_work_area(plan, viewer=viewer, at=at, name_zh=name)
        made.append(plan)
        return plan

    if save(request, form, verb):
        return _to_plan(made[0])
    return show_form(
        request, form, heading=_("New plan"), trail=[alliance_step(alliance, viewer.language)]
    )


@form_page
@page
def manage(request: HttpRequest, slug: str, plan_slug: str) -> HttpResponse:
    """Change a plan's details, add work areas, adopt, publish or close it."""
    viewer, plan = viewer_of(request), _managed(request, slug, plan_slug)
    do = request.POST.get("do", "")
    forms: dict[str, VerbForm] = {
        "revise": PlanForm(_data(request, "revise"), initial=values_of(plan, PlanForm)),
        "area": WorkAreaForm(_data(request, "area"), initial={"version": plan.version}),
        "adopt": AdoptForm(
            _data(request, "adopt"), initial={"on": now().date(), "version": plan.version}
        ),
        "publish": VerbForm(_data(request, "publish"), initial={"version": plan.version}),
        "close": VerbForm(_data(request, "close"), initial={"version": plan.version}),
    }
    form = forms.get(do)
    if form is not None and save(request, form, lambda: _do(do, form, plan, viewer)):
        return _to_plan(plan)
    if form is not None and form.conflict:
        present = one(Plan.objects.visible_to(viewer), pk=plan.pk)
        form.show_both(values_of(present, type(form)), version=present.version)
    return render(
        request,
        "alliances/manage_plan.html",
        {
            "plan": plan,
            "alliance": plan.alliance,
            "forms": forms,
            "areas": list(plan.work_areas.order_by("position")),
            "is_draft": plan.state == PlanState.DRAFT,
            "is_closed": plan.state == PlanState.CLOSED,
            "may_adopt": not plan.is_adopted or planning.draft_edition(plan) is not None,
            "may_publish": plan.state == PlanState.ADOPTED,
        },
        status=200 if form is None else CONFLICT if form.conflict else REFUSED,
    )


@form_page
@page
def new_item(request: HttpRequest, slug: str, plan_slug: str) -> HttpResponse:
    """Add a line to a plan."""
    viewer, plan = viewer_of(request), _managed(request, slug, plan_slug)
    form = ItemForm(posted(request), plan=plan, language=viewer.language)

    def verb() -> list[PlanItem]:
        reason = form.cleaned_data["reason"]
        return drafting.add_items(plan, [form.line()], viewer=viewer, at=now(), reason=reason)

    if save(request, form, verb):
        return _to_plan(plan)
    return show_form(
        request, form, heading=_("New line"), trail=_trail(plan, viewer), back=_address(plan)
    )


@require_safe
@page
def item(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show a line of a plan."""
    viewer, found = viewer_of(request), _item(request, uid)
    return render(
        request,
        "alliances/item.html",
        {
            "item": found,
            "plan": found.plan,
            "alliance": found.plan.alliance,
            "may_change": rules.may_manage_plan(viewer, found.plan)
            and found.plan.state != PlanState.CLOSED
            and found.dropped_on is None,
        },
    )


@form_page
@page
def edit_item(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change a line; its events that have not begun follow it."""
    viewer, found = viewer_of(request), _item(request, uid)
    if not rules.may_manage_plan(viewer, found.plan):
        raise NotAllowed
    options: dict[str, Any] = {"plan": found.plan, "language": viewer.language}
    form = ItemForm(posted(request), initial=item_values(found), **options)

    def verb() -> PlanItem:
        form.held_against(found)
        reason = form.cleaned_data["reason"]
        return drafting.revise_item(found, form.line(), viewer=viewer, at=now(), reason=reason)

    if save(request, form, verb):
        return HttpResponseRedirect(reverse("alliances:item", args=[uid]))
    if form.conflict:
        present = _item(request, uid)
        form.show_both(item_values(present), version=present.version)
    return show_form(
        request,
        form,
        heading=_("Change the line"),
        trail=_trail(found.plan, viewer),
        back=reverse("alliances:item", args=[uid]),
    )


@form_page
@page
def drop_item(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a line out of the plan."""
    viewer, found = viewer_of(request), _item(request, uid)
    if not rules.may_manage_plan(viewer, found.plan):
        raise NotAllowed
    initial = {"on": now().date(), "version": found.version}
    form = DropForm(posted(request), initial=initial)
    if request.method == "POST" and form.is_valid():

        def verb() -> bool:
            form.held_against(found)
            values = form.cleaned_data
            drafting.drop_item(
                found, on=values["on"], reason=values["reason"], viewer=viewer, at=now()
            )
            return True

        if form.run(verb):
            messages.success(request, _("The line is dropped."))
            return _to_plan(found.plan)
    return show_form(
        request,
        form,
        heading=_("Drop the line"),
        explanation=localized(found, "title", viewer.language),
        button=_("Drop the line"),
        trail=_trail(found.plan, viewer),
        back=reverse("alliances:item", args=[uid]),
    )


@require_safe
@page
def editions(request: HttpRequest, slug: str, plan_slug: str) -> HttpResponse:
    """Compare two editions of a plan line by line; the last two unless others are chosen."""
    viewer = viewer_of(request)
    rows = Plan.objects.visible_to(viewer).select_related("alliance")
    plan = one(rows, alliance__slug=slug, slug=plan_slug)
    found = list(Edition.objects.visible_to(viewer).filter(plan=plan).order_by("number"))
    by_number = {str(edition.number): edition for edition in found}
    before = by_number.get(request.GET.get("from", ""), found[-2] if len(found) > 1 else None)
    after = by_number.get(request.GET.get("to", ""), found[-1] if found else None)
    changes: list[LineChange] = []
    if before is not None and after is not None and before.pk != after.pk:
        changes = compare_editions(before, after)
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.kind.value] = counts.get(change.kind.value, 0) + 1
    actors = {change.after.actor for change in changes if change.after}
    actors |= {change.before.actor for change in changes if change.before}
    may_know = viewer.is_unlimited or alliances_seen_from_inside(viewer) >= {plan.alliance_id}
    names = names_of_actors(sorted(filter(None, actors)), viewer.language) if may_know else {}
    return render(
        request,
        "alliances/editions.html",
        {
            "plan": plan,
            "alliance": plan.alliance,
            "editions": found,
            "before": before,
            "after": after,
            "changes": [
                _compared(change, names, viewer.language)
                for change in changes
                if change.kind != LineChangeKind.SAME
            ],
            "counts": counts,
        },
    )


def _compared(change: LineChange, names: dict[str, str], language: str) -> dict[str, Any]:
    """Return one line's change as the page shows it."""
    state = change.after or change.before
    if state is None:
        raise ValueError("A compared line stands on one side at least.")
    before = change.before.values if change.before else {}
    after = change.after.values if change.after else {}
    zh, en = state.values["title_zh"], state.values["title_en"]
    shown = [name for name in SHOWN_FIELDS if name in change.fields]
    if not shown and change.fields:
        shown = ["window_text"]
    return {
        "kind": change.kind.value,
        "title": (en or zh) if language == "en" else (zh or en),
        "window": state.values["window_text"],
        "reason": state.reason,
        "actor": names.get(state.actor, ""),
        "fields": [
            {
                "label": _field_label(name),
                "before": _words(before.get(name)),
                "after": _words(after.get(name)),
            }
            for name in shown
        ],
    }


def _field_label(name: str) -> str:
    if name == "host_names":
        return _("hosts")
    if name == "work_area_zh":
        return _("work area")
    return str(PlanItem._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _words(value: Any) -> str:
    return _("; ").join(map(str, value)) if isinstance(value, list) else str(value or "")


def _do(do: str, form: VerbForm, plan: Plan, viewer: Viewer) -> object:
    """Call the verb that a form of the management page stands for."""
    at, values = now(), form.cleaned_data
    if do == "area":
        return planning.add_work_area(
            plan, viewer=viewer, at=at, name_zh=values["name_zh"], name_en=values["name_en"]
        )
    form.held_against(plan)
    if do == "revise":
        changed = {name: value for name, value in values.items() if name != "version"}
        return planning.revise_plan(plan, viewer=viewer, at=at, **changed)
    if do == "adopt":
        return planning.adopt_plan(
            plan,
            on=values["on"],
            reason=values["reason"],
            document_number=values["document_number"],
            viewer=viewer,
            at=at,
        )
    if do == "publish":
        return planning.publish_plan(plan, viewer=viewer, at=at)
    return planning.close_plan(plan, viewer=viewer, at=at)


def _data(request: HttpRequest, do: str) -> Any:
    return request.POST if request.POST.get("do") == do else None


def _managed(request: HttpRequest, slug: str, plan_slug: str) -> Plan:
    viewer = viewer_of(request)
    rows = Plan.objects.visible_to(viewer).select_related("alliance")
    plan: Plan = one(rows, alliance__slug=slug, slug=plan_slug)
    if not rules.may_manage_plan(viewer, plan):
        raise NotAllowed
    return plan


def _item(request: HttpRequest, uid: UUID) -> PlanItem:
    rows = PlanItem.objects.visible_to(viewer_of(request)).select_related(
        "plan__alliance", "work_area", "carried_from__plan__alliance"
    )
    found: PlanItem = one(rows.prefetch_related("hosts__organization"), uid=uid)
    return found


def _address(plan: Plan) -> str:
    return reverse("portal:plan", args=[plan.alliance.slug, plan.slug])


def _to_plan(plan: Plan) -> HttpResponseRedirect:
    return HttpResponseRedirect(_address(plan))


def _trail(plan: Plan, viewer: Viewer) -> list[dict[str, str]]:
    words = localized(plan, "title", viewer.language)
    return [
        alliance_step(plan.alliance, viewer.language),
        {"address": _address(plan), "words": words},
    ]
