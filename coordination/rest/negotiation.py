"""Which of several formats a client gets, by how much it wants each (RFC 9110 section 12.5.1).

For views with more than one format; where there is one only, DRF's own choice is the same.

>>> quality_of("application/json", "application/*;q=0.5, application/json;q=0.2")
0.2
>>> quality_of("text/plain", "application/json")
0.0
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

ANYTHING = "*/*"
LONGEST = 4096  # characters of an Accept header that are looked at
_QUALITY = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?")
_Range = tuple[str, dict[str, str], float]


class QualityNegotiation(DefaultContentNegotiation):
    """Chooses the format with the greatest quality; the view's first one among equals."""

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Return a renderer and its media type.

        Raises:
            NotAcceptable: none is wanted.
        """
        accept = request.headers.get("Accept", ANYTHING)
        offered = list(renderers)
        best = max(offered, key=lambda renderer: quality_of(renderer.media_type, accept))
        if quality_of(best.media_type, accept) == 0:
            raise NotAcceptable(available_renderers=offered)
        return best, best.media_type


def quality_of(media_type: str, accept: str) -> float:
    """Return how much a client wants a media type: 0 (not at all) to 1, by its closest range.

    A parameter in a range excludes only types that have it with another value.
    """
    name, parameters = _split(media_type)
    main = name.partition("/")[0]
    fitting = [
        ((ANYTHING, f"{main}/*", name).index(wanted), len(asked), quality)
        for wanted, asked, quality in _ranges(accept)
        if wanted in (ANYTHING, f"{main}/*", name)
        and all(parameters.get(key, value) == value for key, value in asked.items())
    ]
    return max(fitting)[2] if fitting else 0.0


def _ranges(accept: str) -> Iterator[_Range]:
    """Yield the ranges of an Accept header; what cannot be read counts as fully wanted."""
    for part in (accept[:LONGEST] or ANYTHING).split(","):
        name, parameters = _split(part)
        quality = parameters.pop("q", "1")
        if name:
            yield name, parameters, float(quality) if _QUALITY.fullmatch(quality) else 1.0


def _split(text: str) -> tuple[str, dict[str, str]]:
    """Return a media type or range without its parameters, and these, all in lower case."""
    name, *rest = (piece.strip().lower() for piece in text.split(";"))
    pairs = (piece.partition("=") for piece in rest if piece)
    return name, {key.strip(): value.strip().strip('"') for key, _equals, value in pairs}
