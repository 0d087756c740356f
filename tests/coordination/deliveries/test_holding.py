from datetime import datetime, timedelta

import pytest

from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.fanout import enqueue
from coordination.deliveries.holding import hold, hold_period, release_period, replay
from coordination.deliveries.models import Message
from coordination.deliveries.transports.base import TransportError
from tests.coordination.deliveries.stage import Boxes, Notices, Post, cause, drain, queue

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _stage(source: Notices, boxes: Boxes, post: Post) -> None:
    """All three are there for every test."""


def test_hold_period_holds_what_was_due_in_it_and_what_is_found_later(at: datetime) -> None:
    queue("box:1", source_id="before", due_at=at - 2 * HOUR, send_after=at - 2 * HOUR)
    queue("box:1", source_id="within", due_at=at - HOUR, send_after=at - HOUR)
    hold_period(from_at=at - HOUR, until_at=at, reason="restored")
    enqueue(["box:2"], channel="post", cause=cause("found", due_at=at - timedelta(seconds=1)))
    enqueue(["box:2"], channel="post", cause=cause("after"))
    bundle_due(at)

    drain()

    assert list(Message.objects.order_by("recipient", "pk").values_list("state", "reason")) == [
        ("sent", ""),
        ("held", "restored"),
        ("held", "restored"),
        ("sent", ""),
    ]


def test_release_period_lets_go_what_is_still_wanted(
    at: datetime, source: Notices, post: Post
) -> None:
    queue("box:1", "box:2", due_at=at - HOUR, send_after=at - HOUR)
    period = hold_period(from_at=at - HOUR, until_at=at, reason="restored")
    source.refusals["box:2"] = "event_cancelled"

    assert release_period(period, at=at) == 2
    drain()

    assert [letter.reader.recipient for letter in post.carried] == ["box:1"]
    period.refresh_from_db()
    assert period.released_at == at


def test_hold_leaves_alone_what_is_sent(at: datetime) -> None:
    queue("box:1")
    drain()

    assert hold(Message.objects.all(), reason="staff") == 0


def test_replay_dead_messages_sends_them_under_the_same_id(at: datetime, post: Post) -> None:
    (message,) = queue("box:1")
    post.failures["box:1"] = TransportError("smtp_550", "no", permanent=True)
    drain()
    post.failures.clear()

    assert replay(Message.objects.all(), at=at + HOUR) == 1
    drain(at + HOUR)

    assert [letter.uid for letter in post.carried] == [message.uid]
    assert Message.objects.get().state == "sent"


def test_replay_what_was_sent_does_nothing(at: datetime, post: Post) -> None:
    queue("box:1")
    drain()

    assert replay(Message.objects.all(), at=at) == 0
