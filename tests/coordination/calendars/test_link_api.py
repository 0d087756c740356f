"""Private links over the API: told to people, told once to tokens."""

from typing import Any

import pytest
from django.test import Client

from alliances.models import Alliance
from coordination.accounts.models import User
from coordination.accounts.tokens import IssuedToken, issue_token, revoke_token
from coordination.accounts.viewer import SYSTEM
from coordination.calendars.linking import LinkSettings, issue_link, path_of
from coordination.calendars.models import FeedLink
from coordination.rest.models import IdempotencyKey
from tests.coordination.calendars.conftest import AT
from tests.factories import make_plan, make_user

LINKS = "/api/v1/feed-links/"
BASE = "http://127.0.0.1:8000"


@pytest.fixture
def person(db: None) -> User:
    return make_user("reader")


@pytest.fixture
def token(person: User) -> IssuedToken:
    return issue_token(person, name="office", viewer=SYSTEM, at=AT)


@pytest.fixture
def program(token: IssuedToken) -> Client:
    return Client(headers={"Authorization": f"Bearer {token.secret}"})


@pytest.fixture
def session(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def post(client: Client, path: str = LINKS, headers: Any = None, **body: Any) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers)


def test_create_by_a_token_answers_the_address_this_once(
    program: Client, alliance: Alliance
) -> None:
    made = post(
        program, name=" 我的 日历 ", filters={"alliance": "jjj", "q": None}, alarms=[60, 1440]
    )

    link = FeedLink.objects.get()
    assert made.status_code == 201
    assert made.json() == {
        "uid": str(link.uid),
        "name": "我的 日历",
        "address": f"{BASE}{path_of(link)}",
        "filters": {"alliance": "jjj"},
        "language": "zh-hans",
        "alarms": [1440, 60],
        "days_only": False,
        "with_windows": False,
        "created_at": made.json()["created_at"],
        "last_fetched_at": None,
        "last_program": "",
        "version": 1,
    }
    again = program.get(made["Location"]).json()
    assert again == made.json() | {"address": None}
    assert program.get(LINKS).json()["items"] == [again]


def test_create_is_shown_to_the_person_whenever_they_look(session: Client, person: User) -> None:
    link = issue_link(person, LinkSettings(name="日历", language="en"), viewer=SYSTEM, at=AT)

    [shown] = session.get(LINKS).json()["items"]

    assert shown["address"] == f"{BASE}{path_of(link)}"
    assert session.get(f"{LINKS}{link.uid}/").json() == shown


@pytest.mark.parametrize("name", ["alliance", "plan", "work_area", "organization"])
def test_create_for_a_row_that_does_not_exist_is_refused_and_named(
    program: Client, alliance: Alliance, name: str
) -> None:
    value = "nowhere" if name == "alliance" else "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

    refused = post(program, name="日历", filters={name: value}, headers={"Accept-Language": "en"})
    in_chinese = post(program, name="日历", filters={name: value})

    assert refused.status_code == 400
    assert refused.json()["errors"] == [
        {
            "pointer": f"/filters/{name}",
            "code": "unknown",
            "message": "There is no such object, or it is not open to you.",
        }
    ]
    [error] = in_chinese.json()["errors"]
    assert error["message"] == "没有这个对象，或其未对您开放。"
    assert not FeedLink.objects.exists()


def test_create_for_a_plan_that_is_not_open_to_the_person_is_refused_like_one_that_is_not_there(
    program: Client, alliance: Alliance
) -> None:
    draft = make_plan(alliance)

    refused = post(program, name="日历", filters={"alliance": "jjj", "plan": str(draft.uid)})

    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/filters/plan"]
    assert not FeedLink.objects.exists()


def test_change_of_another_setting_leaves_alone_a_filter_whose_row_is_closed_by_now(
    program: Client, token: IssuedToken, person: User, alliance: Alliance
) -> None:
    draft = make_plan(alliance)
    wanted = LinkSettings(name="日历", language="en", parameters={"plan": str(draft.uid)})
    link = issue_link(person, wanted, viewer=SYSTEM, at=AT, token=token.token)
    path = f"{LINKS}{link.uid}/"

    changed = program.patch(
        path,
        {"name": "计划", "filters": {"state": "confirmed"}},
        content_type="application/json",
        headers={"If-Match": program.get(path)["ETag"]},
    )

    assert changed.status_code == 200
    assert changed.json()["filters"] == {"plan": str(draft.uid), "state": "confirmed"}


def test_create_repeated_under_a_key_tells_the_address_and_stores_none(
    program: Client, alliance: Alliance
) -> None:
    first = post(program, name="日历", headers={"Idempotency-Key": "a-key-of-mine"})
    again = post(program, name="日历", headers={"Idempotency-Key": "a-key-of-mine"})

    assert FeedLink.objects.count() == 1
    assert first.json()["address"].startswith(f"{BASE}/calendars/links/")
    assert again.json() == first.json()
    [kept] = IdempotencyKey.objects.all()
    assert b"/calendars/links/" not in bytes(kept.body)


def test_created_link_opens_and_ends_with_the_token_that_made_it(
    program: Client, client: Client, token: IssuedToken, alliance: Alliance
) -> None:
    address = post(program, name="日历").json()["address"].removeprefix(BASE)
    assert client.get(address).status_code == 200

    revoke_token(token.token, viewer=SYSTEM, at=AT)

    assert client.get(address).status_code == 404


def test_link_made_by_a_person_is_not_told_to_a_token_nor_changed_by_it(
    program: Client, person: User
) -> None:
    link = issue_link(person, LinkSettings(name="日历", language="en"), viewer=SYSTEM, at=AT)
    path = f"{LINKS}{link.uid}/"
    shown = program.get(path)
    tag = {"If-Match": shown["ETag"]}

    assert shown.json()["address"] is None
    changed = program.patch(path, {"name": "x"}, content_type="application/json", headers=tag)
    assert (changed.status_code, changed.json()["code"]) == (403, "not_allowed")
    assert post(program, f"{path}replace/").status_code == 403
    assert FeedLink.objects.get().name == "日历"
    assert program.delete(path, headers=tag).status_code == 204
    assert program.get(path).status_code == 404


def test_change_merges_the_filters_and_needs_the_tag(program: Client, alliance: Alliance) -> None:
    made = post(program, name="日历", filters={"alliance": "jjj", "state": "confirmed"})
    path = made["Location"]
    body = {"filters": {"state": None, "q": "天津"}, "with_windows": True, "alarms": []}

    def change(**headers: str) -> Any:
        return program.patch(path, body, content_type="application/json", headers=headers)

    assert change().status_code == 428
    changed = change(**{"If-Match": made["ETag"]})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert changed.json()["filters"] == {"alliance": "jjj", "q": "天津"}
    assert changed.json()["with_windows"] is True
    assert change(**{"If-Match": made["ETag"]}).status_code == 412


def test_replace_gives_a_new_address_and_ends_the_old_one(
    program: Client, client: Client, alliance: Alliance
) -> None:
    made = post(program, name="日历")
    old = made.json()["address"].removeprefix(BASE)
    assert client.get(old).status_code == 200

    replaced = post(program, f"{made['Location']}replace/")

    new = replaced.json()["address"].removeprefix(BASE)
    assert new != old
    assert (client.get(old).status_code, client.get(new).status_code) == (404, 200)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x", "filters": {"colour": "red"}}, "/filters/colour"),
        ({"name": "x", "filters": {"state": "gone"}}, "/filters/state"),
        ({"name": "x", "filters": {"from": "soon"}}, "/filters/from"),
        ({"name": "x", "filters": {"mine": "yes"}}, "/filters/mine"),
        ({"name": "x", "filters": "jjj"}, "/filters"),
        ({"name": "x", "alarms": [-1]}, "/alarms/0"),
        ({"name": "x", "alarms": [1, 2, 3, 4, 5, 6]}, "/alarms"),
        ({"name": "x", "language": "de"}, "/language"),
    ],
)
def test_create_with_what_cannot_be_taken_is_refused_by_name(
    program: Client, body: dict[str, Any], pointer: str
) -> None:
    refused = post(program, **body)

    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert not FeedLink.objects.exists()


def test_list_is_304_until_a_link_changes_or_is_fetched(
    program: Client, client: Client, alliance: Alliance
) -> None:
    made = post(program, name="日历")
    tag = program.get(LINKS)["ETag"]
    assert program.get(LINKS, headers={"If-None-Match": tag}).status_code == 304

    client.get(made.json()["address"].removeprefix(BASE), headers={"User-Agent": "ICSx5/2.2"})

    fetched = program.get(LINKS, headers={"If-None-Match": tag})
    assert fetched.status_code == 200
    assert fetched.json()["items"][0]["last_program"] == "ICSx5"


def test_read_by_a_token_without_the_scope_is_refused(person: User) -> None:
    narrow = issue_token(person, name="x", scopes=["events:read"], viewer=SYSTEM, at=AT)
    client = Client(headers={"Authorization": f"Bearer {narrow.secret}"})

    assert client.get(LINKS).status_code == 403
    assert Client().get(LINKS).json()["items"] == []
