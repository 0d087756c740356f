"""Words for single times, and the days that they mean in 2024."""

from __future__ import annotations

from datetime import date, time

import pytest

from alliances.windows import (
    Precision,
    ReadWindow,
    Window,
    read_window,
)

ONE_WINDOW = [
    ("5月14日", "05-14", "05-14", "day"),
    ("2024/5/14", "05-14", "05-14", "day"),
    ("2024.5.14", "05-14", "05-14", "day"),
    ("2024. 5. 14", "05-14", "05-14", "day"),
    ("2024-05-14", "05-14", "05-14", "day"),
    ("20240514", "05-14", "05-14", "day"),
    ("2024-05-14 00:00:00", "05-14", "05-14", "day"),
    ("2024年5月14日", "05-14", "05-14", "day"),
    ("2024 年 5 月 14 日", "05-14", "05-14", "day"),
    ("24年5月14日", "05-14", "05-14", "day"),
    ("５月１４日", "05-14", "05-14", "day"),
    ("五月十四日", "05-14", "05-14", "day"),
    ("二〇二四年五月十四日", "05-14", "05-14", "day"),
    ("十二月二十日", "12-20", "12-20", "day"),
    ("5月14号", "05-14", "05-14", "day"),
    ("5月14日（周二）", "05-14", "05-14", "day"),
    ("5月14日 星期二", "05-14", "05-14", "day"),
    ("5月14日(暂定)", "05-14", "05-14", "day"),
    ("拟于5月14日召开", "05-14", "05-14", "day"),
    ("5月14日（第二届论坛期间）", "05-14", "05-14", "day"),
    ("中关村论坛期间（4月25日）", "04-25", "04-25", "day"),
    ("5月14日上午", "05-14", "05-14", "day"),
    ("5.14", "05-14", "05-14", "day"),
    ("5/14", "05-14", "05-14", "day"),
    ("14/05/2024", "05-14", "05-14", "day"),
    ("05/14/2024", "05-14", "05-14", "day"),
    ("45426", "05-14", "05-14", "day"),
    ("14 May 2024", "05-14", "05-14", "day"),
    ("14th May", "05-14", "05-14", "day"),
    ("May 14, 2024", "05-14", "05-14", "day"),
    ("Tuesday, 14 May 2024", "05-14", "05-14", "day"),
    ("Sept. 3", "09-03", "09-03", "day"),
    ("2月29日", "02-29", "02-29", "day"),
    ("9月20日至9月21日", "09-20", "09-21", "day"),
    ("九月二十日至二十一日", "09-20", "09-21", "day"),
    ("4月25—29日", "04-25", "04-29", "day"),
    ("4月25日-29日", "04-25", "04-29", "day"),
    ("4月25日~5月2日", "04-25", "05-02", "day"),
    ("4月25日到29日", "04-25", "04-29", "day"),
    ("2024.4.25-4.29", "04-25", "04-29", "day"),
    ("4.25-29", "04-25", "04-29", "day"),
    ("2024-04-25/2024-04-29", "04-25", "04-29", "day"),
    ("11月8日（周五）－9日（周六）", "11-08", "11-09", "day"),
    ("5月14日、15日", "05-14", "05-15", "day"),
    ("2–4 July 2024", "07-02", "07-04", "day"),
    ("2 to 4 July", "07-02", "07-04", "day"),
    ("July 2–4, 2024", "07-02", "07-04", "day"),
    ("28 June – 2 July 2024", "06-28", "07-02", "day"),
    ("June 28 – July 2, 2024", "06-28", "07-02", "day"),
    ("5月上旬", "05-01", "05-10", "ten_days"),
    ("5月中旬", "05-11", "05-20", "ten_days"),
    ("5月下旬", "05-21", "05-31", "ten_days"),
    ("2月下旬", "02-21", "02-29", "ten_days"),
    ("６月中旬", "06-11", "06-20", "ten_days"),
    ("5月初", "05-01", "05-10", "ten_days"),
    ("5月底", "05-21", "05-31", "ten_days"),
    ("6月末", "06-21", "06-30", "ten_days"),
    ("5月（中旬）", "05-11", "05-20", "ten_days"),
    ("5月中旬左右", "05-11", "05-20", "ten_days"),
    ("5月中下旬", "05-11", "05-31", "ten_days"),
    ("5月上半月", "05-01", "05-15", "ten_days"),
    ("5月底6月初", "05-21", "06-10", "ten_days"),
    ("5月底至6月初", "05-21", "06-10", "ten_days"),
    ("5月中旬至下旬", "05-11", "05-31", "ten_days"),
    ("mid-May", "05-11", "05-20", "ten_days"),
    ("mid May 2024", "05-11", "05-20", "ten_days"),
    ("Early June", "06-01", "06-10", "ten_days"),
    ("late May", "05-21", "05-31", "ten_days"),
    ("end of May", "05-21", "05-31", "ten_days"),
    ("mid- to late May", "05-11", "05-31", "ten_days"),
    ("mid-May to early June", "05-11", "06-10", "ten_days"),
    ("第二季度末", "06-21", "06-30", "ten_days"),
    ("end of Q2", "06-21", "06-30", "ten_days"),
    ("5月", "05-01", "05-31", "month"),
    ("五月", "05-01", "05-31", "month"),
    ("十二月", "12-01", "12-31", "month"),
    ("5月份", "05-01", "05-31", "month"),
    ("㋄", "05-01", "05-31", "month"),
    ("2024年5月", "05-01", "05-31", "month"),
    ("2024-05", "05-01", "05-31", "month"),
    ("5月（待定）", "05-01", "05-31", "month"),
    ("待定（5月）", "05-01", "05-31", "month"),
    ("5月，具体时间待定", "05-01", "05-31", "month"),
    ("May", "05-01", "05-31", "month"),
    ("May 2024", "05-01", "05-31", "month"),
    ("5—6月", "05-01", "06-30", "month"),
    ("5月-6月", "05-01", "06-30", "month"),
    ("5/6月", "05-01", "06-30", "month"),
    ("5月或6月", "05-01", "06-30", "month"),
    ("七、八月", "07-01", "08-31", "month"),
    ("七八月", "07-01", "08-31", "month"),
    ("7、8、9月", "07-01", "09-30", "month"),
    ("四至六月", "04-01", "06-30", "month"),
    ("May–June", "05-01", "06-30", "month"),
    ("from May to June 2024", "05-01", "06-30", "month"),
    ("年初", "01-01", "01-31", "month"),
    ("年底", "12-01", "12-31", "month"),
    ("岁末", "12-01", "12-31", "month"),
    ("year-end", "12-01", "12-31", "month"),
    ("10月中旬至11月", "10-11", "11-30", "month"),
    ("第二季度", "04-01", "06-30", "quarter"),
    ("二季度", "04-01", "06-30", "quarter"),
    ("第 2 季度", "04-01", "06-30", "quarter"),
    ("2024年第二季度", "04-01", "06-30", "quarter"),
    ("第二、三季度", "04-01", "09-30", "quarter"),
    ("二至三季度", "04-01", "09-30", "quarter"),
    ("Q2", "04-01", "06-30", "quarter"),
    ("Q2 2024", "04-01", "06-30", "quarter"),
    ("Q2–Q3", "04-01", "09-30", "quarter"),
    ("2nd quarter", "04-01", "06-30", "quarter"),
    ("second quarter of 2024", "04-01", "06-30", "quarter"),
    ("上半年", "01-01", "06-30", "half_year"),
    ("2024年下半年", "07-01", "12-31", "half_year"),
    ("H1", "01-01", "06-30", "half_year"),
    ("first half", "01-01", "06-30", "half_year"),
    ("second half of the year", "07-01", "12-31", "half_year"),
    ("全年", "01-01", "12-31", "year"),
    ("2024年", "01-01", "12-31", "year"),
    ("all year", "01-01", "12-31", "year"),
    ("throughout the year", "01-01", "12-31", "year"),
]


@pytest.mark.parametrize(("written", "start", "end", "precision"), ONE_WINDOW)
def test_read_known_words_gives_their_days(
    written: str, start: str, end: str, precision: str
) -> None:
    read = read_window(written, year=2024)

    window = Window(
        date.fromisoformat(f"2024-{start}"),
        date.fromisoformat(f"2024-{end}"),
        Precision(precision),
    )
    assert read == ReadWindow((window,))


@pytest.mark.parametrize(
    ("written", "start", "end", "precision"),
    [
        ("12月28日至次年1月3日", "2024-12-28", "2025-01-03", "day"),
        ("12月28日至2025年1月3日", "2024-12-28", "2025-01-03", "day"),
        ("2024年12月—2025年1月", "2024-12-01", "2025-01-31", "month"),
        ("9月-次年3月", "2024-09-01", "2025-03-31", "month"),
        ("30 December – 3 January 2025", "2024-12-30", "2025-01-03", "day"),
        ("12月下旬至明年1月上旬", "2024-12-21", "2025-01-10", "ten_days"),
        ("次年1月", "2025-01-01", "2025-01-31", "month"),
        ("次年1月10日至12日", "2025-01-10", "2025-01-12", "day"),
        ("次年第一季度", "2025-01-01", "2025-03-31", "quarter"),
    ],
)
def test_read_range_into_next_year_is_kept(
    written: str, start: str, end: str, precision: str
) -> None:
    read = read_window(written, year=2024)

    window = Window(date.fromisoformat(start), date.fromisoformat(end), Precision(precision))
    assert read == ReadWindow((window,))


@pytest.mark.parametrize(
    ("written", "starts", "ends"),
    [
        ("5月14日上午9:30", time(9, 30), None),
        ("5月14日 09：30", time(9, 30), None),
        ("2024-05-14 09:30:00", time(9, 30), None),
        ("2024-05-14T09:30", time(9, 30), None),
        ("5月14日下午2点半", time(14, 30), None),
        ("5月14日14时30分", time(14, 30), None),
        ("5月14日晚上7点", time(19), None),
        ("5月14日中午12点", time(12), None),
        ("5月14日9:30-11:30", time(9, 30), time(11, 30)),
        ("5月14日（星期二）上午9：30—下午4：00", time(9, 30), time(16)),
        ("5月14日下午2点-4点", time(14), time(16)),
        ("May 14 at 2:30 pm", time(14, 30), None),
        ("14 May 2024, 9:30–11:30", time(9, 30), time(11, 30)),
    ],
)
def test_read_clock_time_keeps_it(written: str, starts: time, ends: time | None) -> None:
    read = read_window(written, year=2024)

    day = date(2024, 5, 14)
    assert read == ReadWindow((Window(day, day, Precision.DAY, starts, ends),))


def test_read_clock_times_over_two_days_keeps_first_and_last() -> None:
    written = ("5月14日9:00至5月15日17:00", "5月14日-15日 9:00-17:00")

    reads = {read_window(words, year=2024) for words in written}

    window = Window(date(2024, 5, 14), date(2024, 5, 15), Precision.DAY, time(9), time(17))
    assert reads == {ReadWindow((window,))}
