"""Answers remembered for as long as nothing they depend on has changed.

A calendar program asks the same again and again. What it may be told depends on its app password
and its owner, on the owner's rights today, on what they have set for themselves, and on where the
log stands for them; these are asked of the database at every request, by three small queries. If
they are what they were when the same question was answered last, so is the answer. So nothing is
ever told to a password that was revoked, and a change shows at the next request; what a poll costs
depends neither on how much there is nor on how it is written.

The memory belongs to one process. It holds answers to GET, PROPFIND and REPORT, the longest unasked
for thrown away first.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from io import BytesIO
from threading import Lock
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import hash_secret
from coordination.accounts.viewer import Viewer, viewer_for
from coordination.calendars.answering import Answer
from coordination.calendars.caldav.properties import Asking
from coordination.calendars.caldav.resources import ROOT
from coordination.calendars.models import CollectionPreference
from coordination.calendars.tokens import Watermark, watermark_of
from coordination.statements import row_of

METHODS: Final = ("GET", "PROPFIND", "REPORT")
STATUSES: Final = (HTTPStatus.OK, HTTPStatus.MULTI_STATUS, HTTPStatus.NOT_MODIFIED)
LONGEST_QUESTION: Final = 128 * 1024  # octets
LONGEST_ANSWER: Final = 4 * 1024 * 1024  # octets
CAPACITY: Final = 48 * 1024 * 1024  # octets
ASKERS: Final = 2048  # app passwords
BESIDE: Final = 8 * 1024  # octets that an answer takes beside its body: its asker, its header
POLL: Final = "coordination.poll"
ASKED_BY: Final = (
    "REQUEST_METHOD",
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_AUTHORIZATION",
    "HTTP_DEPTH",
    "HTTP_PREFER",
    "HTTP_BRIEF",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
)
"""All of a request that an answer depends on, beside its body."""

# By hand, because it is asked at every poll.
STANDING_SQL: Final = f"""
    SELECT token.id, token.kind, token.scopes, token.limits, token.expires_at, token.revoked_at,
           token.last_used_at, owner.id, owner.uid, owner.is_active, owner.is_superuser,
           owner.username, owner.email, owner.first_name, owner.last_name, owner.language,
           owner.time_zone,
           (SELECT SUM(version) FROM {CollectionPreference._meta.db_table} AS chosen
            WHERE chosen.user_id = owner.id)
    FROM {ApiToken._meta.db_table} AS token
    JOIN {User._meta.db_table} AS owner ON owner.id = token.user_id
    WHERE token.sha256 = %s
"""


@dataclass(frozen=True, slots=True)
class Poll:
    """A question, and how its asker stood before it was answered.

    Attributes:
        key: fingerprint of the question; None where the answer is not to be remembered.
        standing: of the asker: what `STANDING_SQL` found.
        token: their app password with its owner, where it was read when they stood like this.
    """

    key: bytes | None
    standing: tuple[Any, ...]
    token: ApiToken | None


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer, and all that it depends on."""

    standing: tuple[Any, ...]
    day: date
    user: User
    token: ApiToken
    viewer: Viewer
    mark: Watermark
    answer: Answer

    def still_holds(self, standing: tuple[Any, ...], at: datetime) -> bool:
        """Whether nothing has changed since; asks for the rights and for the log."""
        if standing != self.standing or at.date() != self.day:
            return False
        if not self.token.is_live(at) or self.token.is_use_due(at):
            return False
        viewer = viewer_for(self.user, at=at, language=self.viewer.language, token=self.token)
        return viewer == self.viewer and watermark_of(viewer) == self.mark


class Memory:
    """The answers of this process."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Begin without any."""
        self._capacity = capacity
        self._held: OrderedDict[bytes, Remembered] = OrderedDict()
        self._tokens: OrderedDict[str, tuple[tuple[Any, ...], ApiToken]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def find(self, key: bytes) -> Remembered | None:
        """Return what was answered to a question, and move it to the front."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def keep(self, key: bytes, remembered: Remembered) -> None:
        """Keep an answer; others go where there is no room."""
        with self._lock:
            self._drop(key)
            self._held[key] = remembered
            self._size += BESIDE + len(remembered.answer.body)
            while self._size > self._capacity and len(self._held) > 1:
                self._drop(next(iter(self._held)))

    def token_of(self, credentials: str, standing: tuple[Any, ...]) -> ApiToken | None:
        """Return the app password that these credentials were found to be, if it stands so."""
        found, token = self._tokens.get(credentials, (None, None))
        return token if found == standing else None

    def keep_token(self, credentials: str, standing: tuple[Any, ...], token: ApiToken) -> None:
        """Keep what credentials were found to be; the oldest go where there are too many."""
        with self._lock:
            self._tokens[credentials] = (standing, token)
            if len(self._tokens) > ASKERS:
                self._tokens.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._tokens.clear()
            self._size = 0

    def _drop(self, key: bytes) -> None:
        gone = self._held.pop(key, None)
        if gone is not None:
            self._size -= BESIDE + len(gone.answer.body)


memory = Memory()


def answer_poll(environ: dict[str, Any], *, at: datetime) -> Answer | None:
    """Return the remembered answer to a request; None where it must be given anew.

    A request that is led on can be remembered afterwards, see `remember`; its body can be read
    again. Writes are led on too, with what was found of their app password.
    """
    credentials = environ.get("HTTP_AUTHORIZATION", "")
    secret = _secret(credentials)
    if secret is None:
        return None
    standing = row_of(STANDING_SQL, [hash_secret(secret)])
    if standing is None:
        return None
    token = memory.token_of(credentials, standing)
    key = _question(environ)
    if key is None:
        environ[POLL] = Poll(None, standing, token)
        return None
    found = memory.find(key)
    if found is not None and found.still_holds(standing, at):
        return found.answer
    environ[POLL] = Poll(key, standing, token)
    return None


def _question(environ: dict[str, Any]) -> bytes | None:
    """Return the fingerprint of a question whose answer may be remembered; None for others."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if environ["REQUEST_METHOD"] not in METHODS or not length.isdigit():
        return None
    if int(length) > LONGEST_QUESTION:
        return None
    body = environ["wsgi.input"].read(int(length)) if int(length) else b""
    environ["wsgi.input"] = BytesIO(body)
    digest = hashlib.sha256(repr([environ.get(name, "") for name in ASKED_BY]).encode())
    digest.update(body)
    return digest.digest()


def is_for_calendars(environ: Mapping[str, Any]) -> bool:
    """Whether a request is one of CalDAV."""
    path: str = environ.get("PATH_INFO", "")
    return path.startswith(ROOT)


def before_answering(request: HttpRequest, asking: Asking) -> None:
    """Note where the log stands before anything is read, so that no change is passed over."""
    poll = request.META.get(POLL)
    if poll is not None and poll.key is not None:
        _noted = asking.mark


def known_token(request: HttpRequest, *, at: datetime) -> ApiToken | None:
    """Return the live app password of a request where it need not be looked up again."""
    poll = request.META.get(POLL)
    token = None if poll is None else poll.token
    return token if token is not None and token.is_live(at) else None


def remember(request: HttpRequest, asking: Asking, response: HttpResponse) -> None:
    """Keep the answer to a request for the next who asks the same with the same rights."""
    poll = request.META.get(POLL)
    content = response.content
    if poll is None or asking.token is None or response.status_code not in STATUSES:
        return
    if poll.token is None:
        memory.keep_token(request.META["HTTP_AUTHORIZATION"], poll.standing, asking.token)
    if poll.key is None or len(content) > LONGEST_ANSWER:
        return
    answer = Answer(HTTPStatus(response.status_code), list(response.items()), content)
    memory.keep(
        poll.key,
        Remembered(
            poll.standing,
            asking.at.date(),
            asking.user,
            asking.token,
            asking.viewer,
            asking.mark,
            answer,
        ),
    )


def _secret(header: str) -> str | None:
    """Return the secret in a header of Basic; None where there is none to be read."""
    scheme, _space, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(header) > 1024:
        return None
    try:
        _name, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return secret if colon else None
