"""Workbooks as sheets of rows that know their numbers: .xlsx through openpyxl, and .csv.

Formulas are not calculated: a formula cell gives the value its program stored with it, and its own
text where none was stored. Text that looks like a formula is text. Merged cells carry their value
down their first column.
"""

from __future__ import annotations

import csv
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from io import BytesIO, StringIO
from typing import Any

from coordination.workbooks.containers import FileKind, chunks_of, decoded, kind_of
from coordination.workbooks.problems import UnreadableWorkbook, unreadable

ROW_LIMIT = 5_000
READ_LIMIT = ROW_LIMIT + 200  # room for title, notes and header
LAST_ROW = 1_048_576
COLUMN_LIMIT = 64
SHEET_LIMIT = 50
CSV_FIELD_LIMIT = 100_000

UNSEEN = frozenset({"Cc", "Cs", "Cf"})
NO_CHARACTERS = "\ufffe\uffff"

Value = str | int | float | date | datetime | time | None

_MERGED = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^>]*?ref=["']\$?([A-Z]{1,3})\$?(\d{1,7}):\$?[A-Z]{1,3}\$?(\d{1,7})["']"""
)
_MERGED_TAIL = 400


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet.

    Attributes:
        number: as Excel counts, from 1.
        values: one for each column, cleaned: None where a cell is empty.
        carried: columns whose value came down from a merged cell above.
    """

    number: int
    values: tuple[Value, ...]
    carried: frozenset[int] = frozenset()

    def own(self, column: int | None) -> Value:
        """Return what the row itself has in a column."""
        return None if column in self.carried else self.value(column)

    def value(self, column: int | None) -> Value:
        """Return the value in a column, carried ones too."""
        if column is None or column >= len(self.values):
            return None
        return self.values[column]

    def text(self, column: int | None) -> str:
        """Return the value in a column as text."""
        return text_of(self.value(column))

    @property
    def is_blank(self) -> bool:
        """Whether the row has nothing of its own."""
        return all(
            value is None or index in self.carried for index, value in enumerate(self.values)
        )


@dataclass(slots=True)
class Sheet:
    """A sheet: its rows that are not blank, in order.

    Attributes:
        is_cut: whether it has more rows than were read.
        merges: columns in which cells are merged over several rows.
    """

    name: str
    rows: list[Row] = field(default_factory=list)
    is_cut: bool = False
    merges: frozenset[int] = frozenset()
    is_text: bool = False


def read_sheets(data: bytes, file_name: str) -> list[Sheet]:
    """Read a workbook.

    Args:
        data: the file.
        file_name: only its ending is looked at, to tell a CSV file from other text.

    Raises:
        UnreadableWorkbook: the file cannot be read; nothing of it is kept.
    """
    if kind_of(data, file_name) is FileKind.TEXT:
        return [_read_csv(decoded(data))]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's about styles and extensions it leaves out
            return _read_xlsx(data)
    except UnreadableWorkbook:
        raise
    except Exception as error:  # whatever a broken file makes the parser stumble over
        raise unreadable("damaged") from error


def text_of(value: Value) -> str:
    """Return a cell's value as people would type it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        shows_time = value.time().replace(microsecond=0) != time()
        return f"{value:%Y-%m-%d %H:%M}" if shows_time else f"{value:%Y-%m-%d}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


def cleaned(value: Any) -> Value:
    """Return a value without what people do not see: outer spaces, control characters."""
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).upper()
    if isinstance(value, int | float | date | time):
        return value
    text = str(value).replace("_x000D_", "").replace("\r\n", "\n").replace("\r", "\n")
    if not text.isprintable():
        text = "".join(
            character
            for character in text
            if character in "\n\t"
            or (unicodedata.category(character) not in UNSEEN and character not in NO_CHARACTERS)
        )
    text = text.replace("\xa0", " ").strip().strip("\u3000").strip()
    return text or None


def _read_csv(text: str) -> Sheet:
    first = text.split("\n", 50)[:50]
    delimiter = max(",;\t", key=lambda mark: (sum(line.count(mark) for line in first), mark == ","))
    sheet = Sheet(name="", is_text=True)
    csv.field_size_limit(CSV_FIELD_LIMIT)
    try:
        for number, cells in enumerate(csv.reader(StringIO(text, newline=""), delimiter=delimiter)):
            if not _keep(sheet, Row(number + 1, _values(cells))):
                break
    except csv.Error:
        raise unreadable("damaged") from None
    return sheet


def _values(cells: Iterable[Any]) -> tuple[Value, ...]:
    values = [cleaned(cell) for _index, cell in zip(range(COLUMN_LIMIT), cells, strict=False)]
    while values and values[-1] is None:
        values.pop()
    return tuple(values)


def _keep(sheet: Sheet, row: Row) -> bool:
    """Add a row that is not blank; return whether there is room for more."""
    if row.is_blank:
        return True
    if len(sheet.rows) >= READ_LIMIT:
        sheet.is_cut = True
        return False
    sheet.rows.append(row)
    return True


def _read_xlsx(data: bytes) -> list[Sheet]:
    from openpyxl import load_workbook

    book = load_workbook(BytesIO(data), read_only=True, data_only=False, keep_links=False)
    try:
        shown = [ws for ws in book.worksheets if ws.sheet_state == "visible"] or book.worksheets
        if not shown:
            raise unreadable("damaged")
        sheets, formulas = [], {}
        for worksheet in shown[:SHEET_LIMIT]:
            merges = _merges(data, str(getattr(worksheet, "_worksheet_path", "")))
            sheet, cells = _read_worksheet(worksheet, merges)
            sheets.append(sheet)
            if cells:
                formulas[sheet.name] = cells
    finally:
        book.close()
    if formulas:
        _fill_formulas(data, sheets, formulas)
    return sheets


Cells = dict[tuple[int, int], str]


def _rows(worksheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    # What a sheet says about its own size is not believed.
    worksheet.reset_dimensions()
    for number, cells in enumerate(worksheet.iter_rows(max_col=COLUMN_LIMIT), start=1):
        if number > LAST_ROW:
            raise unreadable("damaged")
        yield number, cells


def _read_worksheet(worksheet: Any, merges: dict[tuple[int, int], int]) -> tuple[Sheet, Cells]:
    sheet = Sheet(name=str(worksheet.title), merges=frozenset(column for _row, column in merges))
    formulas: Cells = {}
    running: dict[int, tuple[int, Value]] = {}
    for number, cells in _rows(worksheet):
        values = list(
            _values(_value(cell, number, index, formulas) for index, cell in enumerate(cells))
        )
        if all(value is None for value in values):
            continue
        if not _keep(sheet, _carry(number, values, merges, running)):
            break
    return sheet, formulas


def _value(cell: Any, row: int, column: int, formulas: Cells) -> Any:
    value = cell.value
    if cell.data_type == "f":
        text = value if isinstance(value, str) else f"={getattr(value, 'text', '') or ''}"
        formulas[row, column] = text
        return text
    if isinstance(value, datetime) and _is_month_format(str(cell.number_format)):
        # Excel turns a typed "2024年5月" into the first of May, shown without its day.
        return f"{value.year}年{value.month}月"
    return value


def _is_month_format(number_format: str) -> bool:
    shown = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", number_format).lower().split(";")[0]
    return "y" in shown and "m" in shown and "d" not in shown and "h" not in shown


def _carry(
    number: int,
    values: list[Value],
    merges: dict[tuple[int, int], int],
    running: dict[int, tuple[int, Value]],
) -> Row:
    carried = set()
    for column, (bottom, value) in list(running.items()):
        if number > bottom:
            del running[column]
            continue
        if column >= len(values):
            values.extend([None] * (column + 1 - len(values)))
        if values[column] is None:
            values[column] = value
            carried.add(column)
    for column, value in enumerate(values):
        if value is not None and (number, column) in merges:
            running[column] = (merges[number, column], value)
    return Row(number, tuple(values), frozenset(carried))


def _merges(data: bytes, path: str) -> dict[tuple[int, int], int]:
    """Return the cells merged over several rows: (first row, column from 0) -> last row."""
    found: dict[tuple[int, int], int] = {}
    with zipfile.ZipFile(BytesIO(data)) as archive:
        if path not in archive.namelist():
            return found
        tail = b""
        for chunk in chunks_of(archive, path):
            for match in _MERGED.finditer(tail + chunk):
                letters, top, bottom = match.groups()
                if int(bottom) > int(top) and len(found) < READ_LIMIT * 10:
                    found[int(top), _column_index(letters.decode())] = int(bottom)
            tail = chunk[-_MERGED_TAIL:]
    return found


def _column_index(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1


def _fill_formulas(data: bytes, sheets: list[Sheet], formulas: dict[str, Cells]) -> None:
    """Put the stored results in the place of formulas; where none is stored the text stays."""
    from openpyxl import load_workbook

    book = load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
    try:
        for sheet in sheets:
            if sheet.name in formulas:
                _fill_sheet(sheet, book[sheet.name], formulas[sheet.name])
    finally:
        book.close()


def _fill_sheet(sheet: Sheet, worksheet: Any, cells: Cells) -> None:
    results: dict[int, dict[int, Value]] = {}
    last = max(row for row, _column in cells)
    for number, row_cells in _rows(worksheet):
        if number > last:
            break
        for index, cell in enumerate(row_cells):
            if (number, index) in cells and cell.value is not None:
                results.setdefault(number, {})[index] = cleaned(_value(cell, number, index, {}))
    for position, row in enumerate(sheet.rows):
        if row.number in results:
            values = list(row.values)
            for index, value in results[row.number].items():
                values[index] = value
            sheet.rows[position] = Row(row.number, tuple(values), row.carried)
