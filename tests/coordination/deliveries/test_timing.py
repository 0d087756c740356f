import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from coordination.deliveries.timing import Fence, Timepiece, database_time


@pytest.mark.django_db
def test_database_time_is_aware_and_now() -> None:
    assert abs(database_time() - timezone.now()) < timedelta(seconds=2)
    assert database_time().tzinfo is UTC


def test_timepiece_when_the_hosts_clock_jumps_goes_on_evenly(at: datetime) -> None:
    with time_machine.travel(at, tick=True) as traveller:
        piece = Timepiece(at)
        traveller.shift(timedelta(hours=1))

        assert piece.now() - at < timedelta(seconds=5)


def test_fence_passes_at_seven_tenths_of_the_lease() -> None:
    assert Fence(timedelta(0)).has_passed()
    fence = Fence(timedelta(seconds=0.2))
    assert not fence.has_passed()
    time.sleep(0.15)
    assert fence.has_passed()
