"""Events over the API: what is shown to whom, and every verb."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from coordination.changes.models import Change
from events.models import Event
from events.scheduling import Host, cancel_event, postpone_event
from tests.factories import (
    AFTERNOON,
    AT,
    SYSTEM,
    Cast,
    make_event,
    make_line,
    make_plan,
    make_work_area,
    span,
    stored,
    window,
)

EN = {"Accept-Language": "en"}
EVENTS = "/api/v1/events/"


def address(event: Event, verb: str = "") -> str:
    return f"{EVENTS}{event.uid}/" + (f"{verb}/" if verb else "")


def full_event(cast: Cast, **values: Any) -> Event:
    """Return an event with a value in every field."""
    chosen: dict[str, Any] = {
        "span": span("2028-05-16T09:30", "2028-05-16T12:00", "Europe/Madrid"),
        "hosts": [Host(cast.host), Host(name="市政府")],
        "co_hosts": [cast.other],
        "named": [cast.member],
        "description_zh": "介绍",
        "place_zh": "马德里",
        "place_en": "Madrid",
        "latitude": "40.41650",
        "longitude": "-3.70256",
        "online_url": "https://meet.example.org/1",
        "contact": "王老师 010-1234",
        "notes": "预算未定",
    }
    return make_event(cast.alliance, **chosen | values)


def test_retrieve_shows_every_field_and_no_key(cast: Cast, client: Client) -> None:
    plan = make_plan(cast.alliance)
    area = make_work_area(plan, "产业协同")
    event = full_event(cast, plan=plan, work_area=area)
    from tests.factories import advance_plan

    make_line(plan)
    advance_plan(plan)
    event = stored(event)
    shown = client.get(address(event), headers=EN).json()
    assert shown == {
        "uid": str(event.uid),
        "ical_uid": event.ical_uid,
        "url": f"http://127.0.0.1:8000/events/{event.uid}/",
        "alliance": "jjj",
        "plan": str(plan.uid),
        "plan_item": None,
        "occurrence": 1,
        "work_area": {
            "uid": str(area.uid),
            "name": "产业协同 (en)",
            "name_i18n": {"zh": "产业协同", "en": "产业协同 (en)"},
            "color": 1,
        },
        "title": "Matchmaking",
        "title_i18n": {"zh": "项目对接会", "en": "Matchmaking"},
        "description": "介绍",
        "description_i18n": {"zh": "介绍", "en": ""},
        "type": "",
        "participants": "",
        "state": "scheduled",
        "audience": "public",
        "openness": "public",
        "format": "onsite",
        "window": {"text": "", "start": None, "end": None, "precision": "unknown"},
        "starts_at": "2028-05-16T09:30:00+02:00",
        "ends_at": "2028-05-16T12:00:00+02:00",
        "time_zone": "Europe/Madrid",
        "all_day": False,
        "starts_on": "2028-05-16",
        "ends_on": "2028-05-16",
        "previous": None,
        "reason": "",
        "hosts": [
            {"name": "Tianjin Binhai Zone", "organization": str(cast.host.uid)},
            {"name": "市政府", "organization": None},
        ],
        "co_hosts": ["dongbei"],
        "organizations": [str(cast.member.uid)],
        "place": "Madrid",
        "place_i18n": {"zh": "马德里", "en": "Madrid"},
        "address": "",
        "coordinates": {"latitude": 40.4165, "longitude": -3.70256},
        "online_url": None,
        "contact": None,
        "notes": None,
        "outcome": "",
        "outcome_i18n": {"zh": "", "en": ""},
        "attendance": None,
        "held_on": None,
        "cancelled_on": None,
        "source": "",
        "illustrative": False,
        "sequence": 0,
        "version": 3,
        "created_at": "2028-01-10T02:00:00+00:00",
        "changed_at": "2028-01-10T02:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("part", "link", "notes"),
    [
        ("superuser", True, True),
        ("secretary", True, True),
        ("other_secretary", True, False),
        ("member_liaison", True, False),
        ("chair", True, False),
        ("observer", True, False),
        ("outside_liaison", True, False),
        ("stranger", False, False),
    ],
)
def test_retrieve_shows_links_to_insiders_and_notes_to_the_secretariat(
    cast: Cast, client_of: Any, part: str, link: bool, notes: bool
) -> None:
    event = full_event(cast)
    shown = client_of(cast.viewers()[part]).get(address(event)).json()
    assert (shown["online_url"] is not None, shown["contact"] is not None) == (link, link)
    assert (shown["notes"] == "预算未定") == notes


def test_retrieve_for_named_organizations_hides_the_link_from_the_chair(
    cast: Cast, client_of: Any
) -> None:
    event = full_event(cast, audience="organizations")
    assert client_of(cast.chair).get(address(event)).status_code == 404
    assert client_of(cast.host_liaison).get(address(event)).json()["online_url"] is not None


def test_retrieve_of_what_is_not_open_is_404_in_the_readers_language(
    cast: Cast, client: Client
) -> None:
    event = make_event(cast.alliance, audience="members")
    response = client.get(address(event))
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response["Content-Language"] == "zh-Hans"


def test_retrieve_all_day_shows_days_and_the_time_before(cast: Cast, client: Client) -> None:
    days = span("2028-02-29T00:00", "2028-03-02T00:00", is_all_day=True)
    event = make_event(cast.alliance, span=days)
    postpone_event(event, span=AFTERNOON, reason="场地", viewer=SYSTEM, at=AT)
    shown = client.get(address(event)).json()
    assert (shown["all_day"], shown["starts_on"], shown["ends_on"]) == (
        False, "2028-05-23", "2028-05-23",
    )  # fmt: skip
    assert shown["previous"] == {
        "starts_at": "2028-02-29T00:00:00+08:00",
        "ends_at": "2028-03-02T00:00:00+08:00",
        "time_zone": "Asia/Shanghai",
    }


def test_retrieve_without_a_time_shows_the_window(cast: Cast, client: Client) -> None:
    plan = make_plan(cast.alliance)
    month = window("2028-05-01", "2028-05-31", "month")
    event = make_line(plan, "论坛", month, window_text="5月").events.get()
    from tests.factories import advance_plan

    advance_plan(plan)
    shown = client.get(address(event)).json()
    assert (shown["starts_at"], shown["starts_on"], shown["ends_on"]) == (None, None, None)
    assert shown["window"] == {
        "text": "5月", "start": "2028-05-01", "end": "2028-05-31", "precision": "month",
    }  # fmt: skip


# -- Lists ----------------------------------------------------------------------------------------


def titles(client: Client, query: str) -> list[str]:
    response = client.get(f"{EVENTS}?{query}")
    assert response.status_code == 200, response.content
    return [item["title_i18n"]["zh"] for item in response.json()["items"]]


def test_list_stands_in_the_order_of_time_with_the_undated_last(cast: Cast, client: Client) -> None:
    make_event(cast.alliance, title_zh="无日期")
    make_event(cast.alliance, title_zh="后", span=AFTERNOON)
    make_event(cast.alliance, title_zh="先", scheduled=True)
    assert titles(client, "") == ["先", "后", "无日期"]
    assert titles(client, "ordering=-starts_at") == ["后", "先", "无日期"]
    assert titles(client, "ordering=created") == ["无日期", "后", "先"]


def test_list_filters_by_every_parameter(cast: Cast, client: Client) -> None:
    plan = make_plan(cast.alliance, state="published")
    area = make_work_area(plan)
    make_event(
        cast.alliance, title_zh="甲", title_en="First", work_area=area, hosts=[Host(cast.host)],
        type_text="论坛", scheduled=True,
    )  # fmt: skip
    make_event(cast.other, title_zh="乙", co_hosts=[cast.alliance], named=[cast.member])
    make_event(cast.other, title_zh="丙", title_en="50%_off", audience="members")
    for query, found in (
        ("alliance=jjj", ["甲", "开幕式", "乙"]),
        ("alliance=dongbei", ["乙"]),
        ("alliance=nosuch", []),
        (f"plan={plan.uid}", ["甲", "开幕式"]),
        (f"work_area={area.uid}", ["甲"]),
        (f"organization={cast.host.uid}", ["甲"]),
        (f"organization={cast.member.uid}", ["乙"]),
        ("state=scheduled", ["甲"]),
        ("state=planned&alliance=jjj", ["开幕式", "乙"]),
        ("type=论坛", ["甲"]),
        ("q=FIRST", ["甲"]),
        ("q=甲", ["甲"]),
        ("q=%25", []),
        (f"plan={cast.host.uid}", []),
    ):
        assert titles(client, query) == found, query


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("from=2028-05-16", ["会", "五月"]),
        ("from=2028-05-17", ["五月"]),
        ("from=2028-05-16T12:00:00%2B08:00", ["五月"]),
        ("from=2028-05-16T11:59:00%2B08:00", ["会", "五月"]),
        ("to=2028-05-16T09:30:00%2B08:00", ["五月"]),
        ("to=2028-05-16T01:31:00Z", ["会", "五月"]),
        ("from=2028-05-16&to=2028-05-17", ["会", "五月"]),
        ("from=2028-05-31&to=2028-06-01", ["五月"]),
        ("from=2028-06-01", []),
        ("to=2028-05-01", []),
        ("to=2028-05-02", ["五月"]),
    ],
)
def test_list_from_and_to_take_what_overlaps(
    cast: Cast, client: Client, query: str, found: list[str]
) -> None:
    make_event(cast.alliance, title_zh="会", scheduled=True)
    make_event(
        cast.alliance, title_zh="五月", window_starts_on=date(2028, 5, 1),
        window_ends_on=date(2028, 5, 31), window_precision="month",
    )  # fmt: skip
    make_event(cast.alliance, title_zh="待定")
    assert titles(client, query) == found


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("from=2028-05-16T09:30:00", "from"),
        ("from=yesterday", "from"),
        ("from=2028-02-30", "from"),
        ("to=0001-01-01", "to"),
        ("plan=1", "plan"),
        ("state=done", "state"),
        ("limit=0", "limit"),
        ("ordering=title", "ordering"),
        ("colour=red", "colour"),
        ("q=a&q=b", "q"),
    ],
)
def test_list_with_a_parameter_that_cannot_be_taken_names_it(
    cast: Cast, client: Client, query: str, name: str
) -> None:
    response = client.get(f"{EVENTS}?{query}")
    assert response.status_code == 400
    assert [error["parameter"] for error in response.json()["errors"]] == [name]


def test_list_unchanged_is_304_until_something_open_to_the_reader_changes(
    cast: Cast, client: Client
) -> None:
    make_event(cast.alliance)
    tag = client.get(EVENTS)["ETag"]
    make_event(cast.alliance, audience="secretariat")
    assert client.get(EVENTS, headers={"If-None-Match": tag}).status_code == 304
    make_event(cast.alliance)
    response = client.get(EVENTS, headers={"If-None-Match": tag})
    assert (response.status_code, len(response.json()["items"])) == (200, 2)


def test_list_pages_reach_every_event_once(cast: Cast, client: Client) -> None:
    for number in range(7):
        make_event(cast.alliance, title_zh=f"{number}", scheduled=number % 2 == 0)
    seen: list[str] = []
    following = f"{EVENTS}?limit=2"
    while following:
        page = client.get(following).json()
        seen += [item["title_i18n"]["zh"] for item in page["items"]]
        following = page["next"]
    assert seen == ["0", "2", "4", "6", "1", "3", "5"]


# -- Writing --------------------------------------------------------------------------------------


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(path, body or {}, content_type="application/json", headers=headers)


def test_create_with_a_local_time_schedules_in_the_alliances_zone(
    cast: Cast, client_of: Any
) -> None:
    secretary = client_of(cast.secretary)
    response = post(
        secretary,
        EVENTS,
        {
            "alliance": "jjj",
            "title_i18n": {"zh": "座谈会", "en": "Round table"},
            "starts_at": "2028-05-16T09:30",
            "ends_at": "2028-05-16T12:00",
            "hosts": [{"organization": str(cast.host.uid)}, {"name": "市政府"}],
            "co_hosts": ["dongbei"],
            "organizations": [str(cast.member.uid)],
            "coordinates": {"latitude": 39.9, "longitude": 116.4},
            "window": {
                "text": "5月",
                "start": "2028-05-01",
                "end": "2028-05-31",
                "precision": "month",
            },
            "type": "论坛",
            "audience": "public",
        },
    )  # fmt: skip
    assert response.status_code == 201, response.content
    shown = response.json()
    assert response["Location"].endswith(f"/api/v1/events/{shown['uid']}/")
    assert (shown["state"], shown["starts_at"], shown["version"], shown["type"]) == (
        "scheduled", "2028-05-16T09:30:00+08:00", 1, "论坛",
    )  # fmt: skip
    assert shown["window"]["text"] == "5月"
    assert [host["name"] for host in shown["hosts"]] == ["Tianjin Binhai Zone", "市政府"]
    assert (shown["co_hosts"], shown["organizations"]) == (["dongbei"], [str(cast.member.uid)])
    assert Change.objects.latest("number").actor == f"user:{cast.secretary.uid}"


def test_create_twice_with_one_idempotency_key_makes_one_event(cast: Cast, client_of: Any) -> None:
    secretary = client_of(cast.secretary)
    key = {"Idempotency-Key": "one"}
    first = post(secretary, EVENTS, {"alliance": "jjj", "title": "Talk"}, **key)
    again = post(secretary, EVENTS, {"alliance": "jjj", "title": "Talk"}, **key)
    other = post(secretary, EVENTS, {"alliance": "jjj", "title": "Walk"}, **key)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    assert [event.title_en for event in Event.objects.all()] == ["Talk"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"title": "A"}, ["/alliance"]),
        ({"alliance": "nosuch", "title": "A"}, ["/alliance"]),
        ({"alliance": "jjj"}, [""]),
        ({"alliance": "jjj", "title": "A", "state": "held"}, ["/state"]),
        ({"alliance": "jjj", "title": "A" * 201}, ["/title"]),
        ({"alliance": "jjj", "title": 7}, ["/title"]),
        ({"alliance": "jjj", "title": "A", "plan": "x"}, ["/plan"]),
        ({"alliance": "jjj", "title": "A", "hosts": [{}]}, ["/hosts/0"]),
        (
            {"alliance": "jjj", "title": "A", "hosts": [{"organization": "0" * 32}]},
            ["/hosts/0/organization"],
        ),
        (
            {"alliance": "jjj", "title": "A", "hosts": [{"name": "x", "role": "y"}]},
            ["/hosts/0/role"],
        ),
        ({"alliance": "jjj", "title": "A", "window": {"begin": "x"}}, ["/window/begin"]),
        ({"alliance": "jjj", "title": "A", "co_hosts": ["dongbei", "x"]}, ["/co_hosts/1"]),
        ({"alliance": "jjj", "title": "A", "co_hosts": ["jjj"]}, ["/co_hosts"]),
        ({"alliance": "jjj", "title": "A", "time_zone": "Asia/Beijing"}, ["/time_zone"]),
        ({"alliance": "jjj", "title": "A", "starts_at": "2028-05-16T09:30"}, ["/ends_at"]),
        (
            {
                "alliance": "jjj", "title": "A",
                "starts_at": "2028-05-16T09:30", "ends_at": "2028-05-16T08:30",
            },
            ["/ends_at"],
        ),
        ({"alliance": "jjj", "title": "A", "starts_on": "2028-02-30"}, ["/starts_on"]),
        ({"alliance": "jjj", "title": "A", "online_url": "javascript:x"}, ["/online_url"]),
        (
            {"alliance": "jjj", "title": "A", "coordinates": {"latitude": 91, "longitude": 0}},
            ["/coordinates/latitude"],
        ),
        (
            {
                "alliance": "jjj", "title": "A",
                "window": {"start": "2028-05-31", "end": "2028-05-01"},
            },
            ["/window/end"],
        ),
    ],
)  # fmt: skip
def test_create_with_input_that_cannot_be_taken_points_at_it(
    cast: Cast, client_of: Any, body: dict[str, Any], pointers: list[str]
) -> None:
    response = post(client_of(cast.secretary), EVENTS, body)
    assert response.status_code == 400, response.content
    assert [error["pointer"] for error in response.json()["errors"]] == pointers
    assert Event.objects.count() == 0


def test_create_in_anothers_alliance_or_by_nobody_is_refused(
    cast: Cast, client_of: Any, client: Client
) -> None:
    body = {"alliance": "jjj", "title": "A"}
    assert post(client_of(cast.other_secretary), EVENTS, body).status_code == 403
    assert post(client, EVENTS, body).status_code == 401
    assert Event.objects.count() == 0


def test_verbs_move_an_event_through_its_life(
    cast: Cast, client_of: Any, time_machine: Any
) -> None:
    secretary = client_of(cast.secretary)
    event = make_event(cast.alliance)

    def step(verb: str, body: dict[str, Any] | None = None) -> Any:
        response = post(secretary, address(event, verb), body)
        assert response.status_code == 200, response.content
        return response.json()

    shown = step("schedule", {
        "starts_at": "2028-05-16T03:30:00+02:00", "ends_at": "2028-05-16T12:00:00+08:00",
    })  # fmt: skip
    assert (shown["state"], shown["starts_at"]) == ("scheduled", "2028-05-16T09:30:00+08:00")
    assert step("confirm")["state"] == "confirmed"
    shown = step("postpone", {"reason": "台风"})
    assert (shown["state"], shown["starts_at"], shown["reason"]) == ("postponed", None, "台风")
    assert shown["previous"]["starts_at"] == "2028-05-16T09:30:00+08:00"
    shown = step("schedule", {
        "starts_on": "2028-04-01", "ends_on": "2028-04-02", "reason": "台风已过",
        "time_zone": "Europe/Madrid",
    })  # fmt: skip
    assert (shown["all_day"], shown["starts_on"], shown["ends_on"], shown["ends_at"]) == (
        True, "2028-04-01", "2028-04-02", "2028-04-03T00:00:00+02:00",
    )  # fmt: skip
    time_machine.move_to("2028-04-03T00:00:00+00:00")
    shown = step("conclude", {"outcome_i18n": {"zh": "签约三项"}, "attendance": 120})
    assert (shown["state"], shown["held_on"], shown["attendance"]) == ("held", "2028-04-01", 120)


def test_verb_of_a_reader_or_in_the_wrong_state_changes_nothing(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance)
    changes = Change.objects.count()
    response = post(client_of(cast.member_liaison), address(event, "confirm"))
    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
    response = post(client_of(cast.secretary), address(event, "confirm"))
    assert (response.status_code, response.json()["code"]) == (409, "not_scheduled")
    response = post(client_of(cast.secretary), address(event, "cancel"))
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, "/reason")
    response = post(client_of(cast.secretary), address(event, "conclude"), {"held_on": "x"})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, "/held_on")
    response = post(client_of(cast.secretary), address(event, "schedule"))
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, "/starts_at")
    assert Change.objects.count() == changes
    hidden = make_event(cast.alliance, audience="secretariat")
    response = post(client_of(cast.member_liaison), address(hidden, "confirm"))
    assert response.status_code == 404


def test_verb_with_a_stale_if_match_is_412_and_shows_both(cast: Cast, client_of: Any) -> None:
    secretary = client_of(cast.secretary)
    event = make_event(cast.alliance, scheduled=True)
    tag = secretary.get(address(event))["ETag"]
    assert post(secretary, address(event, "confirm"), **{"If-Match": tag}).status_code == 200
    response = post(secretary, address(event, "cancel"), {"reason": "x"}, **{"If-Match": tag})
    assert response.status_code == 412
    problem = response.json()
    assert (problem["mine"], problem["current"]["state"]) == ({"reason": "x"}, "confirmed")
    assert stored(event).state == "confirmed"


def test_change_is_a_merge_patch_under_a_condition(cast: Cast, client_of: Any) -> None:
    secretary = client_of(cast.secretary)
    event = full_event(cast)
    tag = secretary.get(address(event))["ETag"]

    def patch(body: dict[str, Any], **headers: str) -> Any:
        return secretary.patch(
            address(event), body, content_type="application/merge-patch+json", headers=headers
        )

    assert patch({"title": "New"}).status_code == 428
    response = patch(
        {"title_i18n": {"en": "New"}, "coordinates": None, "contact": None, "reason": "更名",
         "hosts": [], "window": {"text": "夏天"}},
        **{"If-Match": tag},
    )  # fmt: skip
    assert response.status_code == 200, response.content
    shown = response.json()
    assert shown["title_i18n"] == {"zh": "项目对接会", "en": "New"}
    assert (shown["coordinates"], shown["contact"], shown["hosts"]) == (None, "", [])
    assert shown["window"]["text"] == "夏天"
    assert (shown["co_hosts"], shown["version"]) == (["dongbei"], 2)
    assert Change.objects.latest("number").reason == "更名"
    assert patch({"title": "Late"}, **{"If-Match": tag}).status_code == 412
    assert patch({"starts_at": "2028-05-16T09:30"}, **{"If-Match": "*"}).status_code == 400


def test_change_into_another_alliances_plan_is_refused(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance)
    own = make_plan(cast.alliance)
    hidden = make_plan(cast.other)
    secretary = client_of(cast.secretary)
    for plan, status in ((own, 200), (hidden, 400)):
        response = secretary.patch(
            address(event), {"plan": str(plan.uid)}, content_type="application/json",
            headers={"If-Match": "*"},
        )  # fmt: skip
        assert response.status_code == status
    assert stored(event).plan == own


def test_delete_takes_drafts_only(cast: Cast, client_of: Any) -> None:
    secretary = client_of(cast.secretary)
    draft, dated = make_event(cast.alliance), make_event(cast.alliance, scheduled=True)
    assert secretary.delete(address(draft)).status_code == 428
    assert secretary.delete(address(draft), headers={"If-Match": "*"}).status_code == 204
    response = secretary.delete(address(dated), headers={"If-Match": "*"})
    assert (response.status_code, response.json()["code"]) == (409, "not_a_draft")
    assert list(Event.objects.all()) == [dated]


def test_token_without_the_scope_may_not_write(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance, scheduled=True)
    reader = client_of(cast.secretary, "events:read")
    assert reader.get(address(event)).status_code == 200
    response = post(reader, address(event, "confirm"))
    assert (response.status_code, response.json()["scope"]) == (403, "events:write")


def test_cancelled_event_is_shown_with_its_reason(cast: Cast, client: Client) -> None:
    event = make_event(cast.alliance, scheduled=True)
    cancel_event(event, reason="台风", viewer=SYSTEM, at=AT)
    shown = client.get(address(event)).json()
    assert (shown["state"], shown["reason"], shown["cancelled_on"]) == (
        "cancelled", "台风", "2028-01-10",
    )  # fmt: skip
    assert shown["starts_at"] == "2028-05-16T09:30:00+08:00"


def test_list_costs_the_same_queries_with_1_and_with_30_events(cast: Cast, client_of: Any) -> None:
    member = client_of(cast.member_liaison)
    full_event(cast)

    def queries(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert member.get(f"{EVENTS}?limit={limit}").status_code == 200
        return len(captured)

    queries(40)
    make_event(cast.alliance)
    few = queries(41)
    for _number in range(28):
        full_event(cast)
    assert queries(42) == few


def test_list_of_one_alliance_pages_through_owned_and_co_hosted_events(
    cast: Cast, client: Client
) -> None:
    for number in range(4):
        make_event(cast.alliance, title_zh=f"自{number}", scheduled=number % 2 == 0)
        make_event(
            cast.other, title_zh=f"合{number}", scheduled=number % 2 == 0, co_hosts=[cast.alliance]
        )
        make_event(cast.other, title_zh="别", scheduled=True)
    for sign in ("", "-"):
        seen: list[str] = []
        following = f"{EVENTS}?limit=3&alliance=jjj&ordering={sign}starts_at"
        while following:
            page = client.get(following).json()
            seen += [item["title_i18n"]["zh"] for item in page["items"]]
            following = page["next"]
        assert seen == ["自0", "合0", "自2", "合2", "自1", "合1", "自3", "合3"]
