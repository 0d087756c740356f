"""Standard duties follow events: set, moved, done and dropped as things change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from coordination.changes.models import Change
from coordination.deliveries.subscribers import Subscriber, read_on
from events.chasing import (
    STANDARD_DUTIES,
    STANDARD_STEPS,
    add_standard_duty,
    revise_standard_duty,
    take_over_standard_chasing,
)
from events.demanding import DutiesFollowEvents, settle_all
from events.invitation_notices import InvitationNews, bring_up_to_date
from events.inviting import answer_invitation, invite_organizations
from events.models import ChaseStep, Duty, Event, Invitation, StandardDuty
from events.owing import fulfil_duty, move_duty, set_duty
from events.scheduling import Host, Span, cancel_event, schedule_event
from tests.factories import (
    AFTERNOON,
    AT,
    MORNING,
    SYSTEM,
    Cast,
    advance_plan,
    make_event,
    make_line,
    make_plan,
    stored,
    window,
)

pytestmark = pytest.mark.django_db
Settle = Callable[[], None]
HOUR = timedelta(hours=1)


@pytest.fixture
def settle(cast: Cast) -> Settle:
    """Let the reader of the log catch up."""
    subscriber = DutiesFollowEvents()
    read_on(subscriber, at=AT)

    def catch_up() -> None:
        while read_on(subscriber, at=AT):
            pass

    return catch_up


def duties() -> list[tuple[str, str, datetime, str]]:
    """Return (kind, organization, due, how it stands) of every duty."""
    found = []
    for row in Duty.objects.select_related("organization").order_by("due_at", "kind", "pk"):
        how = "done" if row.done_at else "dropped" if row.dropped_at else "owed"
        found.append((row.kind, row.organization.name_zh, row.due_at, how))
    return found


def expect(cast: Cast, kind: str, offset: str, **values: object) -> StandardDuty:
    return add_standard_duty(
        cast.alliance, kind=kind, offset=offset, viewer=SYSTEM, at=AT, **values
    )


def test_hosts_without_a_date_owe_one_before_the_window_begins(cast: Cast, settle: Settle) -> None:
    expect(cast, "name_date", "-P30D", anchor="window")
    plan = make_plan(cast.alliance)
    june = window("2028-06-01", "2028-06-30", "month")
    make_line(plan, "论坛", june, hosts=(cast.host,))
    settle()
    assert duties() == []  # hosts do not see a draft
    advance_plan(plan)
    settle()
    due = datetime(2028, 5, 2, 9, tzinfo=UTC)
    assert duties() == [("name_date", "天津滨海高新区", due, "owed")]

    event = Event.objects.get(title_zh="论坛")
    schedule_event(event, MORNING, viewer=SYSTEM, at=AT)
    settle()
    assert [(kind, how) for kind, _name, _due, how in duties()] == [("name_date", "done")]


def test_agenda_follows_the_event_and_ends_with_it(cast: Cast, settle: Settle) -> None:
    expect(cast, "send_agenda", "-P7D")
    event = make_event(cast.alliance, scheduled=True, hosts=[Host(cast.host)])
    settle()
    due = datetime(2028, 5, 9, 9, 0, tzinfo=UTC)
    assert duties() == [("send_agenda", "天津滨海高新区", due, "owed")]

    schedule_event(stored(event), AFTERNOON, viewer=SYSTEM, at=AT)
    settle()
    assert duties() == [("send_agenda", "天津滨海高新区", due + timedelta(days=7), "owed")]

    cancel_event(stored(event), reason="台风", viewer=SYSTEM, at=AT)
    settle()
    assert [how for *_rest, how in duties()] == ["dropped"]


def test_duty_that_was_done_or_given_a_date_stays_as_it_is(cast: Cast, settle: Settle) -> None:
    expect(cast, "send_agenda", "-P7D")
    expect(cast, "send_materials", "-P3D")
    event = make_event(cast.alliance, scheduled=True, hosts=[Host(cast.host)])
    settle()
    own = datetime(2028, 5, 1, tzinfo=UTC)
    fulfil_duty(Duty.objects.get(kind="send_agenda"), viewer=SYSTEM, at=AT)
    move_duty(Duty.objects.get(kind="send_materials"), due_at=own, viewer=SYSTEM, at=AT)

    schedule_event(stored(event), AFTERNOON, viewer=SYSTEM, at=AT)
    settle()

    assert [(kind, due, how) for kind, _name, due, how in duties()] == [
        ("send_materials", own, "owed"),
        ("send_agenda", datetime(2028, 5, 9, 9, 0, tzinfo=UTC), "done"),
    ]


def test_minutes_are_owed_after_the_end_in_working_days(cast: Cast, settle: Settle) -> None:
    expect(cast, "send_minutes", "P5D", anchor="end", day_unit="working")
    make_event(cast.alliance, scheduled=True, hosts=[Host(cast.host)])
    settle()
    # Tuesday 16 May 2028 and five weekdays
    assert duties() == [
        ("send_minutes", "天津滨海高新区", datetime(2028, 5, 23, 9, 0, tzinfo=UTC), "owed")
    ]


def test_invited_owe_an_answer_until_they_give_one(cast: Cast, settle: Settle) -> None:
    expect(cast, "answer", "-P10D", owed_by="invited")
    expect(cast, "name_delegates", "-P5D", owed_by="invited")
    event = make_event(cast.alliance, scheduled=True)
    invitations = invite_organizations(event, [cast.host, cast.member], viewer=SYSTEM, at=AT)
    settle()
    assert [how for *_rest, how in duties()] == ["owed"] * 4

    answer_invitation(invitations[0], state="accepted", delegates=2, viewer=SYSTEM, at=AT)
    answer_invitation(invitations[1], state="declined", viewer=SYSTEM, at=AT)
    settle()
    assert sorted((kind, name, how) for kind, name, _due, how in duties()) == [
        ("answer", "天津滨海高新区", "done"),
        ("answer", "石家庄高新区", "done"),
        ("name_delegates", "天津滨海高新区", "done"),
        ("name_delegates", "石家庄高新区", "dropped"),
    ]


def answered(cast: Cast, settle: Settle) -> tuple[Event, Invitation]:
    """Return an event and an invitation to it that was asked for, and accepted for its time."""
    expect(cast, "answer", "-P10D", owed_by="invited")
    event = make_event(cast.alliance, scheduled=True)
    [invitation] = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    bring_up_to_date(invitation, at=AT)
    settle()
    answer_invitation(invitation, state="accepted", viewer=SYSTEM, at=AT)
    settle()
    return event, invitation


def test_answer_for_another_time_is_owed_again_until_it_is_given(
    cast: Cast, settle: Settle
) -> None:
    event, invitation = answered(cast, settle)
    assert [how for *_rest, how in duties()] == ["done"]

    schedule_event(stored(event), AFTERNOON, viewer=SYSTEM, at=AT + HOUR)
    bring_up_to_date(stored(invitation), at=AT + HOUR)
    settle()
    due = datetime(2028, 5, 13, 9, tzinfo=UTC)
    assert [(when, how) for _kind, _who, when, how in duties()] == [(due, "owed")]
    assert [change.kind for change in Change.objects.order_by("number")][-1] == "duty.restored"

    assert settle_all(at=AT + HOUR) == 0
    answer_invitation(stored(invitation), state="accepted", viewer=SYSTEM, at=AT + 2 * HOUR)
    settle()
    assert [how for *_rest, how in duties()] == ["done"]


def test_answer_for_another_time_is_owed_again_whichever_clock_reads_the_log_first(
    cast: Cast,
) -> None:
    duties_follow, invitations = DutiesFollowEvents(), InvitationNews()
    readers = (invitations, duties_follow)

    def read(*chosen: Subscriber) -> None:
        for reader in chosen:
            while read_on(reader, at=AT):
                pass

    read(*readers)
    expect(cast, "answer", "-P10D", owed_by="invited")
    event = make_event(cast.alliance, scheduled=True)
    [invitation] = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    read(*readers)
    answer_invitation(invitation, state="accepted", viewer=SYSTEM, at=AT)
    read(*readers)
    assert [how for *_rest, how in duties()] == ["done"]

    schedule_event(stored(event), AFTERNOON, viewer=SYSTEM, at=AT + HOUR)
    read(duties_follow, invitations, duties_follow)

    assert [how for *_rest, how in duties()] == ["owed"]


def test_answer_for_another_time_that_was_said_to_be_done_since_stays_done(
    cast: Cast, settle: Settle
) -> None:
    event, invitation = answered(cast, settle)
    schedule_event(stored(event), AFTERNOON, viewer=SYSTEM, at=AT + HOUR)
    bring_up_to_date(stored(invitation), at=AT + HOUR)
    settle()
    fulfil_duty(Duty.objects.get(), viewer=SYSTEM, at=AT + 2 * HOUR)

    assert settle_all(at=AT + 3 * HOUR) == 0
    assert [how for *_rest, how in duties()] == ["done"]


def test_event_for_the_secretariat_brings_no_duty(cast: Cast, settle: Settle) -> None:
    expect(cast, "send_agenda", "-P7D")
    make_event(cast.alliance, scheduled=True, hosts=[Host(cast.host)], audience="secretariat")
    settle()
    assert duties() == []


def test_duty_of_an_events_own_type_stands_in_for_the_usual_one(cast: Cast, settle: Settle) -> None:
    expect(cast, "send_agenda", "-P7D")
    expect(cast, "send_agenda", "-P14D", event_type="论坛")
    make_event(cast.alliance, scheduled=True, hosts=[Host(cast.host)], type_text="论坛")
    settle()
    assert [due for _kind, _name, due, _how in duties()] == [datetime(2028, 5, 2, 9, 0, tzinfo=UTC)]


def test_standard_duty_that_changes_takes_those_that_are_owed_along(
    cast: Cast, settle: Settle
) -> None:
    make_event(cast.alliance, scheduled=True, hosts=[Host(cast.host)])
    settle()
    standard = expect(cast, "send_agenda", "-P7D")
    settle()
    revise_standard_duty(standard, offset="-P1D", viewer=SYSTEM, at=AT)
    settle()
    assert [due for _kind, _name, due, _how in duties()] == [
        datetime(2028, 5, 15, 9, 0, tzinfo=UTC)
    ]
    revise_standard_duty(standard, enabled=False, viewer=SYSTEM, at=AT)
    settle()
    assert [how for *_rest, how in duties()] == ["dropped"]


def test_duty_that_the_secretariat_set_is_left_alone(cast: Cast, settle: Settle) -> None:
    event = make_event(cast.alliance, scheduled=True, hosts=[Host(cast.host)])
    own = datetime(2028, 5, 1, tzinfo=UTC)
    set_duty(event, cast.host, kind="send_agenda", due_at=own, viewer=SYSTEM, at=AT)
    expect(cast, "send_agenda", "-P7D")
    settle()
    assert [(due, how) for _kind, _name, due, how in duties()] == [(own, "owed")]


def test_take_over_standard_chasing_twice_adds_nothing(cast: Cast) -> None:
    count = len(STANDARD_DUTIES) + len(STANDARD_STEPS)
    added = [
        take_over_standard_chasing(cast.alliance, viewer=cast.secretary, at=AT) for _n in range(2)
    ]
    assert added == [count, 0]
    assert StandardDuty.objects.count() + ChaseStep.objects.count() == count


def test_settle_all_catches_up_with_what_stood_before_and_then_changes_nothing(cast: Cast) -> None:
    expect(cast, "send_agenda", "-P7D")
    make_event(cast.alliance, scheduled=True, hosts=[Host(cast.host)])
    assert [settle_all(at=AT) for _n in range(2)] == [1, 0]
    assert [how for *_rest, how in duties()] == ["owed"]


def test_what_is_asked_for_late_is_owed_the_next_working_day(cast: Cast) -> None:
    expect(cast, "answer", "-P10D", owed_by="invited", day_unit="working")
    expect(cast, "name_delegates", "-P5D", owed_by="invited", day_unit="working")
    event = make_event(cast.alliance, scheduled=True)
    friday = datetime(2028, 5, 12, 2, tzinfo=UTC)
    invite_organizations(event, [cast.member], viewer=SYSTEM, at=friday)

    looks = [settle_all(at=friday + timedelta(days=days)) for days in (0, 0, 2, 3)]

    assert looks == [2, 0, 0, 0]
    monday = datetime(2028, 5, 15, 9, tzinfo=UTC)
    assert duties() == [
        ("answer", "石家庄高新区", monday, "owed"),
        ("name_delegates", "石家庄高新区", monday, "owed"),
    ]


def test_what_is_asked_for_on_the_eve_is_owed_when_the_event_begins(cast: Cast) -> None:
    expect(cast, "name_delegates", "-P5D", owed_by="invited")
    event = make_event(cast.alliance, scheduled=True)
    eve = datetime(2028, 5, 15, 10, tzinfo=UTC)
    invite_organizations(event, [cast.member], viewer=SYSTEM, at=eve)

    settle_all(at=eve)

    assert [due for _kind, _name, due, _how in duties()] == [event.starts_at]


def test_answer_is_owed_by_the_day_that_the_invitation_names_however_near(cast: Cast) -> None:
    expect(cast, "answer", "-P10D", owed_by="invited")
    event = make_event(cast.alliance, scheduled=True)
    at = datetime(2028, 5, 12, 2, tzinfo=UTC)
    invite_organizations(event, [cast.member], answer_by=date(2028, 5, 12), viewer=SYSTEM, at=at)

    settle_all(at=at)

    assert [due for _kind, _name, due, _how in duties()] == [datetime(2028, 5, 12, 9, tzinfo=UTC)]


def test_event_that_comes_nearer_leaves_a_day_for_what_would_be_late(cast: Cast) -> None:
    expect(cast, "send_agenda", "-P7D")
    event = make_event(cast.alliance, scheduled=True, hosts=[Host(cast.host)])
    settle_all(at=AT)
    now = AT + timedelta(days=3)
    starts = datetime(2028, 1, 17, 9, 30)
    nearer = Span(starts=starts, ends=starts + timedelta(hours=2), zone="Asia/Shanghai")
    schedule_event(stored(event), nearer, viewer=SYSTEM, at=now)

    looks = [settle_all(at=now + timedelta(hours=hours)) for hours in (0, 5, 48)]

    assert looks == [1, 0, 0]
    assert [due for _kind, _name, due, _how in duties()] == [datetime(2028, 1, 14, 9, tzinfo=UTC)]


def test_what_is_owed_again_is_not_late_at_once(cast: Cast) -> None:
    expect(cast, "name_delegates", "-P5D", owed_by="invited")
    event = make_event(cast.alliance, scheduled=True)
    [invitation] = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    settle_all(at=AT)
    answer_invitation(invitation, state="declined", viewer=SYSTEM, at=AT)
    settle_all(at=AT)
    now = datetime(2028, 5, 12, 2, tzinfo=UTC)
    answer_invitation(stored(invitation), state="accepted", viewer=SYSTEM, at=now)

    settle_all(at=now)

    due = datetime(2028, 5, 13, 9, tzinfo=UTC)
    assert duties() == [("name_delegates", "石家庄高新区", due, "owed")]
