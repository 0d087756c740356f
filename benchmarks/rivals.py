"""The servers that `calendars.py` measures: ours and others, each started as it is run for real.

A `Rival` is a process tree with a calendar of the same events and the raw requests that mean the
same thing to it. The others come from `rivals.lock`, in an environment of their own; nginx is the
system's.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tests.environments import made_from
from tests.servers import free_port

HERE = Path(__file__).resolve().parent
START_SECONDS = 30
USER, PASSWORD = "bench", "bench"
ENTRY = "coordination.wsgi:application"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Rival:
    """A running server.

    Attributes:
        port: on 127.0.0.1.
        process: the root of its process tree.
        calendar: path of the collection, with a slash at the end.
        feed: path of the whole calendar as one file; the collection where there is no other.
        headers: sent with each request; the login.
    """

    name: str
    port: int
    process: subprocess.Popen[bytes]
    calendar: str
    feed: str
    headers: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request outside the measuring; return status, headers and body."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=body or None,
            method=method,
            headers={**self.headers, **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    @cached_property
    def processes(self) -> list[int]:
        """The process and all that stand under it.

        Looked for once: it costs more than what is measured, and leaves the server cold caches.
        """
        return _tree(self.process.pid)

    def cpu_seconds(self) -> float:
        """Return the CPU that the process tree has used so far."""
        return sum(_ticks(pid) for pid in self.processes) / TICKS


def login(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    """Return the header of a Basic login."""
    words = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {words}"}


@contextlib.contextmanager
def radicale(folder: Path, objects: Mapping[str, bytes]) -> Iterator[Rival]:
    """Run Radicale under gunicorn with two workers, filled by its own storage format."""
    programs, port = made_from(HERE / "rivals.lock"), free_port()
    store = folder / "radicale" / "collection-root" / USER / "jjj"
    store.mkdir(parents=True)
    (store / ".Radicale.props").write_text('{"tag": "VCALENDAR", "D:displayname": "bench"}')
    for name, content in objects.items():
        (store / name).write_bytes(content)
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
    config = folder / "radicale.conf"
    config.write_text(
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {folder}/users\n"
        "htpasswd_encryption = plain\ndelay = 0\n"
        f"[storage]\nfilesystem_folder = {folder}/radicale\n[logging]\nlevel = error\n"
    )
    command = [programs / "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}"]
    environment = {**os.environ, "RADICALE_CONFIG": str(config)}
    with _running([*command, "radicale:application"], port, environment) as process:
        path = f"/{USER}/jjj/"
        yield Rival("Radicale", port, process, path, path, login())


@contextlib.contextmanager
def xandikos(folder: Path, objects: Mapping[str, bytes]) -> Iterator[Rival]:
    """Run Xandikos, filled by PUT, since its store is a git repository."""
    programs, port = made_from(HERE / "rivals.lock"), free_port()
    command = [programs / "xandikos", "--defaults", "-d", folder / "xandikos"]
    command += ["--listen-address", "127.0.0.1", "--port", str(port)]
    with _running(command, port, dict(os.environ)) as process:
        path = "/user/calendars/jjj/"
        rival = Rival("Xandikos", port, process, path, path)
        rival.ask("MKCALENDAR", path)
        for name, content in objects.items():
            status, _headers, body = rival.ask(
                "PUT", path + name, content, {"Content-Type": "text/calendar; charset=utf-8"}
            )
            assert status in (201, 204), body
        yield rival


@contextlib.contextmanager
def nginx(folder: Path, feed: bytes) -> Iterator[Rival | None]:
    """Run nginx with the feed as a static file; None where it is not installed."""
    program, port = shutil.which("nginx") or shutil.which("/usr/sbin/nginx"), free_port()
    if program is None:
        print("nginx is left out; to have it: apt-get install nginx-light", file=sys.stderr)
        yield None
        return
    root = folder / "nginx"
    root.mkdir()
    (root / "jjj.ics").write_bytes(feed)
    config = root / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 2; user root; pid {root}/pid; error_log {root}/error;\n"
        "events { worker_connections 256; }\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{port}; root {root};\n"
        "types { text/calendar ics; } keepalive_requests 10000000; } }\n"
    )
    with _running([program, "-c", config, "-p", root], port, dict(os.environ)) as process:
        yield Rival("nginx", port, process, "/", "/jjj.ics")


@contextlib.contextmanager
def ours(
    folder: Path, *, workers: int = 2, entry: str = ENTRY
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run the project's production entry under granian, on the database that is configured."""
    port = free_port()
    granian = Path(sys.executable).parent / "granian"
    command = [granian, "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--blocking-threads", "4", "--http", "1"]
    command += ["--no-ws", entry]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    with _running(command, port, environment, log=folder / "ours.log") as process:
        yield port, process


@contextlib.contextmanager
def _running(
    command: list[object], port: int, environment: dict[str, str], log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends."""
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(open(log, "wb")) if log else subprocess.DEVNULL
        process = subprocess.Popen(
            [str(word) for word in command], env=environment, stdout=sink, stderr=sink
        )
        try:
            _wait_for(port, process, log)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path | None) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"A server did not start. {log.read_text() if log else ''}")


def _tree(root: int) -> list[int]:
    """Return a process and all that stand under it."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = path.read_text().rpartition(")")[2].split()
            parents.setdefault(int(words[1]), []).append(int(path.parent.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += parents.get(pid, [])
    return found


def _ticks(pid: int) -> int:
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/stat") as file:
            words = file.read().rpartition(")")[2].split()
        return int(words[11]) + int(words[12])
    return 0
