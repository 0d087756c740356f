from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import translation

from coordination.changes.models import Change
from coordination.changes.refusals import InvalidInput, NotAllowed
from events.concluding import conclude_event
from events.foreseeing import foresee_one
from events.levels import standings
from events.models import Event, Reminder, ReminderRule
from events.reminding import add_reminder_rule, remove_reminder_rule, revise_reminder_rule
from events.scheduling import cancel_event, postpone_event, revise_event, schedule_event
from tests.factories import (
    AFTERNOON,
    AT,
    MORNING,
    SYSTEM,
    Cast,
    make_event,
    make_plan,
    make_work_area,
    span,
    stored,
)

WEEK_BEFORE = datetime(2028, 5, 9, 1, 30, tzinfo=UTC)
DAY_BEFORE = datetime(2028, 5, 15, 1, 30, tzinfo=UTC)


def rule_on(owner: Any, offset: str = "-P7D", **values: Any) -> ReminderRule:
    return add_reminder_rule(owner, viewer=SYSTEM, at=AT, offset=offset, **values)


def reminders_of(event: Event) -> list[tuple[str, str, datetime]]:
    """Return (offset, state, due) of each reminder, earliest first."""
    rows = Reminder.objects.filter(event=event).select_related("rule").order_by("due_at", "pk")
    return [(row.rule.offset, row.state, row.due_at) for row in rows]


def fire(event: Event) -> None:
    """Let every pending reminder of the event have gone out."""
    Reminder.objects.filter(event=event, state="pending").update(state="fired", fired_at=AT)


def test_reminders_are_due_before_an_event_that_has_a_time(cast: Cast) -> None:
    rule_on(cast.alliance, "-P7D")
    rule_on(cast.alliance, "-P1D")
    event = make_event(cast.alliance)
    assert reminders_of(event) == []
    schedule_event(event, MORNING, viewer=SYSTEM, at=AT)
    assert reminders_of(event) == [
        ("-P7D", "pending", WEEK_BEFORE),
        ("-P1D", "pending", DAY_BEFORE),
    ]


def test_reminders_of_events_that_have_a_time_follow_a_new_rule(cast: Cast) -> None:
    event, other = make_event(cast.alliance, scheduled=True), make_event(cast.other, scheduled=True)
    rule_on(cast.alliance)
    assert (reminders_of(event), reminders_of(other)) == (
        [("-P7D", "pending", WEEK_BEFORE)],
        [],
    )


def test_reminder_set_after_it_was_due_is_skipped_with_a_note(cast: Cast) -> None:
    event = make_event(cast.alliance)
    rule_on(cast.alliance)
    schedule_event(event, MORNING, viewer=SYSTEM, at=DAY_BEFORE)
    [reminder] = Reminder.objects.all()
    assert (reminder.state, reminder.note) == ("skipped", "set after it was due")


def test_reminder_that_is_pending_moves_with_the_event(cast: Cast) -> None:
    rule_on(cast.alliance)
    event = make_event(cast.alliance, scheduled=True)
    schedule_event(event, AFTERNOON, viewer=SYSTEM, at=AT)
    assert reminders_of(event) == [("-P7D", "pending", datetime(2028, 5, 16, 6, 0, tzinfo=UTC))]
    assert Reminder.objects.get().generation == 1


def test_reminder_that_went_out_is_armed_again_when_the_event_moves(cast: Cast) -> None:
    rule_on(cast.alliance)
    event = make_event(cast.alliance, scheduled=True)
    fire(event)
    schedule_event(event, AFTERNOON, viewer=SYSTEM, at=WEEK_BEFORE)
    reminder = Reminder.objects.get()
    assert (reminder.state, reminder.generation) == ("pending", 2)
    assert reminder.due_at == datetime(2028, 5, 16, 6, 0, tzinfo=UTC)


def test_reminder_that_went_out_stays_so_when_the_rule_does_not_rearm(cast: Cast) -> None:
    rule_on(cast.alliance, rearm_on_move=False)
    event = make_event(cast.alliance, scheduled=True)
    fire(event)
    schedule_event(event, AFTERNOON, viewer=SYSTEM, at=WEEK_BEFORE)
    assert reminders_of(event) == [("-P7D", "fired", WEEK_BEFORE)]


def test_reminder_that_went_out_stays_so_when_the_event_moves_too_near(cast: Cast) -> None:
    rule_on(cast.alliance)
    event = make_event(cast.alliance, scheduled=True)
    fire(event)
    near = span("2028-05-17T09:30", "2028-05-17T12:00")
    schedule_event(event, near, viewer=SYSTEM, at=datetime(2028, 5, 12, tzinfo=UTC))
    assert reminders_of(event) == [("-P7D", "fired", WEEK_BEFORE)]


def test_reminder_that_went_out_is_not_armed_again_by_other_changes(cast: Cast) -> None:
    rule_on(cast.alliance)
    event = make_event(cast.alliance, scheduled=True)
    fire(event)
    revise_event(event, viewer=SYSTEM, at=AT, title_zh="新名称")
    assert [state for _offset, state, _due in reminders_of(event)] == ["fired"]


def test_reminders_of_a_cancelled_event_are_no_longer_needed(cast: Cast) -> None:
    rule_on(cast.alliance)
    event = make_event(cast.alliance, scheduled=True)
    cancel_event(event, reason="台风", viewer=SYSTEM, at=AT)
    assert reminders_of(event) == [("-P7D", "cancelled", WEEK_BEFORE)]


def test_reminders_after_the_end_of_an_event_that_was_held_still_fall_due(cast: Cast) -> None:
    rule_on(cast.alliance, "P1D", anchor="end")
    event = make_event(cast.alliance, scheduled=True)
    assert reminders_of(event) == [("P1D", "pending", datetime(2028, 5, 17, 4, 0, tzinfo=UTC))]
    conclude_event(event, viewer=SYSTEM, at=MORNING.ends_at)
    assert reminders_of(event) == [("P1D", "pending", datetime(2028, 5, 17, 4, 0, tzinfo=UTC))]


def test_reminders_of_a_postponed_event_wait_for_its_new_date(cast: Cast) -> None:
    rule_on(cast.alliance)
    event = make_event(cast.alliance, scheduled=True)
    postpone_event(event, reason="台风", viewer=SYSTEM, at=AT)
    assert reminders_of(event) == [("-P7D", "cancelled", WEEK_BEFORE)]
    schedule_event(event, AFTERNOON, reason="改期", viewer=SYSTEM, at=AT)
    reminder = Reminder.objects.get()
    assert (reminder.state, reminder.generation) == ("pending", 2)


def test_reminders_of_a_postponed_event_with_a_date_follow_it(cast: Cast) -> None:
    rule_on(cast.alliance)
    event = make_event(cast.alliance, scheduled=True)
    postpone_event(event, span=AFTERNOON, reason="台风", viewer=SYSTEM, at=AT)
    assert reminders_of(event) == [("-P7D", "pending", datetime(2028, 5, 16, 6, 0, tzinfo=UTC))]


def test_reminder_days_are_counted_in_the_events_zone(cast: Cast) -> None:
    rule_on(cast.alliance, "-P7D", at_time=time(9))
    madrid = span("2028-03-30T18:00", "2028-03-30T20:00", "Europe/Madrid")
    event = make_event(cast.alliance, span=madrid)
    assert reminders_of(event) == [("-P7D", "pending", datetime(2028, 3, 23, 8, 0, tzinfo=UTC))]


def test_rules_of_the_nearest_level_count(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    event = make_event(cast.alliance, work_area=area, span=MORNING)
    assert standings(event) == []
    for owner, level in (
        (cast.alliance, "alliance"),
        (plan, "plan"),
        (area, "work_area"),
        (event, "event"),
    ):
        rule = rule_on(owner)
        held = [(row.level, row.rule) for row in standings(event) if row.holds]
        assert held == [(level, rule)]
    assert [state for _offset, state, _due in reminders_of(event)] == [
        "cancelled", "cancelled", "cancelled", "pending",
    ]  # fmt: skip
    assert Reminder.objects.get(state="pending").rule == rule


def test_rule_taken_out_of_use_hands_back_to_the_next_level(cast: Cast) -> None:
    rule_on(cast.alliance, "-P1D")
    event = make_event(cast.alliance, scheduled=True)
    own = rule_on(event, "-P7D")
    assert reminders_of(event) == [
        ("-P7D", "pending", WEEK_BEFORE),
        ("-P1D", "cancelled", DAY_BEFORE),
    ]
    revise_reminder_rule(own, viewer=SYSTEM, at=AT, enabled=False)
    assert reminders_of(event) == [
        ("-P7D", "cancelled", WEEK_BEFORE),
        ("-P1D", "pending", DAY_BEFORE),
    ]


def test_revise_reminder_rule_moves_what_has_not_gone_out(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    rule = rule_on(event, "-P7D")
    revise_reminder_rule(rule, viewer=SYSTEM, at=AT, offset="-P1D")
    assert reminders_of(event) == [("-P1D", "pending", DAY_BEFORE)]


def test_remove_reminder_rule_takes_its_reminders_along(cast: Cast) -> None:
    rule_on(cast.alliance, "-P1D")
    event = make_event(cast.alliance, scheduled=True)
    own = rule_on(event, "-P7D")
    remove_reminder_rule(own, viewer=cast.secretary, at=AT)
    assert reminders_of(event) == [("-P1D", "pending", DAY_BEFORE)]
    assert ReminderRule.objects.count() == 1


def test_work_area_moved_to_changes_which_rules_count(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    first, second = make_work_area(plan, "一"), make_work_area(plan, "二")
    rule_on(first, "-P7D")
    rule_on(second, "-P1D")
    event = make_event(cast.alliance, work_area=first, span=MORNING)
    revise_event(event, viewer=SYSTEM, at=AT, work_area=second)
    assert reminders_of(event) == [
        ("-P7D", "cancelled", WEEK_BEFORE),
        ("-P1D", "pending", DAY_BEFORE),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("offset", "7 days"),
        ("offset", ""),
        ("audience", []),
        ("audience", ["everyone"]),
        ("audience", "hosts"),
        ("audience", [["hosts"]]),
        ("channels", ["pigeon"]),
        ("anchor", "middle"),
        ("colour", "red"),
    ],
)
def test_add_reminder_rule_with_a_value_that_cannot_be_read_names_the_field(
    cast: Cast, name: str, value: object
) -> None:
    with pytest.raises(InvalidInput) as caught:
        add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, **{"offset": "-P7D"} | {name: value})
    assert {error.field for error in caught.value.errors} == {name}
    assert ReminderRule.objects.count() == 0


def test_add_reminder_rule_that_ends_before_its_first_time_is_refused(cast: Cast) -> None:
    for until in ("-P9D", "-P7DT1M"):
        with pytest.raises(InvalidInput) as caught:
            rule_on(cast.alliance, "-P7D", repeat_every="P2D", repeat_until=until)
        assert [error.field for error in caught.value.errors] == ["repeat_until"]
    assert ReminderRule.objects.count() == 0
    assert rule_on(cast.alliance, "-P7D", repeat_every="P2D", repeat_until="-P1D").pk


def test_add_reminder_rule_in_place_of_the_same_is_refused(cast: Cast) -> None:
    base = rule_on(cast.alliance, "-P7D", text_zh="请准备。")
    event = make_event(cast.alliance, scheduled=True)
    with pytest.raises(InvalidInput) as caught:
        rule_on(event, "-P7D", text_zh="请准备。", overrides=base)
    assert [(one.field, one.code) for one in caught.value.errors] == [("overrides", "no_change")]
    assert ReminderRule.objects.count() == 1

    own = rule_on(event, "-P7D", text_zh="请尽快准备。", overrides=base)
    with pytest.raises(InvalidInput):
        revise_reminder_rule(own, text_zh="请准备。", viewer=SYSTEM, at=AT)
    silent = revise_reminder_rule(
        stored(own), text_zh="请准备。", enabled=False, viewer=SYSTEM, at=AT
    )
    assert stored(silent).enabled is False


def test_add_reminder_rule_in_place_of_one_that_does_not_stand_over_its_owner_is_refused(
    cast: Cast,
) -> None:
    plan, elsewhere = make_plan(cast.alliance), make_plan(cast.alliance, slug="elsewhere")
    area = make_work_area(plan)
    training = rule_on(cast.alliance, "-P3D", event_type="培训")
    inner, outer = rule_on(area, "-P1D"), rule_on(cast.alliance, "-P9D")
    other, unused = rule_on(elsewhere, "-P2D"), rule_on(plan, "-P4D", enabled=False)
    event = make_event(cast.alliance, work_area=area, type_text="论坛", scheduled=True)
    wrong: list[tuple[Any, ReminderRule]] = [
        (event, training), (event, other), (event, unused), (event, outer), (area, training),
        (plan, inner), (plan, other), (cast.alliance, inner), (cast.alliance, training),
    ]  # fmt: skip
    rules = ReminderRule.objects.count()

    for owner, base in wrong:
        with pytest.raises(InvalidInput) as caught:
            rule_on(owner, "-P14D", overrides=base)
        [error] = caught.value.errors
        assert (error.field, error.code) == ("overrides", "not_standing"), (owner, base)

    assert ReminderRule.objects.count() == rules


def test_add_reminder_rule_in_place_of_one_that_stands_over_its_owner_does_something(
    cast: Cast,
) -> None:
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    event = make_event(cast.alliance, work_area=area, type_text="论坛", scheduled=True)
    base = rule_on(cast.alliance, "-P9D")
    inward: list[tuple[Any, str, dict[str, str]]] = [
        (plan, "-P8D", {}),
        (area, "-P7D", {}),
        (cast.alliance, "-P6D", {"event_type": "论坛"}),
        (event, "-P5D", {}),
    ]
    for place, offset, values in inward:
        base = rule_on(place, offset, overrides=base, **values)
        pending = Reminder.objects.filter(event=event, state="pending")
        assert [row.rule.offset for row in pending] == [offset]


def test_refusal_of_an_override_names_the_rules_that_stand_there(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    event = make_event(cast.alliance, plan=plan, scheduled=True)
    away = rule_on(make_event(cast.alliance, scheduled=True), "-P1D")

    def refusal() -> str:
        with pytest.raises(InvalidInput) as caught, translation.override("en"):
            rule_on(event, "-P14D", overrides=away)
        with translation.override("en"):
            return str(caught.value.errors[0].message)

    assert refusal() == "No rule holds here yet. Leave this out, and it is a rule of its own."
    rule_on(plan, "-P7D")
    rule_on(plan, "-PT2H", joins=True)
    assert refusal() == (
        "It can stand only in place of a rule that holds here: "
        "7 days before (plan “Plan 2028”); 2 hours before (plan “Plan 2028”)."
    )


def test_revise_reminder_rule_that_lost_its_base_keeps_working_on_it(cast: Cast) -> None:
    base, other = rule_on(cast.alliance, "-P7D"), rule_on(cast.other, "-P7D")
    event = make_event(cast.alliance, scheduled=True)
    own = rule_on(event, "-P14D", overrides=base)
    revise_reminder_rule(base, enabled=False, viewer=SYSTEM, at=AT)

    revised = revise_reminder_rule(own, offset="-P15D", viewer=SYSTEM, at=AT)
    assert (stored(revised).offset, stored(revised).overrides) == ("-P15D", base)
    later = rule_on(event, "-P1D")
    for wrong in (later, other):
        with pytest.raises(InvalidInput):
            revise_reminder_rule(stored(own), overrides=wrong, viewer=SYSTEM, at=AT)


def test_reminder_rule_verbs_by_others_are_refused(cast: Cast) -> None:
    rule = rule_on(cast.alliance)
    changes = Change.objects.count()
    for name in ("other_secretary", "chair", "member_liaison", "public"):
        viewer = cast.viewers()[name]
        with pytest.raises(NotAllowed):
            add_reminder_rule(cast.alliance, viewer=viewer, at=AT, offset="-P1D")
        with pytest.raises(NotAllowed):
            revise_reminder_rule(rule, viewer=viewer, at=AT, offset="-P1D")
        with pytest.raises(NotAllowed):
            remove_reminder_rule(rule, viewer=viewer, at=AT)
    assert (stored(rule).offset, Change.objects.count()) == ("-P7D", changes)


def test_revise_reminder_rule_onto_something_else_is_refused(cast: Cast) -> None:
    rule = rule_on(cast.alliance)
    with pytest.raises(InvalidInput) as caught:
        revise_reminder_rule(rule, viewer=SYSTEM, at=AT, alliance=cast.other)
    assert caught.value.errors[0].field == "alliance"
    assert stored(rule).alliance == cast.alliance


def test_foresee_one_of_an_event_without_a_time_is_nothing(cast: Cast) -> None:
    assert foresee_one(make_event(cast.alliance), rule_on(cast.alliance)) is None


def test_reminders_of_many_events_cost_a_constant_number_of_queries(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    for _number in range(3):
        make_event(cast.alliance, scheduled=True)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        rule_on(cast.alliance, "-P7D")
    for _number in range(20):
        make_event(cast.alliance, scheduled=True)
    with CaptureQueriesContext(connection) as many:
        rule_on(cast.alliance, "-P1D")
    assert len(many) == len(few)


def test_far_future_clock_does_not_rearm_reminders_long_past(cast: Cast) -> None:
    rule = rule_on(cast.alliance)
    event = make_event(cast.alliance, scheduled=True)
    fire(event)
    revise_reminder_rule(
        rule, viewer=SYSTEM, at=MORNING.ends_at + timedelta(days=900), offset="-P1D"
    )
    assert [state for _offset, state, _due in reminders_of(event)] == ["fired"]
