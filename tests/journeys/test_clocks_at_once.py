"""Several clocks find the same things due at one moment: none waits for ever, none tells twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from coordination.accounts.viewer import SYSTEM
from coordination.deliveries.models import Delivery
from events.chasing import add_chase_step
from events.models import Chase, Duty, Reminder
from events.owing import set_duty
from events.reminding import add_reminder_rule
from events.telling import Reminders
from events.urging import Chases
from tests.factories import AT, make_cast, make_event
from tests.journeys.test_two_at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DUE = AT + timedelta(days=20)
LATE = DUE + timedelta(days=6)
AFTER = ("P1D", "P2D", "P3D", "P4D")


def owe(how_many: int) -> None:
    """Let organizations owe something, each with four steps that are overdue at `LATE`."""
    cast = make_cast()
    for offset in AFTER:
        add_chase_step(cast.alliance, offset=offset, told=["liaison"], channels=["email"],
                       viewer=SYSTEM, at=AT)  # fmt: skip
    for number in range(how_many):
        event = make_event(cast.alliance, scheduled=True, title_zh=f"活动{number}")
        set_duty(event, cast.host, kind="send_agenda", due_at=DUE, viewer=SYSTEM, at=AT)


def take_all() -> None:
    """Take what is due as one clock does, until nothing is left that nobody else holds."""
    source = Chases()
    while source.fire_next(LATE):
        pass


def test_chases_by_four_clocks_after_a_pause_tell_each_once() -> None:
    owe(12)

    raised = at_once([take_all] * 4)
    take_all()

    assert raised == [None] * 4
    assert (
        sorted(Chase.objects.values_list("state", flat=True)) == ["fired"] * 12 + ["skipped"] * 36
    )
    last = Chase.objects.filter(step__offset="P4D")
    assert set(last.values_list("state", flat=True)) == {"fired"}
    assert sorted(len(row.joined) for row in last) == [3] * 12
    assert Delivery.objects.count() == 12


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
def test_chases_of_a_duty_that_another_clock_holds_are_left_to_it() -> None:
    owe(2)
    held, other = Duty.objects.order_by("pk")
    left: list[bool] = []

    with transaction.atomic():
        Duty.objects.select_for_update(no_key=True).get(pk=held.pk)
        raised = at_once([lambda: left.extend(Chases().fire_next(LATE) for _turn in range(5))])

    assert raised == [None]
    assert left == [True, True, True, True, False]
    assert set(Chase.objects.filter(duty=held).values_list("state", flat=True)) == {"pending"}
    assert set(Chase.objects.filter(duty=other).values_list("state", flat=True)) == {
        "skipped", "fired",
    }  # fmt: skip


def remind() -> datetime:
    """Let four reminders of one event to the same two people be overdue at the instant returned."""
    cast = make_cast()
    for offset in ("-P4D", "-P3D", "-P2D", "-P1D"):
        add_reminder_rule(
            cast.alliance, viewer=SYSTEM, at=AT, offset=offset, grace_minutes=9999,
            audience=["members"],
        )  # fmt: skip
    event = make_event(cast.alliance, scheduled=True)
    assert event.starts_at is not None
    return event.starts_at - timedelta(hours=3)


def fire_all(at: datetime) -> None:
    source = Reminders()
    while source.fire_next(at):
        pass


def expect_the_nearest_alone() -> None:
    states = Reminder.objects.order_by("rule__pk").values_list("state", flat=True)
    assert list(states) == ["skipped", "skipped", "skipped", "fired"]
    nearest = Reminder.objects.get(state="fired")
    assert list(Delivery.objects.values_list("source_id", flat=True)) == [str(nearest.pk)] * 2


def test_reminders_by_four_clocks_after_a_pause_send_only_the_nearest() -> None:
    at = remind()

    raised = at_once([lambda: fire_all(at)] * 4)

    assert raised == [None] * 4
    expect_the_nearest_alone()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
def test_reminders_that_a_slow_clock_holds_are_not_sent_after_the_nearest() -> None:
    at = remind()

    with transaction.atomic():
        slow = Reminder.objects.select_for_update().order_by("due_at")[:3]
        assert len(slow) == 3
        raised = at_once([lambda: fire_all(at)])
    fire_all(at)

    assert raised == [None]
    expect_the_nearest_alone()
