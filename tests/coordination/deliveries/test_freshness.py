from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest

from coordination.deliveries.fanout import enqueue
from coordination.deliveries.freshness import (
    TriesSoFar,
    beat,
    condition,
    heartbeat_age,
    messages_by_state,
    oldest_due_seconds,
)
from coordination.deliveries.models import Attempt, Channel, Cursor, Endpoint, Heartbeat, Message
from coordination.deliveries.subscribers import read_on, register_subscriber
from tests.coordination.deliveries.stage import Boxes, Notices, Post, cause, drain, queue
from tests.factories import AT, make_alliance

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _stage(source: Notices, boxes: Boxes, post: Post) -> None:
    """All three are there for every test."""


def test_heartbeat_age_before_any_loop_is_unknown(at: datetime) -> None:
    assert heartbeat_age(at) is None


def test_heartbeat_age_counts_from_the_last_beat_of_any_loop(at: datetime) -> None:
    beat("clock", at=at - MINUTE)
    beat("loop", at=at - MINUTE)
    beat("loop", at=at)

    assert heartbeat_age(at + timedelta(seconds=5)) == 5.0
    assert Heartbeat.objects.count() == 2


def test_oldest_due_with_nothing_due_is_zero(at: datetime) -> None:
    queue("box:1", send_after=at + MINUTE)

    assert oldest_due_seconds(at) == 0.0


def test_oldest_due_counts_messages_deliveries_and_sources(at: datetime, source: Notices) -> None:
    queue("box:1")
    assert oldest_due_seconds(at + MINUTE) == 60.0
    enqueue(["box:1"], channel="post", cause=cause("loose", send_after=at - MINUTE))
    assert oldest_due_seconds(at + MINUTE) == 120.0
    source.due.append(cause("unfired", due_at=at - 2 * MINUTE))
    assert oldest_due_seconds(at + MINUTE) == 180.0
    assert oldest_due_seconds(at + MINUTE, channels=["post"]) == 60.0
    assert oldest_due_seconds(at + MINUTE, channels=["email"]) == 0.0


class Stuck:
    name = "stuck"

    def tell(self, changes: object, at: datetime) -> None:
        raise ZeroDivisionError


def test_oldest_due_counts_changes_that_nobody_could_read() -> None:
    later = AT + MINUTE
    make_alliance("read")
    Cursor.objects.create(subscriber="gone", number=0)
    register_subscriber(Stuck())
    read_on(Stuck(), at=AT)  # it begins at the end
    assert oldest_due_seconds(later) == 0.0
    make_alliance("unread")

    with pytest.raises(ZeroDivisionError):
        read_on(Stuck(), at=later)

    assert oldest_due_seconds(AT + 2 * MINUTE) == 120.0
    Cursor.objects.filter(subscriber="stuck").update(moved_at=later)
    assert oldest_due_seconds(AT + 2 * MINUTE) == 60.0


def test_oldest_due_of_an_endpoint_that_is_paused_does_not_count(at: datetime) -> None:
    queue("box:1")
    Endpoint.objects.update(failures=5, paused_until=at + 2 * MINUTE)

    assert oldest_due_seconds(at + MINUTE) == 0.0
    assert oldest_due_seconds(at + 2 * MINUTE) == 120.0


def test_condition_of_a_working_installation_is_not_late(at: datetime) -> None:
    beat("loop", at=at)
    queue("box:1")
    drain()
    Channel.objects.create(name="chat", paused_until=at + MINUTE)

    found = condition(at)

    assert messages_by_state() == {"sent": 1}
    assert found.paused_channels == ("chat",)
    assert found.is_late is False
    assert condition(at + timedelta(seconds=31)).is_late is True


def test_condition_with_a_message_due_for_a_minute_is_late(at: datetime) -> None:
    queue("box:1")
    beat("loop", at=at + 2 * MINUTE)

    assert condition(at + MINUTE).is_late is False
    assert condition(at + MINUTE + timedelta(seconds=1)).is_late is True


def attempt(pk: int, *, at: datetime, outcome: str = "sent", code: str = "") -> None:
    message = Message.objects.get()
    Attempt.objects.create(
        pk=pk, message=message, number=pk, outcome=outcome, code=code, begun_at=at, ended_at=at
    )


def test_tries_so_far_counts_each_once_and_a_row_that_is_seen_late_too(at: datetime) -> None:
    queue("box:1")
    tries = TriesSoFar()
    attempt(2, at=at, outcome="retry", code="smtp_450")
    assert tries.count(at) == {("post", "retry", "smtp_450"): 1}

    attempt(1, at=at, outcome="in_doubt", code="lease_ended")  # drawn first, committed second
    attempt(3, at=at)

    whole = {
        ("post", "retry", "smtp_450"): 1,
        ("post", "in_doubt", "lease_ended"): 1,
        ("post", "sent", ""): 1,
    }
    assert tries.count(at + MINUTE / 2) == whole
    assert tries.count(at + MINUTE) == whole
    assert tries.count(at + 2 * MINUTE) == whole


def test_tries_so_far_after_old_lines_were_deleted_do_not_fall(at: datetime) -> None:
    queue("box:1")
    tries = TriesSoFar()
    attempt(1, at=at)
    tries.count(at)
    tries.count(at + MINUTE)
    attempt(2, at=at + MINUTE)

    Attempt.objects.filter(pk=1).delete()

    assert tries.count(at + 2 * MINUTE) == {("post", "sent", ""): 2}


def test_tries_so_far_of_another_ledger_begin_anew(at: datetime) -> None:
    queue("box:1")
    tries = TriesSoFar()
    attempt(7, at=at)
    tries.count(at)
    tries.count(at + MINUTE)

    Attempt.objects.all().delete()
    attempt(3, at=at, outcome="dead", code="smtp_550")

    assert tries.count(at + 2 * MINUTE) == {("post", "dead", "smtp_550"): 1}


def test_tries_so_far_looks_at_what_is_new_only(
    at: datetime, django_assert_num_queries: Callable[..., AbstractContextManager[Any]]
) -> None:
    queue("box:1")
    tries = TriesSoFar()
    attempt(1, at=at)
    tries.count(at)
    tries.count(at + MINUTE)

    with django_assert_num_queries(2) as asked:
        tries.count(at + MINUTE)

    assert "> 1 " in asked[1]["sql"]
