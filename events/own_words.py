"""An office's own words in a reminder, with places that are filled in for each reader. Pure.

    >>> fill("{name}：{title}将于{left}举行", {"name": "王芳", "title": "对接会", "left": "3天后"})
    '王芳：对接会将于3天后举行'

Braces that are meant as braces are written twice. What is filled in is never read again for
places, so that a title with braces in it stays a title.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from string import Formatter
from typing import Final

REMINDER_PLACES: Final = (
    *("name", "organization", "title", "alliance", "when", "left"),
    *("place", "hosts", "answer_by", "url"),
)
CHASE_PLACES: Final = (*("name", "organization", "title", "alliance"), "duty", "due", "late", "url")


class UnknownPlace(ValueError):
    """The text has a place that nothing fills, or braces that do not match.

    Attributes:
        written: the place as it was written; "" for a brace without its partner.
    """

    def __init__(self, written: str) -> None:
        """Keep what was written."""
        super().__init__(written)
        self.written = written


def check_places(text: str, known: Collection[str]) -> None:
    """Go on when every place in the text is one of those known.

    Raises:
        UnknownPlace: otherwise.
    """
    for place in _places(text):
        if place not in known:
            raise UnknownPlace("{" + place + "}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its places filled.

    Raises:
        UnknownPlace: a value is missing, or braces do not match.
    """
    check_places(text, values)
    return Formatter().vformat(text, (), values)


def _places(text: str) -> list[str]:
    try:
        parsed = list(Formatter().parse(text))
    except ValueError:
        raise UnknownPlace("") from None
    found = []
    for _literal, place, form, conversion in parsed:
        if place is None:
            continue
        if form or conversion:
            marks = f"!{conversion}" if conversion else f":{form}"
            raise UnknownPlace("{" + place + marks + "}")
        found.append(place)
    return found
