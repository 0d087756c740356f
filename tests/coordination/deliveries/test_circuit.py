import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection

from coordination.deliveries.backoff import CHANNEL_AWAY
from coordination.deliveries.circuit import OPEN_AFTER, note_channel_stumble, pause_channel
from coordination.deliveries.models import Channel
from tests.coordination.deliveries.stage import AT


@pytest.mark.django_db
def test_note_channel_stumble_while_it_is_paused_pauses_no_longer(at: datetime) -> None:
    ends = [note_channel_stumble("email", reason="cut", at=at) for _n in range(OPEN_AFTER + 20)]

    channel = Channel.objects.get()
    assert ends[: OPEN_AFTER - 1] == [None] * (OPEN_AFTER - 1)
    assert set(ends[OPEN_AFTER - 1 :]) == {channel.paused_until}
    assert channel.paused_until is not None
    assert channel.paused_until <= at + CHANNEL_AWAY.base
    assert channel.failures == OPEN_AFTER


@pytest.mark.django_db
def test_pause_channel_again_after_each_pause_waits_longer(at: datetime) -> None:
    waits = []
    for _n in range(4):
        ends = pause_channel("email", reason="nobody there", refuses_us=False, at=at)
        assert pause_channel("email", reason="nor here", refuses_us=True, at=at) == ends
        waits.append(ends - at)
        at = ends

    base = CHANNEL_AWAY.base
    assert [wait / base <= 2**step for step, wait in enumerate(waits)] == [True] * 4
    assert [wait / base >= 2**step / 2 for step, wait in enumerate(waits)] == [True] * 4


@pytest.mark.django_db
def test_note_channel_stumble_after_a_pause_that_is_over_pauses_nothing(at: datetime) -> None:
    ends = pause_channel("email", reason="nobody there", refuses_us=False, at=at)

    assert note_channel_stumble("email", reason="cut", at=ends) is None


@pytest.mark.django_db(transaction=True)
def test_note_channel_stumble_by_many_at_once_counts_them_as_one_pause() -> None:
    barrier = threading.Barrier(12)

    def stumble() -> None:
        barrier.wait(timeout=20)
        try:
            note_channel_stumble("email", reason="silent", at=AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        for future in [pool.submit(stumble) for _n in range(12)]:
            future.result()

    channel = Channel.objects.get()
    assert channel.failures == OPEN_AFTER
    assert channel.paused_until is not None
    assert channel.paused_until - AT <= timedelta(seconds=5)
