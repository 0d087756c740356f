"""Mail, through whatever mail backend the installation is configured with.

A connection is opened once for each thread and kept. What an SMTP server answers is read
closely: a refused recipient ends one letter, a refused password pauses the channel, a cut
connection is tried again. RFC 5321 section 4.2.1: 4yz may pass, 5yz will not; RFC 3463: x.7.z is
about security or policy.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.headerregistry import Address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend

from coordination.deliveries.backoff import MAIL, Schedule
from coordination.deliveries.transports.base import (
    Blame,
    Letter,
    Receipt,
    TransportError,
)
from coordination.deliveries.transports.mime import PLAIN_ADDRESS, envelope_address, written
from coordination.deliveries.transports.smtp import hand_over

LEASE = timedelta(seconds=120)
SECONDS_IN_ALL = 30.0  # for one letter or for one connection; a quarter of the lease
SECONDS_OF_SILENCE = 10  # between two answers of the server
IDLE_SECONDS = 60.0  # servers hang up after a while; RFC 5321 section 4.5.3.2 asks for 300
ASK_AFTER_SECONDS = 1.0
WATCH_SECONDS = 0.1
LETTERS_PER_CONNECTION = 100
SMTP_CONNECTIONS = 4
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
Answer = tuple[int, str]


class EmailTransport:
    """Sends letters as mail."""

    lease = LEASE
    schedule: Schedule = MAIL

    def __init__(self) -> None:
        """Make a transport without a connection yet."""
        self._backend: Any = None
        self._used_at = 0.0
        self._sent = 0

    def prepare(self) -> None:
        """Open the connection, unless a fresh one is open.

        Raises:
            TransportError: the server is away (may pass) or refuses us (paused longer).
        """
        if self._backend is not None and not self._is_fresh():
            self._drop()
        if self._backend is not None:
            return
        backend = get_connection()
        if isinstance(backend, EmailBackend):
            backend.timeout = SECONDS_OF_SILENCE
        try:
            backend.open()
        except (smtplib.SMTPException, OSError) as error:
            with contextlib.suppress(Exception):
                backend.close()
            raise _connecting_failed(error) from error
        self._backend, self._sent, self._used_at = backend, 0, time.monotonic()

    def _is_fresh(self) -> bool:
        """Whether the open connection can still be used; asks the server after a silence."""
        idle = time.monotonic() - self._used_at
        if idle > IDLE_SECONDS or self._sent >= LETTERS_PER_CONNECTION:
            return False
        smtp = getattr(self._backend, "connection", None)
        if idle < ASK_AFTER_SECONDS or not isinstance(smtp, smtplib.SMTP):
            return True
        try:
            return smtp.noop()[0] == 250  # RFC 5321 section 4.1.1.9
        except (smtplib.SMTPException, OSError):
            return False

    def send(self, letter: Letter) -> Receipt:
        """Send one letter to one reader.

        Raises:
            TransportError.
        """
        self.prepare()
        try:
            mail = compose(letter)
            with _cut_off(self._backend, SECONDS_IN_ALL):
                self._hand_over(mail, letter)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            failure = _sending_failed(error)
            if failure.blame is Blame.CONNECTION or self._is_closed():
                self._drop()
            raise failure from error
        self._used_at = time.monotonic()
        self._sent += 1
        return Receipt()

    def _hand_over(self, mail: EmailMultiAlternatives, letter: Letter) -> None:
        """Send a mail: over Django's own connection the short way, else as the backend does."""
        smtp = getattr(self._backend, "connection", None)
        if type(self._backend) is not EmailBackend or not isinstance(smtp, smtplib.SMTP):
            self._backend.send_messages([mail])
            return
        hand_over(
            smtp,
            sender=envelope_address(str(mail.from_email)),
            recipient=envelope_address(letter.reader.address),
            content=written(mail, boundary=letter.uid.hex),
        )

    def _is_closed(self) -> bool:
        smtp = getattr(self._backend, "connection", None)
        return isinstance(smtp, smtplib.SMTP) and smtp.sock is None

    def _drop(self) -> None:
        """Close a connection that broke, without the farewell that might hang again."""
        backend, self._backend = self._backend, None
        smtp = getattr(backend, "connection", None)
        if isinstance(smtp, smtplib.SMTP):
            smtp.close()
            backend.connection = None

    def close(self) -> None:
        """Close the connection; never raises."""
        backend, self._backend = self._backend, None
        if backend is not None:
            with contextlib.suppress(Exception):
                backend.close()


def compose(letter: Letter) -> EmailMultiAlternatives:
    """Write a letter as a mail: text, HTML, further forms, attachments, and honest headers."""
    rendered, reader = letter.rendered, letter.reader
    headers = {
        "Message-ID": f"<{letter.uid}@{_host()}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834 section 5: no holiday replies, please
        "Content-Language": "zh-Hans" if rendered.language == "zh-hans" else rendered.language,
    }
    if rendered.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{rendered.unsubscribe_url}>"  # RFC 2369 section 3.2
        if rendered.unsubscribe_url.startswith("https://"):
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058 section 3.1
    mail = EmailMultiAlternatives(
        subject=" ".join(rendered.subject.split()),
        body=rendered.text,
        to=[_mailbox(reader.name, reader.address)],
        reply_to=[rendered.reply_to] if rendered.reply_to else None,
        headers=headers,
    )
    if rendered.html:
        mail.attach_alternative(rendered.html, "text/html")
    for part in rendered.parts:
        if part.filename:
            mail.attach(part.filename, part.content, part.media_type)
        else:
            mail.attach_alternative(part.content.decode(), part.media_type)
    return mail


def _mailbox(name: str, address: str) -> str:
    """Return name and address as one header value; the bare address when that cannot be."""
    if not name or any(sign in name for sign in '\r\n"\\'):
        return address
    if PLAIN_ADDRESS.fullmatch(address):
        local, _at, domain = address.rpartition("@")
        return str(Address(name, local, domain))  # nothing to be read first
    try:
        return str(Address(name, addr_spec=address))
    except ValueError:
        return address


def _host() -> str:
    return urlsplit(settings.COORDINATION_BASE_URL).hostname or "localhost"


def _answer(code: int, words: bytes | str) -> Answer:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return code, " ".join(f"{code} {text}".split())


def _connecting_failed(error: Exception) -> TransportError:
    """Read why no connection could be made."""
    if isinstance(error, smtplib.SMTPResponseException):
        code, words = _answer(error.smtp_code, error.smtp_error)
        blame = Blame.US if code >= 500 else Blame.CHANNEL
        return TransportError(f"smtp_{code}", words, blame=blame)
    if isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return TransportError("smtp_tls", str(error), blame=Blame.US)
    return TransportError("smtp_away", str(error) or type(error).__name__, blame=Blame.CHANNEL)


def _sending_failed(error: Exception) -> TransportError:
    """Read why a letter did not go out."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        # Every recipient was refused: there is one.
        return _recipient_refused(*_answer(*next(iter(error.recipients.values()))))
    if isinstance(error, smtplib.SMTPSenderRefused):
        return _sender_refused(*_answer(error.smtp_code, error.smtp_error))
    if isinstance(error, smtplib.SMTPResponseException):
        return _data_refused(*_answer(error.smtp_code, error.smtp_error))
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return TransportError("smtp_unsupported", str(error), permanent=True)
    if isinstance(error, smtplib.SMTPException | OSError):
        words = str(error) or type(error).__name__
        return TransportError("mail_cut", words, blame=Blame.CONNECTION)
    # An address or a header that cannot be written: BadHeaderError is a ValueError.
    return TransportError("bad_letter", str(error), permanent=True)


def _recipient_refused(code: int, text: str) -> TransportError:
    if code == 421 or code < 400:  # RFC 5321 section 3.8: the server hangs up
        return TransportError(f"smtp_{max(code, 0)}", text, blame=Blame.CONNECTION)
    if code < 500:
        return TransportError(f"smtp_{code}", text)
    if code in (530, 535):
        return TransportError(f"smtp_{code}", text, blame=Blame.US)
    if " 5.7." in text or "relay" in text.lower():  # a policy: towards one address, or towards us
        return TransportError(f"smtp_{code}", text, blame=Blame.EITHER)
    return TransportError(f"smtp_{code}", text, permanent=True, bounced=True)


def _sender_refused(code: int, text: str) -> TransportError:
    if code < 0 or code == 421:
        return TransportError(f"smtp_{max(code, 0)}", text, blame=Blame.CONNECTION)
    return TransportError(f"smtp_{code}", text, blame=Blame.US if code >= 500 else Blame.CHANNEL)


def _data_refused(code: int, text: str) -> TransportError:
    if code < 0 or code == 421:
        return TransportError(f"smtp_{max(code, 0)}", text, blame=Blame.CONNECTION)
    return TransportError(f"smtp_{code}", text, permanent=code >= 500)


class _Watch:
    """One thread that cuts connections whose time is up: a thread a letter would cost as much."""

    def __init__(self) -> None:
        self._until: dict[socket.socket, float] = {}
        self._armed = threading.Event()
        self._thread: threading.Thread | None = None

    def arm(self, connected: socket.socket, seconds: float) -> None:
        self._until[connected] = time.monotonic() + seconds
        self._armed.set()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="mail-watch", daemon=True)
            self._thread.start()

    def disarm(self, connected: socket.socket) -> None:
        self._until.pop(connected, None)

    def _run(self) -> None:
        while True:
            if not self._until:
                self._armed.clear()
                if not self._until:
                    self._armed.wait()
            now = time.monotonic()
            for connected, until in list(self._until.items()):
                if until <= now:
                    self.disarm(connected)
                    with contextlib.suppress(OSError):
                        connected.shutdown(socket.SHUT_RDWR)
            time.sleep(WATCH_SECONDS)


_watch = _Watch()


@contextmanager
def _cut_off(backend: Any, seconds: float) -> Iterator[None]:
    """Cut the connection after so many seconds: a time-out between answers does not end a drip."""
    smtp = getattr(backend, "connection", None)
    connected = getattr(smtp, "sock", None)
    if not isinstance(connected, socket.socket):
        yield
        return
    _watch.arm(connected, seconds)
    try:
        yield
    finally:
        _watch.disarm(connected)


def connections() -> int:
    """Return how many connections one loop keeps: several to a mail server, one to a file."""
    return SMTP_CONNECTIONS if settings.EMAIL_BACKEND == SMTP_BACKEND else 1
