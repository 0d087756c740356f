"""What the library `holidays` knows of a country's public holidays: the only door to it. Pure.

It is imported when it is first asked, because the import takes a fifth of a second. For mainland
China a year is settled once the State Council's notice is in the library: the notice exchanges
days, and statutory days alone would be a guess. Where a country's days hang on the moon and the
library marks them as estimated, the year is not settled either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from events.workdays import DayKind

if TYPE_CHECKING:
    from holidays import HolidayBase

SOURCE: Final = f"holidays {version('holidays')}"
CHINA: Final = "CN"
FIRST_YEAR: Final = 2000
"""Before this year the yearly notices say nothing about exchanged days."""
LAST_YEAR: Final = 2100
_ESTIMATED: Final = "estimated"


@dataclass(frozen=True, slots=True)
class StatutoryDay:
    """One marked day with its names; exchanged days and make-up days carry none."""

    day: date
    kind: DayKind
    name_zh: str = ""
    name_en: str = ""


@dataclass(frozen=True, slots=True)
class StatutoryYear:
    """A country's marked days of one year.

    Attributes:
        days: in their order.
        weekend: free weekdays, Monday is 0.
        is_settled: whether the days have been laid down, not estimated.
    """

    days: tuple[StatutoryDay, ...]
    weekend: frozenset[int]
    is_settled: bool


def is_known(country: str, year: int) -> bool:
    """Whether the library has anything about the country and the year."""
    from holidays import list_supported_countries

    return FIRST_YEAR <= year <= LAST_YEAR and country in list_supported_countries()


@lru_cache(maxsize=256)
def statutory_year(country: str, year: int) -> StatutoryYear:
    """Return the marked days of a year.

    A weekend day beside a day off in mainland China is off too (the holiday runs through it).

    Raises:
        NotImplementedError: the library does not know the country; ask `is_known` first.
    """
    english = _calendar(country, year, "en_US")
    off = {day: _plain_name(english.get(day) or "") for day in english}
    chinese: Mapping[date, str] = {}
    working: set[date] = set()
    is_settled = not any(_ESTIMATED in str(name).lower() for name in english.values())
    if country == CHINA:
        working = {day for day in english.weekend_workdays if day.year == year}
        calendar = _calendar(country, year, "zh_CN")
        chinese = {day: _plain_name(calendar.get(day) or "") for day in calendar}
        is_settled = bool(working)
        _run_through_weekends(off, working)
    days = [
        StatutoryDay(day, DayKind.HOLIDAY, chinese.get(day, ""), name)
        for day, name in off.items()
        if day.year == year and day not in working
    ]
    days += [StatutoryDay(day, DayKind.WORKDAY) for day in working]
    return StatutoryYear(
        tuple(sorted(days, key=lambda one: one.day)), frozenset(english.weekend), is_settled
    )


def _calendar(country: str, year: int, language: str) -> HolidayBase:
    """Return the library's calendar of a year and the ones beside it, which touch its ends."""
    from holidays import country_holidays

    return country_holidays(country, years=[year - 1, year, year + 1], language=language)


def _run_through_weekends(off: dict[date, str], working: set[date]) -> None:
    for day in tuple(off):
        for step in (-1, 1):
            beside = day + timedelta(days=step)
            while beside.weekday() >= 5 and beside not in off and beside not in working:
                off[beside] = ""
                beside += timedelta(days=step)


def _plain_name(name: str) -> str:
    """Return the holiday's own name; exchanged days ("休息日…", "Day off …") have none."""
    if name.startswith(("休息日", "Day off")):
        return ""
    for bracket in ("（", " ("):
        if name.endswith(("（补假）", "(observed)")):
            name = name.rsplit(bracket, 1)[0] if bracket in name else name
    return name
