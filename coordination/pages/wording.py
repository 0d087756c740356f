"""Days, spans and windows in words, in both languages; pure.

>>> days_in_words(date(2024, 9, 20), date(2024, 9, 21), language="zh-hans")
'9月20–21日'
>>> window_in_words(date(2024, 5, 11), date(2024, 5, 20), precision="ten_days", language="en")
'mid-May'
"""

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coordination.bilingual import ENGLISH, language_or_default

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
SHORT_MONTHS = tuple(name[:3] for name in MONTHS)
WEEKDAYS_ZH = "一二三四五六日"
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
THIRDS_ZH = ("上旬", "中旬", "下旬")
THIRDS_EN = ("early ", "mid-", "late ")

DAY_MINUTES = 24 * 60
UNITS_ZH = {"day": "天", "hour": "小时", "minute": "分钟"}

SAYS_NO_DATE = frozenset({"待定", "时间待定", "tbd", "tba", "tbc"})
"""What plans write where no date is known; shown in the reader's own words."""

ZONE_NAMES = {"Asia/Shanghai": {"zh-hans": "北京时间", "en": "Beijing time"}}
"""Zones that people call by another name than the database's."""

NO_DATE = {"zh-hans": "待定", "en": "no date yet"}


def is_english(language: str) -> bool:
    """Return whether texts are wanted in English."""
    return language_or_default(language) == ENGLISH


def duration_in_words(length: timedelta, *, language: str) -> str:
    """Return "1小时31分钟" or "1 hour 31 minutes": to the minute, from two days on to the hour.

    From a week on whole days are said; anything shorter than a minute is one.

    Args:
        length: exact time; its sign does not matter.
        language: of the words.
    """
    minutes = max(1, round(abs(length).total_seconds() / 60))
    if minutes < 2 * DAY_MINUTES:
        parts = {"hour": minutes // 60, "minute": minutes % 60}
    else:
        hours = round(minutes / 60) if minutes < 7 * DAY_MINUTES else round(minutes / 1440) * 24
        parts = {"day": hours // 24, "hour": hours % 24}
    if is_english(language):
        said = (f"{n} {unit}{'' if n == 1 else 's'}" for unit, n in parts.items() if n)
        return " ".join(said)
    return "".join(f"{n}{UNITS_ZH[unit]}" for unit, n in parts.items() if n)


def month_in_words(year: int, month: int, *, language: str) -> str:
    """Return "2026年3月" or "March 2026"."""
    return f"{MONTHS[month - 1]} {year}" if is_english(language) else f"{year}年{month}月"


def month_name(month: int, *, language: str) -> str:
    """Return "3月" or "Mar"."""
    return SHORT_MONTHS[month - 1] if is_english(language) else f"{month}月"


def weekday_name(day: date, *, language: str) -> str:
    """Return "周四" or "Thu"."""
    number = day.weekday()
    return WEEKDAYS_EN[number] if is_english(language) else f"周{WEEKDAYS_ZH[number]}"


def day_in_words(day: date, *, language: str, with_year: bool = False) -> str:
    """Return "5月14日" or "14 May", with the year where it is wanted."""
    if is_english(language):
        words = f"{day.day} {SHORT_MONTHS[day.month - 1]}"
        return f"{words} {day.year}" if with_year else words
    words = f"{day.month}月{day.day}日"
    return f"{day.year}年{words}" if with_year else words


def days_in_words(first: date, last: date, *, language: str, with_year: bool = False) -> str:
    """Return a stretch of days, both included, as short as it can be said."""
    if last <= first:
        return day_in_words(first, language=language, with_year=with_year)
    if first.year != last.year:
        start = day_in_words(first, language=language, with_year=True)
        return f"{start} – {day_in_words(last, language=language, with_year=True)}"
    if first.month != last.month:
        english = is_english(language)
        start = day_in_words(first, language=language, with_year=with_year and not english)
        end = day_in_words(last, language=language, with_year=with_year and english)
        return f"{start} – {end}" if english else f"{start}–{end}"
    if is_english(language):
        year = f" {first.year}" if with_year else ""
        return f"{first.day}–{last.day} {SHORT_MONTHS[first.month - 1]}{year}"
    year = f"{first.year}年" if with_year else ""
    return f"{year}{first.month}月{first.day}–{last.day}日"


def window_in_words(
    first: date | None, last: date | None, *, precision: str, language: str, written: str = ""
) -> str:
    """Return a planned window in words.

    Args:
        first: First day, or None when no date is known.
        last: Last day, included.
        precision: "day", "ten_days", "month", "quarter", "half_year", "year" or "unknown".
        language: "zh-hans" or "en".
        written: The words of the plan; shown where no date is known.
    """
    if first is None or last is None:
        has_words = written and written.strip().casefold() not in SAYS_NO_DATE
        return written if has_words else NO_DATE[language_or_default(language)]
    if precision == "year":
        return f"all of {first.year}" if is_english(language) else f"{first.year}年全年"
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    begins, ends = first.day == 1, last.day == monthrange(last.year, last.month)[1]
    if precision == "half_year" and begins and ends and months == 6:
        half = 1 if first.month == 1 else 2
        return f"H{half}" if is_english(language) else ("上半年" if half == 1 else "下半年")
    if precision == "quarter" and begins and ends and months == 3:
        quarter = (first.month + 2) // 3
        return f"Q{quarter}" if is_english(language) else f"第{'一二三四'[quarter - 1]}季度"
    if precision == "month" and begins and ends and first.year == last.year:
        return _months(first.month, last.month, language)
    if precision == "ten_days" and months == 1:
        words = _third(first, last, language)
        if words:
            return words
    return days_in_words(first, last, language=language)


def clock_in_words(moment: datetime | time) -> str:
    """Return "09:30"."""
    return moment.strftime("%H:%M")


def zone_name(zone: str, *, language: str) -> str:
    """Return what people call a zone: "北京时间", or the database's name."""
    return ZONE_NAMES.get(zone, {}).get(language_or_default(language), zone)


def zone_in_words(zone: str, moment: datetime, *, language: str) -> str:
    """Return "Beijing time, UTC+8" or "北京时间，UTC+8", as it is at an aware moment."""
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    sign = "+" if minutes >= 0 else "−"
    hours, rest = divmod(abs(minutes), 60)
    comma = ", " if is_english(language) else "，"
    name = zone_name(zone, language=language)
    return f"{name}{comma}UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


def span_in_words(
    starts: datetime, ends: datetime, *, language: str, is_all_day: bool = False
) -> str:
    """Return a stretch of time in one zone: "2024年5月14日 周二 09:30–11:30".

    Args:
        starts: First moment; naive or in the zone in which it is to be read.
        ends: First moment after it, in the same zone.
        language: "zh-hans" or "en".
        is_all_day: Only the dates count; an end at midnight is not that day.
    """
    first = starts.date()
    midnight = ends.time() == time()
    last = max(first, ends.date() - timedelta(days=1)) if midnight else ends.date()
    days = days_in_words(first, last, language=language, with_year=True)
    if is_all_day:
        if first == last:
            return f"{days} {weekday_name(first, language=language)}"
        return days
    if first == last:
        end = "24:00" if midnight and ends.date() > first else clock_in_words(ends)
        weekday = weekday_name(first, language=language)
        return f"{days} {weekday} {clock_in_words(starts)}–{end}"
    start = day_in_words(first, language=language, with_year=True)
    finish = day_in_words(ends.date(), language=language, with_year=first.year != ends.year)
    return f"{start} {clock_in_words(starts)} – {finish} {clock_in_words(ends)}"


def _months(first: int, last: int, language: str) -> str:
    """Return "5月", "5–6月", "May", "May–June"."""
    if is_english(language):
        return MONTHS[first - 1] if first == last else f"{MONTHS[first - 1]}–{MONTHS[last - 1]}"
    return f"{first}月" if first == last else f"{first}–{last}月"


def _third(first: date, last: date, language: str) -> str:
    """Return "5月中旬" or "mid-May" for a ten-day third, "" for anything else."""
    ends = (10, 20, monthrange(first.year, first.month)[1])
    for number, (start, end) in enumerate(zip((1, 11, 21), ends, strict=True)):
        if first.day == start and last.day == end:
            if is_english(language):
                return f"{THIRDS_EN[number]}{MONTHS[first.month - 1]}"
            return f"{first.month}月{THIRDS_ZH[number]}"
    return ""
