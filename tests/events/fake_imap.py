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
        refuses: UIDs that the server will not give; of `garbled` it says that the command is bad,
            and at `breaks` it hangs up in the middle of the mail.
        denies: what it answers with NO or BAD: ID, or LIST for what lies from a UID on.
        asks_who: whether clients must say who they are (RFC 2971) before a folder is opened.
        validity: UIDVALIDITY of INBOX; `next_uid` is one more than the last one there was.
        hangs: while set, it accepts connections and says nothing.
        search: what it says was found; None for what there is.
    """

    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    moved: dict[int, str] = field(default_factory=dict)
    refuses: set[int] = field(default_factory=set)
    garbled: set[int] = field(default_factory=set)
    breaks: set[int] = field(default_factory=set)
    fetched: list[int] = field(default_factory=list)
    denies: dict[str, str] = field(default_factory=dict)
    asks_who: bool = False
    validity: int = 1
    logins: list[str] = field(default_factory=list)
    capabilities: str = "IMAP4rev1 MOVE UIDPLUS"
    password: str = "secret"
    hangs: bool = False
    search: bytes | None = None
    over: threading.Event = field(default_factory=threading.Event)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.is_known = False
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
        elif name in self.folder.denies:
            self.say(f"{tag} {self.folder.denies[name]} not now")
            return True
        elif name == "ID":
            self.is_known = True
            self.say('* ID ("name" "Coremail Imap")')
        elif name == "SELECT" and self.folder.asks_who and not self.is_known:
            self.say(f"{tag} NO SELECT Unsafe Login. Please contact kefu@188.com for help")
            return True
        elif name == "SELECT":
            self.say(f"* {len(self.folder.mails)} EXISTS")
            self.say(f"* OK [UIDVALIDITY {self.folder.validity}] UIDs valid")
            self.say(f"* OK [UIDNEXT {max(self.folder.mails, default=0) + 1}] next")
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
            if rest.startswith("UID "):
                wanted = map(int, rest.removeprefix("UID ").split(","))
                unseen = [uid for uid in wanted if uid in self.folder.mails]
            found = b"* SEARCH " + " ".join(map(str, unseen)).encode()
            if self.folder.search != b"":
                self.say(self.folder.search or found)
            self.say(f"{tag} OK done")
            return True
        uid = int(re.match(r"\d+", rest)[0])  # type: ignore[index]
        if name == "FETCH" and ":*" in rest:
            return self.list_from(tag, uid)
        if uid in self.folder.garbled:
            self.say(f"{tag} BAD Command Error. 10")
            return True
        if uid in self.folder.breaks and "BODY" in rest:
            self.wfile.write(f"* 1 FETCH (UID {uid} BODY[] {{999}}\r\nFrom: ".encode())
            return False
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

    def list_from(self, tag: str, uid: int) -> bool:
        if "LIST" in self.folder.denies:
            self.say(f"{tag} {self.folder.denies['LIST']} no such messages")
            return True
        first = min(uid, max(self.folder.mails, default=0))  # the last one is always named
        for found in sorted(self.folder.mails):
            if found >= first:
                self.say(f"* 1 FETCH (UID {found})")
        self.say(f"{tag} OK done")
        return True

    def fetch(self, uid: int, wanted: str) -> None:
        raw = self.folder.mails[uid]
        if "BODY" not in wanted:
            self.say(f"* 1 FETCH (UID {uid} RFC822.SIZE {len(raw)})")
            return
        self.folder.fetched.append(uid)
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
