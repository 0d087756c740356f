"""What the ledger costs beside bare SQL, in one run: fan-out, claim and mark, the mail pipeline.

    python -m benchmarks.deliveries [--rows N]                       SQLite in a temporary folder
    python -m tests.servers python -m benchmarks.deliveries          PostgreSQL

Ratios, not seconds, are what to compare. Each round takes a limit and our figure one right after
the other, so that both meet the machine in the same mood; printed are the median of the rounds'
ratios, the lowest and the highest. The best of each side would compare two lucky moments.
"""

import argparse
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from uuid import uuid4

ROUNDS = 7
MAIL_ROUNDS = 3
WORKERS = 2
# What claiming and settling writes, for all rows at once.
CLAIM_ALL = (
    "UPDATE deliveries_message SET lease = 'x', leased_until = created_at,"
    " attempts = attempts + 1, first_tried_at = created_at"
)
SETTLE_ALL = (
    "UPDATE deliveries_message SET state = 'sent', reason = '', error = '', failures = 0,"
    " sent_at = created_at, next_attempt_at = created_at, lease = '', leased_until = NULL,"
    " begun_at = NULL"
)
# One UPDATE that leaves the rows as both together do.
MARK_ALL = f"{SETTLE_ALL}, in_doubt = false, first_tried_at = created_at, attempts = attempts + 1"
NOTE_ALL = (
    "INSERT INTO deliveries_attempt"
    " (message_id, number, outcome, code, detail, address, begun_at, ended_at)"
    " SELECT id, attempts, 'sent', '', '', '', created_at, created_at FROM deliveries_message"
)
# The least that a claim and a mark by a hundred can be: keys come back and nothing else, no look
# at channels, lanes and ended leases, no attempt.
BARE_CLAIM = """
    UPDATE deliveries_message SET lease = %(lease)s, attempts = attempts + 1,
      leased_until = now() + interval '2 minutes'
    WHERE id = ANY(ARRAY(
      SELECT id FROM deliveries_message
      WHERE state = 'pending' AND channel = 'post' AND next_attempt_at <= now()
        AND (leased_until IS NULL OR leased_until <= now())
      ORDER BY next_attempt_at, id LIMIT 100 FOR UPDATE SKIP LOCKED))
    RETURNING id
"""
BARE_MARK = """
    UPDATE deliveries_message SET state = 'sent', sent_at = now()
    FROM unnest(%(keys)b::bigint[]) AS told (key)
    WHERE id = told.key AND lease = %(lease)s AND state = 'pending'
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--mails", type=int, default=2_000)
    parser.add_argument("--due", type=int, default=100_000)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="coordination-benchmark-")
    os.environ["COORDINATION_VAR"] = folder
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings")
    try:
        prepare()
        from django.db import connection

        sys.stdout.write(f"{connection.vendor}, {options.rows} rows, {options.mails} mails\n")
        for name, rounds in (
            ("fan-out / raw INSERT..SELECT", fan_out_figures(options.rows)),
            ("claim + mark by 100 / one UPDATE", claim_figures(options.rows, [MARK_ALL])),
            (
                f"claim + mark by 100, {WORKERS} workers at once / one UPDATE",
                claim_figures(options.rows, [MARK_ALL], workers=WORKERS),
            ),
            (
                "claim + mark by 100 / the same writes, all at once",
                claim_figures(options.rows, [CLAIM_ALL, SETTLE_ALL, NOTE_ALL]),
            ),
            ("a bare claim + mark by 100 / one UPDATE", bare_figures(options.rows)),
            (
                "claim, each settled alone / one UPDATE",
                claim_figures(2_000, [MARK_ALL], together=False),
            ),
            ("whole pipeline / kept connection", mail_figures(options.mails)),
        ):
            if measured := list(rounds):
                sys.stdout.write(f"{name}: {said(measured)}\n")
        megabytes, seconds = due_figures(options.due)
        sys.stdout.write(f"{options.due} due at once: +{megabytes:.0f} MB, {seconds:.0f} s\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def said(rounds: Sequence[tuple[float, float]]) -> str:
    """Return what rounds of (seconds of the limit, seconds of ours) come to."""
    ratios = [limit / ours for limit, ours in rounds]
    limit, ours = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    return (
        f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f} in"
        f" {len(rounds)}; medians {ours:.3f} s, limit {limit:.3f} s)"
    )


def prepare() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def execute(statement: str, *params: object) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def empty() -> None:
    from coordination.deliveries.models import Attempt, Delivery, Endpoint, Message

    cleared(Attempt, Delivery, Message, Endpoint)


def cleared(*models: Any) -> None:
    from django.db import connection

    tables = [model._meta.db_table for model in models]
    if connection.vendor == "postgresql":
        execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        return
    for table in tables:
        execute(f"DELETE FROM {table}")


def fan_out_figures(rows: int) -> Iterator[tuple[float, float]]:
    """Yield seconds of copying as many lines into a bare table, and of the fan-out."""
    from coordination.accounts.models import User
    from coordination.deliveries.fanout import fan_out
    from coordination.deliveries.recipients import RecipientKey

    empty()
    User.objects.bulk_create((User(username=f"b{n}") for n in range(rows)), batch_size=1000)
    people = User.objects.annotate(recipient=RecipientKey("user", "uid"))
    fan_out(people, channel="post", cause=cause("warm"))
    execute("CREATE TABLE bare AS SELECT * FROM deliveries_delivery WHERE source_id = 'none'")
    copy = "INSERT INTO bare SELECT * FROM deliveries_delivery WHERE source_id = 'warm'"
    for number in range(ROUNDS):
        bare = timed(lambda: execute(copy))
        yield bare, timed(partial(fan_out, people, channel="post", cause=cause(str(number))))
    execute("DROP TABLE bare")
    execute("DELETE FROM accounts_user")


def cause(source_id: str) -> object:
    from django.utils import timezone

    from coordination.deliveries.fanout import Cause

    now = timezone.now()
    return Cause(source="notice", source_id=source_id, due_at=now, send_after=now)


def fill(rows: int, channel: str = "post") -> None:
    from django.utils import timezone

    from coordination.deliveries.bundling import bundle_due
    from coordination.deliveries.fanout import enqueue

    empty()
    keys = [f"box:{uuid4()}" for _n in range(rows)]  # in no order, as the keys of people
    enqueue(keys, channel=channel, cause=cause("1"))
    while bundle_due(timezone.now()):
        pass


@contextmanager
def stocked(rows: int) -> Iterator[Callable[[], None]]:
    """Make that many messages once; give what puts them back as they were."""
    from coordination.deliveries.models import Attempt, Delivery, Message

    fill(rows)
    message = Message._meta.db_table
    execute(f"CREATE TABLE stock AS SELECT * FROM {message}")

    def put_back() -> None:
        cleared(Attempt, Delivery, Message)
        execute(f"INSERT INTO {message} SELECT * FROM stock ORDER BY id")

    yield put_back
    execute("DROP TABLE stock")


def claim_figures(
    rows: int, at_once: Sequence[str], *, together: bool = True, workers: int = 1
) -> Iterator[tuple[float, float]]:
    """Yield seconds of these statements over all rows, and of claiming and settling them."""
    with stocked(rows) as put_back:
        for _round in range(ROUNDS):
            put_back()
            bare = timed(lambda: [execute(statement) for statement in at_once])
            put_back()
            if workers == 1:
                yield bare, timed(lambda: work_off(together=together))
            else:
                yield bare, worked_off_by(workers)


def bare_figures(rows: int) -> Iterator[tuple[float, float]]:
    """Yield seconds of one UPDATE, and of the barest two statements by hundreds; none on SQLite."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return
    with stocked(rows) as put_back:
        for _round in range(ROUNDS):
            put_back()
            bare = timed(lambda: execute(MARK_ALL))
            put_back()
            yield bare, timed(mark_barely)


def mark_barely() -> None:
    from coordination.statements import kept

    batch = 0
    while True:
        lease = f"batch {batch}"
        _count, claimed = kept(BARE_CLAIM, {"lease": lease})
        if not claimed:
            return
        kept(BARE_MARK, {"lease": lease, "keys": [key for (key,) in claimed]})
        batch += 1


def worked_off_by(workers: int) -> float:
    """Return the seconds until so many processes, each connected, have worked off all rows."""
    from django.db import connection

    connection.close()  # what a fork inherits must not be open
    if connection.vendor == "postgresql":
        connection.close_pool()
    fork = multiprocessing.get_context("fork")
    gate = fork.Barrier(workers + 1)
    processes = [fork.Process(target=work_off_between, args=(gate,)) for _ in range(workers)]
    for process in processes:
        process.start()
    gate.wait()
    seconds = timed(gate.wait)
    for process in processes:
        process.join()
    return seconds


def work_off_between(gate: Barrier) -> None:
    from django.db import connection

    connection.ensure_connection()
    gate.wait()
    work_off(together=True)
    gate.wait()


def work_off(*, together: bool) -> None:
    from django.utils import timezone

    from coordination.deliveries.models import AttemptOutcome
    from coordination.deliveries.outbox import Settlement, claim_due, settle

    at = timezone.now()
    while claimed := claim_due("post", at=at, lease=timedelta(minutes=2)):
        settlements = [
            Settlement(message, AttemptOutcome.SENT, begun_at=at, ended_at=at)
            for message in claimed
        ]
        for batch in [settlements] if together else [[one] for one in settlements]:
            settle(batch)


def mail_figures(mails: int) -> Iterator[tuple[float, float]]:
    """Yield seconds of Django's mail on one kept connection, and of our pipeline, same sink."""
    from django.conf import settings
    from django.utils import timezone

    from coordination.deliveries import sources
    from coordination.deliveries.digesting import dressed, tidied
    from coordination.deliveries.draining import Drain
    from coordination.deliveries.recipients import Reader, register_address_book
    from coordination.deliveries.timing import Timepiece
    from coordination.deliveries.transports.base import close_transports
    from coordination.deliveries.transports.email import SMTP_BACKEND

    sources._sources.clear()
    sources.register_source(Notices())
    register_address_book("box", Boxes())
    with mail_server() as port:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST = SMTP_BACKEND, "127.0.0.1"
        settings.EMAIL_PORT = port
        readers = [Reader(f"box:{n}", f"box{n}@example.org") for n in range(mails)]
        # The same mails, written beforehand.
        written = [tidied(dressed(text(), reader, ["notice"])) for reader in readers]

        for _round in range(MAIL_ROUNDS):
            fill(mails, channel="email")
            bare = timed(partial(send_plainly, readers, written))
            drain = Drain("email", Timepiece(timezone.now()), threading.Event())
            ours = timed(partial(drain.run, budget=600))
            assert drain.tally.sent == mails
            yield bare, ours
    close_transports()


def send_plainly(readers: Sequence[Any], written: Sequence[Any]) -> None:
    """Send mails that are written already, with Django's mail, over one connection."""
    from django.core.mail import get_connection

    from coordination.deliveries.transports.base import Letter
    from coordination.deliveries.transports.email import compose

    backend = get_connection()
    backend.open()
    for reader, rendered in zip(readers, written, strict=True):
        backend.send_messages([compose(Letter(uuid4(), reader, rendered, 1))])
    backend.close()


@contextmanager
def mail_server() -> Iterator[int]:
    """Run a mail server in a process of its own, as mail servers are; give its port."""
    code = (
        "import threading; from tests.coordination.deliveries.fake_smtp import fake_smtp\n"
        "with fake_smtp() as (port, seen): print(port, flush=True); threading.Event().wait()"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.wait()


def due_figures(rows: int) -> tuple[float, float]:
    """Return by how many megabytes this process grew over bundling and draining so many."""
    import resource

    from django.utils import timezone

    from coordination.deliveries import sources
    from coordination.deliveries.bundling import bundle_due
    from coordination.deliveries.draining import Drain
    from coordination.deliveries.fanout import enqueue
    from coordination.deliveries.recipients import register_address_book
    from coordination.deliveries.timing import Timepiece
    from coordination.deliveries.transports.base import register_transport

    sources.register_source(Notices())
    register_address_book("box", Boxes())
    register_transport("post", Nowhere)
    empty()
    for start in range(0, rows, 1000):
        keys = [f"box:{start + n}" for n in range(min(1000, rows - start))]
        enqueue(keys, channel="post", cause=cause("1"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    while bundle_due(timezone.now()):
        pass
    Drain("post", Timepiece(timezone.now()), threading.Event()).run(budget=3600)
    seconds = time.perf_counter() - begun
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, seconds


class Nowhere:
    lease = timedelta(minutes=2)
    schedule = None

    def prepare(self) -> None:
        """It is always open."""

    def send(self, letter: object) -> object:
        from coordination.deliveries.transports.base import Receipt

        return Receipt()

    def close(self) -> None:
        """Nothing is open."""


def text() -> object:
    from coordination.deliveries.sources import Rendered

    return Rendered(
        "提醒:走进天开园", "5月14日 09:30 天津\n" * 20, "<p>5月14日 09:30 天津</p>" * 20
    )


class Notices:
    kind = "notice"

    def fire_next(self, at: datetime) -> bool:
        return False

    def oldest_due_at(self, at: datetime) -> datetime | None:
        return None

    def still_wanted(self, delivery: object, reader: object, at: datetime) -> str:
        return ""

    def render(self, deliveries: Sequence[object], reader: object, at: datetime) -> object:
        return text()


class Boxes:
    def readers(self, recipients: Iterable[str], channel: str) -> Mapping[str, object]:
        from coordination.deliveries.recipients import Reader

        return {key: Reader(key, f"{key.replace(':', '')}@example.org") for key in recipients}

    def mark_bounced(self, recipient: str, channel: str, address: str, at: datetime) -> None:
        """Nobody bounces here."""


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    main()
