from __future__ import annotations

from datetime import date, timedelta

import pytest

from alliances.drafting import Host as LineHost
from alliances.drafting import Line, drop_item, revise_item
from alliances.joining import merge_organizations, revise_alliance, revise_organization
from alliances.models import PlanItem
from alliances.planning import adopt_plan, publish_plan, revise_work_area
from coordination.changes.models import Change
from coordination.changes.recording import InUse
from coordination.changes.refusals import InvalidInput, TransitionNotAllowed
from events.audiences import recipients_of_rule
from events.inviting import invite_organizations
from events.models import Event, ReminderRule
from events.owing import set_duty
from events.reminding import add_reminder_rule
from events.scheduling import Host, cancel_event, schedule_event
from tests.factories import (
    AT,
    MORNING,
    SYSTEM,
    Cast,
    advance_plan,
    make_event,
    make_line,
    make_organization,
    make_person,
    make_plan,
    make_work_area,
    stored,
    window,
)

LATER = AT + timedelta(days=1)
QUARTERS = [
    window("2028-01-01", "2028-03-31", "quarter"),
    window("2028-04-01", "2028-06-30", "quarter"),
    window("2028-07-01", "2028-09-30", "quarter"),
    window("2028-10-01", "2028-12-31", "quarter"),
]


def revise(item: PlanItem, *, reason: str = "", hosts: tuple[LineHost, ...] = (), **values: object):
    line = Line(values=values, hosts=hosts, work_area=item.work_area)
    return revise_item(item, line, viewer=SYSTEM, at=LATER, reason=reason)


def events_of(item: PlanItem) -> list[Event]:
    return list(Event.objects.filter(plan_item=item).order_by("occurrence"))


def test_line_added_makes_one_event_for_each_window(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    item = make_line(
        plan, "季度例会", *QUARTERS, hosts=(cast.host,), work_area=area,
        window_text="每季度", place_text="天津", type_text="会议", participants_text="各高新区",
    )  # fmt: skip
    events = events_of(item)
    assert [event.occurrence for event in events] == [1, 2, 3, 4]
    assert [(event.window_starts_on, event.window_ends_on) for event in events] == [
        (date(2028, 1, 1), date(2028, 3, 31)),
        (date(2028, 4, 1), date(2028, 6, 30)),
        (date(2028, 7, 1), date(2028, 9, 30)),
        (date(2028, 10, 1), date(2028, 12, 31)),
    ]
    first = events[0]
    assert (first.state, first.title_zh, first.work_area, first.plan, first.alliance) == (
        "planned", "季度例会", area, plan, cast.alliance,
    )  # fmt: skip
    assert (first.place_zh, first.type_text, first.participants_text, first.window_text) == (
        "天津", "会议", "各高新区", "每季度",
    )  # fmt: skip
    assert [row.organization for row in first.hosts.all()] == [cast.host]
    assert first.ical_uid == str(first.uid)


def test_line_without_a_known_time_makes_one_event_without_a_window(cast: Cast) -> None:
    [event] = events_of(make_line(make_plan(cast.alliance)))
    assert (event.window_starts_on, event.window_ends_on, event.window_precision) == (
        None, None, "unknown",
    )  # fmt: skip


def test_line_revised_is_followed_by_events_that_wait_for_a_date(cast: Cast) -> None:
    item = make_line(make_plan(cast.alliance), "论坛", *QUARTERS[:2], hosts=(cast.host,))
    waiting, dated = events_of(item)
    schedule_event(dated, MORNING, viewer=SYSTEM, at=AT)
    revise(
        item, title_zh="创新论坛", windows=[QUARTERS[2], QUARTERS[3]],
        hosts=(LineHost("石家庄", cast.member),),
    )  # fmt: skip
    waiting, dated = events_of(item)
    assert (waiting.title_zh, waiting.window_starts_on) == ("创新论坛", date(2028, 7, 1))
    assert [row.organization for row in waiting.hosts.all()] == [cast.member]
    assert (dated.title_zh, dated.window_starts_on) == ("论坛", date(2028, 4, 1))
    assert [row.organization for row in dated.hosts.all()] == [cast.host]


def test_line_moved_to_another_work_area_takes_all_its_coming_events_along(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    first, second = make_work_area(plan, "一"), make_work_area(plan, "二")
    item = make_line(plan, "论坛", *QUARTERS[:2], work_area=first)
    schedule_event(events_of(item)[1], MORNING, viewer=SYSTEM, at=AT)
    line = Line(values={}, work_area=second)
    revise_item(item, line, viewer=SYSTEM, at=LATER)
    assert [event.work_area for event in events_of(item)] == [second, second]


def test_line_with_more_windows_gets_more_events(cast: Cast) -> None:
    item = make_line(make_plan(cast.alliance), "例会", QUARTERS[0], hosts=(cast.host,))
    [kept] = events_of(item)
    revise(item, windows=QUARTERS, hosts=(LineHost("天津", cast.host),))
    events = events_of(item)
    assert [event.occurrence for event in events] == [1, 2, 3, 4]
    assert events[0].uid == kept.uid
    assert [row.organization for row in events[3].hosts.all()] == [cast.host]


def test_draft_line_with_fewer_windows_loses_its_last_events(cast: Cast) -> None:
    item = make_line(make_plan(cast.alliance), "例会", *QUARTERS)
    revise(item, windows=QUARTERS[:1])
    assert [event.occurrence for event in events_of(item)] == [1]


def test_adopted_line_with_fewer_windows_cancels_its_last_events(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    item = make_line(plan, "例会", *QUARTERS[:2])
    advance_plan(plan, "published")
    item = stored(item)
    revise(item, windows=QUARTERS[:1], reason="合并")
    assert [event.state for event in events_of(item)] == ["planned", "cancelled"]
    revise(item, windows=QUARTERS[:1], title_zh="联席例会", reason="更名")
    assert [event.state for event in events_of(item)] == ["planned", "cancelled"]


def test_adopted_line_with_fewer_windows_than_dated_events_is_refused(cast: Cast) -> None:
    item = make_line(make_plan(cast.alliance), "例会", *QUARTERS[:2])
    schedule_event(events_of(item)[1], MORNING, viewer=SYSTEM, at=AT)
    changes = Change.objects.count()
    with pytest.raises(TransitionNotAllowed) as caught:
        revise(item, windows=QUARTERS[:1])
    assert caught.value.code == "occurrence_has_a_time"
    assert len(stored(item).windows) == 2
    assert Change.objects.count() == changes


def test_adopted_line_cannot_change_without_a_reason(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    item = make_line(plan, "论坛")
    advance_plan(plan, "adopted")
    with pytest.raises(InvalidInput) as caught:
        revise(stored(item), title_zh="新论坛")
    assert caught.value.errors[0].code == "reason_required"
    assert (stored(item).title_zh, events_of(item)[0].title_zh) == ("论坛", "论坛")


def test_line_dropped_cancels_its_events_with_its_reason(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    item = make_line(plan, "论坛", *QUARTERS[:2])
    advance_plan(plan, "published")
    item = stored(item)
    dated, gone = events_of(item)
    schedule_event(dated, MORNING, viewer=SYSTEM, at=AT)
    cancel_event(gone, reason="早先取消", viewer=SYSTEM, at=AT)
    drop_item(item, on=LATER.date(), reason="经费", viewer=SYSTEM, at=LATER)
    assert [(event.state, event.reason) for event in events_of(item)] == [
        ("cancelled", "经费"),
        ("cancelled", "早先取消"),
    ]
    assert stored(item).dropped_on == LATER.date()


def test_line_dropped_after_an_event_has_begun_is_refused(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    item = make_line(plan, "论坛", *QUARTERS[:2])
    advance_plan(plan, "published")
    item = stored(item)
    schedule_event(events_of(item)[1], MORNING, viewer=SYSTEM, at=AT)
    with pytest.raises(TransitionNotAllowed) as caught:
        drop_item(item, on=date(2028, 5, 16), reason="经费", viewer=SYSTEM, at=MORNING.starts_at)
    assert caught.value.code == "event_has_begun"
    assert [event.state for event in events_of(item)] == ["planned", "scheduled"]
    assert stored(item).dropped_on is None


def test_line_discarded_deletes_its_drafts(cast: Cast) -> None:
    item = make_line(make_plan(cast.alliance), "论坛", *QUARTERS)
    assert drop_item(item, on=AT.date(), reason="", viewer=SYSTEM, at=AT) is None
    assert (Event.objects.count(), PlanItem.objects.count()) == (0, 0)


def test_line_discarded_with_a_dated_event_is_refused(cast: Cast) -> None:
    item = make_line(make_plan(cast.alliance), "论坛", *QUARTERS)
    schedule_event(events_of(item)[0], MORNING, viewer=SYSTEM, at=AT)
    with pytest.raises(TransitionNotAllowed):
        drop_item(item, on=AT.date(), reason="", viewer=SYSTEM, at=AT)
    assert (Event.objects.count(), PlanItem.objects.count()) == (4, 1)


def test_line_discarded_with_a_cancelled_event_says_that_it_is_in_use(cast: Cast) -> None:
    item = make_line(make_plan(cast.alliance), "论坛", QUARTERS[0])
    cancel_event(events_of(item)[0], reason="经费", viewer=SYSTEM, at=AT)
    with pytest.raises((TransitionNotAllowed, InUse)):
        drop_item(item, on=AT.date(), reason="", viewer=SYSTEM, at=AT)
    assert PlanItem.objects.count() == 1


def test_line_added_to_an_adopted_plan_stays_with_the_secretariat_until_the_next_edition(
    cast: Cast,
) -> None:
    plan = make_plan(cast.alliance, state="published")
    [event] = events_of(make_line(plan, "新增论坛", QUARTERS[3], reason="新任务"))
    assert event.openness == "secretariat"
    adopt_plan(plan, on=LATER.date(), viewer=SYSTEM, at=LATER)
    assert stored(event).openness == "public"
    assert stored(event).version == 2


def test_plan_opened_touches_only_events_whose_circle_changes(cast: Cast) -> None:
    plan = make_plan(cast.alliance, state="adopted")
    [opens] = plan.events.all()
    stays = make_event(cast.alliance, plan=plan, audience="members")
    publish_plan(plan, viewer=SYSTEM, at=LATER)
    assert (stored(opens).openness, stored(opens).version) == ("public", opens.version + 1)
    assert (stored(stays).openness, stored(stays).version) == ("members", 1)


def test_work_area_renamed_is_a_change_of_the_events_that_show_it(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    shown, other = make_event(cast.alliance, work_area=area), make_event(cast.alliance)
    revise_work_area(area, viewer=SYSTEM, at=LATER, name_zh="协同创新")
    assert (stored(shown).version, stored(other).version) == (2, 1)
    assert Change.objects.get(object_uid=shown.uid, object_version=2).kind == "event.relabelled"


def test_alliance_renamed_is_a_change_of_the_events_that_calendars_show(cast: Cast) -> None:
    shown, waiting = make_event(cast.alliance, scheduled=True), make_event(cast.alliance)
    other = make_event(cast.other, scheduled=True)
    revise_alliance(cast.alliance, viewer=SYSTEM, at=LATER, website="https://example.org")
    assert stored(shown).version == 2
    revise_alliance(cast.alliance, viewer=SYSTEM, at=LATER, name_zh="新联盟")
    versions = [stored(event).version for event in (shown, waiting, other)]
    assert versions == [3, 1, 2]


def test_organization_renamed_is_a_change_of_the_events_it_hosts(cast: Cast) -> None:
    hosted = make_event(cast.alliance, hosts=[Host(cast.host)])
    other = make_event(cast.alliance, hosts=[Host(cast.member)])
    revise_organization(cast.host, viewer=SYSTEM, at=LATER, website="https://example.org")
    assert stored(hosted).version == 1
    revise_organization(cast.host, viewer=SYSTEM, at=LATER, name_zh="滨海高新区")
    assert (stored(hosted).version, stored(other).version) == (2, 1)


def test_organizations_merged_host_and_are_named_as_one(cast: Cast) -> None:
    twin = make_organization("天津滨海高新技术产业开发区")
    both = make_event(cast.alliance, hosts=[Host(cast.host), Host(twin)])
    one = make_event(cast.alliance, hosts=[Host(name="市政府"), Host(twin)], named=[twin])
    merge_organizations(cast.host, twin, viewer=SYSTEM, at=LATER, reason="重复")
    assert [row.organization for row in stored(both).hosts.all()] == [cast.host]
    assert [row.organization for row in stored(one).hosts.all()] == [None, cast.host]
    assert [row.organization for row in stored(one).named.all()] == [cast.host]


def test_organizations_merged_pass_on_what_was_asked_and_is_owed(cast: Cast) -> None:
    twin = make_organization("天津滨海高新技术产业开发区")
    event = make_event(cast.alliance, scheduled=True)
    both = make_event(cast.alliance, scheduled=True)
    invite_organizations(event, [twin], viewer=SYSTEM, at=AT)
    invite_organizations(both, [twin, cast.host], viewer=SYSTEM, at=AT)
    set_duty(event, twin, kind="send_agenda", due_at=LATER, viewer=SYSTEM, at=AT)
    merge_organizations(cast.host, twin, viewer=SYSTEM, at=LATER, reason="重复")
    assert [row.organization for row in event.invitations.all()] == [cast.host]
    assert [row.organization for row in both.invitations.order_by("pk")] == [twin, cast.host]
    assert [row.organization for row in event.duties.all()] == [cast.host]


def test_organizations_merged_are_reminded_as_one(cast: Cast) -> None:
    twin = make_organization("天津滨海高新技术产业开发区")
    make_person("twin", role="liaison", organization=twin)
    chosen = {"offset": "-P7D", "audience": ["chosen"]}
    for organizations in ([twin], [twin, cast.host], [cast.member]):
        uids = [str(one.uid) for one in organizations]
        add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, organizations=uids, **chosen)
    event = make_event(cast.alliance, scheduled=True)
    first, both, other = ReminderRule.objects.order_by("pk")

    merge_organizations(cast.host, twin, viewer=SYSTEM, at=LATER, reason="重复")

    kept = [str(cast.host.uid)]
    assert (stored(first).organizations, stored(both).organizations) == (kept, kept)
    assert (stored(other).organizations, stored(other).version) == ([str(cast.member.uid)], 1)
    told = recipients_of_rule(event, stored(first), on=LATER.date())
    assert sorted(seat.person.user.username for seat in told) == ["host", "twin"]
