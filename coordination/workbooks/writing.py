"""A plan as a workbook in the secretariat's own layout; importing it again changes nothing.

Title, note, header, the lines under merged work areas, and a hidden column with each line's uid, by
which an edited copy finds its lines again. Every text is written as text: a title that begins with
"=" is never calculated.
"""

from __future__ import annotations

from io import BytesIO
from itertools import groupby
from typing import Any

from alliances.models import Plan, PlanItem
from coordination.accounts.viewer import Viewer
from coordination.workbooks.problems import column_letters
from coordination.workbooks.written import FIELDS, HEADINGS, cells_of, note_of, title_of

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTHS = (6, 26, 34, 12, 28, 20, 18, 22, 18)
UID_HEADING = "uid"
LAST_LETTER = column_letters(len(FIELDS) - 1)
FONT = "宋体"
SHEET_NAME_LIMIT = 31


def write_plan(plan: Plan, *, viewer: Viewer) -> bytes:
    """Return a plan as an .xlsx file, with the lines that the viewer may see."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = f"{plan.year}年计划"[:SHEET_NAME_LIMIT]
    header = _write_heading(sheet, plan)
    _write_lines(sheet, _lines(plan, viewer), header + 1)
    _lay_out(sheet, header)
    book.properties.title = title_of(plan)
    book.properties.creator = str(plan.alliance)
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def file_name(plan: Plan) -> str:
    """Return the name under which a plan is saved: jjj-2024-plan.xlsx."""
    return f"{plan.alliance.slug}-{plan.slug}-plan.xlsx"


def _lines(plan: Plan, viewer: Viewer) -> list[PlanItem]:
    """Return the lines by area, in the order of the plan; those without an area come first."""
    rows = PlanItem.objects.visible_to(viewer).filter(plan=plan).standing()
    items = list(
        rows.select_related("work_area").prefetch_related("hosts").order_by("position", "pk")
    )
    for item in items:
        item.plan = plan
    return sorted(items, key=lambda item: item.work_area.position if item.work_area else 0)


def _write_heading(sheet: Any, plan: Plan) -> int:
    """Write title, note and header; return the header's row."""
    from openpyxl.styles import Alignment, Font

    _write(sheet, 1, 1, title_of(plan))
    sheet["A1"].font = Font(name=FONT, size=16, bold=True)
    sheet["A1"].alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    sheet.merge_cells(f"A1:{LAST_LETTER}1")
    sheet.row_dimensions[1].height = 30
    header = 2
    note = note_of(plan)
    if note:
        _write(sheet, 2, 1, note)
        sheet["A2"].font = Font(name=FONT, size=11)
        sheet["A2"].alignment = Alignment(vertical="center", wrap_text=True)
        sheet.merge_cells(f"A2:{LAST_LETTER}2")
        sheet.row_dimensions[2].height = 15 * (1 + note.count("\n") + len(note) // 90)
        header = 3
    for index, name in enumerate(FIELDS, start=1):
        _write(sheet, header, index, HEADINGS[name])
    _write(sheet, header, len(FIELDS) + 1, UID_HEADING)
    return header


def _write_lines(sheet: Any, items: list[PlanItem], row: int) -> None:
    area_column = FIELDS.index("work_area") + 1
    for area, group in groupby(items, key=lambda item: item.work_area_id):
        first = row
        for item in group:
            cells = cells_of(item)
            for index, name in enumerate(FIELDS, start=1):
                if index != area_column or row == first:
                    _write(sheet, row, index, cells[name], is_number=name == "number")
            _write(sheet, row, len(FIELDS) + 1, str(item.uid))
            row += 1
        if area is not None and row - first > 1:
            letter = column_letters(area_column - 1)
            sheet.merge_cells(f"{letter}{first}:{letter}{row - 1}")


def _write(sheet: Any, row: int, column: int, text: str, *, is_number: bool = False) -> None:
    if not text:
        return
    cell = sheet.cell(row=row, column=column)
    if is_number and text.isascii() and text.isdecimal() and str(int(text)) == text:
        cell.value = int(text)
        return
    cell.value = text
    cell.data_type = "s"
    cell.quotePrefix = text[0] in "=+-@"


def _lay_out(sheet: Any, header: int) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    line = Side(style="thin", color="999999")
    border = Border(left=line, right=line, top=line, bottom=line)
    middle = Alignment(horizontal="center", vertical="center", wrap_text=True)
    left = Alignment(horizontal="left", vertical="center", wrap_text=True)
    for cells in sheet.iter_rows(min_row=header, max_col=len(FIELDS)):
        for cell in cells:
            is_head = cell.row == header
            prefix = cell.quotePrefix
            cell.font = Font(name=FONT, size=11, bold=is_head)
            cell.border = border
            cell.alignment = middle if is_head or cell.column in (1, 2) else left
            cell.quotePrefix = prefix
            if is_head:
                cell.fill = PatternFill("solid", fgColor="F2F2F2")
    for index, width in enumerate(WIDTHS):
        sheet.column_dimensions[column_letters(index)].width = width
    sheet.column_dimensions[column_letters(len(FIELDS))].hidden = True
    sheet.freeze_panes = f"A{header + 1}"
    sheet.print_title_rows = f"{header}:{header}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
