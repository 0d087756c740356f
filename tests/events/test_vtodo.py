"""VTODO text: bytes, states, zones, and what a parser reads back."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.calendar_event import Span, Words
from events.models.duty import DutyKind
from events.vtodo import TASKS, DutyValues, summary_of, vtodo

DUTY = DutyValues(
    uid="0190f3a4-0000-7000-8000-0000000000d1",
    kind="name_delegates",
    version=3,
    created_at=datetime(2024, 4, 1, 1, 0, tzinfo=UTC),
    changed_at=datetime(2024, 4, 2, 3, 4, 5, 678901, tzinfo=UTC),
    due_at=datetime(2024, 5, 7, 9, 0, tzinfo=UTC),
    done_at=None,
    zone="Asia/Shanghai",
    organization=Words(zh="沧州高新区", en="Cangzhou"),
    event_uid="0190f3a4-0000-7000-8000-000000000001",
    event_state="confirmed",
    event_title=Words(zh="走进天津天开园", en="A visit to Tiankai Park"),
    event_span=Span(
        starts=datetime(2024, 5, 14, 9, 30),
        ends=datetime(2024, 5, 14, 11, 30),
        zone="Asia/Shanghai",
    ),
    home_zone="Asia/Shanghai",
    organizer=Words(zh="京津冀国家高新区联盟秘书处", en="JJJ Secretariat"),
    organizer_uri="mailto:coordination@example.org",
    url="https://example.org/events/0190f3a4-0000-7000-8000-000000000001/",
)


def parsed(values: DutyValues, language: str = "zh-hans"):
    component = icalendar.Todo.from_ical(vtodo(values, language=language))
    assert component.errors == []
    return component


def test_vtodo_of_an_open_duty_is_these_lines() -> None:
    assert vtodo(DUTY, language="zh-hans").replace("\r\n ", "").split("\r\n") == [
        "BEGIN:VTODO",
        "UID:0190f3a4-0000-7000-8000-0000000000d1",
        "DTSTAMP:20240402T030405Z",
        "CREATED:20240401T010000Z",
        "LAST-MODIFIED:20240402T030405Z",
        "SEQUENCE:2",
        "STATUS:NEEDS-ACTION",
        "DUE;TZID=Asia/Shanghai:20240507T170000",
        "SUMMARY:报送参会名单：走进天津天开园",
        "DESCRIPTION:责任单位：沧州高新区\\n"
        "活动时间：2024年5月14日09:30–11:30（北京时间，UTC+8）\\n"
        "详情：https://example.org/events/0190f3a4-0000-7000-8000-000000000001/",
        "RELATED-TO:0190f3a4-0000-7000-8000-000000000001",
        'ORGANIZER;CN="京津冀国家高新区联盟秘书处":mailto:coordination@example.org',
        "URL:https://example.org/events/0190f3a4-0000-7000-8000-000000000001/",
        "END:VTODO",
        "",
    ]


def test_vtodo_of_a_duty_done_is_completed_with_its_instant() -> None:
    component = parsed(replace(DUTY, done_at=datetime(2024, 5, 6, 2, 30, tzinfo=UTC)))

    assert (component["STATUS"], component["PERCENT-COMPLETE"]) == ("COMPLETED", 100)
    assert component["COMPLETED"].dt == datetime(2024, 5, 6, 2, 30, tzinfo=UTC)


def test_vtodo_of_a_cancelled_event_is_cancelled_unless_it_was_done() -> None:
    component = parsed(replace(DUTY, event_state="cancelled"), "en")
    done = replace(DUTY, event_state="cancelled", done_at=DUTY.changed_at)

    assert component["STATUS"] == "CANCELLED"
    assert component["DESCRIPTION"].split("\n")[0] == (
        "The event is cancelled; nothing needs to be done."
    )
    assert parsed(done)["STATUS"] == "COMPLETED"


def test_vtodo_in_english_without_an_english_title_falls_back_to_chinese() -> None:
    values = replace(DUTY, event_title=Words(zh="走进天津天开园"), event_span=None)

    assert parsed(values, "en")["DESCRIPTION"].split("\n") == [
        "Owed by: Cangzhou",
        f"Details: {DUTY.url}",
    ]
    assert summary_of(values, language="en") == "Name delegates: 走进天津天开园"


def test_due_is_written_on_the_clocks_of_the_reader() -> None:
    values = replace(DUTY, zone="Europe/Madrid")

    assert "DUE;TZID=Europe/Madrid:20240507T110000\r\n" in vtodo(values, language="en")
    assert (values.tzid, values.due_on) == ("Europe/Madrid", date(2024, 5, 7))


@pytest.mark.parametrize(
    ("zone", "due_at"),
    [
        ("UTC", datetime(2024, 5, 7, 9, 0, tzinfo=UTC)),
        ("Europe/Madrid", datetime(2024, 10, 27, 1, 30, tzinfo=UTC)),  # 02:30 the second time
    ],
)
def test_due_that_no_wall_time_names_is_written_in_utc(zone: str, due_at: datetime) -> None:
    values = replace(DUTY, zone=zone, due_at=due_at)

    assert values.tzid == ""
    assert f"DUE:{due_at:%Y%m%dT%H%M%SZ}\r\n" in vtodo(values, language="en")


def test_every_kind_of_duty_has_a_task_in_both_languages() -> None:
    assert sorted(TASKS) == sorted(DutyKind.values)
    assert all(task.zh and task.en for task in TASKS.values())


@given(
    title=st.text(max_size=200),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Madrid", "Asia/Kathmandu", "UTC"]),
    due_at=st.datetimes(
        datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(ZoneInfo("UTC"))
    ),
)
def test_vtodo_of_any_title_and_deadline_comes_back_from_a_parser(
    title: str, zone: str, due_at: datetime
) -> None:
    values = replace(DUTY, event_title=Words(zh=title), zone=zone, due_at=due_at)
    text = vtodo(values, language="zh-hans")
    due = icalendar.Todo.from_ical(text)["DUE"].dt
    wall = due.replace(tzinfo=None)

    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert vtodo(values, language="zh-hans") == text
    assert due.replace(tzinfo=due.tzinfo).astimezone(UTC) == due_at.replace(microsecond=0)
    assert wall.second == due_at.second
