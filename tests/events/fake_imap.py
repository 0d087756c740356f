"""An IMAP server on the loopback with one folder, that does what a fetcher needs and no more."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Folder:
    """What lies in the mailbox, and what the server was told to be.

    Attributes:
        mails: UID to octets, of INBOX; `seen` and `moved` say what was done to them.
        refuses: UIDs that the server will not give.
        hangs: while set, it accepts connections and says nothing.
        search: what it says was found; None for what there is.
    """

    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    moved: dict[int, str] = field(default_factory=dict)
    refuses: set[int] = field(default_factory=set)
    logins: list[str] = field(default_factory=list)
    capabilities: str = "IMAP4rev1 MOVE UIDPLUS"
    password: str = "secret"
    hangs: bool = False
    search: bytes | None = None
    over: threading.Event = field(default_factory=threading.Event)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.folder = self.server.folder
        if self.folder.hangs:
            self.folder.over.wait(5)
            return
        self.say(f"* OK [CAPABILITY {self.folder.capabilities}] ready")
        for line in iter(self.rfile.readline, b""):
            tag, _blank, command = line.decode().strip().partition(" ")
            if not self.answer(tag, command):
                return

    def say(self, words: str | bytes) -> None:
        octets = words.encode() if isinstance(words, str) else words
        self.wfile.write(octets + b"\r\n")

    def answer(self, tag: str, command: str) -> bool:
        name, _blank, rest = command.partition(" ")
        if name == "CAPABILITY":
            self.say(f"* CAPABILITY {self.folder.capabilities}")
        elif name == "LOGIN":
            self.folder.logins.append(rest.split(" ")[0].strip('"'))
            if self.folder.password not in rest:
                self.say(f"{tag} NO [AUTHENTICATIONFAILED] wrong password")
                return True
        elif name == "SELECT":
            self.say(f"* {len(self.folder.mails)} EXISTS")
        elif name == "UID":
            return self.answer_uid(tag, rest)
        elif name == "LOGOUT":
            self.say("* BYE")
            self.say(f"{tag} OK")
            return False
        self.say(f"{tag} OK done")
        return True

    def answer_uid(self, tag: str, command: str) -> bool:
        name, _blank, rest = command.partition(" ")
        if name == "SEARCH":
            unseen = sorted(self.folder.mails.keys() - self.folder.seen)
            found = b"* SEARCH " + " ".join(map(str, unseen)).encode()
            if self.folder.search != b"":
                self.say(self.folder.search or found)
            self.say(f"{tag} OK done")
            return True
        uid = int(re.match(r"\d+", rest)[0])  # type: ignore[index]
        if uid in self.folder.refuses:
            self.say(f"{tag} NO cannot")
            return True
        if name == "FETCH":
            self.fetch(uid, rest)
        elif name == "STORE":
            self.folder.seen.add(uid)
        elif name in ("MOVE", "COPY"):
            self.folder.moved[uid] = rest.split('"')[1]
            if name == "MOVE":
                self.folder.mails.pop(uid)
        elif name == "EXPUNGE":
            self.folder.mails.pop(uid)
        self.say(f"{tag} OK done")
        return True

    def fetch(self, uid: int, wanted: str) -> None:
        raw = self.folder.mails[uid]
        if "BODY" not in wanted:
            self.say(f"* 1 FETCH (UID {uid} RFC822.SIZE {len(raw)})")
            return
        part = re.search(r"<0\.(\d+)>", wanted)
        raw = raw[: int(part[1])] if part else raw
        self.wfile.write(
            f"* 1 FETCH (UID {uid} BODY[] {{{len(raw)}}}\r\n".encode() + raw + b")\r\n"
        )


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    folder: Folder

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the play."""


@contextmanager
def fake_imap() -> Iterator[tuple[int, Folder]]:
    """Run the server in a thread; yields its port and what lies in it."""
    folder = Folder()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.folder = folder
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1], folder
        finally:
            folder.over.set()
            server.shutdown()
            thread.join()
