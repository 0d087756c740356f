"""What a message looks like in a chat: a few lines that fit, each with its link; pure.

A robot takes so many octets and no more. What is too long is shortened at a character, first the
texts, then the titles; the links stay whole, so that the rest is one touch away.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from coordination.deliveries.sources import Item, Rendered

ELLIPSIS: Final = "…"
LEAST_TITLE = 12  # characters; shorter ones say nothing
JOINER: Final = "\u200d"  # makes one sign of two (Unicode, emoji ZWJ sequences)
CONTINUES: Final = frozenset(f"{JOINER}\ufe0e\ufe0f")
# Signs with a meaning in the robots' markdown, and the wide ones that look like them.
PLAIN: Final = str.maketrans(
    {"<": "＜", ">": "＞", "[": "［", "]": "］", "*": "＊", "`": "｀", "#": "＃", "~": "～"}
)
FIRST_URL: Final = re.compile(r"https?://[^\s<>\"'）)]+")

Layout = Callable[[str, Sequence[Item]], str]


def plain(text: str) -> str:
    """Return text without signs that a robot would read as markup, or as somebody's name.

    >>> plain("议程 <@all> *草案*")
    '议程 ＜@all＞ ＊草案＊'
    """
    return text.translate(PLAIN)


def shorten(text: str, most: int) -> str:
    """Return at most so many characters of a text; never half of what is read as one sign.

    >>> shorten("京津冀国家高新区联盟", 6)
    '京津冀国家…'
    """
    if len(text) <= most:
        return text
    end = max(most - 1, 0)
    while end and (_continues(text[end]) or text[end - 1] == JOINER):
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


def _continues(sign: str) -> bool:
    return sign in CONTINUES or unicodedata.combining(sign) > 0


def items_of(rendered: Rendered) -> tuple[Item, ...]:
    """Return what a message tells, in short; made of its text where its source gives nothing."""
    if rendered.items:
        return rendered.items
    found = FIRST_URL.search(rendered.text)
    text = " ".join(rendered.text.split())
    return (Item(rendered.subject, text, found[0] if found else ""),)


def fit(rendered: Rendered, *, layout: Layout, weigh: Callable[[str], int], most: int) -> str:
    """Return the longest form of a message that weighs no more than `most`.

    Args:
        rendered: the message.
        layout: puts a heading and items into a robot's own markup.
        weigh: octets that count against the limit.
        most: the limit.
    """
    items = items_of(rendered)
    # One item says itself what it is about: the heading would only repeat it.
    heading = rendered.subject if len(items) > 1 or items[0].title != rendered.subject else ""

    def form(texts: int, titles: int, number: int) -> str:
        shown = [
            Item(shorten(item.title, titles), shorten(item.text, texts) if texts else "", item.url)
            for item in items[:number]
        ]
        left = len(items) - number
        more = f"{ELLIPSIS} +{left}" if left else ""
        return "\n".join(filter(None, [layout(shorten(heading, titles), shown), more]))

    texts = max(len(item.text) for item in items)
    titles = max(len(heading), *(len(item.title) for item in items), LEAST_TITLE)
    longest = _most(texts, lambda size: weigh(form(size, titles, len(items))) <= most)
    if longest is not None:
        return form(longest, titles, len(items))
    spare = titles - LEAST_TITLE
    longest = _most(spare, lambda size: weigh(form(0, LEAST_TITLE + size, len(items))) <= most)
    if longest is not None:
        return form(0, LEAST_TITLE + longest, len(items))
    number = _most(len(items), lambda size: weigh(form(0, LEAST_TITLE, size)) <= most)
    return form(0, LEAST_TITLE, number or 0)


def _most(highest: int, fits: Callable[[int], bool]) -> int | None:
    """Return the greatest number from 0 to `highest` that fits; None when 0 does not."""
    if not fits(0):
        return None
    low, high = 0, highest
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
