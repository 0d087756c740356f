"""A plan from draft to edition to edition: what is adopted stays, what changes says why."""

from __future__ import annotations

from datetime import date

import pytest

from alliances import drafting, planning
from alliances.comparing import LineChangeKind
from alliances.drafting import Host, Line
from alliances.editions import compare_editions
from alliances.models import Edition, EditionItem, Plan, PlanItem, WorkArea
from coordination.accounts.viewer import PUBLIC, SYSTEM
from coordination.changes.models import Change, UnrecordedWrite
from coordination.changes.refusals import InvalidInput, NotAllowed, TransitionNotAllowed
from events.models import Event
from events.scheduling import schedule_event
from tests.factories import (
    AT,
    MORNING,
    Cast,
    make_alliance,
    make_line,
    make_plan,
    make_work_area,
    window,
)

pytestmark = pytest.mark.django_db
MAY = window("2028-05-11", "2028-05-20", "ten_days")
JUNE = window("2028-06-01", "2028-06-30", "month")


def reread(item: PlanItem) -> PlanItem:
    found: PlanItem = PlanItem.objects.select_related("plan").get(pk=item.pk)
    return found


def revise(item: PlanItem, *windows: dict[str, object], reason: str = "", **values: str) -> None:
    content = {"windows": list(windows)} if windows else {}
    drafting.revise_item(
        reread(item), Line({**content, **values}), viewer=SYSTEM, at=AT, reason=reason
    )


def edition(plan: Plan, number: int) -> Edition:
    found: Edition = Edition.objects.get(plan=plan, number=number)
    return found


def adopt(plan: Plan, **options: str) -> None:
    planning.adopt_plan(
        Plan.objects.get(pk=plan.pk), on=date(2028, 1, 20), viewer=SYSTEM, at=AT, **options
    )


def test_open_plan_of_a_year_has_its_year_as_address_and_period() -> None:
    plan = make_plan(make_alliance())

    assert (plan.slug, plan.starts_on, plan.ends_on) == (
        "2028",
        date(2028, 1, 1),
        date(2028, 12, 31),
    )
    assert (plan.state, plan.openness, plan.edition) == ("draft", "secretariat", 0)


def test_open_plan_twice_for_a_year_is_refused() -> None:
    alliance = make_alliance()
    make_plan(alliance)

    with pytest.raises(InvalidInput) as refusal:
        make_plan(alliance)

    assert refusal.value.errors[0].field in ("alliance", "slug")


def test_open_campaign_without_an_address_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        make_plan(make_alliance(), kind="campaign")

    assert refusal.value.errors[0].field == "slug"


def test_campaign_carries_232_activities_under_3_themes() -> None:
    plan = make_plan(make_alliance(), kind="campaign", slug="spring", target_number=232)
    themes = [make_work_area(plan, name) for name in ("数享生活", "数贸全球", "数智赋能")]
    lines = [
        Line({"title_zh": f"活动{n}", "number": str(n), "windows": [MAY]}, (), themes[n % 3])
        for n in range(232)
    ]

    drafting.add_items(plan, lines, viewer=SYSTEM, at=AT)

    assert Event.objects.filter(plan=plan).count() == 232
    assert {area.items.count() for area in themes} == {77, 78}


def test_line_held_four_times_makes_four_events_with_windows_of_their_own() -> None:
    quarters = [window(f"2028-{m:02}-21", f"2028-{m:02}-30", "ten_days") for m in (3, 6, 9, 12)]
    item = make_line(make_plan(make_alliance()), "季度联席会", *quarters)

    events = list(Event.objects.filter(plan_item=item).order_by("occurrence"))

    assert [event.window_starts_on for event in events] == [
        date(2028, 3, 21),
        date(2028, 6, 21),
        date(2028, 9, 21),
        date(2028, 12, 21),
    ]
    assert {event.state for event in events} == {"planned"}
    assert len({event.ical_uid for event in events}) == 4


def test_number_used_twice_is_refused_by_the_database() -> None:
    plan = make_plan(make_alliance())
    make_line(plan, "一", number="1")

    with pytest.raises(InvalidInput) as refusal:
        make_line(plan, "二", number="1")

    assert refusal.value.errors[0].code == "plan_item_number_is_unique_in_its_plan"


def test_adopt_empty_plan_is_refused() -> None:
    with pytest.raises(TransitionNotAllowed):
        adopt(make_plan(make_alliance()))


def test_adopt_plan_opens_it_to_members_and_publish_to_all(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    make_line(plan, "走进天津", MAY)

    def seen() -> list[tuple[int, int, int, int]]:
        return [
            (
                Plan.objects.visible_to(viewer).count(),
                PlanItem.objects.visible_to(viewer).count(),
                Event.objects.visible_to(viewer).count(),
                WorkArea.objects.visible_to(viewer).count(),
            )
            for viewer in (cast.secretary, cast.member_liaison, cast.outside_liaison, PUBLIC)
        ]

    make_work_area(plan)
    assert seen() == [(1, 1, 1, 1), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)]
    adopt(plan)
    assert seen() == [(1, 1, 1, 1), (1, 1, 1, 1), (0, 0, 0, 0), (0, 0, 0, 0)]
    planning.publish_plan(Plan.objects.get(), viewer=SYSTEM, at=AT)
    assert seen() == [(1, 1, 1, 1)] * 4


def test_adopted_plan_changes_only_with_a_reason_and_into_a_next_edition() -> None:
    plan = make_plan(make_alliance())
    item = make_line(plan, "走进天津", MAY)
    adopt(plan)

    with pytest.raises(InvalidInput) as refusal:
        revise(item, JUNE)
    assert refusal.value.errors[0].code == "reason_required"
    assert reread(item).starts_on == date(2028, 5, 11)

    revise(item, JUNE, reason="场馆占用")
    assert edition(plan, 2).state == "draft"
    adopt(plan)
    assert (edition(plan, 2).state, Plan.objects.get().edition) == ("adopted", 2)


def test_adopt_again_without_changes_is_refused() -> None:
    plan = make_plan(make_alliance())
    make_line(plan)
    adopt(plan)

    with pytest.raises(TransitionNotAllowed):
        adopt(plan)


def test_editions_compare_line_by_line_with_reason_and_who(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    moved, changed, dropped, same = (make_line(plan, title, MAY) for title in "甲乙丙丁")
    adopt(plan)
    revise(moved, JUNE, reason="场馆占用")
    revise(changed, reason="名称规范", title_zh="乙会")
    drafting.drop_item(
        reread(dropped), on=date(2028, 3, 1), reason="不再举办", viewer=cast.secretary, at=AT
    )
    new = make_line(Plan.objects.get(pk=plan.pk), "戊", JUNE, reason="新增")

    def compared() -> dict[str, tuple[str, str]]:
        rows = compare_editions(edition(plan, 1), edition(plan, 2))
        return {
            row.uid: (row.kind.value, (row.after or row.before).reason)  # type: ignore[union-attr]
            for row in rows
        }

    expected = {
        str(moved.uid): ("moved", "场馆占用"),
        str(changed.uid): ("changed", "名称规范"),
        str(same.uid): ("same", ""),
        str(new.uid): ("new", "新增"),
        str(dropped.uid): ("dropped", "不再举办"),
    }
    assert compared() == expected
    adopt(plan)
    assert compared() == expected
    by_uid = {row.uid: row for row in compare_editions(edition(plan, 1), edition(plan, 2))}
    last = by_uid[str(dropped.uid)]
    assert last.kind is LineChangeKind.DROPPED
    assert last.before is not None
    assert last.before.actor == cast.secretary.actor


def test_edition_once_adopted_never_changes() -> None:
    plan = make_plan(make_alliance())
    item = make_line(plan, "走进天津", MAY)
    adopt(plan)
    revise(item, JUNE, reason="x", title_zh="走进天津（改）")

    row = EditionItem.objects.get(edition=edition(plan, 1))

    assert (row.title_zh, row.starts_on) == ("走进天津", date(2028, 5, 11))
    with pytest.raises(UnrecordedWrite):
        row.save()
    with pytest.raises(UnrecordedWrite):
        EditionItem.objects.update(title_zh="x")


def test_line_added_after_adoption_is_seen_by_members_from_the_next_edition_on(cast: Cast) -> None:
    plan = make_plan(cast.alliance, state="published")
    item = make_line(plan, "新增", MAY, reason="补充")

    def seen() -> bool:
        return (
            PlanItem.objects.visible_to(cast.member_liaison).filter(pk=item.pk).exists(),
            Event.objects.visible_to(cast.member_liaison).filter(plan_item=item).exists(),
        ) == (True, True)

    assert not seen()
    adopt(plan)
    assert seen()


def test_revise_line_moves_its_waiting_events_and_leaves_those_with_a_time() -> None:
    item = make_line(make_plan(make_alliance()), "会", MAY, JUNE)
    first, _second = Event.objects.filter(plan_item=item).order_by("occurrence")
    schedule_event(first, MORNING, viewer=SYSTEM, at=AT)

    revise(item, JUNE, JUNE, title_zh="新会")

    first, second = Event.objects.filter(plan_item=item).order_by("occurrence")
    assert (first.title_zh, first.window_starts_on) == ("会", date(2028, 5, 11))
    assert (second.title_zh, second.window_starts_on) == ("新会", date(2028, 6, 1))


def test_revise_line_to_fewer_occurrences_takes_waiting_events_away() -> None:
    item = make_line(make_plan(make_alliance()), "会", MAY, JUNE)

    revise(item, MAY)
    assert Event.objects.filter(plan_item=item).count() == 1

    revise(item, MAY, JUNE)
    second = Event.objects.get(plan_item=item, occurrence=2)
    schedule_event(second, MORNING, viewer=SYSTEM, at=AT)
    with pytest.raises(TransitionNotAllowed):
        revise(item, MAY)
    assert len(reread(item).windows) == 2


def test_drop_line_before_adoption_deletes_it_and_after_cancels_its_events() -> None:
    plan = make_plan(make_alliance())
    early, late = make_line(plan, "甲", MAY), make_line(plan, "乙", MAY)

    assert drafting.drop_item(reread(early), on=AT.date(), reason="", viewer=SYSTEM, at=AT) is None
    assert not PlanItem.objects.filter(pk=early.pk).exists()
    adopt(plan)
    with pytest.raises(InvalidInput):
        drafting.drop_item(reread(late), on=AT.date(), reason=" ", viewer=SYSTEM, at=AT)
    drafting.drop_item(reread(late), on=AT.date(), reason="并入其他活动", viewer=SYSTEM, at=AT)

    event = Event.objects.get(plan_item=late)
    assert (event.state, event.reason, event.cancelled_on) == (
        "cancelled",
        "并入其他活动",
        AT.date(),
    )
    assert reread(late).dropped_on == AT.date()


def test_closed_plan_takes_no_changes() -> None:
    plan = make_plan(make_alliance())
    item = make_line(plan, "甲", MAY)
    adopt(plan)
    planning.close_plan(Plan.objects.get(), viewer=SYSTEM, at=AT)
    count = Change.objects.count()
    closed = Plan.objects.get()

    for attempt in (
        lambda: revise(item, JUNE, reason="x"),
        lambda: make_line(closed, "乙", reason="x"),
        lambda: make_work_area(closed),
        lambda: adopt(plan),
        lambda: planning.publish_plan(closed, viewer=SYSTEM, at=AT),
        lambda: planning.close_plan(closed, viewer=SYSTEM, at=AT),
        lambda: planning.revise_plan(closed, viewer=SYSTEM, at=AT, title_zh="x"),
    ):
        with pytest.raises(TransitionNotAllowed):
            attempt()
    assert Change.objects.count() == count


def test_host_is_kept_as_written_beside_the_organization_it_means(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    hosts = [Host("天津滨海高新区管委会", cast.host), Host("联盟秘书处")]

    (item,) = drafting.add_items(
        plan, [Line({"title_zh": "会"}, hosts)], viewer=cast.secretary, at=AT
    )

    assert [(host.name, host.organization) for host in item.hosts.all()] == [
        ("天津滨海高新区管委会", cast.host),
        ("联盟秘书处", None),
    ]


def test_plan_verbs_by_others_than_its_secretariat_are_refused(cast: Cast) -> None:
    plan = make_plan(cast.alliance, state="published")
    item = PlanItem.objects.select_related("plan").get()
    others = (cast.other_secretary, cast.member_liaison, cast.chair, cast.observer, PUBLIC)

    for viewer in others:
        for attempt in (
            lambda: planning.revise_plan(plan, viewer=viewer, at=AT, title_zh="x"),  # noqa: B023
            lambda: planning.close_plan(plan, viewer=viewer, at=AT),  # noqa: B023
            lambda: planning.adopt_plan(plan, on=AT.date(), viewer=viewer, at=AT),  # noqa: B023
            lambda: drafting.add_items(plan, [Line({"title_zh": "x"})], viewer=viewer, at=AT),  # noqa: B023
            lambda: drafting.drop_item(item, on=AT.date(), reason="x", viewer=viewer, at=AT),  # noqa: B023
        ):
            with pytest.raises(NotAllowed):
                attempt()


@pytest.mark.parametrize(
    ("windows", "code"),
    [
        ([], "occurrences"),
        ([MAY] * 1001, "occurrences"),
        ([MAY, window("2028-06-10", "2028-06-01")], "invalid"),
    ],
)
def test_add_line_with_windows_that_cannot_be_is_refused(
    windows: list[dict[str, object]], code: str
) -> None:
    plan = make_plan(make_alliance())

    with pytest.raises(InvalidInput) as refusal:
        drafting.add_items(
            plan,
            [drafting.Line({"title_zh": "会", "windows": windows})],
            viewer=SYSTEM,
            at=AT,
        )

    assert [(error.field, error.code) for error in refusal.value.errors] == [("windows", code)]
    assert plan.items.count() == 0
