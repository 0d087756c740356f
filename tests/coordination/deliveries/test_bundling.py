from datetime import datetime, timedelta

import pytest

from coordination.deliveries.bundling import bundle_due, message_uid
from coordination.deliveries.fanout import enqueue
from coordination.deliveries.models import Delivery, HoldPeriod, Message
from tests.coordination.deliveries.stage import cause
from tests.steps import counted, steps_of

pytestmark = pytest.mark.django_db


def test_bundle_due_deliveries_makes_one_message_each(at: datetime) -> None:
    enqueue(["box:1", "box:2"], channel="post", cause=cause())

    assert bundle_due(at) == 2
    assert bundle_due(at) == 0
    rows = Delivery.objects.select_related("message").order_by("recipient", "pk")
    assert [row.message.recipient for row in rows if row.message] == ["box:1", "box:2"]
    assert [row.message.uid for row in rows if row.message] == [message_uid([row]) for row in rows]


def test_bundle_before_its_time_makes_nothing(at: datetime) -> None:
    enqueue(["box:1"], channel="post", cause=cause(send_after=at + timedelta(seconds=1)))

    assert bundle_due(at) == 0
    assert bundle_due(at + timedelta(seconds=1)) == 1


def test_bundle_a_digest_makes_one_message_for_each_reader(at: datetime) -> None:
    for number in ("1", "2", "3"):
        enqueue(["box:1", "box:2"], channel="post", cause=cause(number, digest="morning"))

    assert bundle_due(at) == 2
    assert [message.deliveries.count() for message in Message.objects.all()] == [3, 3]


def test_bundle_a_digest_beyond_the_limit_keeps_it_whole(at: datetime) -> None:
    for number in range(5):
        enqueue(["box:1"], channel="post", cause=cause(str(number), digest="morning"))

    assert bundle_due(at, limit=2) == 1
    assert Message.objects.get().deliveries.count() == 5


@counted
@pytest.mark.parametrize("kind", ["digest", "lane"])
def test_bundle_reads_nothing_of_what_was_bundled_before(kind: str, at: datetime) -> None:
    def steps_of_next_bundle(name: str) -> int:
        told = cause(name, **{kind: "same"})
        enqueue(["box:1", "box:2"], channel="post", cause=told)
        return steps_of(lambda: bundle_due(at))

    first = steps_of_next_bundle("first")
    enqueue([f"box:{number}" for number in range(500)], channel="post", cause=cause("others"))
    bundle_due(at)
    second = steps_of_next_bundle("second")
    assert second == pytest.approx(first, rel=0.1)


def test_bundle_expires_with_the_last_of_its_lines(at: datetime) -> None:
    for hours in (1, 3, 2):
        expiry = at + timedelta(hours=hours)
        enqueue(["box:1"], channel="post", cause=cause(str(hours), digest="d", expires_at=expiry))

    bundle_due(at)

    assert Message.objects.get().expires_at == at + timedelta(hours=3)


def test_bundle_with_a_line_that_never_expires_never_expires(at: datetime) -> None:
    enqueue(["box:1"], channel="post", cause=cause("1", digest="d", expires_at=at))
    enqueue(["box:1"], channel="post", cause=cause("2", digest="d"))

    bundle_due(at)

    assert Message.objects.get().expires_at is None


def test_bundle_in_a_hold_period_is_held(at: datetime) -> None:
    HoldPeriod.objects.create(
        from_at=at - timedelta(hours=1), until_at=at + timedelta(minutes=1), reason="restored"
    )
    enqueue(["box:1"], channel="post", cause=cause("1"))
    late = at + timedelta(minutes=1)
    enqueue(["box:1"], channel="post", cause=cause("2", due_at=late, send_after=late))

    bundle_due(late)

    assert list(Message.objects.order_by("recipient", "pk").values_list("state", "reason")) == [
        ("held", "restored"),
        ("pending", ""),
    ]


def test_message_uid_of_the_same_lines_in_any_order_is_the_same(at: datetime) -> None:
    for number in ("1", "2"):
        enqueue(["box:1"], channel="post", cause=cause(number))
    rows = list(Delivery.objects.all())

    assert message_uid(rows) == message_uid(reversed(rows))
    assert message_uid(rows) != message_uid(rows[:1])
