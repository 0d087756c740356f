"""Headers as people write them."""

from __future__ import annotations

import pytest

from coordination.workbooks.headers import Column, find_header, meaning
from coordination.workbooks.reading import Row, Sheet
from tests.coordination.workbooks.sheets import HEADER


def sheet_of(*rows: tuple[str | None, ...]) -> Sheet:
    return Sheet("s", [Row(number, row) for number, row in enumerate(rows, start=1)])


@pytest.mark.parametrize(
    ("words", "column"),
    [
        ("序号", Column.NUMBER),
        ("序 号", Column.NUMBER),
        ("No.", Column.NUMBER),
        ("工作方面", Column.WORK_AREA),
        ("Work area", Column.WORK_AREA),
        ("活 动 名 称", Column.TITLE),
        ("活动（会议）名称", Column.TITLE),
        ("Event name", Column.TITLE),
        ("Title", Column.TITLE),
        ("活动类型", Column.TYPE),
        ("Type of event", Column.TYPE),
        ("主办/承办单位", Column.HOSTS),
        ("主办／承办单位", Column.HOSTS),
        ("牵头单位", Column.HOSTS),
        ("Organiser(s)", Column.HOSTS),
        ("Host / organizer", Column.HOSTS),
        ("举办地点", Column.PLACE),
        ("Venue", Column.PLACE),
        ("时间（暂定）", Column.TIME),
        ("计划\n时间", Column.TIME),
        ("拟举办时间", Column.TIME),
        ("ＤＡＴＥ", Column.TIME),
        ("结束时间", Column.TIME_END),
        ("参加单位", Column.PARTICIPANTS),
        ("拟邀请参会单位", Column.PARTICIPANTS),
        ("Participants", Column.PARTICIPANTS),
        ("备 注", Column.NOTES),
        ("Remarks", Column.NOTES),
        ("uid", Column.UID),
        ("联盟秘书处季度联席会", None),
        ("注：时间待定的由承办单位于上季度末前报秘书处，活动名称以通知为准。", None),
        ("2024", None),
    ],
)
def test_meaning_of_a_header(words: str, column: Column | None) -> None:
    assert meaning(words) is column


def test_find_header_below_title_and_note() -> None:
    header = find_header(sheet_of(("2024年计划",), ("注：时间待定",), HEADER, ("1", None, "走访")))

    assert header is not None
    assert (header.index, header.row.number) == (2, 3)
    assert header.column(Column.TIME) == 6
    assert header.words(Column.HOSTS) == "主办/承办单位"


def test_find_header_in_any_order_and_two_host_columns() -> None:
    header = find_header(sheet_of(("时间", "主办单位", "活动名称", "承办单位", "别的")))

    assert header is not None
    assert (header.column(Column.TITLE), header.column(Column.HOSTS)) == (2, 1)
    assert list(header.more_hosts) == [3]


def test_find_header_of_two_rows_takes_both() -> None:
    first = Row(2, ("序号", "活动名称", "时间", None, "地点"))
    second = Row(3, ("序号", "活动名称", "开始", "结束", "地点"), frozenset({0, 1, 4}))
    line = Row(4, ("1", "走访", "5月", "6月", "北京"))

    header = find_header(Sheet("s", [Row(1, ("2024年计划",)), first, second, line]))

    assert header is not None
    assert (header.index, header.column(Column.TIME), header.column(Column.TIME_END)) == (2, 2, 3)
    assert (header.column(Column.TITLE), header.column(Column.PLACE)) == (1, 4)


def test_find_header_without_a_name_finds_none() -> None:
    assert find_header(sheet_of(("序号", "时间", "地点"), ("1", "5月", "北京"))) is None
    assert find_header(sheet_of(("活动名称",), ("走访",))) is None
    assert find_header(Sheet("empty")) is None
