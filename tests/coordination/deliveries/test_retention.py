from datetime import datetime, timedelta

import pytest

from coordination.deliveries.fanout import enqueue
from coordination.deliveries.models import Attempt, Delivery, Endpoint, Message
from coordination.deliveries.outbox import claim_due
from coordination.deliveries.retention import (
    delete_old,
    expire_overdue,
    forget_addresses,
    forget_content,
)
from tests.coordination.deliveries.stage import Boxes, Notices, Post, cause, drain, queue

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _stage(source: Notices, boxes: Boxes, post: Post) -> None:
    """All three are there for every test."""


def test_expire_overdue_closes_what_nobody_could_send(at: datetime) -> None:
    queue("box:1", source_id="over", expires_at=at)
    queue("box:1", source_id="coming", expires_at=at + DAY)

    assert expire_overdue(at) == 1
    assert list(Message.objects.order_by("recipient", "pk").values_list("state", "reason")) == [
        ("expired", "expired"),
        ("pending", ""),
    ]


def test_expire_overdue_leaves_alone_what_is_being_sent(at: datetime) -> None:
    queue("box:1", expires_at=at + timedelta(seconds=1))
    claim_due("post", at=at, lease=DAY)

    assert expire_overdue(at + timedelta(seconds=1)) == 0


def test_forget_content_after_90_days_keeps_the_lines(at: datetime) -> None:
    queue("box:1")
    drain()
    Message.objects.update(created_at=at)

    assert forget_content(at + 90 * DAY) == 0
    assert forget_content(at + 90 * DAY + timedelta(seconds=1)) == 1
    assert forget_content(at + 91 * DAY) == 0
    assert Message.objects.get().rendered == ""
    assert Attempt.objects.count() == 1


def test_delete_old_after_400_days_deletes_all_of_it(at: datetime) -> None:
    queue("box:1")
    drain()
    queue("box:2")
    Message.objects.update(created_at=at)

    assert delete_old(at + 400 * DAY) == 0
    assert delete_old(at + 401 * DAY) == 1
    assert delete_old(at + 401 * DAY) == 0
    assert list(Delivery.objects.values_list("recipient", flat=True)) == ["box:2"]
    assert (Message.objects.count(), Attempt.objects.count()) == (1, 0)


def test_delete_old_takes_lines_that_never_came_into_a_message(at: datetime) -> None:
    enqueue(["box:1"], channel="post", cause=cause("dropped", dropped_reason="by_wish"))
    enqueue(["box:2"], channel="post", cause=cause("waiting"))
    Delivery.objects.update(created_at=at)

    assert delete_old(at + 400 * DAY) == 0
    assert delete_old(at + 401 * DAY) == 1
    assert list(Delivery.objects.values_list("source_id", flat=True)) == ["waiting"]


def test_forget_addresses_of_a_person_keeps_the_lines(at: datetime) -> None:
    queue("box:1", "box:2")
    drain()

    assert forget_addresses("box:1") == 1

    assert list(Endpoint.objects.order_by("owner").values_list("address", flat=True)) == [
        "",
        "2@example.org",
    ]
    assert set(Attempt.objects.values_list("message__recipient", "address")) == {
        ("box:1", ""),
        ("box:2", "2@example.org"),
    }
    assert Message.objects.get(recipient="box:1").rendered == ""
    assert Message.objects.get(recipient="box:1").state == "sent"
