"""A small HTTP client for measuring: bytes out, bytes in, and as little else as possible."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, the head as sent, and how many bytes of body."""

    status: int
    head: bytes
    size: int


def raw(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a request as it goes over the wire."""
    fields = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + END + body


class Exchange:
    """One connection, kept where the server keeps it and made anew where it does not."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.line: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def send(self, request: bytes) -> Answer:
        """Send a request and read the whole answer; once more where the line had been closed."""
        kept = self.line is not None
        try:
            return self._send(request)
        except (ConnectionError, IndexError):
            if not kept:
                raise
            self._close()
            return self._send(request)

    def _send(self, request: bytes) -> Answer:
        if self.line is None:
            self.line = socket.create_connection(("127.0.0.1", self.port), 600)
            self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.line.sendall(request)
        data = self._read_past(b"", END)
        head, _end, rest = data.partition(END)
        status = int(head.split(b" ", 2)[1])
        fields = head.lower()
        if status in (204, 304) or b"\r\ncontent-length: 0" in fields:
            size = 0
        elif b"\r\ntransfer-encoding: chunked" in fields:
            size = self._read_chunks(rest)
        elif b"\r\ncontent-length:" in fields:
            size = int(fields.split(b"\r\ncontent-length:", 1)[1].split(b"\r\n", 1)[0])
            self._read_to(rest, size)
        else:
            size = self._read_to_the_end(rest)
        if b"\r\nconnection: close" in fields or head.startswith(b"HTTP/1.0"):
            self._close()
        return Answer(status, head, size)

    def _receive(self) -> bytes:
        assert self.line is not None
        got = self.line.recv(1 << 18)
        if not got:
            raise ConnectionError("the server closed the connection")
        return got

    def _read_past(self, data: bytes, mark: bytes) -> bytes:
        while mark not in data:
            data += self._receive()
        return data

    def _read_to(self, rest: bytes, size: int) -> None:
        got = len(rest)
        while got < size:
            got += len(self._receive())

    def _read_chunks(self, rest: bytes) -> int:
        parts = [rest]
        tail = rest[-8:]
        while not tail.endswith(b"0\r\n\r\n"):
            parts.append(self._receive())
            tail = (tail + parts[-1])[-8:]
        return sum(map(len, parts))

    def _read_to_the_end(self, rest: bytes) -> int:
        size = len(rest)
        try:
            while True:
                size += len(self._receive())
        except ConnectionError:
            self._close()
            return size

    def _close(self) -> None:
        if self.line is not None:
            self.line.close()
            self.line = None
