"""However fast messages come, no stretch of time sees more sends than its endpoint takes."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection

from coordination.deliveries.limits import Pace, close_until, put_off, take_token
from coordination.deliveries.models import Endpoint, Message
from tests.coordination.deliveries.stage import AT, Boxes, Notices, Post, drain, queue

pytestmark = pytest.mark.django_db

PACE = Pace(burst=3, per_second=14 / 60)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint.objects.create(channel="post", owner="box:1")


def sends(endpoint: Endpoint, moments: list[datetime], pace: Pace = PACE) -> list[datetime]:
    """Return the moments, of those given, at which a token was there."""
    return [at for at in moments if take_token(endpoint.pk, pace, at=at) is None]


def most_in(sent: list[datetime], seconds: float) -> int:
    """Return the most sends that any stretch of so many seconds saw, its end excluded."""
    width = timedelta(seconds=seconds)
    return max(sum(begin <= at < begin + width for at in sent) for begin in sent)


def test_take_token_after_a_silence_gives_the_burst_and_then_says_how_long(
    endpoint: Endpoint,
) -> None:
    waits = [take_token(endpoint.pk, PACE, at=AT) for _n in range(4)]

    assert waits[:3] == [None, None, None]
    assert waits[3] is not None
    assert timedelta(seconds=60 / 14) <= waits[3] < timedelta(seconds=60 / 14 + 0.1)
    assert take_token(endpoint.pk, PACE, at=AT + waits[3]) is None


def test_take_token_asked_all_the_time_never_exceeds_the_limit_in_any_window(
    endpoint: Endpoint,
) -> None:
    drawn = random.Random(20)
    moments = sorted(AT + timedelta(seconds=drawn.uniform(0, 300)) for _n in range(900))

    sent = sends(endpoint, moments)

    assert most_in(sent, 60) <= PACE.most_in(60) == 17
    assert len(sent) >= 60  # five minutes at fourteen a minute, and the burst


def test_take_token_of_two_limits_holds_both(endpoint: Endpoint) -> None:
    pace = Pace(burst=2, per_second=1.4)  # a robot that takes 100 a minute and 5 a second
    moments = [AT + timedelta(milliseconds=50 * step) for step in range(1600)]

    sent = sends(endpoint, moments, pace)

    assert most_in(sent, 1) <= 5
    assert most_in(sent, 60) <= 100


def test_take_token_at_an_earlier_instant_than_the_last_gains_nothing(endpoint: Endpoint) -> None:
    sends(endpoint, [AT] * 3)

    assert take_token(endpoint.pk, PACE, at=AT - timedelta(hours=1)) is not None
    assert take_token(endpoint.pk, PACE, at=AT) is not None


def test_close_until_keeps_the_bucket_shut(endpoint: Endpoint, at: datetime) -> None:
    close_until(endpoint.pk, at + timedelta(minutes=10))

    wait = take_token(endpoint.pk, PACE, at=at)

    assert wait is not None
    assert wait >= timedelta(minutes=10)
    assert take_token(endpoint.pk, PACE, at=at + wait) is None


@pytest.mark.django_db(transaction=True)
def test_take_token_by_many_at_once_gives_out_no_more_than_there_are() -> None:
    endpoint = Endpoint.objects.create(channel="post", owner="box:1")
    barrier = threading.Barrier(6)

    def take() -> bool:
        barrier.wait(timeout=20)
        try:
            return take_token(endpoint.pk, PACE, at=AT) is None
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        taken = [future.result() for future in [pool.submit(take) for _n in range(6)]]

    assert sum(taken) == PACE.burst


def test_put_off_is_no_try(source: Notices, boxes: Boxes, post: Post, at: datetime) -> None:
    from coordination.deliveries.outbox import claim_due

    queue("box:1")
    (claimed,) = claim_due("post", at=at, lease=timedelta(seconds=60))

    assert put_off(claimed, until=at + timedelta(seconds=9)) == 1

    stored = Message.objects.get()
    assert (stored.attempts, stored.lease, stored.state) == (0, "", "pending")
    assert stored.next_attempt_at == at + timedelta(seconds=9)
    assert put_off(claimed, until=at) == 0


def test_drain_of_many_messages_for_one_endpoint_keeps_the_pace(
    source: Notices, boxes: Boxes, post: Post, at: datetime
) -> None:
    post.pace = PACE  # type: ignore[attr-defined]
    for number in range(40):
        queue("box:1", source_id=str(number))
    queue("box:2", source_id="other")
    sent: list[datetime] = []
    moment = at
    post.before = lambda letter: sent.append(moment) if letter.reader.recipient == "box:1" else None
    while Message.objects.filter(state="pending").exists():
        drain(moment)
        moment += timedelta(seconds=1)

    assert len(sent) == 40
    assert most_in(sent, 60) <= 17
    assert all(earlier <= later for earlier, later in pairwise(sent))
    assert Message.objects.filter(state="sent", attempts=1).count() == 41
