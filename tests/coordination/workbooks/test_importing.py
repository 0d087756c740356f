"""Importing: new, same, changed and gone lines; refusals change nothing."""

from __future__ import annotations

import pytest

from alliances.models import Plan, PlanItem, WorkArea
from alliances.planning import close_plan
from coordination.accounts.viewer import SYSTEM
from coordination.changes.recording import recording
from coordination.changes.refusals import InvalidInput, NotAllowed
from coordination.workbooks.importing import (
    PreviewIsStale,
)
from coordination.workbooks.writing import write_plan
from events.models import Event, EventState
from tests.coordination.workbooks.importer import AT, THREE, changes, look, take
from tests.coordination.workbooks.sheets import line, xlsx_of
from tests.factories import Cast, advance_plan


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
