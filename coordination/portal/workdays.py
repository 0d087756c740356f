"""Days off (休) and make-up working days (班) of mainland China.

The library `holidays` knows the statutory days and the yearly notice of the State Council; it is
imported when it is first asked, because the import takes a fifth of a second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

FIRST_YEAR = 2000
"""Before this year the yearly notices say nothing about exchanged days."""

SATURDAY = 5

_LIBRARY_LANGUAGES: Mapping[str, str] = {"zh-hans": "zh_CN", "en": "en_US"}


class DayKind(Enum):
    """What a marked day is."""

    OFF = "off"
    WORKING = "working"


@dataclass(frozen=True, slots=True)
class DayMark:
    """A mark on a day: off or working, and the holiday's name where the day has one."""

    kind: DayKind
    name: str


def mark_days(first: date, last: date, *, language: str) -> dict[date, DayMark]:
    """Return the marked days from `first` to `last`, both included.

    A weekend day beside a day off is off too (the holiday runs through it), a weekend day that
    was exchanged is a working day. Days that a notice exchanged carry no name of their own.

    Args:
        first: First day asked for.
        last: Last day asked for.
        language: "zh-hans" or "en"; another one gets English names.
    """
    marks: dict[date, DayMark] = {}
    for year in range(max(first.year, FIRST_YEAR), last.year + 1):
        marks.update(_marks_of_year(year, _LIBRARY_LANGUAGES.get(language, "en_US")))
    return {day: marks[day] for day in sorted(marks) if first <= day <= last}


@lru_cache(maxsize=32)
def _marks_of_year(year: int, language: str) -> Mapping[date, DayMark]:
    """Return all marks of one year, keyed by day."""
    calendar = _calendar_of_year(year, language)
    working = {day for day in calendar.weekend_workdays if day.year == year}
    # The years beside it are needed for weekends that touch the New Year's holiday.
    off = {day: _plain_name(calendar.get(day) or "") for day in calendar}
    for day in tuple(off):
        for step in (-1, 1):
            beside = day + timedelta(days=step)
            while beside.weekday() >= SATURDAY and beside not in off and beside not in working:
                off[beside] = ""
                beside += timedelta(days=step)
    marks = {day: DayMark(DayKind.OFF, name) for day, name in off.items() if day.year == year}
    marks.update({day: DayMark(DayKind.WORKING, "") for day in working})
    return marks


def _calendar_of_year(year: int, language: str) -> "HolidayBase":
    """Return the library's calendar of a year and the ones beside it."""
    from holidays import country_holidays

    return country_holidays("CN", years=[year - 1, year, year + 1], language=language)


def _plain_name(name: str) -> str:
    """Return the holiday's own name; exchanged days ("休息日…", "Day off …") have none."""
    if name.startswith(("休息日", "Day off")):
        return ""
    for bracket in ("（", " ("):
        if name.endswith(("（补假）", "(observed)")):
            name = name.rsplit(bracket, 1)[0] if bracket in name else name
    return name
