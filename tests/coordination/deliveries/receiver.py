"""A real receiver of webhooks on the loopback network, well-behaved or not."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[[socket.socket, "Call"], None]
HANG_SECONDS = 8.0  # longer than any deadline of a test, short enough to end with it


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """Listens, notes every request, and answers as its path or `behaviour` says."""

    behaviour: Behaviour
    tls: ssl.SSLContext | None = None
    calls: list[Call] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/hook") -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(self, listener: socket.socket) -> None:
        while not self.stopped.is_set():
            try:
                connected, _peer = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._attend, args=(connected,), daemon=True).start()

    def _attend(self, connected: socket.socket) -> None:
        with connected:
            connected.settimeout(HANG_SECONDS)
            try:
                if self.tls is not None:
                    connected = self.tls.wrap_socket(connected, server_side=True)
                call = read_call(connected)
                with self.lock:
                    self.calls.append(call)
                self.behaviour(connected, call)
                connected.shutdown(socket.SHUT_WR)
                while connected.recv(65536):  # let the other side read before it is reset
                    pass
            except OSError:
                pass  # the other side has had enough


def read_call(connected: socket.socket) -> Call:
    """Read one request with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connected.recv(65536)
        if not piece:
            raise OSError("nothing was asked")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    while len(body) < int(headers.get("content-length", 0)):
        body += connected.recv(65536)
    method, path, _version = first.split(" ")
    return Call(method, path, headers, body)


def answers(status: int = 200, body: bytes = b"{}", **headers: str) -> Behaviour:
    """Answer properly."""

    def behave(connected: socket.socket, call: Call) -> None:
        lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connected.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return behave


def hangs(connected: socket.socket, call: Call) -> None:
    """Take the request and say nothing."""
    connected.recv(1)


def drips_head(connected: socket.socket, call: Call) -> None:
    """Send a byte of a header now and then, for ever."""
    connected.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    until = time.monotonic() + HANG_SECONDS
    while time.monotonic() < until:
        connected.sendall(b"x")
        time.sleep(0.05)


def drips_body(connected: socket.socket, call: Call) -> None:
    """Say 200, then send a byte now and then, for ever."""
    connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    until = time.monotonic() + HANG_SECONDS
    while time.monotonic() < until:
        connected.sendall(b"x")
        time.sleep(0.05)


def floods(connected: socket.socket, call: Call) -> None:
    """Say 200, then more than anyone wants to read."""
    connected.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _n in range(1000):
        connected.sendall(b"x" * 65536)


def floods_head(connected: socket.socket, call: Call) -> None:
    """Send headers without end."""
    connected.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        connected.sendall(f"X-{number}: {'x' * 100}\r\n".encode())


def talks_garbage(connected: socket.socket, call: Call) -> None:
    """Answer something that is not HTTP."""
    connected.sendall(b"\x00\xff SSH-2.0-door\r\n\r\n" * 20)


def cuts(connected: socket.socket, call: Call) -> None:
    """Take the request and hang up."""


@contextmanager
def receiving(
    behaviour: Behaviour | None = None, *, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Run a receiver for a while; it answers 200 unless told otherwise."""
    receiver = Receiver(behaviour or answers(), tls)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.settimeout(0.1)
        receiver.port = listener.getsockname()[1]
        thread = threading.Thread(target=receiver.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.stopped.set()
            thread.join()
