"""One notion of now for the queue: the database's clock, carried on by the monotonic clock.

What is due and whose lease has ended is decided by the database's time, so that several hosts
agree. It is read once a tick; in between, the monotonic clock counts on, so that a jump of the
host's clock can neither end a lease nor prolong one.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone


def database_time() -> datetime:
    """Return the database's present time (aware, UTC).

    SQLite lives in this process, so there it is the host's clock.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row: tuple[datetime] = cursor.fetchone()
    return row[0].astimezone(UTC)


class Timepiece:
    """A clock set once by the database that runs on by the monotonic clock.

    >>> from datetime import datetime, UTC
    >>> piece = Timepiece(datetime(2026, 5, 14, 9, 30, tzinfo=UTC))
    >>> piece.now() >= datetime(2026, 5, 14, 9, 30, tzinfo=UTC)
    True
    """

    def __init__(self, at: datetime) -> None:
        """Set the clock.

        Args:
            at: aware instant that is now.
        """
        self._at = at
        self._set = time.monotonic()

    def now(self) -> datetime:
        """Return the instant it was set to plus the time that has really passed since."""
        return self._at + timedelta(seconds=time.monotonic() - self._set)


class Fence:
    """Ends a worker's work before its lease ends, by the monotonic clock.

    Make it before the claim: the time that the claim itself took then counts too.
    """

    SHARE = 0.7

    def __init__(self, lease: timedelta) -> None:
        """Begin to count.

        Args:
            lease: how long a claim lasts; nothing is begun after 70 % of it.
        """
        self._until = time.monotonic() + lease.total_seconds() * self.SHARE

    def has_passed(self) -> bool:
        """Whether nothing more may be begun under this lease."""
        return time.monotonic() >= self._until
