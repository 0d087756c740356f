"""Titles and descriptions that come back: only what a person wrote is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.calendar_event import (
    CalendarEvent,
    Level,
    Words,
    describe_event,
    mark_title,
)
from events.unframing import split_mark, written_description
from tests.events.test_vevent import EVENT

ZH, EN = "zh-hans", "en"
WRITTEN = "请各单位参加。\n\n名单请于5月20日前报送"
PLAIN = replace(EVENT, description=Words(zh=WRITTEN, en="All are welcome."))
NOTED = replace(PLAIN, notes="预算待批\n\n王处长已阅", state="postponed", reason="会场检修")


def kept(text: str, event: CalendarEvent | None = PLAIN, **chosen: Any) -> str:
    values: dict[str, Any] = {"language": ZH, "level": Level.SECRETARIAT} | chosen
    return written_description(text, event=event, **values)


def shown(event: CalendarEvent = PLAIN, language: str = ZH) -> str:
    return describe_event(event, language=language, level=Level.SECRETARIAT)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("座谈会", ("座谈会", "")),
        ("【延期】座谈会", ("座谈会", "postponed")),
        ("【已取消】 座谈会", ("座谈会", "cancelled")),
        ("Postponed: A visit", ("A visit", "postponed")),
        ("Cancelled: 【延期】A visit", ("A visit", "cancelled")),
        ("【延期】", ("", "postponed")),
        ("关于【延期】的说明", ("关于【延期】的说明", "")),
    ],
)
def test_mark_is_split_from_the_title(title: str, expected: tuple[str, str]) -> None:
    assert split_mark(title) == expected


@pytest.mark.parametrize("state", ["planned", "scheduled", "confirmed", "postponed", "cancelled"])
@pytest.mark.parametrize("language", [ZH, EN])
@pytest.mark.parametrize("level", list(Level))
def test_what_was_shown_gives_what_was_written(state: str, language: str, level: Level) -> None:
    event = replace(NOTED, state=state, previous=None if state == "planned" else NOTED.span)
    text = describe_event(event, language=language, level=level)

    assert kept(text, event, language=language, level=level) == event.description.text(language)
    assert split_mark(mark_title(event, language=language))[0] == event.title.text(language)


def test_edit_of_the_written_part_is_kept_alone() -> None:
    assert kept(shown().replace("请各单位", "请成员单位")) == WRITTEN.replace(
        "请各单位", "请成员单位"
    )


def test_line_after_the_facts_is_kept() -> None:
    assert kept(shown() + "\n\n请带身份证") == f"{WRITTEN}\n\n请带身份证"


def test_written_part_cleared_is_empty() -> None:
    assert kept(shown().replace(WRITTEN, "")) == ""
    assert kept("") == ""


def test_facts_deleted_leave_what_was_written() -> None:
    assert kept(WRITTEN) == WRITTEN
    assert kept("全新的内容") == "全新的内容"


def test_fact_that_was_edited_is_no_part_of_the_description() -> None:
    assert kept(shown().replace("09:30–11:30", "10:00–12:00")) == WRITTEN


@pytest.mark.parametrize("edit", ["预算待批，另议", "预算"])
def test_notes_that_were_edited_never_get_into_the_description(edit: str) -> None:
    text = shown(NOTED).replace("预算待批", edit)

    assert kept(text, NOTED) == WRITTEN


def test_notes_moved_out_of_the_facts_are_left_out() -> None:
    assert kept("内部备注：预算\n其余", PLAIN) == "其余"


def test_line_that_a_person_wrote_with_our_label_stays() -> None:
    event = replace(PLAIN, description=Words(zh="时间：下午集合\n地点另告"))

    assert kept(shown(event), event) == "时间：下午集合\n地点另告"
    assert kept(shown(event).replace("另告", "已定"), event) == "时间：下午集合\n地点已定"


@pytest.mark.parametrize("language", [ZH, EN])
def test_copy_of_an_entry_as_a_new_event_keeps_what_was_written(language: str) -> None:
    text = shown(NOTED, language)
    written = NOTED.description.text(language)

    assert kept(text, None, language=language) == written


def test_description_of_a_new_event_stays_as_it_is() -> None:
    text = "时间：下午集合\n\n原因：例会\n详情：https://example.com/"

    assert kept(text, None) == text


@given(written=st.text(alphabet=st.sampled_from("请各单位参加:：\n ab。"), max_size=60))
def test_any_written_text_comes_back_from_what_was_shown(written: str) -> None:
    event = replace(NOTED, description=Words(zh=written), previous=NOTED.span)
    lines = "\n".join(line.rstrip() for line in written.strip().split("\n"))

    assert kept(shown(event), event) == lines.strip()
