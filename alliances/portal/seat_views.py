"""Pages that end a seat or hand it to a successor, and that change or remove a work area."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from alliances import planning, rules, seating
from alliances.models import Person, Seat, WorkArea
from alliances.portal.forms import EndForm, HandOverForm, WorkAreaForm, values_of
from alliances.portal.views import CONFLICT, REFUSED, alliance_step, form_page, save
from coordination.bilingual import localized
from coordination.changes.refusals import NotAllowed
from coordination.pages.answers import now, one, page, viewer_of
from coordination.pages.forms import VerbForm

SUCCESSOR_DETAILS = ("name_zh", "name_en", "title_zh", "title_en", "email", "phone")


@form_page
@page
def seat(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Hand a seat to a successor, known or new, or end it without one."""
    viewer = viewer_of(request)
    rows = Seat.objects.visible_to(viewer).select_related(
        "organization", "body__alliance", "person__details"
    )
    found: Seat = one(rows, uid=uid)
    if not rules.may_manage_seat(viewer, found):
        raise NotAllowed
    do, today = request.POST.get("do", ""), now().date()
    people = Person.objects.visible_to(viewer).filter(erased_at=None).exclude(pk=found.person_id)
    forms: dict[str, Any] = {
        "hand_over": HandOverForm(
            request.POST if do == "hand_over" else None,
            initial={"version": found.version, "on": today},
            prefix="hand",
            people=people.select_related("details").order_by("pk"),
            language=viewer.language,
        ),
        "end": EndForm(
            request.POST if do == "end" else None,
            initial={"version": found.version},
            prefix="end",
        ),
    }

    def hand_over() -> object:
        form = forms["hand_over"]
        form.held_against(found)
        values, at = form.cleaned_data, now()
        with transaction.atomic():
            successor = values["successor"] or seating.add_person(
                viewer=viewer, at=at, **{name: values[name] for name in SUCCESSOR_DETAILS}
            )
            return seating.hand_over_seat(found, successor, on=values["on"], viewer=viewer, at=at)

    def end() -> object:
        forms["end"].held_against(found)
        values = forms["end"].cleaned_data
        return seating.end_seat(
            found, on=values["on"], reason=values["reason"], viewer=viewer, at=now()
        )

    form = forms.get(do)
    if form is not None and save(request, form, hand_over if do == "hand_over" else end):
        return HttpResponseRedirect(_place_of(found)["address"])
    context = {"seat": found, "place": _place_of(found, viewer.language), **forms}
    return render(request, "alliances/seat.html", context, status=_status(form))


@form_page
@page
def work_area(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Rename a work area; its events show the new name. Or remove one that nothing stands in."""
    viewer = viewer_of(request)
    rows = WorkArea.objects.visible_to(viewer).select_related("plan__alliance")
    found: WorkArea = one(rows, uid=uid)
    plan = found.plan
    if not rules.may_manage_plan(viewer, plan):
        raise NotAllowed
    removing, data = request.POST.get("do") == "remove", request.POST or None
    revise = WorkAreaForm(None if removing else data, initial=values_of(found, WorkAreaForm))
    remove = VerbForm(data if removing else None, initial={"version": found.version})

    def verb() -> object:
        (remove if removing else revise).held_against(found)
        if removing:
            planning.remove_work_area(found, viewer=viewer, at=now())
            return True
        return planning.revise_work_area(found, viewer=viewer, at=now(), **revise.values())

    back = reverse("alliances:manage_plan", args=[plan.alliance.slug, plan.slug])
    if save(request, remove if removing else revise, verb):
        return HttpResponseRedirect(back)
    if revise.conflict:
        present = WorkArea.objects.get(pk=found.pk)
        revise.show_both(values_of(present, WorkAreaForm), version=present.version)
    form = remove if removing else revise
    context = {
        "area": found,
        "revise": revise,
        "remove": remove,
        "trail": [
            alliance_step(plan.alliance, viewer.language),
            {"address": back, "words": _("Manage plan")},
        ],
    }
    return render(request, "alliances/work_area.html", context, status=_status(form))


def _status(form: VerbForm | None) -> int:
    if form is None or not form.is_bound:
        return 200
    return CONFLICT if form.conflict else REFUSED


def _place_of(seat: Seat, language: str = "") -> dict[str, str]:
    """Return the page on which a seat is listed, and its name."""
    if seat.organization is not None:
        address = reverse("alliances:organization", args=[seat.organization.uid])
        return {"address": address, "words": localized(seat.organization, "name", language)}
    if seat.body is None:
        raise ValueError("A seat is for an organization or in a body.")
    return alliance_step(seat.body.alliance, language)
