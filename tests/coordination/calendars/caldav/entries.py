"""Calendar entries as programs put and fetch them."""

from __future__ import annotations

from typing import Any

from django.test import Client

from coordination.changes.models import Change
from events.models import Event
from events.scheduling import Host
from tests.coordination.calendars.caldav.conftest import Answer, Phone
from tests.factories import MORNING, Cast, make_event, stored

UID = "7F5B4A30-6F0C-4E0E-9B7C-1C2D3E4F5A6B"


def put(phone: Phone, path: str, body: str | bytes, **headers: str) -> Answer:
    chosen = {"Content-Type": "text/calendar; charset=utf-8", "Authorization": phone.authorization}
    chosen |= {name.replace("_", "-"): value for name, value in headers.items()}
    kind = chosen.pop("Content-Type")
    data = body.encode() if isinstance(body, str) else body
    client = Client(raise_request_exception=False)
    return Answer(client.generic("PUT", phone.home + path, data, content_type=kind, headers=chosen))


def fetch(phone: Phone, event: Event) -> tuple[str, str]:
    """Return an event's entry with its folds undone, and its tag."""
    answer = phone.ask("GET", f"jjj/{event.dav_name}")
    return answer.text.replace("\r\n ", ""), answer.response["ETag"]


def new_entry(*lines: str, uid: str = UID, component: str = "VEVENT") -> str:
    return "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Test//EN",
            f"BEGIN:{component}",
            f"UID:{uid}",
            "DTSTAMP:20280401T000000Z",
            *lines,
            f"END:{component}",
            "END:VCALENDAR",
            "",
        )
    )


TIMED = (
    "DTSTART;TZID=Asia/Shanghai:20280601T093000",
    "DTEND;TZID=Asia/Shanghai:20280601T113000",
    "SUMMARY:产业对接会",
)


def kinds_of(event: Event) -> list[str]:
    rows = Change.objects.filter(object_uid=event.uid).order_by("number")
    return list(rows.values_list("kind", flat=True))


def full_event(cast: Cast, **values: Any) -> Event:
    chosen: dict[str, Any] = {
        "span": MORNING,
        "hosts": [Host(cast.host)],
        "description_zh": "请各单位参加。\n\n时间请以通知为准",
        "place_zh": "会议中心",
        "place_en": "Conference Centre",
        "address": "科技路1号",
        "latitude": "39.90000",
        "longitude": "116.40000",
        "online_url": "https://meet.example.org/1",
        "contact": "王老师",
        "notes": "预算待批\n\n尚未公开",
    }
    return make_event(cast.alliance, **chosen | values)


def is_at(event: Event, version: int) -> bool:
    return bool(stored(event).version == version)
