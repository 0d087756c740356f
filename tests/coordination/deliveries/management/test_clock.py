import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from coordination.deliveries.models import Heartbeat
from tests.coordination.deliveries.test_kills import database_url


@pytest.mark.network
@pytest.mark.django_db(transaction=True)
def test_clock_beats_until_it_is_told_to_end(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    clock = subprocess.Popen(
        [sys.executable, "manage.py", "clock"],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "COORDINATION_VAR": str(tmp_path / "var"),
            "REDIS_URL": "",
        },
        stdout=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + 60
        while not Heartbeat.objects.filter(name__startswith="clock@").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        clock.send_signal(signal.SIGTERM)
        output, _errors = clock.communicate(timeout=10)
    finally:
        clock.kill()
        clock.wait()

    assert clock.returncode == 0
    assert output.decode() == "The clock is running. Ctrl-C ends it.\n"
    connection.close()
