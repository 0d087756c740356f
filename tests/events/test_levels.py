"""Rules are inherited, joined, overridden and silenced, and say where they come from."""

from __future__ import annotations

import pytest

from events.levels import holding, standings
from events.models import Event, Reminder, ReminderRule
from events.reminding import add_reminder_rule, revise_reminder_rule
from tests.factories import AT, SYSTEM, Cast, make_event, make_plan, make_work_area

pytestmark = pytest.mark.django_db


def rule_on(owner: object, offset: str, **values: object) -> ReminderRule:
    return add_reminder_rule(owner, viewer=SYSTEM, at=AT, offset=offset, **values)  # type: ignore[arg-type]


def held(event: Event) -> list[str]:
    return [rule.offset for rule in holding(event)]


def pending(event: Event) -> list[str]:
    rows = Reminder.objects.filter(event=event, state="pending")
    return sorted(rows.values_list("rule__offset", flat=True))


def test_rule_of_a_type_stands_between_the_area_and_the_event(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    rule_on(area, "-P2D")
    forum = make_event(cast.alliance, work_area=area, type_text="论 坛", scheduled=True)
    other = make_event(cast.alliance, work_area=area, type_text="培训", scheduled=True)
    assert (pending(forum), pending(other)) == (["-P2D"], ["-P2D"])

    rule_on(cast.alliance, "-P9D", event_type="论坛")

    assert (pending(forum), pending(other)) == (["-P9D"], ["-P2D"])
    assert [(row.level, row.holds) for row in standings(forum)] == [
        ("work_area", False),
        ("type", True),
    ]


def test_rule_that_joins_is_added_to_those_inherited(cast: Cast) -> None:
    rule_on(cast.alliance, "-P7D")
    event = make_event(cast.alliance, scheduled=True)
    rule_on(event, "-PT2H", joins=True)
    assert held(event) == ["-P7D", "-PT2H"]
    assert pending(event) == ["-P7D", "-PT2H"]


def test_rule_that_overrides_stands_in_for_that_one_alone(cast: Cast) -> None:
    week, day = rule_on(cast.alliance, "-P7D"), rule_on(cast.alliance, "-P1D")
    event, other = (make_event(cast.alliance, scheduled=True) for _n in range(2))
    own = rule_on(event, "-P14D", overrides=week)
    assert (pending(event), pending(other)) == (["-P14D", "-P1D"], ["-P1D", "-P7D"])
    assert [(row.rule, row.level, row.replaced_by, row.replaces) for row in standings(event)] == [
        (week, "alliance", own, None),
        (day, "alliance", None, None),
        (own, "event", None, week),
    ]


def test_override_that_is_not_in_use_silences_and_gives_back(cast: Cast) -> None:
    week = rule_on(cast.alliance, "-P7D")
    event = make_event(cast.alliance, scheduled=True)
    own = rule_on(event, "-P7D", overrides=week, enabled=False)
    assert (held(event), pending(event)) == ([], [])
    revise_reminder_rule(own, viewer=SYSTEM, at=AT, overrides=None)
    assert pending(event) == ["-P7D"]


def test_event_that_changes_its_type_changes_its_rules(cast: Cast) -> None:
    from events.scheduling import revise_event

    rule_on(cast.alliance, "-P7D")
    rule_on(cast.alliance, "-P9D", event_type="论坛")
    event = make_event(cast.alliance, scheduled=True)
    assert pending(event) == ["-P7D"]
    revise_event(event, viewer=SYSTEM, at=AT, type_text="论坛")
    assert pending(event) == ["-P9D"]
