from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.statutory import statutory_year
from events.workdays import DayKind, NoWorkingDay, WorkCalendar, Year


def calendar_of(*countries: str, years: range = range(2023, 2030)) -> WorkCalendar:
    known = {}
    for country in countries:
        for year in years:
            found = statutory_year(country, year)
            days = {one.day: one.kind for one in found.days}
            known[country, year] = Year(days, found.weekend, found.is_settled)
    return WorkCalendar(countries, known)


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        # Spring Festival of 2026: 15-23 February off, Saturdays 14 and 28 worked (调休).
        (date(2026, 2, 25), -5, date(2026, 2, 11)),
        (date(2026, 2, 24), -1, date(2026, 2, 14)),
        (date(2026, 2, 27), 1, date(2026, 2, 28)),
        (date(2026, 2, 13), 2, date(2026, 2, 24)),
        # The Sunday before May Day of 2024 was worked, the holiday began on Wednesday.
        (date(2024, 4, 29), -1, date(2024, 4, 28)),
        # 29 February 2024, a Thursday: a plain week.
        (date(2024, 3, 1), -1, date(2024, 2, 29)),
        # On the day itself: a working day stays, a day off goes back to the last one worked.
        (date(2026, 2, 24), 0, date(2026, 2, 24)),
        (date(2026, 2, 17), 0, date(2026, 2, 14)),
    ],
)
def test_count_in_mainland_china_follows_the_notices(day: date, days: int, expected: date) -> None:
    assert calendar_of("CN").count(day, days) == expected


def test_count_of_two_countries_takes_days_on_which_both_work() -> None:
    both = calendar_of("CN", "ES")
    # 6 January 2026 is a holiday in Spain, Sunday the 4th is worked in China alone.
    assert both.count(date(2026, 1, 7), -1) == date(2026, 1, 5)
    assert both.count(date(2026, 1, 5), -1) == date(2025, 12, 31)


def test_count_knows_another_weekend() -> None:
    saudi = calendar_of("SA")
    assert saudi.is_working(date(2026, 5, 10))  # a Sunday
    assert not saudi.is_working(date(2026, 5, 8))  # a Friday


def test_unsettled_names_years_that_no_notice_has_laid_down() -> None:
    china = calendar_of("CN")
    assert china.unsettled(date(2026, 12, 1), date(2026, 12, 31)) == ()
    assert china.unsettled(date(2028, 1, 5), date(2026, 12, 30)) == (("CN", 2027), ("CN", 2028))
    assert WorkCalendar(("",)).unsettled(date(2026, 1, 1), date(2026, 1, 1)) == (("", 2026),)


def test_count_without_any_working_day_is_refused() -> None:
    idle = WorkCalendar(
        ("XX",), {("XX", year): Year({}, frozenset(range(7))) for year in range(2000, 2060)}
    )
    with pytest.raises(NoWorkingDay):
        idle.count(date(2026, 1, 1), -1)


@given(st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.integers(1, 30))
def test_count_forth_lands_on_a_working_day_after_so_many(day: date, days: int) -> None:
    china = calendar_of("CN")
    found = china.count(day, days)
    between = [day + timedelta(days=n) for n in range(1, (found - day).days + 1)]
    assert china.is_working(found)
    assert sum(china.is_working(one) for one in between) == days


@given(st.dates(date(2024, 6, 1), date(2026, 12, 31)), st.integers(1, 30))
def test_count_back_and_forth_comes_home_from_a_working_day(day: date, days: int) -> None:
    china = calendar_of("CN")
    if china.is_working(day):
        assert china.count(china.count(day, -days), days) == day


def test_make_up_days_are_working_days_in_the_library() -> None:
    kinds = {one.day: one.kind for one in statutory_year("CN", 2026).days}
    assert kinds[date(2026, 2, 28)] == DayKind.WORKDAY
    assert kinds[date(2026, 2, 15)] == DayKind.HOLIDAY
