"""What a workbook says about a plan, and every way in which it can be wrong."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook

from coordination.workbooks.plan_sheet import PlanSheet, parse_plan
from tests.coordination.workbooks.sheets import HEADER, edited, line, saved, xlsx_of


def parse(data: bytes, name: str = "plan.xlsx", year: int | None = None) -> PlanSheet:
    return parse_plan(data, file_name=name, year=year)


def found(plan: PlanSheet) -> list[tuple[str, str]]:
    return [(problem.code, problem.cell) for problem in plan.problems]


def test_parse_example_gives_21_lines_and_24_events(example: bytes) -> None:
    plan = parse(example)

    assert (len(plan.lines), plan.count, plan.target, plan.year) == (21, 24, 24, 2024)
    assert plan.title == "京津冀国家高新区联盟2024年计划"
    assert plan.work_areas == [
        "搭建常态化沟通交流平台",
        "积极参与中关村论坛",
        "组织科技创新合作促进科技成果区域转化",
        "聚焦“六链五群”促进产业协作",
        "开展战略专题研究",
        "推动资源信息对接",
        "其他（公开报道未列名）",
    ]
    assert found(plan) == [("time_not_understood", "G9")]
    assert not plan.is_refused
    assert plan.problems[0].as_json() | {"message": ""} == {
        "severity": "warning",
        "sheet": "2024年计划",
        "row": 9,
        "column": "G",
        "cell": "G9",
        "code": "time_not_understood",
        "message": "",
    }
    assert "中关村论坛期间" in plan.problems[0].message


def test_parse_example_reads_every_cell(example: bytes) -> None:
    lines = parse(example).lines

    tenth = lines[9]
    assert (tenth.row, tenth.number, tenth.title) == (13, "10", "飞地经济合作座谈会")
    assert tenth.hosts == ("天津滨海高新区管委会", "沧州高新区管委会")
    assert (tenth.place, tenth.type, tenth.time) == ("沧州", "座谈会", "7月上旬")
    assert (tenth.participants, tenth.notes) == ("天津滨海高新区、沧州高新区", "示例")
    assert (lines[8].time, lines[8].whole.start) == ("2024-09-12", date(2024, 9, 12))
    assert (lines[5].hosts, lines[5].whole.start) == (("联盟秘书处", "天津滨海高新区"), None)
    assert [len(line.windows) for line in lines] == [1, 1, 1, 4] + [1] * 17


def test_parse_csv_of_the_plan_carries_areas_down() -> None:
    text = "2024年计划\n序号,工作方面,活动名称,时间\n1,产业协同,对接会,5月\n2,,走访,6月\n"

    plan = parse(text.encode("gb18030"), "plan.csv")

    assert [(each.work_area, each.title) for each in plan.lines] == [
        ("产业协同", "对接会"),
        ("产业协同", "走访"),
    ]
    assert plan.problems == []


def test_parse_columns_in_another_order_and_in_english() -> None:
    header = ("Date", "Event name", "Organiser(s)", "Venue", "No.", "Theme", "Remarks")
    rows = [["2–4 July 2024", "Opening", "Beijing; ITU", "Beijing", 1, "Governance", "open to all"]]

    plan = parse(xlsx_of(rows, title="Work plan 2024", header=header))

    (line,) = plan.lines
    assert (line.title, line.hosts, line.place) == ("Opening", ("Beijing", "ITU"), "Beijing")
    assert (line.number, line.work_area, line.notes) == ("1", "Governance", "open to all")
    assert (line.whole.start, line.whole.end) == (date(2024, 7, 2), date(2024, 7, 4))


def test_parse_area_headings_over_the_whole_width() -> None:
    header = ("序号", "活动名称", "时间")
    rows = [
        ["一、产业协同", None, None],
        [1, "对接会", "5月"],
        ["（二）区域协同"],
        [2, "走访", "6月"],
    ]

    plan = parse(xlsx_of(rows, header=header, merged=("A3:C3",)))

    assert [each.work_area for each in plan.lines] == ["产业协同", "区域协同"]


def test_parse_unmerged_empty_area_beside_merged_ones_is_none() -> None:
    rows = [line(1), line(2, "走访", area=None), line(3, "年会", area=None)]

    plan = parse(xlsx_of(rows, merged=("B3:B4",)))

    assert [each.work_area for each in plan.lines] == ["产业协同", "产业协同", ""]


def test_parse_notes_are_skipped() -> None:
    rows = [
        line(1),
        [None] * 9,
        ["填报单位：联盟秘书处"] + [None] * 8,
        [None, None, None, None, "联系人：张三"] + [None] * 4,
        list(HEADER),
        line(2, "走访"),
    ]

    plan = parse(xlsx_of(rows))

    assert [each.row for each in plan.lines] == [3, 8]
    assert plan.problems == []


@pytest.mark.parametrize(
    ("cells", "column"),
    [({0: 7}, 0), ({1: "产业协同"}, 1), ({6: "5月"}, 6)],
)
def test_parse_row_with_anything_of_a_line_needs_a_name(cells: dict[int, Any], column: int) -> None:
    row: list[Any] = [None] * 9
    for index, value in cells.items():
        row[index] = value

    plan = parse(xlsx_of([line(1), row]))

    assert found(plan) == [("missing_title", "C4")]
    assert plan.is_refused


def test_parse_row_in_a_merged_area_needs_a_name() -> None:
    row = [None, None, None, "会议", "联盟秘书处", "北京", None, None, None]

    plan = parse(xlsx_of([line(1), row], merged=("B3:B4",)))

    assert found(plan) == [("missing_title", "C4")]


def test_parse_bad_cells_are_all_named() -> None:
    rows = [
        line(1, "一", "2月30日"),
        line(1, "二", "9月21日至9月20日"),
        line(2, "题" * 201, "2023年5月"),
        line(3, "题" * 200, place="地" * 301),
        line(4, hosts="单" * 201),
        line(5, time="5月14日（周三）"),
        line(6, time="每月", notes="全年10场"),
    ]

    plan = parse(xlsx_of(rows))

    assert found(plan) == [
        ("no_such_date", "G3"),
        ("end_before_start", "G4"),
        ("duplicate_number", "A4"),
        ("title_too_long", "C5"),
        ("other_year", "G5"),
        ("text_too_long", "F6"),
        ("text_too_long", "E7"),
        ("weekday_differs", "G8"),
        ("count_uneven", "G9"),
    ]
    assert [problem.severity.value for problem in plan.problems] == ["error"] * 7 + ["warning"] * 2
    assert all(problem.message for problem in plan.problems)


def test_parse_without_header_is_refused() -> None:
    rows = [line(1), line(2, "走访")]

    assert found(parse(xlsx_of(rows, header=()))) == [("no_header", "")]
    assert found(parse(b"hello", "plan.csv")) == [("no_header", "")]


def test_parse_without_lines_is_refused() -> None:
    assert found(parse(xlsx_of([]))) == [("no_lines", "")]


def test_parse_unreadable_file_is_one_problem() -> None:
    plan = parse(b"PK\x03\x04", year=2024)

    assert (found(plan), plan.is_refused, plan.lines) == ([("damaged", "")], True, [])


def test_parse_5000_lines_is_the_most() -> None:
    text = "2024年计划\n活动名称,时间\n" + "走访,5月\n" * 5000

    assert (len(parse(text.encode(), "a.csv").lines), parse(text.encode(), "a.csv").problems) == (
        5000,
        [],
    )
    assert found(parse(f"{text}走访,5月\n".encode(), "a.csv")) == [("too_many_rows", "")]
    assert found(parse(f"{text}{'走访,5月' * 1}\n".encode() * 3, "a.csv")) == [
        ("too_many_rows", "")
    ]


def test_parse_year_comes_from_option_title_note_sheet_or_file() -> None:
    rows = [line(time="5月")]

    def named(sheet: Any) -> None:
        sheet.title = "2022"

    years = [
        parse(xlsx_of(rows, title="2023年计划"), year=2024).year,
        parse(xlsx_of(rows, title="二〇二三年工作计划"), "2024.xlsx").year,
        parse(xlsx_of(rows, title="工作计划", change=named), "2024.xlsx").year,
        parse(xlsx_of(rows, title="工作计划"), "jjj-2024-plan.xlsx").year,
        parse(xlsx_of(rows, title=None), "plan.xlsx").year,
    ]

    assert years == [2024, 2023, 2022, 2024, None]


def test_parse_option_against_title_warns() -> None:
    plan = parse(xlsx_of([line(time="5月")], title="2023年计划"), year=2024)

    assert (found(plan), plan.is_refused) == ([("year_differs", "")], False)


def test_parse_without_year_is_refused_and_still_reads() -> None:
    plan = parse(xlsx_of([line(time="2023年5月"), line(2, "走访", "2月30日")], title="计划"))

    assert found(plan) == [("no_year", ""), ("no_such_date", "G4")]


def test_parse_several_sheets_takes_the_one_of_the_year() -> None:
    book = Workbook()
    book.worksheets[0].append(["说明"])
    for year in (2023, 2024):
        sheet = book.create_sheet(f"{year}年计划")
        for row in ([f"{year}年计划"], HEADER, line(1, f"{year}年会", "5月")):
            sheet.append(row)

    wanted = parse(saved(book), year=2024)
    first = parse(saved(book))

    assert (wanted.sheet, wanted.lines[0].title) == ("2024年计划", "2024年会")
    assert [(p.code, p.sheet) for p in wanted.problems] == [("other_sheet", "2023年计划")]
    assert (first.sheet, first.year) == ("2023年计划", 2023)


def test_parse_two_time_columns_are_a_range() -> None:
    header = ("活动名称", "开始时间", "结束时间")
    rows = [
        ["一", datetime(2024, 5, 14), datetime(2024, 5, 16)],
        ["二", "5月", "6月"],
        ["三", datetime(2024, 5, 14), datetime(2024, 5, 14)],
        ["四", None, "6月"],
    ]

    lines = parse(xlsx_of(rows, header=header)).lines

    assert [(each.time, each.whole.start, each.whole.end) for each in lines] == [
        ("2024-05-14至2024-05-16", date(2024, 5, 14), date(2024, 5, 16)),
        ("5月至6月", date(2024, 5, 1), date(2024, 6, 30)),
        ("2024-05-14", date(2024, 5, 14), date(2024, 5, 14)),
        ("6月", date(2024, 6, 1), date(2024, 6, 30)),
    ]


def test_parse_header_of_two_rows() -> None:
    header = ("序号", "活动名称", "时间", None)
    rows = [[None, None, "开始", "结束"], [1, "走访", "5月", "6月"]]

    plan = parse(xlsx_of(rows, header=header, merged=("A2:A3", "B2:B3", "C2:D2")))

    assert [(each.title, each.time) for each in plan.lines] == [("走访", "5月至6月")]


@pytest.mark.parametrize("unit", ["(", "一", ")", "=", "，", "计划", "主办："])
def test_parse_endless_cells_is_quick(unit: str) -> None:
    text = unit * (30_000 // len(unit))
    rows = f"序号,活动名称,时间,备注\n{text},走访,{text},{text}\n".encode()

    plan = parse(f"{text}2024年计划\n".encode() + rows, "plan.csv")

    assert plan.year == 2024
    assert "text_too_long" in {problem.code for problem in plan.problems}


def test_parse_formula_text_stays_text(example: bytes) -> None:
    def put(sheet: Any) -> None:
        sheet["C5"] = '=HYPERLINK("http://x")'
        sheet["I5"] = "@cmd|' /C calc'!A0"

    row = parse(edited(example, put)).lines[1]

    assert (row.title, row.notes) == ('=HYPERLINK("http://x")', "@cmd|' /C calc'!A0")


def test_parse_copied_uid_makes_a_new_line() -> None:
    uid = "0b1f6f0e-8a4d-4d5e-9c3b-6a0f5f0a7d11"
    rows = [[*line(1), uid], [*line(2, "走访"), uid], [*line(3, "年会"), "not a uid"]]

    plan = parse(xlsx_of(rows, header=(*HEADER, "uid")))

    assert [each.uid for each in plan.lines] == [uid, "", ""]
    assert (found(plan), plan.is_refused) == ([("duplicate_uid", "J4")], False)
