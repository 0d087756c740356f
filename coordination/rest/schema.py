"""The schema: OpenAPI 3.1 made from the views, with what every operation has in common.

`HouseSchema` reads a view's readings and inputs; `describe_common_answers` adds the problem
documents, the conditional answers and the header fields; `only_documented_paths` leaves out the
second form of each address. `docs/api/openapi.yaml` is this schema, committed and compared::

    python3 manage.py spectacular --lang en --validate --fail-on-warn --file docs/api/openapi.yaml
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema

PREFIX = "/api/v1/"
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A problem document (RFC 9457), in the caller's language.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "A stable word; more exact than the type."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901)."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "parameter": {"type": "string", "description": "The query parameter."},
                },
            },
        },
        "scope": {"type": "string", "description": "The scope that the token lacks."},
        "mine": {"description": "What you sent, when somebody else saved first."},
        "current": {"description": "What is stored now, when somebody else saved first."},
        "current_etag": {"type": "string", "description": "The tag of what is stored now."},
    },
}
ANSWERS = {
    400: "The request cannot be read, or something in it cannot be taken.",
    401: "The credentials are missing or not taken.",
    403: "The role or the token does not cover this.",
    404: "There is nothing here, or nothing that is open to the caller.",
    406: "No offered format is acceptable.",
    409: "The present state does not allow this.",
    412: "Somebody else has changed it in the meantime: it is not the version you named.",
    413: "The request is too large.",
    415: "The format of the body is not taken.",
    422: "The Idempotency-Key was used for another request.",
    428: "If-Match is missing.",
    429: "Too many requests.",
    503: "The service is busy.",
}
ALWAYS = (400, 401, 403, 404, 406, 415, 429, 503)
BY_METHOD = {
    "get": (412,),
    "post": (409, 412, 413, 422),
    "patch": (409, 412, 413, 428),
    "delete": (409, 412, 428),
}
HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"description": "Strong tag of this representation.", "schema": {"type": "string"}},
    "Link": {"description": 'rel="next": the next page.', "schema": {"type": "string"}},
    "Location": {"description": "Where it is.", "schema": {"type": "string", "format": "uri"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left in this window.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "What is allowed.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "true: this is the first answer again.",
        "schema": {"type": "string"},
    },
}


SECURITY: dict[str, dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token; its scopes are `resource:verb`, as `events:read`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "The session of the pages; a change also needs their CSRF token.",
    },
}


class HouseSchema(AutoSchema):
    """Reads what `ResourceViewSet` declares."""

    view: Any

    def get_request_serializer(self) -> Any:
        """Return the input of the operation."""
        marked = self._marked()
        if marked is not None:
            return marked[0]() if marked[0] is not None else None
        action = getattr(self.view, "action", None)
        if action == "create":
            return self.view.create_input()
        if action == "partial_update":
            return self.view.change_input(partial=True)
        return None

    def get_response_serializers(self) -> Any:
        """Return the reading of the operation, by status."""
        marked = self._marked()
        if marked is not None:
            _shape, status, replies = marked
            return {status: self.view.reading() if replies is None else replies}
        action = getattr(self.view, "action", None)
        if action == "list":
            return self.view.reading(many=True)
        if action == "destroy":
            return {204: None}
        return {201 if action == "create" else 200: self.view.reading()}

    def get_summary(self) -> str:
        """Return what the operation does, in a line."""
        name = getattr(self.view, "action", None) or self.method.lower()
        words = getattr(getattr(self.view, name, None), "__doc__", "") or ""
        return words.strip().partition("\n")[0]

    def get_description(self) -> str:  # type: ignore[override]
        """Return what the resource is, and the rest of what the operation does."""
        words: str = super().get_description()
        about = (type(self.view).__doc__ or "").strip().partition("\n")[0]
        rest = words.partition("\n")[2].partition("Raises:")[0].strip()
        return "\n\n".join(part for part in (about, rest) if part)

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return how one may sign in; reading needs it only for what is not public."""
        ways: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
        return [*ways, {}] if self.method == "GET" else ways

    def get_override_parameters(self) -> list[Any]:
        """Return none: parameters common to all are added by `describe_common_answers`."""
        return []

    def _get_serializer_name(
        self, serializer: Any, direction: str, bypass_extensions: bool = False
    ) -> str:
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        return name.replace("Reading", "") or name

    def _marked(self) -> Any:
        """Return what a `transition` says of itself, if the operation is one."""
        method = getattr(self.view, getattr(self.view, "action", None) or "", None)
        return getattr(method, "described_for_schema", None)


class InputExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Says of inputs that no other fields are taken."""

    target_class = "coordination.rest.inputs.Input"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the usual schema, closed."""
        schema: dict[str, Any] = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        return {**schema, "additionalProperties": False}


class PairExtension(InputExtension):  # type: ignore[no-untyped-call]
    """The same for text pairs."""

    target_class = "coordination.rest.inputs.TextPairInput"

    def get_name(self, auto_schema: Any, direction: Any) -> str | None:
        """Return one component for each length."""
        return f"TextPairOf{self.target.fields['zh'].max_length}"


def only_documented_paths(endpoints: list[Any], **_options: Any) -> list[Any]:
    """Leave out addresses outside the API, and those without their last slash."""
    return [
        endpoint
        for endpoint in endpoints
        if endpoint[0].startswith(PREFIX)
        and endpoint[0].endswith("/")
        and not endpoint[0].startswith(f"{PREFIX}schema")
    ]


def describe_common_answers(result: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """Add to each operation the parameters, answers and header fields of the house."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["headers"] = HEADERS
    components["securitySchemes"] = SECURITY
    _forget_enum_names(components["schemas"])
    components["responses"] = {f"Problem{status}": _problem(status) for status in ANSWERS}
    for path, operations in result.get("paths", {}).items():
        for method, operation in operations.items():
            if method in BY_METHOD:
                _describe(path, method, operation)
    return result


def _forget_enum_names(node: Any) -> None:
    """Drop the mark by which drf-spectacular finds equal enumerations; ours stay in place."""
    if isinstance(node, dict):
        node.pop("x-spec-enum-id", None)
        for inner in node.values():
            _forget_enum_names(inner)
    elif isinstance(node, list):
        for inner in node:
            _forget_enum_names(inner)


def _describe(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    is_list = "next" in str(responses.get("200", "")) or operation["operationId"].endswith("_list")
    for status, response in responses.items():
        response["headers"] = _headers(method, status, is_list=is_list)
    if method == "get":
        responses["304"] = {
            "description": "Nothing has changed.",
            "headers": _references(["ETag"]),
        }
    for status in (*ALWAYS, *BY_METHOD[method]):
        reference = {"$ref": f"#/components/responses/Problem{status}"}
        responses.setdefault(str(status), reference)
    operation["responses"] = dict(sorted(responses.items()))
    operation.setdefault("parameters", []).extend(_parameters(path, method))


def _headers(method: str, status: str, *, is_list: bool) -> dict[str, Any]:
    names = ["RateLimit", "RateLimit-Policy"]
    if status != "204":
        names.append("ETag")
    if method == "get" and is_list:
        names.append("Link")
    if method == "post":
        names.append("Idempotency-Replayed")
    if status == "201":
        names.append("Location")
    return _references(names)


def _references(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _parameters(path: str, method: str) -> list[dict[str, Any]]:
    language = {"type": "string", "enum": ["zh-hans", "en"]}
    parameters = [
        _parameter("lang", "The language of the answer.", schema=language, place="query"),
        _parameter("Accept-Language", "The languages you read; Chinese when none fits."),
    ]
    if method == "get":
        parameters.append(_parameter("If-None-Match", "The ETag you have: 304 while it holds."))
        parameters.append(_parameter("If-Match", "The ETag you want: 412 when it is another."))
    if method == "post":
        parameters.append(_parameter("Idempotency-Key", "Makes it safe to send this twice."))
    if method in ("patch", "delete"):
        words = "The ETag of the version you change."
        parameters.append(_parameter("If-Match", words, required=True))
    elif method == "post" and path.rstrip("/").rpartition("/")[0].endswith("}"):
        parameters.append(_parameter("If-Match", "The ETag of the version you mean."))
    return parameters


def _parameter(
    name: str,
    description: str,
    *,
    required: bool = False,
    schema: Mapping[str, Any] | None = None,
    place: str = "header",
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": name,
        "in": place,
        "description": description,
        "schema": dict(schema or {"type": "string"}),
    }
    return shown | ({"required": True} if required else {})


def _problem(status: int) -> dict[str, Any]:
    names = ["RateLimit", "RateLimit-Policy"]
    if status in (429, 503):
        names.append("Retry-After")
    if status == 401:
        names.append("WWW-Authenticate")
    return {
        "description": ANSWERS[status],
        "headers": _references(names),
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
