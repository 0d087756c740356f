"""Carry unfinished lines of one plan over into another."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from alliances import carrying, rules
from alliances.models import Plan, PlanItem
from coordination.changes.refusals import NotAllowed
from coordination.pages.answers import now, one, page, posted, viewer_of
from coordination.portal.forms import CarryForm
from coordination.portal.views import today_for


@require_http_methods(["GET", "HEAD", "POST"])
@page
def carry_over(request: HttpRequest, slug: str, plan_slug: str) -> HttpResponse:
    """Choose another plan of the alliance, then which of its unfinished lines to carry over."""
    viewer = viewer_of(request)
    visible = Plan.objects.visible_to(viewer).select_related("alliance")
    into = one(visible, alliance__slug=slug, slug=plan_slug)
    if not rules.may_manage_plan(viewer, into):
        raise NotAllowed
    others = list(visible.filter(alliance=into.alliance).exclude(pk=into.pk).order_by("-year"))
    wanted = request.GET.get("from", "")
    source = next((plan for plan in others if plan.slug == wanted), None)
    form = None
    if source is not None:
        left = carrying.unfinished_items(source, viewer=viewer, on=today_for(viewer))
        unfinished = [item.pk for item in left]
        items = PlanItem.objects.filter(pk__in=unfinished).order_by("position", "pk")
        form = CarryForm(posted(request), items=items, language=viewer.language)
    if form is not None and request.method == "POST" and form.is_valid():
        chosen = list(form.cleaned_data["items"])
        made = form.run(
            lambda: carrying.carry_over(
                chosen,
                into,
                viewer=viewer,
                at=now(),
                reason=form.cleaned_data["reason"],
            )
        )
        if made is not None:
            words = ngettext("%(n)d line carried over.", "%(n)d lines carried over.", len(made))
            messages.success(request, words % {"n": len(made)})
            return HttpResponseRedirect(reverse("portal:plan", args=[slug, plan_slug]))
    return render(
        request,
        "portal/carry_over.html",
        {
            "plan": into,
            "alliance": into.alliance,
            "others": others,
            "source": source,
            "form": form,
            "heading": _("Carry lines over"),
        },
        status=422 if form is not None and form.is_bound else 200,
    )
