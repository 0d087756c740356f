"""Take a text out of what calendars show around it, when a program sends all of it back. Pure.

A title is shown with the mark of a state, a description between news and facts
(`events.calendar_event`). Whoever edits the entry in a calendar edits all of that; what is kept is
only what a person wrote. Nothing that is for fewer readers than the description (a contact,
internal notes) may get into it this way.
"""

from typing import Final

from events.calendar_event import (
    FACT_LABELS,
    LABELS,
    MARKS,
    NOTICES,
    CalendarEvent,
    Level,
    fact_lines,
    news_lines,
)

_NEWS_LABELS: Final = ("reason", "previous")
_PAGE: Final = "/events/"


def split_mark(title: str) -> tuple[str, str]:
    """Return a title without the marks of states before it, and the state of the first mark.

    Marks of both languages are known; the state is empty where there is none.
    """
    state, plain = "", title.strip()
    while found := _mark_of(plain):
        mark, marked_state = found
        state = state or marked_state
        plain = plain[len(mark) :].strip()
    return plain, state


def written_description(
    text: str, *, event: CalendarEvent | None, language: str, level: Level
) -> str:
    """Return what a person wrote of a description that was shown and sent back.

    Args:
        text: The description as it came, lines ending in a newline.
        event: As it stands; None for an event that is new here, whose description may be a copy.
        language: In which it was shown.
        level: At which it was shown.
    """
    lines = [line.rstrip() for line in text.split("\n")]
    news, facts = _frame(event, language, level)
    start, stop = _facts_block(lines, facts)
    begin = _news_end(lines[:start], news)
    secret = _prefixes("notes")
    kept = (
        "\n".join(line for line in part if not line.startswith(secret)).strip()
        for part in (lines[begin:start], lines[stop:])
    )
    return "\n\n".join(filter(None, kept))


def _mark_of(title: str) -> tuple[str, str] | None:
    """Return the mark at the beginning of a title and its state, or None."""
    for state, words in MARKS.items():
        for template in (words.zh, words.en):
            mark = template.partition("{")[0].strip()
            if title.startswith(mark):
                return mark, state
    return None


def _frame(
    event: CalendarEvent | None, language: str, level: Level
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the lines of news and of facts that were shown, without those a person wrote too."""
    if event is None:
        return frozenset(), frozenset()
    written = {*event.description.zh.split("\n"), *event.description.en.split("\n"), ""}
    news = "\n".join(news_lines(event, language=language)).split("\n")
    facts = "\n".join(fact_lines(event, language=language, level=level)).split("\n")
    return frozenset(news) - {""}, frozenset(facts) - written


def _facts_block(lines: list[str], facts: frozenset[str]) -> tuple[int, int]:
    """Return where the facts begin and end in the lines; nowhere is after the last."""
    labels = _prefixes(*FACT_LABELS)
    found = [number for number, line in enumerate(lines) if line in facts]
    pages = [
        number
        for number, line in enumerate(lines)
        if line.startswith(_prefixes("url")) and _PAGE in line
    ]
    if not found and not pages:
        return len(lines), len(lines)
    stop = max([*found, *pages]) + 1
    if not found:
        found = [
            number
            for number, line in enumerate(lines[:stop])
            if line.startswith(labels) and (number == 0 or not lines[number - 1])
        ] or pages
    start = found[0]
    while start and lines[start - 1].startswith(labels):
        start -= 1
    return start, stop


def _news_end(lines: list[str], news: frozenset[str]) -> int:
    """Return where the news at the beginning end."""
    notices = {text for words in NOTICES for text in (words.zh, words.en)}
    labels = _prefixes(*_NEWS_LABELS)
    told, end = bool(news), 0
    for number, line in enumerate(lines):
        is_news = line in news or line in notices or (told and line.startswith(labels))
        if not is_news and line:
            break
        told = told or is_news
        end = number + 1
    return end


def _prefixes(*names: str) -> tuple[str, ...]:
    """Return how lines with these labels begin, in both languages."""
    texts = (text for name in names for text in (LABELS[name].zh, LABELS[name].en))
    return tuple(text.partition("{")[0].rstrip() for text in texts)
