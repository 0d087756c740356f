"""Working days: weekends, public holidays, and weekend days that were made working days. Pure.

Mainland China exchanges days around its holidays (调休): some Sundays and Saturdays are working
days, which a yearly notice of the State Council names. Other countries have public holidays, and
some another weekend. What is known of a year is data; a year without data is counted by its
weekends and said to be unsettled, never guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

ONE_DAY: Final = timedelta(days=1)
SATURDAY_AND_SUNDAY: Final = frozenset({5, 6})
LONGEST_WAY: Final = 3700
"""Days after which a count is given up: no calendar has so few working days."""


class DayKind(StrEnum):
    """What a marked day is."""

    HOLIDAY = "holiday"
    WORKDAY = "workday"


class NoWorkingDay(ValueError):
    """A calendar has no working day for ten years."""


@dataclass(frozen=True, slots=True)
class Year:
    """What is known of one year in one country.

    Attributes:
        days: marked days only; any other day is judged by the weekend.
        weekend: weekdays that are free, Monday is 0.
        is_settled: whether all days of the year have been laid down.
    """

    days: Mapping[date, DayKind]
    weekend: frozenset[int] = SATURDAY_AND_SUNDAY
    is_settled: bool = True


UNKNOWN: Final = Year({}, is_settled=False)


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The working days of one or more countries: those on which all of them work.

    Attributes:
        countries: ISO 3166 codes of two letters.
        years: what is known, by country and year.
    """

    countries: tuple[str, ...]
    years: Mapping[tuple[str, int], Year] = field(default_factory=dict)

    def is_working(self, day: date) -> bool:
        """Whether people work on the day in every one of the countries."""
        return all(_works(self._year(country, day.year), day) for country in self.countries)

    def unsettled(self, first: date, last: date) -> tuple[tuple[str, int], ...]:
        """Return (country, year) of what is not laid down between two days, both included."""
        first, last = min(first, last), max(first, last)
        return tuple(
            (country, year)
            for country in self.countries
            for year in range(first.year, last.year + 1)
            if not self._year(country, year).is_settled
        )

    def count(self, day: date, days: int) -> date:
        """Return the working day that lies `days` working days from `day`, which is not counted.

        With 0 it is the day itself, or the last working day before it.

        Raises:
            NoWorkingDay: there is none within reach.
        """
        step = ONE_DAY if days > 0 else -ONE_DAY
        left = abs(days)
        for _n in range(LONGEST_WAY):
            if left == 0 and (days != 0 or self.is_working(day)):
                return day
            day += step
            if self.is_working(day):
                if left <= 1:
                    return day
                left -= 1
        raise NoWorkingDay(", ".join(self.countries))

    def _year(self, country: str, year: int) -> Year:
        return self.years.get((country, year), UNKNOWN)


def _works(year: Year, day: date) -> bool:
    kind = year.days.get(day)
    if kind is not None:
        return kind == DayKind.WORKDAY
    return day.weekday() not in year.weekend
