"""The register of change kinds: what can happen, in words of both languages.

Each app registers its kinds in `AppConfig.ready`. A kind that is not registered cannot be
recorded, so the log never holds a word that nobody can read.
"""

from __future__ import annotations

from dataclasses import dataclass

from coordination.bilingual import text_in


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of change: `noun.past_participle`, and the sentence after "who"."""

    name: str
    zh: str
    en: str

    def label(self, language: str) -> str:
        """Return the words for this kind: 确认了活动 / confirmed the event."""
        return text_in(language, self.zh, self.en)


class UnknownKind(LookupError):
    """A kind that no app has registered."""


_kinds: dict[str, Kind] = {}


def register_kinds(words: dict[str, tuple[str, str]]) -> None:
    """Register kinds: name -> (Chinese, English)."""
    for name, (zh, en) in words.items():
        _kinds[name] = Kind(name, zh, en)


def kind_named(name: str) -> Kind:
    """Return the kind.

    Raises:
        UnknownKind: no app has registered it.
    """
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(name) from None


def all_kinds() -> list[Kind]:
    """Return every registered kind, by name."""
    return sorted(_kinds.values(), key=lambda kind: kind.name)
