"""A PostgreSQL and a Redis of one's own that can be killed, stopped and started again."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.servers import _server_user, found_program, free_port


class Server:
    """A server that is always at the same port."""

    def __init__(self, command: list[str], *, port: int, folder: Path, user: str | None) -> None:
        self.command, self.port, self.folder, self.user = command, port, folder, user
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "said.txt").open("ab") as output:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                cwd=self.folder, user=self.user, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 1),
            ):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.command[0]} did not start")

    def tell(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def end(self, number: signal.Signals) -> None:
        """Send a signal and wait until the server is gone."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(number)
        self.process.wait(30)


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[tuple[Server, str]]:
    """Run a PostgreSQL that keeps what it says it has committed, whatever is done to it."""
    initdb, postgres = found_program("initdb"), found_program("postgres")
    if initdb is None or postgres is None:
        raise RuntimeError("PostgreSQL's initdb and postgres were not found")
    user, port = _server_user(), free_port()
    folder.mkdir()
    if user is not None:
        shutil.chown(folder, user)
    subprocess.run(
        [initdb, "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        + ["--locale=C.UTF-8", "--no-sync"],
        user=user, cwd=folder, capture_output=True, check=True,
    )  # fmt: skip
    options = ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}"]
    options += ["fsync=off", "synchronous_commit=on", "max_connections=200", "timezone=UTC"]
    command = [postgres, "-D", f"{folder}/data"]
    command += [word for option in options for word in ("-c", option)]
    server = Server(command, port=port, folder=folder, user=user)
    server.start()
    try:
        yield server, f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        server.end(signal.SIGINT)


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[tuple[Server, str]]:
    """Run a Redis that stores nothing."""
    program, port = found_program("redis-server", "valkey-server"), free_port()
    if program is None:
        raise RuntimeError("redis-server was not found")
    folder.mkdir()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no"]
    server = Server(command, port=port, folder=folder, user=None)
    server.start()
    try:
        yield server, f"redis://127.0.0.1:{port}/0"
    finally:
        if server.process is not None and server.process.poll() is None:
            server.end(signal.SIGTERM)


def silence() -> None:
    """Send what this process says to nobody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
