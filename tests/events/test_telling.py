"""Reminders reach the right people, in their language and zone, once, and never too late."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from threading import Event as Stop

import pytest
from django.core import mail
from django.utils.translation import override

from alliances.addressing import PeopleByUid
from alliances.models import Person
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from coordination.deliveries.draining import Drain
from coordination.deliveries.loop import tick
from coordination.deliveries.models import Delivery, Wishes
from coordination.deliveries.recipients import readers_of
from coordination.deliveries.timing import Timepiece
from events.models import Event, Reminder, ReminderRule
from events.reminder_letters import time_left
from events.reminding import add_reminder_rule, revise_reminder_rule
from events.scheduling import cancel_event, revise_event, schedule_event
from events.telling import Reminders
from tests.factories import AT, Cast, make_event, make_person, span, stored

pytestmark = pytest.mark.django_db
DUE = span("2028-05-09T09:30", "2028-05-09T12:00").starts_at


def due_event(cast: Cast, **values: object) -> Event:
    add_reminder_rule(
        cast.alliance, viewer=SYSTEM, at=AT, offset="-P7D", audience=["hosts", "members"]
    )
    return make_event(cast.alliance, scheduled=True, **values)


def told() -> set[str]:
    keys = Delivery.objects.values_list("recipient", flat=True)
    people = {f"person:{person.uid}": person for person in Person.objects.select_related("user")}
    return {people[key].user.username for key in keys}


def test_fire_next_tells_liaison_officers_of_members_once(cast: Cast) -> None:
    due_event(cast)
    source = Reminders()

    assert source.fire_next(DUE - timedelta(seconds=1)) is False
    assert source.fire_next(DUE) is True
    assert source.fire_next(DUE) is False

    assert told() == {"liaison", "host"}
    assert Delivery.objects.count() == 2
    assert set(Delivery.objects.values_list("due_at", "generation")) == {(DUE, 1)}
    assert Reminder.objects.get().state == "fired"


def test_fire_next_of_an_event_for_the_secretariat_tells_no_member(cast: Cast) -> None:
    due_event(cast, audience="secretariat")

    assert Reminders().fire_next(DUE) is True

    assert told() == set()


def test_fire_next_of_an_event_for_organizations_named_tells_only_them(cast: Cast) -> None:
    add_reminder_rule(
        cast.alliance, viewer=SYSTEM, at=AT, offset="-P7D", audience=["members", "named"]
    )
    make_event(cast.alliance, scheduled=True, audience="organizations", named=[cast.member])

    Reminders().fire_next(DUE)

    assert told() == {"liaison"}


def test_fire_next_after_the_grace_is_skipped_and_says_so(cast: Cast) -> None:
    due_event(cast)

    Reminders().fire_next(DUE + timedelta(days=1, minutes=1))

    reminder = Reminder.objects.get()
    assert (reminder.state, reminder.note) == ("skipped", "too late")
    assert told() == set()


@pytest.mark.parametrize(
    ("grace", "late", "state"),
    [
        (0, timedelta(seconds=2), "fired"),  # the clock ticks: nothing goes out in no time
        (0, timedelta(minutes=1, seconds=1), "skipped"),
        (120, timedelta(minutes=120), "fired"),
        (120, timedelta(minutes=120, seconds=1), "skipped"),
    ],
)
def test_fire_next_at_the_end_of_the_grace(
    cast: Cast, grace: int, late: timedelta, state: str
) -> None:
    due_event(cast)
    rule = ReminderRule.objects.get()
    revise_reminder_rule(rule, grace_minutes=grace, viewer=SYSTEM, at=AT)

    Reminders().fire_next(DUE + late)

    assert Reminder.objects.get().state == state


def test_fire_next_once_the_event_has_begun_is_never_sent(cast: Cast) -> None:
    add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, offset="-PT2H")
    event = make_event(cast.alliance, scheduled=True)
    assert event.starts_at is not None

    Reminders().fire_next(event.starts_at)

    assert Reminder.objects.get().note == "event has begun"


def test_fire_next_with_several_overdue_sends_only_the_nearest(cast: Cast) -> None:
    for offset in ("-P2D", "-P1D"):
        add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, offset=offset, grace_minutes=9999)
    event = make_event(cast.alliance, scheduled=True)
    assert event.starts_at is not None
    at = event.starts_at - timedelta(hours=3)

    source = Reminders()
    while source.fire_next(at):
        pass

    assert list(Reminder.objects.order_by("due_at").values_list("state", flat=True)) == [
        "skipped",
        "fired",
    ]


def test_still_wanted_is_asked_at_the_last_moment(cast: Cast) -> None:
    event = due_event(cast)
    source = Reminders()
    source.fire_next(DUE)
    rows = {row.recipient: row for row in Delivery.objects.all()}
    readers = readers_of(rows, "email")

    def answers() -> set[str]:
        return {source.still_wanted(row, readers[key], DUE) for key, row in rows.items()}

    assert answers() == {""}
    revise_event(event, viewer=SYSTEM, at=AT, audience="secretariat")
    assert answers() == {"no_longer_concerned"}
    cancel_event(Event.objects.get(), reason="场馆", viewer=SYSTEM, at=AT)
    assert answers() == {"event_cancelled"}


def test_still_wanted_after_a_move_is_of_the_old_generation(cast: Cast) -> None:
    event = due_event(cast)
    source = Reminders()
    source.fire_next(DUE)
    later = span("2028-06-16T09:30", "2028-06-16T12:00")
    schedule_event(event, later, viewer=SYSTEM, at=DUE, reason="场馆")
    row = Delivery.objects.first()
    assert row is not None
    (reader,) = readers_of([row.recipient], "email").values()

    assert source.still_wanted(row, reader, DUE) == "event_moved"
    assert source.fire_next(later.starts_at - timedelta(days=7)) is True
    assert set(Delivery.objects.values_list("generation", flat=True)) == {1, 2}


def test_still_wanted_after_a_move_away_and_back_is_told_once(cast: Cast) -> None:
    event = due_event(cast)
    was, elsewhere = event.span, span("2028-06-16T09:30", "2028-06-16T12:00")
    assert was is not None
    go_round(DUE)
    told_first = len(mail.outbox)
    for minutes, when in ((1, elsewhere), (2, was)):
        at = DUE + timedelta(minutes=minutes)
        schedule_event(stored(event), when, viewer=SYSTEM, at=at, reason="看错日期")
        go_round(at)

    assert (told_first, len(mail.outbox)) == (2, 2)
    again = Delivery.objects.filter(generation=2)
    assert {row.message.reason for row in again if row.message} == {"told_already"}


def test_still_wanted_after_moves_to_another_hour_tells_the_new_one(cast: Cast) -> None:
    event = due_event(cast)
    revise_reminder_rule(ReminderRule.objects.get(), viewer=SYSTEM, at=AT, at_time=time(9, 30))
    go_round(DUE)
    away, back = (
        span("2028-06-16T09:30", "2028-06-16T12:00"), span("2028-05-16T14:00", "2028-05-16T16:00"),
    )  # fmt: skip
    for minutes, when in ((1, away), (2, back)):
        at = DUE + timedelta(minutes=minutes)
        schedule_event(stored(event), when, viewer=SYSTEM, at=at, reason="场馆")
        go_round(at)

    assert len(mail.outbox) == 4


def go_round(at: datetime) -> None:
    tick(at, stop=Stop())
    Drain("email", Timepiece(at), Stop()).run()


def test_repetitions_that_a_digest_brings_together_are_one_to_the_reader(cast: Cast) -> None:
    add_reminder_rule(
        cast.alliance, viewer=SYSTEM, at=AT, offset="-P12D", repeat_every="P1D", repeat_times=6,
        audience=["members"], channels=["email"],
    )  # fmt: skip
    event = make_event(cast.alliance, scheduled=True)
    liaison = Person.objects.get(user__username="liaison")
    Wishes.objects.create(recipient=f"person:{liaison.uid}", digest="weekly")
    assert event.starts_at is not None
    first = event.starts_at - timedelta(days=12)  # a Thursday

    for hours in range(0, 12 * 24, 6):
        go_round(first + timedelta(hours=hours))

    to_liaison = [one for one in mail.outbox if "liaison@" in one.to[0]]
    assert (len(mail.outbox), len(to_liaison)) == (8, 2)
    assert [str(one.body).count("2028年5月16日") for one in to_liaison] == [1, 1]
    lines = Delivery.objects.filter(recipient=f"person:{liaison.uid}").order_by("pk")
    assert list(lines.values_list("dropped_reason", flat=True)) == [
        "said_again", "said_again", "said_again", "", "said_again", "",
    ]  # fmt: skip


@pytest.mark.parametrize("respects_quiet", [True, False])
def test_due_at_eight_sharp_is_in_the_mail_of_that_morning(
    cast: Cast, respects_quiet: bool
) -> None:
    add_reminder_rule(
        cast.alliance, viewer=SYSTEM, at=AT, offset="-P1D", at_time=time(8), audience=["members"],
        respects_quiet=respects_quiet,
    )  # fmt: skip
    make_event(cast.alliance, scheduled=True)
    liaison = Person.objects.get(user__username="liaison")
    Wishes.objects.create(recipient=f"person:{liaison.uid}", digest="morning")
    eight = datetime(2028, 5, 15, 0, 0, tzinfo=UTC)

    go_round(eight + timedelta(seconds=1))

    assert len([one for one in mail.outbox if "liaison@" in one.to[0]]) == 1


def test_render_names_both_zones_in_the_readers_language(cast: Cast) -> None:
    event = due_event(cast, place_zh="天津", place_en="Tianjin")
    User.objects.filter(username="liaison").update(language="en", time_zone="Europe/Madrid")
    source = Reminders()
    source.fire_next(DUE)
    rows = {row.recipient: row for row in Delivery.objects.all()}
    by_zone = {
        reader.time_zone: source.render([rows[key]], reader, DUE)
        for key, reader in readers_of(rows, "email").items()
    }

    english, chinese = by_zone["Europe/Madrid"], by_zone["Asia/Shanghai"]

    assert english.subject == "Reminder: Matchmaking, in 7 days"
    assert "16 May 2028, 09:30–12:00 (Beijing time, UTC+8)" in english.text
    assert "03:30–06:00 (Europe/Madrid, UTC+2)" in english.text
    assert "Place: Tianjin" in english.text
    assert chinese.language == "zh-hans"
    assert "2028年5月16日09:30–12:00" in chinese.text
    assert "Madrid" not in chinese.text
    assert str(event.uid) in chinese.html


def test_readers_know_an_accounts_wishes_and_leave_out_the_erased(cast: Cast) -> None:
    person = make_person("wang", role="liaison", organization=cast.host)
    User.objects.filter(pk=person.user_id).update(time_zone="Asia/Kathmandu", language="en")
    key = f"person:{person.uid}"

    (reader,) = PeopleByUid().readers([key], "email").values()

    assert (reader.address, reader.language, reader.time_zone) == (
        "wang@example.org",
        "en",
        "Asia/Kathmandu",
    )
    PeopleByUid().mark_bounced(key, "email", "wang@example.org", AT)
    (reader,) = PeopleByUid().readers([key], "email").values()
    assert reader.address == ""


def test_time_left_is_said_in_minutes_hours_and_days() -> None:
    with override("en"):
        said = [
            time_left(timedelta(minutes=minutes)) for minutes in (0, 1, 59, 60, 1439, 2880, 10080)
        ]

    assert said == [
        "now",
        "in 1 minute",
        "in 59 minutes",
        "in 1 hour",
        "in 23 hours 59 minutes",
        "in 2 days",
        "in 7 days",
    ]
