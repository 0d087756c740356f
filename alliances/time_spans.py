"""Windows of time and the arithmetic of months, ten-day parts and quarters; pure.

The parts of a month are the usual ones of Chinese office calendars: 上旬 is day 1 to 10, 中旬 11 to
20, 下旬 21 to the end; 月初 and 月底 mean the first and the last of them.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Any


class Precision(StrEnum):
    """How exactly a time is known, from a day to not at all."""

    DAY = "day"
    TEN_DAYS = "ten_days"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"
    UNKNOWN = "unknown"


ORDER = tuple(Precision)


def coarser(first: Precision, second: Precision) -> Precision:
    """Return the less exact of two precisions."""
    return max(first, second, key=ORDER.index)


@dataclass(frozen=True, slots=True)
class Window:
    """The days in which something is to happen once.

    Attributes:
        start: first day; None when unknown.
        end: last day (inclusive); None when unknown.
        precision: how exactly the words said it.
        start_time: wall time on the first day, when the words gave one.
        end_time: wall time on the last day, when the words gave one.
    """

    start: date | None = None
    end: date | None = None
    precision: Precision = Precision.UNKNOWN
    start_time: time | None = None
    end_time: time | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the form in which plan lines store it: ISO dates, and times as "09:30"."""
        return {
            "start": None if self.start is None else self.start.isoformat(),
            "end": None if self.end is None else self.end.isoformat(),
            "precision": self.precision.value,
            "start_time": None if self.start_time is None else f"{self.start_time:%H:%M}",
            "end_time": None if self.end_time is None else f"{self.end_time:%H:%M}",
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Window:
        """Return the window that `as_json` wrote."""
        start, end = stored.get("start"), stored.get("end")
        start_time, end_time = stored.get("start_time"), stored.get("end_time")
        return cls(
            date.fromisoformat(start) if start else None,
            date.fromisoformat(end) if end else None,
            Precision(stored.get("precision") or Precision.UNKNOWN),
            time.fromisoformat(start_time) if start_time else None,
            time.fromisoformat(end_time) if end_time else None,
        )


UNKNOWN = Window()


def last_day_of(year: int, month: int) -> date:
    """Return the last day of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])


def months(year: int, first: int, last: int, precision: Precision) -> Window:
    """Return the window from the first day of month `first` to the last day of month `last`."""
    return Window(date(year, first, 1), last_day_of(year, last), precision)


def month(year: int, number: int) -> Window:
    """Return the window of one month."""
    return months(year, number, number, Precision.MONTH)


def quarter(year: int, number: int) -> Window:
    """Return the window of one quarter (1 to 4)."""
    return months(year, number * 3 - 2, number * 3, Precision.QUARTER)


def half_year(year: int, number: int) -> Window:
    """Return the window of one half of a year (1 or 2)."""
    return months(year, number * 6 - 5, number * 6, Precision.HALF_YEAR)


def whole_year(year: int) -> Window:
    """Return the window of a year."""
    return months(year, 1, 12, Precision.YEAR)


def day(on: date, start_time: time | None = None) -> Window:
    """Return the window of one day."""
    return Window(on, on, Precision.DAY, start_time)


PARTS = {
    "上旬": (1, 10),
    "初": (1, 10),
    "上": (1, 10),
    "中旬": (11, 20),
    "中": (11, 20),
    "下旬": (21, 31),
    "底": (21, 31),
    "末": (21, 31),
    "下": (21, 31),
    "上中旬": (1, 20),
    "中上旬": (1, 20),
    "中下旬": (11, 31),
    "上半月": (1, 15),
    "下半月": (16, 31),
}


def part_of_month(year: int, number: int, part: str) -> Window:
    """Return the window of a part of a month, one of `PARTS`."""
    first, last = PARTS[part]
    end = last_day_of(year, number)
    return Window(
        date(year, number, first), end.replace(day=min(last, end.day)), Precision.TEN_DAYS
    )


def edge_of(period: Window, part: str) -> Window:
    """Return the first ("初") or last ("末", "底") ten-day part of a period of whole months."""
    if period.start is None or period.end is None:
        return period
    edge = period.start if PARTS[part][0] == 1 else period.end
    return part_of_month(edge.year, edge.month, part)


def joined(first: Window, last: Window) -> Window:
    """Return the window from the start of one to the end of the other."""
    return Window(
        first.start,
        last.end,
        coarser(first.precision, last.precision),
        first.start_time,
        last.end_time,
    )


def adjoin(first: Window, second: Window) -> bool:
    """Return whether the second window begins on the day after the first ends."""
    if first.end is None or second.start is None:
        return False
    return first.precision == second.precision and second.start - first.end == timedelta(days=1)
