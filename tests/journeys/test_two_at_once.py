"""Several people do the same thing at the same moment: one wins, the others are told in words."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import pytest
from django.db import connection, connections

from alliances.carrying import carry_over
from alliances.drafting import Line, add_items, drop_item, revise_item
from alliances.editions import compare_editions
from alliances.joining import (
    admit_member,
    appoint_chair,
    organizations_by_name,
    revise_organization,
)
from alliances.models import (
    Alliance,
    Edition,
    EditionItem,
    Membership,
    Organization,
    Plan,
    PlanItem,
    WorkArea,
)
from alliances.planning import add_work_area, adopt_plan, close_plan, publish_plan
from coordination.accounts.viewer import SYSTEM
from coordination.changes.models import Change
from coordination.changes.refusals import Refusal
from events.foreseeing import foresee
from events.inviting import invite_organizations
from events.models import Event, Invitation, Reminder, ReminderRule
from events.owing import set_duty
from events.reminding import add_reminder_rule, revise_reminder_rule
from events.scheduling import Host, cancel_event, confirm_event, revise_event, schedule_event
from tests.factories import (
    AFTERNOON,
    AT,
    MORNING,
    advance_plan,
    make_alliance,
    make_body,
    make_event,
    make_line,
    make_member,
    make_organization,
    make_plan,
    window,
)

pytestmark = pytest.mark.django_db(transaction=True)
MAY = window("2028-05-01", "2028-05-31", "month")
JUNE = window("2028-06-01", "2028-06-30", "month")
Deed = Callable[[], object]


def at_once(deeds: Sequence[Deed]) -> list[BaseException | None]:
    """Do all deeds at the same moment, each in a thread of its own; return what each raised."""
    start = threading.Barrier(len(deeds))
    raised: list[BaseException | None] = [None] * len(deeds)

    def run(number: int, deed: Deed) -> None:
        try:
            connection.ensure_connection()
            start.wait(30)
            deed()
        except BaseException as error:
            raised[number] = error
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=(number, deed)) for number, deed in enumerate(deeds)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return raised


def expect_one_winner(deeds: Sequence[Deed]) -> None:
    raised = at_once(deeds)
    others = [error for error in raised if error is not None]
    assert [error for error in others if not isinstance(error, Refusal)] == []
    assert len(others) == len(deeds) - 1
    expect_numbers_without_gaps()


def expect_numbers_without_gaps() -> None:
    numbers = list(Change.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def copies(row: Any, how_many: int = 4) -> Iterator[Any]:
    """Yield the row as so many people have read it."""
    for _number in range(how_many):
        yield type(row).objects.get(pk=row.pk)


def bound(verb: Callable[..., object], subject: Any, *more: Any, **values: Any) -> Deed:
    return lambda: verb(subject, *more, viewer=SYSTEM, at=AT, **values)


def test_confirm_by_several_at_once_has_one_winner() -> None:
    event = make_event(make_alliance(), scheduled=True)

    expect_one_winner([bound(confirm_event, row) for row in copies(event)])

    assert (Event.objects.get().version, Event.objects.get().state) == (3, "confirmed")


def test_adopt_by_several_at_once_makes_one_edition() -> None:
    plan = make_plan(make_alliance())
    make_line(plan, "年会", MAY)

    expect_one_winner([bound(adopt_plan, row, on=AT.date()) for row in copies(plan)])

    assert [(row.number, row.state) for row in Edition.objects.all()] == [(1, "adopted")]
    assert EditionItem.objects.count() == 1


def test_admit_by_several_at_once_admits_one() -> None:
    alliance, organization = make_alliance(), make_organization()

    expect_one_winner(
        [
            bound(admit_member, alliance, row, starts_on=date(2028, 1, 1))
            for row in copies(organization)
        ]
    )

    assert Membership.objects.count() == 1


def test_appoint_by_several_at_once_appoints_one_chair() -> None:
    body, organization = make_body(make_alliance()), make_organization()

    expect_one_winner(
        [
            bound(appoint_chair, body, row, starts_on=date(2028, 1, 1))
            for row in copies(organization)
        ]
    )


def test_invite_by_several_at_once_invites_each_once() -> None:
    event = make_event(make_alliance(), scheduled=True)
    organizations = [make_organization(name) for name in ("天津", "石家庄", "保定")]

    raised = at_once(
        [bound(invite_organizations, row, list(organizations)) for row in copies(event)]
    )

    assert raised == [None] * 4
    assert Invitation.objects.count() == 3
    expect_numbers_without_gaps()


def test_set_duty_by_several_at_once_sets_one() -> None:
    event, organization = make_event(make_alliance()), make_organization()

    expect_one_winner(
        [bound(set_duty, row, organization, kind="send_agenda", due_at=AT) for row in copies(event)]
    )


def test_new_hosts_by_several_at_once_have_one_winner() -> None:
    event = make_event(make_alliance(), hosts=[Host(name="秘书处")])

    expect_one_winner(
        [
            bound(revise_event, row, hosts=[Host(name=f"主办{number}"), Host(name="协办")])
            for number, row in enumerate(copies(event))
        ]
    )


def test_lines_and_areas_added_at_once_get_places_of_their_own() -> None:
    plan = make_plan(make_alliance())

    raised = at_once(
        [
            bound(add_items, row, [Line({"title_zh": f"会{number}"})])
            for number, row in enumerate(copies(plan))
        ]
        + [bound(add_work_area, row, name_zh=f"方面{n}") for n, row in enumerate(copies(plan))]
    )

    assert raised == [None] * 8
    assert sorted(PlanItem.objects.values_list("position", flat=True)) == [1, 2, 3, 4]
    assert sorted(WorkArea.objects.values_list("position", flat=True)) == [1, 2, 3, 4]
    expect_numbers_without_gaps()


def test_carry_over_by_several_at_once_carries_once() -> None:
    alliance = make_alliance()
    item = make_line(make_plan(alliance), "年会", MAY)
    into = make_plan(alliance, year=2029)

    raised = at_once([bound(carry_over, [item], row) for row in copies(into)])

    assert raised == [None] * 4
    assert PlanItem.objects.filter(plan=into).count() == 1


def test_changes_of_an_adopted_plan_at_once_open_one_draft() -> None:
    plan = make_plan(make_alliance())
    items = [make_line(plan, f"会{number}", MAY) for number in range(4)]
    advance_plan(plan, "adopted")

    raised = at_once(
        [
            bound(
                revise_item,
                PlanItem.objects.get(pk=item.pk),
                Line({"title_zh": "改", "windows": [JUNE]}),
                reason="场馆",
            )
            for item in items
        ]
    )

    assert raised == [None] * 4
    assert [(row.number, row.state) for row in Edition.objects.order_by("number")] == [
        (1, "adopted"),
        (2, "draft"),
    ]
    expect_numbers_without_gaps()


def test_close_while_lines_are_added_never_leaves_a_line_that_came_after() -> None:
    plan = make_plan(make_alliance(), state="adopted")

    raised = at_once(
        [
            bound(close_plan, Plan.objects.get(pk=plan.pk)),
            *(
                bound(add_items, row, [Line({"title_zh": "晚到"})], reason="补充")
                for row in copies(plan)
            ),
        ]
    )

    assert [error for error in raised if error and not isinstance(error, Refusal)] == []
    closed = Change.objects.get(kind="plan.closed").number
    assert not Change.objects.filter(kind="plan_item.added", number__gt=closed).exists()


def test_adopt_while_a_line_changes_keeps_every_change_in_an_edition_or_a_draft() -> None:
    for _turn in range(5):
        plan = make_plan(make_alliance(f"a{_turn}"))
        item = make_line(plan, "年会", MAY)
        advance_plan(plan, "adopted")
        row = PlanItem.objects.select_related("plan").get(pk=item.pk)
        revise_item(row, Line({"title_zh": "一改"}), reason="x", viewer=SYSTEM, at=AT)

        raised = at_once(
            [
                bound(adopt_plan, Plan.objects.get(pk=plan.pk), on=AT.date()),
                bound(
                    revise_item,
                    PlanItem.objects.select_related("plan").get(pk=item.pk),
                    Line({"title_zh": "二改"}),
                    reason="y",
                ),
            ]
        )

        assert [error for error in raised if error and not isinstance(error, Refusal)] == []
        editions = list(Edition.objects.filter(plan=plan).order_by("number"))
        kept = EditionItem.objects.filter(edition__plan=plan).order_by("-edition__number")[0]
        now = PlanItem.objects.get(pk=item.pk).title_zh
        if editions[-1].state == "adopted":
            assert kept.title_zh == now
        else:
            assert compare_editions(editions[-2], editions[-1])[0].kind == "changed"


def test_events_move_while_rules_change_and_reminders_fit_both() -> None:
    alliance = make_alliance()
    events = [make_event(alliance, scheduled=True) for _number in range(4)]
    rule = add_reminder_rule(alliance, offset="-P7D", viewer=SYSTEM, at=AT)

    raised = at_once(
        [
            bound(revise_reminder_rule, ReminderRule.objects.get(pk=rule.pk), offset="-P1D"),
            bound(add_reminder_rule, alliance, offset="-P3D"),
            *(bound(schedule_event, Event.objects.get(pk=e.pk), AFTERNOON) for e in events),
        ]
    )

    assert raised == [None] * 6
    found = {(row.event_id, row.rule_id): row.due_at for row in Reminder.objects.all()}
    pairs = [(event, one) for event in Event.objects.all() for one in ReminderRule.objects.all()]
    assert found == {key: foresight.fires(1) for key, foresight in foresee(pairs).items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_writers_over_the_same_rows_never_fail_but_in_words(seed: int) -> None:
    chance = random.Random(seed)
    alliances = [make_alliance(slug) for slug in ("a", "b")]
    organizations = [make_organization(name) for name in ("天津", "石家庄", "保定")]
    for alliance in alliances:
        for organization in organizations:
            make_member(alliance, organization)
    plans = [make_plan(alliance) for alliance in alliances]
    for plan in plans:
        for number in range(4):
            make_line(plan, f"会{number}", MAY, hosts=tuple(organizations))
    for alliance in alliances:
        add_reminder_rule(alliance, offset="-P7D", viewer=SYSTEM, at=AT)

    def deeds() -> Iterator[Deed]:
        name = f"名{chance.random()}"
        plan = Plan.objects.get(pk=chance.choice(plans).pk)
        event = chance.choice(Event.objects.order_by("pk"))
        item = chance.choice(PlanItem.objects.select_related("plan").order_by("pk"))
        yield bound(
            revise_organization,
            Organization.objects.get(pk=chance.choice(organizations).pk),
            name_zh=name,
        )
        yield bound(schedule_event, event, chance.choice([MORNING, AFTERNOON]), reason="x")
        yield bound(confirm_event, Event.objects.get(pk=event.pk))
        yield bound(cancel_event, chance.choice(Event.objects.order_by("pk")), reason="x")
        yield bound(
            revise_event,
            chance.choice(Event.objects.order_by("pk")),
            title_zh=name,
            hosts=[Host(organization) for organization in organizations],
            co_hosts=[a for a in Alliance.objects.all() if a.pk != plan.alliance_id][:0],
        )
        yield bound(revise_item, item, Line({"title_zh": name, "windows": [JUNE]}), reason="x")
        yield bound(add_items, plan, [Line({"title_zh": name})], reason="x")
        yield bound(adopt_plan, Plan.objects.get(pk=plan.pk), on=AT.date())
        yield bound(publish_plan, Plan.objects.get(pk=plan.pk))
        yield bound(drop_item, PlanItem.objects.get(pk=item.pk), on=AT.date(), reason="x")
        rule = chance.choice(ReminderRule.objects.order_by("pk"))
        yield bound(revise_reminder_rule, rule, offset=chance.choice(["-P1D", "-P2D"]))

    for _round in range(6):
        raised = at_once(list(deeds()))
        assert [error for error in raised if error and not isinstance(error, Refusal)] == []
    expect_numbers_without_gaps()
    assert len(organizations_by_name()) >= len(organizations)
