"""Write a mail as the bytes that go over the wire, the very ones that Django writes.

Django builds a tree of objects and folds every header of every mail anew. A thousand readers of
one notice share most of that: what is the same is folded once, and the rest is joined. Lines
end in CRLF; no line is longer than the 998 octets of RFC 5322 section 2.1.1.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from email.header import Header
from email.message import Message
from email.policy import compat32
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import SafeMIMEText, forbid_multi_line_headers, sanitize_address

LONGEST_LINE = 998
LONGEST_HEADER = 76  # a line of 78 without its end: longer ones are folded
LINE_ENDS = re.compile(rb"\r\n|\r|\n")
_LABEL = r"[A-Za-z0-9-]{1,63}"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
PLAIN_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*")
"""An address that needs neither quotes nor another alphabet (RFC 5322 section 3.2.3)."""
NAMED = re.compile(rf"(?P<name>[\w·]+) <(?P<address>{PLAIN_ADDRESS.pattern})>")
FOLDS = frozenset(" ;,")
CHARSET = "utf-8"
_WIRE = compat32.clone(linesep="\r\n")
Piece = tuple[bytes, bytes]
"""Headers that say what the content is, and the content."""


def written(mail: EmailMultiAlternatives, *, boundary: str) -> bytes:
    """Return a mail's bytes.

    Args:
        mail: with texts in UTF-8, to one or several readers.
        boundary: what parts its pieces: letters and digits, the same for every copy.

    Raises:
        ValueError: a header or an address that cannot be written.
    """
    if any(str(kind or "").startswith("message/") for _name, _content, kind in mail.attachments):
        tree: Any = mail.message()
        whole: bytes = tree.as_bytes(linesep="\r\n")
        return whole
    piece = _text(str(mail.body), mail.content_subtype)
    if mail.alternatives:
        others = [
            _text(str(content), kind.removeprefix("text/")) for content, kind in mail.alternatives
        ]
        piece = _joined("alternative", [piece, *others], f"{boundary}a")
    if mail.attachments:
        files = [_attachment(*attachment) for attachment in mail.attachments]
        piece = _joined("mixed", [piece, *files], f"{boundary}m")
    kind, content = piece
    return b"".join((kind, *_headers(mail), b"\r\n", content))


def envelope_address(address: str) -> str:
    """Return a mailbox as commands of SMTP name it, without its owner's name.

    Raises:
        ValueError: it is no address.
    """
    return address if PLAIN_ADDRESS.fullmatch(address) else _sanitized(address)


@lru_cache(maxsize=256)
def _sanitized(address: str) -> str:
    clean: str = sanitize_address(address, CHARSET)
    return clean.rpartition("<")[2].rstrip(">") if clean.endswith(">") else clean


def _headers(mail: EmailMultiAlternatives) -> list[bytes]:
    """Return the headers of the whole, in Django's order."""
    lines = [_shared("Subject", str(mail.subject)), _shared("From", str(mail.from_email))]
    lines += [_mailbox_line(name, ", ".join(rows)) for name, rows in _people(mail) if rows]
    lines.append(_header("Date", formatdate(localtime=settings.EMAIL_USE_LOCALTIME)))
    lines += [_header(name, str(value)) for name, value in mail.extra_headers.items()]
    return lines


def _people(mail: EmailMultiAlternatives) -> tuple[tuple[str, list[str]], ...]:
    return ("To", mail.to), ("Cc", mail.cc), ("Reply-To", mail.reply_to)


def _mailbox_line(name: str, value: str) -> bytes:
    """Return a header of addresses; a reader's name is put into ASCII without reading it again."""
    found = NAMED.fullmatch(value)
    if found and not found["name"].isascii():
        word = f"{_word(found['name'])} <{found['address']}>"
        if len(name) + 2 + len(word) <= LONGEST_HEADER:
            return f"{name}: {word}\r\n".encode("ascii")
    return _header(name, value)


@lru_cache(maxsize=1024)
def _word(name: str) -> str:
    return Header(name, CHARSET).encode()  # RFC 2047


def _header(name: str, value: str) -> bytes:
    """Return one header with its line end; what needs no folding stands as it is."""
    if value.isascii() and value.isprintable():
        if len(name) + 2 + len(value) <= LONGEST_HEADER:
            return f"{name}: {value}\r\n".encode("ascii")
        if FOLDS.isdisjoint(value):  # a long link: there is one place to fold
            return f"{name}: \r\n {value}\r\n".encode("ascii")
    return _shared(name, value)


@lru_cache(maxsize=1024)
def _shared(name: str, value: str) -> bytes:
    """Return a header that many mails have, or that a reader has again and again."""
    return _folded(name, value)


def _folded(name: str, value: str) -> bytes:
    # What Django does with a header, and then what it lets the library do.
    folded: bytes = _WIRE.fold_binary(*forbid_multi_line_headers(name, value, CHARSET))
    return folded


def _text(text: str, subtype: str) -> Piece:
    """Return a piece of text; one with lines beyond the limit is written as quoted-printable."""
    content = LINE_ENDS.sub(b"\r\n", text.encode())
    if max(map(len, content.split(b"\r\n"))) > LONGEST_LINE:
        kind, _end, content = _library_text(text, subtype).partition(b"\r\n\r\n")
        return kind + b"\r\n", content
    return _kind_of_text(subtype, "a" if content.isascii() else "文"), content


@lru_cache(maxsize=64)
def _kind_of_text(subtype: str, sample: str) -> bytes:
    """Return the headers that Django gives to texts such as `sample`."""
    kind, _end, _content = _library_text(sample, subtype).partition(b"\r\n\r\n")
    return kind + b"\r\n"


def _library_text(text: str, subtype: str) -> bytes:
    written_by_it: bytes = SafeMIMEText(text, subtype, CHARSET).as_bytes(linesep="\r\n")
    return written_by_it


def _joined(subtype: str, pieces: Sequence[Piece], boundary: str) -> Piece:
    """Return several pieces as one (RFC 2046 section 5.1.1)."""
    wholes = [kind + b"\r\n" + content for kind, content in pieces]
    while any(boundary.encode() in whole for whole in wholes):
        boundary += "0"
    line = b"--" + boundary.encode()
    content = b"".join(
        (line, b"\r\n", (b"\r\n" + line + b"\r\n").join(wholes), b"\r\n", line, b"--\r\n")
    )
    kind = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\nMIME-Version: 1.0\r\n'
    return kind.encode("ascii"), content


def _attachment(filename: str | None, content: bytes | str, media_type: str | None) -> Piece:
    kind = media_type or "application/octet-stream"
    if isinstance(content, str) and kind.startswith("text/"):
        headers, body = _text(content, kind.removeprefix("text/"))
    else:
        data = content.encode() if isinstance(content, str) else content
        headers, body = _kind_of_file(kind), base64.encodebytes(data).replace(b"\n", b"\r\n")
    return headers + _disposition(filename or ""), body


@lru_cache(maxsize=64)
def _kind_of_file(media_type: str) -> bytes:
    headers = (
        ("Content-Type", media_type),
        ("MIME-Version", "1.0"),
        ("Content-Transfer-Encoding", "base64"),
    )
    return b"".join(_folded(name, value) for name, value in headers)


@lru_cache(maxsize=64)
def _disposition(filename: str) -> bytes:
    """Return the header that names a file; in another alphabet as RFC 2231 has it."""
    if not filename:
        return b""
    holder = Message()
    name = filename if filename.isascii() else (CHARSET, "", filename)
    holder.add_header("Content-Disposition", "attachment", filename=name)
    folded: bytes = _WIRE.fold_binary(*holder.items()[0])
    return folded
