"""The answer to a request for a calendar: status and header fields, the same by every way. Pure.

A calendar is asked for by Django's handler and, before it, by the short path. Both answer with
what is put together here, so that no program can tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple, Protocol

from django.utils.http import http_date
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from coordination.bilingual import ENGLISH
from coordination.calendars.negotiation import (
    IDENTITY,
    choose_coding,
    is_as_believed,
    is_unchanged,
)

CONTENT_TYPE: Final = "text/calendar; charset=utf-8"
ANOTHER_VERSION: Final = _(
    "What stands here now is not the version that was asked for. "
    "Ask without If-Match and If-Unmodified-Since to get it."
)
LANGUAGE_TAGS: Final = {ENGLISH: "en"}
PUBLIC_CACHE: Final = "public, max-age=300"
PRIVATE_CACHE: Final = "private, max-age=0, must-revalidate"
DATES_KEPT: Final = 1024


class Asked(NamedTuple):
    """What a request says that the answer depends on; header fields as sent, None without.

    Attributes:
        method: GET or HEAD.
    """

    method: str
    accept_encoding: str
    if_none_match: str | None
    if_modified_since: str | None
    if_match: str | None
    if_unmodified_since: str | None
    at: datetime


class Content(Protocol):
    """Bytes of a calendar, under one fingerprint."""

    @property
    def digest(self) -> str:
        """Fingerprint of the bytes."""

    @property
    def changed_at(self) -> datetime | None:
        """When they last changed, whole seconds; None where that is not known for certain."""

    def content(self, coding: str) -> bytes:
        """Return the bytes in a coding."""


class Standing(NamedTuple):
    """A calendar as it stands, before its bytes are needed.

    Attributes:
        digest: fingerprint of the bytes.
        changed_at: when they last changed, whole seconds; None where that is not known.
        load: gives the bytes, with a fingerprint of their own: they may be newer.
        is_private: whether the address is one person's secret.
        is_lasting: whether it stands so for as long as the facts are the same: on the way nothing
            was left unwritten, and nothing written that is among them.
    """

    digest: str
    changed_at: datetime | None
    load: Callable[[], Content]
    language: str
    file_name: str
    is_private: bool
    is_lasting: bool = True


class Answer(NamedTuple):
    """Status, header fields in order, and the body."""

    status: HTTPStatus
    headers: list[tuple[str, str]]
    body: bytes = b""


def answer(asked: Asked, standing: Standing) -> Answer:
    """Return 304 to a client that has the bytes, else 200 with them in the best coding.

    Before either, 412 to one that asked for another version than stands here.
    """
    coding = choose_coding(asked.accept_encoding)
    etag = etag_of(standing.digest, coding)
    if not _may_be_sent(asked, etag, standing.changed_at):
        return _refused(asked, standing)
    if is_unchanged(
        if_none_match=asked.if_none_match,
        if_modified_since=asked.if_modified_since,
        etag=etag,
        changed_at=standing.changed_at,
    ):
        fields = _validators(etag, standing.changed_at, asked.at, standing)
        return Answer(HTTPStatus.NOT_MODIFIED, fields)
    content = standing.load()
    body = content.content(coding)
    etag = etag_of(content.digest, coding)
    if not _may_be_sent(asked, etag, content.changed_at):
        return _refused(asked, standing)
    headers = _validators(etag, content.changed_at, asked.at, standing)
    headers += [
        ("Content-Type", CONTENT_TYPE),
        ("Content-Length", str(len(body))),
        ("Content-Language", _language_tag(standing)),
        ("Content-Disposition", f'inline; filename="{standing.file_name}"'),
        ("X-Robots-Tag", "noindex"),
    ]
    if not standing.is_private:
        headers.append(("Access-Control-Allow-Origin", "*"))
    if coding != IDENTITY:
        headers.append(("Content-Encoding", coding))
    return Answer(HTTPStatus.OK, headers, body if asked.method == "GET" else b"")


def etag_of(digest: str, coding: str) -> str:
    """Return the strong entity tag of bytes in a coding, quoted: each coding has its own."""
    suffix = "" if coding == IDENTITY else f"-{coding}"
    return f'"{digest}{suffix}"'


def _may_be_sent(asked: Asked, etag: str, changed_at: datetime | None) -> bool:
    """Return whether the client asked for these bytes, or for whatever there is."""
    return is_as_believed(
        if_match=asked.if_match,
        if_unmodified_since=asked.if_unmodified_since,
        etag=etag,
        changed_at=changed_at,
    )


def _refused(asked: Asked, standing: Standing) -> Answer:
    """Return 412 with a sentence in the calendar's language (RFC 9110 section 15.5.13)."""
    with override(standing.language):
        body = f"{ANOTHER_VERSION}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Content-Language", _language_tag(standing)),
        ("Cache-Control", "no-store"),
        ("X-Robots-Tag", "noindex"),
    ]
    if not standing.is_private:
        headers.append(("Access-Control-Allow-Origin", "*"))
    return Answer(HTTPStatus.PRECONDITION_FAILED, headers, body if asked.method == "GET" else b"")


def _language_tag(standing: Standing) -> str:
    return LANGUAGE_TAGS.get(standing.language, "zh-Hans")


def _validators(
    etag: str, changed_at: datetime | None, at: datetime, standing: Standing
) -> list[tuple[str, str]]:
    """Return the fields that a 304 has too (RFC 9110 section 15.4.5).

    A change that is stamped ahead of the clock is dated now, as section 8.8.2.1 has it. Whoever
    asks by that date alone reads the calendar again until the clock has come up.
    """
    fields = [("ETag", etag)]
    if changed_at is not None:
        fields.append(("Last-Modified", _dated(int(min(changed_at, at).timestamp()))))
    fields.append(("Cache-Control", PRIVATE_CACHE if standing.is_private else PUBLIC_CACHE))
    fields.append(("Vary", "Accept-Encoding"))
    return fields


@lru_cache(maxsize=DATES_KEPT)
def _dated(second: int) -> str:
    """Return a second since 1970 as a date of HTTP; polls say the same one again and again."""
    return http_date(second)
