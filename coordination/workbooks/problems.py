"""What can be wrong with a plan workbook: each with its cell, a code, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Severity(StrEnum):
    """Errors refuse the whole file; warnings are shown and the file is taken."""

    ERROR = "error"
    WARNING = "warning"


MESSAGES: Mapping[str, Any] = {
    "not_a_workbook": _(
        "This is not a workbook that can be read. Save it as .xlsx in Excel or WPS, or as .csv."
    ),
    "old_format": _(
        "This is the old .xls format or a binary workbook. Open it in Excel or WPS and save it as "
        ".xlsx."
    ),
    "damaged": _(
        "The workbook is damaged and cannot be read. Open it in Excel or WPS and save it again."
    ),
    "password_protected": _(
        "The workbook is protected by a password. Remove the password in Excel or WPS and save it."
    ),
    "too_large": _(
        "The workbook is too large: it unpacks to more than %(limit)s MB. Remove pictures and "
        "other sheets."
    ),
    "too_many_rows": _(
        "The sheet has more than %(limit)s rows. Split the plan, or remove what is not part of it."
    ),
    "no_header": _(
        "No header row was found. One row must name the columns, at least the name of the "
        "activity (活动名称) and its time (时间)."
    ),
    "no_lines": _("There is no line under the header row. Add the plan's activities."),
    "no_year": _(
        "The year of the plan is not known. Write it into the title (2024年计划) or the file's "
        "name, or say it when importing."
    ),
    "year_differs": _("The title says %(title_year)s, but the plan is imported for %(year)s."),
    "missing_title": _("The name of the activity is missing. Fill it in, or delete the row."),
    "title_too_long": _("The name has %(length)s characters; %(limit)s are possible. Shorten it."),
    "text_too_long": _(
        "The text in “%(header)s” has %(length)s characters; %(limit)s are possible. Shorten it."
    ),
    "duplicate_number": _(
        "The number %(number)s is used twice, first in row %(first)s. Give each line its own."
    ),
    "duplicate_uid": _(
        "This row was copied from row %(first)s with its hidden mark (uid); it is taken as a new "
        "line."
    ),
    "no_such_date": _("“%(words)s” is a date that does not exist. Correct it."),
    "end_before_start": _(
        "“%(words)s” ends before it starts. Correct it; write 次年 where the next year is meant."
    ),
    "other_year": _("“%(words)s” is not in %(year)s, the plan's year. Correct it."),
    "time_not_understood": _(
        "“%(words)s” is not understood as a time; the words are kept and the date stays open."
    ),
    "weekday_differs": _("The weekday in “%(words)s” does not fit the date. Check which is right."),
    "count_uneven": _(
        "%(words)s times do not divide evenly over the periods named. Check the events afterwards."
    ),
    "count_too_large": _("%(words)s times are more than one a day; the number is left out."),
    "other_sheet": _(
        "Another sheet, “%(words)s”, looks like a plan too. Only “%(taken)s” is imported."
    ),
    "line_kept": _(
        "“%(title)s” is not in the file any more, but its event has a time or has begun. The line "
        "stays; cancel the event first if it is to go."
    ),
    "occurrence_has_a_time": _(
        "“%(title)s” would be held less often, but one of the events that would go has a time "
        "already. Cancel that event first."
    ),
    "plan_closed": _(
        "The plan is closed and cannot be changed. Carry its lines over into the next."
    ),
}
ERRORS = frozenset(
    {
        "not_a_workbook",
        "old_format",
        "damaged",
        "password_protected",
        "too_large",
        "too_many_rows",
        "no_header",
        "no_lines",
        "no_year",
        "missing_title",
        "title_too_long",
        "text_too_long",
        "duplicate_number",
        "no_such_date",
        "end_before_start",
        "other_year",
        "occurrence_has_a_time",
        "plan_closed",
    }
)


def column_letters(index: int) -> str:
    """Return the letters of a column, counted from 0: A, B, … Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, and where.

    Attributes:
        code: a stable word for programs, one of `MESSAGES`.
        sheet: name of the sheet; "" when it is about the whole file.
        row: as Excel counts, from 1; None when it is about no row.
        column: index of the column, from 0; None when it is about no cell.
        values: what the sentence names.
    """

    code: str
    sheet: str = ""
    row: int | None = None
    column: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """Whether it refuses the file."""
        return Severity.ERROR if self.code in ERRORS else Severity.WARNING

    @property
    def cell(self) -> str:
        """The cell as Excel names it, "G9"; "" when it is about no cell."""
        if self.row is None or self.column is None:
            return ""
        return f"{column_letters(self.column)}{self.row}"

    @property
    def message(self) -> str:
        """The sentence in the active language."""
        return str(MESSAGES[self.code]) % self.values

    def as_json(self) -> dict[str, Any]:
        """Return it as the answer shows it, in the active language."""
        return {
            "severity": self.severity.value,
            "sheet": self.sheet or None,
            "row": self.row,
            "column": None if self.column is None else column_letters(self.column),
            "cell": self.cell or None,
            "code": self.code,
            "message": self.message,
        }


class UnreadableWorkbook(Exception):
    """The file cannot be read at all; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def unreadable(code: str, **values: Any) -> UnreadableWorkbook:
    """Return the exception for one of the codes, to be raised."""
    return UnreadableWorkbook(Problem(code, values=values))
