"""`up`, as a person starts it: one journey through a day of an installation."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.installations import Installation, installation
from tests.servers import free_port

START_SECONDS = 60.0
STOP_SECONDS = 10.0


def answer(port: int, path: str) -> int:
    """The status of a GET; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def wait_until(is_so: Callable[[], bool], seconds: float = START_SECONDS) -> float:
    started = time.monotonic()
    while not is_so():
        assert time.monotonic() - started < seconds
        time.sleep(0.1)
    return time.monotonic() - started


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def started(place: Installation, port: int) -> Iterator[subprocess.Popen[str]]:
    process = place.start("up", "--no-demo", "--bind", f"127.0.0.1:{port}")
    try:
        wait_until(lambda: answer(port, "/healthz/ready") == 200 or process.poll() is not None)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's /proc")
def test_up_serves_delivers_survives_and_ends(tmp_path: Path):
    port = free_port()
    with installation(tmp_path / "var") as place:
        with started(place, port) as first:
            assert answer(port, "/accounts/login/") == 200
            logins = json.loads((place.var / "demo-logins.json").read_text())
            assert list(logins) == ["admin"]
            assert stat.S_IMODE((place.var / "demo-logins.json").stat().st_mode) == 0o600

            # A second start on the same port says so.
            second = place.run("up", "--bind", f"127.0.0.1:{port}")
            assert second.returncode == 1
            assert f"127.0.0.1:{port} is in use by another program" in second.stderr

            # A worker that is killed is made anew.
            (worker,) = children(first.pid)
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda: children(first.pid) not in ([], [worker]))
            wait_until(lambda: answer(port, "/healthz/ready") == 200)

            # Ctrl-C reaches the whole group, and ends it in time.
            os.killpg(first.pid, signal.SIGINT)
            text, _ = first.communicate(timeout=STOP_SECONDS)
            assert first.returncode == 0
            assert f"Coordination is at http://127.0.0.1:{port}/\n" in text
            assert text.count("Coordination is at") == 1
            assert f"  admin          {logins['admin']}\n" in text
            assert text.endswith("Stopped.\n")

        with started(place, port) as again:
            assert json.loads((place.var / "demo-logins.json").read_text()) == logins

            # A worker whose parent was killed ends by itself and leaves the port.
            (worker,) = children(again.pid)
            os.kill(again.pid, signal.SIGKILL)
            again.wait()
            wait_until(lambda: not is_running(worker), STOP_SECONDS)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
