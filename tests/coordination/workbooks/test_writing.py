"""Exported workbooks: the secretariat's layout, and nothing that Excel would calculate."""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from alliances.drafting import Line, revise_item
from alliances.models import Plan, PlanItem
from alliances.time_spans import Precision, Window
from alliances.windows import UNKNOWN, read_window
from coordination.accounts.viewer import PUBLIC, SYSTEM
from coordination.workbooks.importing import import_plan, preview_import
from coordination.workbooks.writing import file_name, write_plan
from coordination.workbooks.written import words_for
from tests.coordination.workbooks.sheets import HEADER, line, xlsx_of
from tests.factories import Cast, make_line, make_plan, make_work_area, window

AT = datetime(2028, 1, 15, 2, tzinfo=UTC)


def opened(data: bytes) -> Any:
    return load_workbook(BytesIO(data)).worksheets[0]


def test_write_example_keeps_the_layout(cast: Cast, example: bytes) -> None:
    import_plan(example, file_name="p.xlsx", alliance=cast.alliance, viewer=cast.secretary, at=AT)
    plan = Plan.objects.get()
    original, sheet = opened(example), opened(write_plan(plan, viewer=cast.secretary))

    assert sheet.title == original.title
    for row in range(1, 25):
        for column in range(1, 10):
            if (row, column) not in ((12, 7), (9, 5)):
                assert sheet.cell(row, column).value == original.cell(row, column).value
    assert (sheet["G12"].value, sheet["E9"].value) == ("2024-09-12", "联盟秘书处、天津滨海高新区")
    ranges = {str(cells) for cells in original.merged_cells.ranges}
    assert {str(cells) for cells in sheet.merged_cells.ranges} == ranges
    assert tuple(sheet.cell(3, column).value for column in range(1, 10)) == HEADER
    assert sheet.column_dimensions["J"].hidden
    assert sheet["J4"].value == str(PlanItem.objects.get(number="1").uid)
    assert file_name(plan) == "jjj-2024-plan.xlsx"


def test_write_formulas_as_text(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    make_line(plan, "=1+1", notes="@SUM(A1)", place_text="-2+3", participants_text="+1")

    sheet = opened(write_plan(plan, viewer=cast.secretary))

    cells = [sheet[name] for name in ("C3", "I3", "F3", "H3")]
    assert [cell.value for cell in cells] == ["=1+1", "@SUM(A1)", "-2+3", "+1"]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells)


def test_write_lines_made_on_pages_and_read_them_again(cast: Cast) -> None:
    plan = make_plan(cast.alliance, target_number=5)
    area = make_work_area(plan, "甲")
    make_line(plan, "无方面")
    make_line(plan, "一天", window("2028-05-14"), work_area=area, number="007")
    make_line(plan, "多场", window("2028-03-01"), window("2028-06-01"), work_area=area)
    make_line(plan, "旬", window("2028-05-11", "2028-05-20", "ten_days"), hosts=(cast.host,))
    make_line(plan, "多行", notes="第一行\r\n第二行")

    data = write_plan(plan, viewer=cast.secretary)
    answer = preview_import(data, file_name="p.xlsx", alliance=cast.alliance, viewer=cast.secretary)

    assert {str(m.item): m.cells for m in answer.matches if m.cells} == {
        "一天": {"number": ("007", "7")}
    }
    assert (answer.plan_values, answer.problems) == ({}, [])


def test_write_words_of_a_time_that_was_changed_since(cast: Cast) -> None:
    import_plan(
        xlsx_of([line(1, time="5月中旬")]),
        file_name="p.xlsx",
        alliance=cast.alliance,
        viewer=cast.secretary,
        at=AT,
    )
    item = PlanItem.objects.get()
    changed = Line({"windows": [window("2024-06-03")]}, (), item.work_area)
    revise_item(item, changed, viewer=SYSTEM, at=AT)

    assert opened(write_plan(item.plan, viewer=cast.secretary))["G3"].value == "6月3日"


def test_write_only_what_the_viewer_sees(cast: Cast) -> None:
    plan = make_plan(cast.alliance, state="published")
    make_line(plan, "只给秘书处", reason="补充")

    public = opened(write_plan(plan, viewer=PUBLIC))
    inside = opened(write_plan(plan, viewer=cast.secretary))

    assert [public.max_row, inside.max_row] == [3, 4]


def days(first: date, last: date, precision: str = "day") -> Window:
    return Window(first, last, Precision(precision))


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        ([UNKNOWN], "待定"),
        ([UNKNOWN] * 3, "待定，共3场"),
        ([days(date(2028, 5, 14), date(2028, 5, 14))], "5月14日"),
        ([days(date(2028, 12, 28), date(2029, 1, 3))], "12月28日至次年1月3日"),
        ([days(date(2029, 1, 1), date(2029, 1, 10), "ten_days")], "次年1月上旬"),
        ([days(date(2029, 1, 3), date(2029, 1, 5))], "次年1月3日至1月5日"),
        ([days(date(2028, 2, 21), date(2028, 2, 29), "ten_days")], "2月下旬"),
        ([days(date(2028, 5, 16), date(2028, 5, 31), "ten_days")], "5月下半月"),
        ([days(date(2028, 5, 21), date(2028, 6, 10), "ten_days")], "5月下旬至6月上旬"),
        ([days(date(2028, 5, 1), date(2028, 5, 31), "month")], "5月"),
        ([days(date(2028, 5, 1), date(2028, 6, 30), "month")], "5月至6月"),
        ([days(date(2028, 4, 1), date(2028, 6, 30), "quarter")], "第二季度"),
        ([days(date(2028, 4, 1), date(2028, 9, 30), "quarter")], "第二季度至第三季度"),
        ([days(date(2028, 1, 1), date(2028, 6, 30), "half_year")], "上半年"),
        ([days(date(2028, 1, 1), date(2028, 12, 31), "year")], "全年"),
        ([days(date(2028, 1, 1), date(2028, 12, 31), "year")] * 2, "全年，共2场"),
    ],
)
def test_words_for_windows_read_back(windows: list[Window], words: str) -> None:
    assert words_for(windows, year=2028) == words
    assert read_window(words, year=2028).windows == tuple(windows)


@given(
    st.lists(
        st.builds(
            lambda first, length: (first, length),
            st.dates(date(2028, 1, 1), date(2028, 11, 30)),
            st.integers(0, 20),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_words_for_any_days_read_back(spans: list[tuple[date, int]]) -> None:
    windows = [days(first, date.fromordinal(first.toordinal() + length)) for first, length in spans]

    assert read_window(words_for(windows, year=2028), year=2028).windows == tuple(windows)
