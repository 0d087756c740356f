from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from coordination.portal.board import (
    MOST_MONTHS,
    Bar,
    Board,
    Row,
    Span,
    TodayMark,
    lay_board,
    months_between,
    third_of,
)

YEAR = (date(2024, 1, 1), date(2024, 12, 31))
days = st.dates(date(2023, 7, 1), date(2025, 6, 30))
periods = st.tuples(days, days).map(sorted)


def lay(*spans: Span, today: date = date(2020, 1, 1), period=YEAR) -> Board:
    return lay_board(*period, rows=[("area", spans)], today=today)


def test_lay_board_with_a_day_gives_its_third_and_room_for_words():
    board = lay(Span("visit", date(2024, 5, 14), date(2024, 5, 14)))

    assert board.columns == 36
    assert board.rows == (
        Row(
            key="area",
            bars=(
                Bar(
                    key="visit",
                    column=14,
                    span=1,
                    label_column=14,
                    label_span=6,
                    lane=0,
                    leans_left=False,
                    cut_left=False,
                    cut_right=False,
                ),
            ),
            lanes=1,
            undated=(),
            outside=(),
        ),
    )


def test_lay_board_with_a_day_puts_the_words_beside_the_bar():
    bar = lay(Span("visit", date(2024, 5, 14), date(2024, 5, 14))).rows[0].bars[0]

    assert (bar.is_beside, bar.words_column, bar.words_span) == (True, 2, 5)


def test_lay_board_with_a_month_puts_the_words_on_the_bar():
    bar = lay(Span("may", date(2024, 5, 1), date(2024, 5, 31))).rows[0].bars[0]

    assert (bar.span, bar.label_span, bar.is_beside) == (3, 6, False)
    assert (bar.words_column, bar.words_span) == (1, 6)


def test_lay_board_near_the_end_puts_the_words_before_the_bar():
    bar = lay(Span("fair", date(2024, 11, 21), date(2024, 11, 22))).rows[0].bars[0]

    assert (bar.column, bar.label_column, bar.label_span) == (33, 28, 6)
    assert (bar.leans_left, bar.words_column, bar.words_span) == (True, 1, 5)


def test_lay_board_with_a_quarter_gives_a_ribbon_over_nine_thirds():
    bar = lay(Span("q2", date(2024, 4, 1), date(2024, 6, 30))).rows[0].bars[0]

    assert (bar.column, bar.span, bar.label_span) == (10, 9, 9)


def test_lay_board_at_the_end_of_the_year_leans_the_words_left():
    bar = lay(Span("last", date(2024, 12, 31), date(2024, 12, 31))).rows[0].bars[0]

    assert (bar.column, bar.span, bar.label_column, bar.label_span) == (36, 1, 31, 6)
    assert bar.leans_left
    assert bar.inner_column == 6


def test_lay_board_without_days_lists_the_span_as_undated():
    row = lay(Span("some day", None, None)).rows[0]

    assert (row.undated, row.bars, row.lanes, row.is_empty) == (
        ("some day",),
        (),
        0,
        False,
    )


def test_lay_board_with_days_after_the_period_lists_the_span_as_outside():
    row = lay(Span("moved", date(2025, 1, 10), date(2025, 1, 10))).rows[0]

    assert (row.outside, row.bars) == (("moved",), ())


def test_lay_board_with_a_span_over_the_end_cuts_it_there():
    bar = lay(Span("winter", date(2023, 12, 1), date(2025, 2, 1))).rows[0].bars[0]

    assert (bar.column, bar.span, bar.cut_left, bar.cut_right) == (1, 36, True, True)


def test_lay_board_without_spans_gives_an_empty_row_without_lanes():
    row = lay().rows[0]

    assert (row.is_empty, row.lanes) == (True, 0)


def test_lay_board_of_a_period_across_years_begins_with_its_own_month():
    board = lay(
        Span("spring", date(2025, 3, 1), date(2025, 3, 31)),
        period=(date(2024, 9, 15), date(2025, 8, 31)),
    )

    assert board.months[0] == (2024, 9)
    assert board.months[-1] == (2025, 8)
    assert (board.rows[0].bars[0].column, board.rows[0].bars[0].span) == (19, 3)


def test_lay_board_of_one_month_keeps_the_words_within_three_columns():
    board = lay(
        Span("talk", date(2024, 6, 27), date(2024, 6, 27)),
        period=(date(2024, 6, 1), date(2024, 6, 30)),
    )

    assert board.columns == 3
    assert (board.rows[0].bars[0].label_column, board.rows[0].bars[0].label_span) == (
        1,
        3,
    )


def test_lay_board_of_many_years_has_one_column_a_month_up_to_the_most():
    board = lay(
        Span("later", date(2024, 3, 14), date(2024, 3, 14)),
        period=(date(2020, 1, 1), date(2035, 12, 31)),
        today=date(2020, 1, 31),
    )

    assert (board.columns_per_month, board.columns) == (1, MOST_MONTHS)
    assert board.rows[0].bars[0].column == 51
    assert board.today == TodayMark(1, 9)


def test_lay_board_marks_today_within_its_third():
    assert lay(today=date(2024, 5, 16)).today == TodayMark(14, 5)
    assert lay(today=date(2024, 2, 29)).today == TodayMark(6, 8)
    assert lay(today=date(2024, 12, 31)).today == TodayMark(36, 9)
    assert lay(today=date(2025, 1, 1)).today is None
    assert lay(today=date(2023, 12, 31)).today is None


def test_months_between_with_an_end_before_the_start_gives_the_first_month():
    assert months_between(date(2024, 5, 1), date(2023, 5, 1)) == ((2024, 5),)


def test_third_of_every_day_of_a_month_follows_the_ten_days():
    thirds = [third_of(date(2024, 1, 1) + timedelta(days=n)) for n in range(31)]

    assert thirds == [0] * 10 + [1] * 10 + [2] * 11


@given(period=periods, spans=st.lists(periods, max_size=30), today=days)
def test_lay_board_of_any_spans_places_each_once_inside_the_board(period, spans, today):
    given_spans = [Span(number, *span) for number, span in enumerate(spans)]

    board = lay_board(*period, rows=[("area", given_spans)], today=today)

    row = board.rows[0]
    assert sorted([bar.key for bar in row.bars] + list(row.outside)) == list(range(len(spans)))
    for bar in row.bars:
        assert 1 <= bar.label_column <= bar.column
        assert bar.column + bar.span <= bar.label_column + bar.label_span <= board.columns + 1
        assert bar.lane < row.lanes
        words = range(bar.words_column, bar.words_column + bar.words_span)
        assert 1 <= words.start < words.stop <= bar.label_span + 1
    taken = [
        (bar.lane, bar.label_column + step) for bar in row.bars for step in range(bar.label_span)
    ]
    assert len(taken) == len(set(taken))


@given(period=periods, span=periods)
def test_lay_board_of_any_span_covers_exactly_the_thirds_it_touches(period, span):
    board = lay_board(*period, rows=[("area", [Span("x", *span)])], today=span[0])

    touched = {
        (day.year, day.month, third_of(day))
        for day in (span[0] + timedelta(days=n) for n in range((span[1] - span[0]).days + 1))
    }
    columns = [(*month, third) for month in board.months for third in range(3)]
    expected = [number for number, column in enumerate(columns, 1) if column in touched]
    drawn = [
        number for bar in board.rows[0].bars for number in range(bar.column, bar.column + bar.span)
    ]
    assert drawn == expected
