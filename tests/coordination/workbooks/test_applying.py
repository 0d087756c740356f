"""Changes spoken through the verbs: lines, areas, numbers, events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alliances.models import Plan, PlanItem, WorkArea
from coordination.accounts.viewer import SYSTEM
from events.models import Event
from events.scheduling import schedule_event
from tests.coordination.workbooks.importer import AT, THREE, changes, look, take, titles
from tests.coordination.workbooks.sheets import line, xlsx_of
from tests.factories import Cast, span


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


def test_import_500_lines_asks_as_often_as_50(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    def rows(count: int) -> list[list[Any]]:
        return [line(number, f"活动{number}") for number in range(1, count + 1)]

    with django_assert_max_num_queries(60):
        take(cast, xlsx_of(rows(50), title="2024年计划"))
    with django_assert_max_num_queries(110):
        take(cast, xlsx_of(rows(500), title="2023年计划"), year=2024, slug="other", kind="campaign")
