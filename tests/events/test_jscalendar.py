"""JSCalendar objects: properties, times over changes of clocks, states, levels, languages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.calendar_event import Level, Span, Words
from events.jscalendar import duration_text, is_writable, jscalendar_event
from events.vevent import vevent
from events.zones import instant_of, zone_named
from tests.events.test_vevent import EVENT

POSTPONED = replace(
    EVENT, state="postponed", span=None, previous=EVENT.span, reason="主会场检修", sequence=3
)


def shown(event: Any = EVENT, language: str = "zh-hans", level: Level = Level.PUBLIC) -> Any:
    return jscalendar_event(event, language=language, level=level)


def test_event_with_everything_for_the_public_is_this_object() -> None:
    assert shown(replace(EVENT, plan_uid="0190f3a4-0000-7000-8000-0000000000f1")) == {
        "@type": "Event",
        "uid": "0190f3a4-0000-7000-8000-000000000001",
        "prodId": "-//Coordination//JSCalendar 1//ZH",
        "created": "2024-01-05T01:00:00Z",
        "updated": "2024-04-02T03:04:05Z",
        "sequence": 2,
        "status": "confirmed",
        "freeBusyStatus": "busy",
        "start": "2024-05-14T09:30:00",
        "timeZone": "Asia/Shanghai",
        "duration": "PT2H",
        "locale": "zh-Hans",
        "title": "走进天津天开园",
        "description": "座谈;参观,交流\\\n\n"
        "时间：2024年5月14日09:30–11:30（北京时间，UTC+8）\n活动类型：走访\n"
        "主办/承办单位：天津滨海高新区、沧州高新区\n"
        "详情：https://example.org/events/0190f3a4-0000-7000-8000-000000000001/",
        "locations": {
            "place": {
                "@type": "Location",
                "name": "天开园，天津市南开区",
                "coordinates": "geo:39.102000,117.170000",
            }
        },
        "keywords": {"搭建常态化沟通交流平台": True},
        "links": {
            "page": {
                "@type": "Link",
                "href": "https://example.org/events/0190f3a4-0000-7000-8000-000000000001/",
                "contentType": "text/html",
                "rel": "describedby",
            }
        },
        "relatedTo": {
            "0190f3a4-0000-7000-8000-0000000000f1": {
                "@type": "Relation",
                "relation": {"parent": True},
            }
        },
        "participants": {
            "organizer": {
                "@type": "Participant",
                "kind": "group",
                "name": "京津冀国家高新区联盟秘书处",
                "roles": {"owner": True, "contact": True},
                "email": "coordination@example.org",
            },
            "host-1": {
                "@type": "Participant",
                "kind": "group",
                "name": "天津滨海高新区",
                "roles": {"owner": True, "chair": True},
            },
            "host-2": {
                "@type": "Participant",
                "kind": "group",
                "name": "沧州高新区",
                "roles": {"owner": True, "chair": True},
            },
        },
        "localizations": {
            "en": {
                "title": "A visit to Tiankai Park",
                "description": "Talks; tour, exchange\n\n"
                "Time: 14 May 2024, 09:30–11:30 (Beijing time, UTC+8)\nType: 走访\n"
                "Hosts: Tianjin Binhai, 沧州高新区\n"
                "Details: https://example.org/events/0190f3a4-0000-7000-8000-000000000001/",
                "keywords": {"Regular exchange": True},
                "participants/organizer/name": "Secretariat of the JJJ High-tech Zone Alliance",
                "locations/place/name": "Tiankai Park, 天津市南开区",
                "participants/host-1/name": "Tianjin Binhai",
            }
        },
    }


def patched(obj: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Apply a PatchObject (RFC 8984 section 1.4.9)."""
    result = replace_at(obj, {}, [])
    for pointer, value in patch.items():
        result = replace_at(result, value, pointer.split("/"))
    return result


def replace_at(node: Any, value: Any, path: list[str]) -> Any:
    if not path:
        return dict(node) if value == {} else value
    return {**node, path[0]: replace_at(node[path[0]], value, path[1:])}


@pytest.mark.parametrize("level", list(Level))
def test_localization_turns_one_language_into_the_other(level: Level) -> None:
    chinese, english = shown(level=level), shown(language="en", level=level)

    for obj, other, tag in ((chinese, english, "en"), (english, chinese, "zh-Hans")):
        patch = obj.pop("localizations")[tag]
        other = {key: value for key, value in other.items() if key != "localizations"}
        assert patched(obj, patch) == other | {"locale": obj["locale"]}
        obj["localizations"] = {tag: patch}


def test_event_in_one_language_only_has_localized_words_but_the_same_title() -> None:
    event = replace(EVENT, title=Words(zh="座谈会"), hosts=())

    assert "title" not in shown(event)["localizations"]["en"]
    assert shown(event, "en")["title"] == "座谈会"


@pytest.mark.parametrize("level", list(Level))
def test_level_knows_the_online_link_and_words_as_in_a_vevent(level: Level) -> None:
    obj = shown(level=level)
    text = str(obj)
    body = vevent(EVENT, language="zh-hans", level=level).replace("\r\n ", "")

    for secret in ("meet.example.org", "022-12345678", "预算待批"):
        assert (secret in text) == (secret in body)
    if level == Level.PUBLIC:
        assert "virtualLocations" not in obj
    else:
        assert obj["virtualLocations"] == {
            "online": {
                "@type": "VirtualLocation",
                "uri": "https://meet.example.org/room?pwd=%E4%B8%80",
                "features": {"video": True},
            }
        }


@pytest.mark.parametrize(
    ("state", "status", "busy"),
    [
        ("scheduled", "tentative", "busy"),
        ("confirmed", "confirmed", "busy"),
        ("held", "confirmed", "busy"),
        ("postponed", "tentative", "busy"),
        ("cancelled", "cancelled", "free"),
        ("planned", "tentative", "free"),
    ],
)
def test_state_is_told_as_status_and_free_busy(state: str, status: str, busy: str) -> None:
    obj = shown(replace(EVENT, state=state))

    assert (obj["status"], obj["freeBusyStatus"]) == (status, busy)


def test_postponed_until_further_notice_keeps_the_old_time_and_takes_nobodys() -> None:
    obj = shown(POSTPONED)

    assert (obj["start"], obj["status"], obj["freeBusyStatus"], obj["title"]) == (
        "2024-05-14T09:30:00",
        "tentative",
        "free",
        "【延期】走进天津天开园",
    )


def test_planned_without_any_date_cannot_be_written() -> None:
    event = replace(EVENT, state="planned", span=None)

    assert not is_writable(event)
    with pytest.raises(ValueError, match="no time to show"):
        shown(event)


def test_whole_days_float_and_are_told_in_days() -> None:
    span = Span(
        starts=datetime(2024, 3, 30),
        ends=datetime(2024, 4, 2),
        zone="Europe/Madrid",
        is_all_day=True,
    )
    obj = shown(replace(EVENT, span=span))

    assert (obj["start"], obj["timeZone"], obj["duration"], obj["showWithoutTime"]) == (
        "2024-03-30T00:00:00",
        None,
        "P3D",
        True,
    )


@pytest.mark.parametrize(
    ("starts", "ends", "start", "duration"),
    [
        # The night in which clocks go forward has an hour less, the one back an hour more.
        ("2024-03-30T20:00", "2024-03-31T20:00", "2024-03-30T20:00:00", "PT23H"),
        ("2024-10-26T20:00", "2024-10-27T20:00", "2024-10-26T20:00:00", "PT25H"),
        ("2024-03-31T02:30", "2024-03-31T04:00", "2024-03-31T03:30:00", "PT30M"),
        ("2024-05-14T09:30", "2024-05-14T11:15", "2024-05-14T09:30:00", "PT1H45M"),
    ],
)
def test_duration_over_a_change_of_clocks_is_what_passes(
    starts: str, ends: str, start: str, duration: str
) -> None:
    span = Span(
        starts=datetime.fromisoformat(starts),
        ends=datetime.fromisoformat(ends),
        zone="Europe/Madrid",
    )
    obj = shown(replace(EVENT, span=span))

    assert (obj["start"], obj["duration"]) == (start, duration)


def test_utc_has_its_iana_name() -> None:
    span = replace(EVENT.span, zone="UTC")

    assert shown(replace(EVENT, span=span))["timeZone"] == "Etc/UTC"


def test_place_unknown_leaves_locations_out_and_online_has_a_word() -> None:
    bare = replace(EVENT, place=Words(), address="", latitude=None, longitude=None)

    assert "locations" not in shown(bare)
    assert shown(replace(bare, format="online"), "en")["locations"]["place"]["name"] == "Online"


@given(
    starts=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    minutes=st.integers(1, 100_000),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Madrid", "America/St_Johns", "UTC"]),
)
def test_start_and_duration_of_any_span_give_its_instants(
    starts: datetime, minutes: int, zone: str
) -> None:
    starts = starts.replace(second=0, microsecond=0)
    span = Span(starts=starts, ends=starts + timedelta(minutes=minutes), zone=zone)
    obj = shown(replace(EVENT, span=span))
    begins = instant_of(datetime.fromisoformat(obj["start"]), zone)
    length = parsed_duration(obj["duration"])

    assert begins == span.starts_at
    assert begins + length == max(span.ends_at, span.starts_at)
    assert zone_named(obj["timeZone"]) is not None


def parsed_duration(text: str) -> timedelta:
    """Read the hours, minutes and seconds of a duration."""
    total, number = timedelta(0), ""
    units = {"H": "hours", "M": "minutes", "S": "seconds"}
    for char in text.removeprefix("PT"):
        if char.isdigit():
            number += char
        else:
            total += timedelta(**{units[char]: int(number)})
            number = ""
    return total


def test_duration_of_nothing_is_no_seconds() -> None:
    assert duration_text(timedelta(0)) == "PT0S"
    assert duration_text(timedelta(seconds=-5)) == "PT0S"
    assert duration_text(timedelta(hours=26, seconds=1)) == "PT26H1S"
    assert utc_updated(datetime(2024, 5, 14, 9, 0, 0, 999999, tzinfo=UTC)) == "2024-05-14T09:00:00Z"


def utc_updated(changed_at: datetime) -> str:
    updated: str = shown(replace(EVENT, changed_at=changed_at))["updated"]
    return updated
