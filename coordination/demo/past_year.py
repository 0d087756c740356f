"""The 2024 plan of the Jing-Jin-Ji alliance, from the secretariat's own workbook, and its year.

The plan's 24 events, its areas of work and the visit of 14 May are reported; the other lines, and
what became of them, are illustrations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from alliances import drafting, planning
from alliances.drafting import Host, Line
from alliances.models import Alliance, Plan, PlanItem, WorkArea
from coordination.accounts.viewer import SYSTEM
from coordination.demo.facts import (
    ENGLISH_AREAS,
    ENGLISH_PLACES,
    ENGLISH_TITLES,
    ILLUSTRATION,
    PRESS,
    PUBLIC_REPORT,
)
from coordination.workbooks.importing import import_plan
from events import concluding, scheduling
from events.calendar_event import Span
from events.models import Event

WORKBOOK = Path(__file__).parent / "data" / "jjj-2024-plan.xlsx"
BEIJING = "Asia/Shanghai"
REPORTED = "走进天津天开园"
ADOPTED_ON = date(2024, 1, 15)


@dataclass(frozen=True, slots=True)
class Fate:
    """When an occurrence of a line was held, and for how many days; None for cancelled."""

    month: int
    day: int
    days: int = 1


FATES: dict[str, tuple[Fate | None, ...]] = {
    "1": (Fate(1, 24),),
    "2": (Fate(5, 14),),
    "3": (Fate(6, 18),),
    "4": (Fate(3, 28), Fate(6, 27), Fate(9, 26), Fate(12, 25)),
    "5": (Fate(4, 25, 5),),
    "6": (Fate(4, 27),),
    "7": (Fate(3, 20),),
    "8": (Fate(6, 4),),
    "9": (Fate(9, 12),),
    "10": (Fate(8, 8),),
    "11": (Fate(7, 16),),
    "12": (Fate(10, 16),),
    "13": (Fate(11, 21),),
    "14": (Fate(9, 20, 2),),
    "15": (Fate(11, 8),),
    "16": (Fate(2, 28),),
    "17": (Fate(12, 5),),
    "18": (Fate(6, 26),),
    "19": (Fate(9, 25),),
    "20": (None,),
    "21": (Fate(12, 18),),
}


def load_past_plan(*, at: datetime, say: Callable[[str], None]) -> None:
    """Import the workbook, adopt and publish the plan, and let its year pass; once.

    The plan is not closed, so that a visitor can try a next edition on it.
    """
    alliance = Alliance.objects.get(slug="jjj")
    if Plan.objects.filter(alliance=alliance, slug="2024").exists():
        return
    say(f"{WORKBOOK.name}: 2024年计划")
    begun = _noon(ADOPTED_ON - timedelta(days=5))
    answer = import_plan(
        WORKBOOK.read_bytes(),
        file_name=WORKBOOK.name,
        alliance=alliance,
        viewer=SYSTEM,
        at=begun,
    )
    plan = answer.plan
    if plan is None:
        raise ValueError(f"{WORKBOOK.name} was refused")
    planning.revise_plan(
        plan,
        viewer=SYSTEM,
        at=begun,
        title_en="Plan of the Jing-Jin-Ji Alliance for 2024",
        source=f"{PRESS}；{PUBLIC_REPORT}；备注“示例”者 / lines marked 示例 {ILLUSTRATION}",
    )
    _translate(plan, begun)
    planning.adopt_plan(plan, on=ADOPTED_ON, viewer=SYSTEM, at=_noon(ADOPTED_ON))
    planning.publish_plan(plan, viewer=SYSTEM, at=_noon(ADOPTED_ON + timedelta(days=7)))
    rows = Event.objects.filter(plan=plan).select_related("plan", "alliance", "plan_item")
    for event in rows.order_by("pk"):
        if event.plan_item is not None:
            _live(event, FATES[event.plan_item.number][event.occurrence - 1])


def _translate(plan: Plan, at: datetime) -> None:
    """Give areas and lines their English names, which the workbook does not have."""
    for area in WorkArea.objects.filter(plan=plan).select_related("plan"):
        planning.revise_work_area(area, viewer=SYSTEM, at=at, name_en=ENGLISH_AREAS[area.name_zh])
    items = PlanItem.objects.filter(plan=plan).select_related("plan", "work_area__plan")
    for item in items.prefetch_related("hosts__organization"):
        hosts = [Host(host.name, host.organization) for host in item.hosts.all()]
        line = Line({"title_en": ENGLISH_TITLES[item.title_zh]}, hosts, item.work_area)
        drafting.revise_item(item, line, viewer=SYSTEM, at=at)


def _live(event: Event, fate: Fate | None) -> None:
    """Let an event of the year take place, or not."""
    is_fact = event.title_zh == REPORTED
    scheduling.revise_event(
        event,
        viewer=SYSTEM,
        at=_noon(ADOPTED_ON),
        place_en=ENGLISH_PLACES[event.place_zh],
        format="online" if event.place_zh == "线上" else "onsite",
        illustrative=not is_fact,
        source=PRESS if is_fact else ILLUSTRATION,
    )
    if fate is None:
        scheduling.cancel_event(
            event,
            reason="时间未能落实，结转下一年度（示例）",
            viewer=SYSTEM,
            at=_noon(date(2024, 11, 30)),
        )
        return
    day = date(2024, fate.month, fate.day)
    span = _span(day, fate.days, is_all_day=is_fact)
    scheduling.schedule_event(event, span, viewer=SYSTEM, at=_noon(day - timedelta(days=20)))
    scheduling.confirm_event(event, viewer=SYSTEM, at=_noon(day - timedelta(days=8)))
    concluding.conclude_event(event, viewer=SYSTEM, at=_noon(day + timedelta(days=fate.days)))


def _span(day: date, days: int, *, is_all_day: bool) -> Span:
    """Return a working day's hours; the whole day where the hour was not reported."""
    if is_all_day:
        starts = datetime.combine(day, time())
        return Span(
            starts=starts, ends=starts + timedelta(days=days), zone=BEIJING, is_all_day=True
        )
    last = day + timedelta(days=days - 1)
    return Span(
        starts=datetime.combine(day, time(9, 30)),
        ends=datetime.combine(last, time(17)),
        zone=BEIJING,
    )


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(4), tzinfo=UTC)
