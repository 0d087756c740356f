"""A mail server on the loopback that behaves, or misbehaves, as the recipient's name says.

`450@`, `550@`, `relay@`: the answer to RCPT. `data450@`, `data550@`: the answer to the content.
`cut@` hangs up at RCPT, `cutdata@` in the middle of the content, `storecut@` after it has stored
it, `store451@` stores and then says no, `hang@` says nothing more, `bye@` answers 421, `drip@`
sends one byte now and then, `slow@` takes its time, `eager@` is refused and asked for its content
all the same.
"""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Behaviour:
    """What the server was told to be, and what it has seen."""

    stored: list[tuple[str, EmailMessage]] = field(default_factory=list)
    connections: int = 0
    greeting: str = "220 fake"
    sender_answer: str = "250 ok"
    extensions: tuple[str, ...] = ()
    waits_for_groups: bool = False  # answers MAIL and RCPT once DATA is there
    keeps: bool = True  # what it is sent; else it counts
    count: int = 0
    commands: list[str] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)

    def addresses(self) -> list[str]:
        return [address for address, _mail in self.stored]


RCPT = {
    "450": "450 4.2.1 mailbox busy",
    "550": "550 5.1.1 no such user",
    "relay": "550 5.7.1 relaying denied",
    "bye": "421 4.3.2 shutting down",
    "eager": "550 5.1.1 no such user",
}
DATA = {"data450": "452 4.3.1 no room", "data550": "554 5.6.0 not wanted"}


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"
    disable_nagle_algorithm = True  # several small answers are not held back for one another

    def handle(self) -> None:
        self.server.behaviour.connections += 1
        self.recipient = ""
        self.is_taken = False
        self.in_group = False
        self.waiting: list[str] = []
        self.say(self.server.behaviour.greeting)
        for line in iter(self.rfile.readline, b""):
            command = line.decode().strip()
            if not self.answer(command.upper(), command):
                return

    def say(self, words: str) -> None:
        self.waiting.append(words)
        if words.startswith("250 ") and self.server.behaviour.waits_for_groups and self.in_group:
            return
        self.wfile.write("".join(f"{waiting}\r\n" for waiting in self.waiting).encode())
        self.waiting.clear()

    def answer(self, upper: str, command: str) -> bool:
        self.server.behaviour.commands.append(command)
        self.in_group = upper.startswith(("MAIL", "RCPT"))
        if upper.startswith(("EHLO", "HELO")):
            lines = ["fake", *self.server.behaviour.extensions]
            self.say("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))
        elif upper.startswith("MAIL"):
            self.recipient, self.is_taken = "", False
            self.say(self.server.behaviour.sender_answer)
        elif upper.startswith("RCPT"):
            self.recipient = command.split("<")[1].split(">", maxsplit=1)[0]
            return self.answer_recipient(self.recipient.split("@")[0])
        elif upper == "DATA":
            return self.take_content(self.recipient.split("@")[0])
        elif upper == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.say("250 ok")
        return True

    def answer_recipient(self, name: str) -> bool:
        if name == "cut":
            return False
        if name == "hang":
            self.server.behaviour.hangs.wait(20)
            return False
        if name == "drip":
            self.drip()
            return False
        if name == "slow":
            time.sleep(0.05)
        if self.server.behaviour.sender_answer.startswith("250"):
            self.is_taken = name not in RCPT
            self.say(RCPT.get(name, "250 ok"))
        else:
            self.say("503 5.5.1 who sends it?")
        return name != "bye"

    def drip(self) -> None:
        while not self.server.behaviour.hangs.wait(0.05):
            try:
                self.wfile.write(b"2")
            except OSError:
                return

    def take_content(self, name: str) -> bool:
        if not self.is_taken and name != "eager":
            self.say("503 5.5.1 for whom?")
            return True
        self.say("354 go on")
        if name == "cutdata":
            self.rfile.readline()
            self.connection.shutdown(socket.SHUT_RDWR)
            return False
        lines = []
        for line in iter(self.rfile.readline, b".\r\n"):
            if not line:
                return False
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if name in DATA or not self.is_taken:
            self.say(DATA.get(name, "554 5.5.1 for nobody"))
            return True
        if not self.server.behaviour.keeps:
            self.server.behaviour.count += 1
            self.say("250 stored")
            return True
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.server.behaviour.stored.append((self.recipient, mail))
        if name == "storecut":
            return False
        self.say("451 4.3.0 try again" if name == "store451" else "250 stored")
        return True


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    behaviour: Behaviour

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the play."""


@contextmanager
def fake_smtp() -> Iterator[tuple[int, Behaviour]]:
    """Run the server in a thread; yields its port and what it is told and sees."""
    behaviour = Behaviour()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.behaviour = behaviour
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1], behaviour
        finally:
            behaviour.hangs.set()
            server.shutdown()
            thread.join()
            time.sleep(0)
