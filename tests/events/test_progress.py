from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.progress import (
    ActualTime,
    Judged,
    Outcome,
    PlannedTime,
    Tally,
    Verdict,
    judge,
    tally,
)

MAY = PlannedTime(date(2024, 5, 1), date(2024, 5, 31))
NO_WINDOW = PlannedTime(None, None)
days = st.dates(date(2024, 1, 1), date(2024, 12, 31))


@pytest.mark.parametrize(
    ("planned", "actual", "on", "verdict"),
    [
        (MAY, ActualTime(), date(2024, 5, 31), Verdict(Outcome.OPEN)),
        (MAY, ActualTime(), date(2024, 6, 1), Verdict(Outcome.OVERDUE, 1)),
        (NO_WINDOW, ActualTime(), date(2024, 12, 31), Verdict(Outcome.OPEN)),
        (MAY, ActualTime(date(2024, 5, 14)), date(2024, 1, 1), Verdict(Outcome.SET)),
        (MAY, ActualTime(date(2024, 6, 3)), date(2024, 1, 1), Verdict(Outcome.SET, 3)),
        (MAY, ActualTime(date(2024, 7, 1)), date(2024, 1, 1), Verdict(Outcome.SET, 31, True)),
        (MAY, ActualTime(date(2024, 3, 31)), date(2024, 1, 1), Verdict(Outcome.SET, 0, True)),
        (
            MAY,
            ActualTime(date(2024, 5, 14), held_on=date(2024, 5, 14)),
            date(2024, 5, 14),
            Verdict(Outcome.HELD),
        ),
        (
            MAY,
            ActualTime(date(2024, 5, 14), held_on=date(2024, 5, 14)),
            date(2024, 5, 13),
            Verdict(Outcome.SET),
        ),
        (MAY, ActualTime(dropped_on=date(2024, 4, 1)), date(2024, 4, 1), Verdict(Outcome.DROPPED)),
        (MAY, ActualTime(dropped_on=date(2024, 4, 1)), date(2024, 3, 31), Verdict(Outcome.OPEN)),
        (NO_WINDOW, ActualTime(date(2024, 5, 1)), date(2024, 5, 1), Verdict(Outcome.SET)),
    ],
)
def test_judge_of_each_case_gives_its_verdict(planned, actual, on, verdict):
    assert judge(planned, actual, on=on) == verdict


def test_tally_counts_the_whole_and_each_group_once():
    held = Judged(Verdict(Outcome.HELD), groups=("talks", "tianjin"))
    late = Judged(Verdict(Outcome.OVERDUE, 5), is_added=True, groups=("talks",))
    gone = Judged(Verdict(Outcome.DROPPED), groups=("visits",))

    tallies = tally([held, late, gone])

    assert tallies == {
        None: Tally(planned=3, held=1, on_time=1, late=1, overdue=1, dropped=1, added=1),
        "talks": Tally(planned=2, held=1, on_time=1, late=1, overdue=1, added=1),
        "tianjin": Tally(planned=1, held=1, on_time=1),
        "visits": Tally(planned=1, dropped=1),
    }
    assert [tallies[key].percent_held for key in (None, "talks", "visits")] == [50, 50, 0]


@given(st.tuples(days, days).map(sorted), st.none() | days, days)
def test_judge_of_any_event_is_late_exactly_after_its_window(window, first, on):
    verdict = judge(PlannedTime(*window), ActualTime(first), on=on)

    day = max(first or on, on)
    assert verdict.days_late == max(0, (day - window[1]) // timedelta(days=1))
    assert verdict.is_on_time == (first is not None and day <= window[1])
