"""How fast an endpoint may be written to: a bucket of tokens in its row.

A robot that is written to too often answers that it was too often, or keeps silent for ten
minutes. So each send takes a token first, in one statement that the database runs one after
another, whichever process asks. A bucket of `burst` tokens that refills by `per_second` lets
through at most ``burst + per_second * T`` in any T seconds, wherever they begin.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F

from coordination.deliveries.models import Endpoint, Message, MessageState

ENOUGH = 1.0 - 1e-6  # a token, but for what binary fractions lose
MORE = timedelta(milliseconds=20)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many messages an endpoint takes.

    Attributes:
        burst: sends at once after a silence.
        per_second: sends per second after that.
    """

    burst: int
    per_second: float

    def most_in(self, seconds: float) -> float:
        """Return how many sends any stretch of so many seconds may see.

        >>> Pace(3, 14 / 60).most_in(60)
        17.0
        """
        return self.burst + self.per_second * seconds

    @property
    def interval(self) -> timedelta:
        """Time in which one token comes back."""
        return timedelta(seconds=1 / self.per_second)


def take_token(endpoint_id: int, pace: Pace, *, at: datetime) -> timedelta | None:
    """Take a token for one send.

    Args:
        endpoint_id: key of the endpoint.
        pace: how fast it may be written to.
        at: the database's time.

    Returns:
        None when there was one; otherwise how long it is until there will be.
    """
    table = connection.ops.quote_name(Endpoint._meta.db_table)
    refilled, later = _arithmetic()
    now = connection.ops.adapt_datetimefield_value(at)
    filled = [pace.burst, pace.burst, pace.per_second, now]
    statement = (
        f"UPDATE {table} SET tokens = {refilled} - 1, tokens_at = {later}"
        f" WHERE id = %s AND {refilled} >= %s RETURNING tokens"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*filled, now, now, endpoint_id, *filled, ENOUGH])
        if cursor.fetchone() is not None:
            return None
        # Nothing was there: look how much is missing. It need not be exact, only not too short.
        cursor.execute(f"SELECT {refilled} FROM {table} WHERE id = %s", [*filled, endpoint_id])
        row = cursor.fetchone()
    if row is None:
        return pace.interval
    opens = Endpoint.objects.values_list("tokens_at", flat=True).get(pk=endpoint_id) or at
    missing = timedelta(seconds=max(1.0 - float(row[0]), 0.0) / pace.per_second)
    return max(opens - at, timedelta()) + missing + MORE


def _arithmetic() -> tuple[str, str]:
    """Return SQL for the tokens there are now, and for the later of now and `tokens_at`.

    The first takes burst, burst, per second and now; the second takes now twice.
    """
    if connection.vendor == "postgresql":
        passed = "EXTRACT(EPOCH FROM (CAST(%s AS timestamptz) - tokens_at))"
        least, most = "LEAST", "GREATEST"
        later = "GREATEST(CAST(%s AS timestamptz), COALESCE(tokens_at, CAST(%s AS timestamptz)))"
    else:
        passed = "(julianday(%s) - julianday(tokens_at)) * 86400.0"
        least, most = "min", "max"
        later = "max(%s, COALESCE(tokens_at, %s))"
    refilled = (
        f"CASE WHEN tokens IS NULL OR tokens_at IS NULL THEN CAST(%s AS double precision)"
        f" ELSE {least}(CAST(%s AS double precision),"
        f" tokens + CAST(%s AS double precision) * {most}(0.0, {passed})) END"
    )
    return refilled, later


def close_until(endpoint_id: int, until: datetime) -> None:
    """Let nothing go to an endpoint before `until`, and its bucket refill only from then on."""
    Endpoint.objects.filter(pk=endpoint_id).update(tokens=0.0, tokens_at=until, paused_until=until)


def put_off(message: Message, *, until: datetime) -> int:
    """Give a claimed message back for later: it was not tried, only its turn had not come.

    Returns:
        1, or 0 when the lease was no longer the caller's.
    """
    held: Any = Message.objects.filter(
        pk=message.pk, lease=message.lease, state=MessageState.PENDING
    )
    return int(
        held.update(lease="", leased_until=None, next_attempt_at=until, attempts=F("attempts") - 1)
    )
