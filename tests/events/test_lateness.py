"""What is late, or too early, for one reader is not so for another, far away."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from alliances.joining import end_membership
from alliances.models import Person, Seat
from alliances.seating import hand_over_seat
from coordination.accounts.models import User
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.last_look import reader_at
from coordination.deliveries.models import Delivery, Endpoint, Message, Wishes
from coordination.deliveries.recipients import readers_of
from events.group_owners import owner_key
from events.inviting import answer_invitation, invite_organizations
from events.models import Event, Reminder, ReminderRule
from events.reminding import add_reminder_rule, revise_reminder_rule
from events.scheduling import schedule_event
from events.telling import Reminders
from tests.factories import AT, SYSTEM, Cast, make_event, make_person, span

pytestmark = pytest.mark.django_db
HALF_AN_HOUR = timedelta(minutes=30)


def on(day: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant in May 2028; the event begins on the 16th at 01:30."""
    return datetime(2028, 5, day, hour, minute, tzinfo=UTC)


def fire(until: datetime, *, since: datetime) -> None:
    """Let the clock tick every half hour from one instant to another, both included."""
    at = since
    while at <= until:
        while Reminders().fire_next(at):
            pass
        at += HALF_AN_HOUR


def lines() -> list[tuple[str, str, str]]:
    """Return (user, instant in UTC, why not) of each line of the ledger."""
    people = {f"person:{row.uid}": row for row in Person.objects.select_related("user")}
    return sorted(
        (
            people[row.recipient].user.username,
            row.send_after.astimezone(UTC).strftime("%m-%d %H:%M"),
            row.dropped_reason,
        )
        for row in Delivery.objects.all()
    )


def remind(cast: Cast, **values: object) -> None:
    chosen: dict[str, object] = {"audience": ["members"], "respects_quiet": False} | values
    add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, **chosen)  # type: ignore[arg-type]


def live_in(zone: str, *names: str) -> None:
    User.objects.filter(username__in=names).update(time_zone=zone)


@pytest.fixture
def two_clocks(cast: Cast) -> Event:
    """Nine on each reader's clock, ten on the event's; the host reads in New York."""
    live_in("America/New_York", "host")
    remind(cast, offset="-P1D", at_time=time(9), clock="reader")
    remind(cast, offset="-P1D", at_time=time(10))
    evening = span("2028-05-16T20:00", "2028-05-16T22:00")
    return schedule_event(make_event(cast.alliance), evening, viewer=SYSTEM, at=AT)


def test_fire_next_by_the_readers_clock_is_not_overtaken_by_the_events(two_clocks: Event) -> None:
    fire(on(16, 2), since=on(13, 0))

    assert lines() == [
        ("host", "05-15 02:00", ""),
        ("host", "05-15 13:00", ""),
        ("liaison", "05-15 01:00", ""),
        ("liaison", "05-15 02:00", ""),
    ]
    assert list(Reminder.objects.values_list("state", flat=True)) == ["fired", "fired"]


def test_fire_next_after_a_standstill_leaves_it_to_the_nearer_where_that_is_overdue_too(
    two_clocks: Event,
) -> None:
    fire(on(16, 2), since=on(15, 3))

    assert lines() == [
        ("host", "05-15 03:00", ""),
        ("host", "05-15 13:00", ""),
        ("liaison", "05-15 03:00", ""),
        ("liaison", "05-15 03:00", "nearer_goes_out"),
    ]


def test_fire_next_after_a_standstill_is_not_left_to_one_that_is_too_late_itself(
    cast: Cast,
) -> None:
    remind(cast, offset="-P2D", grace_minutes=4000)
    remind(cast, offset="-P1D", grace_minutes=60)
    make_event(cast.alliance, scheduled=True)

    fire(on(15, 5), since=on(15, 5))

    assert lines() == [("host", "05-15 05:00", ""), ("liaison", "05-15 05:00", "")]


def test_fire_next_on_the_day_never_tells_those_whose_hour_comes_after_the_beginning(
    cast: Cast,
) -> None:
    live_in("Asia/Kathmandu", "host")
    make_person("far", role="deputy", organization=cast.host)
    live_in("America/New_York", "far")
    remind(cast, offset="P0D", at_time=time(9), clock="reader")
    make_event(cast.alliance, scheduled=True)

    fire(on(17, 2), since=on(14, 0))

    assert lines() == [
        ("far", "05-15 13:00", ""),
        ("host", "05-16 03:15", "event_has_begun"),
        ("liaison", "05-16 01:00", ""),
    ]


def test_fire_next_once_the_event_began_says_whose_hour_had_not_come(cast: Cast) -> None:
    live_in("Europe/Madrid", "host")
    remind(cast, offset="P0D", at_time=time(9), clock="reader")
    make_event(cast.alliance, scheduled=True)

    fire(on(16, 12), since=on(14, 0))

    assert lines() == [
        ("host", "05-16 07:00", "event_has_begun"),
        ("liaison", "05-16 01:00", ""),
    ]
    assert Reminder.objects.get().state == "fired"


def test_fire_next_of_a_repetition_tells_the_east_before_the_west_has_heard_the_first(
    cast: Cast,
) -> None:
    live_in("America/New_York", "host")
    remind(
        cast, offset="-P3D", at_time=time(9), clock="reader", repeat_every="PT12H", repeat_times=2,
        grace_minutes=60,
    )  # fmt: skip
    make_event(cast.alliance, scheduled=True)

    fire(on(16, 2), since=on(11, 0))

    assert lines() == [
        ("host", "05-12 13:00", ""),
        ("host", "05-13 01:00", ""),
        ("liaison", "05-13 01:00", ""),
        ("liaison", "05-13 13:00", ""),
    ]


def test_still_wanted_of_a_predecessor_tells_whoever_sits_there_now(cast: Cast) -> None:
    remind(cast, offset="-PT33H", respects_quiet=True)  # 00:30 in Beijing: put off till seven
    make_event(cast.alliance, scheduled=True)
    fire(on(14, 16, 30), since=on(14, 16, 30))
    seat = Seat.objects.get(person__user__username="liaison")
    successor = make_person("successor")
    hand_over_seat(seat, successor, on=date(2028, 5, 15), viewer=SYSTEM, at=on(14, 17))
    line = Delivery.objects.get(recipient=f"person:{seat.person.uid}")
    reader = readers_of([line.recipient], "email")[line.recipient]

    found = [Reminders().still_wanted(line, reader, on(14, 23)) for _again in range(2)]

    assert found == ["no_longer_concerned", "no_longer_concerned"]
    assert lines() == [
        ("host", "05-14 23:00", ""),
        ("liaison", "05-14 23:00", ""),
        ("successor", "05-14 23:00", ""),
    ]


@pytest.mark.parametrize("silenced", [False, True])
def test_still_wanted_once_the_rule_was_switched_off_or_silenced_says_so(
    cast: Cast, silenced: bool
) -> None:
    remind(cast, offset="-PT33H", respects_quiet=True)  # put off till seven
    event = make_event(cast.alliance, scheduled=True)
    fire(on(14, 16, 30), since=on(14, 16, 30))
    rule = ReminderRule.objects.get()
    if silenced:
        add_reminder_rule(
            event, viewer=SYSTEM, at=on(14, 17), offset="-PT33H", overrides=rule, enabled=False
        )
    else:
        revise_reminder_rule(rule, viewer=SYSTEM, at=on(14, 17), enabled=False)

    lines_waiting = list(Delivery.objects.order_by("pk"))
    readers = readers_of([line.recipient for line in lines_waiting], "email")
    found = [
        Reminders().still_wanted(line, readers[line.recipient], on(14, 23))
        for line in lines_waiting
    ]

    assert found == ["rule_off", "rule_off"]


def test_fire_next_tells_nobody_whose_membership_has_ended_where_rights_are_read(
    cast: Cast,
) -> None:
    remind(cast, offset="-PT1H")
    event = make_event(cast.alliance, audience="members")
    membership = cast.member.memberships.get()
    end_membership(membership, on=date(2028, 5, 17), reason="退出", viewer=SYSTEM, at=AT)
    evening = span("2028-05-16T20:00", "2028-05-16T22:00", "America/New_York")
    schedule_event(event, evening, viewer=SYSTEM, at=AT)

    fire(on(16, 23), since=on(16, 23))

    assert lines() == [("host", "05-16 23:00", "")]


def look_again(at: datetime) -> list[tuple[str, str]]:
    """Take the last look at every line that is not dropped; return (user, why not)."""
    people = {f"person:{row.uid}": row for row in Person.objects.select_related("user")}
    waiting = list(Delivery.objects.filter(message=None, dropped_reason="").order_by("pk"))
    readers = readers_of({line.recipient for line in waiting}, "email")
    return sorted(
        (
            people[line.recipient].user.username,
            Reminders().still_wanted(line, readers[line.recipient], at),
        )
        for line in waiting
    )


def send_what_is_due(at: datetime) -> None:
    """Put what may go out by an instant into messages that have gone out then."""
    while bundle_due(at):
        pass
    Message.objects.filter(state="pending").update(state="sent", sent_at=at)


def retime(at: datetime, **values: object) -> None:
    revise_reminder_rule(ReminderRule.objects.get(), viewer=SYSTEM, at=at, **values)


@pytest.fixture
def put_off(cast: Cast) -> Event:
    return put_off_till_seven(cast)


def put_off_till_seven(cast: Cast) -> Event:
    """Due half past midnight in Beijing: told to the host in Madrid, put off till seven there."""
    live_in("Europe/Madrid", "host")
    remind(cast, offset="-PT33H", respects_quiet=True)
    event = make_event(cast.alliance, scheduled=True)
    fire(on(14, 16, 30), since=on(14, 16, 30))
    send_what_is_due(on(14, 16, 31))
    assert lines() == [("host", "05-14 16:30", ""), ("liaison", "05-14 23:00", "")]
    return event


def test_revise_rule_to_a_time_to_come_tells_what_waits_then_and_not_before(
    put_off: Event,
) -> None:
    retime(on(14, 17), offset="-PT24H")

    assert look_again(on(14, 23)) == [("liaison", "rule_changed")]
    fire(on(15, 2), since=on(14, 17, 30))
    assert [line for line in lines() if line[1] > "05-15"] == [
        ("host", "05-15 05:00", ""),
        ("liaison", "05-15 01:30", ""),
    ]


def test_revise_rule_that_tells_no_move_tells_only_those_who_still_wait(put_off: Event) -> None:
    retime(on(14, 17), rearm_on_move=False, offset="-PT24H")

    assert look_again(on(14, 23)) == [("liaison", "rule_changed")]
    fire(on(15, 2), since=on(14, 17, 30))
    assert look_again(on(15, 2)) == [
        ("host", "told_already"),
        ("liaison", ""),
        ("liaison", "rule_changed"),
    ]


def test_revise_rule_to_a_time_just_over_tells_once_those_who_wait(put_off: Event) -> None:
    retime(on(14, 17), offset="-PT35H")
    fire(on(14, 17, 30), since=on(14, 17, 30))

    assert look_again(on(14, 23)) == [
        ("host", "told_already"),
        ("liaison", ""),
        ("liaison", "rule_changed"),
    ]


def test_revise_rule_to_a_time_long_over_leaves_out_those_who_wait_and_says_why(
    put_off: Event,
) -> None:
    retime(on(14, 17), offset="-P3D")
    fire(on(14, 17, 30), since=on(14, 17, 30))

    assert look_again(on(14, 23)) == [("liaison", "too_late")]
    assert len(lines()) == 2


def test_revise_rule_of_the_readers_clock_tells_nobody_of_the_east_again(cast: Cast) -> None:
    live_in("America/New_York", "host")
    remind(cast, offset="-P1D", at_time=time(9), clock="reader")
    evening = span("2028-05-16T20:00", "2028-05-16T22:00")
    schedule_event(make_event(cast.alliance), evening, viewer=SYSTEM, at=AT)
    fire(on(15, 2), since=on(14, 0))
    send_what_is_due(on(15, 2))

    retime(on(15, 3), at_time=time(8, 30))
    fire(on(16, 2), since=on(15, 3))

    assert look_again(on(15, 14)) == [("host", ""), ("liaison", "told_already")]


def test_revise_rule_tells_no_group_again_what_it_has_read(cast: Cast) -> None:
    robot = Endpoint.objects.create(
        channel="wecom", owner=owner_key("alliance", cast.alliance.uid), name="秘书处群",
        address="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1",
    )  # fmt: skip
    remind(cast, offset="-PT33H", respects_quiet=True, channels=["email", "wecom"])
    make_event(cast.alliance, scheduled=True)
    fire(on(14, 16, 30), since=on(14, 16, 30))
    send_what_is_due(on(14, 16, 31))

    retime(on(14, 17), offset="-PT35H")
    fire(on(14, 17, 30), since=on(14, 17, 30))

    [line] = Delivery.objects.filter(endpoint=robot, message=None)
    assert Reminders().still_wanted(line, reader_at(robot), on(14, 23)) == "told_already"


def test_revise_rule_to_other_channels_sends_nothing_more_over_the_old(put_off: Event) -> None:
    retime(on(14, 17), channels=["wecom"])

    assert look_again(on(14, 23)) == [("liaison", "rule_off")]


def test_fire_next_of_a_repetition_after_a_standstill_tells_the_latest_that_is_not_too_late(
    cast: Cast,
) -> None:
    remind(cast, offset="-P4D", repeat_every="P1D", repeat_times=5)
    make_event(cast.alliance, scheduled=True)
    fire(on(12, 1, 30), since=on(12, 1, 30))

    fire(on(14, 3), since=on(14, 3))  # the second is late by 25 hours, the third by one

    assert [line for line in lines() if line[0] == "host"] == [
        ("host", "05-12 01:30", ""),
        ("host", "05-14 03:00", ""),
    ]
    assert Delivery.objects.filter(source_id__endswith=".3").count() == 2


def test_fire_next_of_a_repetition_by_the_readers_clock_after_a_standstill_tells_the_latest(
    cast: Cast,
) -> None:
    remind(
        cast, offset="-P5D", at_time=time(9), clock="reader", repeat_every="P1D", repeat_times=5,
        grace_minutes=120,
    )  # fmt: skip
    make_event(cast.alliance, scheduled=True)
    fire(on(11, 18), since=on(10, 0))

    fire(on(14, 1, 30), since=on(14, 1, 30))

    assert [line for line in lines() if line[0] == "host" and not line[2]] == [
        ("host", "05-11 01:00", ""),
        ("host", "05-14 01:30", ""),
    ]


def test_fire_next_after_a_standstill_is_not_left_to_a_repetition_that_is_not_told(
    cast: Cast,
) -> None:
    remind(cast, offset="-P4D", repeat_every="P1D", repeat_times=5, grace_minutes=4000)
    remind(cast, offset="-PT60H", grace_minutes=4000)  # after the second, before the third
    event = make_event(cast.alliance)
    schedule_event(event, span("2028-05-16T20:00", "2028-05-16T22:00"), viewer=SYSTEM, at=AT)
    fire(on(12, 12), since=on(12, 12))

    fire(on(15, 11), since=on(15, 11))

    assert [line for line in lines() if line[0] == "host"] == [
        ("host", "05-12 12:00", ""),
        ("host", "05-15 11:00", ""),
    ]


def test_fire_next_after_a_standstill_is_not_left_to_one_that_asks_only_who_has_not_answered(
    cast: Cast,
) -> None:
    remind(cast, offset="-P2D", audience=["invited"], grace_minutes=4000)
    remind(
        cast, offset="-P1D", audience=["invited"], repeat_every="PT12H", repeat_times=2,
        repeat_while="unanswered",
    )  # fmt: skip
    event = make_event(cast.alliance, scheduled=True)
    [one, _other] = invite_organizations(event, [cast.host, cast.member], viewer=SYSTEM, at=AT)
    answer_invitation(one, state="accepted", viewer=SYSTEM, at=AT)

    fire(on(15, 3), since=on(15, 3))

    assert [line for line in lines() if not line[2]] == [
        ("host", "05-15 03:00", ""),
        ("liaison", "05-15 03:00", ""),
        ("liaison", "05-15 03:00", ""),
    ]


def keep_quiet(name: str, quiet_from: time, quiet_until: time) -> None:
    person = Person.objects.get(user__username=name)
    Wishes.objects.create(
        recipient=f"person:{person.uid}", quiet_from=quiet_from, quiet_until=quiet_until
    )


def test_revise_rule_to_keep_quiet_hours_brings_forward_what_they_would_leave_out(
    cast: Cast,
) -> None:
    remind(cast, offset="-PT3H")
    make_event(cast.alliance, scheduled=True)
    retime(AT, respects_quiet=True, min_useful_minutes=180)

    fire(on(16, 2), since=on(15, 0))

    assert lines() == [("host", "05-15 13:59", ""), ("liaison", "05-15 13:59", "")]


def test_revise_rule_to_the_readers_clock_tells_the_far_east_on_time(cast: Cast) -> None:
    live_in("Pacific/Auckland", "host")
    remind(cast, offset="-P1D", at_time=time(9))
    make_event(cast.alliance, scheduled=True)
    retime(AT, clock="reader")

    fire(on(16, 2), since=on(14, 0))

    assert lines() == [("host", "05-14 21:00", ""), ("liaison", "05-15 01:00", "")]


def test_fire_next_of_a_repetition_by_the_readers_clock_is_brought_forward_in_time(
    cast: Cast,
) -> None:
    keep_quiet("liaison", time(12), time(9))
    remind(
        cast, offset="-P2D", at_time=time(22, 30), clock="reader", repeat_every="P1D",
        repeat_times=2, respects_quiet=True, quiet_from=time(22), quiet_until=time(23),
    )  # fmt: skip
    make_event(cast.alliance, scheduled=True)

    fire(on(16, 2), since=on(13, 0))

    assert lines() == [
        ("host", "05-14 15:00", ""),
        ("host", "05-15 15:00", ""),
        ("liaison", "05-15 01:00", ""),
        ("liaison", "05-15 03:59", ""),
    ]


@pytest.mark.parametrize(
    ("every", "after_the_night"),
    [("PT1H", ["05-15 23:30", "05-16 00:30"]), ("PT4H", []), ("PT7H", [])],
)
def test_fire_next_of_a_repetition_within_a_day_is_brought_forward_once(
    cast: Cast, every: str, after_the_night: list[str]
) -> None:
    remind(
        cast, offset="-PT24H", repeat_every=every, repeat_times=30, respects_quiet=True,
        min_useful_minutes=180,
    )  # fmt: skip
    make_event(cast.alliance, scheduled=True)

    fire(on(16, 2), since=on(14, 0))

    evening = [line for line in lines() if line[0] == "host" and line[1] > "05-15 13:30"]
    told = [sent for _name, sent, why_not in evening if not why_not]
    assert told == ["05-15 13:59", *after_the_night]


def test_revise_rule_to_a_later_time_just_over_tells_nobody_again(put_off: Event) -> None:
    retime(on(14, 17), offset="-PT32H35M")  # five minutes ago: after the host was told
    fire(on(14, 17), since=on(14, 17))

    assert look_again(on(14, 23)) == [
        ("host", "told_already"),
        ("liaison", ""),
        ("liaison", "rule_changed"),
    ]


def test_revise_rule_while_a_repetition_waits_does_not_leave_it_to_the_next(
    put_off: Event, cast: Cast
) -> None:
    Delivery.objects.all().delete()
    ReminderRule.objects.get().reminders.all().delete()
    retime(AT, offset="-P9DT9H", repeat_every="P7D", repeat_times=2)  # 00:30 on the 7th
    fire(on(6, 16, 30), since=on(6, 16, 30))
    send_what_is_due(on(6, 16, 31))

    retime(on(6, 17), offset="-P9DT8H35M")
    fire(on(6, 17), since=on(6, 17))

    assert look_again(on(6, 23)) == [
        ("host", "told_already"),
        ("liaison", ""),
        ("liaison", "rule_changed"),
    ]
    assert Reminder.objects.get().occurrence == 2


def test_revise_rule_that_reminds_after_the_beginning_says_that_it_was_the_rule(
    cast: Cast,
) -> None:
    remind(cast, offset="PT13H", respects_quiet=True)  # half past ten in the evening
    make_event(cast.alliance, scheduled=True)
    fire(on(16, 14, 30), since=on(16, 14, 30))

    retime(on(16, 15), offset="PT30H")

    assert look_again(on(16, 23)) == [("host", "rule_changed"), ("liaison", "rule_changed")]
