"""`Idempotency-Key`: repeat a POST safely (draft-ietf-httpapi-idempotency-key-header-07).

The key is claimed, the work done and the answer kept in one transaction: after a crash either all
three have happened or none, and a repeated request never finds half. A second request with the
same key waits at the claim until the first has ended, and then gets its answer; where it would
have to wait too long, it gets 409. Only answers that changed something are kept: a refusal changed
nothing, and the same key may be used for the corrected request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from coordination.rest import problem_kinds as kinds
from coordination.rest.models import IdempotencyKey
from coordination.rest.problems import InputError, Problem, ProblemError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=48)
LONGEST_KEY = 255
PATIENCE_SECONDS = 10
REPEATED_HEADERS = ("Content-Type", "Content-Language", "ETag", "Location")


def once(
    key: str, *, owner: str, fingerprint: str, at: datetime, answer: Callable[[], HttpResponse]
) -> HttpResponse:
    """Return the first answer to the request that `key` stands for, making it if need be.

    Args:
        key: as the client wrote it.
        owner: who asks; keys of different callers have nothing to do with each other.
        fingerprint: of method, path and body.
        at: now, aware.
        answer: does the work.

    Raises:
        ProblemError: the key cannot be taken, was used for another request, or is in use just now.
    """
    _check_key(key)
    IdempotencyKey.objects.filter(expires_at__lte=at).delete()
    try:
        with transaction.atomic():
            row = _claim(key, owner=owner, fingerprint=fingerprint, at=at)
            response = answer()
            row.status, row.body = response.status_code, response.content
            row.headers = {n: response[n] for n in REPEATED_HEADERS if n in response}
            row.save(update_fields=["status", "headers", "body"])
            return response
    except _Taken:
        return _repeat(key, owner=owner, fingerprint=fingerprint)


def fingerprint_of(method: str, path: str, body: bytes) -> str:
    """Return what tells two requests with one key apart."""
    digest = hashlib.sha256(f"{method} {path}\n".encode())
    digest.update(body)
    return digest.hexdigest()


class _Taken(Exception):
    """Another request has claimed the key, and has ended."""


def _check_key(key: str) -> None:
    if 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable():
        return
    words = _("Idempotency-Key must have 1 to 255 printable ASCII characters.")
    error = InputError("", "invalid", words, parameter=HEADER)
    raise ProblemError(Problem(kinds.INVALID_INPUT, detail=words, errors=(error,)))


def _claim(key: str, *, owner: str, fingerprint: str, at: datetime) -> IdempotencyKey:
    """Insert the key's row; waits while another transaction holds it."""
    try:
        with transaction.atomic():
            _be_patient(f"{PATIENCE_SECONDS}s")
            row = IdempotencyKey.objects.create(
                owner=owner, key=key, fingerprint=fingerprint, expires_at=at + KEPT
            )
            _be_patient("0")
            return row
    except IntegrityError:
        raise _Taken from None
    except OperationalError:
        headers = {"Retry-After": str(PATIENCE_SECONDS)}
        raise ProblemError(Problem(kinds.IN_FLIGHT, headers=headers)) from None


def _be_patient(limit: str) -> None:
    """Limit how long PostgreSQL waits for a lock; SQLite has its own limit, for all writes."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [limit])


def _repeat(key: str, *, owner: str, fingerprint: str) -> HttpResponse:
    row = IdempotencyKey.objects.filter(owner=owner, key=key).first()
    if row is None:
        raise ProblemError(Problem(kinds.IN_FLIGHT, headers={"Retry-After": "1"}))
    if row.fingerprint != fingerprint:
        raise ProblemError(Problem(kinds.KEY_REUSED))
    response = HttpResponse(bytes(row.body), status=row.status)
    for name, value in row.headers.items():
        response[name] = value
    response[REPLAYED] = "true"
    return response
