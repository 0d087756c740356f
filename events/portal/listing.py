"""The list of events: filtered, in order of time, page by page without counting what is before."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from alliances.models import Alliance
from coordination.pages.answers import asked, now, uid_or_none, viewer_of
from events.models import Event, EventState
from events.portal.showing import event_lines, held_in, late_on, not_over, with_line_relations

PAGE_ROWS = 50
TIMES = ("coming", "past", "undated")


def list_context(request: HttpRequest) -> dict[str, Any]:
    """Return what the list page shows."""
    viewer, at = viewer_of(request), now()
    today = at.astimezone(ZoneInfo(viewer.time_zone)).date()
    query = request.GET
    alliances = list(Alliance.objects.visible_to(viewer).order_by("pk"))
    time = query.get("time", "")
    time = time if time in TIMES else TIMES[0]
    rows = with_line_relations(Event.objects.visible_to(viewer))
    chosen = next((each for each in alliances if each.slug == query.get("alliance")), None)
    if chosen is not None:
        rows = rows.filter(held_in(chosen))
    state = query.get("state", "")
    if state in EventState.values:
        rows = rows.filter(state=state)
    elif state == "late":
        rows, time = rows.filter(late_on(today)), "undated"
    words = asked(request, "q")[:100]
    if words:
        rows = rows.filter(Q(title_zh__icontains=words) | Q(title_en__icontains=words))
    found = list(_in_time(rows, time, at, query.get("after", ""))[: PAGE_ROWS + 1])
    lines = event_lines(
        found[:PAGE_ROWS], language=viewer.language, zone=viewer.time_zone, today=today
    )
    return {
        "lines": lines,
        "after": found[PAGE_ROWS - 1].uid if len(found) > PAGE_ROWS else None,
        "time": time,
        "state": state,
        "states": [*EventState.choices],
        "words": words,
        "alliances": alliances,
        "chosen": chosen,
    }


def _in_time(rows: QuerySet[Event], time: str, at: datetime, after: str) -> QuerySet[Event]:
    """Put the rows in order, from the row after the one whose uid is `after`."""
    uid = uid_or_none(after)
    last = rows.filter(uid=uid).first() if uid else None
    if time == "undated":
        rows = rows.filter(starts_at__isnull=True)
        return (rows.filter(pk__gt=last.pk) if last else rows).order_by("pk")
    if time == "past":
        rows = rows.filter(ends_at__lte=at)
        if last and last.starts_at:
            rows = rows.filter(
                Q(starts_at__lt=last.starts_at) | Q(starts_at=last.starts_at, pk__lt=last.pk)
            )
        return rows.order_by("-starts_at", "-pk")
    rows = rows.filter(not_over(at))
    if last and last.starts_at:
        rows = rows.filter(
            Q(starts_at__gt=last.starts_at) | Q(starts_at=last.starts_at, pk__gt=last.pk)
        )
    return rows.order_by("starts_at", "pk")
