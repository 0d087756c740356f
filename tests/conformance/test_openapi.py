"""The API does what its document says: no 5xx and no undocumented answer.

schemathesis makes up requests from the document, valid and not. Ids in paths are those of real
objects, so that most requests come as far as the verbs; writes carry the object's own tag.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from alliances.models import Edition
from alliances.seating import add_person
from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM
from coordination.calendars.linking import LinkSettings, issue_link
from coordination.calendars.webhook_owners import make_webhook
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.fanout import Cause, enqueue
from coordination.deliveries.models import Endpoint, InboxItem, Message
from events.chasing import add_chase_step, add_standard_duty
from events.concluding import attach_material
from events.inviting import invite_organizations
from events.owing import set_duty
from events.reminding import add_reminder_rule
from tests.factories import (
    AT,
    Cast,
    make_event,
    make_line,
    make_plan,
    make_user,
    make_work_area,
    viewer_of,
    window,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]
EXAMPLES = 8
RESOURCES = (
    "alliances",
    "bodies",
    "chase-steps",
    "chair-terms",
    "duties",
    "events",
    "feed-links",
    "holidays",
    "inbox",
    "inbound-mail",
    "ledger",
    "memberships",
    "organizations",
    "people",
    "plans",
    "reminder-rules",
    "robots",
    "seats",
    "standard-duties",
    "sync",
    "webhooks",
    "wishes",
)
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


@schemathesis.serializer("message/rfc822")
def as_it_is(context: object, value: Any) -> bytes:
    """Send a mail as the octets that were made up for it."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture
def world(cast: Cast, token: str) -> dict[str, str]:
    """One object behind each kind of path, by the first word of the path."""
    plan = make_plan(cast.alliance, state="published")
    item = make_line(plan, "走进天津", window("2028-05-14"), hosts=(cast.host,), reason="补充")
    area = make_work_area(plan)
    event = make_event(cast.alliance, scheduled=True)
    (invitation,) = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    duty = set_duty(
        event, cast.member, kind="send_agenda", due_at=AT + timedelta(days=9), viewer=SYSTEM, at=AT
    )
    rule = add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, offset="-P1D")
    material = attach_material(
        event, title="议程", file_name="a.txt", content=b"1", viewer=SYSTEM, at=AT
    )
    root = User.objects.get(username="root")
    person = add_person(viewer=SYSTEM, at=AT, user_id=root.pk, name_zh="管理员")
    wanted = LinkSettings(name="日历", language="en", alarms=[30])
    link = issue_link(root, wanted, viewer=SYSTEM, at=AT)
    webhook = make_webhook(
        f"user:{root.uid}", name="钩子", url="https://hooks.example.org/", viewer=SYSTEM, at=AT
    ).subscription
    cause = Cause(
        "notice", "1", due_at=AT, send_after=AT, about_type="events.event", about_uid=event.uid
    )
    enqueue([f"person:{person.uid}"], channel="email", cause=cause)
    bundle_due(AT)
    objects = {
        "alliances": cast.alliance.slug,
        "bodies": cast.alliance.bodies.first(),
        "organizations": cast.member,
        "memberships": cast.member.memberships.first(),
        "people": cast.member.seats.get().person,
        "seats": cast.member.seats.get(),
        "plans": plan,
        "work-areas": area,
        "items": item,
        "editions": Edition.objects.filter(plan=plan).first(),
        "events": event,
        "materials": material,
        "invitations": invitation,
        "duties": duty,
        "reminder-rules": rule,
        "standard-duties": add_standard_duty(
            cast.alliance, kind="name_date", anchor="window", offset="-P30D", viewer=SYSTEM, at=AT
        ),
        "chase-steps": add_chase_step(cast.alliance, offset="P1D", viewer=SYSTEM, at=AT),
        "feed-links": link,
        "webhooks": webhook,
        "inbox": InboxItem.objects.create(
            recipient=f"person:{person.uid}", message_uid=uuid4(), news="reminders",
            subject="提醒", language="zh-hans", created_at=AT,
        ),
        "messages": Message.objects.get(),
        # At a host that nothing is sent to.
        "robots": Endpoint.objects.create(
            channel="wecom", owner=f"alliance:{cast.alliance.uid}", name="群",
            address="https://127.0.0.1:9", secret="good-key-0001",
        ),
    }  # fmt: skip
    return {name: str(getattr(found, "uid", found)) for name, found in objects.items()}


@pytest.fixture
def token(cast: Cast) -> str:
    """A token of somebody who may do everything."""
    user = make_user("root", is_superuser=True)
    return issue_token(user, name="conformance", viewer=viewer_of(user), at=AT).secret


@pytest.fixture
def open_connection() -> Iterator[None]:
    """Keep requests from closing the test's own connection, as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def document(cast: Cast, open_connection: None) -> Any:
    """The document as a client loads it, from the running application."""
    return schemathesis.openapi.from_wsgi(
        "/api/v1/schema/?format=json&lang=en", get_wsgi_application()
    )


def real_ids(path: str, made_up: dict[str, Any], world: dict[str, str]) -> dict[str, Any]:
    """Return the path's parameters with the ids of real objects: each by the word before it."""
    words = path.strip("/").split("/")
    found = dict(made_up)
    for before, word in itertools.pairwise(words):
        if word.startswith("{") and before in world:
            found[word.strip("{}")] = world[before]
    return found


def resource_of(path: str) -> str:
    """Return the first word of a path below the API's root."""
    return path.removeprefix("/api/v1/").split("/")[0]


def test_resources_tested_are_all_there_are(document: Any) -> None:
    paths = [result.ok().path for result in document.get_all_operations()]

    assert {resource_of(path) for path in paths} == set(RESOURCES)


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_answer_is_documented(
    resource: str, document: Any, world: dict[str, str], token: str
) -> None:
    for operation in (result.ok() for result in document.get_all_operations()):
        if resource_of(operation.path) == resource:
            try_out(operation, world, token)


def try_out(operation: Any, world: dict[str, str], token: str) -> None:
    """Send made-up requests to one operation and hold each answer against the document."""

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answer_is_documented(case: Any) -> None:
        if case.path_parameters:
            case.path_parameters = real_ids(operation.path, dict(case.path_parameters), world)
        headers = {"Authorization": f"Bearer {token}"}
        if case.method in ("PATCH", "DELETE"):
            headers["If-Match"] = "*"
        case.validate_response(case.call(headers=headers), checks=CHECKS)

    answer_is_documented()
