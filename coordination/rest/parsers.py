"""Read request bodies strictly: what two readers could take differently is refused (RFC 7493).

Refused with 400: what is not JSON in UTF-8, a name used twice in an object, NaN and infinities,
numbers no double can hold, nesting deeper than `DEEPEST`, lone surrogates and NUL characters (no
database column can hold them). Refused with 413: more than `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser

from coordination.rest.problem_kinds import TOO_LARGE
from coordination.rest.problems import Problem, ProblemError

DEEPEST = 32  # levels of arrays and objects


class StrictJSONParser(BaseParser):
    """`application/json`."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value in the body.

        Raises:
            ParseError: it is not JSON that can be stored.
            ProblemError: it is too large.
        """
        return read_json(limited(stream))


class MergePatchParser(StrictJSONParser):
    """`application/merge-patch+json` (RFC 7396): what is left out stays, null clears."""

    media_type = "application/merge-patch+json"


class UploadParser(MultiPartParser):
    """`multipart/form-data`, for files; the same characters are refused as in JSON."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> DataAndFiles[Any, Any]:
        """Return the fields and files.

        Raises:
            ParseError: it is not well formed, or a field holds what cannot be stored.
        """
        parsed = super().parse(stream, media_type, dict(parser_context or {}))
        for name, values in parsed.data.lists():
            _check([name, *values], 1)
        return parsed


def limited(stream: IO[Any]) -> bytes:
    """Return the whole body.

    Raises:
        ProblemError: it is longer than the settings allow.
    """
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body: bytes = stream.read() if most is None else stream.read(most + 1)
    if most is not None and len(body) > most:
        raise ProblemError(Problem(TOO_LARGE))
    return body


def read_json(body: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ParseError: see the top of this module.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        raise ParseError(_("The body is not UTF-8.")) from None
    except RecursionError:
        raise ParseError(_too_deep()) from None
    except json.JSONDecodeError as error:
        words = _("The body is not valid JSON (line %(line)d, column %(column)d).")
        raise ParseError(words % {"line": error.lineno, "column": error.colno}) from None
    except ValueError:
        raise ParseError(_("The body holds a number that is too large.")) from None
    _check(value, 0)
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        words = _("The body holds an object with the name “%(name)s” twice.")
        raise ParseError(words % {"name": twice[:60]})
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError(_("%(name)s is not a number that JSON knows.") % {"name": name})


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ParseError(_("The body holds a number that is too large."))
    return number


def _check(value: Any, depth: int) -> None:
    """Walk the value: depth and characters.

    Raises:
        ParseError: too deep, or a text that cannot be stored.
    """
    if isinstance(value, str):
        if "\x00" in value:
            raise ParseError(_("The body holds a NUL character, which cannot be stored."))
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ParseError(_("The body holds half of a character (a lone surrogate)."))
        return
    if isinstance(value, dict | list):
        if depth >= DEEPEST:
            raise ParseError(_too_deep())
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        for one in inner:
            _check(one, depth + 1)


def _too_deep() -> str:
    return _("The body is nested too deeply (at most %(levels)d levels).") % {"levels": DEEPEST}
