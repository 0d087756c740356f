"""A stored plan in the words of a workbook: what export writes, and what import compares with.

Both go through `cells_of`, so that importing an export can find no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext_noop

from alliances.models import Plan, PlanItem
from alliances.time_spans import PARTS, Precision, Window, last_day_of
from alliances.windows import read_window
from coordination.workbooks.cell_words import split_names
from coordination.workbooks.reading import cleaned

FIELDS = (
    "number",
    "work_area",
    "title",
    "type",
    "hosts",
    "place",
    "time",
    "participants",
    "notes",
)
HEADINGS: Mapping[str, str] = {
    "number": "序号",
    "work_area": "工作方面",
    "title": "活动名称",
    "type": "活动类型",
    "hosts": "主办/承办单位",
    "place": "地点",
    "time": "时间",
    "participants": "参加单位",
    "notes": "备注",
}
FIELD_NAMES: Mapping[str, str] = {
    "number": gettext_noop("No."),
    "work_area": gettext_noop("Work area"),
    "title": gettext_noop("Activity"),
    "type": gettext_noop("Type"),
    "hosts": gettext_noop("Hosts"),
    "place": gettext_noop("Place"),
    "time": gettext_noop("Time"),
    "participants": gettext_noop("Participants"),
    "notes": gettext_noop("Remarks"),
    "windows": gettext_noop("Planned days"),
}
HOST_MARK = "、"
TEN_DAYS = {first_last: part for part, first_last in reversed(PARTS.items()) if "旬" in part}
HALVES = {(1, 15): "上半月", (16, 31): "下半月"}


def cells_of(item: PlanItem) -> dict[str, str]:
    """Return a line as its cells would be written; `hosts` with "、" between the names."""
    area = item.work_area
    hosts = HOST_MARK.join(host.name for host in item.hosts.all())
    return {
        "number": item.number,
        "work_area": one_line(str(area)) if area else "",
        "title": one_line(str(item)),
        "type": tidy(item.type_text),
        "hosts": HOST_MARK.join(split_names(tidy(hosts))),
        "place": tidy(item.place_text),
        "time": time_of(item),
        "participants": tidy(item.participants_text),
        "notes": tidy(item.notes),
    }


def tidy(text: str) -> str:
    """Return a text as reading a cell would give it."""
    return str(cleaned(text) or "")


def one_line(text: str) -> str:
    """Return a text on one line, single spaces."""
    return " ".join(tidy(text).split())


def time_of(item: PlanItem) -> str:
    """Return the words for a line's time: as written, unless the time was changed since."""
    words = one_line(item.window_text)
    windows = tuple(Window.from_json(stored) for stored in item.windows)
    if read_window(words, year=item.plan.year, notes=item.notes).windows == windows:
        return words
    said = words_for(windows, year=item.plan.year)
    if words and all(window.start is None for window in windows):
        return words
    return said


def title_of(plan: Plan) -> str:
    """Return the title row of a plan."""
    return one_line(str(plan))


def note_of(plan: Plan) -> str:
    """Return the note row under the title; it says the target when nothing else does."""
    if plan.note or plan.target_number is None:
        return tidy(plan.note)
    return f"注：全年计划组织开展{plan.target_number}场活动。"


def words_for(windows: Sequence[Window], *, year: int) -> str:
    """Return Chinese words that read back as these windows."""
    if not windows or windows[0].start is None:
        return f"待定，共{len(windows)}场" if len(windows) > 1 else "待定"
    if len(set(windows)) == 1 and len(windows) > 1:
        return f"{_words(windows[0], year)}，共{len(windows)}场"
    said = "、".join(_words(window, year) for window in windows)
    if read_window(said, year=year).windows != tuple(windows):
        said = f"{said}，共{len(windows)}场"
    return said


def _words(window: Window, year: int) -> str:
    if window.start is None or window.end is None:
        return "待定"
    start, end = window.start, window.end
    first, last = _point(start, start, window), _point(end, end, window, is_last=True)
    next_year = "次年" if start.year == year + 1 else ""
    whole = _whole(start, end, window.precision)
    if whole:
        return f"{next_year}{whole}"
    if end.year != start.year:
        last = f"次年{last}"
    clock = _clock(window)
    return f"{next_year}{first}{clock}" if start == end else f"{next_year}{first}至{last}{clock}"


def _whole(start: date, end: date, precision: Precision) -> str:
    """Return the name of a period that has one: 5月中旬, 第二季度, 上半年, 全年."""
    is_full = start.day == 1 and end == last_day_of(end.year, end.month)
    if start.year != end.year or not (is_full or precision is Precision.TEN_DAYS):
        return ""
    months = (start.month, end.month)
    names = {
        Precision.YEAR: {(1, 12): "全年"},
        Precision.HALF_YEAR: {(1, 6): "上半年", (7, 12): "下半年"},
        Precision.QUARTER: {(n * 3 - 2, n * 3): f"第{'一二三四'[n - 1]}季度" for n in (1, 2, 3, 4)},
        Precision.MONTH: {(n, n): f"{n}月" for n in range(1, 13)},
    }
    if precision is Precision.TEN_DAYS and start.month == end.month:
        days = (start.day, 31 if end == last_day_of(end.year, end.month) else end.day)
        return f"{start.month}月{part}" if (part := TEN_DAYS.get(days) or HALVES.get(days)) else ""
    return names.get(precision, {}).get(months, "")


def _point(day: date, on: date, window: Window, *, is_last: bool = False) -> str:
    """Return one end of a range, as exact as the window is."""
    month = f"{on.month}月"
    if window.precision is Precision.TEN_DAYS:
        return month + ("上旬" if day.day <= 10 else "中旬" if day.day <= 20 else "下旬")
    if window.precision is Precision.DAY:
        return f"{month}{on.day}日"
    if window.precision is Precision.QUARTER:
        return f"第{'一二三四'[(on.month - 1) // 3]}季度"
    is_whole = on == last_day_of(on.year, on.month) if is_last else on.day == 1
    return month if is_whole else f"{month}{on.day}日"


def _clock(window: Window) -> str:
    if window.start_time is None:
        return ""
    end = f"-{window.end_time:%H:%M}" if window.end_time else ""
    return f"{window.start_time:%H:%M}{end}"


def windows_of(item: PlanItem) -> list[dict[str, Any]]:
    """Return a line's windows in the form that `Window.as_json` gives."""
    return [Window.from_json(stored).as_json() for stored in item.windows]
