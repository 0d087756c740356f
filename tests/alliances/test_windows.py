"""What secretariats write in the time column, and what it means in 2024."""

from __future__ import annotations

import re
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliances import time_spans
from alliances.windows import (
    UNKNOWN,
    Precision,
    ReadWindow,
    TimeCode,
    TimeProblem,
    Window,
    read_window,
)


@pytest.mark.parametrize(
    "written", ["", "  ", "待定", "待 定", "时间待定", "TBD", "tbc", "未定", "—", "/"]
)
def test_read_nothing_said_is_unknown_without_warning(written: str) -> None:
    assert read_window(written, year=2024) == ReadWindow((UNKNOWN,))


@pytest.mark.parametrize(
    "written",
    [
        "中关村论坛期间",
        "春节前后",
        "适时",
        "6月底前",
        "5月14日前后",
        "05/06/2024",
        "13/5",
        "3月或9月",
        "9:30",
    ]
    + ["2024年2025年5月", "上半年下半年", "5月第二季度", "第二季度5月", "5月14日14日", "14日至16日"]
    + [
        "5月14日9:00 10:00",
        "上旬至中旬",
        "5月14日至16日至18日",
        "5月中旬至7",
        "每月第一周",
        "一百场",
    ]
    + ["5月 每月 6月", "每月 3月、9月", "12月31日每月"]
    + ["5月14日人大会议后", "14日", "上旬", "5-6", "Spring", "=1+1", "每周一", "5月14日 5月16日"],
)
def test_read_other_words_warns_and_stays_unknown(written: str) -> None:
    read = read_window(written, year=2024)

    assert read == ReadWindow((UNKNOWN,), (TimeProblem(TimeCode.NOT_UNDERSTOOD, written),))
    assert not TimeCode.NOT_UNDERSTOOD.is_error


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("2月30日", "no_such_date"),
        ("２月３０日", "no_such_date"),
        ("13月5日", "no_such_date"),
        ("13月", "no_such_date"),
        ("13、14月", "no_such_date"),
        ("5月0日", "no_such_date"),
        ("5月40", "no_such_date"),
        ("第一、五季度", "no_such_date"),
        ("每月0日", "no_such_date"),
        ("6月31日", "no_such_date"),
        ("4月25—31日", "no_such_date"),
        ("2024/2/30", "no_such_date"),
        ("2024-02-30", "no_such_date"),
        ("30 February 2024", "no_such_date"),
        ("第五季度", "no_such_date"),
        ("每月32日", "no_such_date"),
        ("5月14日25:30", "no_such_date"),
        ("9月21日至9月20日", "end_before_start"),
        ("6—5月", "end_before_start"),
        ("12月28日至1月3日", "end_before_start"),
        ("下半年至上半年", "end_before_start"),
        ("5月14日11:30-9:30", "end_before_start"),
        ("2023年5月14日", "other_year"),
        ("2025-05-14", "other_year"),
        ("May 2023", "other_year"),
        ("去年12月", "other_year"),
        ("2025年1月", "other_year"),
        ("2024年5月至2026年5月", "other_year"),
    ],
)
def test_read_impossible_time_is_an_error(written: str, code: str) -> None:
    read = read_window(written, year=2024)

    assert read == ReadWindow((UNKNOWN,), (TimeProblem(TimeCode(code), written),))
    assert TimeCode(code).is_error


def test_read_29_february_in_a_common_year_is_an_error() -> None:
    read = read_window("2月29日", year=2023)

    assert read.problems == (TimeProblem(TimeCode.NO_SUCH_DATE, "2月29日"),)


QUARTER_ENDS = [("03-21", "03-31"), ("06-21", "06-30"), ("09-21", "09-30"), ("12-21", "12-31")]


@pytest.mark.parametrize(
    ("written", "notes"),
    [
        ("每季度末", "示例；全年4场"),
        ("每季度末", ""),
        ("每季度末 全年4场", ""),
        ("每季度末（全年4场）", ""),
        ("每季度末，4场", ""),
        ("各季度末", "共4次"),
        ("季度末", ""),
        ("end of each quarter", ""),
        ("quarter-end", ""),
    ],
)
def test_read_every_quarters_end_gives_four_windows(written: str, notes: str) -> None:
    read = read_window(written, year=2024, notes=notes)

    assert [(f"{w.start:%m-%d}", f"{w.end:%m-%d}") for w in read.windows] == QUARTER_ENDS
    assert {window.precision for window in read.windows} == {Precision.TEN_DAYS}
    assert read.problems == ()


@pytest.mark.parametrize(
    ("written", "notes", "count", "first", "last"),
    [
        ("每月", "", 12, "01-01..01-31", "12-01..12-31"),
        ("每月一次", "", 12, "01-01..01-31", "12-01..12-31"),
        ("每月两次", "", 24, "01-01..01-31", "12-01..12-31"),
        ("每月", "全年6场", 6, "01-01..01-31", "11-01..11-30"),
        ("monthly", "", 12, "01-01..01-31", "12-01..12-31"),
        ("每月15日", "", 12, "01-15..01-15", "12-15..12-15"),
        ("每月31日", "", 12, "01-31..01-31", "12-31..12-31"),
        ("每月底", "", 12, "01-21..01-31", "12-21..12-31"),
        ("3—12月每月", "", 10, "03-01..03-31", "12-01..12-31"),
        ("每季度", "", 4, "01-01..03-31", "10-01..12-31"),
        ("每季度2场", "", 8, "01-01..03-31", "10-01..12-31"),
        ("每季度", "全年8场", 8, "01-01..03-31", "10-01..12-31"),
        ("quarterly (4 events)", "", 4, "01-01..03-31", "10-01..12-31"),
        ("每半年", "", 2, "01-01..06-30", "07-01..12-31"),
        ("全年", "全年4场", 4, "01-01..12-31", "01-01..12-31"),
        ("全年3场", "", 3, "01-01..12-31", "01-01..12-31"),
        ("上半年2场", "", 2, "01-01..06-30", "01-01..06-30"),
        ("3月、9月", "", 2, "03-01..03-31", "09-01..09-30"),
        ("3、6、9、12月", "", 4, "03-01..03-31", "12-01..12-31"),
        ("7月、8月，2场", "", 2, "07-01..07-31", "08-01..08-31"),
        ("第一、三季度", "", 2, "01-01..03-31", "07-01..09-30"),
        ("5月14日、6月20日", "", 2, "05-14..05-14", "06-20..06-20"),
    ],
)
def test_read_several_times_gives_a_window_for_each(
    written: str, notes: str, count: int, first: str, last: str
) -> None:
    read = read_window(written, year=2024, notes=notes)

    ends = [f"{w.start:%m-%d}..{w.end:%m-%d}" for w in (read.windows[0], read.windows[-1])]
    assert (len(read.windows), *ends) == (count, first, last)
    assert read.problems == ()


def test_read_count_that_does_not_divide_warns() -> None:
    read = read_window("每月", year=2024, notes="全年10场")

    assert len(read.windows) == 10
    assert read.problems == (TimeProblem(TimeCode.COUNT_UNEVEN, "10"),)


def test_read_count_beyond_the_days_of_a_year_warns_and_is_left_out() -> None:
    reads = [read_window(words, year=2024) for words in ("全年9999场", "每月 共9999场")]

    assert [len(read.windows) for read in reads] == [1, 12]
    assert {read.problems for read in reads} == {(TimeProblem(TimeCode.COUNT_TOO_LARGE, "9999"),)}


def test_read_remarks_about_a_day_do_not_multiply_it() -> None:
    read = read_window("5月14日", year=2024, notes="全年4场，此为第1场")

    assert len(read.windows) == 1


def test_read_unknown_time_with_a_count_gives_that_many_unknown_windows() -> None:
    assert read_window("待定，共3场", year=2024).windows == (UNKNOWN,) * 3
    assert read_window("待定", year=2024, notes="全年3场").windows == (UNKNOWN,) * 3


def test_read_wrong_weekday_warns_and_keeps_the_day() -> None:
    read = read_window("5月14日（周三）", year=2024)

    assert read.windows == (time_spans.day(date(2024, 5, 14)),)
    assert read.problems == (TimeProblem(TimeCode.WEEKDAY_DIFFERS, "5月14日（周三）"),)


def test_read_date_cells_give_their_day() -> None:
    cells = [datetime(2024, 9, 12), date(2024, 9, 12), 45547, 45547.0]

    reads = {read_window(cell, year=2024) for cell in cells}

    assert reads == {ReadWindow((time_spans.day(date(2024, 9, 12)),))}


def test_read_date_cell_with_a_time_keeps_it() -> None:
    read = read_window(datetime(2024, 9, 12, 9, 30, 0, 4), year=2024)

    assert read.windows == (time_spans.day(date(2024, 9, 12), time(9, 30)),)


def test_read_date_cell_of_another_year_is_an_error() -> None:
    read = read_window(datetime(2023, 9, 12), year=2024)

    assert read.problems == (TimeProblem(TimeCode.OTHER_YEAR, "2023-09-12"),)


def test_read_number_cells_take_only_what_is_certain() -> None:
    reads = [read_window(cell, year=2024) for cell in (5.14, 5.1, 5, time(9, 30), None, True)]

    assert [read.windows[0].start for read in reads] == [date(2024, 5, 14)] + [None] * 5
    assert [len(read.problems) for read in reads] == [0, 1, 1, 1, 0, 0]


def test_whole_spans_from_first_to_last() -> None:
    whole = read_window("每季度末", year=2024).whole

    assert whole == Window(date(2024, 3, 21), date(2024, 12, 31), Precision.TEN_DAYS)


PIECES = re.split(
    " ",
    "年 月 日 号 上旬 中旬 下旬 初 底 季度 第 上半年 全年 每 至 - ~ 、 , ( ) （ 次年 待定 周三"
    " 上午 : 点 半 场 一 二 十 〇 0 1 2 5 14 30 31 2024 2025 may mid- q2 pm end of / . 末 或 共",
)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.integers(1990, 2098))
def test_read_any_heap_of_time_words_answers_sanely(written: str, year: int) -> None:
    read = read_window(written, year=year)

    _check(read, year)


@given(st.one_of(st.text(max_size=250), st.floats(), st.integers(), st.dates(), st.datetimes()))
def test_read_anything_at_all_never_fails(written: str | float | date) -> None:
    _check(read_window(written, year=2024, notes=str(written)), 2024)


def _check(read: ReadWindow, year: int) -> None:
    assert 1 <= len(read.windows) <= 366 * 2
    for window in read.windows:
        known = (window.start is not None, window.end is not None)
        assert known in ((True, True), (False, False))
        assert (window.precision == Precision.UNKNOWN) == (window.start is None)
        if window.start and window.end:
            assert window.start <= window.end
            assert year <= window.start.year <= window.end.year <= year + 1
    if any(problem.code.is_error for problem in read.problems):
        assert read.windows == (UNKNOWN,)


@given(st.dates(date(2024, 1, 1), date(2024, 12, 31)))
def test_read_any_day_in_any_writing_gives_that_day(day: date) -> None:
    writings = [
        f"{day.month}月{day.day}日",
        f"{day:%Y-%m-%d}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.day} {day:%B} {day.year}",
        f"{day:%b} {day.day}",
        f"{day:%Y%m%d}",
        f"{day.month}.{day.day}",
        f"{day.month}/{day.day}",
    ]

    assert {read_window(words, year=2024) for words in writings} == {
        ReadWindow((time_spans.day(day),))
    }


@given(
    st.dates(date(2024, 1, 1), date(2024, 12, 31)), st.dates(date(2024, 1, 1), date(2024, 12, 31))
)
def test_read_any_range_of_days_gives_both_ends_or_refuses(first: date, last: date) -> None:
    read = read_window(f"{first.month}月{first.day}日至{last.month}月{last.day}日", year=2024)

    if first <= last:
        assert read.windows == (Window(first, last, Precision.DAY),)
    else:
        assert [problem.code for problem in read.problems] == [TimeCode.END_BEFORE_START]
