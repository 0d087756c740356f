"""Mail without a mail server: to the console, to files, or to both.

The default of an installation that was given no ``EMAIL_URL``. A file holds the very bytes that
would have been sent; the console shows what a person wants to read of them.
"""

import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class Console(BaseEmailBackend):
    """Show the recipients, the subject and the text of each mail on standard output."""

    def send_messages(self, email_messages: Any) -> int:
        """Show the mails and return how many there were."""
        for message in email_messages:
            show(message)
        return len(email_messages)


class Files(BaseEmailBackend):
    """Store each mail as one ``.eml`` file in ``settings.EMAIL_FILE_PATH``."""

    def send_messages(self, email_messages: Any) -> int:
        """Store the mails and return how many there were."""
        for message in email_messages:
            store(message, folder=Path(settings.EMAIL_FILE_PATH))
        return len(email_messages)


class ConsoleAndFiles(BaseEmailBackend):
    """Store each mail as a file, then show it."""

    def send_messages(self, email_messages: Any) -> int:
        """Store and show the mails and return how many there were."""
        for message in email_messages:
            path = store(message, folder=Path(settings.EMAIL_FILE_PATH))
            show(message, path=path)
        return len(email_messages)


def show(message: EmailMessage, *, path: Path | None = None) -> None:
    """Print one mail as a person reads it; ``path`` is the file that holds it, if any."""
    lines = [
        f"-- mail to {', '.join(message.recipients())}: {message.subject}",
        str(message.body),
    ]
    if path is not None:
        lines.append(f"-- kept in {path}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def store(message: EmailMessage, *, folder: Path) -> Path:
    """Write one mail to its own file and return the path; the file appears whole or not at all."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(suffix=".part", dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(message.message().as_bytes().replace(b"\n", b"\r\n"))
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    path = folder / f"{moment}-{Path(temporary).stem}.eml"
    os.replace(temporary, path)
    return path
