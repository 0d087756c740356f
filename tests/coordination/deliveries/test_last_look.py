from datetime import datetime, timedelta

import pytest

from coordination.deliveries.fanout import enqueue
from coordination.deliveries.models import Delivery, Endpoint, Message
from coordination.deliveries.transports.base import Letter, TransportError
from tests.coordination.deliveries.stage import Boxes, Notices, Post, cause, drain, queue

pytestmark = pytest.mark.django_db

BUSY = TransportError("smtp_450", "450 mailbox busy")


@pytest.fixture(autouse=True)
def _stage(source: Notices, boxes: Boxes, post: Post) -> None:
    """All three are there for every test."""


def states() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("recipient", "pk").values_list("state", "reason"))


def test_drain_what_the_last_look_refuses_is_superseded(post: Post, source: Notices) -> None:
    queue("box:1", "box:2")
    source.refusals["box:1"] = "event_cancelled"

    assert drain().dropped == 1

    assert states() == [("superseded", "event_cancelled"), ("sent", "")]
    assert [x.reader.recipient for x in post.carried] == ["box:2"]


def test_drain_looks_right_before_each_message_not_before_the_batch(
    post: Post, source: Notices
) -> None:
    queue("box:1", "box:2")
    post.before = lambda letter: source.refusals.update({"box:2": "event_moved"})

    drain()

    assert states() == [("sent", ""), ("superseded", "event_moved")]


def test_drain_after_the_event_began_expires(at: datetime, post: Post) -> None:
    queue("box:1", expires_at=at)

    drain()

    assert states() == [("expired", "expired")]
    assert post.carried == []


def test_drain_to_someone_who_is_gone_is_superseded(post: Post, boxes: Boxes) -> None:
    queue("box:1")
    boxes.gone.add("box:1")

    drain()

    assert states() == [("superseded", "recipient_gone")]


def test_drain_a_digest_leaves_out_what_is_no_longer_wanted(
    at: datetime, post: Post, source: Notices
) -> None:
    for number in ("1", "2", "3"):
        enqueue(["box:1"], channel="post", cause=cause(number, digest="morning"))
    queue()
    source.refusals["2"] = "event_cancelled"

    drain()

    assert [x.rendered.subject for x in post.carried] == ["通知 1、3"]
    assert list(Delivery.objects.order_by("pk").values_list("dropped_reason", flat=True)) == [
        "",
        "event_cancelled",
        "",
    ]


def test_drain_a_digest_of_which_nothing_is_wanted_says_of_each_line_why(
    at: datetime, post: Post, source: Notices
) -> None:
    for number in ("1", "2", "3"):
        enqueue(["box:1"], channel="post", cause=cause(number, digest="morning"))
    queue()
    source.refusals |= {"1": "told_already", "2": "event_cancelled", "3": "told_already"}

    drain()

    assert states() == [("superseded", "told_already")]
    assert list(Delivery.objects.order_by("pk").values_list("dropped_reason", flat=True)) == [
        "",
        "event_cancelled",
        "",
    ]


def test_drain_what_may_never_go_twice_is_held_when_in_doubt(at: datetime, post: Post) -> None:
    queue("box:1", never_twice=True)

    class Killed(BaseException):
        pass

    def die(letter: Letter) -> None:
        raise Killed

    post.before = die
    with pytest.raises(Killed):
        drain()
    post.before = None

    drain(at + timedelta(minutes=3))

    assert states() == [("held", "in_doubt")]
    assert post.carried == []


def test_drain_what_may_never_go_twice_is_sent_again_when_the_failure_is_known(
    at: datetime, post: Post
) -> None:
    queue("box:1", never_twice=True)
    post.failures["box:1"] = BUSY
    drain()
    post.failures.clear()

    drain(at + timedelta(minutes=3))

    assert states() == [("sent", "")]


def test_drain_to_an_endpoint_of_its_own_uses_its_address_and_language(post: Post) -> None:
    from coordination.deliveries.fanout import fan_out_to_endpoints

    Endpoint.objects.create(
        channel="post", owner="alliance:1", name="群", address="https://x.test/1", language="en"
    )
    fan_out_to_endpoints(Endpoint.objects.all(), channel="post", cause=cause())
    queue()

    drain()

    assert [(x.reader.address, x.reader.language) for x in post.carried] == [
        ("https://x.test/1", "en")
    ]
