from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils.translation import override

from alliances.planning import publish_plan
from coordination.changes.models import Change
from coordination.changes.recording import InUse
from coordination.changes.refusals import (
    InvalidInput,
    NotAllowed,
    Refusal,
    StaleVersion,
    TransitionNotAllowed,
)
from events.concluding import attach_material, conclude_event
from events.models import Duty, Event, ReminderRule
from events.owing import fulfil_duty, set_duty
from events.reminding import add_reminder_rule
from events.scheduling import (
    Host,
    cancel_event,
    confirm_event,
    discard_event,
    draft_event,
    postpone_event,
    revise_event,
    schedule_event,
)
from tests.factories import (
    AFTERNOON,
    AT,
    BEIJING,
    MORNING,
    SYSTEM,
    Cast,
    advance_plan,
    make_event,
    make_line,
    make_plan,
    make_work_area,
    span,
    stored,
    window,
)

LATER = AT + timedelta(days=1)


def columns(event: Event) -> dict[str, Any]:
    """Return every value of the row as the database has it."""
    return Event.objects.filter(pk=event.pk).values().get()


def kinds_of(event: Event | Duty) -> list[str]:
    """Return what happened to the event, or to what is owed to it, first to last."""
    rows = Change.objects.filter(object_uid=event.uid).order_by("number")
    return list(rows.values_list("kind", flat=True))


def refused(event: Event, expected: type[Refusal], verb: Any, **values: Any) -> Any:
    """Run a verb that is refused, see that nothing changed, and return the refusal."""
    before, changes = columns(event), Change.objects.count()
    with pytest.raises(expected) as caught:
        verb(stored(event), **{"viewer": SYSTEM, "at": LATER} | values)
    assert columns(event) == before
    assert Change.objects.count() == changes
    return caught.value


# -- Drafting -------------------------------------------------------------------------------------


def test_draft_event_makes_a_planned_event_without_a_time(cast: Cast) -> None:
    event = draft_event(cast.alliance, viewer=cast.secretary, at=AT, title_zh="座谈会")
    row = stored(event)
    assert (row.state, row.starts_at, row.ends_at, row.version) == ("planned", None, None, 1)
    assert row.ical_uid == str(row.uid)
    assert row.dav_name == f"{row.uid}.ics"
    assert kinds_of(event) == ["event.drafted"]


def test_draft_event_with_a_time_is_scheduled_and_its_first_sequence_is_zero(cast: Cast) -> None:
    row = stored(make_event(cast.alliance, span=MORNING))
    assert (row.state, row.sequence) == ("scheduled", 0)
    assert row.starts_at == datetime(2028, 5, 16, 1, 30, tzinfo=UTC)
    assert row.ends_at == datetime(2028, 5, 16, 4, 0, tzinfo=UTC)


def test_draft_event_keeps_the_identifiers_of_an_event_born_elsewhere(cast: Cast) -> None:
    event = make_event(cast.alliance, ical_uid="abc@phone", dav_name="abc.ics")
    assert (stored(event).ical_uid, stored(event).dav_name) == ("abc@phone", "abc.ics")


def test_draft_event_by_another_secretariat_is_refused(cast: Cast) -> None:
    for name in ("other_secretary", "chair", "member_liaison", "observer", "stranger", "public"):
        with pytest.raises(NotAllowed):
            draft_event(cast.alliance, viewer=cast.viewers()[name], at=AT, title_zh="座谈会")
    assert Event.objects.count() == 0


def test_draft_event_without_a_title_is_refused(cast: Cast) -> None:
    with pytest.raises(InvalidInput) as caught:
        draft_event(cast.alliance, viewer=SYSTEM, at=AT)
    assert [error.code for error in caught.value.errors] == ["event_has_a_title"]
    assert Event.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("state", "held", "read_only"),
        ("openness", "public", "read_only"),
        ("starts_at", AT, "read_only"),
        ("colour", "red", "unknown_field"),
        ("title_zh", "长" * 201, "max_length"),
        ("audience", "friends", "invalid_choice"),
        ("time_zone", "Asia/Beijing", "unknown_time_zone"),
        ("online_url", "javascript:alert(1)", "invalid"),
        ("latitude", 91, "max_value"),
    ],
)
def test_draft_event_with_a_value_that_does_not_fit_names_the_field(
    cast: Cast, name: str, value: object, code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_event(cast.alliance, **{name: value})
    assert [(error.field, error.code) for error in caught.value.errors] == [(name, code)]
    assert Event.objects.count() == 0


def test_draft_event_with_one_coordinate_is_refused(cast: Cast) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_event(cast.alliance, latitude=39)
    assert caught.value.errors[0].code == "event_has_both_coordinates_or_none"


def test_draft_event_in_another_alliances_plan_is_refused(cast: Cast) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_event(cast.alliance, plan=make_plan(cast.other))
    assert caught.value.errors[0].field == "plan"


def test_draft_event_in_a_work_area_takes_its_plan(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    assert stored(make_event(cast.alliance, work_area=make_work_area(plan))).plan == plan


def test_draft_event_in_a_work_area_of_another_plan_is_refused(cast: Cast) -> None:
    first, second = make_plan(cast.alliance), make_plan(cast.alliance, year=2029)
    with pytest.raises(InvalidInput) as caught:
        make_event(cast.alliance, plan=first, work_area=make_work_area(second))
    assert caught.value.errors[0].field == "work_area"


def test_draft_event_on_a_line_of_another_plan_is_refused(cast: Cast) -> None:
    first, second = make_plan(cast.alliance), make_plan(cast.alliance, year=2029)
    with pytest.raises(InvalidInput) as caught:
        make_event(cast.alliance, plan=first, plan_item=make_line(second), occurrence=2)
    assert caught.value.errors[0].field in ("plan_item", "occurrence")


def test_draft_event_co_hosted_by_its_owner_is_refused(cast: Cast) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_event(cast.alliance, co_hosts=[cast.alliance])
    assert caught.value.errors[0].field == "co_hosts"


def test_draft_event_keeps_hosts_in_order_and_names_each_alliance_once(cast: Cast) -> None:
    event = make_event(
        cast.alliance,
        hosts=[Host(name="市科技局"), Host(cast.host)],
        co_hosts=[cast.other, cast.other],
        named=[cast.member, cast.member],
    )
    assert [str(row) for row in event.hosts.all()] == ["市科技局", "天津滨海高新区"]
    assert [row.alliance for row in event.co_hosts.all()] == [cast.other]
    assert [row.organization for row in event.named.all()] == [cast.member]


# -- One life ------------------------------------------------------------------------------------


def test_event_passes_through_its_states_and_each_is_recorded(cast: Cast) -> None:
    event = make_event(cast.alliance)
    schedule_event(event, MORNING, viewer=cast.secretary, at=AT)
    confirm_event(event, viewer=cast.secretary, at=AT)
    schedule_event(event, AFTERNOON, viewer=cast.secretary, at=AT, reason="场地冲突")
    assert event.state == "confirmed"
    postpone_event(event, viewer=cast.secretary, at=AT, reason="台风")
    assert (event.state, event.starts_at) == ("postponed", None)
    schedule_event(event, MORNING, viewer=cast.secretary, at=AT, reason="台风已过")
    confirm_event(event, viewer=cast.secretary, at=AT)
    conclude_event(event, viewer=cast.secretary, at=MORNING.ends_at)
    row = stored(event)
    assert (row.state, row.version, row.sequence) == ("held", 8, 7)
    assert row.held_on == date(2028, 5, 16)
    assert row.previous_span == AFTERNOON
    assert kinds_of(event) == [
        "event.drafted",
        "event.scheduled",
        "event.confirmed",
        "event.moved",
        "event.postponed",
        "event.scheduled",
        "event.confirmed",
        "event.concluded",
    ]


def test_schedule_event_in_the_hour_the_clocks_skip_means_an_hour_later(cast: Cast) -> None:
    skipped = span("2028-03-26T02:30", "2028-03-26T04:00", "Europe/Madrid")
    row = stored(schedule_event(make_event(cast.alliance), skipped, viewer=SYSTEM, at=AT))
    assert row.starts_wall == datetime(2028, 3, 26, 2, 30)
    assert row.starts_at == datetime(2028, 3, 26, 1, 30, tzinfo=UTC)
    assert row.ends_at == datetime(2028, 3, 26, 2, 0, tzinfo=UTC)


def test_schedule_event_whose_end_falls_into_the_gap_before_its_start_is_refused(
    cast: Cast,
) -> None:
    gap = span("2028-03-26T02:30", "2028-03-26T03:15", "Europe/Madrid")
    with override("en"):
        problem = refused(make_event(cast.alliance), InvalidInput, schedule_event, span=gap)
    (error,) = problem.errors
    assert (error.field, error.code) == ("starts_at", "skipped_time")
    assert error.message == (
        "On 2028-03-26 the clocks of Europe/Madrid go forward and never show 02:30; it is read as "
        "03:30, and the end must be after that. Choose another beginning or a later end."
    )


def test_schedule_event_with_an_end_before_its_start_on_the_clocks_names_the_end(
    cast: Cast,
) -> None:
    backwards = span("2028-03-26T02:45", "2028-03-26T02:15", "Europe/Madrid")
    problem = refused(make_event(cast.alliance), InvalidInput, schedule_event, span=backwards)
    assert [error.field for error in problem.errors] == ["ends_at"]


def test_schedule_event_at_half_past_eleven_in_beijing_ends_on_the_next_day(cast: Cast) -> None:
    night = span("2028-12-31T23:30", "2029-01-01T00:30")
    row = stored(schedule_event(make_event(cast.alliance), night, viewer=SYSTEM, at=AT))
    assert row.starts_at == datetime(2028, 12, 31, 15, 30, tzinfo=UTC)
    assert row.span == night


def test_schedule_event_on_a_leap_day_all_day_covers_that_day_in_its_zone(cast: Cast) -> None:
    leap = span("2028-02-29T00:00", "2028-03-01T00:00", is_all_day=True)
    row = stored(schedule_event(make_event(cast.alliance), leap, viewer=SYSTEM, at=AT))
    assert (row.all_day, row.span.first_on, row.span.last_on) == (
        True, date(2028, 2, 29), date(2028, 2, 29),
    )  # fmt: skip
    assert row.starts_at == datetime(2028, 2, 28, 16, 0, tzinfo=UTC)
    assert row.ends_at == datetime(2028, 2, 29, 16, 0, tzinfo=UTC)


def test_schedule_event_that_was_scheduled_needs_no_reason_to_move(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    schedule_event(event, AFTERNOON, viewer=SYSTEM, at=AT)
    assert (stored(event).span, stored(event).state) == (AFTERNOON, "scheduled")
    assert kinds_of(event) == ["event.drafted", "event.scheduled", "event.moved"]


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ("2028-05-16T09:30", "2028-05-16T09:30"),
        ("2028-05-16T09:30", "2028-05-16T08:30"),
        ("2028-05-16T09:30", "2029-05-30T09:30"),
    ],
)
def test_schedule_event_to_an_impossible_time_is_refused(
    cast: Cast, starts: str, ends: str
) -> None:
    event = make_event(cast.alliance)
    problem = refused(event, InvalidInput, schedule_event, span=span(starts, ends))
    assert problem.errors[0].field == "ends_at"


def test_schedule_event_that_was_confirmed_needs_a_reason(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    confirm_event(event, viewer=SYSTEM, at=AT)
    problem = refused(event, InvalidInput, schedule_event, span=AFTERNOON, reason=" ")
    assert [(error.field, error.code) for error in problem.errors] == [
        ("reason", "reason_required")
    ]


def test_confirm_event_without_a_time_or_twice_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance)
    assert refused(event, TransitionNotAllowed, confirm_event).code == "not_scheduled"
    schedule_event(event, MORNING, viewer=SYSTEM, at=AT)
    confirm_event(event, viewer=SYSTEM, at=AT)
    refused(event, TransitionNotAllowed, confirm_event)


def test_postpone_event_to_a_new_time_keeps_the_old_one(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    postpone_event(event, span=AFTERNOON, reason="主讲人生病", viewer=SYSTEM, at=AT)
    row = stored(event)
    assert (row.state, row.span, row.previous_span) == ("postponed", AFTERNOON, MORNING)
    assert row.reason == "主讲人生病"


def test_postpone_event_twice_without_a_date_keeps_the_last_known_time(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    postpone_event(event, reason="台风", viewer=SYSTEM, at=AT)
    postpone_event(event, reason="又一个台风", viewer=SYSTEM, at=AT)
    row = stored(event)
    assert (row.span, row.previous_span, row.reason) == (None, MORNING, "又一个台风")


def test_postpone_event_remembers_whether_the_old_time_was_all_day(cast: Cast) -> None:
    whole = span("2028-05-16T00:00", "2028-05-17T00:00", is_all_day=True)
    event = make_event(cast.alliance, span=whole)
    postpone_event(event, span=AFTERNOON, reason="场地", viewer=SYSTEM, at=AT)
    assert stored(event).previous_span == whole


def test_confirm_event_postponed_to_a_new_date_confirms_it(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    postpone_event(event, span=AFTERNOON, reason="场地", viewer=SYSTEM, at=AT)
    confirm_event(event, viewer=SYSTEM, at=AT)
    assert stored(event).state == "confirmed"


def test_postpone_event_without_a_time_or_a_reason_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance)
    problem = refused(event, TransitionNotAllowed, postpone_event, reason="台风")
    assert problem.code == "not_scheduled"
    schedule_event(event, MORNING, viewer=SYSTEM, at=AT)
    assert refused(event, InvalidInput, postpone_event, reason="").errors[0].field == "reason"


def test_cancel_event_keeps_its_time_and_says_why(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    cancel_event(event, reason="预算取消", viewer=cast.secretary, at=LATER)
    row = stored(event)
    assert (row.state, row.span, row.reason) == ("cancelled", MORNING, "预算取消")
    assert row.cancelled_on == LATER.date()


def test_cancel_event_before_it_has_a_time_is_possible(cast: Cast) -> None:
    event = make_event(cast.alliance)
    cancel_event(event, reason="合并到论坛", viewer=SYSTEM, at=AT)
    assert (stored(event).state, stored(event).starts_at) == ("cancelled", None)


def test_cancel_event_late_in_the_evening_in_beijing_counts_there(cast: Cast) -> None:
    event = make_event(cast.alliance)
    night = datetime(2028, 5, 15, 16, 30, tzinfo=UTC)  # 00:30 on the 16th in Beijing
    cancel_event(event, reason="台风", viewer=SYSTEM, at=night)
    assert stored(event).cancelled_on == date(2028, 5, 16)


def test_cancel_event_without_a_reason_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    assert refused(event, InvalidInput, cancel_event, reason=" ").errors[0].field == "reason"


@pytest.mark.parametrize("ended", ["held", "cancelled"])
def test_verbs_on_an_event_that_is_over_are_refused(cast: Cast, ended: str) -> None:
    event = make_event(cast.alliance, scheduled=True)
    if ended == "held":
        conclude_event(event, viewer=SYSTEM, at=MORNING.ends_at)
    else:
        cancel_event(event, reason="预算", viewer=SYSTEM, at=AT)
    for verb, values in (
        (schedule_event, {"span": AFTERNOON, "reason": "改期"}),
        (confirm_event, {}),
        (postpone_event, {"reason": "改期"}),
        (cancel_event, {"reason": "不办了"}),
        (conclude_event, {}),
    ):
        assert refused(event, TransitionNotAllowed, verb, **values).code == ended


def test_verbs_by_others_than_the_owners_secretariat_are_refused(cast: Cast) -> None:
    event = make_event(
        cast.alliance, scheduled=True, co_hosts=[cast.other], hosts=[Host(cast.host)]
    )
    for verb, values in (
        (schedule_event, {"span": AFTERNOON}),
        (confirm_event, {}),
        (postpone_event, {"reason": "改期"}),
        (cancel_event, {"reason": "不办了"}),
        (revise_event, {"title_zh": "别的"}),
        (discard_event, {}),
        (conclude_event, {"at": MORNING.ends_at}),
    ):
        for name in ("other_secretary", "host_liaison", "chair", "observer", "public"):
            refused(event, NotAllowed, verb, viewer=cast.viewers()[name], **values)


# -- Revising -------------------------------------------------------------------------------------


def test_revise_event_changes_words_without_raising_the_sequence(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    sequence = event.sequence
    revise_event(event, viewer=cast.secretary, at=LATER, title_zh="新名称", reason="更名")
    row = stored(event)
    assert (row.title_zh, row.sequence, row.version) == ("新名称", sequence, 3)
    assert Change.objects.get(object_uid=event.uid, object_version=3).reason == "更名"


def test_revise_event_to_another_place_raises_the_sequence(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    sequence = event.sequence
    revise_event(event, viewer=SYSTEM, at=LATER, place_zh="国家会议中心")
    assert stored(event).sequence == sequence + 1


def test_revise_event_with_the_same_values_records_nothing(cast: Cast) -> None:
    event = make_event(cast.alliance, hosts=[Host(cast.host)])
    before, changes = columns(event), Change.objects.count()
    revise_event(event, viewer=SYSTEM, at=LATER, title_zh=event.title_zh, hosts=[Host(cast.host)])
    assert columns(event) == before
    assert Change.objects.count() == changes


def test_revise_event_replaces_hosts_only_where_they_are_named(cast: Cast) -> None:
    event = make_event(cast.alliance, hosts=[Host(cast.host)], named=[cast.member])
    revise_event(event, viewer=SYSTEM, at=LATER, hosts=[Host(cast.member, "石家庄")])
    assert [(row.organization, row.name) for row in event.hosts.all()] == [(cast.member, "石家庄")]
    assert [row.organization for row in event.named.all()] == [cast.member]


def test_revise_event_that_was_held_keeps_its_words_open(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    conclude_event(event, viewer=SYSTEM, at=MORNING.ends_at)
    revise_event(event, viewer=SYSTEM, at=MORNING.ends_at, description_zh="回顾")
    assert stored(event).description_zh == "回顾"


def test_revise_event_that_was_cancelled_or_with_a_value_of_a_verb_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    problem = refused(event, InvalidInput, revise_event, state="held")
    assert [(error.field, error.code) for error in problem.errors] == [("state", "read_only")]
    cancel_event(event, reason="预算", viewer=SYSTEM, at=AT)
    assert refused(event, TransitionNotAllowed, revise_event, title_zh="新").code == "cancelled"


def test_revise_event_to_another_zone_moves_its_instants(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    problem = refused(event, InvalidInput, revise_event, time_zone="Europe/Madrid")
    assert [(error.field, error.code) for error in problem.errors] == [("time_zone", "read_only")]


def test_revise_event_read_before_somebody_else_saved_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    mine, theirs = stored(event), stored(event)
    confirm_event(theirs, viewer=SYSTEM, at=LATER)
    with pytest.raises(StaleVersion) as caught:
        revise_event(mine, viewer=cast.secretary, at=LATER, title_zh="我的")
    assert (caught.value.current.state, caught.value.mine.title_zh) == ("confirmed", "我的")
    assert stored(event).title_zh == "项目对接会"


# -- Discarding -----------------------------------------------------------------------------------


def test_discard_event_deletes_a_draft_with_its_rules(cast: Cast) -> None:
    event = make_event(cast.alliance, hosts=[Host(cast.host)])
    add_reminder_rule(event, viewer=SYSTEM, at=AT, offset="-P7D")
    discard_event(event, viewer=cast.secretary, at=LATER)
    assert (Event.objects.count(), ReminderRule.objects.count()) == (0, 0)
    assert kinds_of(event) == ["event.drafted", "event.discarded"]


def test_discard_event_with_a_time_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    assert refused(event, TransitionNotAllowed, discard_event).code == "not_a_draft"


def test_discard_event_of_an_adopted_line_is_refused(cast: Cast) -> None:
    plan = make_plan(cast.alliance, state="adopted")
    event = plan.events.get()
    assert refused(event, TransitionNotAllowed, discard_event).code == "not_a_draft"


def test_discard_event_that_something_stands_on_is_refused(cast: Cast) -> None:
    add_reminder_rule(make_event(cast.alliance), viewer=SYSTEM, at=AT, offset="-P1D")
    documented, worked_for = (make_event(cast.alliance) for _number in range(2))
    values = {"title": "议程", "file_name": "议程.pdf", "content": b"%PDF-1.4"}
    attach_material(documented, **values, viewer=SYSTEM, at=AT)
    duty = set_duty(worked_for, cast.host, kind="name_date", due_at=LATER, viewer=SYSTEM, at=AT)
    fulfil_duty(duty, viewer=SYSTEM, at=AT)

    with override("en"):
        words = [str(refused(one, InUse, discard_event)) for one in (worked_for, documented)]

    assert words == [
        "Something was done for this event already. Cancel it instead, and say why.",
        "This draft holds documents. Remove them first, then delete the draft.",
    ]
    assert (ReminderRule.objects.count(), Duty.objects.count()) == (1, 1)


def test_discard_event_deletes_a_draft_with_what_is_owed_and_not_done(cast: Cast) -> None:
    event = make_event(cast.alliance, hosts=[Host(cast.host)])
    duty = set_duty(event, cast.host, kind="name_date", due_at=LATER, viewer=SYSTEM, at=AT)

    discard_event(event, viewer=cast.secretary, at=LATER)

    assert (Event.objects.count(), Duty.objects.count()) == (0, 0)
    assert kinds_of(event) == ["event.drafted", "event.discarded"]
    assert kinds_of(duty) == ["duty.set", "duty.dropped"]


# -- Openness -------------------------------------------------------------------------------------


def test_openness_follows_the_plan_from_draft_to_published(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    item = make_line(plan, "论坛", window("2028-05-01", "2028-05-31", "month"))
    event = item.events.get()
    narrow = make_event(cast.alliance, plan=plan, audience="organizations", named=[cast.host])
    assert (stored(event).openness, stored(narrow).openness) == ("secretariat", "secretariat")
    advance_plan(plan, "adopted")
    assert (stored(event).openness, stored(narrow).openness) == ("members", "organizations")
    publish_plan(plan, viewer=SYSTEM, at=AT)
    assert (stored(event).openness, stored(narrow).openness) == ("public", "organizations")


def test_openness_without_a_plan_is_the_audience(cast: Cast) -> None:
    for audience in ("public", "members", "organizations", "secretariat"):
        assert stored(make_event(cast.alliance, audience=audience)).openness == audience


def test_concerned_scopes_name_co_hosts_and_organizations_once_it_is_open(cast: Cast) -> None:
    event = make_event(
        cast.alliance,
        audience="members",
        co_hosts=[cast.other],
        hosts=[Host(cast.host), Host(name="市政府")],
        named=[cast.member],
    )
    scopes = {f"organization:{cast.host.pk}", f"organization:{cast.member.pk}"}
    for alliance in (cast.alliance, cast.other):
        scopes |= {f"alliance:{alliance.pk}:{circle}" for circle in ("members", "secretariat")}
    assert set(stored(event).concerns.split()) == scopes
    revise_event(event, viewer=SYSTEM, at=LATER, audience="secretariat")
    assert stored(event).concerns == f"alliance:{cast.alliance.pk}:secretariat"


@pytest.mark.parametrize(
    ("starts", "ends", "zone", "error"),
    [
        ("0001-01-01T00:00", "0001-01-01T01:00", BEIJING, ("starts_at", "date_out_of_range")),
        ("9999-12-31T22:00", "9999-12-31T23:59", "Asia/Tokyo", ("starts_at", "date_out_of_range")),
        ("2200-12-31T22:00", "2201-01-01T00:00", BEIJING, ("ends_at", "date_out_of_range")),
        ("2028-05-16T09:30", "2028-05-16T12:00", "Mars/Olympus", ("time_zone", "time_zone")),
        ("2028-05-16T12:00", "2028-05-16T12:00", BEIJING, ("ends_at", "invalid")),
    ],
)
def test_schedule_at_a_time_no_calendar_has_names_the_field(
    cast: Cast, starts: str, ends: str, zone: str, error: tuple[str, str]
) -> None:
    event = make_event(cast.alliance)

    with pytest.raises(InvalidInput) as refusal:
        schedule_event(event, span(starts, ends, zone), viewer=cast.secretary, at=AT)

    assert [(found.field, found.code) for found in refusal.value.errors] == [error]
    assert stored(event).state == "planned"


def test_postpone_to_an_impossible_time_leaves_the_event_in_memory_as_it_was(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    backwards = span("2028-06-16T12:00", "2028-06-16T09:00")

    with pytest.raises(InvalidInput):
        postpone_event(event, reason="场馆", span=backwards, viewer=cast.secretary, at=AT)

    assert (event.state, event.previous_starts_wall, event.span) == ("scheduled", None, MORNING)


def test_schedule_with_seconds_keeps_instants_and_wall_time_together(cast: Cast) -> None:
    event = make_event(cast.alliance)

    schedule_event(
        event, span("2028-05-16T09:30:59", "2028-05-16T12:00:30"), viewer=cast.secretary, at=AT
    )

    kept = stored(event)
    assert (kept.span, kept.starts_at) == (MORNING, MORNING.starts_at)
    assert event.span == MORNING
