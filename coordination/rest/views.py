"""The base of every view of the API: who asks, in which language, how often, with which scope.

A view says its `resource` (the word that token scopes use) and defines `get`, `post` and so on.
Whatever it raises is answered as a problem document. Inside, `self.viewer` is who asks, `self.at`
the instant of the request, `self.today` the viewer's day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from coordination.accounts.authentication import API_AUTHENTICATION, viewer_of
from coordination.accounts.languages import PARAMETER as LANG
from coordination.accounts.languages import program_language
from coordination.accounts.viewer import Viewer
from coordination.bilingual import LANGUAGES
from coordination.rest import idempotency
from coordination.rest.filters import refuse_unknown
from coordination.rest.inputs import Input
from coordination.rest.language import content_language
from coordination.rest.parsers import MergePatchParser, StrictJSONParser
from coordination.rest.preconditions import any_match, fingerprint, none_match
from coordination.rest.problem_kinds import (
    PRECONDITION_FAILED,
    SCOPE_MISSING,
    UNSUPPORTED_MEDIA_TYPE,
)
from coordination.rest.problems import Problem, ProblemError, handle_exception, parameter_error
from coordination.rest.reading import Reader
from coordination.rest.rendering import JSON, FastJSONRenderer, to_json
from coordination.rest.schema import HouseSchema
from coordination.rest.throttling import Standing, count, refuse_too_many

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
VARY = ["Accept", "Accept-Language", "Authorization", "Cookie"]
ENCODED = Problem(  # RFC 9110 sections 8.4 and 12.5.3
    UNSUPPORTED_MEDIA_TYPE,
    detail=_("Send the body as it is, not compressed."),
    headers={"Accept-Encoding": "identity"},
)


class HouseView(APIView):
    """A view under the house rules.

    Attributes:
        resource: the word that token scopes use, "events".
        parameters: query parameters it takes beside `lang`.
        public_writes: whether a change needs nobody to be signed in.
    """

    authentication_classes = API_AUTHENTICATION
    renderer_classes: Any = (FastJSONRenderer,)
    parser_classes: Any = (StrictJSONParser,)
    patch_parser_classes: Any = (MergePatchParser, StrictJSONParser)
    permission_classes = ()
    throttle_classes = ()
    schema: Any = HouseSchema()
    format_kwarg = None
    resource: ClassVar[str] = ""
    parameters: ClassVar[frozenset[str]] = frozenset()
    at: datetime
    viewer: Viewer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request; every error becomes a problem document."""
        self.args, self.kwargs, self.at = args, kwargs, timezone.now()
        self.headers: dict[str, str] = {}
        standing: Standing | None = None
        self.request: Any = request
        with translation.override(program_language(request, AnonymousUser())):
            self.request = self.initialize_request(request, *args, **kwargs)
            try:
                standing = count(request)
                refuse_too_many(standing)
                self.initial(self.request, *args, **kwargs)
                response = self._respond(self.request)
            except Exception as error:  # every error is answered
                response = self.handle_exception(error)
            return self._finished(response, standing)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find out who asks, what for and in which language, before anything is done.

        Raises:
            NotAuthenticated: a change by nobody.
            ProblemError: the token does not cover it, a parameter is not known, or the body is
                encoded.
            NotAcceptable: no format of ours is wanted.
        """
        self.viewer = viewer_of(request)
        translation.activate(self.viewer.language)
        negotiated = self.perform_content_negotiation(request)
        request.accepted_renderer, request.accepted_media_type = negotiated
        if "Content-Encoding" in request.headers:
            raise ProblemError(ENCODED)
        self._check_scope(request.method or "GET")
        query = request._request.GET
        if query:
            refuse_unknown(query, self.known_parameters())
            if query.get(LANG, LANGUAGES[0]) not in LANGUAGES:
                raise parameter_error(LANG, _("Choose zh-hans or en."))

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that this request may have."""
        return self.parameters | {LANG}

    @property
    def today(self) -> date:
        """Return the day of the request where the viewer lives."""
        return self.at.astimezone(ZoneInfo(self.viewer.time_zone)).date()

    @property
    def reader(self) -> Reader:
        """Return who reads the answer, and in which language."""
        return Reader(self.viewer, self.viewer.language)

    def values(self, shape: type[Input], *, partial: bool = False) -> dict[str, Any]:
        """Return the body as cleaned values.

        Raises:
            ValidationError: something in it cannot be taken.
        """
        cleaned = shape(data=self.request.data, partial=partial, context={"view": self})
        cleaned.is_valid(raise_exception=True)
        return dict(cleaned.validated_data)

    def answer(
        self, data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """Return data as JSON."""
        return self.answer_bytes(to_json(data), status=status, headers=headers)

    def answer_bytes(
        self, body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """Return JSON that is rendered already."""
        return HttpResponse(body, status=status, content_type=JSON, headers=headers)

    def answer_tagged(self, data: Any) -> HttpResponse:
        """Return data as JSON with a strong tag of its bytes, or 304.

        Raises:
            ProblemError: see `check_conditions`.
        """
        body = to_json(data)
        etag = f'"{fingerprint(body)}"'
        return self.check_conditions(etag) or self.answer_bytes(body, headers={"ETag": etag})

    def check_conditions(self, etag: str) -> HttpResponse | None:
        """Return a 304 when the client has what `etag` stands for (RFC 9110 section 15.4.5).

        Raises:
            ProblemError: it asked for something else, by `If-Match` (412).
        """
        if not any_match(self.request.headers.get("If-Match"), etag):
            raise ProblemError(Problem(PRECONDITION_FAILED, extra={"current_etag": etag}))
        if none_match(self.request.headers.get("If-None-Match"), etag):
            return HttpResponse(status=304, headers={"ETag": etag})
        return None

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Say which methods there are."""
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def get_parsers(self) -> list[Any]:
        """Return what reads the body; a change may be a merge patch."""
        request = getattr(self, "request", None)
        is_patch = request is not None and request.method == "PATCH"
        classes = self.patch_parser_classes if is_patch else self.parser_classes
        return [parser() for parser in classes]

    def get_exception_handler(self) -> Callable[[Exception, Any], HttpResponse]:
        """Return what turns errors into problem documents."""
        return handle_exception

    def _respond(self, request: Request) -> HttpResponseBase:
        method = (request.method or "").lower()
        handler = self.http_method_not_allowed
        if method in self.http_method_names:
            handler = getattr(self, method, handler)

        def work() -> Any:
            return handler(request, *self.args, **self.kwargs)

        key = request.headers.get(idempotency.HEADER)
        if method != "post" or key is None or not self.viewer.is_authenticated:
            response: HttpResponseBase = work()
            return response
        plain = request._request
        return idempotency.once(
            key,
            owner=self.viewer.actor,
            fingerprint=idempotency.fingerprint_of("POST", plain.get_full_path(), plain.body),
            at=self.at,
            answer=work,
        )

    def _check_scope(self, method: str) -> None:
        verb = "read" if method in READING_METHODS else "write"
        if verb == "write" and not self.viewer.is_authenticated:
            raise NotAuthenticated
        if not self.viewer.may_use(self.resource, verb):
            scope = f"{self.resource}:{verb}"
            words = _("The token has no scope “%(scope)s”.") % {"scope": scope}
            challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
            raise ProblemError(
                Problem(
                    SCOPE_MISSING,
                    detail=words,
                    extra={"scope": scope},
                    headers={"WWW-Authenticate": challenge},
                )
            )

    def _finished(self, response: HttpResponseBase, standing: Standing | None) -> HttpResponseBase:
        """Set the header fields that every answer has."""
        if isinstance(response, HttpResponse):
            viewer = getattr(self, "viewer", None)
            private = viewer is not None and viewer.is_authenticated
            response.headers.setdefault(
                "Cache-Control", "private, no-cache" if private else "no-cache"
            )
            language = translation.get_language() or LANGUAGES[0]
            response.headers.setdefault("Content-Language", content_language(language))
            if response.status_code not in (204, 304):
                response["Content-Length"] = str(len(response.content))
            patch_vary_headers(response, VARY)
            if standing is not None:
                standing.mark(response)
        return response
