"""Read configuration from the environment: every knob is ``NAME`` or, for secrets, ``NAME_FILE``.

A knob that is not set, or set to nothing, takes its safe default. A knob that cannot be understood
stops the start with one sentence that names it: a half-understood configuration is worse than none.

>>> import os
>>> os.environ["COORDINATION_DOORS"] = "4"
>>> read_number("COORDINATION_DOORS", 1)
4
"""

import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
SMTP_PORTS = {"smtp": 25, "smtps": 465}
SMTP_TIMEOUT_SECONDS = 20
IMAP_PORTS = {"imap": 143, "imaps": 993}
LONGEST_REPLY_LOCAL = 20  # a plus sign and 42 characters follow


def read_text(name: str, default: str = "") -> str:
    """Return the text of a knob, from ``NAME`` or from the file that ``NAME_FILE`` points to.

    Raises:
        ImproperlyConfigured: both are set, or the file cannot be read.
    """
    value = os.environ.get(name, "")
    path = os.environ.get(f"{name}_FILE", "")
    if value and path:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}.") from error
    return value or default


def read_flag(name: str, *, default: bool) -> bool:
    """Return a yes/no knob.

    Raises:
        ImproperlyConfigured: the value is none of the known words.
    """
    word = read_text(name).lower()
    if not word:
        return default
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not {word!r}.")


def read_number(name: str, default: int) -> int:
    """Return a knob that is a whole number, not negative; the unit is in its name.

    Raises:
        ImproperlyConfigured: the value is not such a number.
    """
    text = read_text(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def read_list(name: str, default: list[str]) -> list[str]:
    """Return a knob that holds several words parted by commas."""
    words = [word.strip() for word in read_text(name).split(",")]
    return [word for word in words if word] or default


def read_networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return a knob that holds networks parted by commas, "10.1.0.0/16, fd00::/8".

    Raises:
        ImproperlyConfigured: one of them is no network.
    """
    try:
        return [ip_network(word) for word in read_list(name, [])]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} must hold networks such as 10.1.0.0/16: {error}."
        ) from error


def read_ports(name: str, default: list[int]) -> list[int]:
    """Return a knob that holds TCP ports parted by commas.

    Raises:
        ImproperlyConfigured: one of them is no port.
    """
    words = read_list(name, [])
    if not all(word.isascii() and word.isdigit() and 0 < int(word) < 65536 for word in words):
        raise ImproperlyConfigured(f"{name} must hold ports such as 443, not {','.join(words)!r}.")
    return [int(word) for word in words] or default


def mail_from_url(url: str, *, folder: Path) -> Mapping[str, Any]:
    """Return Django's mail settings for ``EMAIL_URL``.

    Nothing: mail goes to the console and to files in ``folder``. ``console:`` and
    ``file:///folder`` choose one of the two. ``smtp://user:password@host:port`` sends in the clear
    unless ``?starttls=1`` is added; ``smtps://`` speaks TLS from the first byte.

    Raises:
        ImproperlyConfigured: the scheme is not known, or the host is missing.
    """
    if not url:
        return {
            "EMAIL_BACKEND": "coordination.mail.ConsoleAndFiles",
            "EMAIL_FILE_PATH": folder,
        }
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "coordination.mail.Console"}
    if parts.scheme == "file" and parts.path:
        return {
            "EMAIL_BACKEND": "coordination.mail.Files",
            "EMAIL_FILE_PATH": Path(unquote(parts.path)),
        }
    if parts.scheme not in SMTP_PORTS or not parts.hostname:
        raise ImproperlyConfigured(
            "EMAIL_URL must be smtp://host, smtps://host, console: or file:///folder."
        )
    options = dict(parse_qsl(parts.query))
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or SMTP_PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": options.get("starttls", "") in TRUE_WORDS,
        "EMAIL_TIMEOUT": SMTP_TIMEOUT_SECONDS,
    }


def checked_reply_address(address: str) -> str:
    """Return the address to which answers come, "reply@example.org"; "" for none.

    Raises:
        ImproperlyConfigured: it is no address, or too long to have a secret added: 64 octets
            before the @ are all there is (RFC 5321 section 4.5.3.1.1).
    """
    name = "COORDINATION_REPLY_ADDRESS"
    local, at, host = address.partition("@")
    if address and not (local and at and "." in host and address.isascii() and " " not in address):
        raise ImproperlyConfigured(f"{name} must be an address such as reply@example.org.")
    if len(local) > LONGEST_REPLY_LOCAL:
        raise ImproperlyConfigured(
            f"{name} may have {LONGEST_REPLY_LOCAL} characters before the @, not more."
        )
    return address


def mailbox_from_url(url: str) -> Mapping[str, Any] | None:
    """Return the mailbox that answers are read from; None for none.

    ``imaps://user:password@host/INBOX`` speaks TLS from the first byte, ``imap://`` after STARTTLS;
    in the clear only on this very machine. ``?handled=Folder`` moves what was read.

    Raises:
        ImproperlyConfigured: the scheme is not known, or host or user are missing.
    """
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in IMAP_PORTS or not parts.hostname or not parts.username:
        raise ImproperlyConfigured(
            "COORDINATION_INBOUND_MAIL_URL must be imaps://user:password@host/INBOX."
        )
    is_here = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    return {
        "host": parts.hostname,
        "port": parts.port or IMAP_PORTS[parts.scheme],
        "user": unquote(parts.username),
        "password": unquote(parts.password or ""),
        "folder": unquote(parts.path.strip("/")) or "INBOX",
        "handled": dict(parse_qsl(parts.query)).get("handled", ""),
        "tls": "direct" if parts.scheme == "imaps" else "none" if is_here else "starttls",
    }
