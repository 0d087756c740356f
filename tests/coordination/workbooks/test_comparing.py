"""Lines found again: by uid, by name, by number."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from alliances.models import Alliance, Plan, PlanItem
from coordination.workbooks.writing import write_plan
from events.models import Event
from tests.coordination.workbooks.importer import THREE, changes, look, take, titles
from tests.coordination.workbooks.sheets import edited, line, xlsx_of
from tests.factories import Cast


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


def test_import_names_in_english_go_to_their_columns(cast: Cast) -> None:
    rows = [line(1, "Opening", "2–4 July 2024", area="Governance")]

    take(cast, xlsx_of(rows, title="Work plan 2024"))

    plan, item = Plan.objects.get(), PlanItem.objects.get()
    assert (plan.title_en, item.title_en, item.title_zh) == ("Work plan 2024", "Opening", "")
    assert item.work_area.name_en == "Governance"
    assert look(cast, xlsx_of(rows, title="Work plan 2024")).has_changes is False


def test_import_lines_alike_are_told_apart_by_order(cast: Cast) -> None:
    rows = [line(1, "走访", "5月"), line(2, "走访", "6月"), line(3, "走访", "7月")]
    take(cast, xlsx_of(rows))
    before = changes()

    assert (take(cast, xlsx_of(rows)).counts()["same"], changes()) == (3, before)


def test_import_uid_of_another_plan_is_no_match(cast: Cast) -> None:
    take(cast, xlsx_of(THREE))
    exported = write_plan(Plan.objects.get(), viewer=cast.secretary)

    answer = take(cast, exported, kind="campaign", slug="copy")

    assert answer.counts()["new"] == 3
    assert len({UUID(str(uid)) for uid in PlanItem.objects.values_list("uid", flat=True)}) == 6
    assert isinstance(answer.alliance, Alliance)
