"""Events of the city alliance in zones of several continents; all but the founding are 示例."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from alliances.models import Alliance, Organization
from coordination.accounts.viewer import SYSTEM
from coordination.demo.facts import ILLUSTRATION, PUBLIC_REPORT
from events import concluding, reminding, scheduling
from events.calendar_event import Span
from events.models import Event
from events.scheduling import Host


@dataclass(frozen=True, slots=True)
class CityEvent:
    """An event in a city, `offset` days from today at `hour` o'clock there."""

    zh: str
    en: str
    city: str
    zone: str
    offset: int
    hour: int
    online: bool = False
    audience: str = "public"


CITY_EVENTS = (
    CityEvent(
        "数字基础设施对话", "Dialogue on digital infrastructure", "日内瓦", "Europe/Zurich", -40, 10
    ),
    CityEvent("人工智能伦理工作坊", "Workshop on AI ethics", "多伦多", "America/Toronto", 6, 9),
    CityEvent(
        "跨境数据治理圆桌", "Round table on cross-border data", "新加坡", "Asia/Singapore", 15, 14
    ),
    CityEvent(
        "发展中国家能力建设线上课",
        "Online class: closing the digital divide",
        "内罗毕",
        "Africa/Nairobi",
        3,
        16,
        True,
        "members",
    ),
    CityEvent(
        "智慧城市应用交流",
        "Exchange on smart-city applications",
        "圣保罗",
        "America/Sao_Paulo",
        28,
        11,
    ),
    CityEvent(
        "城市数字旅游与农业",
        "Digital tourism and agriculture",
        "德尔特布雷",
        "Europe/Madrid",
        52,
        10,
    ),
    CityEvent(
        "亚太城市连线",
        "Asia-Pacific cities online",
        "奥克兰",
        "Pacific/Auckland",
        33,
        9,
        True,
        "members",
    ),
)


def load_city_events(*, at: datetime, say: Callable[[str], None]) -> None:
    """Load the city alliance's events, once."""
    alliance = Alliance.objects.get(slug="dec40")
    if Event.objects.filter(alliance=alliance).exists():
        return
    say("全球数字经济城市联盟活动")
    for offset in ("-P7D", "-P1D"):
        reminding.add_reminder_rule(alliance, viewer=SYSTEM, at=at, offset=offset)
    _found(alliance, at)
    for sketch in CITY_EVENTS:
        _draft(alliance, sketch, at)


def _found(alliance: Alliance, at: datetime) -> None:
    beijing = Organization.objects.get(name_zh="北京市")
    starts = datetime(2025, 7, 2)
    event = scheduling.draft_event(
        alliance,
        viewer=SYSTEM,
        at=at,
        title_zh="全球数字经济城市联盟成立（全球数字经济大会开幕式）",
        title_en="Founding of the Alliance at the Global Digital Economy Conference",
        place_zh="北京",
        place_en="Beijing",
        audience="public",
        source=PUBLIC_REPORT,
        hosts=[Host(beijing, beijing.name_zh)],
        span=Span(
            starts=starts, ends=starts + timedelta(days=1), zone="Asia/Shanghai", is_all_day=True
        ),
    )
    concluding.conclude_event(event, viewer=SYSTEM, at=at)


def _draft(alliance: Alliance, sketch: CityEvent, at: datetime) -> None:
    city = Organization.objects.get(name_zh=sketch.city)
    today = at.astimezone(ZoneInfo(sketch.zone)).date()
    starts = datetime.combine(today + timedelta(days=sketch.offset), time(sketch.hour))
    event = scheduling.draft_event(
        alliance,
        viewer=SYSTEM,
        at=at,
        title_zh=f"{sketch.zh}（示例）",
        title_en=f"{sketch.en} (illustrative)",
        place_zh="线上" if sketch.online else sketch.city,
        place_en="Online" if sketch.online else city.name_en,
        format="online" if sketch.online else "onsite",
        online_url="https://meet.coordination.example/dec40" if sketch.online else "",
        audience=sketch.audience,
        time_zone=sketch.zone,
        source=ILLUSTRATION,
        illustrative=True,
        hosts=[Host(city, city.name_zh)],
        span=Span(starts=starts, ends=starts + timedelta(hours=2), zone=sketch.zone),
    )
    if sketch.offset < 0:
        concluding.conclude_event(event, viewer=SYSTEM, at=at)
    elif sketch.offset < 20:
        scheduling.confirm_event(event, viewer=SYSTEM, at=at)
