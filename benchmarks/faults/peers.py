"""Receivers of webhooks on the loopback that behave, or misbehave, as the path says.

`/ok-7` takes what it is sent. `/400`, `/500`, `/429`, `/410`, `/301` answer so. `/hang` says
nothing, `/drip` a byte now and then, `/body` says 200 and then drips, `/flood` sends without end,
`/garbage` speaks no HTTP, `/cut` hangs up once it has read. Each request is a line in a file: id,
instant, path.
"""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import TextIO

BAD = ("400", "500", "429", "410", "301", "hang", "drip", "body", "flood", "garbage", "cut")
TAKEN = ("body", "flood")  # they said 200 before they misbehaved
ENDED = ("410", "301")
SECONDS = 30.0  # longer than any deadline
HEADERS = {
    "429": ["Retry-After: 7"],
    "301": ["Location: /ok-redirected"],
}


class Receivers:
    """One server for all paths."""

    def __init__(self, book: TextIO, *, all_sound: bool) -> None:
        self.book, self.all_sound = book, all_sound

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ")[1].strip("/")
            fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
            await reader.readexactly(int(fields["content-length"]))
            self.book.write(f"{fields['webhook-id']} {time.time()} {path}\n")
            self.book.flush()
            await self.answer("ok" if self.all_sound else path.partition("-")[0], writer)
        writer.close()

    async def answer(self, kind: str, writer: asyncio.StreamWriter) -> None:
        if kind in ("hang", "drip"):
            await drip(writer, b"X" if kind == "drip" else b"")
        elif kind in TAKEN:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await drip(writer, b"x" * (65536 if kind == "flood" else 1))
        elif kind == "garbage":
            writer.write(b"\x00\xff SSH-2.0-door\r\n\r\n" * 20)
        elif kind != "cut":
            status = "200" if kind == "ok" else kind
            more = HEADERS.get(kind, [])
            lines = [f"HTTP/1.1 {status} Word", *more, "Content-Length: 2", "Connection: close"]
            writer.write("\r\n".join([*lines, "", "ok"]).encode())
        await writer.drain()


async def drip(writer: asyncio.StreamWriter, piece: bytes) -> None:
    """Send a piece again and again; an empty one is silence."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and not writer.is_closing():
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.05)


def receive(book: Path, place: Path, *, all_sound: bool = False) -> None:
    """Serve until killed; the port is written to `place`."""

    async def serve() -> None:
        with book.open("a") as lines:
            receivers = Receivers(lines, all_sound=all_sound)
            server = await asyncio.start_server(receivers.attend, "127.0.0.1", 0, backlog=512)
            fresh = place.with_suffix(".new")
            fresh.write_text(str(server.sockets[0].getsockname()[1]))
            fresh.rename(place)
            await server.serve_forever()

    asyncio.run(serve())
