"""An alliance with events to subscribe to."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from alliances.joining import found_alliance
from alliances.models import Alliance
from coordination.accounts.viewer import SYSTEM
from events.calendar_event import Span
from events.models import Event
from events.scheduling import confirm_event, draft_event

AT = datetime(2024, 1, 8, 1, 0, tzinfo=UTC)
SPAN = Span(
    starts=datetime(2024, 5, 14, 9, 30), ends=datetime(2024, 5, 14, 11, 30), zone="Asia/Shanghai"
)
MakeEvent = Callable[..., Event]


@pytest.fixture
def alliance(db: None) -> Alliance:
    return found_alliance(
        viewer=SYSTEM,
        at=AT,
        slug="jjj",
        kind="high_tech_zone",
        name_zh="京津冀国家高新区联盟",
        name_en="JJJ High-tech Zone Alliance",
        email="office@example.org",
        time_zone="Asia/Shanghai",
    )


@pytest.fixture
def other_alliance(db: None) -> Alliance:
    return found_alliance(
        viewer=SYSTEM,
        at=AT,
        slug="dec40",
        kind="city",
        name_zh="全球数字经济城市联盟",
        name_en="Global Digital Economy City Alliance",
        time_zone="Europe/Zurich",
    )


@pytest.fixture
def make_event(alliance: Alliance) -> MakeEvent:
    """Draft a public event with a time, unless told otherwise."""

    def make(**values: Any) -> Event:
        owner = values.pop("alliance", alliance)
        at = values.pop("at", AT)
        values = {
            "title_zh": "走进天津天开园",
            "title_en": "A visit to Tiankai Park",
            "audience": "public",
            "span": SPAN,
        } | values
        return draft_event(owner, viewer=SYSTEM, at=at, **values)

    return make


@pytest.fixture
def event(make_event: MakeEvent) -> Event:
    """A confirmed public event."""
    return confirm_event(make_event(), viewer=SYSTEM, at=AT)


@pytest.fixture
def feed(client: Client) -> Callable[..., str]:
    """Read a feed as text."""

    def read(path: str = "/calendars/alliances/jjj.ics", **headers: str) -> str:
        response = client.get(path, headers=headers)
        assert response.status_code == 200, response.content
        return response.content.decode()

    return read
