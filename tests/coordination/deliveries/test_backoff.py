from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.deliveries.backoff import CHANNEL_AWAY, MAIL, retry_at, wait_after

AT = datetime(2028, 2, 29, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failures", "minutes"), [(1, 1), (2, 2), (3, 4), (7, 64), (8, 120), (9, 120), (10_000, 120)]
)
def test_wait_after_failures_doubles_up_to_the_cap(failures: int, minutes: int) -> None:
    assert wait_after(failures, MAIL, spread=1.0) == timedelta(minutes=minutes)


def test_wait_after_lowest_spread_is_half() -> None:
    assert wait_after(3, MAIL, spread=0.0) == timedelta(minutes=2)


@given(st.integers(0, 100), st.floats(0, 1))
def test_wait_after_any_failure_stays_between_half_the_base_and_the_cap(
    failures: int, spread: float
) -> None:
    wait = wait_after(failures, CHANNEL_AWAY, spread=spread)

    assert CHANNEL_AWAY.base / 2 <= wait <= CHANNEL_AWAY.cap


def test_retry_at_obeys_what_the_other_side_asks_for() -> None:
    later = retry_at(
        1, MAIL, at=AT, first_tried_at=AT, spread=1.0, retry_after=timedelta(minutes=30)
    )

    assert later == AT + timedelta(minutes=30)


def test_retry_at_is_asked_to_wait_for_weeks_waits_for_a_day() -> None:
    later = retry_at(1, MAIL, at=AT, first_tried_at=AT, spread=1.0, retry_after=timedelta(weeks=3))

    assert later == AT + timedelta(hours=24)


def test_retry_at_after_three_days_gives_up() -> None:
    first = AT - timedelta(days=3)

    assert retry_at(9, MAIL, at=AT, first_tried_at=first, spread=0.5) is None
    assert retry_at(9, MAIL, at=AT - timedelta(seconds=1), first_tried_at=first, spread=1.0) == (
        AT - timedelta(seconds=1) + timedelta(hours=2)
    )
