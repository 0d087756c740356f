"""The current year's plan of the Jing-Jin-Ji alliance, laid around today: all illustrative.

Whenever the demo is loaded there is something past, something under way and something to come.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alliances import drafting, planning
from alliances.drafting import Host, Line
from alliances.models import Alliance, Organization, Plan, WorkArea
from coordination.accounts.viewer import SYSTEM
from coordination.demo.facts import ENGLISH_AREAS, ENGLISH_PLACES, ILLUSTRATION
from coordination.demo.sketches import SKETCHES, Sketch
from events import chasing, concluding, inviting, reminding, scheduling
from events.calendar_event import Span
from events.models import DutyKind, Event
from events.owing import set_duty

BEIJING = "Asia/Shanghai"
AREAS = list(ENGLISH_AREAS.items())


def load_current_plan(*, at: datetime, say: Callable[[str], None]) -> None:
    """Load the plan around today, once."""
    alliance = Alliance.objects.get(slug="jjj")
    today = at.astimezone(ZoneInfo(BEIJING)).date()
    if Plan.objects.filter(alliance=alliance, source=ILLUSTRATION, kind="annual").exists():
        return
    say(f"{today.year}年度工作计划（示例）")
    first = _month_start(today, -6)
    plan = planning.open_plan(
        alliance,
        viewer=SYSTEM,
        at=at,
        year=today.year,
        title_zh=f"京津冀国家高新区联盟{today.year}年度工作计划（示例）",
        title_en=f"Jing-Jin-Ji Alliance: plan of {today.year} (illustrative)",
        starts_on=first,
        ends_on=_month_start(first, 12) - timedelta(days=1),
        target_number=len(SKETCHES),
        document_number=f"示例〔{today.year}〕1号",
        source=ILLUSTRATION,
        illustrative=True,
    )
    areas = [
        planning.add_work_area(plan, viewer=SYSTEM, at=at, name_zh=zh, name_en=en)
        for zh, en in AREAS
    ]
    members = [
        row.organization
        for row in alliance.memberships.select_related("organization").order_by("pk")
    ]
    lines = [
        _line(number, sketch, areas, members, today)
        for number, sketch in enumerate(SKETCHES, start=1)
    ]
    items = drafting.add_items(plan, lines, viewer=SYSTEM, at=at)
    planning.adopt_plan(plan, on=first, viewer=SYSTEM, at=at)
    planning.publish_plan(plan, viewer=SYSTEM, at=at)
    for offset in ("-P7D", "-P1D"):
        reminding.add_reminder_rule(
            plan, viewer=SYSTEM, at=at, offset=offset, audience=["hosts", "members", "secretariat"]
        )
    chasing.take_over_standard_chasing(alliance, viewer=SYSTEM, at=at)
    for item, sketch in zip(items, SKETCHES, strict=True):
        event = Event.objects.select_related("plan", "alliance", "plan_item").get(plan_item=item)
        _live(event, sketch, members, today, at)


def _line(
    number: int,
    sketch: Sketch,
    areas: list[WorkArea],
    members: list[Organization],
    today: date,
) -> Line:
    text, window = _window(sketch, today)
    host = (
        Host(members[sketch.host - 1].name_zh, members[sketch.host - 1])
        if sketch.host
        else Host("联盟秘书处")
    )
    values: dict[str, Any] = {
        "number": str(number),
        "title_zh": sketch.zh,
        "title_en": sketch.en,
        "type_text": sketch.kind,
        "place_text": sketch.place,
        "participants_text": "全体成员单位",
        "notes": "示例",
        "window_text": text,
        "windows": [window],
    }
    return Line(values, [host], areas[sketch.area - 1])


def _window(sketch: Sketch, today: date) -> tuple[str, dict[str, Any]]:
    if sketch.offset is None:
        return "待定", dict(drafting.UNKNOWN_WINDOW)
    day = today + timedelta(days=sketch.offset)
    if sketch.fate in ("late", "postponed"):
        day = _month_start(day, -1)
    start = end = day
    text = f"{day.year}年{day.month}月{day.day}日"
    if sketch.precision == "ten_days":
        third = min((day.day - 1) // 10, 2)
        start = day.replace(day=third * 10 + 1)
        end = _month_end(day) if third == 2 else day.replace(day=third * 10 + 10)
        text = f"{day.year}年{day.month}月{'上中下'[third]}旬"
    elif sketch.precision == "month":
        start, end = day.replace(day=1), _month_end(day)
        text = f"{day.year}年{day.month}月"
    elif sketch.precision == "quarter":
        quarter = (day.month - 1) // 3
        start = date(day.year, quarter * 3 + 1, 1)
        end = _month_end(date(day.year, quarter * 3 + 3, 1))
        text = f"{day.year}年第{'一二三四'[quarter]}季度"
    elif sketch.precision == "half_year":
        half = (day.month - 1) // 6
        start, end = date(day.year, half * 6 + 1, 1), _month_end(date(day.year, half * 6 + 6, 1))
        text = f"{day.year}年{'上下'[half]}半年"
    return text, {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "precision": sketch.precision,
        "start_time": None,
        "end_time": None,
    }


def _live(
    event: Event, sketch: Sketch, members: list[Organization], today: date, at: datetime
) -> None:
    """Let the event's fate come to it, verb by verb."""
    scheduling.revise_event(
        event,
        viewer=SYSTEM,
        at=at,
        place_en=ENGLISH_PLACES[event.place_zh],
        format="online" if event.place_zh == "线上" else "onsite",
    )
    if sketch.offset is None or sketch.fate == "planned":
        return
    day = today + timedelta(days=sketch.offset)
    span = _span(day, sketch)
    if sketch.fate == "tomorrow":
        span = _in_a_day(at)
    scheduling.schedule_event(event, span, viewer=SYSTEM, at=at)
    if sketch.fate == "scheduled":
        return
    if sketch.fate == "cancelled":
        scheduling.cancel_event(event, reason="承办单位工作调整（示例）", viewer=SYSTEM, at=at)
        return
    if sketch.fate == "put_off":
        scheduling.postpone_event(event, reason="材料尚未齐备（示例）", viewer=SYSTEM, at=at)
        return
    if sketch.fate == "postponed":
        scheduling.postpone_event(
            event,
            reason="场地调整（示例）",
            span=_span(today + timedelta(days=9), sketch),
            viewer=SYSTEM,
            at=at,
        )
        return
    scheduling.confirm_event(event, viewer=SYSTEM, at=at)
    if sketch.fate in ("held", "late"):
        concluding.conclude_event(
            event, viewer=SYSTEM, at=at, outcome_zh="顺利举办（示例）。", attendance=40
        )
    elif sketch.fate in ("confirmed", "tomorrow"):
        _invite(event, members, at)


def _invite(event: Event, members: list[Organization], at: datetime) -> None:
    if event.starts_at is None:
        return
    ahead = event.starts_at - at
    answer_by = (event.starts_at - min(timedelta(days=3), ahead / 2)).date()
    invitations = inviting.invite_organizations(
        event, members, viewer=SYSTEM, at=at, answer_by=answer_by
    )
    for invitation, state in zip(
        invitations, ("accepted", "needs_action", "declined"), strict=False
    ):
        if state != "needs_action":
            inviting.answer_invitation(invitation, state=state, delegates=2, viewer=SYSTEM, at=at)
    set_duty(
        event,
        members[1],
        kind=DutyKind.NAME_DELEGATES,
        due_at=event.starts_at - min(timedelta(days=2), ahead / 3),
        viewer=SYSTEM,
        at=at,
    )


def _span(day: date, sketch: Sketch) -> Span:
    last = day + timedelta(days=sketch.days - 1)
    return Span(
        starts=datetime.combine(day, time(9, 30)),
        ends=datetime.combine(last, time(17, 0)),
        zone=BEIJING,
    )


def _in_a_day(at: datetime) -> Span:
    """Return a time a day and a few minutes ahead, so that a first reminder goes out at once."""
    soon = at.astimezone(ZoneInfo(BEIJING)).replace(tzinfo=None, second=0, microsecond=0)
    starts = soon + timedelta(days=1, minutes=2)
    return Span(starts=starts, ends=starts + timedelta(hours=2), zone=BEIJING)


def _month_start(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
