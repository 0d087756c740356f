"""Workbooks made in memory, and the secretariat's example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook

EXAMPLE = Path(__file__).parents[3] / "coordination/demo/data/jjj-2024-plan.xlsx"
HEADER = (
    "序号",
    "工作方面",
    "活动名称",
    "活动类型",
    "主办/承办单位",
    "地点",
    "时间",
    "参加单位",
    "备注",
)
TITLE = "京津冀国家高新区联盟2024年计划"
Rows = Sequence[Sequence[Any]]


def xlsx_of(
    rows: Rows,
    *,
    title: str | None = TITLE,
    header: Sequence[Any] = HEADER,
    merged: Sequence[str] = (),
    change: Callable[[Any], None] | None = None,
) -> bytes:
    """Make a workbook of one sheet: title, header, rows. `merged` names ranges."""
    book = Workbook()
    sheet = book.worksheets[0]
    for row in ([[title]] if title else []) + [list(header)] + [list(row) for row in rows]:
        sheet.append(row)
    for cells in merged:
        sheet.merge_cells(cells)
    if change is not None:
        change(sheet)
    return saved(book)


def line(number: Any = 1, title: Any = "对接会", time: Any = "5月14日", **cells: Any) -> list[Any]:
    """Make a row in the order of HEADER."""
    values = {"area": "产业协同", "type": "会议", "hosts": "联盟秘书处", "place": "北京"} | cells
    return [
        number,
        values["area"],
        title,
        values["type"],
        values["hosts"],
        values["place"],
        time,
        values.get("participants", "全体成员单位"),
        values.get("notes"),
    ]


def saved(book: Any) -> bytes:
    """Return a workbook's bytes."""
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def edited(data: bytes, change: Callable[[Any], None]) -> bytes:
    """Return a workbook after somebody changed its first sheet."""
    book = load_workbook(BytesIO(data))
    change(book.worksheets[0])
    return saved(book)
