"""Days off (休) and make-up working days (班) of mainland China, as the table of holidays has them.

A year that nobody took over yet is marked as the library knows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum

from coordination.bilingual import CHINESE
from events.almanac import named_days
from events.statutory import CHINA, FIRST_YEAR
from events.workdays import DayKind as TableKind


class DayKind(Enum):
    """What a marked day is."""

    OFF = "off"
    WORKING = "working"


@dataclass(frozen=True, slots=True)
class DayMark:
    """A mark on a day: off or working, and the holiday's name where the day has one."""

    kind: DayKind
    name: str


_KINDS: Mapping[TableKind, DayKind] = {
    TableKind.HOLIDAY: DayKind.OFF,
    TableKind.WORKDAY: DayKind.WORKING,
}


def mark_days(first: date, last: date, *, language: str) -> dict[date, DayMark]:
    """Return the marked days from `first` to `last`, both included.

    A weekend day beside a day off is off too (the holiday runs through it), a weekend day that
    was exchanged is a working day. Days that a notice exchanged carry no name of their own.

    Args:
        first: First day asked for.
        last: Last day asked for.
        language: "zh-hans" or "en"; another one gets English names.
    """
    days = named_days(CHINA, range(max(first.year, FIRST_YEAR), last.year + 1))
    return {
        one.day: DayMark(_KINDS[one.kind], one.name_zh if language == CHINESE else one.name_en)
        for one in days
        if first <= one.day <= last
    }
