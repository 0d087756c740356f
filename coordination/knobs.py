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
