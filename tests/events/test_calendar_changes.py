"""What differs between an entry as it was shown and as it came back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from events.calendar_changes import Changes, Step, changes_of, first_values
from events.calendar_event import CalendarEvent, Level, Span, Words
from events.calendar_reading import ProposedObject, read_object
from events.vevent import vevent
from tests.events.test_vevent import EVENT, nasty_text

PLACED = replace(EVENT, place=Words(zh="天开园"), online_url="https://meet.example.org/room")


def as_shown(event: CalendarEvent, language: str = "zh-hans") -> ProposedObject:
    body = vevent(event, language=language, level=Level.SECRETARIAT)
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}END:VCALENDAR\r\n"
    return read_object(text.encode(), home_zone="Asia/Shanghai")


def changes(event: CalendarEvent = PLACED, language: str = "zh-hans", **edits: Any) -> Changes:
    shown = as_shown(event, language)
    wanted = replace(shown, **edits)
    return changes_of(event, shown=shown, wanted=wanted, language=language, level=Level.SECRETARIAT)


@given(title=nasty_text, description=nasty_text, place=nasty_text, reason=nasty_text)
def test_entry_as_it_was_shown_changes_nothing(
    title: str, description: str, place: str, reason: str
) -> None:
    event = replace(
        PLACED,
        state="postponed",
        title=Words(zh=title),
        description=Words(en=description),
        place=Words(zh=place),
        previous=PLACED.span,
        span=None,
        reason=reason,
    )

    for language in ("zh-hans", "en"):
        assert not changes(event, language)


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"title": "新名称"}, {"title_zh": "新名称"}),
        ({"title": "【延期】走进天津天开园"}, {}),
        ({"location": "会议中心"}, {"address": "", "place_zh": "会议中心"}),
        ({"location": "会议中心，天津市南开区"}, {"place_zh": "会议中心"}),
        ({"location": None}, {"address": "", "place_zh": ""}),
        (
            {"conference": "https://meet.example.org/b"},
            {"online_url": "https://meet.example.org/b"},
        ),
        ({"conference": None}, {}),
        ({"conference": "tel:+86-10-1"}, {}),
        ({"url": "https://meeting.example.com/1"}, {"online_url": "https://meeting.example.com/1"}),
        ({"url": None}, {}),
        ({"coordinates": None}, {}),
        ({"comment": "原因"}, {}),
    ],
)
def test_words_that_were_edited_go_into_their_columns(
    edits: dict[str, Any], words: dict[str, Any]
) -> None:
    found = changes(**edits).words
    if "place_zh" in words:
        words = words | {"latitude": None, "longitude": None}

    assert found == words


def test_coordinates_that_were_edited_are_taken() -> None:
    found = changes(coordinates=(Decimal("39.123456"), Decimal("-117.1")), location="别处")

    assert found.words["latitude"] == Decimal("39.12346")
    assert found.words["longitude"] == Decimal("-117.10000")


def test_point_of_a_map_counts_with_a_new_place_only() -> None:
    point = (Decimal("39.5"), Decimal("116.5"))

    assert changes(map_point=point).words == {}
    assert changes(map_point=point, location="别处").words["latitude"] == Decimal("39.50000")
    assert first_values(replace(as_shown(PLACED), coordinates=None, map_point=point), "en")[
        "longitude"
    ] == Decimal("116.50000")


@pytest.mark.parametrize(
    ("title", "language", "column"),
    [
        (Words(zh="甲", en="A"), "en", "title_en"),
        (Words(zh="甲", en="A"), "zh-hans", "title_zh"),
        (Words(zh="甲"), "en", "title_zh"),
        (Words(en="A"), "zh-hans", "title_en"),
    ],
)
def test_edit_corrects_the_text_that_was_seen(title: Words, language: str, column: str) -> None:
    event = replace(PLACED, title=title)

    assert changes(event, language, title="改").words == {column: "改"}


@pytest.mark.parametrize(
    ("state", "edits", "step"),
    [
        ("scheduled", {"status": "CONFIRMED"}, Step.CONFIRM),
        ("scheduled", {"status": "CANCELLED"}, Step.CANCEL),
        ("confirmed", {"status": "TENTATIVE"}, Step.POSTPONE),
        ("confirmed", {"status": ""}, None),
        ("confirmed", {"title": "【已取消】走进天津天开园"}, Step.CANCEL),
        ("scheduled", {"title": "Postponed: 走进天津天开园"}, Step.POSTPONE),
        ("postponed", {"title": "【延期】改"}, None),
        ("postponed", {"title": "【已取消】改"}, Step.CANCEL),
        ("cancelled", {"status": "CONFIRMED"}, Step.CONFIRM),
    ],
)
def test_status_and_marks_ask_for_a_verb(
    state: str, edits: dict[str, Any], step: Step | None
) -> None:
    assert changes(replace(PLACED, state=state), **edits).step == step


def moved(**edits: Any) -> Span:
    span = PLACED.span
    assert span is not None
    return replace(span, **edits)


def test_time_that_was_edited_is_taken() -> None:
    later = moved(ends=moved().ends + timedelta(minutes=5))
    whole = moved(
        starts=moved().starts.replace(hour=0, minute=0),
        ends=moved().starts.replace(day=15, hour=0, minute=0),
        is_all_day=True,
    )

    assert changes(span=later).span == later
    assert changes(span=whole).span == whole


def test_same_instants_in_another_zone_are_no_change() -> None:
    in_utc = Span(
        starts=moved().starts - timedelta(hours=8),
        ends=moved().ends - timedelta(hours=8),
        zone="UTC",
    )

    assert changes(span=in_utc).span is None


def test_new_event_takes_what_it_says_in_the_language_of_its_writer() -> None:
    wanted = replace(
        as_shown(PLACED),
        title="【延期】会",
        description="正文",
        location="甲地",
        conference=None,
        url="https://meeting.example.com/1",
    )
    chinese, english = first_values(wanted, "zh-hans"), first_values(wanted, "en")

    assert chinese == {
        "title_zh": "会",
        "description_zh": "正文",
        "place_zh": "甲地",
        "online_url": "https://meeting.example.com/1",
        "latitude": Decimal("39.10200"),
        "longitude": Decimal("117.17000"),
    }
    assert sorted(name.replace("_en", "_zh") for name in english) == sorted(chinese)
