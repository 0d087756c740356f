"""What moving an event costs with 24 and with a million reminders pending.

    python -m benchmarks.reminders [--pending 1000000] [--rounds 40]

One event with four rules is moved to and fro; the other reminders belong to other events. SQLite
in a temporary file; behind `python -m tests.servers` PostgreSQL. Only the ratio counts.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from typing import Any

FEW = 24
BATCH = 500
DUE = datetime(2029, 1, 1, tzinfo=UTC)


def main() -> int:
    """Measure, print, and say whether the cost stays the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pending", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ.setdefault("COORDINATION_DATA_DIR", folder)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings")
        import django

        django.setup()
        return _measure(options.pending, options.rounds)


def _measure(pending: int, rounds: int) -> int:
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    event = _event_with_rules()
    _fill(FEW)
    few = _moves(event, rounds)
    _fill(pending)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE events_reminder")
    many = _moves(event, rounds)
    print(f"{connection.vendor}: moving one event of four rules, median of {rounds}")
    print(f"  {FEW:>9,} reminders pending: {few * 1000:.2f} ms")
    print(f"  {pending:>9,} reminders pending: {many * 1000:.2f} ms")
    print(f"  ratio {many / few:.2f}")
    return 0 if many / few < 2 else 1


def _event_with_rules() -> Any:
    from events.reminding import add_reminder_rule
    from tests.factories import AT, SYSTEM, make_alliance, make_event

    alliance = make_alliance("bench")
    for offset in ("-P30D", "-P7D", "-P1D", "-PT2H"):
        add_reminder_rule(alliance, viewer=SYSTEM, at=AT, offset=offset, respects_quiet=False)
    return make_event(alliance, scheduled=True)


def _fill(wanted: int) -> None:
    """Let so many reminders be pending: all pairs of an alliance's rules and events."""
    from django.db import connection, models

    from events.models import Event, Reminder, ReminderRule
    from tests.factories import make_alliance

    side = math.isqrt(wanted - 1) + 1
    alliance = make_alliance(f"with-{wanted}")
    rules = [
        ReminderRule(alliance=alliance, offset="-P1D", audience=["hosts"], channels=["email"])
        for _number in range(side)
    ]
    events = [
        Event(
            alliance=alliance, title_zh="活动", ical_uid=f"{alliance.slug}-{number}",
            dav_name=f"{alliance.slug}-{number}", time_zone="Asia/Shanghai",
        )
        for number in range(side)
    ]  # fmt: skip
    models.QuerySet(ReminderRule).bulk_create(rules, batch_size=BATCH)
    models.QuerySet(Event).bulk_create(events, batch_size=BATCH)
    table, place = Reminder._meta.db_table, "%s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (event_id, rule_id, due_at, state, generation, note, occurrence)"
            f" SELECT e.id, r.id, {place}, 'pending', 1, '', 1 FROM events_event e,"
            f" events_reminderrule r WHERE e.alliance_id = {place} AND r.alliance_id = {place}"
            f" LIMIT {wanted}",
            [connection.ops.adapt_datetimefield_value(DUE), alliance.pk, alliance.pk],
        )


def _moves(event: Any, rounds: int) -> float:
    """Return the median of the seconds that one move takes."""
    from events.scheduling import schedule_event
    from tests.factories import AFTERNOON, AT, MORNING, SYSTEM, stored

    taken = []
    for number in range(rounds):
        found = stored(event)
        begun = time.perf_counter()
        schedule_event(found, MORNING if number % 2 else AFTERNOON, viewer=SYSTEM, at=AT)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
