"""The short form of `benchmarks.faults`: the same rows with few kills, on the database at hand."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

ROWS = [
    "kills", "clocks", "down_over_the_due_time", "poison", "rolled_back", "asked_to_end",
    "hook_kills", "web_writes",
]  # fmt: skip


@pytest.mark.network
def test_faults_on_this_database_all_hold() -> None:
    command = [sys.executable, "-m", "benchmarks.faults", "--on", connection.vendor]

    ended = subprocess.run(
        [*command, "--kills", "3", "--away", "2", *ROWS],
        cwd=settings.BASE_DIR,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )

    assert [line for line in ended.stdout.splitlines() if not line.startswith("holds")] == []
    assert len(ended.stdout.splitlines()) == len(ROWS), ended.stderr[-2000:]
    assert ended.returncode == 0
