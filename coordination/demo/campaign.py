"""A campaign: 232 activities under 3 themes. The form is reported, the activities are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import cycle, islice
from typing import Any

from alliances import drafting, planning
from alliances.drafting import Host, Line
from alliances.models import Alliance, Organization, Plan, WorkArea
from coordination.accounts.viewer import SYSTEM
from coordination.demo.facts import ILLUSTRATION, PUBLIC_REPORT
from coordination.demo.this_year import BEIJING
from events import concluding, scheduling
from events.calendar_event import Span
from events.models import Event

SLUG = "shuangpin-2024"
NUMBER = 232
THEMES = (
    ("数享生活", "Digital life", "惠民消费活动", "Consumer event"),
    ("数贸全球", "Digital trade", "跨境电商对接", "Cross-border trade meeting"),
    ("数智赋能", "Digital empowerment", "数字化转型讲堂", "Class on going digital"),
)
BEGINS = date(2024, 3, 1)
DAYS = 92
HELD_EACH = 8


def load_campaign(*, at: datetime, say: Callable[[str], None]) -> None:
    """Load the campaign, once."""
    alliance = Alliance.objects.get(slug="anhui")
    if Plan.objects.filter(alliance=alliance, slug=SLUG).exists():
        return
    say(f"双品网购节形式的行动:{len(THEMES)}个主题,{NUMBER}项活动（示例）")
    plan = planning.open_plan(
        alliance,
        viewer=SYSTEM,
        at=at,
        kind="campaign",
        slug=SLUG,
        year=BEGINS.year,
        title_zh="第六届双品网购节形式的行动（活动为示例）",
        title_en="Campaign in the form of the 6th Shuangpin Festival (activities illustrative)",
        starts_on=BEGINS,
        ends_on=BEGINS + timedelta(days=DAYS - 1),
        target_number=NUMBER,
        source=f"{PUBLIC_REPORT}（主题与规模）;{ILLUSTRATION}（主办方与活动）",
        illustrative=True,
    )
    areas = [
        planning.add_work_area(plan, viewer=SYSTEM, at=at, name_zh=zh, name_en=en)
        for zh, en, _title_zh, _title_en in THEMES
    ]
    members = [row.organization for row in alliance.memberships.select_related("organization")]
    hosts = islice(cycle(members), NUMBER)
    lines = [_line(number, areas, host) for number, host in enumerate(hosts)]
    drafting.add_items(plan, lines, viewer=SYSTEM, at=at)
    planning.adopt_plan(plan, on=BEGINS - timedelta(days=20), viewer=SYSTEM, at=at)
    planning.publish_plan(plan, viewer=SYSTEM, at=at)
    _hold_some(plan, at)


def _line(number: int, areas: list[WorkArea], host: Organization) -> Line:
    day = BEGINS + timedelta(days=number * DAYS // NUMBER)
    theme = number % len(THEMES)
    zh, en = THEMES[theme][2:]
    values: dict[str, Any] = {
        "number": str(number + 1),
        "title_zh": f"{zh}第{number // len(THEMES) + 1}场",
        "title_en": f"{en} {number // len(THEMES) + 1}",
        "type_text": "活动",
        "notes": "示例",
        "window_text": f"{day.month}月{day.day}日",
        "windows": [
            {
                "start": day.isoformat(),
                "end": day.isoformat(),
                "precision": "day",
                "start_time": None,
                "end_time": None,
            }
        ],
    }
    return Line(values, [Host(host.name_zh, host)], areas[theme])


def _hold_some(plan: Plan, at: datetime) -> None:
    """Record every eighth activity as held, so that the report has something to say."""
    rows = Event.objects.filter(plan=plan).select_related("plan", "alliance", "plan_item")
    for event in rows.order_by("pk")[::HELD_EACH]:
        starts = datetime.combine(event.window_starts_on, time(14, 0))
        span = Span(starts=starts, ends=starts + timedelta(hours=2), zone=BEIJING)
        scheduling.schedule_event(event, span, viewer=SYSTEM, at=at)
        concluding.conclude_event(event, viewer=SYSTEM, at=at)
