"""How the language of an answer is written in its header."""

from coordination.bilingual import CHINESE, ENGLISH

TAGS = {CHINESE: "zh-Hans", ENGLISH: "en"}


def content_language(language: str) -> str:
    """Return the language as `Content-Language` writes it (BCP 47)."""
    return TAGS.get(language, language)
