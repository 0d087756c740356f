"""Importing: new, same, changed and gone lines; refusals change nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from alliances.models import Alliance, Plan, PlanItem, WorkArea
from alliances.planning import close_plan
from coordination.accounts.viewer import SYSTEM
from coordination.changes.models import Change
from coordination.changes.recording import recording
from coordination.changes.refusals import InvalidInput, NotAllowed
from coordination.workbooks.importing import (
    PreviewIsStale,
    import_plan,
    preview_import,
)
from coordination.workbooks.plan_import import PlanImport
from coordination.workbooks.writing import write_plan
from events.models import Event, EventState
from events.scheduling import schedule_event
from tests.coordination.workbooks.sheets import edited, line, xlsx_of
from tests.factories import Cast, advance_plan, make_organization, span

AT = datetime(2024, 1, 15, 2, tzinfo=UTC)
THREE = [line(1, "对接会", "5月14日"), line(2, "走访", "每季度末"), line(3, "年会", "12月中旬")]


def take(cast: Cast, data: bytes, **options: Any) -> PlanImport:
    told = {"file_name": "plan.xlsx", "viewer": cast.secretary, "at": AT} | options
    return import_plan(data, alliance=cast.alliance, **told)


def look(cast: Cast, data: bytes, **options: Any) -> PlanImport:
    told = {"file_name": "plan.xlsx", "viewer": cast.secretary} | options
    return preview_import(data, alliance=cast.alliance, **told)


def changes() -> int:
    return Change.objects.count()


def titles() -> list[str]:
    return [str(item) for item in PlanItem.objects.standing().order_by("position", "pk")]


def test_import_example_makes_21_lines_and_24_events(cast: Cast, example: bytes) -> None:
    answer = take(cast, example)

    plan = Plan.objects.get()
    assert (plan.slug, plan.kind, plan.year, plan.target_number) == ("2024", "annual", 2024, 24)
    assert (plan.title_zh, plan.state) == ("京津冀国家高新区联盟2024年计划", "draft")
    assert plan.note.startswith("注：全年计划组织开展24场活动会议")
    assert (PlanItem.objects.count(), WorkArea.objects.count(), Event.objects.count()) == (
        21,
        7,
        24,
    )
    assert answer.applied
    assert answer.counts() == {"new": 21, "same": 0, "changed": 0, "gone": 0}
    ends = Event.objects.filter(title_zh="联盟秘书处季度联席会").order_by("occurrence")
    assert [f"{event.window_ends_on:%m-%d}" for event in ends] == [
        "03-31",
        "06-30",
        "09-30",
        "12-31",
    ]
    visit = Event.objects.get(title_zh="走进天津天开园")
    assert (visit.state, str(visit.window_starts_on)) == (EventState.PLANNED, "2024-05-14")
    assert visit.hosts.get().organization == cast.host
    assert visit.hosts.get().name == "天津滨海高新区管委会"


def test_import_twice_changes_nothing(cast: Cast, example: bytes) -> None:
    take(cast, example)
    before = changes()

    answer = take(cast, example)

    assert changes() == before
    assert answer.counts() == {"new": 0, "same": 21, "changed": 0, "gone": 0}
    assert not answer.has_changes


def test_preview_stores_nothing(cast: Cast, example: bytes) -> None:
    before = changes()

    answer = look(cast, example)

    assert (changes(), Plan.objects.count(), answer.applied) == (before, 0, False)


def test_preview_answers_in_the_agreed_form(cast: Cast, example: bytes) -> None:
    answer = look(cast, example).as_json()

    wanted = {"alliance", "year", "kind", "title", "target", "items", "work_areas", "count"}
    assert wanted | {"problems"} <= set(answer)
    assert (answer["alliance"], answer["year"], answer["kind"]) == ("jjj", 2024, "annual")
    assert (answer["target"], answer["count"], len(answer["work_areas"])) == (24, 24, 7)
    first = answer["items"][1]
    assert first == {
        "row": 5,
        "number": 2,
        "work_area": "搭建常态化沟通交流平台",
        "title": "走进天津天开园",
        "type": "走访交流",
        "hosts": [{"name": "天津滨海高新区管委会", "organization": str(cast.host.uid)}],
        "place": "天津天开高教科创园",
        "window": {
            "text": "5月14日",
            "start": "2024-05-14",
            "end": "2024-05-14",
            "precision": "day",
        },
        "occurrences": [
            {
                "start": "2024-05-14",
                "end": "2024-05-14",
                "precision": "day",
                "start_time": None,
                "end_time": None,
            }
        ],
        "participants": "全体成员单位",
        "notes": "",
        "uid": None,
        "change": "new",
        "found_by": None,
        "cells": {},
    }
    repeated = answer["items"][3]
    assert repeated["window"] == {
        "text": "每季度末",
        "start": "2024-03-21",
        "end": "2024-12-31",
        "precision": "ten_days",
    }
    assert len(repeated["occurrences"]) == 4


def test_import_export_again_changes_nothing(cast: Cast, example: bytes) -> None:
    take(cast, example)
    exported = write_plan(Plan.objects.get(), viewer=cast.secretary)
    before = changes()

    answer = take(cast, exported)

    assert (answer.counts()["same"], answer.plan_values, changes()) == (21, {}, before)
    assert {match.found_by for match in answer.matches} == {"uid"}


def test_import_edited_cells_changes_only_them_and_keeps_uids(cast: Cast, example: bytes) -> None:
    take(cast, example)
    uids = {item.number: item.uid for item in PlanItem.objects.all()}
    events = set(Event.objects.values_list("uid", flat=True))

    def edit(sheet: Any) -> None:
        sheet["C5"] = "走进天开园"
        sheet["F6"] = "石家庄市"
        sheet["G10"] = "3月下旬"

    data = edited(example, edit)
    shown = look(cast, data)
    take(cast, data)

    assert {match.line.row: match.cells for match in shown.changed if match.line} == {
        5: {"title": ("走进天津天开园", "走进天开园")},
        6: {"place": ("石家庄", "石家庄市")},
        10: {
            "time": ("3月", "3月下旬"),
            "windows": ("2024-03-01 – 2024-03-31", "2024-03-21 – 2024-03-31"),
        },
    }
    assert [match.found_by for match in shown.changed] == ["number", "title", "title"]
    assert {item.number: item.uid for item in PlanItem.objects.all()} == uids
    assert set(Event.objects.values_list("uid", flat=True)) == events
    moved = Event.objects.get(plan_item__number="7")
    assert (str(moved.window_starts_on), moved.window_text) == ("2024-03-21", "3月下旬")
    assert look(cast, data).counts()["same"] == 21


def test_import_row_said_to_be_new_replaces_the_line_of_its_number(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    data = xlsx_of([THREE[0], line(2, "培训班", "6月"), THREE[2]])

    same, new = look(cast, data), look(cast, data, new_rows=[4])
    take(cast, data, new_rows=[4])

    assert (same.counts()["changed"], new.counts()["new"], new.counts()["gone"]) == (1, 1, 1)
    assert titles() == ["对接会", "培训班", "年会"]
    assert Event.objects.count() == 3


def test_import_inserted_line_stands_where_the_file_has_it(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    uids = {str(item): item.uid for item in PlanItem.objects.all()}
    data = xlsx_of(
        [
            line(1, "启动会", "1月"),
            line(2, "对接会", "5月14日"),
            line(3, "培训班", "6月"),
            line(4, "走访", "每季度末"),
            line(5, "年会", "12月中旬"),
        ]
    )

    answer = take(cast, data)

    assert answer.counts() == {"new": 2, "same": 0, "changed": 3, "gone": 0}
    assert titles() == ["启动会", "对接会", "培训班", "走访", "年会"]
    assert uids.items() <= {str(item): item.uid for item in PlanItem.objects.all()}.items()
    assert look(cast, data).counts()["same"] == 5


def test_import_numbers_that_changed_places_are_exchanged(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    rows = [line(2, "对接会", "5月14日"), line(3, "走访", "每季度末"), line(1, "年会", "12月中旬")]

    answer = take(cast, xlsx_of(rows))

    numbers = {str(item): item.number for item in PlanItem.objects.all()}
    assert (answer.applied, numbers) == (True, {"对接会": "2", "走访": "3", "年会": "1"})


def test_import_gone_line_of_a_draft_goes_with_its_events(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))

    answer = take(cast, xlsx_of([THREE[0], THREE[2]]))

    assert answer.counts() == {"new": 0, "same": 2, "changed": 0, "gone": 1}
    assert titles() == ["对接会", "年会"]
    assert Event.objects.count() == 2


def test_import_gone_line_whose_event_has_begun_stays(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    event = Event.objects.get(title_zh="对接会")
    held_on = span("2024-01-14T09:30", "2024-01-14T12:00")
    schedule_event(event, held_on, viewer=SYSTEM, at=AT - timedelta(days=5))

    answer = take(cast, xlsx_of([line(1, "启动会", "6月"), *THREE[1:]]), new_rows=[3])

    assert [(problem.code, problem.severity.value) for problem in answer.problems] == [
        ("line_kept", "warning")
    ]
    assert Event.objects.filter(pk=event.pk).exists()
    assert sorted(titles()) == sorted(["对接会", "启动会", "走访", "年会"])
    assert PlanItem.objects.get(title_zh="对接会").number == ""


def test_import_fewer_times_takes_away_what_has_no_time(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))

    take(cast, xlsx_of([THREE[0], line(2, "走访", "第三季度末"), THREE[2]]))

    assert Event.objects.filter(title_zh="走访").count() == 1


def test_import_fewer_times_than_have_a_time_is_refused(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    last = Event.objects.get(title_zh="走访", occurrence=4)
    schedule_event(last, span("2024-12-30T09:30", "2024-12-30T12:00"), viewer=SYSTEM, at=AT)
    before = changes()

    answer = take(cast, xlsx_of([THREE[0], line(2, "走访", "第三季度末"), THREE[2]]))

    assert [(p.code, p.cell) for p in answer.problems] == [("occurrence_has_a_time", "G4")]
    assert (answer.applied, changes()) == (False, before)


def test_import_scheduled_event_keeps_its_time_when_the_window_changes(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    event = Event.objects.get(title_zh="对接会")
    schedule_event(event, span("2024-05-14T09:30", "2024-05-14T12:00"), viewer=SYSTEM, at=AT)

    take(cast, xlsx_of([line(1, "对接会", "6月"), *THREE[1:]]))

    event.refresh_from_db()
    assert (event.state, str(event.starts_wall)) == ("scheduled", "2024-05-14 09:30:00")
    assert PlanItem.objects.get(number="1").window_text == "6月"


def test_import_adopted_plan_needs_a_reason_and_drafts_an_edition(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    plan = Plan.objects.get()
    advance_plan(plan, "adopted")
    data = xlsx_of([line(1, "对接会", "6月"), THREE[1]])
    before = changes()

    with pytest.raises(InvalidInput) as caught:
        take(cast, data)

    assert [(error.field, error.code) for error in caught.value.errors] == [
        ("reason", "reason_required")
    ]
    assert (look(cast, data).needs_reason, changes()) == (True, before)

    take(cast, data, reason="主办单位改期")

    edition = plan.editions.get(state="draft")
    assert (edition.number, edition.reason) == (2, "主办单位改期")
    dropped = PlanItem.objects.get(title_zh="年会")
    assert (str(dropped.dropped_on), dropped.drop_reason) == ("2024-01-15", "主办单位改期")
    assert Event.objects.get(title_zh="年会").state == EventState.CANCELLED
    assert look(cast, data).has_changes is False


def test_import_into_a_closed_plan_is_refused_when_it_would_change(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    plan = advance_plan(Plan.objects.get(), "adopted")
    close_plan(plan, viewer=SYSTEM, at=AT)

    same, other = look(cast, xlsx_of(THREE)), take(cast, xlsx_of(THREE[:2]))

    assert (same.is_refused, [p.code for p in other.problems]) == (False, ["plan_closed"])
    assert PlanItem.objects.standing().count() == 3


def test_import_file_with_an_error_changes_nothing(cast: Cast) -> None:
    before = changes()

    answer = take(cast, xlsx_of([*THREE, line(4, "x", "2月30日")]))

    assert (answer.is_refused, answer.applied, changes()) == (True, False, before)
    assert len(answer.as_json()["items"]) == 4


def test_import_that_breaks_half_way_leaves_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = changes()

    def killed(*_args: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("alliances.drafting.host_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        take(cast, xlsx_of(THREE))

    assert (changes(), Plan.objects.count(), WorkArea.objects.count()) == (before, 0, 0)


def test_import_renamed_area_renames_it(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    area = WorkArea.objects.get()
    rows = [[*row[:1], "产业协同与合作", *row[2:]] for row in THREE]

    answer = take(cast, xlsx_of(rows))

    area.refresh_from_db()
    assert (area.name_zh, WorkArea.objects.count()) == ("产业协同与合作", 1)
    assert answer.counts()["changed"] == 3
    assert look(cast, xlsx_of(rows)).counts()["same"] == 3


def test_import_line_moved_to_a_new_area_adds_it(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))

    take(cast, xlsx_of([*THREE[:2], line(3, "年会", "12月中旬", area="会务")]))

    assert list(WorkArea.objects.values_list("name_zh", flat=True)) == ["产业协同", "会务"]
    assert PlanItem.objects.get(title_zh="年会").work_area.name_zh == "会务"


def test_import_names_in_english_go_to_their_columns(cast: Cast) -> None:
    rows = [line(1, "Opening", "2–4 July 2024", area="Governance")]

    take(cast, xlsx_of(rows, title="Work plan 2024"))

    plan, item = Plan.objects.get(), PlanItem.objects.get()
    assert (plan.title_en, item.title_en, item.title_zh) == ("Work plan 2024", "Opening", "")
    assert item.work_area.name_en == "Governance"
    assert look(cast, xlsx_of(rows, title="Work plan 2024")).has_changes is False


def test_import_hosts_by_alias_suffix_and_display_name(cast: Cast) -> None:
    zone = make_organization("保定高新区", aliases=["保定国家高新区"])
    rows = [line(1, hosts="保定国家高新区；石家庄高新区 管委会；不认识的单位")]

    take(cast, xlsx_of(rows))

    hosts = PlanItem.objects.get().hosts.all()
    assert [(host.name, host.organization) for host in hosts] == [
        ("保定国家高新区", zone),
        ("石家庄高新区 管委会", cast.member),
        ("不认识的单位", None),
    ]


def test_import_lines_alike_are_told_apart_by_order(cast: Cast) -> None:
    rows = [line(1, "走访", "5月"), line(2, "走访", "6月"), line(3, "走访", "7月")]
    take(cast, xlsx_of(rows))
    before = changes()

    assert (take(cast, xlsx_of(rows)).counts()["same"], changes()) == (3, before)


def test_import_campaign_gets_an_address_of_its_own(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    first = take(cast, xlsx_of(THREE, title="服务月2024"), kind="campaign")
    again = take(cast, xlsx_of(THREE, title="服务月2024"), kind="campaign")
    second = take(cast, xlsx_of(THREE, title="购物节2024"), kind="campaign")
    named = take(cast, xlsx_of(THREE, title="行动2024"), kind="campaign", slug="action")

    assert [answer.slug for answer in (first, again, second, named)] == [
        "campaign-2024",
        "campaign-2024",
        "campaign-2024-2",
        "action",
    ]
    assert (again.has_changes, Plan.objects.count()) == (False, 4)


def test_import_changed_title_and_target_revise_the_plan(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))

    answer = take(cast, xlsx_of(THREE, title="京津冀联盟2024年计划（全年30场）"))

    plan = Plan.objects.get()
    assert answer.plan_values == {
        "title_zh": "京津冀联盟2024年计划（全年30场）",
        "target_number": 30,
    }
    assert (plan.title_zh, plan.target_number) == ("京津冀联盟2024年计划（全年30场）", 30)


def test_import_without_a_title_makes_one(cast: Cast) -> None:
    take(cast, xlsx_of(THREE, title=None), year=2024)

    assert Plan.objects.get().title_zh == "联盟jjj2024年计划"


def test_import_by_somebody_else_is_not_allowed(cast: Cast, example: bytes) -> None:
    for viewer in (cast.member_liaison, cast.other_secretary, cast.observer, cast.public):
        with pytest.raises(NotAllowed):
            take(cast, example, viewer=viewer)
        with pytest.raises(NotAllowed):
            look(cast, example, viewer=viewer)

    assert Plan.objects.count() == 0


def test_import_other_changes_than_previewed_is_refused(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    data = xlsx_of([line(1, "对接会", "6月"), *THREE[1:]])
    digest = look(cast, data).digest
    take(cast, xlsx_of([line(1, "对接会", "7月"), *THREE[1:]]))

    with pytest.raises(PreviewIsStale):
        take(cast, data, digest=digest)

    assert PlanItem.objects.get(number="1").window_text == "7月"
    assert take(cast, data, digest=look(cast, data).digest).applied


def test_import_joins_a_recording_and_is_one_transaction(cast: Cast) -> None:
    with pytest.raises(ZeroDivisionError), recording(cast.secretary.actor, at=AT):
        take(cast, xlsx_of(THREE))
        raise ZeroDivisionError

    assert Plan.objects.count() == 0


def test_import_500_lines_asks_as_often_as_50(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    def rows(count: int) -> list[list[Any]]:
        return [line(number, f"活动{number}") for number in range(1, count + 1)]

    with django_assert_max_num_queries(60):
        take(cast, xlsx_of(rows(50), title="2024年计划"))
    with django_assert_max_num_queries(110):
        take(cast, xlsx_of(rows(500), title="2023年计划"), year=2024, slug="other", kind="campaign")


def test_import_uid_of_another_plan_is_no_match(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    exported = write_plan(Plan.objects.get(), viewer=cast.secretary)

    answer = take(cast, exported, kind="campaign", slug="copy")

    assert answer.counts()["new"] == 3
    assert len({UUID(str(uid)) for uid in PlanItem.objects.values_list("uid", flat=True)}) == 6
    assert isinstance(answer.alliance, Alliance)
