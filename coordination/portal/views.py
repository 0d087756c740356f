"""Pages that need both domains: what concerns me, an alliance, a plan's board, the month."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from alliances import rules as alliance_rules
from alliances.models import Alliance, ChairTerm, Edition, Membership, Plan, PlanState, Seat
from coordination.accounts.viewer import Viewer
from coordination.deliveries.models import InboxItem
from coordination.pages.answers import asked, now, one, page, viewer_of
from coordination.portal.month_page import month_asked, month_context
from coordination.portal.plan_board import area_rows, by_month, figures_of, plan_entries
from events import rules as event_rules
from events.models import Duty, Event, EventState, Invitation
from events.models.spans import LONGEST
from events.portal.showing import (
    EventLine,
    event_lines,
    held_in,
    late_on,
    not_over,
    with_line_relations,
)

COMING_DAYS = 60
HOME_ROWS = 12
INBOX_ROWS = 5
UNCONFIRMED_DAYS = 21
ALL_OF = {
    "late": "time=undated&state=late",
    "postponed": "time=undated&state=postponed",
    "unconfirmed": "time=coming&state=scheduled",
    "unanswered": "time=coming",
    "not_concluded": "time=past&state=confirmed",
}
"""Where the list of events shows all that needs attention, by the reason's key."""


def today_for(viewer: Viewer) -> date:
    """Return today on the viewer's calendar."""
    return now().astimezone(ZoneInfo(viewer.time_zone)).date()


@require_safe
@page
def home(request: HttpRequest) -> HttpResponse:
    """Show what concerns the viewer: what waits for an answer, what is owed, what is coming."""
    viewer = viewer_of(request)
    at, today = now(), today_for(viewer)
    organizations = {grant.pk for grant in viewer.grants if grant.kind == "organization"}
    staffed = viewer.pks("secretariat", "alliance")
    visible = with_line_relations(Event.objects.visible_to(viewer))
    coming = visible.filter(not_over(at), starts_at__lt=at + timedelta(days=COMING_DAYS))
    coming = coming.exclude(state=EventState.CANCELLED)
    inside = {grant.pk for grant in viewer.grants if grant.kind == "alliance"}
    if inside and not viewer.is_unlimited:
        coming = coming.filter(held_in(*inside))
    context: dict[str, Any] = {
        "coming": _lines(request, coming.order_by("starts_at", "pk")[:HOME_ROWS]),
        "invitations": [],
        "duties": [],
        "attention": [],
        "alliances": list(Alliance.objects.visible_to(viewer).order_by("pk")[:30]),
        "inbox": _unread(viewer),
        "today": today,
        "at": at,
        "may_found": alliance_rules.may_found_alliance(viewer),
    }
    if organizations:
        invitations = Invitation.objects.visible_to(viewer).unanswered()
        invitations = invitations.filter(organization__in=organizations)
        invitations = invitations.filter(Q(event__ends_at__gt=at) | Q(event__ends_at__isnull=True))
        invitations = invitations.exclude(event__state__in=[EventState.CANCELLED, EventState.HELD])
        context["invitations"] = _with_lines(
            request, invitations.order_by("event__starts_at", "pk")[:HOME_ROWS]
        )
        duties = Duty.objects.visible_to(viewer).owed().filter(organization__in=organizations)
        context["duties"] = _with_lines(request, duties.order_by("due_at", "pk")[:HOME_ROWS])
    if staffed or viewer.is_unlimited:
        context["attention"] = _attention(request, viewer, today)
        context["is_secretariat"] = True
    return render(request, "portal/home.html", context)


@require_safe
@page
def alliance(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an alliance: members on a day, bodies, people, plans, coming events, its calendar."""
    viewer = viewer_of(request)
    at, today = now(), today_for(viewer)
    found = one(Alliance.objects.visible_to(viewer), slug=slug)
    on = parse_date_or(request.GET.get("on", ""), today)
    members = Membership.objects.visible_to(viewer).filter(alliance=found).active_on(on)
    events = with_line_relations(Event.objects.visible_to(viewer)).filter(held_in(found))
    coming = events.filter(not_over(at)).exclude(state=EventState.CANCELLED)
    seats = Seat.objects.visible_to(viewer).active_on(on)
    in_bodies = seats.filter(body__alliance=found).select_related("person__details", "body")
    for_members = seats.filter(organization__memberships__in=members)
    return render(
        request,
        "portal/alliance.html",
        {
            "alliance": found,
            "on": on,
            "is_today": on == today,
            "members": list(members.select_related("organization").order_by("pk")),
            "bodies": list(found.bodies.order_by("pk")),
            "chairs": list(
                ChairTerm.objects.visible_to(viewer)
                .filter(body__alliance=found)
                .active_on(on)
                .select_related("organization", "body")
            ),
            "seats": list(in_bodies.order_by("body", "pk")),
            "liaisons": list(
                for_members.select_related("person__details", "organization")
                .distinct()
                .order_by("organization", "pk")
            ),
            "plans": list(
                Plan.objects.visible_to(viewer)
                .filter(alliance=found)
                .annotate(lines=Count("items", filter=Q(items__dropped_on__isnull=True)))
            ),
            "coming": _lines(request, coming.order_by("starts_at", "pk")[:HOME_ROWS]),
            "may_manage": alliance_rules.may_manage_alliance(viewer, found),
            "may_draft": event_rules.may_draft_event(viewer, found),
        },
    )


@require_safe
@page
def plans(request: HttpRequest) -> HttpResponse:
    """List the plans that the viewer may see, the newest first."""
    viewer = viewer_of(request)
    rows = Plan.objects.visible_to(viewer).select_related("alliance")
    rows = rows.annotate(lines=Count("items", filter=Q(items__dropped_on__isnull=True)))
    return render(request, "portal/plans.html", {"plans": list(rows.order_by("-year", "pk")[:500])})


@require_safe
@page
def plan(request: HttpRequest, slug: str, plan_slug: str) -> HttpResponse:
    """Show a plan's board: figures first, then months by work areas, a list, or a table."""
    viewer = viewer_of(request)
    today, language = today_for(viewer), viewer.language
    of_alliances = Plan.objects.visible_to(viewer).select_related("alliance")
    found = one(of_alliances, alliance__slug=slug, slug=plan_slug)
    areas = list(found.work_areas.order_by("position"))
    entries = plan_entries(found, viewer=viewer, language=language, today=today)
    state = request.GET.get("state", "")
    figures = figures_of(entries)
    shown = [e for e in entries if state in ("", e.state) or (state == "late" and e.is_late)]
    board, rows = area_rows(found, shown, areas=areas, language=language, today=today)
    view = request.GET.get("view", "")
    may_manage = alliance_rules.may_manage_plan(viewer, found)
    editions = Edition.objects.visible_to(viewer).filter(plan=found)
    return render(
        request,
        "portal/plan.html",
        {
            "plan": found,
            "alliance": found.alliance,
            "figures": figures,
            "total": len(entries),
            "state": state,
            "entries": shown,
            "board": board,
            "rows": [row for row in rows if not row.is_empty],
            "empty_rows": [row for row in rows if row.is_empty],
            "months": by_month(shown),
            "view": view if view in ("table", "list") else "board",
            "this_month": (today.year, today.month),
            "has_draft": may_manage and editions.filter(state="draft").exists(),
            "may_manage": may_manage,
            "may_change": may_manage and found.state != PlanState.CLOSED,
        },
    )


@require_safe
@page
def calendar(request: HttpRequest) -> HttpResponse:
    """Show a month with its events, days off and make-up working days."""
    viewer = viewer_of(request)
    today = today_for(viewer)
    year, month = month_asked(request.GET.get("month", ""), today)
    alliances = list(Alliance.objects.visible_to(viewer).order_by("pk"))
    chosen = asked(request, "alliance")
    return render(
        request,
        "portal/calendar.html",
        {
            **month_context(viewer, year, month, today=today, alliance=chosen),
            "alliances": alliances,
            "chosen": next((each for each in alliances if each.slug == chosen), None),
        },
    )


def parse_date_or(text: str, default: date) -> date:
    """Return a date out of a query, or the default when it is none."""
    try:
        return parse_date(text) or default
    except ValueError:
        return default


def _unread(viewer: Viewer) -> list[InboxItem]:
    """Return the latest messages that the viewer has not read."""
    if not viewer.is_authenticated:
        return []
    return list(InboxItem.objects.visible_to(viewer).unread().order_by("-pk")[:INBOX_ROWS])


def _lines(request: HttpRequest, events: Any) -> list[EventLine]:
    viewer = viewer_of(request)
    return event_lines(
        events, language=viewer.language, zone=viewer.time_zone, today=today_for(viewer)
    )


def _with_lines(request: HttpRequest, rows: Any) -> list[tuple[Any, EventLine]]:
    """Return invitations or duties, each with the line of its event."""
    found = list(rows.select_related("organization", "event__alliance", "event__work_area"))
    return list(zip(found, _lines(request, [row.event for row in found]), strict=True))


def _attention(request: HttpRequest, viewer: Viewer, today: date) -> list[dict[str, Any]]:
    """Return what a secretariat has to chase: the reason's key, how many, and the first lines."""
    events = with_line_relations(Event.objects.visible_to(viewer))
    if not viewer.is_unlimited:
        events = events.filter(alliance__in=viewer.pks("secretariat", "alliance"))
    at = now()
    soon = at + timedelta(days=UNCONFIRMED_DAYS)
    kinds = (
        ("late", events.filter(late_on(today)).order_by("window_ends_on", "pk")),
        (
            "postponed",
            events.filter(state=EventState.POSTPONED, starts_at__isnull=True)
            .exclude(late_on(today))
            .order_by("pk"),
        ),
        (
            "unconfirmed",
            events.filter(
                state=EventState.SCHEDULED, starts_at__gt=at, starts_at__lt=soon
            ).order_by("starts_at", "pk"),
        ),
        (
            "unanswered",
            events.filter(
                starts_at__gt=at,
                pk__in=Invitation.objects.visible_to(viewer).unanswered().values("event"),
            ).order_by("starts_at", "pk"),
        ),
        (
            "not_concluded",
            events.filter(
                state__in=[EventState.SCHEDULED, EventState.CONFIRMED],
                starts_at__gt=at - LONGEST,
                ends_at__lt=at,
            ).order_by("-starts_at", "-pk"),
        ),
    )
    found = []
    for key, rows in kinds:
        lines = _lines(request, rows[: HOME_ROWS + 1])
        if lines:
            found.append(
                {
                    "key": key,
                    "lines": lines[:HOME_ROWS],
                    "more": ALL_OF[key] if len(lines) > HOME_ROWS else "",
                }
            )
    return found
