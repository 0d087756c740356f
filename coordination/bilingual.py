"""Chinese and English side by side: explicit columns, one rule for falling back.

A text that people read is stored in two columns, `title_zh` and `title_en`. Either may be empty;
a reader then gets the other one, because a foreign text is better than none.
"""

from __future__ import annotations

from typing import Any, TypedDict

CHINESE = "zh-hans"
ENGLISH = "en"
LANGUAGES = (CHINESE, ENGLISH)


class TextPair(TypedDict):
    """A text in both languages, as it leaves the building."""

    zh: str
    en: str


def language_or_default(language: str | None) -> str:
    """Return one of `LANGUAGES` for a language tag of any form; Chinese when nothing fits."""
    return ENGLISH if (language or "").lower().split("-")[0] == "en" else CHINESE


def text_in(language: str, zh: str, en: str) -> str:
    """Return the text in `language`, or the other one when it is empty."""
    return (en or zh) if language_or_default(language) == ENGLISH else (zh or en)


def pair(zh: str, en: str) -> TextPair:
    """Return both texts as the API shows them."""
    return {"zh": zh, "en": en}


def localized(obj: Any, name: str, language: str) -> str:
    """Return `obj`'s text pair `name` in `language`; falls back to the other language."""
    return text_in(language, getattr(obj, f"{name}_zh"), getattr(obj, f"{name}_en"))
