"""Tell what a person changed in a calendar entry: from what was shown and what came back. Pure.

Both are read by the same reader, so an entry that comes back as it was shown changes nothing, and
what a program adds or drops on its own is not taken for a change. What a calendar does not carry
(audience, hosts, contact, notes) is never in the answer.

STATUS, and the mark of a state typed before the title, say which verb is meant. Telephones have no
field for STATUS, and offices write 【延期】 and 【已取消】 before titles:

* CANCELLED, or the mark: the event is cancelled;
* CONFIRMED where TENTATIVE was shown: it is confirmed;
* TENTATIVE where CONFIRMED was shown, or the mark: it is postponed, to the new time if there is
  one, else until further notice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from coordination.bilingual import CHINESE, ENGLISH, language_or_default
from events.calendar_event import CalendarEvent, Level, Span, Words
from events.calendar_reading import ProposedObject
from events.unframing import split_mark, written_description
from events.vevent import one_line, uri

STATUSES: Final = ("TENTATIVE", "CONFIRMED", "CANCELLED")  # RFC 5545 section 3.8.1.11
_SUFFIX: Final = {CHINESE: "zh", ENGLISH: "en"}
_SEPARATORS: Final = "，, "


class Step(StrEnum):
    """A verb that a STATUS or a mark asks for."""

    CONFIRM = "confirm"
    POSTPONE = "postpone"
    CANCEL = "cancel"


_MARKED: Final = {"postponed": Step.POSTPONE, "cancelled": Step.CANCEL}
_ASKED: Final = {"CANCELLED": Step.CANCEL, "CONFIRMED": Step.CONFIRM, "TENTATIVE": Step.POSTPONE}


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a person changed.

    Attributes:
        words: New values by column: title, description, place, coordinates, online link.
        span: The new time, or None.
        step: The verb that the state asks for, or None.
    """

    words: dict[str, Any] = field(default_factory=dict)
    span: Span | None = None
    step: Step | None = None

    def __bool__(self) -> bool:
        """Whether there is any change."""
        return bool(self.words or self.span or self.step)


def changes_of(
    event: CalendarEvent,
    *,
    shown: ProposedObject,
    wanted: ProposedObject,
    language: str,
    level: Level,
) -> Changes:
    """Return what differs between the entry as it was shown and as it came back.

    Args:
        event: As it stands.
        shown: The entry as it stands for this reader, read like ``wanted``.
        wanted: The entry that came back.
        language: Of the entry that was shown.
        level: Of the entry that was shown.
    """
    title, mark = split_mark(wanted.title or "")
    words = {
        **_title(event, title, shown, wanted, language),
        **_description(event, shown, wanted, language, level),
        **_place(event, shown, wanted, language),
        **_online(shown, wanted),
    }
    span = wanted.span if _is_other_time(shown.span, wanted.span) else None
    return Changes(words=words, span=span, step=_step(event, mark, shown, wanted))


def first_values(wanted: ProposedObject, language: str) -> dict[str, Any]:
    """Return the values of an event that is new here, by column.

    What a copy of one of our own entries says of that entry's state and facts is left out.
    """
    title, _mark = split_mark(wanted.title or "")
    suffix = _SUFFIX[language_or_default(language)]
    text = written_description(
        wanted.description or "", event=None, language=language, level=Level.PUBLIC
    )
    values: dict[str, Any] = {
        f"title_{suffix}": title,
        f"description_{suffix}": text,
        f"place_{suffix}": wanted.location or "",
        "online_url": _address(wanted.conference) or _address(wanted.url),
    }
    if point := wanted.coordinates or wanted.map_point:
        values["latitude"], values["longitude"] = map(_degrees, point)
    return {name: value for name, value in values.items() if value not in ("", None)}


def _title(
    event: CalendarEvent,
    title: str,
    shown: ProposedObject,
    wanted: ProposedObject,
    language: str,
) -> dict[str, Any]:
    """Return the new title; the mark of a state before it is no part of it."""
    if wanted.title == shown.title or title == one_line(event.title.text(language)):
        return {}
    return {f"title_{_shown_in(event.title, language)}": title}


def _description(
    event: CalendarEvent, shown: ProposedObject, wanted: ProposedObject, language: str, level: Level
) -> dict[str, Any]:
    """Return the new description, without what stood around the old one."""
    if (wanted.description or "") == (shown.description or ""):
        return {}
    text = written_description(
        wanted.description or "", event=event, language=language, level=level
    )
    lines = event.description.text(language).strip().split("\n")
    if text == "\n".join(line.rstrip() for line in lines):
        return {}
    return {f"description_{_shown_in(event.description, language)}": text}


def _place(
    event: CalendarEvent, shown: ProposedObject, wanted: ProposedObject, language: str
) -> dict[str, Any]:
    """Return the new place with its coordinates.

    An address stays where the new text still ends in it; the old coordinates do not stay with a
    new place. A program that knows no GEO leaves it out: that changes nothing.
    """
    values: dict[str, Any] = dict(_place_words(event, wanted.location or "", language))
    if (wanted.location or "") == (shown.location or ""):
        values = {}
    if wanted.coordinates is not None and wanted.coordinates != shown.coordinates:
        values["latitude"], values["longitude"] = map(_degrees, wanted.coordinates)
    elif values and wanted.map_point is not None:
        values["latitude"], values["longitude"] = map(_degrees, wanted.map_point)
    elif values and shown.coordinates is not None:
        values["latitude"] = values["longitude"] = None
    return values


def _place_words(event: CalendarEvent, text: str, language: str) -> Iterator[tuple[str, str]]:
    """Yield place and address for a text in which both stand."""
    address = one_line(event.address)
    if address and text.endswith(address):
        text = text[: -len(address)].rstrip(_SEPARATORS)
    elif address:
        yield "address", ""
    yield f"place_{_shown_in(event.place, language)}", text


def _online(shown: ProposedObject, wanted: ProposedObject) -> dict[str, Any]:
    """Return the new online link: programs without CONFERENCE have a field for URL."""
    for found, before in ((wanted.conference, shown.conference), (wanted.url, shown.url)):
        address = _address(found)
        if address and address != before:
            return {"online_url": address}
    return {}


def _step(
    event: CalendarEvent, mark: str, shown: ProposedObject, wanted: ProposedObject
) -> Step | None:
    """Return the verb that a typed mark or a new STATUS asks for."""
    if wanted.title != shown.title and mark and mark != event.state:
        return _MARKED[mark]
    if wanted.status in ("", shown.status):
        return None
    return _ASKED[wanted.status]


def _is_other_time(before: Span | None, after: Span | None) -> bool:
    """Return whether the time is another one; the same instants in another zone are not.

    Programs write a time in the zone of their owner, or in UTC, as they like.
    """
    if before is None or after is None:
        return after is not None
    if before.is_all_day != after.is_all_day:
        return True
    if after.is_all_day:
        return (before.first_on, before.last_on) != (after.first_on, after.last_on)
    return (before.starts_at, max(before.ends_at, before.starts_at)) != (
        after.starts_at,
        after.ends_at,
    )


def _shown_in(words: Words, language: str) -> str:
    """Return the suffix of the column that a reader was shown: an edit corrects what was seen."""
    own, other = (words.en, words.zh) if language == ENGLISH else (words.zh, words.en)
    chinese = (language_or_default(language) == CHINESE) == bool(own or not other)
    return "zh" if chinese else "en"


def _address(text: str | None) -> str:
    """Return a link as a URI, or nothing where it is none of the web's."""
    address = uri(text or "")
    return address if address.lower().startswith(("https://", "http://")) else ""


def _degrees(value: Decimal) -> Decimal:
    """Return degrees as they are kept: five decimals, about a metre."""
    return value.quantize(Decimal("0.00001"))
