from datetime import UTC, date, datetime, timedelta

import pytest

from coordination.pages.wording import (
    day_in_words,
    days_in_words,
    duration_in_words,
    month_in_words,
    month_name,
    span_in_words,
    window_in_words,
    zone_in_words,
    zone_name,
)


@pytest.mark.parametrize(
    ("first", "last", "precision", "zh", "en"),
    [
        (date(2024, 5, 14), date(2024, 5, 14), "day", "5月14日", "14 May"),
        (date(2024, 9, 20), date(2024, 9, 21), "day", "9月20–21日", "20–21 Sep"),
        (date(2024, 5, 11), date(2024, 5, 20), "ten_days", "5月中旬", "mid-May"),
        (date(2024, 2, 21), date(2024, 2, 29), "ten_days", "2月下旬", "late February"),
        (date(2024, 5, 11), date(2024, 5, 31), "ten_days", "5月11–31日", "11–31 May"),
        (date(2024, 5, 1), date(2024, 5, 31), "month", "5月", "May"),
        (date(2024, 5, 1), date(2024, 6, 30), "month", "5–6月", "May–June"),
        (date(2024, 12, 1), date(2025, 1, 31), "month", "2024年12月1日 – 2025年1月31日",
         "1 Dec 2024 – 31 Jan 2025"),
        (date(2024, 4, 1), date(2024, 6, 30), "quarter", "第二季度", "Q2"),
        (date(2024, 7, 1), date(2024, 12, 31), "half_year", "下半年", "H2"),
        (date(2024, 1, 1), date(2024, 12, 31), "year", "2024年全年", "all of 2024"),
    ],
)  # fmt: skip
def test_window_in_words_of_each_precision_reads_as_people_say(first, last, precision, zh, en):
    assert window_in_words(first, last, precision=precision, language="zh-hans") == zh
    assert window_in_words(first, last, precision=precision, language="en") == en


def test_window_in_words_without_a_date_keeps_the_words_of_the_plan():
    words = window_in_words(
        None, None, precision="unknown", language="zh-hans", written="中关村论坛期间"
    )

    assert words == "中关村论坛期间"
    tbd = {"precision": "unknown", "written": "待定"}
    assert window_in_words(None, None, language="en", **tbd) == "no date yet"
    assert window_in_words(None, None, precision="unknown", language="en") == "no date yet"
    assert window_in_words(None, None, precision="unknown", language="zh-hans") == "待定"


def test_days_in_words_over_a_month_end_names_both_months():
    days = date(2024, 9, 30), date(2024, 10, 2)

    assert days_in_words(*days, language="zh-hans", with_year=True) == "2024年9月30日–10月2日"
    assert days_in_words(*days, language="en", with_year=True) == "30 Sep – 2 Oct 2024"


def test_span_in_words_of_one_day_names_day_weekday_and_clock():
    span = datetime(2024, 5, 14, 9, 30), datetime(2024, 5, 14, 11, 30)

    assert span_in_words(*span, language="zh-hans") == "2024年5月14日 周二 09:30–11:30"
    assert span_in_words(*span, language="en") == "14 May 2024 Tue 09:30–11:30"


def test_span_in_words_until_midnight_stays_on_its_day():
    span = datetime(2024, 12, 31, 23, 30), datetime(2025, 1, 1)

    assert span_in_words(*span, language="zh-hans") == "2024年12月31日 周二 23:30–24:00"


def test_span_in_words_of_all_day_leaves_the_last_midnight_out():
    one = datetime(2024, 2, 29), datetime(2024, 3, 1)
    three = datetime(2024, 2, 28), datetime(2024, 3, 2)

    assert span_in_words(*one, language="zh-hans", is_all_day=True) == "2024年2月29日 周四"
    assert span_in_words(*three, language="en", is_all_day=True) == "28 Feb – 1 Mar 2024"


def test_span_in_words_over_nights_names_both_ends():
    span = datetime(2024, 9, 20, 9), datetime(2024, 9, 21, 17)

    assert span_in_words(*span, language="zh-hans") == "2024年9月20日 09:00 – 9月21日 17:00"


def test_zone_in_words_follows_the_season():
    def words(zone: str, month: int, language: str = "en") -> str:
        return zone_in_words(zone, datetime(2026, month, 2, tzinfo=UTC), language=language)

    assert words("Europe/Zurich", 7) == "Europe/Zurich, UTC+2"
    assert words("Europe/Zurich", 1, "zh-hans") == "Europe/Zurich，UTC+1"
    assert words("Asia/Kathmandu", 1) == "Asia/Kathmandu, UTC+5:45"
    assert words("America/New_York", 1) == "America/New_York, UTC−5"


def test_zone_in_words_calls_a_zone_as_people_do():
    at = datetime(2026, 1, 2, tzinfo=UTC)

    assert zone_in_words("Asia/Shanghai", at, language="zh-hans") == "北京时间，UTC+8"
    assert zone_in_words("Asia/Shanghai", at, language="en") == "Beijing time, UTC+8"
    assert zone_name("Asia/Shanghai", language="zh-hans") == "北京时间"
    assert zone_name("Europe/Zurich", language="zh-hans") == "Europe/Zurich"


def test_month_and_day_in_words_follow_the_language():
    assert month_in_words(2026, 3, language="zh-hans") == "2026年3月"
    assert month_in_words(2026, 3, language="en") == "March 2026"
    assert month_name(3, language="zh-hans") == "3月"
    assert month_name(3, language="en") == "Mar"
    assert day_in_words(date(2026, 3, 6), language="zh-hans", with_year=True) == "2026年3月6日"


@pytest.mark.parametrize(
    ("length", "zh", "en"),
    [
        (timedelta(seconds=-20), "1分钟", "1 minute"),
        (timedelta(minutes=91), "1小时31分钟", "1 hour 31 minutes"),
        (timedelta(minutes=91, seconds=-3), "1小时31分钟", "1 hour 31 minutes"),
        (timedelta(hours=24, minutes=30), "24小时30分钟", "24 hours 30 minutes"),
        (timedelta(days=3, hours=5), "3天5小时", "3 days 5 hours"),
        (timedelta(days=2, hours=23, minutes=40), "3天", "3 days"),
        (timedelta(days=30, hours=9), "30天", "30 days"),
    ],
)
def test_durations_are_said_truly_in_both_languages(length: timedelta, zh: str, en: str):
    assert duration_in_words(length, language="zh-hans") == zh
    assert duration_in_words(length, language="en") == en
