"""A running server with some events, and the address and login that a client is given."""

from dataclasses import dataclass
from typing import Any

import pytest

from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM, Viewer
from events.models import Event
from events.owing import set_duty
from events.scheduling import Host, cancel_event, postpone_event
from tests.factories import AT, Cast, make_cast, make_event, span, stored


@dataclass(frozen=True)
class Served:
    """A server for clients: where it is, who is on it, and what it holds."""

    url: str
    cast: Cast
    events: dict[str, Event]

    def password(self, viewer: Viewer) -> tuple[str, str]:
        """Return the login of a person: their name, and a new app password."""
        user = User.objects.get(pk=viewer.user_id)
        token = issue_token(
            user, name="client", kind="app_password", scopes=["*:*"], viewer=SYSTEM, at=AT
        )
        return user.username, token.secret


@pytest.fixture
def served(fixed_clock: Any, transactional_db: None, live_server: Any) -> Served:
    """Events of every state and kind of time in one alliance, and a duty."""
    cast = make_cast()
    made = {
        "beijing": make_event(
            cast.alliance, scheduled=True, audience="public", title_zh="京津冀产业对接会，第一场",
            title_en="Matchmaking; part 1", description_zh="第一行\n第二行：分号；逗号，\\反斜杠",
            hosts=[Host(cast.member)], online_url="https://meet.example.org/1",
        ),
        "madrid": make_event(
            cast.alliance, audience="members", title_zh="马德里研讨会" * 12,
            span=span("2028-03-26T01:30", "2028-03-26T04:00", "Europe/Madrid"),
        ),
        "days": make_event(
            cast.alliance, audience="public", title_zh="成果展",
            span=span("2028-02-29T00:00", "2028-03-03T00:00", is_all_day=True),
        ),
        "moved": make_event(cast.alliance, scheduled=True, audience="public", title_zh="论坛"),
        "off": make_event(cast.alliance, scheduled=True, audience="public", title_zh="路演"),
    }  # fmt: skip
    postpone_event(
        stored(made["moved"]),
        reason="场地",
        span=span("2028-06-30T23:30", "2028-07-01T00:30"),
        viewer=SYSTEM,
        at=AT,
    )
    cancel_event(stored(made["off"]), reason="暴雨", viewer=SYSTEM, at=AT)
    set_duty(
        stored(made["beijing"]), cast.member, kind="name_delegates", due_at=AT, viewer=SYSTEM, at=AT
    )
    return Served(live_server.url, cast, {name: stored(event) for name, event in made.items()})
