"""One reminder row, many clocks: each reader by their own, repeated, narrowed, and never late."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from alliances.addressing import PeopleByUid
from alliances.joining import revise_membership
from alliances.models import Person
from alliances.seating import add_person, end_seat, seat_person
from coordination.accounts.models import User
from coordination.deliveries.models import Delivery, Endpoint, Wishes
from events.group_owners import owner_key
from events.invitation_notices import bring_up_to_date
from events.inviting import answer_invitation, invite_organizations
from events.models import Event, Invitation, Reminder
from events.previewing import preview_rule
from events.reminding import add_reminder_rule
from events.scheduling import Host, revise_event, schedule_event
from events.telling import Reminders
from tests.factories import (
    AFTERNOON,
    AT,
    MORNING,
    SYSTEM,
    Cast,
    make_event,
    make_organization,
    make_person,
    span,
    stored,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def fire(until: datetime, *, since: datetime) -> None:
    """Let the clock tick every half hour from one instant to another, both included."""
    at = since
    while at <= until:
        while Reminders().fire_next(at):
            pass
        at += HOUR / 2


def sent() -> list[tuple[str, str, str]]:
    """Return (user, instant in UTC, why not) of each line of the ledger."""
    people = {f"person:{person.uid}": person for person in Person.objects.select_related("user")}
    found = [
        (
            people[row.recipient].user.username,
            row.send_after.astimezone(UTC).strftime("%m-%d %H:%M"),
            row.dropped_reason,
        )
        for row in Delivery.objects.all()
    ]
    return sorted(found, key=lambda line: (line[1], line[0]))


def reminded(cast: Cast, **values: object) -> Event:
    chosen: dict[str, object] = {"offset": "-P1D", "audience": ["members"]} | values
    add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, **chosen)  # type: ignore[arg-type]
    return make_event(cast.alliance, scheduled=True)


def zones(**by_name: str) -> None:
    for name, zone in by_name.items():
        User.objects.filter(username=name).update(time_zone=zone)


def test_nine_on_each_readers_clock_with_one_row(cast: Cast) -> None:
    zones(host="Europe/Madrid")
    make_person("kiribati", role="deputy", organization=cast.host)
    make_person("honolulu", role="deputy", organization=cast.member)
    zones(kiribati="Pacific/Kiritimati", honolulu="Pacific/Honolulu")
    event = reminded(cast, clock="reader", at_time=time(9))
    assert event.starts_at is not None

    fire(event.starts_at, since=event.starts_at - timedelta(days=3))

    assert sent() == [
        ("honolulu", "05-14 19:00", ""),
        ("kiribati", "05-14 19:00", ""),
        ("liaison", "05-15 01:00", ""),
        ("host", "05-15 07:00", ""),
    ]
    assert Reminder.objects.get().state == "fired"


def test_nine_on_each_readers_clock_before_a_whole_day_leaves_out_nobody(cast: Cast) -> None:
    zones(host="America/New_York")
    make_person("honolulu", role="deputy", organization=cast.member)
    zones(honolulu="Pacific/Honolulu")
    reminded(cast, clock="reader", at_time=time(9))
    day = span("2028-05-14T00:00", "2028-05-15T00:00", is_all_day=True)
    event = schedule_event(Event.objects.get(), day, viewer=SYSTEM, at=AT)
    assert event.starts_at is not None

    fire(event.starts_at, since=event.starts_at - timedelta(days=3))

    assert sent() == [
        ("honolulu", "05-12 19:00", ""),
        ("liaison", "05-13 01:00", ""),
        ("host", "05-13 13:00", ""),
    ]


def test_event_that_moves_between_two_clocks_tells_everyone_of_the_new_time(cast: Cast) -> None:
    zones(host="America/New_York")
    event = reminded(cast, clock="reader", at_time=time(9), audience=["members"])
    assert event.starts_at is not None
    between = datetime(2028, 5, 14, 6, 0, tzinfo=UTC)
    fire(between, since=event.starts_at - timedelta(days=3))
    schedule_event(stored(event), AFTERNOON, viewer=SYSTEM, at=between)

    fire(AFTERNOON.starts_at, since=between)

    assert [(name, at) for name, at, _why in sent()] == [
        ("liaison", "05-22 01:00"),
        ("host", "05-22 13:00"),
    ]


def test_clocks_are_those_of_the_organization_acted_for_now(cast: Cast) -> None:
    moved = add_person(
        viewer=SYSTEM, at=AT, name_zh="安娜", name_en="Anna", email="anna@example.org"
    )
    abroad = make_organization("Deltebre", time_zone="Europe/Madrid", country="ES")
    former = seat_person(
        moved, role="liaison", organization=abroad, starts_on=date(2026, 1, 1),
        viewer=SYSTEM, at=AT,
    )  # fmt: skip
    end_seat(former, on=date(2027, 12, 31), viewer=SYSTEM, at=AT)
    seat_person(
        moved, role="deputy", organization=cast.member, starts_on=date(2028, 1, 1),
        viewer=SYSTEM, at=AT,
    )  # fmt: skip
    event = reminded(cast, clock="reader", at_time=time(9))
    assert event.starts_at is not None

    fire(event.starts_at, since=event.starts_at - timedelta(days=3))

    line = Delivery.objects.get(recipient=f"person:{moved.uid}")
    assert line.send_after == datetime(2028, 5, 15, 1, 0, tzinfo=UTC)  # nine in Beijing
    (reader,) = PeopleByUid().readers([line.recipient], "email").values()
    assert reader.time_zone == "Asia/Shanghai"


def test_quiet_hours_bring_forward_for_those_who_sleep_before_the_event(cast: Cast) -> None:
    zones(host="Europe/Madrid")  # 09:30 in Beijing is 03:30 there
    event = reminded(cast, offset="-PT2H")
    assert event.starts_at is not None

    fire(event.starts_at, since=event.starts_at - timedelta(days=1))

    assert sent() == [("host", "05-15 19:59", ""), ("liaison", "05-15 23:30", "")]


def test_a_readers_own_quiet_hours_come_before_the_rules(cast: Cast) -> None:
    person = Person.objects.get(user__username="host")
    Wishes.objects.create(
        recipient=f"person:{person.uid}", quiet_from=time(8), quiet_until=time(10)
    )
    event = reminded(cast)
    assert event.starts_at is not None

    fire(event.starts_at, since=event.starts_at - timedelta(days=2))

    assert sent() == [("liaison", "05-15 01:30", ""), ("host", "05-15 02:00", "")]


def test_quiet_hours_of_all_but_the_office_day_bring_forward_into_that_day(cast: Cast) -> None:
    person = Person.objects.get(user__username="host")
    Wishes.objects.create(
        recipient=f"person:{person.uid}", quiet_from=time(17), quiet_until=time(9)
    )
    event = reminded(cast, offset="-PT2H")
    assert event.starts_at is not None

    fire(event.starts_at, since=event.starts_at - timedelta(days=2))

    assert sent() == [("host", "05-15 08:59", ""), ("liaison", "05-15 23:30", "")]


def test_who_cannot_be_reached_in_time_stands_in_the_ledger_with_the_reason(cast: Cast) -> None:
    zones(host="Europe/Madrid")
    add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, offset="-PT2H", audience=["members"])
    event = make_event(cast.alliance, scheduled=True)
    assert event.starts_at is not None

    fire(event.starts_at - 2 * HOUR, since=event.starts_at - 2 * HOUR)

    assert sent() == [("host", "05-15 23:30", "quiet_hours"), ("liaison", "05-15 23:30", "")]


def test_repeated_until_there_is_an_answer(cast: Cast) -> None:
    event = reminded(
        cast, offset="-P7D", audience=["invited"], repeat_every="P2D", repeat_while="unanswered",
        repeat_until="-P1D", repeat_times=9,
    )  # fmt: skip
    first, second = invite_organizations(event, [cast.host, cast.member], viewer=SYSTEM, at=AT)
    start = MORNING.starts_at - timedelta(days=7)

    fire(start + timedelta(days=1), since=start - HOUR)
    answer_invitation(first, state="accepted", viewer=SYSTEM, at=start + timedelta(days=1))
    fire(start + timedelta(days=3), since=start + timedelta(days=1))
    answer_invitation(second, state="declined", viewer=SYSTEM, at=start + timedelta(days=3))
    fire(MORNING.starts_at, since=start + timedelta(days=3))

    assert [(name, at) for name, at, _why in sent()] == [
        ("host", "05-09 01:30"),
        ("liaison", "05-09 01:30"),
        ("liaison", "05-11 01:30"),
    ]
    row = Reminder.objects.get()
    assert (row.state, row.note) == ("skipped", "everybody has answered")


def test_repeated_until_there_is_an_answer_leaves_the_secretariat_alone_after_it(
    cast: Cast,
) -> None:
    event = reminded(
        cast, offset="-P7D", audience=["invited", "secretariat"], repeat_every="P2D",
        repeat_while="unanswered", repeat_times=9,
    )  # fmt: skip
    [invitation] = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    start = MORNING.starts_at - timedelta(days=7)

    fire(start + timedelta(days=1), since=start - HOUR)
    answer_invitation(invitation, state="accepted", viewer=SYSTEM, at=start + timedelta(days=1))
    fire(MORNING.starts_at, since=start + timedelta(days=1))

    assert sent() == [("liaison", "05-09 01:30", ""), ("secretary", "05-09 01:30", "")]


def test_repeated_until_there_is_an_answer_asks_again_who_answered_for_another_time(
    cast: Cast,
) -> None:
    event = reminded(
        cast, offset="-P7D", audience=["invited"], repeat_every="P2D", repeat_while="unanswered",
        repeat_times=2,
    )  # fmt: skip
    invitation, _other = invite_organizations(event, [cast.member, cast.host], viewer=SYSTEM, at=AT)
    bring_up_to_date(invitation, at=AT)
    for one in Invitation.objects.all():
        answer_invitation(one, state="accepted", viewer=SYSTEM, at=AT + HOUR)
    schedule_event(stored(event), AFTERNOON, viewer=SYSTEM, at=AT + 2 * HOUR)
    bring_up_to_date(Invitation.objects.get(pk=invitation.pk), at=AT + 2 * HOUR)
    Delivery.objects.all().delete()
    start = AFTERNOON.starts_at - timedelta(days=7)

    fire(start, since=start - HOUR)
    answer_invitation(stored(invitation), state="accepted", viewer=SYSTEM, at=start + HOUR)
    fire(start + timedelta(days=3), since=start + HOUR)

    assert sent() == [("liaison", "05-16 06:00", "")]


def test_fixed_time_reminds_whenever_the_event_is(cast: Cast) -> None:
    event = reminded(cast, offset="", at_wall=datetime(2028, 4, 3, 9, 0), at_zone="Asia/Shanghai")
    assert event.starts_at is not None
    schedule_event(event, AFTERNOON, viewer=SYSTEM, at=AT)
    row = Reminder.objects.get()
    assert (row.due_at, row.generation) == (datetime(2028, 4, 3, 1, 0, tzinfo=UTC), 1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"tiers": ["national"]}, ["host"]),
        ({"tags": ["生物医药"]}, ["liaison"]),
        ({"member_roles": ["chair"]}, []),
        ({"answers": ["needs_action"]}, ["host"]),
        ({"answers": ["not_invited"]}, ["liaison"]),
        ({"audience": ["members", "bodies"]}, ["chair", "host", "liaison"]),
        ({"roles": ["representative"]}, ["head"]),
    ],
)
def test_audience_is_narrowed(cast: Cast, values: dict[str, object], expected: list[str]) -> None:
    make_person("head", role="representative", organization=cast.host)
    host, member = cast.host.memberships.get(), cast.member.memberships.get()
    revise_membership(host, tier="national", tags="", viewer=SYSTEM, at=AT)
    revise_membership(member, tags=" 生物医药  先行区 ", viewer=SYSTEM, at=AT)
    assert stored(member).tags == "生物医药 先行区"
    event = reminded(cast, **values)
    invite_organizations(event, [cast.host], viewer=SYSTEM, at=AT)
    assert event.starts_at is not None

    fire(event.starts_at - timedelta(days=1), since=event.starts_at - timedelta(days=1))

    assert sorted(name for name, _at, _why in sent()) == expected


def test_chosen_organizations_hear_only_of_what_they_may_see(cast: Cast) -> None:
    chosen = [str(cast.member.uid), str(cast.outside.uid)]
    rule = add_reminder_rule(
        cast.alliance, viewer=SYSTEM, at=AT, offset="-P1D", audience=["chosen"],
        organizations=chosen,
    )  # fmt: skip
    event = make_event(cast.alliance, scheduled=True, audience="members")
    assert event.starts_at is not None

    fire(event.starts_at - timedelta(days=1), since=event.starts_at - timedelta(days=1))

    assert [name for name, _at, _why in sent()] == ["liaison"]
    assert rule.organizations == sorted(chosen)


def test_preview_rule_is_the_mail_that_goes_out(cast: Cast) -> None:
    words = {"text_zh": "{name}：{title}，{left}。", "text_en": "{name}: {title}, {left}."}
    event = reminded(cast, **words)
    rule = Reminder.objects.get().rule
    assert event.starts_at is not None
    due = event.starts_at - timedelta(days=1)

    found = preview_rule(event, rule, at=AT)

    assert found.reader is not None
    assert [(time.due_at, time.send_at) for time in found.times] == [(due, due)]
    fire(due, since=due)
    row = Delivery.objects.get(recipient=found.reader.recipient)
    letter = Reminders().render([row], found.reader, due)
    assert found.letters["zh-hans"] == letter
    assert f"{found.reader.name}: Matchmaking, in 24 hours." in found.letters["en"].text
    assert found.unsettled == ()


def test_working_days_of_each_reader_are_told_in_groups_by_the_events_own(cast: Cast) -> None:
    robot = Endpoint.objects.create(
        channel="wecom", owner=owner_key("alliance", cast.alliance.uid), name="秘书处群",
        address="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1",
    )  # fmt: skip
    event = reminded(
        cast, channels=["email", "wecom"], day_unit="working", workdays_of="reader",
        repeat_every="PT5H", repeat_times=2,
    )  # fmt: skip
    assert event.starts_at is not None

    fire(event.starts_at, since=event.starts_at - timedelta(days=3))

    told = Delivery.objects.filter(endpoint=robot).order_by("due_at")
    first = event.starts_at - timedelta(days=1)
    assert [line.due_at for line in told] == [first, first + timedelta(hours=5)]


def test_working_days_of_a_host_that_is_no_member_are_those_of_its_country(cast: Cast) -> None:
    partner = make_organization("Barcelona", country="ES", time_zone="Europe/Madrid")
    make_person("partner", role="liaison", organization=partner)
    event = reminded(cast, audience=["hosts"], day_unit="working", workdays_of="reader")
    revise_event(stored(event), hosts=[Host(partner), Host(cast.host)], viewer=SYSTEM, at=AT)
    after_the_feast = span("2028-10-13T09:30", "2028-10-13T12:00")  # of the 12th, in Spain
    schedule_event(stored(event), after_the_feast, viewer=SYSTEM, at=AT)

    fire(after_the_feast.starts_at, since=datetime(2028, 10, 9, tzinfo=UTC))

    assert sent() == [("partner", "10-11 05:00", ""), ("host", "10-12 01:30", "")]


def test_preview_rule_in_working_days_of_a_year_not_laid_down_says_so(cast: Cast) -> None:
    event = reminded(cast, offset="-P5D", day_unit="working")
    rule = Reminder.objects.get().rule
    assert preview_rule(event, rule, at=AT).unsettled == (("CN", 2028),)
