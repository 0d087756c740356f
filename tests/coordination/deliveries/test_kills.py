import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from coordination.deliveries.fanout import enqueue
from coordination.deliveries.models import Attempt, Message
from tests.coordination.deliveries.stage import cause

MESSAGES = 400
KILLS = 4
LEASE_SECONDS = 2.0


def database_url() -> str:
    """Return the address of the tests' own database, for another process."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    who = f"{database['USER']}:{database['PASSWORD']}@" if database["USER"] else ""
    return f"postgresql://{who}{database['HOST']}:{database['PORT']}/{database['NAME']}"


def start_worker(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.coordination.deliveries.killed_worker",
            str(folder),
            str(LEASE_SECONDS),
        ],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database_url(), "COORDINATION_VAR": str(folder / "var")},
    )


def letters(folder: Path) -> list[str]:
    file = folder / "letters"
    return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []


def wait_for(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(set(letters(folder))) < count:
        assert time.monotonic() < deadline, f"only {len(set(letters(folder)))} of {count}"
        time.sleep(0.005)


@pytest.mark.network
@pytest.mark.django_db(transaction=True)
def test_kill_the_loop_again_and_again_loses_nothing_and_doubles_only_what_was_in_doubt(
    tmp_path: Path,
) -> None:
    chance = random.Random(20281)
    keys, now = [f"box:{number}" for number in range(MESSAGES)], timezone.now()
    enqueue(keys, channel="post", cause=cause(due_at=now, send_after=now))
    (tmp_path / "var").mkdir()

    for number in range(KILLS):
        worker = start_worker(tmp_path)
        wait_for(tmp_path, (number + 1) * MESSAGES // (KILLS + 2))
        time.sleep(chance.random() * 0.02)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    last = start_worker(tmp_path)
    try:
        deadline = time.monotonic() + 60
        while Message.objects.filter(state="sent").count() < MESSAGES:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        last.kill()
        last.wait()

    sent = Counter(letters(tmp_path))
    uids = {str(uid) for uid in Message.objects.values_list("uid", flat=True)}
    assert set(sent) == uids
    assert len(uids) == MESSAGES
    doubled = {uid for uid, copies in sent.items() if copies > 1}
    in_doubt = Attempt.objects.filter(outcome="in_doubt")
    doubtful = {str(uid) for uid in in_doubt.values_list("message__uid", flat=True)}
    assert doubled <= doubtful
    assert len(doubtful) <= KILLS * 4  # what each of two threads had in hand, were its claim split
    assert sum(sent.values()) - MESSAGES <= KILLS * 2  # at most what each thread had in hand
    assert Attempt.objects.filter(outcome="sent").count() == MESSAGES
