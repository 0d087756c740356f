"""The words in which plans write times, brought to one plain form and cut into tokens; pure.

Secretariats write "５月１４日（周二）上午９：３０", "二〇二四年五月中旬", "Q2", "2–4 July 2024".
`plain` brings all of them to Arabic digits with 年, 月, 日, 季度 and two marks, "~" for a range and
"、" for a list. `tokens` cuts that into words; a text with anything else in it has no tokens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH_NAME = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)\b\.?"
)
NUMERALS = {character: value for value, character in enumerate("零一二三四五六七八九")}
NUMERALS |= {"〇": 0, "○": 0, "两": 2}
NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
LONGEST_NUMERAL = 8
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "七": 6}
ENGLISH_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_WEEKDAY = re.compile(
    r"\(?\s*(?<!每)(?:周|星期|礼拜)\s*([一二三四五六日天七1-7])\s*\)?"
    r"|\(?\b(mon|tue|wed|thu|fri|sat|sun)(?:day|sday|nesday|rsday|urday|s|rs|r)?\b\.?\s*\)?,?",
)
_NUMERAL_RUN = re.compile(r"[零〇○一二三四五六七八九十两廿卅]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a written time.

    Attributes:
        kind: "year", "half", "quarter", "month", "part", "day", "clock", "period", "number",
            "span" or "mark".
        value: its number, or the word itself for parts, spans, periods and marks.
        detail: for a quarter its part ("末"), for a clock the minutes.
        period: for a clock the words before or after it ("下午").
    """

    kind: str
    value: int | str
    detail: int | str = ""
    period: str = ""


def plain(text: str) -> str:
    """Bring a written time to the plain form; brackets and unknown words are left in it."""
    words = unicodedata.normalize("NFKC", text).lower().replace("\u3000", " ")
    words = re.sub(r"[‐‑‒–—―−─﹣~∼〜～]+", "-", words)
    words = re.sub(r"-{2,}", "-", words)
    words = re.sub(r"(?<=\w)\s*['’](\d\d)\b", r" 20\1", words)
    words = re.sub(r"[“”\"'‘’。;!?…]+", " ", words).strip(" ,.、-")
    words = re.sub(r"\s+", " ", words)
    words = re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])", "", words)
    if re.search(r"[a-z]", words):
        words = _english(words)
    words = _numerals(words)
    words = re.sub(r"(?<=\d) (?=[年月日号季点时分旬场次])|(?<=第) (?=\d)", "", words)
    words = re.sub(r"(?<=\d日) ?00:00(?::00)?$|(?<=\d)[ t]00:00:00$", "", words)
    words = _dates(words)
    return _marks(words)


def weekdays(text: str) -> tuple[str, tuple[int, ...]]:
    """Take the weekdays out of a text.

    Returns:
        The text without them, and the weekdays in order of writing (0 = Monday).
    """
    lowered = unicodedata.normalize("NFKC", text).lower()
    found: list[int] = []

    def take(match: re.Match[str]) -> str:
        chinese, english = match.groups()
        if english:
            found.append(ENGLISH_WEEKDAYS.index(english))
        else:
            found.append(int(chinese) - 1 if chinese.isdigit() else WEEKDAYS[chinese])
        return " "

    rest = _WEEKDAY.sub(take, lowered)
    return rest, tuple(found)


def brackets(text: str) -> tuple[str, list[str]]:
    """Return a plain text without its bracketed parts, and those parts."""
    inside = re.findall(r"[(\[【〔]([^()\[\]【】〔〕]*)[)\]】〕]", text)
    return re.sub(r"[(\[【〔][^()\[\]【】〔〕]*[)\]】〕]", " ", text), inside


def numeral(run: str) -> int:
    """Return the value of a run of Chinese numerals: 二十四 is 24, 二〇二四 is 2024, 廿五 is 25."""
    run = run.replace("廿", "二十").replace("卅", "三十")
    if "十" not in run:
        return int("".join(str(NUMERALS[character]) for character in run))
    tens, _, ones = run.partition("十")
    return (numeral(tens) if tens else 1) * 10 + (numeral(ones) if ones else 0)


def _numerals(words: str) -> str:
    words = re.sub(
        r"(?<![零〇一二三四五六七八九十])([一二三四五六七八九])([一二三四五六七八九])(?=月|季度)",
        r"\1、\2",
        words,
    )

    def digits(match: re.Match[str]) -> str:
        run = match.group()
        is_number = run.count("十") < 2 and len(run) <= LONGEST_NUMERAL
        return str(numeral(run)) if is_number else run

    return _NUMERAL_RUN.sub(digits, words)


def _english(words: str) -> str:
    """Bring English wording to the Chinese marks that the tokens know."""
    words = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", words)
    words = re.sub(r"\b(tbd|tbc|tba)\b", "待定", words)
    for pattern, replacement in _ENGLISH:
        words = pattern.sub(replacement, words)
    return words


def _month_number(match: re.Match[str]) -> str:
    return f" {MONTHS.index(match.group()[:3]) + 1}月 "


def _ordinal(match: re.Match[str]) -> str:
    words = {"first": 1, "second": 2, "third": 3, "fourth": 4}
    return str(words.get(match.group(1), match.group(1)[:1]))


def _quarter_words(match: re.Match[str]) -> str:
    return f"第{_ordinal(match)}季度"


def _half_words(match: re.Match[str]) -> str:
    return " 上半年 " if _ordinal(match) == "1" else " 下半年 "


def _half_month_words(match: re.Match[str]) -> str:
    return " 上半月 " if _ordinal(match) == "1" else " 下半月 "


def _count_words(match: re.Match[str]) -> str:
    word = match.group(1)
    number = NUMBER_WORDS.index(word) + 1 if word in NUMBER_WORDS else int(word)
    return f" {number}场 "


Replacement = str | Callable[[re.Match[str]], str]

_ORDINAL = r"(first|second|third|fourth|1st|2nd|3rd|4th)"
_ENGLISH: list[tuple[re.Pattern[str], Replacement]] = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\b(?:to be|tba) ?(?:determined|confirmed|announced|decided|agreed)\b", "待定"),
        (r"\b(?:date|dates|time) (?=待定)", ""),
        (
            rf"\b(\d+|{'|'.join(NUMBER_WORDS)}) (?:events?|times|sessions?|meetings?)\b",
            _count_words,
        ),
        (r"\b(?:at )?(?:the )?ends? of (?:each|every|the) quarter\b(?! of)", " 每季度末 "),
        (r"\b(?:each|every) quarter[- ]end\b|\bquarter[- ]ends?\b", " 每季度末 "),
        (r"\bquarterly\b|\b(?:each|every|per) quarter\b", " 每季度 "),
        (r"\b(?:at )?(?:the )?ends? of (?:each|every) month\b|\bmonth[- ]ends?\b", " 每月末 "),
        (r"\bmonthly\b|\b(?:each|every|per) month\b", " 每月 "),
        (r"\bhalf[- ]?yearly\b|\bsemi-?annual(?:ly)?\b|\btwice a year\b", " 每半年 "),
        (
            r"\b(?:all year(?: round)?|all through the year|year[- ]?round|throughout the year)\b",
            " 全年 ",
        ),
        (r"\b(?:whole|full|entire|all of the) year\b", " 全年 "),
        (r"\b(?:year[- ]end|(?:the )?end of (?:the )?year)\b", " 年底 "),
        (r"\b(?:beginning|start) of (?:the )?year\b", " 年初 "),
        (rf"\b{_ORDINAL}[- ](?:quarter)\b", _quarter_words),
        (r"\bq\s?([1-4])\b|\b([1-4])q\b", r"第\1\2季度"),
        (rf"\b(?:the )?{_ORDINAL} half of (?={MONTH_NAME})", _half_month_words),
        (rf"\b(?:the )?{_ORDINAL} half(?: of the year| year)?\b", _half_words),
        (r"\b(?:h1|1h)\b", " 上半年 "),
        (r"\b(?:h2|2h)\b", " 下半年 "),
        (r"\bmid[- ]+(?:to[- ]+)?late\b", " 中下旬 "),
        (r"\bearly[- ]+(?:to[- ]+)?mid\b", " 上中旬 "),
        (r"\b(?:the )?(?:beginning|start) of\b|\bearly\b", " 上旬 "),
        (r"\b(?:the )?middle of\b|\bmid\b", " 中旬 "),
        (r"\b(?:the )?end of\b|\blate\b", " 下旬 "),
        (r"(?<=旬)[ -]+", " "),
        (r"(\d)(?:st|nd|rd|th)\b", r"\1"),
        (rf"({MONTH_NAME}\s*\d{{0,2}}),\s*(?=\d{{4}}\b)", r"\1 "),
        (rf"\b{MONTH_NAME}", _month_number),
        (r"\b(?:from|between|the|of|on|in|at|during|about|around|approx|planned|for|year)\b", " "),
        (r"\b(?:to|until|till|through|thru)\b", "-"),
        (r"\b(?:and|or)\b|&", "、"),
        (r",\s*(?=\d{1,2}(?::\d\d|\s?[ap]m))|,\s*(?=(?:19|20)\d\d\b)", " "),
    )
]


def _dates(words: str) -> str:
    """Bring numeric dates (ISO, dots, slashes) to 年, 月, 日."""
    words = re.sub(r"(?<=\d)\s*([./])\s*(?=\d)", r"\1", words)
    words = re.sub(r"(\d{4}-\d\d-\d\d)/(?=\d{4}-\d\d)", r"\1~", words)
    words = re.sub(r"(?<!\d)((?:19|20)\d\d)([01]\d)([0-3]\d)(?!\d)", r"\1年\2月\3日", words)
    words = re.sub(
        r"(?<!\d)(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})(?!\d)(?:日|号)?(?:t(?=\d))?",
        r"\1年\2月\3日 ",
        words,
    )
    words = re.sub(r"(?<!\d)(\d{1,2})([/.])(\d{1,2})\2(\d{4})(?!\d)", _western, words)
    words = re.sub(r"(?<!\d)((?:19|20)\d\d)[-./](\d{1,2})(?![\d月])(?!\s*日)", r"\1年\2月", words)
    return re.sub(
        r"(?<![\d.:])(0?[1-9]|1[0-2])[./](\d{1,2})(?![\d.:])(?!\s*[月季])日?", r"\1月\2日 ", words
    )


def _western(match: re.Match[str]) -> str:
    """Read 14/05/2024 and 05/14/2024; 05/06/2024 could be either day, so it is not read."""
    first, second, year = int(match[1]), int(match[3]), match[4]
    if first > 12 or first == second:
        return f"{year}年{second}月{first}日 "
    if second > 12:
        return f"{year}年{first}月{second}日 "
    return UNREADABLE


def _marks(words: str) -> str:
    """Bring range and list marks to one form, and leave out what says nothing about time."""
    words = re.sub(r"至于|到位", UNREADABLE, words)
    words = re.sub(r"\s*(?:-|至|到)+\s*", "~", words)
    words = re.sub(r"\s*(?:[、,/]|和|及|与|暨|或者?)+\s*", "、", words)
    words = (
        re.sub(
            r"北京时间|具体(?:日期|时间)?(?:另行通知|待定|待通知|另定)|(?:日期|时间)待定",
            " ",
            words,
        )
        if _says_more(words)
        else words
    )
    words = re.sub(
        r"初步定于|计划于?|预计于?|预定于?|拟定?于?|暂定于?|定于|原则上|大约|约|于|在", " ", words
    )
    words = re.sub(r"(?<=[月旬初底末度年半])\s*(?:左右|前后|期间|之间|内|间|份)", "", words)
    words = re.sub(r"(?:举行|举办|召开|开展|进行|启动)\s*$", "", words)
    return re.sub(r"\s+", " ", words).strip(" 、~,.")


def _says_more(words: str) -> bool:
    return bool(re.search(r"\d\s*[月日号季]|半年|全年", words))


_PERIOD = r"上午|下午|晚上|晚间|早上|早晨|清晨|凌晨|中午|傍晚|夜间|早|晚|am|pm"
_TOKEN = re.compile(
    rf"""
    (?P<clock>(?P<before>{_PERIOD})?\s*(?P<hour>\d{{1,2}})\s*
        (?: :(?P<colon>\d\d)(?::\d\d)? | [点时](?P<word>半|1刻|3刻|整|(?P<minute>\d{{1,2}})分?)?
          | (?=\s*[ap]m\b) )
        \s*(?P<after>am\b|pm\b)?)
    | (?P<relative>次年|翌年|来年|明年|第2年|去年|上年|今年|本年度?|当年)
    | (?P<year>(?:19|20)\d\d)(?:\s*年(?![初底末尾]|中(?!旬))度?)? | (?P<short>\d\d)年
    | (?P<span>全年|年初|年中|年底|年末|岁末|年尾)
    | (?P<half>[上下])半年
    | 第?(?P<quarter>\d+)季(?:度)?(?P<edge>末|底|初)?
    | (?P<month>\d+)月份?
    | (?P<part>上中旬|中上旬|中下旬|上旬|中旬|下旬|上半月|下半月|初|底|末|上(?=~)|中|下(?!午))
    | (?P<day>\d+)[日号]
    | (?P<period>{_PERIOD}|全天)
    | 第?(?P<number>\d{{1,2}})
    | (?P<mark>[~、])
    """,
    re.VERBOSE,
)


def tokens(words: str) -> list[Token] | None:
    """Cut a plain text into tokens; None when it has anything else in it."""
    found: list[Token] = []
    position = 0
    words = words.strip()
    while position < len(words):
        if words[position] == " ":
            position += 1
            continue
        match = _TOKEN.match(words, position)
        if match is None:
            return None
        found.append(_token(match))
        position = match.end()
    return found


def _token(match: re.Match[str]) -> Token:
    groups = match.groupdict()
    if groups["clock"]:
        return Token(
            "clock",
            int(groups["hour"]),
            _minutes(groups),
            groups["before"] or groups["after"] or "",
        )
    if groups["short"]:
        return Token("year", 2000 + int(groups["short"]))
    if groups["quarter"]:
        return Token("quarter", int(groups["quarter"]), groups["edge"] or "")
    for kind in ("year", "month", "day", "number"):
        if groups[kind]:
            return Token(kind, int(groups[kind]))
    kind = next(
        name for name in ("relative", "span", "half", "part", "period", "mark") if groups[name]
    )
    return Token(kind, groups[kind])


def _minutes(groups: dict[str, str | None]) -> int:
    if groups["colon"] or groups["minute"]:
        return int(groups["colon"] or groups["minute"] or 0)
    return {"半": 30, "1刻": 15, "3刻": 45}.get(groups["word"] or "", 0)
