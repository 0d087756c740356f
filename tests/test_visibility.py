"""Who sees what and may do what: every list, every verb, every kind of viewer, in two tables.

A list or a verb that a domain adds has to be entered here, or the tests say that it is missing.
Viewers: a superuser; the secretariat of the owner and of another alliance; the liaison officers of
a member, of the host and of an organization outside; chair; observer; somebody with a login and no
seat; and the public.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse

from alliances.joining import appoint_chair
from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM, Viewer
from events.chasing import add_chase_step, add_standard_duty
from events.concluding import attach_material
from events.inviting import invite_organizations
from events.owing import fulfil_duty, set_duty
from events.reminding import add_reminder_rule
from events.scheduling import Host
from tests.factories import (
    AT,
    Cast,
    make_event,
    make_line,
    make_person,
    make_plan,
    make_work_area,
    span,
)
from tests.surfaces import (
    WHOLE,
    add_failing_endpoint,
    add_inbox_item,
    add_link,
    add_message,
    add_robot,
    add_webhook,
    address_of,
    api_lists,
    patterns,
    set_stage,
)

EVERYONE = {
    "superuser", "secretary", "other_secretary", "member_liaison", "host_liaison",
    "outside_liaison", "chair", "observer", "stranger", "public",
}  # fmt: skip
STAFF = {"superuser", "secretary"}
INSIDE = STAFF | {"member_liaison", "host_liaison", "chair", "observer"}
WITH_LOGIN = EVERYONE - {"public"}
ROOT = {"superuser"}


def client_for(viewer: Viewer) -> Client:
    """Return a client of the API that asks as the viewer."""
    if viewer.user_id is None:
        return Client()
    user = User.objects.get(pk=viewer.user_id)
    token = issue_token(user, name="test", scopes=["*:*"], viewer=SYSTEM, at=AT)
    return Client(headers={"Authorization": f"Bearer {token.secret}"})


# -- Lists ----------------------------------------------------------------------------------------


@dataclass
class Rows:
    """One row of each kind, so that every list has something to show or to hide."""

    cast: Cast
    uids: dict[str, str]
    stage: Any


def make_rows(cast: Cast) -> Rows:
    """Make what the lists show and the verbs act on."""
    stage = set_stage(cast)
    event = stage.event
    person = make_person("zhao", role="liaison", organization=cast.member)
    draft_plan = make_plan(cast.alliance, year=2031)
    area = make_work_area(stage.plan, "空的方面")
    line = make_line(stage.plan, "增补事项", reason="增补")
    material = attach_material(
        event, title="材料", file_name="a.txt", content=b"x", viewer=SYSTEM, at=AT
    )
    [invitation] = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    past = make_event(
        cast.alliance, span=span("2028-03-01T09:00", "2028-03-01T12:00"), hosts=[Host(cast.host)]
    )
    kept = {
        "body": stage.council,
        "organization": cast.member,
        "host": cast.host,
        "outside": cast.outside,
        "membership": cast.member.memberships.get(),
        "chair_term": appoint_chair(
            stage.council, cast.host, viewer=SYSTEM, at=AT, starts_on=date(2027, 1, 1)
        ),
        "person": person,
        "successor": make_person("qian", role="representative", organization=cast.member),
        "seat": person.seats.get(),
        "plan": stage.plan,
        "draft_plan": draft_plan,
        "area": area,
        "line": line,
        "event": event,
        "draft": make_event(cast.alliance),
        "past": past,
        "secret": make_event(cast.alliance, audience="secretariat"),
        "material": material,
        "invitation": invitation,
        "duty": set_duty(event, cast.host, kind="send_agenda", due_at=AT, viewer=SYSTEM, at=AT),
        "done": fulfil_duty(
            set_duty(event, cast.host, kind="send_minutes", due_at=AT, viewer=SYSTEM, at=AT),
            viewer=SYSTEM,
            at=AT,
        ),
        "rule": add_reminder_rule(event, viewer=SYSTEM, at=AT, offset="-P7D"),
        "standard": add_standard_duty(
            cast.alliance, kind="name_date", anchor="window", offset="-P30D", viewer=SYSTEM, at=AT
        ),
        "step": add_chase_step(cast.alliance, offset="P1D", viewer=SYSTEM, at=AT),
        "link": add_link(stage),
        "webhook": add_webhook(stage),
        "message": add_message(stage),
        "endpoint": add_failing_endpoint(stage),
        "inbox": add_inbox_item(stage),
        "robot": add_robot(stage),
    }
    make_line(draft_plan)
    return Rows(cast, {name: str(row.uid) for name, row in kept.items()}, stage)


# Which row of the list is looked for, and who finds it.
LISTS: dict[str, tuple[str, set[str]]] = {
    "api-alliance-list": ("", EVERYONE),
    "api-body-list": ("body", EVERYONE),
    "api-organization-list": ("organization", EVERYONE),
    "api-membership-list": ("membership", EVERYONE),
    "api-chair-term-list": ("chair_term", EVERYONE),
    "api-person-list": ("person", INSIDE),
    "api-seat-list": ("seat", INSIDE),
    "api-plan-list": ("draft_plan", STAFF),
    "api-work-area-list": ("area", EVERYONE),
    "api-plan-item-list": ("line", STAFF),
    "api-edition-list": ("", EVERYONE),
    "api-event-list": ("secret", STAFF),
    "api-material-list": ("material", INSIDE | {"other_secretary", "outside_liaison"}),
    "api-invitation-list": ("invitation", STAFF | {"member_liaison"}),
    "api-duty-list": ("duty", STAFF | {"host_liaison"}),
    "api-reminder-rule-list": ("rule", STAFF),
    "api-owed-list": ("duty", STAFF | {"host_liaison"}),
    "api-standard-duty-list": ("standard", STAFF),
    "api-chase-step-list": ("step", STAFF),
    "api-feed-link-list": ("link", {"secretary"}),
    "api-webhook-list": ("webhook", STAFF),
    "api-ledger": ("message", STAFF),
    "api-ledger-endpoints": ("endpoint", STAFF),
    "api-inbox": ("inbox", {"secretary"}),
    "api-robots": ("robot", STAFF),
    "api-event-history": ("", EVERYONE),
    "api-event-reminders": ("", STAFF),
    "api-event-deliveries": ("", STAFF),
}


def test_every_list_stands_in_the_table() -> None:
    assert set(api_lists()) == set(LISTS)


@pytest.mark.parametrize("name", sorted(LISTS))
def test_list_shows_the_row_to_whom_it_is_open(cast: Cast, fixed_clock: Any, name: str) -> None:
    rows = make_rows(cast)
    wanted, expected = LISTS[name]
    path = address_of(name, rows.stage) + ("" if name in WHOLE else "?limit=500")
    seen = set()
    for part, viewer in cast.viewers().items():
        response = client_for(viewer).get(path)
        assert response.status_code in (200, 401, 403), response.content
        items = response.json().get("items", []) if response.status_code == 200 else None
        found = items is not None and (
            not wanted
            or rows.uids[wanted] in {item.get("uid", item.get("message")) for item in items}
        )
        seen |= {part} if found else set()
    assert seen == expected


# -- Verbs ----------------------------------------------------------------------------------------

Body = Callable[[Rows], Any]


@dataclass(frozen=True)
class Verb:
    """One way to change something.

    Attributes:
        method: POST, PATCH or DELETE.
        name: of the address.
        row: which row it acts on, "" for a new one.
        body: what is sent.
        allowed: whose request passes the rule (whatever the state says then).
        hidden: for whom the row does not exist; everybody else may see it but not do this.
        unseen: for whom something that the body names does not exist.
    """

    method: str
    name: str
    row: str
    body: Body
    allowed: set[str]
    hidden: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()


def nothing(_rows: Rows) -> dict[str, Any]:
    return {}


def fixed(**values: Any) -> Body:
    """Return the same body whatever the rows are."""
    return lambda _rows: values


def with_uids(values: dict[str, Any], **names: str) -> Body:
    """Return a body in which each of `names` holds the uid of a row."""
    return lambda rows: values | {field: rows.uids[row] for field, row in names.items()}


def upload(_rows: Rows) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("b.txt", b"y")}


def outside(*names: str) -> frozenset[str]:
    return frozenset(WITH_LOGIN - set(names))


JJJ = {"alliance": "jjj"}
SPAN = {"since": "2028-01-01T00:00:00Z"}
HOOK = {"name": "Hook", "url": "https://hooks.example.org/"}
HOSTS = STAFF | {"host_liaison"}
NO_INSIDERS = frozenset({"stranger"})
NOT_IN_JJJ = frozenset({"other_secretary", "outside_liaison", "stranger"})
LIAISONS = {"member_liaison", "host_liaison", "outside_liaison"}
SECRETARIES = {"superuser", "secretary", "other_secretary"}
EVENT_TIME = {"starts_at": "2028-06-01T09:00", "ends_at": "2028-06-01T12:00"}

VERBS = [
    Verb("POST", "api-alliance-list", "", fixed(slug="new", kind="city", name="New"), ROOT),
    Verb("PATCH", "api-alliance-detail", "alliance", fixed(website=""), STAFF),
    Verb("POST", "api-body-list", "", fixed(**JJJ, kind="other", name="Body"), STAFF),
    Verb("PATCH", "api-body-detail", "body", fixed(term_years=3), STAFF),
    Verb("POST", "api-organization-list", "", fixed(kind="zone", name="Zone"), SECRETARIES),
    Verb(
        "PATCH", "api-organization-detail", "organization", fixed(website=""),
        {"superuser", "member_liaison"},
    ),
    Verb(
        "POST", "api-organization-merge", "organization",
        with_uids({"reason": "x"}, merged="host"), ROOT,
    ),
    Verb(
        "POST", "api-membership-list", "",
        with_uids({**JJJ, "starts_on": "2030-01-01"}, organization="outside"), STAFF,
    ),
    Verb("PATCH", "api-membership-detail", "membership", fixed(tier="national"), STAFF),
    Verb("POST", "api-membership-end", "membership", fixed(on="2028-04-01"), STAFF),
    Verb(
        "POST", "api-chair-term-list", "",
        with_uids({"starts_on": "2001-01-01", "ends_on": "2001-02-01"}, body="body",
                  organization="host"), STAFF,
    ),
    Verb("PATCH", "api-chair-term-detail", "chair_term", fixed(ends_on="2029-01-01"), STAFF),
    Verb("POST", "api-person-list", "", fixed(name="Li"), SECRETARIES | LIAISONS),
    Verb(
        "PATCH", "api-person-detail", "person", fixed(phone="1"), STAFF | {"member_liaison"},
        NOT_IN_JJJ,
    ),
    Verb(
        "POST", "api-person-erase", "person", fixed(reason="x"), STAFF | {"member_liaison"},
        NOT_IN_JJJ,
    ),
    Verb(
        "POST", "api-seat-list", "",
        with_uids({"role": "deputy", "starts_on": "2028-01-01"}, person="person",
                  organization="organization"), STAFF | {"member_liaison"},
        unseen=NOT_IN_JJJ,
    ),
    Verb("POST", "api-seat-end", "seat", nothing, STAFF | {"member_liaison"}, NOT_IN_JJJ),
    Verb(
        "POST", "api-seat-hand-over", "seat", with_uids({}, successor="successor"),
        STAFF | {"member_liaison"}, NOT_IN_JJJ,
    ),
    Verb("POST", "api-plan-list", "", fixed(**JJJ, year=2040, title="Plan"), STAFF),
    Verb("PATCH", "api-plan-detail", "plan", fixed(note="x", reason="x"), STAFF),
    Verb("POST", "api-plan-adopt", "plan", fixed(reason="x"), STAFF),
    Verb("POST", "api-plan-adopt", "draft_plan", nothing, STAFF, outside(*STAFF)),
    Verb(
        "POST", "api-plan-carry-over", "plan", with_uids({}, into="draft_plan"), STAFF,
        unseen=outside(*STAFF),
    ),
    Verb("POST", "api-plan-close", "plan", nothing, STAFF),
    Verb("POST", "api-plan-publish", "draft_plan", nothing, STAFF, outside(*STAFF)),
    Verb("POST", "api-work-area-list", "", fixed(name="Area"), STAFF),
    Verb("PATCH", "api-work-area-detail", "area", fixed(color=2), STAFF),
    Verb("DELETE", "api-work-area-detail", "area", nothing, STAFF),
    Verb("POST", "api-plan-item-list", "", fixed(title="Line", reason="x"), STAFF),
    Verb(
        "PATCH", "api-plan-item-detail", "line", fixed(number="7", reason="x"), STAFF,
        outside(*STAFF),
    ),
    Verb("DELETE", "api-plan-item-detail", "line", nothing, STAFF, outside(*STAFF)),
    Verb("POST", "api-event-list", "", fixed(**JJJ, title="Event"), STAFF),
    Verb("PATCH", "api-event-detail", "event", fixed(title="Event"), STAFF),
    Verb("PATCH", "api-event-detail", "secret", fixed(title="Event"), STAFF, outside(*STAFF)),
    Verb("DELETE", "api-event-detail", "draft", nothing, STAFF),
    Verb("POST", "api-event-schedule", "draft", fixed(**EVENT_TIME), STAFF),
    Verb("POST", "api-event-confirm", "event", nothing, STAFF),
    Verb("POST", "api-event-postpone", "event", fixed(reason="x"), STAFF),
    Verb("POST", "api-event-cancel", "event", fixed(reason="x"), STAFF),
    Verb("POST", "api-event-conclude", "past", nothing, STAFF),
    Verb("POST", "api-material-list", "", upload, HOSTS),
    Verb("POST", "api-material-versions", "material", upload, HOSTS, NO_INSIDERS),
    Verb("DELETE", "api-material-detail", "material", nothing, STAFF, NO_INSIDERS),
    Verb("POST", "api-invitation-list", "", with_uids({}, organization="host"), STAFF),
    Verb(
        "POST", "api-invitation-answer", "invitation", fixed(state="accepted"),
        STAFF | {"member_liaison"}, outside("member_liaison", *STAFF),
    ),
    Verb(
        "POST", "api-invitation-withdraw", "invitation", nothing, STAFF,
        outside("member_liaison", *STAFF),
    ),
    Verb(
        "POST", "api-duty-list", "",
        with_uids({"kind": "name_date", "due_at": "2028-05-01T00:00:00Z"}, organization="host"),
        STAFF,
    ),
    Verb(
        "PATCH", "api-duty-detail", "duty", fixed(due_at="2028-05-02T00:00:00Z"), STAFF,
        outside("host_liaison", *STAFF),
    ),
    Verb("POST", "api-duty-fulfil", "duty", nothing, HOSTS, outside("host_liaison", *STAFF)),
    Verb("POST", "api-duty-reopen", "done", nothing, HOSTS, outside("host_liaison", *STAFF)),
    Verb("POST", "api-owed-reopen", "done", nothing, HOSTS, outside("host_liaison", *STAFF)),
    Verb("POST", "api-reminder-rule-list", "", fixed(**JJJ, offset="-P1D"), STAFF),
    Verb("PATCH", "api-reminder-rule-detail", "rule", fixed(enabled=False), STAFF, outside(*STAFF)),
    Verb("DELETE", "api-reminder-rule-detail", "rule", nothing, STAFF, outside(*STAFF)),
    Verb("POST", "api-owed-fulfil", "duty", nothing, HOSTS, outside("host_liaison", *STAFF)),
    Verb("POST", "api-event-reminder-preview", "event", fixed(draft={"offset": "-P1D"}), STAFF),
    Verb(
        "POST", "api-standard-duty-list", "", fixed(**JJJ, kind="send_agenda", offset="-P7D"), STAFF
    ),
    Verb(
        "PATCH", "api-standard-duty-detail", "standard", fixed(offset="-P20D"), STAFF,
        outside(*STAFF),
    ),
    Verb("DELETE", "api-standard-duty-detail", "standard", nothing, STAFF, outside(*STAFF)),
    Verb("POST", "api-chase-step-list", "", fixed(**JJJ, offset="P2D"), STAFF),
    Verb("PATCH", "api-chase-step-detail", "step", fixed(offset="P3D"), STAFF, outside(*STAFF)),
    Verb("DELETE", "api-chase-step-detail", "step", nothing, STAFF, outside(*STAFF)),
    Verb("POST", "api-feed-link-list", "", fixed(name="Calendar"), WITH_LOGIN),
    Verb(  # nobody, by a token that did not make it
        "PATCH", "api-feed-link-detail", "link", fixed(name="x"), set(), outside("secretary"),
    ),
    Verb("POST", "api-feed-link-replace", "link", nothing, set(), outside("secretary")),
    Verb("DELETE", "api-feed-link-detail", "link", nothing, {"secretary"}, outside("secretary")),
    Verb("POST", "api-webhook-list", "", fixed(**JJJ, **HOOK), STAFF),
    Verb("PATCH", "api-webhook-detail", "webhook", fixed(name="x"), STAFF, outside(*STAFF)),
    Verb("POST", "api-webhook-rotate", "webhook", nothing, STAFF, outside(*STAFF)),
    Verb("POST", "api-webhook-ping", "webhook", nothing, STAFF, outside(*STAFF)),
    Verb("POST", "api-webhook-replay", "webhook", nothing, STAFF, outside(*STAFF)),
    Verb("POST", "api-webhook-pause", "webhook", nothing, STAFF, outside(*STAFF)),
    Verb(
        "POST", "api-webhook-enable", "webhook", fixed(missed="skip"), STAFF, outside(*STAFF)
    ),
    Verb("POST", "api-webhook-take-over", "webhook", nothing, STAFF, outside(*STAFF)),
    Verb("DELETE", "api-webhook-detail", "webhook", nothing, STAFF, outside(*STAFF)),
    Verb("POST", "api-ledger-message-replay", "message", nothing, STAFF, outside(*STAFF)),
    Verb("POST", "api-ledger-message-skip", "message", nothing, STAFF, outside(*STAFF)),
    Verb("POST", "api-ledger-message-release", "message", nothing, STAFF, outside(*STAFF)),
    Verb(
        "POST", "api-ledger-endpoint-switch-off", "endpoint", nothing, STAFF,
        SECRETARIES - STAFF,
    ),
    Verb(
        "POST", "api-ledger-endpoint-switch-on", "endpoint", nothing, STAFF, SECRETARIES - STAFF
    ),
    Verb("POST", "api-ledger-replay", "", fixed(**SPAN), SECRETARIES),  # each its own events'
    Verb("POST", "api-ledger-skip", "", fixed(**SPAN), SECRETARIES),
    Verb("POST", "api-ledger-release", "", fixed(**SPAN), SECRETARIES),
]  # fmt: skip
ELSEWHERE = {  # their own tests walk who may
    "plan-import", "api-inbound-mail", "api-inbox-read", "api-inbox-unread", "api-inbox-read-all",
    "api-wishes", "api-robots", "api-robot", "api-robot-test", "api-robot-switch-on",
    "api-ledger-channel-resume",
}  # fmt: skip
WRITING = ("post", "patch", "delete", "put")


def test_every_verb_of_the_api_stands_in_the_table() -> None:
    found = set()
    for route, pattern in patterns(get_resolver().url_patterns):
        if not route.startswith("api/v1/") or not route.endswith("/"):
            continue
        view = getattr(pattern.callback, "cls", None) or getattr(
            pattern.callback, "view_class", None
        )
        actions = getattr(pattern.callback, "actions", None)
        methods = [m for m in WRITING if (m in actions if actions else hasattr(view, m))]
        found |= {(method.upper(), pattern.name) for method in methods}
    known = {(verb.method, verb.name) for verb in VERBS}
    assert {pair for pair in found if pair[1] not in ELSEWHERE} == known


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: f"{verb.method} {verb.name} {verb.row}")
def test_verb_is_done_for_those_allowed_and_refused_to_others(
    cast: Cast, fixed_clock: Any, verb: Verb
) -> None:
    rows = make_rows(cast)
    path = path_of(verb, rows)
    answers = {}
    for part, viewer in cast.viewers().items():
        with transaction.atomic():
            answers[part] = send(client_for(viewer), verb, path, rows)
            transaction.set_rollback(True)
    expected = {
        part: 401 if part == "public" else 404 if part in verb.hidden else 403
        for part in EVERYONE - verb.allowed
    }
    expected |= dict.fromkeys(verb.unseen, 400)
    refused = {part: status for part, status in answers.items() if part not in verb.allowed}
    assert refused == expected
    assert {answers[part] for part in verb.allowed} <= {200, 201, 202, 204, 409}


def path_of(verb: Verb, rows: Rows) -> str:
    """Return the address of the verb for its row."""
    [route] = {
        route for route, pattern in patterns(get_resolver().url_patterns)
        if pattern.name == verb.name and route.endswith("/")
    }  # fmt: skip
    known = {
        "uid": rows.uids.get(verb.row),
        "slug": "jjj",
        "plan_uid": rows.uids["plan"],
        "event_uid": rows.uids["event"],
    }
    return reverse(verb.name, kwargs={k: v for k, v in known.items() if f":{k}>" in route})


def send(client: Client, verb: Verb, path: str, rows: Rows) -> int:
    """Send the verb and return the status of the answer."""
    body = verb.body(rows)
    if verb.body is upload:
        return client.post(path, body).status_code
    send_by = {"POST": client.post, "PATCH": client.patch, "DELETE": client.delete}[verb.method]
    headers = {"If-Match": "*"} if verb.method != "POST" else {}
    return send_by(path, body, content_type="application/json", headers=headers).status_code


# -- Pages and feeds ------------------------------------------------------------------------------

PAGES = ("/", "/events/", "/calendar/?month=2028-05", "/alliances/jjj/", "/plans/", "/members/")


@pytest.mark.parametrize("path", PAGES)
def test_page_names_what_is_the_secretariats_to_nobody_else(
    cast: Cast, fixed_clock: Any, path: str
) -> None:
    make_event(
        cast.alliance, title_zh="机密筹备会", title_en="机密筹备会", audience="secretariat",
        span=span("2028-05-16T09:30", "2028-05-16T12:00"),
    )  # fmt: skip
    make_plan(cast.alliance, year=2028, title_zh="机密计划", title_en="机密计划")
    for part, viewer in cast.viewers().items():
        client = Client()
        if viewer.user_id is not None:
            client.force_login(User.objects.get(pk=viewer.user_id))
        response = client.get(path, follow=True)
        assert response.status_code == 200
        if part not in STAFF:
            assert "机密" not in response.content.decode()


def test_public_feed_holds_public_events_alone(cast: Cast, fixed_clock: Any) -> None:
    for audience in ("public", "members", "organizations", "secretariat"):
        make_event(
            cast.alliance, title_zh=f"{audience}的会", title_en=f"{audience} meeting",
            audience=audience, scheduled=True, named=[cast.member],
        )  # fmt: skip
    shown = Client().get("/calendars/alliances/jjj.ics").content.decode()
    assert [word for word in ("public", "members", "organizations", "secretariat")
            if f"{word}的会" in shown] == ["public"]  # fmt: skip
