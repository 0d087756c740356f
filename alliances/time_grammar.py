"""Grammar of written times: tokens to windows; pure.

An expression is a list ("、") of ranges ("~") of points. What a point leaves out it takes from
its neighbours: in "4月25~29日" the 29th is in April, in "5~6月" the 5 is a month, in "2~4 July"
the 2 is a day of July.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from itertools import pairwise

from alliances import time_spans
from alliances.time_spans import Precision, Window
from alliances.time_words import Token

YEARS_AWAY = {"次年": 1, "翌年": 1, "来年": 1, "明年": 1, "第2年": 1, "去年": -1, "上年": -1}
YEAR_SPANS = {"全年": (1, 12), "年初": (1, 1), "年中": (6, 7)}
AFTERNOON = ("下午", "晚上", "晚间", "傍晚", "夜间", "晚", "pm")
BEFORE_NOON = ("上午", "凌晨", "早上", "早晨", "清晨", "早", "am")


class TimeRefusal(Exception):
    """The words are no time that a plan of this year can have."""


class NoSuchTime(TimeRefusal):
    """The words name a day or a clock time that no calendar has."""


class EndBeforeStart(TimeRefusal):
    """A range ends before it starts."""


class OtherYear(TimeRefusal):
    """The words name a year that is not the plan's."""


class NotUnderstood(TimeRefusal):
    """The tokens do not make a time."""


@dataclass(slots=True)
class Point:
    """One end of a range while it is read; what is None is taken from the neighbours."""

    year: int | None = None
    year_is_last: bool = False
    is_next_year: bool = False
    span: str = ""
    half: str = ""
    quarter: int | None = None
    month: int | None = None
    part: str = ""
    day: int | None = None
    number: int | None = None
    clocks: list[time | None] = field(default_factory=list)
    period: str = ""

    @property
    def is_bare_clock(self) -> bool:
        """Whether it gives a time of day and nothing else."""
        said = (self.year, self.span, self.half, self.quarter, self.month, self.part, self.day)
        return not any(said) and self.number is None and bool(self.clocks or self.period)

    @property
    def has_unit(self) -> bool:
        """Whether it names a period or a day, beside a year."""
        return bool(self.span or self.half or self.quarter or self.month or self.part or self.day)


def read_expression(tokens: Sequence[Token], *, year: int) -> list[Window]:
    """Read the tokens of one written time.

    Args:
        tokens: see `time_words.tokens`.
        year: the plan's year, meant where none is written.

    Returns:
        One window for each element of the list; a range is one element.

    Raises:
        NoSuchTime: a day, month or clock time that does not exist.
        EndBeforeStart: a range that runs backwards.
        OtherYear: it starts in another year, unless 次年 says so, or ends later than in the
            year after.
        NotUnderstood: anything else.
    """
    ranges = [_points(group, year=year) for group in _split(tokens, "、")]
    ranges = _fold_bare_clocks(ranges)
    points = [point for group in ranges for point in group]
    if not points:
        raise NotUnderstood
    _resolve_numbers(points)
    _inherit(points)
    return [_range(group, year=year) for group in ranges]


def _split(tokens: Sequence[Token], mark: str) -> list[list[Token]]:
    groups: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == "mark" and token.value == mark:
            groups.append([])
        else:
            groups[-1].append(token)
    return groups


def _points(tokens: Sequence[Token], *, year: int) -> list[Point]:
    points: list[Point] = []
    for words in _split(tokens, "~"):
        points.append(Point())
        for token in words:
            # "5月底6月初" is a range without a mark.
            if token.kind == "month" and points[-1].month and points[-1].part:
                points.append(Point())
            _TAKE[token.kind](points[-1], token, year)
    return points


def _take_year(point: Point, token: Token, year: int) -> None:
    if point.year is not None:
        raise NotUnderstood
    point.year = int(token.value)
    point.year_is_last = point.has_unit


def _take_relative_year(point: Point, token: Token, year: int) -> None:
    away = YEARS_AWAY.get(str(token.value), 0)
    point.year, point.is_next_year = year + away, away == 1


def _take_word(name: str) -> Callable[[Point, Token, int], None]:
    def take(point: Point, token: Token, year: int) -> None:
        if getattr(point, name):
            raise NotUnderstood
        setattr(point, name, token.value)

    return take


def _take_quarter(point: Point, token: Token, year: int) -> None:
    if point.quarter is not None or point.month:
        raise NotUnderstood
    if not 1 <= int(token.value) <= 4:
        raise NoSuchTime
    point.quarter = int(token.value)
    point.part = str(token.detail) or point.part


def _take_month(point: Point, token: Token, year: int) -> None:
    if point.month is not None or point.quarter is not None or point.half or point.span:
        raise NotUnderstood
    if not 1 <= int(token.value) <= 12:
        raise NoSuchTime
    point.month = int(token.value)
    if point.number is not None:
        # English order: 14 May.
        point.day, point.number = point.number, None


def _take_day(point: Point, token: Token, year: int) -> None:
    if point.day is not None:
        raise NotUnderstood
    if not 1 <= int(token.value) <= 31:
        raise NoSuchTime
    point.day = int(token.value)


def _take_number(point: Point, token: Token, year: int) -> None:
    if point.number is not None or point.day is not None or point.part:
        raise NotUnderstood
    if point.month is not None:
        _take_day(point, token, year)
    else:
        point.number = int(token.value)


def _take_clock(point: Point, token: Token, year: int) -> None:
    if len(point.clocks) >= 1:
        raise NotUnderstood
    period = token.period or point.period
    hour, minute = int(token.value), int(token.detail or 0)
    if hour < (12 if period in AFTERNOON else 10 if period == "中午" else 0):
        hour += 12
    elif period in BEFORE_NOON and hour == 12:
        hour = 0
    if (period in ("晚上", "晚") and hour == 12) or (hour, minute) == (24, 0):
        point.clocks.append(None)
        return
    if hour > 23 or minute > 59:
        raise NoSuchTime
    point.clocks.append(time(hour, minute))
    point.period = period


def _take_nothing(point: Point, token: Token, year: int) -> None:
    point.period = str(token.value)


_TAKE: dict[str, Callable[[Point, Token, int], None]] = {
    "year": _take_year,
    "relative": _take_relative_year,
    "span": _take_word("span"),
    "half": _take_word("half"),
    "part": _take_word("part"),
    "quarter": _take_quarter,
    "month": _take_month,
    "day": _take_day,
    "number": _take_number,
    "clock": _take_clock,
    "period": _take_nothing,
}


def _fold_bare_clocks(ranges: list[list[Point]]) -> list[list[Point]]:
    """Give a time of day that stands alone to the day before it: 9:30~11:30."""
    folded: list[list[Point]] = []
    for group in ranges:
        if group and all(point.is_bare_clock for point in group) and folded:
            # A second session on the same day; the first says when the day begins.
            continue
        kept: list[Point] = []
        for point in group:
            if point.is_bare_clock and kept and len(kept[-1].clocks) < 2:
                _end_clock(kept[-1], point)
                if len(kept) == 2 and not kept[0].clocks:
                    # "14日~15日 9:00~17:00": from 9:00 on the first day to 17:00 on the last.
                    kept[0].clocks = kept[1].clocks[:1]
            else:
                kept.append(point)
        folded.append(kept)
    return folded


def _end_clock(point: Point, ending: Point) -> None:
    if not ending.clocks:
        return
    end = ending.clocks[0]
    start = point.clocks[0] if point.clocks else None
    backwards = start is not None and end is not None and end < start and end.hour < 12
    if backwards and not ending.period and point.period in AFTERNOON:
        end = end.replace(hour=end.hour + 12) if end else end
    point.clocks = [start, end]


def _resolve_numbers(points: list[Point]) -> None:
    """Find out what numbers without a unit count: first from what follows, then from before."""
    for before, after in reversed(list(pairwise(points))):
        if before.number is not None and not before.has_unit:
            _like(before, after, forward=False)
    for before, after in pairwise(points):
        if after.number is not None and not after.has_unit:
            _like(after, before, forward=True)
    if any(point.number is not None for point in points):
        raise NotUnderstood


def _like(point: Point, model: Point, *, forward: bool) -> None:
    number = point.number
    if number is None:
        return
    if model.quarter is not None:
        name, most = "quarter", 4
    elif model.day is not None:
        name, most = "day", 31
    elif model.month is not None and not (forward and model.part):
        name, most = "month", 12
    else:
        return
    if not 1 <= number <= most:
        raise NoSuchTime
    setattr(point, name, number)
    point.number = None


def _inherit(points: list[Point]) -> None:
    for before, after in pairwise(points):
        if (after.day or after.part) and after.month is None and after.quarter is None:
            after.month = before.month
    for before, after in reversed(list(pairwise(points))):
        follows = before.day or (before.part and after.part)
        if follows and before.month is None and before.quarter is None:
            before.month = after.month
    for before, after in pairwise(points):
        if after.year is None:
            after.year, after.is_next_year = before.year, before.is_next_year


def _range(group: list[Point], *, year: int) -> Window:
    if len(group) == 1:
        window = _window(group[0], year=group[0].year or year)
        if window.start is not None and window.start.year != year + group[0].is_next_year:
            raise OtherYear
        return _in_order(window)
    if len(group) != 2:
        raise NotUnderstood
    first, last = group
    end = _window(last, year=last.year or year)
    start = _window(first, year=first.year or year)
    if first.year is None and last.year is not None and last.year_is_last:
        # English order: "30 December – 3 January 2025", "2 – 4 July 2024".
        start = _window(first, year=last.year)
        if start.start and end.end and start.start > end.end:
            start = _window(first, year=last.year - 1)
    if last.clocks:
        end = replace(end, end_time=last.clocks[-1])
    window = time_spans.joined(start, end)
    if window.start is None or window.end is None:
        raise NotUnderstood
    starts_in = year + first.is_next_year
    if window.start.year != starts_in or window.end.year not in (starts_in, year + 1):
        raise OtherYear
    return _in_order(window)


def _in_order(window: Window) -> Window:
    if window.start and window.end and window.end < window.start:
        raise EndBeforeStart
    same_day = window.start == window.end
    if same_day and window.start_time and window.end_time and window.end_time < window.start_time:
        raise EndBeforeStart
    return window


def _window(point: Point, *, year: int) -> Window:
    """Return the days of a point of which everything is known."""
    if point.day is not None:
        return _day(point, year=year)
    if point.month is not None:
        if point.part:
            return time_spans.part_of_month(year, point.month, point.part)
        return time_spans.month(year, point.month)
    if point.quarter is not None:
        period = time_spans.quarter(year, point.quarter)
        return time_spans.edge_of(period, point.part) if point.part else period
    if point.part:
        raise NotUnderstood
    if point.half:
        return time_spans.half_year(year, 1 if point.half == "上" else 2)
    if point.span:
        first, last = YEAR_SPANS.get(point.span, (12, 12))
        precision = Precision.YEAR if point.span == "全年" else Precision.MONTH
        return time_spans.months(year, first, last, precision)
    if point.year is None:
        raise NotUnderstood
    return time_spans.whole_year(year)


def _day(point: Point, *, year: int) -> Window:
    if point.month is None or point.day is None or point.part or point.quarter or point.span:
        raise NotUnderstood
    if point.day > calendar.monthrange(year, point.month)[1]:
        raise NoSuchTime
    on = date(year, point.month, point.day)
    clocks = [*point.clocks, None, None]
    return Window(on, on, Precision.DAY, clocks[0], clocks[1])
