"""Reminders in chat groups: the nearest group, a little before the hour, and only what is open."""

from datetime import timedelta

import pytest

from coordination.accounts.viewer import SYSTEM
from coordination.deliveries.grouping import SPREAD, spread_of
from coordination.deliveries.last_look import reader_at
from coordination.deliveries.models import Delivery, Endpoint
from coordination.deliveries.owners import (
    keepers_of,
    may_manage_owner,
    name_of_owner,
    owners_offered,
)
from events.group_owners import group_owners_of, owner_key
from events.models import Reminder
from events.reminding import add_reminder_rule
from events.scheduling import cancel_event, schedule_event
from events.telling import Reminders, tell_groups_ahead
from tests.factories import (
    AFTERNOON,
    AT,
    Cast,
    make_event,
    make_plan,
    make_work_area,
    span,
    stored,
)

pytestmark = pytest.mark.django_db
DUE = span("2028-05-09T09:30", "2028-05-09T12:00").starts_at


def robot(owner: str, name: str = "群", channel: str = "wecom") -> Endpoint:
    return Endpoint.objects.create(
        channel=channel, owner=owner, name=name, secret="good-key-0001", address="https://x.test"
    )


def rule(cast: Cast, *channels: str) -> None:
    add_reminder_rule(
        cast.alliance, viewer=SYSTEM, at=AT, offset="-P7D", audience=["hosts"],
        channels=list(channels),
    )  # fmt: skip


def lines() -> list[tuple[str, str]]:
    rows = Delivery.objects.exclude(channel="email").order_by("endpoint")
    return list(rows.values_list("channel", "recipient"))


def test_group_owners_of_an_event_are_nearest_first(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    event = make_event(cast.alliance, work_area=area)

    assert group_owners_of(event) == [
        owner_key("event", event.uid),
        owner_key("work_area", area.uid),
        owner_key("plan", plan.uid),
        owner_key("alliance", cast.alliance.uid),
    ]


@pytest.mark.parametrize("kind", ["alliance", "plan", "work_area", "event"])
def test_owners_are_the_business_of_their_secretariat(cast: Cast, kind: str) -> None:
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    rows = {
        "alliance": cast.alliance, "plan": plan, "work_area": area,
        "event": make_event(cast.alliance),
    }  # fmt: skip
    key = owner_key(kind, rows[kind].uid)

    may = {name for name, viewer in cast.viewers().items() if may_manage_owner(viewer, key)}

    assert may == {"superuser", "secretary"}
    names = {"alliance": "联盟jjj", "event": "项目对接会", "plan": "2028年工作计划"}
    assert name_of_owner(key, "zh-hans") == names.get(kind, "2028年工作计划 · 产业协同")
    keepers = keepers_of(key, on=AT.date())
    assert keepers is not None
    assert [row.person.user.username for row in keepers] == ["secretary"]
    offered = dict(owners_offered(cast.secretary))
    assert (key in offered) == (kind != "event")
    assert owners_offered(cast.member_liaison) == []


def test_owners_that_are_no_more_are_nobodys(cast: Cast) -> None:
    for key in ("plan:0b6f2d3e-2a53-4c0b-9d0c-6f0b1a6f2c51", "plan:x", "planet:1"):
        assert not may_manage_owner(cast.superuser, key)
        assert name_of_owner(key, "en") == key
        assert keepers_of(key, on=AT.date()) is None


def test_fire_next_tells_the_groups_that_the_rule_names(cast: Cast) -> None:
    rule(cast, "email", "wecom", "feishu")
    event = make_event(cast.alliance, scheduled=True)
    robot(owner_key("alliance", cast.alliance.uid), "联盟群")
    robot(owner_key("alliance", cast.alliance.uid), "钉钉群", "dingtalk")
    robot(owner_key("event", event.uid), "活动群", "feishu")

    Reminders().fire_next(DUE)

    assert lines() == [
        ("wecom", owner_key("alliance", cast.alliance.uid)),
        ("feishu", owner_key("event", event.uid)),
    ]


def test_tell_groups_ahead_writes_once_before_the_hour_and_firing_adds_nothing(
    cast: Cast,
) -> None:
    rule(cast, "wecom")
    make_event(cast.alliance, scheduled=True)
    one = robot(owner_key("alliance", cast.alliance.uid))

    assert tell_groups_ahead(DUE - SPREAD - timedelta(seconds=1)) == 0
    assert tell_groups_ahead(DUE - SPREAD) == 1
    assert tell_groups_ahead(DUE - timedelta(seconds=1)) == 0
    assert Reminder.objects.get().state == "pending"
    Reminders().fire_next(DUE)

    line = Delivery.objects.get()
    assert (line.due_at, line.send_after) == (DUE, DUE - spread_of(one))
    assert Reminder.objects.get().state == "fired"


def test_event_that_moves_after_its_groups_were_told_ahead_tells_them_of_the_new_time_only(
    cast: Cast,
) -> None:
    robot(owner_key("alliance", cast.alliance.uid))
    rule(cast, "wecom")
    event = make_event(cast.alliance, scheduled=True)
    just_before = DUE - SPREAD / 2
    tell_groups_ahead(just_before)
    schedule_event(stored(event), AFTERNOON, viewer=SYSTEM, at=just_before)

    for at in (DUE, AFTERNOON.starts_at - timedelta(days=7)):
        while Reminders().fire_next(at):
            pass

    old, new = Delivery.objects.order_by("due_at")
    reader = reader_at(old.endpoint)
    assert (old.due_at, Reminders().still_wanted(old, reader, DUE)) == (DUE, "event_moved")
    assert new.due_at == AFTERNOON.starts_at - timedelta(days=7)


def test_tell_groups_ahead_leaves_out_what_is_off_and_what_is_not_open(cast: Cast) -> None:
    rule(cast, "wecom")
    robot(owner_key("alliance", cast.alliance.uid))
    off = make_event(cast.alliance, scheduled=True)
    cancel_event(off, viewer=SYSTEM, at=AT, reason="改期")
    make_event(cast.alliance, scheduled=True, audience="secretariat")

    assert tell_groups_ahead(DUE - SPREAD) == 0
    while Reminders().fire_next(DUE):
        pass

    assert lines() == []
