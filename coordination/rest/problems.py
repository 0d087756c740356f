"""Errors as `application/problem+json` (RFC 9457), in the caller's language.

    {"type": "/api/problems/invalid_input/", "title": "…", "status": 400, "detail": "…",
     "code": "invalid_input",
     "errors": [{"pointer": "/starts_on", "code": "invalid", "message": "…"}]}

`pointer` is a JSON Pointer (RFC 6901) into the body; for a query parameter it is `/{name}` and
`parameter` holds the bare name. `code` is stable, the words are not.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions

from coordination.accounts.languages import program_language
from coordination.changes import refusals
from coordination.rest import problem_kinds as kinds
from coordination.rest.language import content_language
from coordination.rest.problem_kinds import ProblemKind, Words

PROBLEM_JSON = "application/problem+json"
BUSY_SECONDS = 2
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InputError:
    """One thing wrong with the input: where (RFC 6901 pointer), a stable code, a sentence."""

    pointer: str
    code: str
    message: Words
    parameter: str = ""

    def described(self) -> dict[str, str]:
        """Return it as the document shows it."""
        shown = {"pointer": self.pointer, "code": self.code, "message": str(self.message)}
        return shown | ({"parameter": self.parameter} if self.parameter else {})


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem about to be answered.

    Attributes:
        kind: what kind it is.
        detail: a sentence about this occurrence; the kind's advice when empty.
        code: more exact than the kind; the kind's name when empty.
        status: when it differs from the kind's.
        extra: extension members.
        headers: further header fields.
    """

    kind: ProblemKind
    detail: Words = ""
    code: str = ""
    status: int = 0
    errors: tuple[InputError, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the members of the document, words in the active language."""
        shown: dict[str, Any] = {
            "type": self.kind.path,
            "title": str(self.kind.title),
            "status": self.status or self.kind.status,
            "detail": str(self.detail or self.kind.advice),
            "code": self.code or self.kind.name,
        }
        if self.errors:
            shown["errors"] = [error.described() for error in self.errors]
        return shown | dict(self.extra)

    def response(self) -> HttpResponse:
        """Return the answer, in the active language."""
        answer = HttpResponse(
            orjson.dumps(self.document(), default=str),
            status=self.status or self.kind.status,
            content_type=PROBLEM_JSON,
            headers={"Cache-Control": "no-store", **self.headers},
        )
        answer["Content-Language"] = content_language(translation.get_language() or "")
        patch_vary_headers(answer, ["Accept-Language"])
        return answer


class ProblemError(exceptions.APIException):
    """Raise a problem from inside a view of the API."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(detail=str(problem.kind.title), code=problem.code or problem.kind.name)
        self.problem = problem
        self.status_code = problem.status or problem.kind.status


def parameter_error(name: str, message: Words, *, code: str = "invalid") -> ProblemError:
    """Return a 400 about a query parameter, to be raised."""
    error = InputError(f"/{escaped(name)}", code, message, parameter=name)
    return ProblemError(Problem(kinds.INVALID_INPUT, detail=f"{name}: {message}", errors=(error,)))


def escaped(name: str) -> str:
    """Return one reference token of a JSON Pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


_TEXT_COLUMN = re.compile(r"(?P<text>[^/]+)_(?P<language>zh|en)")


def pointer_of(name: str) -> str:
    """Return the pointer for a field's name; dots go deeper, `title_zh` is `/title_i18n/zh`."""
    if not name:
        return ""
    tokens: list[str] = []
    for token in name.split("."):
        found = _TEXT_COLUMN.fullmatch(token)
        tokens += [f"{found['text']}_i18n", found["language"]] if found else [token]
    return "".join(f"/{escaped(token)}" for token in tokens)


def handle_exception(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Answer whatever a view raised: DRF's `EXCEPTION_HANDLER`. Nothing passes as a bare 500.

    Args:
        error: what was raised.
        context: DRF's: the `view` and its `request`.
    """
    view = context.get("view")
    problem = problem_for(error)
    if isinstance(error, refusals.StaleVersion):
        describe = getattr(view, "describe_stale", None)
        problem = replace(problem, **describe(error)) if describe is not None else problem
    if problem.kind is kinds.NOT_AUTHENTICATED:
        header = str(getattr(error, "auth_header", "") or 'Bearer realm="api"')
        problem = replace(problem, headers={"WWW-Authenticate": header})
    if problem.kind is kinds.METHOD_NOT_ALLOWED and view is not None:
        problem = replace(problem, headers={"Allow": ", ".join(view.allowed_methods)})
    if isinstance(error, exceptions.NotAcceptable | exceptions.UnsupportedMediaType):
        problem = replace(problem, detail=_media_types(error, view))
    if problem.kind is kinds.INTERNAL_ERROR:
        log.exception("The API failed", exc_info=error)
    return problem.response()


def _media_types(
    error: exceptions.NotAcceptable | exceptions.UnsupportedMediaType, view: Any
) -> Words:
    """Return a sentence that names what is offered, or taken, at this very address; "" elsewhere.

    Both are refused by the framework, which knows the view's renderers and parsers.
    """
    if isinstance(error, exceptions.NotAcceptable):
        words, those = _("The formats offered here: %s."), error.available_renderers
    else:
        words, those = _("The formats taken here: %s."), view.get_parsers() if view else None
    return words % ", ".join(one.media_type for one in those) if those else ""


def problem_for(error: Exception) -> Problem:
    """Return the problem that stands for an exception."""
    if isinstance(error, ProblemError):
        return error.problem
    if isinstance(error, refusals.Refusal):
        return _refusal(error)
    if isinstance(error, exceptions.APIException):
        return _framework(error)
    if isinstance(error, Http404):
        return Problem(kinds.NOT_FOUND)
    if isinstance(error, PermissionDenied):
        return Problem(kinds.NOT_ALLOWED)
    if isinstance(error, RequestDataTooBig):
        return Problem(kinds.TOO_LARGE)
    if isinstance(error, SuspiciousOperation):
        return Problem(kinds.MALFORMED_REQUEST)
    if isinstance(error, DataError | OverflowError | UnicodeEncodeError):
        # A value that passed every check, but that the database's own type cannot hold.
        return Problem(
            kinds.INVALID_INPUT, detail=gettext_lazy("A value is too large or cannot be stored.")
        )
    if isinstance(error, OperationalError):
        log.warning("The database is busy: %s", error)
        return Problem(kinds.UNAVAILABLE, headers={"Retry-After": str(BUSY_SECONDS)})
    return Problem(kinds.INTERNAL_ERROR)


def _refusal(error: refusals.Refusal) -> Problem:
    kind = next(kind for base, kind in _REFUSALS if isinstance(error, base))
    if isinstance(error, refusals.InvalidInput):
        errors = tuple(
            InputError(pointer_of(one.field), one.code, one.message) for one in error.errors
        )
        return Problem(kind, detail=_first_words(errors), code=error.code, errors=errors)
    errors = ()
    if error.field:
        errors = (InputError(pointer_of(error.field), error.code, error.message),)
    status = 409 if isinstance(error, refusals.StaleVersion) else 0
    return Problem(kind, detail=error.message, code=error.code, errors=errors, status=status)


_REFUSALS: tuple[tuple[type[refusals.Refusal], ProblemKind], ...] = (
    (refusals.InvalidInput, kinds.INVALID_INPUT),
    (refusals.NotAllowed, kinds.NOT_ALLOWED),
    (refusals.NotVisible, kinds.NOT_FOUND),
    (refusals.StaleVersion, kinds.STALE_VERSION),
    (refusals.TransitionNotAllowed, kinds.TRANSITION_NOT_ALLOWED),
    (refusals.Refusal, kinds.REFUSED),
)


def _framework(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        errors = tuple(_walk(error.detail, ""))
        return Problem(kinds.INVALID_INPUT, detail=_first_words(errors), errors=errors)
    if isinstance(error, exceptions.Throttled):
        wait = max(1, int(getattr(error, "wait", None) or 1))
        return Problem(kinds.TOO_MANY_REQUESTS, headers={"Retry-After": str(wait)})
    kind = _BY_STATUS.get(error.status_code, kinds.INTERNAL_ERROR)
    if isinstance(error, exceptions.PermissionDenied) and str(error.detail).startswith("CSRF"):
        return Problem(kind, detail=error.detail, code="csrf_failed")  # type: ignore[arg-type]
    tells = isinstance(error, exceptions.ParseError | exceptions.AuthenticationFailed)
    return Problem(kind, detail=str(error.detail) if tells else "")


_BY_STATUS = {
    kind.status: kind
    for kind in (
        kinds.MALFORMED_REQUEST,
        kinds.NOT_AUTHENTICATED,
        kinds.NOT_ALLOWED,
        kinds.NOT_FOUND,
        kinds.METHOD_NOT_ALLOWED,
        kinds.NOT_ACCEPTABLE,
        kinds.REFUSED,
        kinds.TOO_LARGE,
        kinds.UNSUPPORTED_MEDIA_TYPE,
    )
}


def _walk(detail: Any, pointer: str) -> Iterable[InputError]:
    """Yield what is wrong, from DRF's nested details."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            deeper = "" if name == "non_field_errors" else f"/{escaped(str(name))}"
            yield from _walk(inner, pointer + deeper)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            if not nested or inner:
                yield from _walk(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield InputError(pointer, str(getattr(detail, "code", "invalid")), str(detail))


def _first_words(errors: tuple[InputError, ...]) -> Words:
    """Return a sentence that names what is wrong: the one error, or how many there are."""
    if not errors:
        return ""
    first = errors[0]
    name = first.parameter or first.pointer.lstrip("/").replace("/", ".")
    words = f"{name}: {first.message}" if name else str(first.message)
    if len(errors) == 1:
        return words
    return _("%(first)s (and %(count)d more)") % {"first": words, "count": len(errors) - 1}


def problem_page(request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer an error that happened outside a view of the API, at one of its paths."""
    with translation.override(program_language(request, AnonymousUser())):
        return problem_for(error).response()
