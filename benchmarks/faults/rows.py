"""The rows: each breaks something, looks at what came of it, and judges."""

import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from benchmarks.faults.hooks import hook_frozen, hook_kills, hook_peers
from benchmarks.faults.host_clock import host_clock
from benchmarks.faults.stage import LEASE_SECONDS, THREADS, Stage, set_lease
from benchmarks.faults.writes import web_writes

Verdict = tuple[str, bool | None]  # None: the row has no meaning on this database
Row = Callable[[Stage], Verdict]
EACH = 30  # messages between two kills
KILLS_LEASE = 8.0  # seconds; a letter may take a quarter of it, on a busy machine too
USUAL_LEASE = 120.0  # seconds; longer than the database is away


def kills(stage: Stage) -> Verdict:
    """kill -9 of any process at any moment"""
    chance = random.Random(20281)
    total = stage.kills * EACH
    set_lease(KILLS_LEASE)
    stage.owe(total)
    crew = stage.crew()
    for number in range(stage.kills):
        wanted = number * EACH // 2 + 10
        stage.wait(lambda w=wanted: len(stage.arrivals()) >= w, 30)
        time.sleep(chance.random() * 0.05)
        victim = chance.choice(list(crew))
        stage.kill(victim)
        start = crew.pop(victim)
        crew[start()] = start
    done = stage.wait_sent(total, 60 + stage.kills)
    count = stage.count()
    most = stage.kills * THREADS
    fine = done and not count.missing and count.copies <= count.doubtful <= most
    return f"{stage.kills} kills: {count.words}", fine


def frozen(stage: Stage) -> Verdict:
    """a process frozen for longer than its lease"""
    stage.owe(300)
    first = stage.loop("frozen")
    stage.wait_sent(30)
    os.kill(first, signal.SIGSTOP)
    stage.loop("other")
    time.sleep(LEASE_SECONDS + 3)  # where it stopped while writing, SQLite waits for it
    os.kill(first, signal.SIGCONT)
    stage.wait_sent(300)
    time.sleep(1.5)
    count = stage.count()
    return count.words, count.owed == 300 and not count.missing and count.copies <= THREADS


def clocks(stage: Stage) -> Verdict:
    """two clocks, five clocks"""
    words, fine = [], True
    for number in (2, 5):
        stage.clear()
        set_lease(USUAL_LEASE)
        stage.owe(200)
        for place in range(number):
            stage.loop(f"clock{place}")
        fine &= stage.wait_sent(200)
        count = stage.count()
        fine &= not count.missing and not count.copies
        words.append(f"{number} clocks: {count.words}")
    return "; ".join(words), fine


def down_over_the_due_time(stage: Stage) -> Verdict:
    """everything down across the due time"""
    from coordination.deliveries.timing import database_time

    at = database_time()
    stage.owe(20, "late", at=at - timedelta(hours=3), expires_at=at + timedelta(hours=1))
    stage.owe(20, "over", at=at - timedelta(hours=3), expires_at=at - timedelta(minutes=1))
    stage.loop()
    stage.wait_sent(20)
    from coordination.deliveries.models import Message

    stage.wait(lambda: Message.objects.filter(state="expired").count() == 20, 10)
    count, late = stage.count(), stage.count(state="expired")
    fine = count.owed == 20 and not count.missing and not count.copies
    fine &= late.owed == 20 and late.missing == 20
    return f"{count.words}; {late.owed} past their event, of which sent: 0", fine


KINDS = ("450", "550", "bye", "cut", "cutdata", "storecut", "store451", "hang", "drip", "data450",
         "data550")  # fmt: skip


def mail_server(stage: Stage) -> Verdict:
    """4xx, 421, 5xx, cut, stored then cut, stored then 4xx, silence, a drip"""
    from coordination.deliveries.models import Attempt, Message

    for kind in KINDS:
        stage.owe(1, kind)
    stage.owe(200)
    stage.loop()
    fine = stage.wait(lambda: Message.objects.filter(
        recipient__startswith="box:ok", state="sent").count() == 200, 60)  # fmt: skip
    tried = {
        kind: list(Attempt.objects.filter(message__recipient=f"box:{kind}-0").order_by("pk")
                   .values_list("outcome", flat=True))
        for kind in KINDS
    }  # fmt: skip
    states = dict(Message.objects.exclude(recipient__startswith="box:ok")
                  .values_list("recipient", "state"))  # fmt: skip
    fine &= {states[f"box:{kind}-0"] for kind in ("550", "data550")} == {"dead"}
    passing = [kind for kind in KINDS if kind not in ("550", "data550")]
    fine &= all(set(tried[kind]) <= {"retry"} for kind in passing)
    good = {str(uid) for uid in Message.objects.filter(recipient__startswith="box:ok")
            .values_list("uid", flat=True)}  # fmt: skip
    arrived = [uid for uid, _at in stage.arrivals() if uid in good]
    fine &= len(arrived) == len(set(arrived)) == 200
    again = sum(len(tried[kind]) for kind in passing)
    dead = sorted(key.removeprefix("box:") for key, state in states.items() if state == "dead")
    return (
        f"{len(set(arrived))} of 200 others arrived, {len(arrived) - len(set(arrived))} twice;"
        f" dead: {', '.join(dead)}; the rest tried {again} times",
        fine,
    )


def poison(stage: Stage) -> Verdict:
    """a message that cannot be written"""
    from coordination.deliveries.models import Message

    stage.owe(3, "poison")
    stage.owe(100)
    stage.loop()
    fine = stage.wait(lambda: Message.objects.filter(state="dead").count() == 3, 60)
    fine &= stage.wait_sent(100)
    tries = set(Message.objects.filter(state="dead").values_list("attempts", flat=True))
    count = stage.count()
    return f"3 dead after {tries} tries; {count.words}", fine and tries == {3} and not count.missing


def asked_to_end(stage: Stage) -> Verdict:
    """SIGTERM in the middle of a drain"""
    from coordination.deliveries.models import Message

    set_lease(USUAL_LEASE)
    crew = stage.crew()
    stage.owe(1000)
    stage.wait_sent(50)
    seconds = max(stage.end(child) for child in crew)
    held = Message.objects.exclude(lease="").count()
    stage.loop("next")
    done = stage.wait_sent(1000, 120)
    count = stage.count()
    fine = done and seconds < 10 and not held and not count.missing and not count.copies
    return f"ended in {seconds:.1f} s, {held} left claimed; then {count.words}", fine


def rolled_back(stage: Stage) -> Verdict:
    """a transaction rolled back; a crash between commit and hint"""
    from django.db import transaction

    stage.loop()
    try:
        with transaction.atomic():
            stage.owe(20, "undone")
            raise InterruptedError
    except InterruptedError:
        pass
    writer = stage.fork(lambda: (stage.owe(20, "kept"), os.kill(os.getpid(), signal.SIGKILL)))
    os.waitpid(writer, 0)
    del stage.children[writer]
    stage.wait_sent(20)
    time.sleep(1.5)
    count = stage.count()
    fine = count.owed == 20 and not count.missing and not count.copies and not count.strangers
    return f"0 of 20 undone; {count.words}", fine


def full_disk(stage: Stage) -> Verdict:
    """a full disk, a read-only database, for a while in the middle of a drain"""
    set_lease(USUAL_LEASE)
    stage.owe(800)
    if stage.vendor == "sqlite":
        stage.fork(lambda: _with_full_disk(stage))
    else:
        stage.loop()
        stage.wait(lambda: len(stage.arrivals()) > 50, 30)
        _read_only("on")
        time.sleep(stage.away)
        _read_only("off")
    done = stage.wait_sent(800, 120 + stage.away)
    count = stage.count()
    words = f"{stage.away:g} s without writing: {count.words}"
    return words, done and not count.missing and not count.copies


def _with_full_disk(stage: Stage) -> None:
    """Run a loop whose files cannot grow for a while (a limit of the process, RLIMIT_FSIZE)."""
    from coordination.deliveries.loop import run_loop

    def fill() -> None:
        stage.wait(lambda: len(stage.arrivals()) > 50, 30)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        time.sleep(stage.away)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    threading.Thread(target=fill, daemon=True).start()
    run_loop(threading.Event(), threading.Event())


def _read_only(value: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET SESSION default_transaction_read_only = off")
        cursor.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        cursor.execute("SELECT pg_reload_conf()")


def database_away(stage: Stage) -> Verdict:
    """PostgreSQL crashes and is away, then restarts politely"""
    assert stage.database is not None
    words, fine = [], True
    for number, away in ((signal.SIGQUIT, stage.away), (signal.SIGINT, 1.0)):
        stage.clear()
        set_lease(USUAL_LEASE)
        stage.owe(600)
        stage.crew()
        stage.wait_sent(60)
        stage.database.end(number)
        time.sleep(away)
        stage.database.start()
        _reconnect()
        done = stage.wait_sent(600, 120)
        count = stage.count()
        fine &= done and not count.missing and not count.copies
        how = "crashed" if number == signal.SIGQUIT else "restarted"
        words.append(f"{how}, away {away:g} s: {count.words}")
    return "; ".join(words), fine


def _reconnect() -> None:
    from django.db import OperationalError, connection

    for _try in range(100):
        try:
            connection.close()
            connection.ensure_connection()
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return
        except OperationalError:
            time.sleep(0.1)


def broker_flushed(stage: Stage) -> Verdict:
    """Redis flushed, again and again"""
    from redis import Redis

    client = Redis(port=stage.broker.port if stage.broker else 0)
    set_lease(USUAL_LEASE)
    stage.crew()
    stage.wait_ready()
    stage.owe(600)
    fine = True
    for _time in range(20):
        client.flushall()
        time.sleep(0.1)
    fine &= stage.wait_sent(600)
    count = stage.count()
    return count.words, fine and not count.missing and not count.copies


def broker_refused(stage: Stage) -> Verdict:
    """Redis gone"""
    return _without_broker(stage, lambda server: server.end(signal.SIGKILL), lambda s: s.start())


def broker_silent(stage: Stage) -> Verdict:
    """Redis takes connections and never answers"""
    return _without_broker(
        stage, lambda s: s.tell(signal.SIGSTOP), lambda s: s.tell(signal.SIGCONT)
    )


def _without_broker(
    stage: Stage, begin: Callable[[object], object], end: Callable[[object], object]
) -> Verdict:
    set_lease(USUAL_LEASE)
    stage.crew()
    stage.wait_ready()
    begin(stage.broker)
    try:
        time.sleep(1)
        before = len(stage.arrivals())
        stage.owe(200)
        due = time.time()
        stage.wait(lambda: len(stage.arrivals()) > before, 60)
        first = time.time() - due
        fine = stage.wait_sent(200)
        begun = time.time()
        stage.owe(1, "web")  # what a web process does: it never asks the broker
        web = time.time() - begun
    finally:
        end(stage.broker)
    stage.wait_sent(201)
    count = stage.count()
    words = f"first mail {first:.1f} s after it was due; a web process waited {web:.2f} s;"
    fine &= first <= 10 and web < 1 and not count.missing and not count.copies
    return f"{words} {count.words}", fine


def fresh(stage: Stage) -> Verdict:
    """how long from due to the first mail"""
    set_lease(USUAL_LEASE)
    stage.crew()
    stage.wait_ready()
    waits = []
    for number in range(5):
        time.sleep(0.37 * number)
        before = len(stage.arrivals())
        stage.owe(1, f"fresh{number}")
        due = time.time()
        stage.wait(lambda b=before: len(stage.arrivals()) > b, 30)
        waits.append(time.time() - due)
    worst = max(waits)
    return f"worst of 5: {worst:.1f} s", worst <= 3


EVERYWHERE: tuple[Row, ...] = (
    kills, frozen, clocks, down_over_the_due_time, host_clock, mail_server, poison, asked_to_end,
    rolled_back, full_disk, fresh, hook_kills, hook_frozen, hook_peers, web_writes,
)  # fmt: skip
WITH_SERVERS: tuple[Row, ...] = (database_away, broker_flushed, broker_refused, broker_silent)
