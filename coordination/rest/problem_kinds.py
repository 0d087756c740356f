"""The kinds of problem that the API answers with (RFC 9457), and what each means.

The `type` of a problem document is `/api/problems/{kind}/`: a page of ours that explains it. The
list is short and stable; the document's `code` says more exactly what happened ("plan_closed" is
a `transition_not_allowed`).
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of problem.

    Attributes:
        name: the last part of the type URI, snake_case.
        status: the HTTP status it usually comes with.
        title: the same for every occurrence, translated when shown.
        advice: what to do about it.
    """

    name: str
    status: int
    title: Words
    advice: Words

    @property
    def path(self) -> str:
        """Return the type URI, relative to the installation (RFC 9457 section 3.1.1)."""
        return f"/api/problems/{self.name}/"


_kinds: dict[str, ProblemKind] = {}


def register_problem(kind: ProblemKind) -> ProblemKind:
    """Make a kind known, so that its page exists; a room above may add its own."""
    return _kinds.setdefault(kind.name, kind)


def problem_kinds() -> list[ProblemKind]:
    """Return all kinds, by status and name."""
    return sorted(_kinds.values(), key=lambda kind: (kind.status, kind.name))


def kind_called(name: str) -> ProblemKind | None:
    """Return the kind of this name, if there is one."""
    return _kinds.get(name)


def _kind(name: str, status: int, title: Words, advice: Words) -> ProblemKind:
    return register_problem(ProblemKind(name, status, title, advice))


MALFORMED_REQUEST = _kind(
    "malformed_request",
    400,
    _("The request cannot be read"),
    _("Check the syntax of the body and of the headers; JSON must be valid and in UTF-8."),
)
INVALID_INPUT = _kind(
    "invalid_input",
    400,
    _("Some of the input cannot be taken"),
    _("Each entry of “errors” names a field by a JSON Pointer, or a parameter, and says why."),
)
NOT_AUTHENTICATED = _kind(
    "not_authenticated",
    401,
    _("Sign in first"),
    _("Send a valid API token as “Authorization: Bearer …”, or sign in on the pages."),
)
NOT_ALLOWED = _kind(
    "not_allowed",
    403,
    _("You may not do this"),
    _("Your role does not cover this. Ask the secretariat of the alliance."),
)
SCOPE_MISSING = _kind(
    "scope_missing",
    403,
    _("The token does not cover this"),
    _("Use a token with the scope that “scope” names."),
)
NOT_FOUND = _kind(
    "not_found",
    404,
    _("Nothing was found here"),
    _("The address is wrong, or what it names is not open to you."),
)
METHOD_NOT_ALLOWED = _kind(
    "method_not_allowed",
    405,
    _("This method is not possible here"),
    _("The “Allow” header names the methods that are."),
)
NOT_ACCEPTABLE = _kind(
    "not_acceptable",
    406,
    _("No such format is offered"),
    _("Ask for “application/json”."),
)
REFUSED = _kind(
    "refused",
    409,
    _("This cannot be done"),
    _("The detail says why. Nothing was changed."),
)
TRANSITION_NOT_ALLOWED = _kind(
    "transition_not_allowed",
    409,
    _("The present state does not allow this"),
    _("Read the object again: its state does not lead where the request wants to go."),
)
IN_FLIGHT = _kind(
    "request_in_flight",
    409,
    _("The first request with this key is still being answered"),
    _("Wait for the seconds that “Retry-After” names and send the same request again."),
)
PRECONDITION_FAILED = _kind(
    "precondition_failed",
    412,
    _("This is not the version that was asked for"),
    _("“current_etag” names what stands here now. Ask without “If-Match” to read it."),
)
STALE_VERSION = _kind(
    "stale_version",
    412,
    _("Somebody else has changed this in the meantime"),
    _(
        "“current” is what is stored now, “mine” what you sent. Decide, then send the change again "
        "with the “current_etag” in “If-Match”. Without “If-Match” the status is 409."
    ),
)
TOO_LARGE = _kind(
    "too_large",
    413,
    _("The request is too large"),
    _("Send less at once."),
)
UNSUPPORTED_MEDIA_TYPE = _kind(
    "unsupported_media_type",
    415,
    _("This format is not taken here"),
    _("Send “application/json”; for changes also “application/merge-patch+json”."),
)
KEY_REUSED = _kind(
    "idempotency_key_reused",
    422,
    _("This key was used for another request"),
    _("Take a new “Idempotency-Key” for each new request, and the same one only to repeat it."),
)
PRECONDITION_REQUIRED = _kind(
    "precondition_required",
    428,
    _("Say which version you are changing"),
    _("Read the object and send its “ETag” in “If-Match”, so that nobody's change is lost."),
)
TOO_MANY_REQUESTS = _kind(
    "too_many_requests",
    429,
    _("Too many requests"),
    _("Wait for the seconds that “Retry-After” names."),
)
INTERNAL_ERROR = _kind(
    "internal_error",
    500,
    _("Something went wrong on our side"),
    _("The mistake has been noted. Try again later, or tell the people who run this service."),
)
UNAVAILABLE = _kind(
    "unavailable",
    503,
    _("The service is busy"),
    _("Wait for the seconds that “Retry-After” names and send the same request again."),
)
