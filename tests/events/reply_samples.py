"""Fill in the samples of replies that lie in `tests/conformance/replies`."""

from __future__ import annotations

import base64
import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "conformance" / "replies"
_ENCODED = re.compile(r"\{base64:([\w-]+)\}(.*?)\{end\}", re.S)


def sample(name: str, **values: object) -> bytes:
    """Return a sample as it would come over the wire."""
    text = (FOLDER / f"{name}.eml").read_text(encoding="utf-8")
    for word, value in values.items():
        text = text.replace(f"{{{word}}}", str(value))
    text = _ENCODED.sub(_encoded, text)
    return text.replace("\n", "\r\n").encode()


def _encoded(match: re.Match[str]) -> str:
    octets = match[2].replace("\n", "\r\n").encode(match[1])
    return base64.encodebytes(octets).decode().rstrip("\n")
