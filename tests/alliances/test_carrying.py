"""Carrying unfinished lines over into another plan."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from alliances import carrying
from alliances.models import PlanItem
from coordination.changes.refusals import InvalidInput, NotAllowed
from events.concluding import conclude_event
from events.models import Event
from events.scheduling import cancel_event, schedule_event
from tests.factories import (
    AT,
    MORNING,
    Cast,
    make_line,
    make_plan,
    make_work_area,
    window,
)

pytestmark = pytest.mark.django_db
MAY = window("2028-05-01", "2028-05-31", "month")


def test_carry_over_remembers_where_lines_came_from_and_does_so_once(cast: Cast) -> None:
    old, new = make_plan(cast.alliance), make_plan(cast.alliance, year=2029)
    area = make_work_area(old, "产业协同")
    make_work_area(new, "产业协同")
    item = make_line(old, "母机对接会", MAY, hosts=(cast.host,), work_area=area, number="13")

    (carried,) = carrying.carry_over([item], new, viewer=cast.secretary, at=AT)
    again = carrying.carry_over([item], new, viewer=cast.secretary, at=AT)

    assert again == []
    stored = PlanItem.objects.get(pk=carried.pk)
    assert (stored.carried_from, stored.title_zh, stored.precision) == (
        item,
        "母机对接会",
        "unknown",
    )
    assert stored.work_area is not None
    assert stored.work_area.plan == new
    assert [host.organization for host in stored.hosts.all()] == [cast.host]
    with pytest.raises(InvalidInput):
        carrying.carry_over([item], old, viewer=cast.secretary, at=AT)
    assert Event.objects.filter(plan_item=stored).count() == 1


def test_carry_over_keeps_the_old_words_for_the_time_in_the_notes(cast: Cast) -> None:
    old, new = make_plan(cast.alliance), make_plan(cast.alliance, year=2029)
    item = make_line(old, "年会", MAY, window_text="5月", notes="与论坛同期")

    (carried,) = carrying.carry_over([item], new, viewer=cast.secretary, at=AT)

    assert (carried.window_text, carried.notes) == ("", "与论坛同期\n2028: 5月")


def test_carry_over_line_of_another_alliance_is_refused(cast: Cast) -> None:
    theirs = make_line(make_plan(cast.other), "保密的会", MAY)
    mine = make_plan(cast.alliance)

    with pytest.raises(InvalidInput):
        carrying.carry_over([theirs], mine, viewer=cast.secretary, at=AT)
    with pytest.raises(NotAllowed):
        carrying.carry_over([theirs], mine, viewer=cast.member_liaison, at=AT)

    assert mine.items.count() == 0


def test_unfinished_items_are_those_with_something_still_to_hold(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    plan, after = make_plan(cast.alliance), MORNING.ends_at
    held, cancelled, waiting, quarterly = (
        make_line(plan, title, *windows)
        for title, windows in (
            ("已举办", [MAY]),
            ("已取消", [MAY]),
            ("未定", [MAY]),
            ("每季度", [MAY] * 4),
        )
    )
    for item in (held, quarterly):
        event = Event.objects.get(plan_item=item, occurrence=1)
        schedule_event(event, MORNING, viewer=cast.secretary, at=AT)
        conclude_event(event, viewer=cast.secretary, at=after)
    cancel_event(
        Event.objects.get(plan_item=cancelled), reason="场馆", viewer=cast.secretary, at=after
    )

    with django_assert_num_queries(3):
        items = carrying.unfinished_items(plan, viewer=cast.secretary, on=date(2028, 6, 1))
    before = carrying.unfinished_items(plan, viewer=cast.secretary, on=date(2028, 5, 1))
    carried = carrying.carry_over(
        items, make_plan(cast.alliance, year=2029), viewer=cast.secretary, at=after
    )

    assert items == [waiting, quarterly]
    assert before == [held, cancelled, waiting, quarterly]
    assert [row.occurrences for row in carried] == [1, 3]
    assert carrying.unfinished_items(plan, viewer=cast.public, on=date(2028, 5, 1)) == []
