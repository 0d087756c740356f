import re
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from coordination.celery import app
from coordination.deliveries import tasks
from coordination.deliveries.models import Heartbeat
from tests.coordination.deliveries.stage import Boxes, Notices, Post, cause, queue


@pytest.mark.django_db
def test_drain_as_a_task_sends_what_is_due(source: Notices, boxes: Boxes, post: Post) -> None:
    past = timezone.now() - timedelta(days=1)
    queue("box:1", send_after=past)

    # What was queued for 2028 is not due by today's clock; what was due yesterday is.
    from coordination.deliveries.bundling import bundle_due

    bundle_due(timezone.now())
    tasks.drain(channel="post")

    assert len(post.carried) == 1


@pytest.mark.django_db
def test_go_round_as_a_task_ticks_and_sends(source: Notices, boxes: Boxes, post: Post) -> None:
    now = timezone.now()
    source.audience = ["box:1"]
    source.due = [cause("1", due_at=now, send_after=now)]

    tasks.go_round()

    assert len(post.carried) == 1
    assert Heartbeat.objects.count() == 1


def test_beat_schedule_names_a_task_that_exists() -> None:
    app.loader.import_default_modules()

    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_worker_call_with_a_broker_that_hangs_returns_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop, published = threading.Event(), []

    def hang(**options: object) -> None:
        published.append(options["kwargs"])
        stop.wait(5)

    monkeypatch.setattr(tasks.drain, "apply_async", hang)
    call = tasks.WorkerCall(stop)
    begun = time.monotonic()
    for _number in range(1000):
        call("email")
    spent = time.monotonic() - begun
    stop.wait(0.3)
    stop.set()

    assert spent < 1
    assert published == [{"channel": "email"}]


def test_worker_call_with_a_broker_that_fails_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop, tries = threading.Event(), []

    def fail(**options: object) -> None:
        tries.append(options)
        raise ConnectionError("no Redis here")

    monkeypatch.setattr(tasks.drain, "apply_async", fail)
    call = tasks.WorkerCall(stop)
    for number in range(1, 4):
        call("email")
        deadline = time.monotonic() + 5
        while len(tries) < number and time.monotonic() < deadline:
            time.sleep(0.01)
    stop.set()

    assert len(tries) == 3
    assert caplog.text.count("no Redis here") == 1


def test_deliveries_schedule_nothing_in_the_broker() -> None:
    folder = Path(settings.BASE_DIR) / "coordination" / "deliveries"
    words = re.compile(r"\beta=|\bcountdown=|\.retry\(|autoretry_for")

    found = [file.name for file in folder.rglob("*.py") if words.search(file.read_text())]

    assert found == []
