from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from coordination.portal.month import (
    DaySpan,
    WeekBar,
    days_touched,
    grid_days,
    lay_month,
    neighbour_months,
)

BEIJING = ZoneInfo("Asia/Shanghai")
GENEVA = ZoneInfo("Europe/Zurich")


def at(zone: ZoneInfo, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=zone)


def test_days_touched_at_half_past_eleven_in_beijing_stays_on_the_day_there():
    start, end = at(BEIJING, 2026, 3, 31, 23, 30), at(BEIJING, 2026, 4, 1, 0, 0)

    assert days_touched(start, end, zone=BEIJING) == (
        date(2026, 3, 31),
        date(2026, 3, 31),
    )


def test_days_touched_in_the_early_morning_is_the_day_before_in_geneva():
    start, end = at(BEIJING, 2026, 7, 2, 1, 30), at(BEIJING, 2026, 7, 2, 3, 0)

    assert days_touched(start, end, zone=GENEVA) == (date(2026, 7, 1), date(2026, 7, 1))


def test_days_touched_over_midnight_takes_both_days():
    start, end = at(BEIJING, 2024, 2, 28, 23, 30), at(BEIJING, 2024, 2, 29, 0, 30)

    assert days_touched(start, end, zone=BEIJING) == (
        date(2024, 2, 28),
        date(2024, 2, 29),
    )


def test_days_touched_without_length_is_the_day_of_the_start():
    instant = at(BEIJING, 2026, 3, 6)

    assert days_touched(instant, instant, zone=BEIJING) == (
        date(2026, 3, 6),
        date(2026, 3, 6),
    )


def test_lay_month_with_three_days_draws_one_bar():
    weeks = lay_month(2026, 3, spans=[DaySpan("x", date(2026, 3, 6), date(2026, 3, 8))])

    assert [week.bars for week in weeks] == [
        (),
        (WeekBar("x", 5, 3, 0, continues_before=False, continues_after=False),),
        (),
        (),
        (),
        (),
    ]


def test_lay_month_with_a_span_over_the_week_end_splits_it_there():
    weeks = lay_month(2026, 3, spans=[DaySpan("x", date(2026, 3, 7), date(2026, 3, 17))])

    assert [week.bars for week in weeks[1:4]] == [
        (WeekBar("x", 6, 2, 0, continues_before=False, continues_after=True),),
        (WeekBar("x", 1, 7, 0, continues_before=True, continues_after=True),),
        (WeekBar("x", 1, 2, 0, continues_before=True, continues_after=False),),
    ]


def test_lay_month_marks_the_days_of_the_months_beside_it():
    weeks = lay_month(2026, 3, spans=[])

    assert [day.in_month for day in weeks[0].days] == [False] * 6 + [True]


def test_grid_days_of_march_reach_into_both_neighbours():
    assert grid_days(2026, 3) == (date(2026, 2, 23), date(2026, 4, 5))


def test_neighbour_months_of_january_and_december_cross_the_year():
    assert neighbour_months(2026, 1) == ((2025, 12), (2026, 2))
    assert neighbour_months(2026, 12) == ((2026, 11), (2027, 1))


spans = st.lists(
    st.tuples(st.dates(date(2026, 2, 1), date(2026, 4, 30)), st.integers(0, 40)),
    max_size=25,
)


@given(spans)
def test_lay_month_of_any_spans_covers_each_day_of_the_grid_once_a_span(given_spans):
    day_spans = [
        DaySpan(number, first, first + timedelta(days=length))
        for number, (first, length) in enumerate(given_spans)
    ]

    weeks = lay_month(2026, 3, spans=day_spans)

    drawn = [
        (bar.key, week.days[bar.column - 1 + step].on)
        for week in weeks
        for bar in week.bars
        for step in range(bar.span)
    ]
    first, last = grid_days(2026, 3)
    grid = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    expected = [(s.key, day) for s in day_spans for day in grid if s.first <= day <= s.last]
    assert sorted(drawn) == sorted(expected)


@given(spans)
def test_lay_month_of_any_spans_never_overlaps_within_a_lane(given_spans):
    day_spans = [DaySpan(n, f, f + timedelta(days=d)) for n, (f, d) in enumerate(given_spans)]

    for week in lay_month(2026, 3, spans=day_spans):
        taken = [(bar.lane, bar.column + s) for bar in week.bars for s in range(bar.span)]
        assert len(taken) == len(set(taken))
        assert week.lanes == len({bar.lane for bar in week.bars})


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
    st.timedeltas(timedelta(minutes=1), timedelta(days=9)),
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "Asia/Kathmandu"]),
)
def test_days_touched_of_any_stretch_holds_its_start_and_its_last_moment(start, length, name):
    zone = ZoneInfo(name)

    first, last = days_touched(start, start + length, zone=zone)

    assert first == start.astimezone(zone).date()
    assert last == (start + length - timedelta(microseconds=1)).astimezone(zone).date()
