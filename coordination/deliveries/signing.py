"""Signatures of webhooks, as Standard Webhooks lays them down (standardwebhooks.com, 1.0).

What is signed is ``<webhook-id>.<webhook-timestamp>.<body>``; the header holds one signature for
each secret in force, ``v1,<base64>`` each, parted by spaces, so that a receiver with either the
new secret or the one before it accepts. Pure.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from hmac import digest
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32  # the specification asks for 24 to 64


def make_secret() -> str:
    """Return a new secret, 256 bits of chance: ``whsec_<base64>``."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def key_of(secret: str) -> bytes:
    """Return the bytes that a secret stands for.

    Raises:
        ValueError: it is no secret of this form.
    """
    if not secret.startswith(PREFIX):
        raise ValueError(f"a secret begins with {PREFIX}")
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a secret is base64") from error


def headers_for(
    message_id: str, body: bytes, *, secrets: Sequence[str], at: datetime
) -> dict[str, str]:
    """Return the three header fields of one attempt.

    Args:
        message_id: the same in every copy of a message.
        body: what is sent, to the byte.
        secrets: those in force, the newest first.
        at: instant of this attempt, aware; receivers refuse what is older than five minutes.

    >>> from datetime import UTC
    >>> at = datetime(2021, 2, 25, 1, 15, 31, tzinfo=UTC)
    >>> secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    >>> body = b'{"test": 2432232314}'
    >>> headers = headers_for("msg_p5jXN8AQM9LWM0D4loKWxJek", body, secrets=[secret], at=at)
    >>> headers["webhook-timestamp"]
    '1614215731'
    """
    timestamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode("ascii"), timestamp.encode("ascii"), body))
    signatures = [
        "v1," + base64.b64encode(digest(key_of(secret), content, sha256)).decode("ascii")
        for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }
