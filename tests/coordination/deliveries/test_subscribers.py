from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from coordination.changes.models import Change
from coordination.deliveries.fanout import enqueue
from coordination.deliveries.models import Cursor, Delivery
from coordination.deliveries.subscribers import read_on
from tests.coordination.deliveries.stage import cause
from tests.factories import make_alliance

pytestmark = pytest.mark.django_db


@dataclass
class Reader:
    name: str = "reader"
    told: list[int] = field(default_factory=list)
    fails: bool = False
    follows: str = ""

    def tell(self, changes: Sequence[Change], at: datetime) -> None:
        for change in changes:
            enqueue(["box:1"], channel="post", cause=cause(str(change.number)))
        if self.fails:
            raise ZeroDivisionError
        self.told += [change.number for change in changes]


def numbers() -> list[int]:
    return list(Change.objects.order_by("number").values_list("number", flat=True))


def test_read_on_as_a_new_subscriber_begins_at_the_end(at: datetime) -> None:
    make_alliance("old")
    subscriber = Reader()

    assert read_on(subscriber, at=at) == 0
    assert Cursor.objects.get().number == numbers()[-1]


def test_read_on_tells_each_change_once(at: datetime) -> None:
    subscriber = Reader()
    read_on(subscriber, at=at)
    make_alliance("new")

    assert read_on(subscriber, at=at) == len(numbers())
    assert read_on(subscriber, at=at) == 0
    assert subscriber.told == numbers()
    assert Cursor.objects.get().number == numbers()[-1]


def test_read_on_with_a_subscriber_that_fails_writes_nothing(at: datetime) -> None:
    subscriber = Reader(fails=True)
    read_on(subscriber, at=at)
    make_alliance("new")

    with pytest.raises(ZeroDivisionError):
        read_on(subscriber, at=at)

    assert Delivery.objects.count() == 0
    subscriber.fails = False
    read_on(subscriber, at=at)
    assert subscriber.told == numbers()


def test_read_on_of_one_that_follows_another_reads_no_further_than_that(at: datetime) -> None:
    first, second = Reader("first"), Reader("second", follows="first")
    for reader in (first, second):
        read_on(reader, at=at)
    make_alliance("new")

    assert read_on(second, at=at) == 0
    assert read_on(first, at=at) == len(numbers())
    assert read_on(second, at=at) == len(numbers())
    assert second.told == numbers()
