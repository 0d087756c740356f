"""A plan as a sheet shows it: title, year, target, and lines that know their row.

Pure reading: nothing here asks the database. `parse_plan` takes the bytes of a file and returns
what it says, with every problem named by its cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from pathlib import PurePath
from typing import Any

from alliances.windows import UNKNOWN, ReadWindow, Window, read_window
from coordination.workbooks.cell_words import number_of, split_names, target_in, year_in
from coordination.workbooks.headers import Column, Header, find_header
from coordination.workbooks.problems import Problem, Severity, UnreadableWorkbook
from coordination.workbooks.reading import ROW_LIMIT, Row, Sheet, Value, read_sheets, text_of

TITLE_LIMIT = 200
LIMITS = {
    Column.WORK_AREA: 200,
    Column.TYPE: 100,
    Column.PLACE: 300,
    Column.TIME: 200,
    Column.PARTICIPANTS: 1000,
    Column.NOTES: 2000,
}
HOST_LIMIT = 200
NOTE_LIMIT = 2000
UNDATED_YEAR = 2024  # a leap year, for telling other problems while the plan's year is missing

_PLAN_WORDS = re.compile(
    r"计划|规划|方案|安排|一览|清单|活动|plan|programme|program|schedule|calendar", re.IGNORECASE
)
_NOTE_WORDS = re.compile(
    r"^\s*(?:备?注|说明|附件|附表|填报|填表|单位|制表|日期|时间|联系|note|remark|annex|prepared)",
    re.IGNORECASE,
)


_ORDINAL = "[一二三四五六七八九十]{1,3}"
_SECTION = rf"\s*(?:{_ORDINAL}[、.．]|[（(]{_ORDINAL}[)）][、.．]?)\s*(.+)"


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of the plan.

    Attributes:
        row: as Excel counts, from 1.
        uid: the hidden mark of our own export; "" in other files.
        number: as written in 序号, in half width; "" without one.
        windows: one for each time it is held, at least one.
    """

    row: int
    uid: str
    number: str
    work_area: str
    title: str
    type: str
    hosts: tuple[str, ...]
    place: str
    time: str
    participants: str
    notes: str
    windows: tuple[Window, ...]

    @property
    def whole(self) -> Window:
        """The window from the first to the last time it is held."""
        return ReadWindow(self.windows).whole


@dataclass(slots=True)
class PlanSheet:
    """What a workbook says about a plan.

    Attributes:
        title: "" when it has none.
        note: what stands between title and header.
        year: None when nothing says it; problems then has "no_year".
        target: how many events it sets, when it says so.
        time_column: for naming cells in later problems.
    """

    sheet: str = ""
    title: str = ""
    note: str = ""
    year: int | None = None
    target: int | None = None
    lines: list[PlanLine] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    title_column: int | None = None
    time_column: int | None = None

    @property
    def count(self) -> int:
        """How many events the lines make."""
        return sum(len(line.windows) for line in self.lines)

    @property
    def work_areas(self) -> list[str]:
        """The areas in order of appearance."""
        return list(dict.fromkeys(line.work_area for line in self.lines if line.work_area))

    @property
    def is_refused(self) -> bool:
        """Whether an error stands against it."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)


def parse_plan(data: bytes, *, file_name: str, year: int | None = None) -> PlanSheet:
    """Read a plan workbook.

    Args:
        data: the file.
        file_name: its name, as it may say the year and tells CSV from other text.
        year: the year wanted; taken from the title, the sheet's or the file's name without one.
    """
    try:
        sheets = read_sheets(data, file_name)
    except UnreadableWorkbook as error:
        return PlanSheet(year=year, problems=[error.problem])
    found = [(sheet, header) for sheet in sheets if (header := find_header(sheet)) is not None]
    if not found:
        name = sheets[0].name if len(sheets) == 1 else ""
        return PlanSheet(sheet=name, year=year, problems=[Problem("no_header", sheet=name)])
    chosen = _chosen(found, year or year_in(PurePath(file_name).stem))
    plan = _Reader(*found[chosen], file_name=file_name, year=year).read()
    for index, (sheet, _header) in enumerate(found):
        if index != chosen:
            values = {"words": sheet.name, "taken": plan.sheet}
            plan.problems.append(Problem("other_sheet", sheet=sheet.name, values=values))
    return plan


def _chosen(found: list[tuple[Sheet, Header]], year: int | None) -> int:
    """Return which sheet is the plan: the one that names the year, else the first."""
    for index, (sheet, header) in enumerate(found):
        above = " ".join(text for row in sheet.rows[: header.index] for text in _texts(row))
        if year is not None and year_in(f"{above} {sheet.name}") == year:
            return index
    return 0


def _texts(row: Row) -> list[str]:
    return [text_of(value) for i, value in enumerate(row.values) if value and i not in row.carried]


def _title_among(texts: list[str]) -> str:
    """Return the title among what stands above the header: no note, and if possible a plan."""
    candidates = [text for text in texts if not _NOTE_WORDS.match(text)]
    candidates = [text for text in candidates if "。" not in text] or candidates
    return next(filter(_PLAN_WORDS.search, candidates), "") or next(iter(candidates), "")


@dataclass(slots=True)
class _Reader:
    """Reads one sheet; collects lines and problems as it goes down the rows."""

    sheet: Sheet
    header: Header
    file_name: str
    year: int | None
    plan: PlanSheet = field(default_factory=PlanSheet)
    numbers: dict[str, int] = field(default_factory=dict)
    uids: dict[str, int] = field(default_factory=dict)
    area: str = ""
    times: dict[tuple[Value, str], ReadWindow] = field(default_factory=dict)

    def read(self) -> PlanSheet:
        self.plan.sheet = self.sheet.name
        self.plan.title_column = self.header.column(Column.TITLE)
        self.plan.time_column = self.header.column(Column.TIME)
        below = self.sheet.rows[self.header.index + 1 :]
        lines = [row for row in below if self._is_line(row)]
        numbers = {row.number for row in lines}
        self._read_heading([row for row in below if row.number not in numbers])
        if len(lines) > ROW_LIMIT or self.sheet.is_cut:
            self._problem("too_many_rows", limit=ROW_LIMIT)
            return self.plan
        if not lines:
            self._problem("no_lines")
        for row in below:
            self._read_row(row)
        return self.plan

    def _read_heading(self, notes_below: list[Row]) -> None:
        above = [" ".join(_texts(row)) for row in self.sheet.rows[: self.header.index]]
        plan = self.plan
        plan.title = _title_among(above)
        plan.note = "\n".join(text for text in above if text != plan.title)[:NOTE_LIMIT]
        if len(plan.title) > TITLE_LIMIT:
            row = next(row for row in self.sheet.rows if " ".join(_texts(row)) == plan.title)
            self._problem("title_too_long", row, 0, length=len(plan.title), limit=TITLE_LIMIT)
        stated = year_in(plan.title)
        named = (year_in(text) for text in (plan.note, self.sheet.name, self._stem()))
        plan.year = self.year or stated or next(filter(None, named), None)
        if plan.year is None:
            self._problem("no_year")
        elif stated and stated != plan.year and not _spans_years(plan.title):
            self._problem("year_differs", title_year=stated, year=plan.year)
        texts = chain([plan.title, plan.note], (" ".join(_texts(row)) for row in notes_below))
        plan.target = next(filter(None, map(target_in, texts)), None)

    def _stem(self) -> str:
        return PurePath(self.file_name).stem

    def _is_line(self, row: Row) -> bool:
        """Tell lines from notes: a line has a number, a name, an area or a time of its own."""
        if row.is_blank or self._is_header_again(row):
            return False
        own = (Column.TITLE, Column.WORK_AREA, Column.TIME)
        if any(self._own_text(row, column) for column in own):
            return True
        if number_of(row.own(self.header.column(Column.NUMBER))):
            return True
        # Inside a merged area or name, a row with anything of a line is one.
        carried = any(row.text(self.header.column(column)) for column in own)
        rest = (Column.TYPE, Column.HOSTS, Column.PLACE, Column.PARTICIPANTS)
        return carried and any(self._own_text(row, column) for column in rest)

    def _own_text(self, row: Row, column: Column) -> str:
        return text_of(row.own(self.header.column(column)))

    def _is_header_again(self, row: Row) -> bool:
        return all(
            row.text(index) == self.header.row.text(index) for index in self.header.columns.values()
        )

    def _read_row(self, row: Row) -> None:
        if not self._is_line(row):
            self._read_section(row)
            return
        texts = {column: row.text(self.header.column(column)) for column in Column}
        title = " ".join(texts[Column.TITLE].split())
        texts[Column.WORK_AREA] = self._area_of(row, texts[Column.WORK_AREA])
        if not title:
            self._problem("missing_title", row, self.plan.title_column)
        elif len(title) > TITLE_LIMIT:
            self._problem(
                "title_too_long", row, self.plan.title_column, length=len(title), limit=TITLE_LIMIT
            )
        time, windows = self._time_of(row, texts[Column.NOTES])
        texts[Column.TIME] = time
        self._check_lengths(row, texts)
        self.plan.lines.append(
            PlanLine(
                row=row.number,
                uid=self._uid_of(row, texts[Column.UID]),
                number=self._number_of(row),
                work_area=texts[Column.WORK_AREA],
                title=title,
                type=texts[Column.TYPE],
                hosts=self._hosts_of(row),
                place=texts[Column.PLACE],
                time=time,
                participants=texts[Column.PARTICIPANTS],
                notes=texts[Column.NOTES],
                windows=windows,
            )
        )

    def _read_section(self, row: Row) -> None:
        """Take "一、搭建平台" over the whole width as the area of the rows below it."""
        texts = _texts(row)
        if self.header.column(Column.WORK_AREA) is not None or len(set(texts)) != 1:
            return
        match = re.match(_SECTION, texts[0])
        if match:
            self.area = " ".join(match.group(1).split())

    def _area_of(self, row: Row, text: str) -> str:
        area = " ".join(text.split())
        column = self.header.column(Column.WORK_AREA)
        if area or column is None:
            self.area = area or self.area
        elif column in self.sheet.merges:
            # Where areas are merged cells, an empty one means none.
            self.area = ""
        return self.area

    def _number_of(self, row: Row) -> str:
        column = self.header.column(Column.NUMBER)
        number = number_of(row.own(column))
        if number and number in self.numbers:
            self._problem(
                "duplicate_number", row, column, number=number, first=self.numbers[number]
            )
        if number:
            self.numbers.setdefault(number, row.number)
        return number

    def _uid_of(self, row: Row, text: str) -> str:
        match = re.fullmatch(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", text)
        uid = text.lower() if match else ""
        if uid in self.uids:
            self._problem(
                "duplicate_uid", row, self.header.column(Column.UID), first=self.uids[uid]
            )
            return ""
        if uid:
            self.uids[uid] = row.number
        return uid

    def _hosts_of(self, row: Row) -> tuple[str, ...]:
        columns = [self.header.column(Column.HOSTS), *self.header.more_hosts]
        names = tuple(chain.from_iterable(split_names(row.text(column)) for column in columns))
        for name in names:
            if len(name) > HOST_LIMIT:
                self._problem(
                    "text_too_long",
                    row,
                    columns[0],
                    length=len(name),
                    limit=HOST_LIMIT,
                    header=self.header.words(Column.HOSTS),
                )
        return tuple(dict.fromkeys(names))

    def _time_of(self, row: Row, notes: str) -> tuple[str, tuple[Window, ...]]:
        column = self.header.column(Column.TIME)
        value = row.value(column)
        end = row.value(self.header.column(Column.TIME_END))
        text = " ".join(text_of(value).split())
        if end is not None and value is not None and text_of(end) != text_of(value):
            value = text = f"{text}至{' '.join(text_of(end).split())}"
        if self.header.column(Column.TIME_END) is not None and value is None and end is not None:
            value, text = end, " ".join(text_of(end).split())
        if (value, notes) not in self.times:
            year = self.plan.year or UNDATED_YEAR
            self.times[value, notes] = read_window(value, year=year, notes=notes)
        read = self.times[value, notes]
        for problem in read.problems:
            if self.plan.year is not None or problem.code.value not in ("other_year",):
                self._problem(
                    problem.code.value, row, column, words=problem.words, year=self.plan.year
                )
        return text, read.windows or (UNKNOWN,)

    def _check_lengths(self, row: Row, texts: dict[Column, str]) -> None:
        for column, limit in LIMITS.items():
            if len(texts[column]) > limit:
                self._problem(
                    "text_too_long",
                    row,
                    self.header.column(column),
                    length=len(texts[column]),
                    limit=limit,
                    header=self.header.words(column),
                )

    def _problem(
        self, code: str, row: Row | None = None, column: int | None = None, **values: Any
    ) -> None:
        number = None if row is None else row.number
        self.plan.problems.append(Problem(code, self.sheet.name, number, column, values))


def _spans_years(title: str) -> bool:
    """Whether a title names several years: 2024—2025年度."""
    return len(set(re.findall(r"(?:19|20)\d\d", title))) > 1
