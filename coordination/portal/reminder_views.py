"""Pages of reminders: what goes out next, the rules that lay it down, and trying one out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from alliances.models import Alliance, Plan, PlanState
from alliances.rules import is_secretariat_anywhere
from coordination.accounts.viewer import Viewer
from coordination.bilingual import CHINESE, ENGLISH
from coordination.changes.refusals import InvalidInput, NotAllowed
from coordination.pages.answers import asked, now, one, page, posted, uid_or_none, viewer_of
from coordination.portal.rule_forms import RuleForm
from coordination.portal.views import today_for
from events import rules as may
from events.arming import REMINDED_STATES
from events.foreseeing import foresee
from events.levels import standings, type_key
from events.models import Event, Reminder, ReminderRule
from events.portal.showing import event_lines
from events.previewing import preview_rule
from events.reminding import (
    add_reminder_rule,
    check_reminder_rule,
    draft_reminder_rule,
    remove_reminder_rule,
    revise_reminder_rule,
)
from events.rule_words import origin_in_words, rule_in_words, unsettled_in_words

ROWS_SHOWN = 60
EVENTS_OFFERED = 40
COPIED = ("offset", "at_wall", "at_zone", "audience", "organizations")
CONFLICT, REFUSED = 409, 422


@require_http_methods(["GET", "HEAD", "POST"])
@page
def reminders(request: HttpRequest) -> HttpResponse:
    """Show the rules that the viewer's secretariats keep and what goes out next; add a rule."""
    viewer = viewer_of(request)
    form = rule_form(request, viewer) if is_secretariat_anywhere(viewer) else None
    if request.method == "POST":
        if form is None:
            raise NotAllowed
        if form.is_valid() and form.run(lambda: _add(form, viewer)) is not None:
            messages.success(request, _("The rule is added."))
            return HttpResponseRedirect(reverse("portal:reminders"))
    rules = ReminderRule.objects.visible_to(viewer)
    shown = rules.select_related("alliance", "plan", "work_area", "event")
    shown = shown.order_by(F("event").asc(nulls_first=True), "pk")  # those of many events first
    rows = Paginator(shown, ROWS_SHOWN).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/reminders.html",
        {
            "form": form,
            "reminders": _due(viewer),
            "rules": [_described(rule, viewer.language) for rule in rows],
            "rows": rows,
        },
        status=REFUSED if form is not None and form.is_bound else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page
def rule(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change a rule, and try it out: exactly the mail that a chosen reader would get."""
    viewer = viewer_of(request)
    found = _rule(viewer, uid)
    form = rule_form(request, viewer, found)
    tries = request.POST.get("do") == "try"
    tried = found
    if request.method == "POST" and form.is_valid():
        if tries:
            tried = form.run(lambda: _tried(form, found)) or found
        elif form.run(lambda: _revise(form, found, viewer)) is not None:
            messages.success(request, _("The rule is saved."))
            return HttpResponseRedirect(reverse("portal:rule", args=[uid]))
        if form.conflict:
            current = _rule(viewer, uid)
            form.show_both(RuleForm.values_of(current), version=current.version)
    context = {
        "rule": found,
        "form": form,
        "words": rule_in_words(found, viewer.language),
        "origin": origin_in_words(found, viewer.language),
        **_preview(request, viewer, tried),
    }
    status = CONFLICT if form.conflict else REFUSED if form.errors else 200
    return render(request, "portal/rule.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def of_event(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show which rules stand over an event and where each comes from; set one of its own."""
    viewer = viewer_of(request)
    visible = Event.objects.visible_to(viewer).select_related("alliance", "work_area", "plan")
    event = one(visible, uid=uid)
    if not may.may_manage_event(viewer, event):
        raise NotAllowed
    form = rule_form(request, viewer, fixed=True)
    if request.method == "POST" and form.is_valid():
        values, base = form.values, uid_or_none(request.POST.get("overrides", ""))
        if base is not None:
            values["overrides"] = one(ReminderRule.objects.visible_to(viewer), uid=base)
        made = form.run(lambda: add_reminder_rule(event, viewer=viewer, at=now(), **values))
        if made is not None:
            messages.success(request, _("The rule is added."))
            return HttpResponseRedirect(reverse("portal:event_rules", args=[uid]))
    rows = standings(event)
    for row in rows:
        owner = "alliance" if row.level == "type" else row.level
        setattr(row.rule, owner, event if owner == "event" else getattr(event, owner))
    foresights = foresee((event, row.rule) for row in rows)
    pending = dict(
        Reminder.objects.filter(event=event, state="pending").values_list("rule", "nominal_at")
    )
    described = []
    for row in rows:
        foresight = foresights.get((event.pk, row.rule.pk))
        due = foresight.nominal(1) if foresight is not None else None
        described.append(
            _described(row.rule, viewer.language)
            | {
                "holds": row.holds,
                "is_own": row.level == "event",
                "is_silenced": row.replaced_by is not None and not row.replaced_by.enabled,
                "replaced_by": row.replaced_by and rule_in_words(row.replaced_by, viewer.language),
                "next_at": pending.get(row.rule.pk),
                "warnings": unsettled_in_words(due.unsettled if due is not None else ()),
            }
        )
    return render(
        request,
        "portal/event_rules.html",
        {"event": event, "rows": described, "form": form},
        status=REFUSED if form.is_bound else 200,
    )


@require_POST
@page
def silence(request: HttpRequest, uid: UUID, rule_uid: UUID) -> HttpResponse:
    """Let an inherited rule not hold for one event."""
    viewer = viewer_of(request)
    event = one(Event.objects.visible_to(viewer).select_related("alliance"), uid=uid)
    base = one(ReminderRule.objects.visible_to(viewer), uid=rule_uid)
    may.require(may.may_manage_event(viewer, event))
    silent = {name: getattr(base, name) for name in COPIED} | {"overrides": base, "enabled": False}
    try:
        if not ReminderRule.objects.filter(event=event, overrides=base, enabled=False).exists():
            add_reminder_rule(event, viewer=viewer, at=now(), **silent)
        messages.success(request, _("This rule no longer holds for the event."))
    except InvalidInput as refusal:
        for error in refusal.errors:
            messages.error(request, str(error.message), extra_tags="alarm")
    return HttpResponseRedirect(reverse("portal:event_rules", args=[uid]))


@require_POST
@page
def remove(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Remove a rule; what was sent stays in the ledger."""
    viewer = viewer_of(request)
    found = _rule(viewer, uid)
    event = found.event
    remove_reminder_rule(found, viewer=viewer, at=now())
    messages.success(request, _("The rule is removed."))
    if event is not None and "event" in request.GET:
        return HttpResponseRedirect(reverse("portal:event_rules", args=[event.uid]))
    return HttpResponseRedirect(reverse("portal:reminders"))


def rule_form(
    request: HttpRequest, viewer: Viewer, rule: ReminderRule | None = None, *, fixed: bool = False
) -> RuleForm:
    """Return the form of a rule, with what the viewer may let it stand on."""
    alliances = Alliance.objects.visible_to(viewer)
    plans = Plan.objects.visible_to(viewer).exclude(state=PlanState.CLOSED)
    if not viewer.is_unlimited:
        staffed = viewer.pks("secretariat", "alliance")
        alliances, plans = alliances.filter(pk__in=staffed), plans.filter(alliance__in=staffed)
    return RuleForm(
        posted(request),
        initial=RuleForm.values_of(rule) if rule is not None else None,
        alliances=alliances.order_by("pk"),
        plans=plans.order_by("-year", "pk"),
        language=viewer.language,
        fixed=fixed or rule is not None,
    )


def _rule(viewer: Viewer, uid: UUID) -> ReminderRule:
    rows = ReminderRule.objects.visible_to(viewer)
    related = rows.select_related("alliance", "plan", "work_area__plan", "event", "overrides")
    found: ReminderRule = one(related, uid=uid)
    return found


def _add(form: RuleForm, viewer: Viewer) -> ReminderRule:
    return add_reminder_rule(form.owner, viewer=viewer, at=now(), **form.values)


def _revise(form: RuleForm, rule: ReminderRule, viewer: Viewer) -> ReminderRule:
    form.held_against(rule)
    return revise_reminder_rule(rule, viewer=viewer, at=now(), **form.values)


def _tried(form: RuleForm, rule: ReminderRule) -> ReminderRule:
    """Return the rule as the form has it, not saved."""
    draft = draft_reminder_rule(rule.owner, **form.values | {"event_type": rule.event_type})
    check_reminder_rule(draft)
    return draft


def _described(rule: ReminderRule, language: str) -> dict[str, Any]:
    return {
        "rule": rule,
        "words": rule_in_words(rule, language),
        "origin": origin_in_words(rule, language),
    }


def _preview(request: HttpRequest, viewer: Viewer, rule: ReminderRule) -> dict[str, Any]:
    """Return what trying a rule out shows: an event and a reader to choose, times, letters."""
    events = _events_under(rule, viewer)
    wanted = uid_or_none(request.POST.get("event") or asked(request, "event"))
    event = next((row for row in events if row.uid == wanted), None)
    event = event or _next_reminded(events, rule)
    if event is None:
        return {"events": []}
    reader = request.POST.get("reader") or asked(request, "reader")
    found = preview_rule(event, rule, at=now(), recipient=reader)
    return {
        "events": events,
        "chosen": event,
        "preview": found,
        "warnings": unsettled_in_words(found.unsettled),
        "letters": [
            (name, found.letters[language])
            for name, language in (("中文", CHINESE), ("English", ENGLISH))
            if language in found.letters
        ],
    }


def _next_reminded(events: list[Event], rule: ReminderRule) -> Event | None:
    """Return the event that the rule reminds of next; the first where it reminds of none more."""
    foresights = foresee((event, rule) for event in events)
    coming = []
    for event in events:
        foresight = foresights[event.pk, rule.pk]
        number = foresight.first_after(now())
        due = foresight.nominal(number) if number is not None else None
        if due is not None:
            coming.append((due.at, event.pk, event))
    return min(coming)[2] if coming else next(iter(events), None)


def _events_under(rule: ReminderRule, viewer: Viewer) -> list[Event]:
    """Return events to come that the rule may remind of, the next first."""
    rows = Event.objects.visible_to(viewer).filter(
        state__in=REMINDED_STATES, starts_at__gt=now(), alliance=rule.alliance_key
    )
    if rule.level in ("plan", "work_area"):
        rows = rows.filter(**{rule.level: getattr(rule, f"{rule.level}_id")})
    elif rule.level == "event":
        rows = rows.filter(pk=rule.event_id)
    related = rows.select_related("alliance", "work_area", "plan").order_by("starts_at", "pk")
    if rule.level != "type":
        return list(related[:EVENTS_OFFERED])
    wanted = type_key(rule.event_type)
    return [row for row in related if type_key(row.type_text) == wanted][:EVENTS_OFFERED]


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
