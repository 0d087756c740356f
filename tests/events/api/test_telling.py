"""History, reminders, deliveries and plan against actual over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from alliances.planning import publish_plan
from coordination.deliveries.models import Delivery
from events.models import Event
from events.reminding import add_reminder_rule
from events.scheduling import Host, cancel_event, postpone_event, revise_event, schedule_event
from events.telling import Reminders
from tests.factories import (
    AFTERNOON,
    AT,
    MORNING,
    SYSTEM,
    Cast,
    advance_plan,
    make_event,
    make_line,
    make_plan,
    make_work_area,
    window,
)


def at_event(event: Event, part: str) -> str:
    return f"/api/v1/events/{event.uid}/{part}/"


def history(client: Client, event: Event, query: str = "") -> list[dict[str, Any]]:
    response = client.get(at_event(event, "history") + query)
    assert response.status_code == 200, response.content
    items: list[dict[str, Any]] = response.json()["items"]
    return items


def test_history_tells_in_words_who_did_what(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance)
    schedule_event(event, MORNING, viewer=cast.secretary, at=AT)
    postpone_event(event, reason="台风", viewer=cast.secretary, at=AT)
    [postponed, scheduled, drafted] = history(client_of(cast.secretary), event)
    assert (postponed["kind"], postponed["words"], postponed["actor"], postponed["reason"]) == (
        "event.postponed", "postponed the event", "secretary", "台风",
    )  # fmt: skip
    assert postponed["words_i18n"] == {"zh": "延期了活动", "en": "postponed the event"}
    assert {field["name"]: (field["before"], field["after"]) for field in scheduled["fields"]}[
        "starts_wall"
    ] == ("", "2028-05-16 09:30")
    assert (drafted["version"], drafted["actor"]) == (1, "the system")


def test_history_hides_fields_that_are_not_the_readers(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance)
    revise_event(
        event, viewer=SYSTEM, at=AT, notes="预算", contact="王老师", title_en="New",
        online_url="https://meet.example.org",
    )  # fmt: skip
    for part, names in (
        ("secretary", {"notes", "contact", "online_url", "title_en"}),
        ("member_liaison", {"contact", "online_url", "title_en"}),
        ("stranger", {"title_en"}),
    ):
        newest = history(client_of(cast.viewers()[part]), event)[0]
        assert {field["name"] for field in newest["fields"]} == names


def test_history_begins_where_the_event_opened_to_the_reader(cast: Cast, client: Client) -> None:
    plan = make_plan(cast.alliance)
    event = make_line(plan, "论坛").events.get()
    revise_event(event, viewer=SYSTEM, at=AT, description_zh="内部讨论")
    advance_plan(plan, "adopted")
    publish_plan(plan, viewer=SYSTEM, at=AT)
    assert [entry["kind"] for entry in history(client, event)] == ["event.opened"]


def test_history_comes_in_pages(cast: Cast, client: Client) -> None:
    event = make_event(cast.alliance)
    for number in range(4):
        revise_event(event, viewer=SYSTEM, at=AT, title_en=f"{number}")
    response = client.get(at_event(event, "history") + "?limit=3")
    assert [entry["version"] for entry in response.json()["items"]] == [5, 4, 3]
    following = response.json()["next"]
    assert response["Link"] == f'<{following}>; rel="next"'
    assert [entry["version"] for entry in client.get(following).json()["items"]] == [2, 1]
    assert [entry["version"] for entry in history(client, event, "?ordering=created&limit=2")] == [
        1, 2,
    ]  # fmt: skip
    response = client.get(at_event(event, "history"), headers={"If-None-Match": "*"})
    assert response.status_code == 304


def test_reminders_and_ledger_are_the_secretariats(cast: Cast, client_of: Any) -> None:
    add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, offset="-P7D", audience=["hosts"])
    event = make_event(cast.alliance, scheduled=True, hosts=[Host(cast.host)])
    secretary = client_of(cast.secretary)
    [reminder] = secretary.get(at_event(event, "reminders")).json()["items"]
    assert (reminder["offset"], reminder["due_at"], reminder["state"]) == (
        "-P7D", "2028-05-09T01:30:00+00:00", "pending",
    )  # fmt: skip
    assert secretary.get(at_event(event, "deliveries")).json() == {"items": [], "next": None}
    Reminders().fire_next(MORNING.starts_at.replace(day=10))
    assert Delivery.objects.count() == 1
    [delivery] = secretary.get(at_event(event, "deliveries")).json()["items"]
    assert (delivery["source"], delivery["channel"], delivery["state"]) == (
        "reminder", "email", "waiting",
    )  # fmt: skip
    for part in ("reminders", "deliveries"):
        for name in ("other_secretary", "host_liaison", "chair"):
            response = client_of(cast.viewers()[name]).get(at_event(event, part))
            assert response.status_code == 403


def test_progress_of_a_day_is_told_in_numbers_and_lines(cast: Cast, client_of: Any) -> None:
    plan = make_plan(cast.alliance, target_number=24)
    area = make_work_area(plan)
    march = window("2028-03-01", "2028-03-31", "month")
    line = make_line(plan, "例会", march, march, hosts=(cast.host,), work_area=area)
    advance_plan(plan)
    first, second = line.events.order_by("occurrence")
    schedule_event(first, AFTERNOON, viewer=SYSTEM, at=AT)
    cancel_event(second, reason="经费", viewer=SYSTEM, at=AT)
    member = client_of(cast.member_liaison)
    response = member.get(f"/api/v1/plans/{plan.uid}/progress/?on=2028-04-10")
    assert response.status_code == 200, response.content
    shown = response.json()
    assert shown["totals"] == {
        "planned": 2, "held": 0, "on_time": 0, "late": 1, "changed_quarter": 1, "set": 1,
        "open": 0, "overdue": 0, "dropped": 1, "added": 0,
    }  # fmt: skip
    assert [(row["name"], row["planned"]) for row in shown["by_work_area"]] == [
        ("产业协同 (en)", 2)
    ]
    assert [(row["uid"], row["set"]) for row in shown["by_member"]] == [(str(cast.host.uid), 1)]
    assert [(row["status"], row["days_late"], row["event"]) for row in shown["items"]] == [
        ("moved_quarter", 53, str(first.uid)),
        ("dropped", 0, str(second.uid)),
    ]
    assert (shown["target_number"], shown["short_of_target"], shown["on"]) == (
        24, 24, "2028-04-10",
    )  # fmt: skip
    tag = {"If-None-Match": response["ETag"]}
    path = f"/api/v1/plans/{plan.uid}/progress/?on=2028-04-10"
    assert member.get(path, headers=tag).status_code == 304


def test_progress_without_a_day_is_todays(cast: Cast, client_of: Any) -> None:
    plan = make_plan(cast.alliance, state="published")
    shown = client_of(cast.secretary).get(f"/api/v1/plans/{plan.uid}/progress").json()
    assert shown["on"] == "2028-03-31"


@pytest.mark.parametrize("day", ["yesterday", "2028-02-30", "20280401", "2028-W14-1", "0001-01-01"])
def test_progress_of_what_is_no_day_is_refused(cast: Cast, client: Client, day: str) -> None:
    plan = make_plan(cast.alliance, state="published")
    response = client.get(f"/api/v1/plans/{plan.uid}/progress/?on={day}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "on"


def test_progress_of_a_draft_is_hidden_from_others(cast: Cast, client: Client) -> None:
    plan = make_plan(cast.alliance)
    assert client.get(f"/api/v1/plans/{plan.uid}/progress/").status_code == 404
