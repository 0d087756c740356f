"""Pages about the API: what each kind of problem means, the schema, and a reader for it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views.defaults import page_not_found, permission_denied, server_error
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request

from coordination.accounts.authentication import API_AUTHENTICATION
from coordination.bilingual import ENGLISH
from coordination.rest.preconditions import fingerprint
from coordination.rest.problem_kinds import kind_called, problem_kinds
from coordination.rest.problems import problem_page
from coordination.rest.views import HouseView

API = "/api/"
YAML, JSON = "application/vnd.oai.openapi", "application/vnd.oai.openapi+json"


def list_problems(request: HttpRequest) -> HttpResponse:
    """Show every kind of problem."""
    return render(request, "rest/problems.html", {"kinds": problem_kinds()})


def show_problem(request: HttpRequest, name: str) -> HttpResponse:
    """Show one kind of problem: where the `type` of a problem document leads."""
    kind = kind_called(name)
    if kind is None:
        raise Http404
    return render(request, "rest/problems.html", {"kinds": [kind], "single": True})


class _Yaml(OpenApiYamlRenderer):
    media_type = YAML
    format = "yaml"


class _Json(OpenApiJsonRenderer):
    media_type = JSON
    format = "json"


class _PlainJson(OpenApiJsonRenderer):
    media_type = "application/json"
    format = "plain-json"


class SchemaView(HouseView):
    """The OpenAPI document: YAML, or JSON by `Accept` or `?format=json`."""

    authentication_classes = API_AUTHENTICATION
    renderer_classes = (_Yaml, _Json, _PlainJson)
    parameters = frozenset({"format"})
    schema = None  # the schema does not describe itself

    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer the document; it changes only with the program."""
        body = schema_bytes(request.accepted_renderer.format.removeprefix("plain-"))
        etag = f'"{fingerprint(body)}"'
        unchanged = self.check_conditions(etag)
        if unchanged is not None:
            return unchanged
        return HttpResponse(
            body, content_type=request.accepted_renderer.media_type, headers={"ETag": etag}
        )

    def _check_scope(self, method: str) -> None:
        """The schema is open to everyone, whatever their token covers."""


@lru_cache(maxsize=2)
def schema_bytes(form: str) -> bytes:
    """Return the document as "yaml" or "json"; made once in a process."""
    generator: Any = SchemaGenerator
    with translation.override(ENGLISH):  # one document for all; its words are the programmers'
        document = generator().get_schema(request=None, public=True)
    renderer = OpenApiJsonRenderer() if form == "json" else OpenApiYamlRenderer()
    body: bytes = renderer.render(document, renderer_context={})
    return body


@method_decorator(
    csp_update({"style-src": ["'self'", "'unsafe-inline'"], "img-src": ["'self'", "data:"]}),
    "dispatch",
)
class DocsView(SpectacularSwaggerSplitView):
    """A reader for the schema, from files of our own; the styles are its own, hence the policy."""

    url_name = "schema"
    authentication_classes: Any = ()


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that leads nowhere (`handler404`)."""
    if request.path.startswith(API):
        return problem_page(request, Http404())
    return page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refuses (`handler400`)."""
    from django.views.defaults import bad_request as page_bad_request

    if request.path.startswith(API):
        return problem_page(request, exception)
    return page_bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what is forbidden (`handler403`)."""
    if request.path.startswith(API):
        return problem_page(request, exception)
    return permission_denied(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer a failure outside of every view (`handler500`)."""
    if request.path.startswith(API):
        return problem_page(request, RuntimeError())
    return server_error(request)
