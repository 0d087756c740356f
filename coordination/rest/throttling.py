"""How often one caller may ask: so many requests in a window of a minute.

The caller is the credential presented, or else the address. Counts are kept in the cache: on
Redis they hold across processes and machines, in one process its own memory is enough. Counting
in rows would cost a write for each read. Every answer tells where one stands, as
`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11).

`COORDINATION_API_RATE` sets the number for one minute; 0 sets no limit.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from coordination.rest.problem_kinds import TOO_MANY_REQUESTS
from coordination.rest.problems import Problem, ProblemError

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands: how many were allowed and are left, and seconds to the next window."""

    quota: int
    left: int
    seconds: int

    def mark(self, response: HttpResponse) -> None:
        """Tell it in the answer's header."""
        response["RateLimit-Policy"] = f'"default";q={self.quota};w={WINDOW_SECONDS}'
        response["RateLimit"] = f'"default";r={max(0, self.left)};t={self.seconds}'


def count(request: HttpRequest) -> Standing | None:
    """Count the request; None where no limit is set."""
    quota: int = settings.API_REQUESTS_PER_MINUTE
    if not quota:
        return None
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    key = f"rate:{caller_of(request)}:{window}"
    try:
        used = cache.incr(key)
    except ValueError:
        used = 1
        if not cache.add(key, 1, timeout=2 * WINDOW_SECONDS):
            used = _counted(key)
    return Standing(quota, quota - used, int((window + 1) * WINDOW_SECONDS - now) + 1)


def refuse_too_many(standing: Standing | None) -> None:
    """Go on while the caller is within the limit.

    Raises:
        ProblemError: 429 with `Retry-After`.
    """
    if standing is not None and standing.left < 0:
        headers = {"Retry-After": str(standing.seconds)}
        raise ProblemError(Problem(TOO_MANY_REQUESTS, headers=headers))


def caller_of(request: HttpRequest) -> str:
    """Return a short name for who asks: by credential, else by address."""
    secret = request.META.get("HTTP_AUTHORIZATION") or request.COOKIES.get(
        settings.SESSION_COOKIE_NAME
    )
    if secret:
        return hashlib.blake2b(secret.encode("utf-8", "replace"), digest_size=12).hexdigest()
    return f"ip-{address_of(request)}".replace(" ", "")[:80]


def address_of(request: HttpRequest) -> str:
    """Return the caller's address; behind a proxy of ours, the one that the proxy saw."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if forwarded and getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        return str(forwarded.rpartition(",")[2].strip())
    return str(request.META.get("REMOTE_ADDR", ""))


def _counted(key: str) -> int:
    try:
        return cache.incr(key)
    except ValueError:
        return 1
