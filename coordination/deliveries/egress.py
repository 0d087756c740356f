"""The only outbound HTTP of this installation: one POST at a time, guarded and bounded.

    answer = post("https://example.org/hook", headers={...}, content=b"{}")

The very address that a socket is made for is checked, so a name that resolves differently the
second time reaches nothing. Redirects are not followed, no proxy is taken from the environment,
no cookie is kept, no connection is used twice, an answer is read up to 64 KiB, and everything
together ends after 15 seconds: a peer that drips cannot hold anybody up, since silence between two
bytes is not what is measured.

Requests run on one event loop in a thread of its own, so that any number of them wait at once.
`post` waits for its answer; `begin_post` returns a future.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings
from yarl import URL

from coordination.deliveries.guarding import EgressRefused, Policy, check_url, is_forbidden

MOST_BYTES = 64 * 1024
CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
MOST_LOOKUPS = 64
AGENT: Final = "Coordination"
AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]
Resolve = Callable[[str, int], list[AddressInfo]]
MakeSocket = Callable[[AddressInfo], socket.socket]
_refused: ContextVar[list[str]] = ContextVar("refused")

__all__ = [
    "Answer", "EgressFailed", "EgressRefused", "Gate", "Policy", "begin_post", "check", "post",
]  # fmt: skip


class EgressFailed(Exception):
    """The other side did not answer, or not in HTTP; it may another time.

    Attributes:
        code: "timeout", "unknown_name", "not_connected", "tls_failed", "cut" or "not_http".
        detail: what happened, for the ledger.
        retryable: always.
    """

    retryable = True

    def __init__(self, code: str, detail: str = "") -> None:
        """Say what happened."""
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said.

    Attributes:
        status: HTTP status; a redirect's too.
        headers: by lower-case name; of several of one name, the first.
        body: not decoded; what came until the limit or the deadline.
        is_whole: the body came to its end.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool

    @property
    def retry_after(self) -> timedelta | None:
        """The wait asked for, given in seconds or as a date (RFC 9110 section 10.2.3)."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10:
            return timedelta(seconds=int(text))
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        return max(until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC), timedelta())


@dataclass(frozen=True, slots=True)
class _Request:
    """One POST, checked."""

    url: URL
    headers: Mapping[str, str]
    content: bytes
    at_most_bytes: int
    connect_seconds: float
    total_seconds: float


def _look_up(host: str, port: int) -> list[AddressInfo]:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _make_socket(info: AddressInfo) -> socket.socket:
    return socket.socket(info[0], info[1], info[2])


@dataclass(frozen=True)
class Gate:
    """A way out under one policy.

    Attributes:
        policy: what is allowed.
        resolve: looks a name up; blocking.
        make_socket: makes the socket for an address that has passed the check, and nothing else.
    """

    policy: Policy
    resolve: Resolve = _look_up
    make_socket: MakeSocket = _make_socket
    _lookups: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(MOST_LOOKUPS)
    )

    def begin_post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes,
        at_most_bytes: int = MOST_BYTES,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> Future[Answer]:
        """Send a POST without waiting for its answer.

        Args:
            url: where to; checked again here.
            headers: beside those of HTTP itself.
            content: the body.
            at_most_bytes: how much of the answer's body is read.
            connect_seconds: for the name, the connection and TLS.
            total_seconds: for everything, the body of the answer included.

        Returns:
            Its answer, or EgressRefused or EgressFailed.
        """
        try:
            checked = check_url(url, policy=self.policy)
        except EgressRefused as refused:
            failed: Future[Answer] = Future()
            failed.set_exception(refused)
            return failed
        request = _Request(checked, headers, content, at_most_bytes, connect_seconds, total_seconds)
        return _run(self._post(request))

    async def _post(self, request: _Request) -> Answer:
        refused: list[str] = []
        _refused.set(refused)
        try:
            return await self._exchange(request)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            if refused:
                raise EgressRefused("address_inside", ", ".join(refused)) from None
            raise _failure(error) from None

    async def _exchange(self, request: _Request) -> Answer:
        timeout = aiohttp.ClientTimeout(
            total=request.total_seconds, connect=request.connect_seconds
        )
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(self),
            use_dns_cache=False,
            socket_factory=self._guarded_socket,
            force_close=True,
            limit=0,
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                headers={"User-Agent": AGENT, "Accept-Encoding": "identity"},
            ) as session,
            session.post(
                request.url,
                data=request.content,
                headers=request.headers,
                allow_redirects=False,
            ) as response,
        ):
            body, is_whole = await _read(response, request.at_most_bytes)
            headers = {name.lower(): response.headers[name] for name in response.headers}
            return Answer(response.status, headers, body, is_whole)

    def _guarded_socket(self, info: AddressInfo) -> socket.socket:
        """Make a socket for this very address, or none."""
        address = str(info[4][0])
        if is_forbidden(address, policy=self.policy):
            _refused.get().append(address)
            raise PermissionError(f"{address} may not be connected.")
        return self.make_socket(info)


async def _read(response: aiohttp.ClientResponse, at_most_bytes: int) -> tuple[bytes, bool]:
    """Return the body up to the limit or the deadline, and whether that is all of it."""
    body = bytearray()
    try:
        while len(body) <= at_most_bytes:
            piece = await response.content.read(at_most_bytes + 1 - len(body))
            if not piece:
                return bytes(body), True
            body += piece
    except (aiohttp.ClientError, OSError, TimeoutError):
        pass  # the status has been said: what follows it is for the ledger
    response.close()
    return bytes(body[:at_most_bytes]), False


def _failure(error: Exception) -> EgressFailed:
    """Put what aiohttp raises into our few words."""
    words = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, TimeoutError):
        return EgressFailed("timeout", words)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return EgressFailed("unknown_name", words)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return EgressFailed("tls_failed", words)
    if isinstance(error, aiohttp.ClientConnectorError):
        return EgressFailed("not_connected", words)
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.InvalidURL | ValueError):
        return EgressFailed("not_http", words)
    return EgressFailed("cut", words)


class _Resolver(AbstractResolver):
    """Looks names up in threads of their own, which nobody waits for when the program ends."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[AddressInfo]] = loop.create_future()
        if not self._gate._lookups.acquire(blocking=False):
            raise OSError("too many names are being looked up")
        threading.Thread(
            target=self._look_up, args=(loop, found, host, port), name="look-up", daemon=True
        ).start()
        return [
            ResolveResult(
                hostname=host, host=str(info[4][0]), port=port, family=info[0], proto=info[2],
                flags=socket.AI_NUMERICHOST,
            )
            for info in await found
        ]  # fmt: skip

    def _look_up(
        self,
        loop: asyncio.AbstractEventLoop,
        found: asyncio.Future[list[AddressInfo]],
        host: str,
        port: int,
    ) -> None:
        try:
            infos = self._gate.resolve(host, port)
            loop.call_soon_threadsafe(_answer, found, infos, None)
        except OSError as error:
            loop.call_soon_threadsafe(_answer, found, [], error)
        finally:
            self._gate._lookups.release()

    async def close(self) -> None:
        """Nothing is kept."""


def _answer(
    found: asyncio.Future[list[AddressInfo]], infos: list[AddressInfo], error: OSError | None
) -> None:
    if found.done():
        return  # nobody waits any more
    if error is None:
        found.set_result(infos)
    else:
        found.set_exception(error)


# -- The thread that waits for all answers -------------------------------------------------------

_starting = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def _run(work: Coroutine[Any, Any, Answer]) -> Future[Answer]:
    return asyncio.run_coroutine_threadsafe(work, _event_loop())


def _event_loop() -> asyncio.AbstractEventLoop:
    """Return this process' event loop; a process that was forked gets its own."""
    with _starting:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = asyncio.new_event_loop()
            _loops[os.getpid()] = loop
            threading.Thread(target=loop.run_forever, name="egress", daemon=True).start()
        return loop


# -- The installation's own gate -----------------------------------------------------------------


@lru_cache(maxsize=8)
def _gate_under(policy: Policy) -> Gate:
    return Gate(policy)


def gate() -> Gate:
    """Return the gate under the policy of the settings (`COORDINATION_EGRESS_*`)."""
    return _gate_under(
        Policy(
            allows_http=settings.EGRESS_HTTP,
            ports=frozenset(settings.EGRESS_PORTS),
            networks=tuple(settings.EGRESS_NETWORKS),
        )
    )


def check(url: str) -> None:
    """Refuse a URL that nothing here may connect to, as far as the URL itself tells.

    Raises:
        EgressRefused.
    """
    check_url(url, policy=gate().policy)


def begin_post(url: str, *, headers: Mapping[str, str], content: bytes) -> Future[Answer]:
    """Send a POST through the installation's gate without waiting; see `Gate.begin_post`."""
    return gate().begin_post(url, headers=headers, content=content)


def post(
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes,
    at_most_bytes: int = MOST_BYTES,
    connect_seconds: float = CONNECT_SECONDS,
    total_seconds: float = TOTAL_SECONDS,
) -> Answer:
    """Send a POST through the installation's gate and wait for the answer.

    Args:
        url: where to.
        headers: beside those of HTTP itself.
        content: the body.
        at_most_bytes: how much of the answer's body is read.
        connect_seconds: for the name, the connection and TLS.
        total_seconds: for everything, the body of the answer included.

    Raises:
        EgressRefused: the address may not be connected, and was not.
        EgressFailed: no answer.
    """
    return (
        gate()
        .begin_post(
            url,
            headers=headers,
            content=content,
            at_most_bytes=at_most_bytes,
            connect_seconds=connect_seconds,
            total_seconds=total_seconds,
        )
        .result()
    )
