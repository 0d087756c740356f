"""Uploaded workbooks between preview and confirmation: kept by their hash for a day, per person."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

KEPT = timedelta(days=1)
FOLDER = "imports"


def hold(data: bytes, *, user_id: int, at: datetime) -> str:
    """Keep an uploaded file; return the key by which the same person finds it again."""
    folder = Path(settings.MEDIA_ROOT) / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(folder, before=at - KEPT)
    key = hashlib.sha256(data).hexdigest()
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".part-")
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    os.utime(temporary, (at.timestamp(), at.timestamp()))
    Path(temporary).replace(_path(folder, key, user_id))
    return key


def held(key: str, *, user_id: int) -> bytes | None:
    """Return a file kept by `hold`; None when it is gone, was another person's, or never was."""
    if not re.fullmatch(r"[0-9a-f]{64}", key):
        return None
    try:
        data = _path(Path(settings.MEDIA_ROOT) / FOLDER, key, user_id).read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == key else None


def release(key: str, *, user_id: int) -> None:
    """Let go of a file that has been imported."""
    if re.fullmatch(r"[0-9a-f]{64}", key):
        _path(Path(settings.MEDIA_ROOT) / FOLDER, key, user_id).unlink(missing_ok=True)


def _path(folder: Path, key: str, user_id: int) -> Path:
    return folder / f"{user_id}-{key}"


def _sweep(folder: Path, *, before: datetime) -> None:
    for path in folder.iterdir():
        try:
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
        except OSError:
            continue  # another process swept it
