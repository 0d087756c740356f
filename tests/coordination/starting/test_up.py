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

from tests.coordination.deliveries.fake_smtp import fake_smtp
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


def owe_many_letters(place: Installation) -> None:
    """Let 150 people of a secretariat be reminded at once, by a server that takes its time."""
    assert place.run("migrate", "--verbosity", "0").returncode == 0
    assert place.ask(MANY) == 150


MANY = """
import json
from datetime import UTC, date, datetime, timedelta
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from events.calendar_event import Span
from events.reminding import add_reminder_rule
from events.scheduling import draft_event, schedule_event
from tests.factories import make_alliance, make_person, secretariat_of

at = datetime.now(UTC) - timedelta(days=1)
alliance = make_alliance()
for number in range(150):
    person = make_person(
        f"p{number}", role="staff", body=secretariat_of(alliance), starts_on=date(2020, 1, 1)
    )
    User.objects.filter(pk=person.user_id).update(email=f"slow@b{number}.example.org")
add_reminder_rule(
    alliance, viewer=SYSTEM, at=at, offset="-P1D", audience=["secretariat"], respects_quiet=False
)
event = draft_event(alliance, viewer=SYSTEM, at=at, title_zh="对接会", audience="public")
starts = (at + timedelta(hours=47)).replace(tzinfo=None)
span = Span(starts=starts, ends=starts + timedelta(hours=2), zone="UTC", is_all_day=False)
schedule_event(event, span, viewer=SYSTEM, at=at)
print(json.dumps(User.objects.count()))
"""
STATES = """
import json
from coordination.deliveries.models import Attempt, Message
letters = Message.objects.filter(channel="email")
claimed, doubts = letters.exclude(lease=""), Attempt.objects.filter(outcome="in_doubt")
print(json.dumps([letters.filter(state="sent").count(), claimed.count(), doubts.count()]))
"""


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


@pytest.mark.network
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's /proc")
def test_up_told_to_end_in_a_drain_gives_back_what_it_has_not_begun(tmp_path: Path):
    port = free_port()
    with fake_smtp() as (sink, seen), installation(tmp_path / "var") as place:
        place.knobs["EMAIL_URL"] = f"smtp://127.0.0.1:{sink}"
        owe_many_letters(place)

        for number in (signal.SIGINT, signal.SIGTERM):
            before = len(seen.stored)
            with started(place, port) as process:
                wait_until(lambda wanted=before + 10: len(seen.stored) >= wanted)
                (worker,) = children(process.pid)
                # A terminal tells every process, and the parent tells the worker once more.
                os.killpg(process.pid, number)
                with contextlib.suppress(ProcessLookupError):
                    for turn in range(200):
                        os.kill(worker, number)
                        time.sleep(turn / 1e6)
                process.communicate(timeout=STOP_SECONDS)
                assert process.returncode == 0
            assert place.ask(STATES) == [len(seen.stored), 0, 0]
            assert len(seen.stored) < 150

        with started(place, port):
            wait_until(lambda: place.ask(STATES) == [150, 0, 0])

    assert len({mail["Message-ID"] for _address, mail in seen.stored}) == len(seen.stored) == 150
