"""Which bytes a client gets, and whether it has them already (RFC 9110). Pure.

>>> choose_coding("br;q=0.5, gzip")
'gzip'
>>> matches_any('W/"abc", "def"', '"abc"')
True
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from django.utils.http import parse_http_date_safe

IDENTITY: Final = "identity"
CODINGS: Final = ("br", "gzip", IDENTITY)  # the better first, among equals
KEPT: Final = 256  # headers whose choice is known: programs send the same one always

_STRONG_TAG: Final = re.compile(r'W/"[^"]*"|("[\x21\x23-\x7e\x80-\xff]*")')
_ENTITY_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_QUALITY: Final = re.compile(r"[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


@lru_cache(maxsize=KEPT)
def choose_coding(header: str) -> str:
    """Return the coding to send for an ``Accept-Encoding`` (RFC 9110 section 12.5.3).

    Identity where nothing else is asked for; also where the header refuses everything, because a
    plain answer serves the client better than a 406.
    """
    qualities: dict[str, float] = {}
    for part in header.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        match = _QUALITY.fullmatch(parameters[0]) if parameters else None
        if name:
            qualities[name.lower()] = float(match[1]) if match else 1.0
    others = qualities.get("*", 0.0)
    offered = {coding: qualities.get(coding, others) for coding in CODINGS}
    best = max(CODINGS, key=lambda coding: (offered[coding], -CODINGS.index(coding)))
    return best if offered[best] > 0 else IDENTITY


def is_as_believed(
    *,
    if_match: str | None,
    if_unmodified_since: str | None,
    etag: str,
    changed_at: datetime | None,
) -> bool:
    """Return whether what would be sent is what the client believes, so that it may be sent.

    Tags decide alone where there are any, in lists and strongly compared; a date is only asked
    where the client sends no tag, and one that is none counts for nothing (RFC 9110 sections
    13.1.1, 13.1.4 and 13.2.2). This comes before `is_unchanged`.

    Args:
        if_match: Header as sent, or None.
        if_unmodified_since: Header as sent, or None.
        etag: Strong tag of what would be sent, quoted.
        changed_at: When that last changed, aware; compared to the second. None when nobody knows.
    """
    if if_match is not None:
        return if_match.strip() == "*" or etag in _STRONG_TAG.findall(if_match)
    if if_unmodified_since is None or changed_at is None:
        return True
    since = parse_http_date_safe(if_unmodified_since)
    return since is None or int(changed_at.timestamp()) <= since


def is_unchanged(
    *,
    if_none_match: str | None,
    if_modified_since: str | None,
    etag: str,
    changed_at: datetime | None,
) -> bool:
    """Return whether the client's copy is still good, so that a 304 will do.

    Entity tags decide alone where there are any, in lists and weakly compared; a date is only
    asked where the client sends no tag, and a date that is none counts for nothing (RFC 9110
    sections 13.1.2, 13.1.3 and 13.2.2).

    Args:
        if_none_match: Header as sent, or None.
        if_modified_since: Header as sent, or None.
        etag: Tag of what would be sent, quoted.
        changed_at: When that last changed, aware; compared to the second. None when nobody knows.
    """
    if if_none_match is not None:
        return if_none_match.strip() == "*" or matches_any(if_none_match, etag)
    if if_modified_since is None or changed_at is None:
        return False
    since = parse_http_date_safe(if_modified_since)
    return since is not None and int(changed_at.astimezone(UTC).timestamp()) <= since


def matches_any(header: str, etag: str) -> bool:
    """Return whether a list of entity tags holds ``etag``, weakly compared."""
    return etag in _ENTITY_TAG.findall(header)
