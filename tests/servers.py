"""Start a temporary PostgreSQL and a temporary Redis, run a command beside them, remove both.

``python -m tests.servers COMMAND ...`` runs the command with ``DATABASE_URL`` and ``REDIS_URL`` set
and leaves with its exit code. PostgreSQL refuses to run as root; it is then started as its own
user. Everything lives in one temporary folder, with durability off.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

START_SECONDS = 30
STOP_SECONDS = 10
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


class ServerDidNotStart(RuntimeError):
    """A temporary server did not come up; the message ends with what it said."""


def found_program(*names: str) -> str | None:
    """Return the path of the first of these programs that is installed, the newest version first.

    Debian keeps PostgreSQL's server programs off the PATH.
    """
    for name in names:
        if path := shutil.which(name):
            return path
        for pattern in PLACES:
            folders = sorted(Path("/").glob(pattern[1:]), key=lambda folder: folder.parts[-2])
            for folder in reversed(folders):
                if (folder / name).is_file():
                    return str(folder / name)
    return None


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _server_user() -> str | None:
    """Return the user to run PostgreSQL as; None for the present one."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _wait_for_port(port: int, *, server: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise ServerDidNotStart(f"{server.args!r} did not start: {said.read_text()[-2000:]}")


@contextlib.contextmanager
def _running(command: list[str], *, port: int, folder: Path, user: str | None) -> Iterator[None]:
    said = folder / "said.txt"
    with said.open("wb") as output:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            user=user,
            start_new_session=True,
        )
    try:
        _wait_for_port(port, server=server, said=said)
        yield
    finally:
        server.send_signal(2)  # SIGINT: PostgreSQL's fast shutdown
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextlib.contextmanager
def temporary_postgresql() -> Iterator[str]:
    """Run a PostgreSQL of its own and yield its ``DATABASE_URL``.

    Raises:
        ServerDidNotStart: the programs are missing, or it did not start.
    """
    initdb, postgres = found_program("initdb"), found_program("postgres")
    if initdb is None or postgres is None:
        raise ServerDidNotStart("PostgreSQL's initdb and postgres were not found")
    user, port = _server_user(), free_port()
    with tempfile.TemporaryDirectory(prefix="coordination-pg-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        made = subprocess.run(
            [initdb, "-D", f"{name}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
            + ["--locale=C.UTF-8", "--no-sync"],
            user=user,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise ServerDidNotStart(f"initdb: {made.stderr[-2000:]}")
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": name,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": 200,
            "timezone": "UTC",
        }
        command = [postgres, "-D", f"{name}/data"]
        command += [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        with _running(command, port=port, folder=folder, user=user):
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def temporary_redis() -> Iterator[str]:
    """Run a Redis of its own, which stores nothing, and yield its ``REDIS_URL``.

    Raises:
        ServerDidNotStart: the program is missing, or it did not start.
    """
    redis = found_program("redis-server", "valkey-server")
    if redis is None:
        raise ServerDidNotStart("redis-server was not found")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="coordination-redis-") as name:
        command = [redis, "--port", str(port), "--bind", "127.0.0.1", "--dir", name]
        command += ["--save", "", "--appendonly", "no", "--databases", "64"]
        with _running(command, port=port, folder=Path(name), user=None):
            yield f"redis://127.0.0.1:{port}/0"


def main(command: list[str]) -> int:
    """Run the command beside both servers and return its exit code."""
    with temporary_postgresql() as database_url, temporary_redis() as redis_url:
        environment = {**os.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url}
        return subprocess.call(command, env=environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
