"""What is owed is chased step by step: the right people, once, and no longer than it is owed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from threading import Event as Stop

import pytest

from alliances.models import Person, Seat
from alliances.seating import hand_over_seat
from coordination.accounts.models import User
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.draining import Drain
from coordination.deliveries.models import Delivery, Message
from coordination.deliveries.recipients import readers_of
from coordination.deliveries.subscribers import read_on
from coordination.deliveries.timing import Timepiece
from events.chasing import (
    add_chase_step,
    revise_chase_step,
    revise_standard_duty,
    take_over_standard_chasing,
)
from events.demanding import settle_all, settle_duties
from events.inviting import invite_organizations
from events.models import Chase, Duty
from events.owing import fulfil_duty, move_duty, reopen_duty, set_duty
from events.scheduling import Host, schedule_event
from events.urging import Chases, SuccessorsAreTold
from tests.factories import AT, MORNING, SYSTEM, Cast, make_event, make_person, stored

pytestmark = pytest.mark.django_db
DUE = datetime(2028, 5, 8, 9, 0, tzinfo=UTC)
"""A Monday, 17:00 in Beijing."""


def set_steps(cast: Cast) -> None:
    for offset, told in (
        ("-P3D", ["liaison"]),
        ("P1D", ["deputy"]),
        ("P3D", ["representative"]),
        ("P5D", ["secretariat"]),
    ):
        add_chase_step(
            cast.alliance, offset=offset, told=told, channels=["email"], viewer=SYSTEM, at=AT
        )


def owed(cast: Cast, due_at: datetime = DUE, at: datetime = AT) -> Duty:
    event = make_event(cast.alliance, scheduled=True)
    return set_duty(event, cast.host, kind="send_agenda", due_at=due_at, viewer=SYSTEM, at=at)


def take_steps(at: datetime) -> int:
    """Let everything that is due by `at` be taken; return how many rows were looked at."""
    source, looked = Chases(), 0
    while source.fire_next(at):
        looked += 1
    return looked


def told() -> list[tuple[str, datetime]]:
    people = {f"person:{person.uid}": person for person in Person.objects.select_related("user")}
    rows = Delivery.objects.order_by("pk")
    return sorted((people[row.recipient].user.username, row.due_at) for row in rows)


def states() -> list[str]:
    return list(Chase.objects.order_by("due_at", "pk").values_list("state", flat=True))


def test_fire_next_goes_from_the_liaison_to_the_head_and_the_secretariat(cast: Cast) -> None:
    for name, role in (("deputy", "deputy"), ("head", "representative")):
        make_person(name, role=role, organization=cast.host)
    set_steps(cast)
    owed(cast)
    days = timedelta(days=1)

    taken = [take_steps(DUE + days * number) for number in (-4, -3, 0, 1, 3, 5, 9)]

    assert taken == [0, 1, 0, 1, 1, 1, 0]
    assert told() == sorted(
        [
            ("host", DUE - 3 * days),
            ("deputy", DUE + days),
            ("head", DUE + 3 * days),
            ("secretary", DUE + 5 * days),
        ]
    )
    assert set(Delivery.objects.values_list("source", "digest")) == {("chase", "owed")}


def test_fire_next_with_an_empty_seat_tells_who_comes_next(cast: Cast) -> None:
    set_steps(cast)
    owed(cast)
    days = timedelta(days=1)

    for number in (-3, 1, 3):
        take_steps(DUE + days * number)

    assert [name for name, _due in told()] == ["host", "secretary", "secretary"]


def test_fire_next_with_several_overdue_tells_all_their_people_once(cast: Cast) -> None:
    make_person("deputy", role="deputy", organization=cast.host)
    set_steps(cast)
    owed(cast)

    assert take_steps(DUE + timedelta(days=2)) == 2

    assert states() == ["skipped", "fired", "pending", "pending"]
    assert [name for name, _due in told()] == ["deputy", "host"]


def test_fulfil_duty_ends_its_steps_and_what_waits(cast: Cast) -> None:
    set_steps(cast)
    duty = owed(cast)
    take_steps(DUE - timedelta(days=3))
    [row] = Delivery.objects.all()
    (reader,) = readers_of([row.recipient], "email").values()
    assert Chases().still_wanted(row, reader, DUE) == ""

    fulfil_duty(duty, viewer=SYSTEM, at=DUE)

    assert states() == ["fired", "cancelled", "cancelled", "cancelled"]
    assert Chases().still_wanted(row, reader, DUE) == "done"
    assert take_steps(DUE + timedelta(days=9)) == 0


def test_reopen_duty_takes_the_steps_that_are_still_to_come(cast: Cast) -> None:
    set_steps(cast)
    duty = owed(cast)
    take_steps(DUE - timedelta(days=3))
    fulfil_duty(duty, viewer=SYSTEM, at=DUE)

    reopen_duty(duty, viewer=SYSTEM, at=DUE + timedelta(minutes=1))

    assert states() == ["fired", "pending", "pending", "pending"]
    assert take_steps(DUE + timedelta(minutes=2)) == 0
    assert take_steps(DUE + timedelta(days=1)) == 1


def days_after_due() -> list[tuple[str, float]]:
    """Return (offset, days after the date) of each step that is still to come."""
    rows = Chase.objects.filter(state="pending").order_by("due_at", "pk").select_related("step")
    return [(row.step.offset, (row.due_at - DUE) / timedelta(days=1)) for row in rows]


def test_reopen_duty_long_after_its_date_begins_with_the_officer_and_goes_on_from_now(
    cast: Cast,
) -> None:
    make_person("deputy", role="deputy", organization=cast.host)
    set_steps(cast)
    add_chase_step(
        cast.alliance, offset="P0D", told=["liaison"], channels=["email"], viewer=SYSTEM, at=AT
    )
    duty, days = owed(cast), timedelta(days=1)
    fulfil_duty(duty, viewer=SYSTEM, at=DUE - 9 * days)

    reopen_duty(duty, viewer=SYSTEM, at=DUE + 30 * days)

    assert days_after_due() == [("P0D", 30), ("P1D", 31), ("P3D", 33), ("P5D", 35)]
    settle = [take_steps(DUE + number * days) for number in (30, 30.5, 31, 33, 35, 99)]
    assert settle == [1, 0, 1, 1, 1, 0]
    assert [name for name, _due in told()] == ["deputy", "host", "secretary", "secretary"]


def test_reopen_duty_tells_nobody_twice_and_waits_what_was_left_to_wait(cast: Cast) -> None:
    set_steps(cast)
    duty, days = owed(cast), timedelta(days=1)
    for number in (-3, 1):
        take_steps(DUE + number * days)
    fulfil_duty(duty, viewer=SYSTEM, at=DUE + 2 * days)

    reopen_duty(duty, viewer=SYSTEM, at=DUE + 30 * days)
    revise_chase_step(
        Chase.objects.get(step__offset="P5D").step, offset="P6D", viewer=SYSTEM, at=DUE + 30 * days
    )

    assert states() == ["fired", "fired", "pending", "pending"]
    assert days_after_due() == [("P3D", 31), ("P6D", 34)]
    fulfil_duty(stored(duty), viewer=SYSTEM, at=DUE + 32 * days)
    reopen_duty(stored(duty), viewer=SYSTEM, at=DUE + 40 * days)
    assert days_after_due() == [("P3D", 40), ("P6D", 42)]


def test_move_duty_after_it_was_reopened_asks_again_by_the_new_date(cast: Cast) -> None:
    set_steps(cast)
    duty, days = owed(cast), timedelta(days=1)
    take_steps(DUE + days)
    fulfil_duty(duty, viewer=SYSTEM, at=DUE + 2 * days)
    reopen_duty(duty, viewer=SYSTEM, at=DUE + 30 * days)

    move_duty(stored(duty), due_at=DUE + 50 * days, viewer=SYSTEM, at=DUE + 30 * days)

    assert days_after_due() == [("-P3D", 47), ("P1D", 51), ("P3D", 53), ("P5D", 55)]


def test_reopen_duty_of_a_slip_leaves_its_steps_where_they_were(cast: Cast) -> None:
    set_steps(cast)
    duty, days = owed(cast), timedelta(days=1)
    take_steps(DUE + days)
    fulfil_duty(duty, viewer=SYSTEM, at=DUE + 1.5 * days)

    reopen_duty(duty, viewer=SYSTEM, at=DUE + 2.4 * days)

    assert days_after_due() == [("P3D", 3), ("P5D", 5)]


def test_move_duty_moves_its_steps_and_asks_again(cast: Cast) -> None:
    set_steps(cast)
    duty = owed(cast)
    take_steps(DUE - timedelta(days=3))
    [row] = Delivery.objects.all()
    (reader,) = readers_of([row.recipient], "email").values()

    later = DUE + timedelta(days=10)
    move_duty(duty, due_at=later, viewer=SYSTEM, at=DUE)

    assert states() == ["pending"] * 4
    assert list(Chase.objects.order_by("due_at").values_list("due_at", "generation")) == [
        (later - timedelta(days=3), 2),
        (later + timedelta(days=1), 1),
        (later + timedelta(days=3), 1),
        (later + timedelta(days=5), 1),
    ]
    assert Chases().still_wanted(row, reader, DUE) == "date_moved"


def test_move_duty_away_and_back_asks_once(cast: Cast) -> None:
    set_steps(cast)
    duty = owed(cast)
    take_steps(DUE - timedelta(days=3))
    bundle_due(DUE)
    Message.objects.update(state="sent", sent_at=DUE)
    for minutes, due_at in ((1, DUE + timedelta(days=30)), (2, DUE)):
        at = DUE - timedelta(days=3) + timedelta(minutes=minutes)
        duty = move_duty(duty, due_at=due_at, viewer=SYSTEM, at=at)
        take_steps(at)

    again = Delivery.objects.get(generation__gt=1)
    (reader,) = readers_of([again.recipient], "email").values()
    assert Chases().still_wanted(again, reader, DUE) == "told_already"


def test_duty_set_late_is_asked_for_at_once_and_heads_wait_their_days(cast: Cast) -> None:
    set_steps(cast)
    now = DUE - timedelta(hours=1)
    owed(cast, at=now)

    assert take_steps(now) == 1

    assert [name for name, _due in told()] == ["host"]
    rows = Chase.objects.order_by("due_at").values_list("due_at", flat=True)
    assert list(rows)[1:] == [DUE + timedelta(days=number) for number in (1, 3, 5)]


def test_successor_is_told_and_nobody_else_again(cast: Cast) -> None:
    set_steps(cast)
    owed(cast)
    subscriber = SuccessorsAreTold()
    read_on(subscriber, at=AT)
    at = DUE - timedelta(days=3)
    take_steps(at)
    seat = cast.host.seats.get()
    successor = make_person("successor")
    hand_over_seat(seat, successor, on=at.date(), viewer=SYSTEM, at=at)

    while read_on(subscriber, at=at):
        pass

    assert [name for name, _due in told()] == ["host", "successor"]
    rows = {row.recipient: row for row in Delivery.objects.all()}
    readers = readers_of(rows, "email")
    wanted = {
        readers[key].recipient: Chases().still_wanted(row, readers[key], at)
        for key, row in rows.items()
    }
    assert sorted(wanted.values()) == ["", "no_longer_concerned"]
    assert wanted[f"person:{successor.uid}"] == ""


def test_revise_chase_step_moves_what_it_has_not_done(cast: Cast) -> None:
    set_steps(cast)
    owed(cast)
    step = cast.alliance.chase_steps.get(offset="P5D")

    revise_chase_step(step, offset="P7D", viewer=SYSTEM, at=AT)
    assert Chase.objects.get(step=step).due_at == DUE + timedelta(days=7)
    revise_chase_step(step, enabled=False, viewer=SYSTEM, at=AT)
    assert Chase.objects.get(step=step).state == "cancelled"


def test_quiet_hours_of_a_reader_put_a_step_off_to_their_morning(cast: Cast) -> None:
    User.objects.filter(username="host").update(time_zone="America/Mexico_City")
    set_steps(cast)
    owed(cast)

    take_steps(DUE - timedelta(days=3))

    [row] = Delivery.objects.all()
    assert row.send_after == datetime(2028, 5, 5, 13, 0, tzinfo=UTC)  # 07:00 there


def test_render_of_two_steps_of_one_duty_says_it_once(cast: Cast) -> None:
    for offset in ("-P3D", "P0D"):
        add_chase_step(
            cast.alliance, offset=offset, told=["liaison"], channels=["email"],
            viewer=SYSTEM, at=AT,
        )  # fmt: skip
    owed(cast)
    take_steps(DUE - timedelta(days=3))
    take_steps(DUE)
    rows = list(Delivery.objects.order_by("-pk"))
    (reader,) = readers_of([rows[0].recipient], "email").values()

    written = Chases().render(rows, reader, DUE + timedelta(days=1))

    assert len(rows) == 2
    assert (len(written.items), written.text.count("对接会")) == (1, 1)


def test_render_says_what_is_owed_and_how_late_in_both_languages(cast: Cast) -> None:
    set_steps(cast)
    owed(cast)
    take_steps(DUE - timedelta(days=3))
    [row] = Delivery.objects.all()
    (reader,) = readers_of([row.recipient], "email").values()

    before = Chases().render([row], reader, DUE - timedelta(days=3))
    User.objects.filter(username="host").update(language="en")
    (reader,) = readers_of([row.recipient], "email").values()
    late = Chases().render([row], reader, DUE + timedelta(days=4))

    assert "2028年5月8日 17:00（北京时间）" in before.text
    assert late.subject == "Overdue: send the agenda, “Matchmaking”"
    assert "4 days late" in late.text
    assert date(2028, 5, 8).isoformat() not in late.text


def test_whoever_is_invited_inside_the_lead_time_is_asked_and_not_late(cast: Cast) -> None:
    for name, role in (("deputy", "deputy"), ("head", "representative")):
        make_person(name, role=role, organization=cast.member)
    User.objects.update(language="en")
    take_over_standard_chasing(cast.alliance, viewer=SYSTEM, at=AT)
    event = make_event(cast.alliance, scheduled=True)
    friday = datetime(2028, 5, 12, 2, tzinfo=UTC)
    invite_organizations(event, [cast.member], viewer=SYSTEM, at=friday)

    settle_all(at=friday)
    take_steps(friday)

    assert {name for name, _due in told()} == {"liaison"}
    rows = list(Delivery.objects.filter(channel="email"))
    (reader,) = readers_of([rows[0].recipient], "email").values()
    written = Chases().render(rows, reader, friday)
    assert written.subject == "2 things are owed, 0 of them late"
    assert "15 May 2028 17:00" in written.text
    take_steps(datetime(2028, 5, 15, 8, tzinfo=UTC))
    assert {name for name, _due in told()} == {"liaison"}
    take_steps(datetime(2028, 5, 16, 1, tzinfo=UTC))
    assert {name for name, _due in told()} == {"liaison", "deputy"}


def looks(at: datetime) -> list[tuple[str, str]]:
    """Take the last look at every line; return (user, why it is not sent)."""
    people = {f"person:{person.uid}": person for person in Person.objects.select_related("user")}
    rows = list(Delivery.objects.order_by("pk"))
    readers = readers_of({row.recipient for row in rows}, "email")
    return [
        (
            people[row.recipient].user.username,
            Chases().still_wanted(row, readers[row.recipient], at),
        )
        for row in rows
    ]


def test_revise_chase_step_while_a_line_waits_tells_whom_it_names_now(cast: Cast) -> None:
    make_person("deputy", role="deputy", organization=cast.host)
    set_steps(cast)
    owed(cast)
    at = DUE - timedelta(days=3)
    take_steps(at)
    step = cast.alliance.chase_steps.get(offset="-P3D")

    revise_chase_step(step, told=["deputy"], viewer=SYSTEM, at=at)

    assert looks(at) == [("host", "no_longer_concerned")]
    assert looks(at) == [("host", "no_longer_concerned"), ("deputy", "")]


def test_still_wanted_tells_whoever_works_in_the_secretariat_by_now(cast: Cast) -> None:
    set_steps(cast)
    owed(cast)
    at = DUE + timedelta(days=5)
    for days in (-3, 1, 3):
        take_steps(DUE + timedelta(days=days))
    Delivery.objects.all().delete()
    take_steps(at)
    seat = Seat.objects.get(person__user__username="secretary")
    hand_over_seat(seat, make_person("successor"), on=at.date(), viewer=SYSTEM, at=at)

    assert looks(at) == [("secretary", "no_longer_concerned")]
    assert looks(at) == [("secretary", "no_longer_concerned"), ("successor", "")]


@pytest.mark.parametrize("by_own_steps", [False, True])
def test_still_wanted_once_the_step_is_taken_no_more_says_so(
    cast: Cast, by_own_steps: bool
) -> None:
    set_steps(cast)
    owed(cast)
    at = DUE - timedelta(days=3)
    take_steps(at)
    assert looks(at) == [("host", "")]

    if by_own_steps:
        add_chase_step(
            cast.alliance, kind="send_agenda", offset="P9D", told=["liaison"], channels=["email"],
            viewer=SYSTEM, at=at,
        )  # fmt: skip
    else:
        step = cast.alliance.chase_steps.get(offset="-P3D")
        revise_chase_step(step, enabled=False, viewer=SYSTEM, at=at)

    assert looks(at) == [("host", "step_removed")]


def send_what_is_due(at: datetime) -> list[tuple[str, str]]:
    """Let the queue send what may go out by an instant; return (user, how it ended) of each."""
    drain = Drain("email", Timepiece(at), Stop())
    while bundle_due(at):
        pass
    drain.run()
    people = {f"person:{person.uid}": person for person in Person.objects.select_related("user")}
    rows = Message.objects.exclude(state="pending").order_by("pk")
    return [(people[row.recipient].user.username, row.reason or row.state) for row in rows]


def test_reopen_duty_whose_step_was_left_out_meanwhile_tells_it_once(cast: Cast) -> None:
    make_person("second", role="liaison", organization=cast.host)
    User.objects.filter(username="second").update(time_zone="Europe/Madrid")
    set_steps(cast)
    duty = owed(cast, due_at=datetime(2028, 5, 8, 16, 0, tzinfo=UTC))  # midnight in Beijing
    night = duty.due_at - timedelta(days=3)
    take_steps(night)
    assert send_what_is_due(night) == [("second", "sent")]
    morning = night + timedelta(hours=7)

    fulfil_duty(duty, viewer=SYSTEM, at=night + timedelta(hours=1))
    assert send_what_is_due(morning) == [("second", "sent"), ("host", "done")]
    reopen_duty(stored(duty), viewer=SYSTEM, at=morning + timedelta(minutes=5))
    take_steps(morning + timedelta(minutes=6))

    assert send_what_is_due(morning + timedelta(hours=7)) == [
        ("second", "sent"),
        ("host", "done"),
        ("host", "sent"),
        ("second", "told_already"),
    ]


def test_reopen_duty_whose_step_reached_everybody_tells_nobody(cast: Cast) -> None:
    set_steps(cast)
    duty = owed(cast)
    at = DUE - timedelta(days=3)
    take_steps(at)
    send_what_is_due(at)
    fulfil_duty(duty, viewer=SYSTEM, at=at)

    reopen_duty(stored(duty), viewer=SYSTEM, at=at + timedelta(minutes=5))

    assert take_steps(at + timedelta(minutes=6)) == 0


def test_duty_dropped_and_restored_chases_whom_it_had_left_out(cast: Cast) -> None:
    take_over_standard_chasing(cast.alliance, viewer=SYSTEM, at=AT)
    for step in cast.alliance.chase_steps.all():
        revise_chase_step(step, at_time=time(23), channels=["email"], viewer=SYSTEM, at=AT)
    host = Host(organization=cast.host)
    event = schedule_event(make_event(cast.alliance, hosts=[host]), MORNING, viewer=SYSTEM, at=AT)
    settle_all(at=AT)
    night = Chase.objects.filter(duty__kind="send_agenda").earliest("due_at").due_at
    take_steps(night)
    standard = cast.alliance.standard_duties.get(kind="send_agenda")
    revise_standard_duty(standard, enabled=False, viewer=SYSTEM, at=night)
    settle_duties([event.pk], at=night)
    morning = night + timedelta(hours=8)
    assert send_what_is_due(morning)[-1] == ("host", "no_longer_owed")

    revise_standard_duty(stored(standard), enabled=True, viewer=SYSTEM, at=morning)
    settle_duties([event.pk], at=morning)
    take_steps(morning)

    assert send_what_is_due(morning)[-1] == ("host", "sent")
