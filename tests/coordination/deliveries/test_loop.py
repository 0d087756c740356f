import logging
import threading
import time
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from coordination.deliveries.fanout import enqueue
from coordination.deliveries.loop import MOST_ROUNDS, run_loop, run_once, tick
from coordination.deliveries.models import Heartbeat, Message
from tests.coordination.deliveries.stage import Boxes, Notices, Post, cause, queue


@pytest.fixture(autouse=True)
def _stage(source: Notices, boxes: Boxes, post: Post) -> None:
    """All three are there for every test."""


def wait_for_sent(count: int, seconds: float = 10) -> float:
    """Wait until so many are sent; return how long it took."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if Message.objects.filter(state="sent").count() >= count:
            return time.monotonic() - begun
        time.sleep(0.02)
    raise AssertionError(f"only {Message.objects.filter(state='sent').count()} sent")


@pytest.mark.django_db
def test_tick_fires_what_is_due_and_bundles_it(at: datetime, source: Notices) -> None:
    source.audience = ["box:1", "box:2"]
    source.due = [cause("1"), cause("2"), cause("later", due_at=at + timedelta(seconds=1))]

    tick(at, stop=threading.Event())

    assert Message.objects.count() == 4
    assert [waiting.source_id for waiting in source.due] == ["later"]


@pytest.mark.django_db
def test_tick_with_a_source_that_fails_goes_on_with_the_rest(
    at: datetime, source: Notices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_at: datetime) -> bool:
        raise ZeroDivisionError

    queue("box:1")
    monkeypatch.setattr(source, "fire_next", fail)
    with caplog.at_level(logging.ERROR):
        tick(at, stop=threading.Event())

    assert "notice failed" in caplog.text


@pytest.mark.django_db
def test_run_once_sends_what_is_due_and_beats(source: Notices, post: Post) -> None:
    now = timezone.now()
    source.audience = ["box:1"]
    source.due = [cause("1", due_at=now - timedelta(seconds=1), send_after=now)]

    tallies = run_once(stop=threading.Event())

    assert tallies["post"].sent == 1
    assert len(post.carried) == 1
    assert Heartbeat.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_run_loop_delivers_within_seconds_and_ends_at_once(source: Notices, post: Post) -> None:
    stop, wake = threading.Event(), threading.Event()
    loop = threading.Thread(target=run_loop, args=(stop, wake), kwargs={"interval": 0.1})
    loop.start()
    try:
        now = timezone.now()
        source.audience = [f"box:{number}" for number in range(30)]
        source.due.append(cause("1", due_at=now, send_after=now))
        wake.set()
        assert wait_for_sent(30) < 3
    finally:
        begun = time.monotonic()
        stop.set()
        wake.set()
        loop.join(10)

    assert not loop.is_alive()
    assert time.monotonic() - begun < 5
    assert len(post.carried) == 30


@pytest.mark.django_db(transaction=True)
def test_run_loop_sends_what_is_ready_while_more_falls_due(
    source: Notices, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    fired: list[int] = []

    def fire(at: datetime) -> bool:
        if post.carried:
            return False
        fired.append(
            enqueue(
                ["box:1"], channel="post", cause=cause(str(len(fired)), due_at=at, send_after=at)
            )
        )
        time.sleep(0.005)
        return True

    monkeypatch.setattr(source, "fire_next", fire)
    stop, wake = threading.Event(), threading.Event()
    loop = threading.Thread(target=run_loop, args=(stop, wake))
    loop.start()
    try:
        wait_for_sent(1)
    finally:
        stop.set()
        wake.set()
        loop.join(20)

    assert 0 < len(fired) < MOST_ROUNDS


@pytest.mark.django_db
def test_tick_that_left_something_says_so(at: datetime, source: Notices) -> None:
    source.audience = ["box:1"]
    source.due = [cause("1"), cause("2")]

    left = [tick(at, stop=threading.Event(), step_seconds=0) for _n in range(3)]

    assert left == [True, True, False]
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_run_loop_survives_what_goes_wrong_in_a_round(
    source: Notices, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coordination.deliveries import loop as module

    failures = iter([OperationalError("the database is away"), RuntimeError("a mistake")])
    real = module.database_time

    def sometimes() -> datetime:
        for failure in failures:
            raise failure
        return real()

    monkeypatch.setattr(module, "database_time", sometimes)
    now = timezone.now()
    source.audience = ["box:1"]
    source.due.append(cause("1", due_at=now, send_after=now))
    stop, wake = threading.Event(), threading.Event()
    loop = threading.Thread(target=run_loop, args=(stop, wake), kwargs={"interval": 0.05})
    loop.start()
    try:
        wait_for_sent(1)
    finally:
        stop.set()
        wake.set()
        loop.join(10)

    assert len(post.carried) == 1


@pytest.mark.django_db(transaction=True)
def test_run_loop_in_two_copies_sends_each_once(source: Notices, post: Post) -> None:
    now = timezone.now()
    source.audience = [f"box:{number}" for number in range(100)]
    source.due += [cause(str(number), due_at=now, send_after=now) for number in range(2)]
    stop = threading.Event()
    wakes = [threading.Event(), threading.Event()]
    loops = [
        threading.Thread(target=run_loop, args=(stop, wake), kwargs={"interval": 0.02})
        for wake in wakes
    ]
    for loop in loops:
        loop.start()
    try:
        wait_for_sent(200, seconds=30)
        time.sleep(0.2)
    finally:
        stop.set()
        for wake, loop in zip(wakes, loops, strict=True):
            wake.set()
            loop.join(10)

    assert len(post.carried) == len({letter.uid for letter in post.carried}) == 200


@pytest.mark.django_db(transaction=True)
def test_run_loop_with_workers_hands_over_and_sends_what_they_leave(
    source: Notices, post: Post
) -> None:
    handed: list[str] = []
    now = timezone.now()
    source.audience = ["box:1"]
    source.due.append(cause("fresh", due_at=now, send_after=now))
    stop, wake = threading.Event(), threading.Event()
    loop = threading.Thread(
        target=run_loop,
        args=(stop, wake),
        kwargs={"interval": 0.05, "hand_over": handed.append, "name": "clock"},
    )
    loop.start()
    try:
        deadline = time.monotonic() + 10
        while not handed and time.monotonic() < deadline:
            time.sleep(0.02)
        assert post.carried == []
        Message.objects.update(next_attempt_at=now - timedelta(seconds=6))
        wait_for_sent(1)
    finally:
        stop.set()
        wake.set()
        loop.join(10)

    assert set(handed) == {"post"}
