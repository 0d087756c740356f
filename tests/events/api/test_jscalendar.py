"""Events as JSCalendar over the API: negotiation, levels, tags, refusals, the schema."""

from __future__ import annotations

from datetime import date
from typing import Any

import jsonschema
import pytest
from django.test import Client

from events.api.jscalendar import JSCALENDAR_SCHEMA
from events.models import Event
from events.scheduling import Host, postpone_event, revise_event
from tests.factories import AT, SYSTEM, Cast, make_event, make_plan, span

JSCALENDAR = "application/jscalendar+json"


def address(event: Event) -> str:
    return f"/api/v1/events/{event.uid}/"


def fetch(client: Client, event: Event, accept: str = JSCALENDAR, **headers: str) -> Any:
    return client.get(address(event), headers={"Accept": accept, **headers})


def full_event(cast: Cast) -> Event:
    return make_event(
        cast.alliance,
        span=span("2028-05-16T09:30", "2028-05-16T12:00", "Europe/Madrid"),
        hosts=[Host(cast.host), Host(name="市政府")],
        plan=make_plan(cast.alliance, state="published"),
        place_zh="马德里",
        place_en="Madrid",
        latitude="40.41650",
        longitude="-3.70256",
        online_url="https://meet.example.org/1",
        contact="王老师 010-1234",
        notes="预算未定",
    )


def test_retrieve_as_jscalendar_is_an_event_object_that_fits_its_schema(
    cast: Cast, client: Client
) -> None:
    event = full_event(cast)
    answer = fetch(client, event, f"{JSCALENDAR};type=event", **{"Accept-Language": "en"})
    shown = answer.json()

    assert (answer.status_code, answer["Content-Type"]) == (200, f"{JSCALENDAR};type=event")
    assert "Accept" in answer["Vary"]
    jsonschema.validate(shown, JSCALENDAR_SCHEMA)
    assert (shown["uid"], shown["start"], shown["timeZone"], shown["title"]) == (
        event.ical_uid,
        "2028-05-16T09:30:00",
        "Europe/Madrid",
        "Matchmaking",
    )
    assert shown["relatedTo"] == {
        str(event.plan.uid): {"@type": "Relation", "relation": {"parent": True}}
    }


def test_retrieve_as_jscalendar_shows_each_viewer_their_level(
    cast: Cast, client: Client, client_of: Any
) -> None:
    event = full_event(cast)
    found = {
        name: fetch(reader, event).content.decode()
        for name, reader in {
            "public": client,
            "member": client_of(cast.member_liaison),
            "outside": client_of(cast.outside_liaison),
            "secretary": client_of(cast.secretary),
            "superuser": client_of(cast.superuser),
        }.items()
    }

    def who_reads(secret: str) -> list[str]:
        return [name for name, text in found.items() if secret in text]

    assert who_reads("meet.example.org") == ["member", "secretary", "superuser"]
    assert who_reads("010-1234") == ["member", "secretary", "superuser"]
    assert who_reads("预算未定") == ["secretary", "superuser"]


def test_retrieve_as_jscalendar_of_what_is_not_visible_is_404(cast: Cast, client: Client) -> None:
    event = make_event(cast.alliance, scheduled=True, audience="members")

    assert fetch(client, event).status_code == 404


def test_tag_of_jscalendar_is_its_own_and_holds_until_a_change(cast: Cast, client: Client) -> None:
    event = full_event(cast)
    tag = fetch(client, event)["ETag"]
    unchanged = fetch(client, event, **{"If-None-Match": tag})
    json_tag = fetch(client, event, "application/json")["ETag"]

    assert (unchanged.status_code, unchanged["ETag"], unchanged.content) == (304, tag, b"")
    assert json_tag != tag
    assert json_tag.split("-")[0] == tag.split("-")[0]

    revise_event(event, viewer=SYSTEM, at=AT, place_en="Barcelona")
    assert fetch(client, event, **{"If-None-Match": tag}).status_code == 200


def test_change_with_the_tag_of_jscalendar_is_taken(
    cast: Cast, client: Client, client_of: Any
) -> None:
    event = full_event(cast)
    secretary = client_of(cast.secretary)
    answer = secretary.patch(
        address(event),
        {"contact": "李老师"},
        content_type="application/json",
        headers={"If-Match": fetch(secretary, event)["ETag"]},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        ("*/*", 200, "application/json"),
        (f"application/json, {JSCALENDAR}", 200, "application/json"),
        (f"application/json;q=0.5, {JSCALENDAR}", 200, f"{JSCALENDAR};type=event"),
        (f"{JSCALENDAR};type=task", 406, "application/problem+json"),
        ("text/html", 406, "application/problem+json"),
    ],
)
def test_format_is_the_one_wanted_most(
    cast: Cast, client: Client, accept: str, status: int, media_type: str
) -> None:
    answer = fetch(client, make_event(cast.alliance, scheduled=True), accept)

    assert (answer.status_code, answer["Content-Type"]) == (status, media_type)


@pytest.mark.parametrize(
    ("path", "offered"),
    [
        ("/api/v1/events/{uid}/", f"application/json, {JSCALENDAR};type=event"),
        ("/api/v1/sync/", f"application/json, {JSCALENDAR}"),
        ("/api/v1/events/", "application/json"),
    ],
)
def test_format_that_is_not_offered_is_406_and_names_those_that_are(
    cast: Cast, client: Client, path: str, offered: str
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    headers = {"Accept": "text/csv", "Accept-Language": "en"}
    answer = client.get(path.format(uid=event.uid), headers=headers)

    assert (answer.status_code, answer.json()["detail"]) == (
        406,
        f"The formats offered here: {offered}.",
    )


def test_list_is_json_only(cast: Cast, client: Client) -> None:
    assert client.get("/api/v1/events/", headers={"Accept": JSCALENDAR}).status_code == 406


def test_planned_event_with_a_window_is_whole_days_that_take_no_time(
    cast: Cast, client: Client
) -> None:
    event = make_event(
        cast.alliance,
        window_text="5月",
        window_precision="month",
        window_starts_on=date(2028, 5, 1),
        window_ends_on=date(2028, 5, 31),
    )
    shown = fetch(client, event).json()

    jsonschema.validate(shown, JSCALENDAR_SCHEMA)
    assert [shown[name] for name in ("start", "duration", "timeZone", "showWithoutTime")] == [
        "2028-05-01T00:00:00",
        "P31D",
        None,
        True,
    ]
    assert (shown["status"], shown["freeBusyStatus"]) == ("tentative", "free")
    assert shown["description"].split("\n")[0] == "时间为计划时段，具体时间待定。"
    assert "原定时间" not in shown["description"]


def test_planned_event_without_any_date_is_406_and_says_so(cast: Cast, client: Client) -> None:
    event = make_event(cast.alliance)
    answer = fetch(client, event, **{"Accept-Language": "en"})

    assert (answer.status_code, answer.json()["detail"]) == (
        406,
        "This event has no date yet, and JSCalendar needs one. Ask for JSON.",
    )


def test_postponed_until_further_notice_is_tentative_at_the_old_time(
    cast: Cast, client: Client
) -> None:
    event = full_event(cast)
    postpone_event(event, reason="主会场检修", viewer=SYSTEM, at=AT)
    shown = fetch(client, event).json()

    jsonschema.validate(shown, JSCALENDAR_SCHEMA)
    assert [shown[name] for name in ("start", "status", "freeBusyStatus", "sequence")] == [
        "2028-05-16T09:30:00",
        "tentative",
        "free",
        1,
    ]
