"""Where everything stands on a plan's board: months across, work areas down; pure.

A month has three columns, its ten-day thirds (1-10, 11-20, 21-end), because that is how exact a
plan is when it is made. A line whose time is known to the quarter is a bar over nine columns, not
a point. A plan of more than two years has one column a month. A title needs more room than a
short bar gives, so every bar also reserves columns for its words; bars are packed into lanes by
what they reserve.
"""

from calendar import monthrange
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date

from coordination.portal.lanes import pack_lanes

THIRDS = 3
"""Columns of a month: days 1-10, 11-20, 21-end."""

LABEL_COLUMNS = 6
"""Columns (ten-day thirds) that a bar with its words takes at least: two months of twelve."""

BESIDE_UP_TO = 2
"""A bar of so many columns or fewer is too short for words: they stand beside it."""

COARSE_FROM_MONTHS = 25
"""A plan of this many months or more is drawn with one column a month."""

MOST_MONTHS = 72
"""Months a board shows at most; what lies later is listed as outside the board."""


@dataclass(frozen=True, slots=True)
class Span:
    """Something to place: its days, both included, or no days at all."""

    key: Hashable
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class Bar:
    """A placed bar. Columns count from 1, lanes from 0.

    Attributes:
        key: The key of the span.
        column: First column that the days of the span touch.
        span: Number of columns they touch.
        label_column: First column reserved for bar and words.
        label_span: Number of columns reserved.
        lane: Line within the row.
        leans_left: The words stand to the left of the bar's first day, because the board ends.
        cut_left: The span begins before the board.
        cut_right: The span ends after the board.
    """

    key: Hashable
    column: int
    span: int
    label_column: int
    label_span: int
    lane: int
    leans_left: bool
    cut_left: bool
    cut_right: bool

    @property
    def inner_column(self) -> int:
        """The first column of the bar, counted within what it reserves."""
        return self.column - self.label_column + 1

    @property
    def is_beside(self) -> bool:
        """Whether the words stand beside the bar, not on it."""
        return self.span <= BESIDE_UP_TO and self.label_span > self.span

    @property
    def words_column(self) -> int:
        """The first column of the words, counted within what the bar reserves."""
        if not self.is_beside or self.leans_left:
            return 1
        return self.inner_column + self.span

    @property
    def words_span(self) -> int:
        """Number of columns of the words."""
        if not self.is_beside:
            return self.label_span
        if self.leans_left:
            return self.inner_column - 1
        return self.label_span - self.words_column + 1


@dataclass(frozen=True, slots=True)
class Row:
    """One work area: its bars, and the spans that no column can hold."""

    key: Hashable
    bars: tuple[Bar, ...]
    lanes: int
    undated: tuple[Hashable, ...]
    outside: tuple[Hashable, ...]

    @property
    def is_empty(self) -> bool:
        """Nothing at all stands in this row."""
        return not (self.bars or self.undated or self.outside)


@dataclass(frozen=True, slots=True)
class TodayMark:
    """Where today's line stands: in a column, so many tenths of its width from its left edge."""

    column: int
    tenth: int


@dataclass(frozen=True, slots=True)
class Board:
    """A whole board: months as (year, month) pairs, rows, and today's line where it is on it."""

    months: tuple[tuple[int, int], ...]
    columns_per_month: int
    rows: tuple[Row, ...]
    today: TodayMark | None

    @property
    def columns(self) -> int:
        """Number of columns of the whole board."""
        return len(self.months) * self.columns_per_month


def months_between(first: date, last: date) -> tuple[tuple[int, int], ...]:
    """Return the (year, month) pairs from the month of `first` to the month of `last`."""
    start = first.year * 12 + first.month - 1
    end = max(start, last.year * 12 + last.month - 1)
    return tuple((number // 12, number % 12 + 1) for number in range(start, end + 1))


def third_of(day: date) -> int:
    """Return 0, 1 or 2 for days 1-10, 11-20 and 21-end (上旬, 中旬, 下旬).

    >>> third_of(date(2024, 5, 31))
    2
    """
    return min((day.day - 1) // 10, THIRDS - 1)


def lay_board(
    starts_on: date,
    ends_on: date,
    *,
    rows: Sequence[tuple[Hashable, Sequence[Span]]],
    today: date,
    label_columns: int = LABEL_COLUMNS,
) -> Board:
    """Place every span of every row on a board from `starts_on` to `ends_on`, both included."""
    months = months_between(starts_on, ends_on)[:MOST_MONTHS]
    per_month = THIRDS if len(months) < COARSE_FROM_MONTHS else 1
    grid = _Grid(months=months, per_month=per_month, label_columns=label_columns)
    return Board(
        months=months,
        columns_per_month=per_month,
        rows=tuple(grid.lay_row(key, spans) for key, spans in rows),
        today=grid.today_mark(today),
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    """The columns of one board."""

    months: tuple[tuple[int, int], ...]
    per_month: int
    label_columns: int

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.months) * self.per_month

    def column_of(self, day: date) -> int:
        """Return the column of a day, counted from 1; outside the board it is < 1 or > columns."""
        first_year, first_month = self.months[0]
        month = (day.year - first_year) * 12 + day.month - first_month
        return month * self.per_month + (third_of(day) if self.per_month == THIRDS else 0) + 1

    def today_mark(self, today: date) -> TodayMark | None:
        """Return where today's line stands, or None when today is not on the board."""
        column = self.column_of(today)
        if not 1 <= column <= self.columns:
            return None
        days = monthrange(today.year, today.month)[1]
        if self.per_month == THIRDS:
            third = third_of(today)
            length = 10 if third < THIRDS - 1 else days - 20
            return TodayMark(column, (today.day - 1 - 10 * third) * 10 // length)
        return TodayMark(column, (today.day - 1) * 10 // days)

    def lay_row(self, key: Hashable, spans: Sequence[Span]) -> Row:
        """Place the spans of one row and pack them into lanes."""
        undated: list[Hashable] = []
        outside: list[Hashable] = []
        bars: list[Bar] = []
        for span in spans:
            if span.first is None or span.last is None:
                undated.append(span.key)
                continue
            bar = self.place(span.key, self.column_of(span.first), self.column_of(span.last))
            if bar is None:
                outside.append(span.key)
            else:
                bars.append(bar)
        lanes = pack_lanes([(bar.label_column, bar.label_span) for bar in bars])
        packed = tuple(
            Bar(
                key=bar.key,
                column=bar.column,
                span=bar.span,
                label_column=bar.label_column,
                label_span=bar.label_span,
                lane=lane,
                leans_left=bar.leans_left,
                cut_left=bar.cut_left,
                cut_right=bar.cut_right,
            )
            for bar, lane in zip(bars, lanes, strict=True)
        )
        return Row(key, packed, max(lanes, default=-1) + 1, tuple(undated), tuple(outside))

    def place(self, key: Hashable, first: int, last: int) -> Bar | None:
        """Return the bar over columns `first` to `last`, or None where no part is on the board."""
        last = max(first, last)
        if last < 1 or first > self.columns:
            return None
        column = max(first, 1)
        span = min(last, self.columns) - column + 1
        is_short = span <= BESIDE_UP_TO and self.label_columns > 1
        wanted = self.label_columns + span - 1 if is_short else max(span, self.label_columns)
        label_span = min(wanted, self.columns)
        leans_left = column + label_span - 1 > self.columns
        label_column = column
        if leans_left:
            label_column = max(1, column + span - label_span)
            label_span = column + span - label_column
        return Bar(
            key=key,
            column=column,
            span=span,
            label_column=label_column,
            label_span=label_span,
            lane=0,
            leans_left=leans_left,
            cut_left=first < 1,
            cut_right=last > self.columns,
        )
