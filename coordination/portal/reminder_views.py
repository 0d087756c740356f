"""The page of reminders: what goes out next, and the rules that lay it down."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from alliances.models import Alliance, Plan, PlanState
from alliances.rules import is_secretariat_anywhere
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.changes.refusals import NotAllowed
from coordination.pages.answers import now, one, page, posted, viewer_of
from coordination.portal.forms import RuleForm
from coordination.portal.views import today_for
from events.models import Event, Reminder, ReminderRule
from events.offsets import read_offset
from events.portal.showing import event_lines
from events.reminding import add_reminder_rule, remove_reminder_rule

ROWS_SHOWN = 60


@require_http_methods(["GET", "HEAD", "POST"])
@page
def reminders(request: HttpRequest) -> HttpResponse:
    """Show the rules that the viewer's secretariats keep and what goes out next; add a rule."""
    viewer = viewer_of(request)
    form = _rule_form(request, viewer) if is_secretariat_anywhere(viewer) else None
    if request.method == "POST":
        if form is None:
            raise NotAllowed
        if form.is_valid() and form.run(lambda: _add(form, viewer)) is not None:
            messages.success(request, _("The rule is added."))
            return HttpResponseRedirect(reverse("portal:reminders"))
    rules = ReminderRule.objects.visible_to(viewer).filter(enabled=True)
    shown = rules.select_related("alliance", "plan", "work_area", "event").order_by("pk")
    return render(
        request,
        "portal/reminders.html",
        {
            "form": form,
            "reminders": _due(viewer),
            "rules": [
                (rule, offset_words(rule), _owner_words(rule, viewer.language))
                for rule in shown[:ROWS_SHOWN]
            ],
        },
        status=422 if form is not None and form.is_bound else 200,
    )


@require_POST
@page
def remove(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Remove a rule; what was sent stays in the ledger."""
    viewer = viewer_of(request)
    rule = one(ReminderRule.objects.visible_to(viewer), uid=uid)
    remove_reminder_rule(rule, viewer=viewer, at=now())
    messages.success(request, _("The rule is removed."))
    return HttpResponseRedirect(reverse("portal:reminders"))


def offset_words(rule: ReminderRule) -> str:
    """Return "7 days before" for "-P7D"."""
    offset = read_offset(rule.offset)
    number, after = abs(offset.days), offset.days > 0 or offset.minutes > 0
    if not number:
        hours = abs(offset.minutes) // 60
        words = _("%(n)d hours after") if after else _("%(n)d hours before")
        return words % {"n": hours}
    words = _("%(n)d days after") if after else _("%(n)d days before")
    return words % {"n": number}


def _rule_form(request: HttpRequest, viewer: Viewer) -> RuleForm:
    alliances = Alliance.objects.visible_to(viewer)
    plans = Plan.objects.visible_to(viewer).exclude(state=PlanState.CLOSED)
    if not viewer.is_unlimited:
        staffed = viewer.pks("secretariat", "alliance")
        alliances, plans = alliances.filter(pk__in=staffed), plans.filter(alliance__in=staffed)
    return RuleForm(
        posted(request),
        alliances=alliances.order_by("pk"),
        plans=plans.order_by("-year", "pk"),
        language=viewer.language,
    )


def _add(form: RuleForm, viewer: Viewer) -> ReminderRule:
    return add_reminder_rule(
        form.owner,
        offset=f"-P{form.cleaned_data['days']}D",
        audience=form.cleaned_data["audience"],
        viewer=viewer,
        at=now(),
    )


def _due(viewer: Viewer) -> list[tuple[Reminder, Any]]:
    """Return what goes out next in the viewer's secretariats, each with the line of its event."""
    visible = Event.objects.visible_to(viewer)
    if not viewer.is_unlimited:
        visible = visible.filter(alliance__in=viewer.pks("secretariat", "alliance"))
    due = list(
        Reminder.objects.filter(event__in=visible.values("pk"), due_at__gt=now(), state="pending")
        .select_related("event__alliance", "event__work_area")
        .order_by("due_at", "pk")[:ROWS_SHOWN]
    )
    lines = event_lines(
        [row.event for row in due],
        language=viewer.language,
        zone=viewer.time_zone,
        today=today_for(viewer),
    )
    return list(zip(due, lines, strict=True))


def _owner_words(rule: ReminderRule, language: str) -> str:
    owner = rule.owner
    return localized(owner, "title" if hasattr(owner, "title_zh") else "name", language)
