"""A time at the edge of what calendars can say is refused by name or taken, and never a failure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from alliances.models import Body
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM
from coordination.calendars.webhook_owners import make_webhook
from events.owing import set_duty
from tests.factories import AT, Cast, make_event, make_plan, make_user, viewer_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]
EDGES = (
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59Z",
    "0001-01-01",
    "9999-12-31",
    "2028-02-30",
    "2028-05-14T24:00:01+08:00",
)
OUTSIDE = EDGES[:4]
QUERIES = (
    ("chair-terms/", "active_on"),
    ("memberships/", "active_on"),
    ("seats/", "active_on"),
    ("events/", "from"),
    ("events/", "to"),
    ("sync/", "from"),
    ("sync/", "to"),
    ("ledger/", "since"),
    ("ledger/", "until"),
    ("plans/{plan}/items/", "from"),
    ("plans/{plan}/items/", "to"),
    ("plans/{plan}/progress/", "on"),
)
BODIES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("alliances/", "founded_on", {"slug": "new", "name": "新联盟", "kind": "other"}),
    ("chair-terms/", "starts_on", {"body": "{body}", "organization": "{member}"}),
    ("chair-terms/", "ends_on", {"body": "{body}", "organization": "{member}",
                                 "starts_on": "2028-01-01"}),
    ("events/", "starts_at", {"alliance": "jjj", "title": "会", "ends_at": "2028-05-14T12:00"}),
    ("events/", "ends_at", {"alliance": "jjj", "title": "会", "starts_at": "2028-05-14T09:00"}),
    ("events/", "starts_on", {"alliance": "jjj", "title": "会", "ends_on": "2028-05-14"}),
    ("events/", "ends_on", {"alliance": "jjj", "title": "会", "starts_on": "2028-05-14"}),
    ("events/{event}/duties/", "due_at", {"organization": "{member}", "kind": "send_agenda"}),
    ("events/{event}/duties/{duty}/", "due_at", {}),
    ("events/{event}/invitations/", "answer_by", {"organization": "{member}"}),
    ("events/{event}/postpone/", "starts_at", {"reason": "x", "ends_at": "2028-05-14T12:00"}),
    ("events/{event}/schedule/", "ends_at", {"reason": "x", "starts_at": "2028-05-14T09:00"}),
    ("ledger/release/", "since", {}),
    ("ledger/replay/", "since", {}),
    ("ledger/replay/", "until", {"since": "2028-01-01T00:00:00Z"}),
    ("ledger/skip/", "until", {"since": "2028-01-01T00:00:00Z"}),
    ("memberships/", "starts_on", {"alliance": "jjj", "organization": "{stranger}"}),
    ("memberships/{membership}/", "ends_on", {}),
    ("memberships/{membership}/end/", "on", {}),
    ("plans/", "starts_on", {"alliance": "jjj", "title": "计划", "kind": "campaign", "year": "2028",
                             "slug": "x", "ends_on": "2028-12-31"}),
    ("plans/", "ends_on", {"alliance": "jjj", "title": "计划", "kind": "campaign", "year": "2028",
                           "slug": "x", "starts_on": "2028-01-01"}),
    ("plans/{plan}/adopt/", "on", {}),
    ("seats/{seat}/end/", "on", {}),
    ("webhooks/{webhook}/replay/", "since", {}),
    ("webhooks/{webhook}/replay/", "until", {}),
)  # fmt: skip


@pytest.fixture
def client(cast: Cast) -> Client:
    """A program that may do everything."""
    token = issue_token(
        make_user("root", is_superuser=True), name="test", scopes=["*:*"], viewer=SYSTEM, at=AT
    )
    return Client(headers={"Authorization": f"Bearer {token.secret}"})


@pytest.fixture
def world(cast: Cast, client: Client) -> dict[str, str]:
    event = make_event(cast.alliance, scheduled=True)
    duty = set_duty(
        event, cast.host, kind="send_agenda", due_at=AT + timedelta(days=9), viewer=SYSTEM, at=AT
    )
    root = make_user("owner", is_superuser=True)
    hook = make_webhook(
        f"user:{root.uid}",
        name="钩子",
        url="https://hooks.example.org/",
        viewer=viewer_of(root),
        at=AT,
    ).subscription
    found: dict[str, Any] = {
        "body": Body.objects.first(),
        "duty": duty,
        "event": event,
        "member": cast.member,
        "membership": cast.member.memberships.get(),
        "plan": make_plan(cast.alliance, state="published"),
        "seat": cast.member.seats.get(),
        "stranger": cast.outside,
        "webhook": hook,
    }
    return {name: str(one.uid) for name, one in found.items()}


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize(("path", "name"), QUERIES)
def test_edge_of_time_in_a_query_is_taken_or_refused_by_name(
    client: Client, world: dict[str, str], path: str, name: str, edge: str
) -> None:
    response = client.get(f"/api/v1/{path.format(**world)}", {name: edge})

    if response.status_code == 200:
        assert edge not in OUTSIDE
        return
    assert (response.status_code, response.json()["errors"][0]["parameter"]) == (400, name)


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize(("path", "name", "others"), BODIES)
def test_edge_of_time_in_a_body_is_taken_or_refused_by_name(
    client: Client, world: dict[str, str], path: str, name: str, others: dict[str, str], edge: str
) -> None:
    body = {key: text.format(**world) for key, text in others.items()} | {name: edge}
    is_part = path.count("{") == path.count("}/") and path.endswith("}/")
    send = client.patch if is_part else client.post

    response = send(
        f"/api/v1/{path.format(**world)}",
        body,
        content_type="application/merge-patch+json" if is_part else "application/json",
        headers={"If-Match": "*"},
    )

    assert response.status_code < 500, response.content
    if edge in (EDGES[0], EDGES[2]):
        assert response.status_code == 400
        assert [error["pointer"] for error in response.json()["errors"]] == [f"/{name}"]
