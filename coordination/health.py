"""Whether the installation lives, and whether it does its work.

``/healthz/live`` says that a process answers; a supervisor restarts what does not.
``/healthz/ready`` says that the work is done: the database answers, no migration is missing, the
clock goes round, and nothing that is due waits for long; lateness is judged by the database's
clock, as the loop does, whatever this host's shows. It is 503 as soon as one of them fails.
What goes wrong beside, such as a mailbox that cannot be read, stands there as a warning, with 200.
``/metrics`` tells Prometheus the same in numbers, to this machine or to the bearer of
``COORDINATION_METRICS_TOKEN``; for everyone else it does not exist.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, TypedDict

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from coordination.changes.models import Counter
from coordination.deliveries.freshness import (
    LATE_AFTER_SECONDS,
    SILENT_AFTER_SECONDS,
    TriesSoFar,
    heartbeat_age,
    oldest_due_seconds,
    warnings_at,
)
from coordination.deliveries.models import Message
from coordination.deliveries.timing import database_time

if TYPE_CHECKING:
    from prometheus_client import Metric

_tries = TriesSoFar()
FORWARDED_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


class Check(TypedDict):
    """One answer: whether it is well, and the number or words it was judged by."""

    ok: bool
    detail: float | str | None


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer that the process lives; asks nothing of anyone."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 where every check is well, else 503; either way with all of them."""
    checks = {"database": _guarded(_database)}
    if checks["database"]["ok"]:
        checks["migrations"] = _guarded(_migrations)
        checks["clock"] = _guarded(_clock)
        checks["oldest_due"] = _guarded(_oldest_due)
    is_well = all(check["ok"] for check in checks.values())
    warnings = _warnings() if checks["database"]["ok"] else []
    status = "ok" if is_well else "failing"
    document = {"status": status, "checks": checks, "warnings": warnings}
    return JsonResponse(document, status=200 if is_well else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the numbers in Prometheus's text format.

    Raises:
        Http404: the caller is not this machine and does not bear the token.
    """
    if not may_read_metrics(request):
        raise Http404
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    registry = CollectorRegistry()
    registry.register(_Figures(database_time()))
    body = generate_latest(registry) + generate_latest(REGISTRY)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


class _Figures:
    """What the database says of deliveries at one moment, for Prometheus."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

        for name, meaning, value in (
            (
                "oldest_due_seconds",
                "Age of the oldest thing due and not sent",
                oldest_due_seconds(self._at),
            ),
            ("heartbeat_age_seconds", "Since a loop last went round", heartbeat_age(self._at)),
            ("change_number", "Number of the last change", _change_number()),
        ):
            if value is not None:
                yield GaugeMetricFamily(f"coordination_{name}", meaning, value=value)
        open_messages = GaugeMetricFamily(
            "coordination_messages", "Messages not sent", labels=["channel", "state"]
        )
        for channel, state, count in _open_messages():
            open_messages.add_metric([channel, state], count)
        yield open_messages
        tries = CounterMetricFamily(
            "coordination_tries",
            "Tries to send, by how they ended",
            labels=["channel", "outcome", "code"],
        )
        for labels, count in sorted(_tries.count(self._at).items()):
            tries.add_metric(labels, count)
        yield tries


def may_read_metrics(request: HttpRequest) -> bool:
    """Tell whether the caller bears the token or, on one's own machine, sits at it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return constant_time_compare(token, settings.METRICS_TOKEN)
    # Behind a proxy everyone seems to come from this machine.
    if settings.PRODUCTION or any(name in request.META for name in FORWARDED_HEADERS):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _warnings() -> list[dict[str, str]]:
    """Return what goes wrong beside, without what only staff may read."""
    try:
        found = warnings_at(database_time())
    except DatabaseError:
        return []
    return [{"name": one.name, "since": one.since.isoformat()} for one in found]


def _open_messages() -> list[tuple[str, str, int]]:
    rows = Message.objects.filter(state__in=["pending", "dead", "held"])
    counted = rows.order_by().values_list("channel", "state").annotate(count=Count("pk"))
    return list(counted)


def _change_number() -> int | None:
    return Counter.objects.values_list("value", flat=True).first()


def _database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True, "detail": connection.vendor}


@cache
def _wanted_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations on the disk, as app and name; read once a process."""
    return frozenset(MigrationLoader(None).disk_migrations)


def _migrations() -> Check:
    missing = _wanted_migrations() - MigrationRecorder(connection).applied_migrations().keys()
    return {"ok": not missing, "detail": f"{len(missing)} missing"}


def _clock() -> Check:
    age = heartbeat_age(database_time())
    return {"ok": age is not None and age <= SILENT_AFTER_SECONDS, "detail": age}


def _oldest_due() -> Check:
    age = oldest_due_seconds(database_time())
    return {"ok": age <= LATE_AFTER_SECONDS, "detail": age}


def _guarded(check: Callable[[], Check]) -> Check:
    """Return what the check says, or that the database does not."""
    try:
        return check()
    except DatabaseError as error:
        return {"ok": False, "detail": type(error).__name__}
