from datetime import date, timedelta

import pytest

from coordination.portal.workdays import DayKind, DayMark, mark_days

pytestmark = pytest.mark.django_db


def marked(first: date, last: date, kind: DayKind) -> list[int]:
    marks = mark_days(first, last, language="zh-hans")
    return [day.day for day, mark in marks.items() if mark.kind is kind]


def test_mark_days_of_the_spring_festival_of_2024_follows_the_notice():
    february = (date(2024, 2, 1), date(2024, 2, 29))

    assert marked(*february, DayKind.OFF) == [10, 11, 12, 13, 14, 15, 16, 17]
    assert marked(*february, DayKind.WORKING) == [4, 18]


def test_mark_days_of_the_national_day_of_2024_runs_through_the_weekend():
    october = (date(2024, 10, 1), date(2024, 10, 31))

    assert marked(*october, DayKind.OFF) == [1, 2, 3, 4, 5, 6, 7]
    assert marked(*october, DayKind.WORKING) == [12]


def test_mark_days_names_the_holiday_and_leaves_exchanged_days_unnamed():
    marks = mark_days(date(2026, 2, 15), date(2026, 2, 28), language="zh-hans")

    assert marks[date(2026, 2, 17)] == DayMark(DayKind.OFF, "春节")
    assert marks[date(2026, 2, 23)] == DayMark(DayKind.OFF, "")
    assert marks[date(2026, 2, 28)] == DayMark(DayKind.WORKING, "")


def test_mark_days_in_english_names_the_holiday_without_the_bracket():
    marks = mark_days(date(2026, 4, 6), date(2026, 4, 6), language="en")

    assert marks == {date(2026, 4, 6): DayMark(DayKind.OFF, "Tomb-Sweeping Day")}


def test_mark_days_before_the_new_year_knows_the_holiday_beside_it():
    marks = mark_days(date(2023, 12, 30), date(2024, 1, 1), language="en")

    assert list(marks) == [date(2023, 12, 30) + timedelta(days=n) for n in range(3)]


def test_mark_days_long_ago_marks_nothing():
    assert mark_days(date(1990, 1, 1), date(1990, 12, 31), language="en") == {}
