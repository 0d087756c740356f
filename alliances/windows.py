"""When something is planned: a window of days of known precision, read from what people write.

Pure. A plan is made in January, when most dates are not known: "5月14日", "5月中旬", "第二季度",
"每季度末，全年4场", "待定". `read_window` turns such words into windows, one for each time it is
held::

    read_window("5月中旬", year=2024).windows
    (Window(date(2024, 5, 11), date(2024, 5, 20), Precision.TEN_DAYS),)

Days are calendar days at the place where it is held, ends are inclusive, clock times are wall times
there. Words that no rule knows give an unknown window and a warning, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise

from alliances import time_spans
from alliances.time_grammar import (
    EndBeforeStart,
    NoSuchTime,
    NotUnderstood,
    OtherYear,
    read_expression,
)
from alliances.time_spans import UNKNOWN, Precision, Window
from alliances.time_words import brackets, plain, tokens, weekdays

__all__ = ["UNKNOWN", "Precision", "ReadWindow", "TimeCode", "TimeProblem", "Window", "read_window"]

MOST_TIMES = 366
LONGEST = 200
EXCEL_EPOCH = date(1899, 12, 30)
EXCEL_DAYS = range(20_000, 80_000)  # 1954 to 2119


class TimeCode(StrEnum):
    """What can be wrong with a written time."""

    NO_SUCH_DATE = "no_such_date"
    END_BEFORE_START = "end_before_start"
    OTHER_YEAR = "other_year"
    NOT_UNDERSTOOD = "time_not_understood"
    WEEKDAY_DIFFERS = "weekday_differs"
    COUNT_UNEVEN = "count_uneven"
    COUNT_TOO_LARGE = "count_too_large"

    @property
    def is_error(self) -> bool:
        """Whether the plan cannot be taken with it; otherwise it is a warning."""
        return self in (TimeCode.NO_SUCH_DATE, TimeCode.END_BEFORE_START, TimeCode.OTHER_YEAR)


@dataclass(frozen=True, slots=True)
class TimeProblem:
    """Something wrong with a written time, and the words it is about."""

    code: TimeCode
    words: str


@dataclass(frozen=True, slots=True)
class ReadWindow:
    """What was read: one window for each time it is held, at least one."""

    windows: tuple[Window, ...]
    problems: tuple[TimeProblem, ...] = ()

    @property
    def whole(self) -> Window:
        """The window from the first to the last; its precision is the first's."""
        dated = [window for window in self.windows if window.start and window.end]
        if not dated or len(self.windows) == 1:
            return self.windows[0]
        return Window(
            min(window.start for window in dated if window.start),
            max(window.end for window in dated if window.end),
            dated[0].precision,
        )


def read_window(
    written: str | date | datetime | time | float | None, *, year: int, notes: str = ""
) -> ReadWindow:
    """Read a written time.

    Args:
        written: the words, or what a date or number cell of a workbook holds.
        year: the plan's year.
        notes: what the line's remarks say; read only for how often it is held ("全年4场").

    Returns:
        The windows, and problems. With an error the one window is unknown.
    """
    if written is None or isinstance(written, bool):
        return ReadWindow((UNKNOWN,))
    if isinstance(written, int | float):
        return _read_number(written, year=year, notes=notes)
    if isinstance(written, datetime):
        clock = written.time().replace(second=0, microsecond=0, tzinfo=None)
        return _read_date(written.date(), clock if clock != time() else None, year=year)
    if isinstance(written, date):
        return _read_date(written, None, year=year)
    if isinstance(written, time):
        return _problem(TimeCode.NOT_UNDERSTOOD, f"{written:%H:%M}")
    text = written.strip()
    if len(text) > LONGEST:
        return _problem(TimeCode.NOT_UNDERSTOOD, text[:LONGEST])
    try:
        return _read_text(text, year=year, notes=notes)
    except NoSuchTime:
        return _problem(TimeCode.NO_SUCH_DATE, text)
    except EndBeforeStart:
        return _problem(TimeCode.END_BEFORE_START, text)
    except OtherYear:
        return _problem(TimeCode.OTHER_YEAR, text)


def _problem(code: TimeCode, words: str) -> ReadWindow:
    return ReadWindow((UNKNOWN,), (TimeProblem(code, words),))


def _read_date(on: date, clock: time | None, *, year: int) -> ReadWindow:
    if on.year != year:
        return _problem(TimeCode.OTHER_YEAR, on.isoformat())
    return ReadWindow((time_spans.day(on, clock),))


def _read_number(number: float, *, year: int, notes: str) -> ReadWindow:
    """Read a number cell: a date without a date format, or 5.14 for the 14th of May."""
    words = f"{number:.10g}"
    # 5.1 may have been typed as 5.10: only two decimals say a day for certain.
    if not re.fullmatch(r"\d+(?:\.\d\d)?", words):
        return _problem(TimeCode.NOT_UNDERSTOOD, words)
    return read_window(words, year=year, notes=notes)


_NOTHING_SAID = re.compile(
    r"(?:时间|日期|date|time|dates)?[:\s]*(?:待定|未定|待确定|待商定|待通知|另行通知|另定|"
    r"视情况?而?定|暂未确定|无|tbd|tbc|tba|n/?a|none|pending|open|unknown|"
    r"to be (?:determined|confirmed|announced|decided|agreed))?[\s.。]*|[-—–/\\~*.…\s]+",
)


def _read_text(text: str, *, year: int, notes: str) -> ReadWindow:
    if _NOTHING_SAID.fullmatch(plain_line(text)):
        return _repeated((UNKNOWN,), _said_count(plain(notes), loose=False))
    if re.fullmatch(r"[0-9]{5}", text) and int(text) in EXCEL_DAYS:
        return _read_date(EXCEL_EPOCH + timedelta(days=int(text)), None, year=year)
    rest, days = weekdays(text)
    words = plain(rest)
    outside, inside = brackets(words)
    flat = re.sub(r"[()\[\]【】〔〕]+", " ", words)
    read = (
        _read_repeating(words, notes, year=year)
        or _read_plain(flat, words, notes, year=year)
        or _read_plain(outside, words, notes, year=year)
        or next(filter(None, (_read_quietly(part, year=year) for part in inside)), None)
    )
    if read is None:
        if _NOTHING_SAID.fullmatch(plain_line(outside)):
            return _repeated((UNKNOWN,), _said_count(plain(notes), loose=False))
        return _problem(TimeCode.NOT_UNDERSTOOD, text)
    if len(read.windows) > 1 and re.search(r"或|\bor\b", text, re.IGNORECASE):
        # "3月或9月": held once, and nobody knows yet when.
        return _problem(TimeCode.NOT_UNDERSTOOD, text)
    return _with_weekdays_checked(read, days, text)


def plain_line(text: str) -> str:
    """Return the words in lower case and half width, without brackets around the whole."""
    return plain(text).strip(" ()[]【】") if text else ""


def _read_quietly(words: str, *, year: int) -> ReadWindow | None:
    """Read what stands in brackets; what cannot be read there is an aside."""
    try:
        return _read_plain(words, words, "", year=year)
    except (NoSuchTime, EndBeforeStart, OtherYear):
        return None


_TOTAL = re.compile(
    r"(?:(?:全年|年内|全期|每年|总计|合计|共计|总共|一共|共|计|分)\D{0,8}?|^)"
    r"(?<!第)(?<!\d)(\d{1,6})(?:场|次|期|批|轮)(?:次|活动|会议)?"
)
_LOOSE = re.compile(r"(?<![第\d~.])(\d{1,6})(?:场|次|期|批|轮)(?:次|活动|会议)?")


def _said_count(words: str, *, loose: bool) -> int | None:
    """Return how often the words say something is held; loose: "4场" suffices without "全年"."""
    for pattern in (_TOTAL, _LOOSE) if loose else (_TOTAL,):
        match = pattern.search(words)
        if match and int(match.group(1)) > 0:
            return int(match.group(1))
    return None


def _without_count(words: str) -> str:
    words = _TOTAL.sub(" ", words)
    return re.sub(r"\s+", " ", _LOOSE.sub(" ", words)).strip(" 、~,.()")


def _read_plain(outside: str, words: str, notes: str, *, year: int) -> ReadWindow | None:
    """Read a time that does not repeat; None when the words are not understood."""
    count = _said_count(words, loose=True)
    rest = _without_count(outside)
    if count and rest and _NOTHING_SAID.fullmatch(rest):
        return _repeated((UNKNOWN,), count)
    rest = re.sub(r"^(?:每年|(?:日期|时间)?待定[、,]?)", "", rest)
    rest = rest or ("全年" if count or "全年" in outside else "")
    windows = _windows_of(rest, year=year)
    if windows is None:
        return None
    if count is None and windows[0].precision not in (Precision.DAY, Precision.TEN_DAYS):
        count = _said_count(plain(notes), loose=False)
    if len(windows) > 1 and count != len(windows):
        windows = _one_stretch(windows)
    return _repeated(windows, count)


def _windows_of(words: str, *, year: int) -> tuple[Window, ...] | None:
    found = tokens(words)
    if not found:
        return None
    try:
        return tuple(read_expression(found, year=year))
    except NotUnderstood:
        return None


def _one_stretch(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """Return one window for a list without gaps (七、八月), the list itself otherwise."""
    if all(time_spans.adjoin(first, second) for first, second in pairwise(windows)):
        return (time_spans.joined(windows[0], windows[-1]),)
    return windows


def _repeated(windows: tuple[Window, ...], count: int | None) -> ReadWindow:
    if count is None or len(windows) > 1 or count == 1:
        return ReadWindow(windows)
    if count > MOST_TIMES:
        return ReadWindow(windows, (TimeProblem(TimeCode.COUNT_TOO_LARGE, str(count)),))
    return ReadWindow(windows * count)


_EACH = re.compile(
    r"(?:每1?个?|各个?|逐个?|按)(?P<unit>季度|季|月|半年)(?:度)?"
    r"(?P<part>上旬|中旬|下旬|初|底|末|(?P<day>\d{1,2})[日号])?(?:各|均|定期)?"
    r"(?P<direct>(?:举办|召开|组织|开展)?(?P<count>\d{1,3})(?:场|次|期))?"
    r"|(?<![\d第])季度?末"
)


def _read_repeating(words: str, notes: str, *, year: int) -> ReadWindow | None:
    """Read "每季度末", "每月", "3~12月每月"; None when it is not of that form."""
    words = re.sub(r"[()\[\]【】〔〕,、]+", " ", words) if "每" in words or "季" in words else words
    match = _EACH.search(words)
    if match is None:
        return None
    rest = f"{words[: match.start()]} {words[match.end() :]}"
    outer = _windows_of(re.sub(r"^\s*每年", "", _without_count(rest)) or "全年", year=year)
    if outer is None or len(outer) != 1:
        return None
    periods = _periods_in(outer[0], match.group("unit") or "季度")
    windows = tuple(_within(period, match) for period in periods)
    if not windows:
        return None
    direct = int(match.group("count") or 0)
    if 0 < direct < len(windows):
        return _spread(windows, direct * len(windows))
    count = direct or _said_count(rest, loose=True) or _said_count(plain(notes), loose=True)
    return _spread(windows, count or len(windows))


def _periods_in(outer: Window, unit: str) -> list[Window]:
    """Return the months, quarters or half-years that lie within a window."""
    if outer.start is None or outer.end is None:
        return []
    found: list[Window] = []
    for year in range(outer.start.year, outer.end.year + 1):
        if unit == "月":
            found += [time_spans.month(year, number) for number in range(1, 13)]
        elif unit == "半年":
            found += [time_spans.half_year(year, number) for number in (1, 2)]
        else:
            found += [time_spans.quarter(year, number) for number in range(1, 5)]
    return [
        period
        for period in found
        if period.start and period.end and outer.start <= period.start and period.end <= outer.end
    ]


def _within(period: Window, match: re.Match[str]) -> Window:
    """Return the part of a period that "每季度末" or "每月15日" names."""
    if period.start is None or period.end is None:
        return period
    if match.group("day"):
        number = int(match.group("day"))
        if not 1 <= number <= 31:
            raise NoSuchTime
        end = time_spans.last_day_of(period.start.year, period.start.month)
        return time_spans.day(end.replace(day=min(number, end.day)))
    part = match.group("part") or ("" if match.group("unit") else "末")
    return time_spans.edge_of(period, part) if part else period


def _spread(windows: tuple[Window, ...], count: int) -> ReadWindow:
    """Lay `count` times evenly over the windows; say so when it does not come out even."""
    if count > MOST_TIMES:
        return ReadWindow(windows, (TimeProblem(TimeCode.COUNT_TOO_LARGE, str(count)),))
    laid = tuple(windows[index * len(windows) // count] for index in range(count))
    if count % len(windows) and len(windows) % count:
        return ReadWindow(laid, (TimeProblem(TimeCode.COUNT_UNEVEN, str(count)),))
    return ReadWindow(laid)


def _with_weekdays_checked(read: ReadWindow, days: tuple[int, ...], text: str) -> ReadWindow:
    """Add a warning when the weekday written beside a day is another one."""
    window = read.windows[0]
    if window.precision != Precision.DAY or len(read.windows) > 1 or not days:
        return read
    ends = [window.start] if len(days) == 1 else [window.start, window.end]
    actual = tuple(day.weekday() for day in ends if day is not None)
    if len(days) > 2 or actual == days or (len(days) == 1 and window.start != window.end):
        return read
    return replace(read, problems=(*read.problems, TimeProblem(TimeCode.WEEKDAY_DIFFERS, text)))
