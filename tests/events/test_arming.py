"""What is to come follows its rule and its event, and so does what waits."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from alliances.models import Person
from coordination.deliveries.models import Delivery
from events.models import Event, Reminder, ReminderRule
from events.reminding import add_reminder_rule
from events.scheduling import schedule_event
from tests.events.test_lateness import (
    fire,
    live_in,
    look_again,
    on,
    put_off_till_seven,
    remind,
    retime,
    send_what_is_due,
)
from tests.factories import AFTERNOON, SYSTEM, Cast, make_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def put_off(cast: Cast) -> Event:
    return put_off_till_seven(cast)


def put_in_place(at: datetime, **values: object) -> None:
    """Let another rule stand in for the one there is, for the one event."""
    base = ReminderRule.objects.get()
    chosen: dict[str, object] = {"audience": ["members"], "overrides": base} | values
    add_reminder_rule(Event.objects.get(), viewer=SYSTEM, at=at, **chosen)  # type: ignore[arg-type]


def test_override_of_a_time_just_over_tells_once_those_who_wait(put_off: Event) -> None:
    put_in_place(on(14, 17), offset="-PT35H")
    fire(on(14, 17), since=on(14, 17))

    assert look_again(on(14, 23)) == [
        ("host", "told_already"),
        ("liaison", ""),
        ("liaison", "rule_off"),
    ]


def test_override_of_a_time_long_over_tells_nobody(put_off: Event) -> None:
    put_in_place(on(14, 17), offset="-P3D")
    fire(on(14, 17), since=on(14, 17))

    assert look_again(on(14, 23)) == [("liaison", "rule_off")]
    assert Reminder.objects.get(rule__overrides__isnull=False).note == "set after it was due"


def test_override_of_a_time_just_over_tells_those_whom_the_other_had_still_to_tell(
    cast: Cast,
) -> None:
    remind(cast, offset="-PT20H")
    make_event(cast.alliance, scheduled=True)
    put_in_place(on(14, 17), offset="-PT35H")
    fire(on(16, 2), since=on(14, 17))

    told = ReminderRule.objects.get(overrides__isnull=False).reminders.get()
    assert (told.state, told.fired_at) == ("fired", on(14, 17))
    assert [row.source_id for row in Delivery.objects.all()] == [str(told.pk)] * 2


def test_revise_words_while_what_was_timed_anew_waits_tells_whoever_heard_the_first(
    put_off: Event,
) -> None:
    live_in("Asia/Shanghai", "host")  # by now: both wait for the end of the night
    retime(on(14, 17), offset="-PT32H")  # half past one, to come
    fire(on(14, 17, 30), since=on(14, 17, 30))
    retime(on(14, 18), text_en="Bring your badge.")

    assert look_again(on(14, 23)) == [
        ("host", ""),
        ("liaison", ""),
        ("liaison", "rule_changed"),
    ]


@pytest.mark.parametrize(
    ("hours", "outcome"), [(24, ("liaison", "sent", "")), (25, ("liaison", "", "too_late"))]
)
def test_what_waits_through_a_standstill_is_judged_by_the_grace_of_its_rule(
    put_off: Event, hours: int, outcome: tuple[str, str, str]
) -> None:
    schedule_event(Event.objects.get(), AFTERNOON, viewer=SYSTEM, at=on(14, 17))
    Delivery.objects.all().delete()
    fire(on(21, 21), since=on(21, 21))  # put off till seven in Beijing

    send_what_is_due(on(21, 23) + timedelta(hours=hours))

    assert outcome in outcomes()


def outcomes() -> list[tuple[str, str, str]]:
    """Return (user, state of its message, why it was left out) of each line."""
    people = {f"person:{row.uid}": row for row in Person.objects.select_related("user")}
    return [
        (
            people[row.recipient].user.username,
            row.message.state if row.message else "",
            row.dropped_reason,
        )
        for row in Delivery.objects.select_related("message").order_by("pk")
    ]
