"""Fetch mail from the mailbox that answers come to (IMAP4rev1, RFC 3501), one process at a time.

A mail is marked as read, or moved, only after its row is committed: a process that dies in between
leaves it unread, and the next one finds that it is there already. What came since the last visit
is fetched also where somebody has read it in a mail program, or this database is a copy from
before; so is what the server would not give then. Fetching runs in a thread of its own, so that a
mail server that hangs never stops the loop.
"""

from __future__ import annotations

import base64
import contextlib
import imaplib
import logging
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.db.models import Q

from coordination.deliveries.freshness import Warned
from events.inbound import LARGEST, receive
from events.models import InboundMailbox, InboundWay

EVERY: Final = timedelta(seconds=60)
LEASE: Final = timedelta(seconds=180)
UNREAD_TOO_LONG: Final = timedelta(minutes=15)
SECONDS_OF_SILENCE: Final = 15  # between two answers of the server
BUDGET_SECONDS: Final = 60.0  # for one visit; what is left waits for the next
MOST_A_VISIT: Final = 200  # mails
MOST_BREAKS: Final = 3  # of the connection in one visit
MOST_MISSED: Final = 50  # mails that are remembered though somebody may read them meanwhile
_WHO: Final = '("name" "Coordination" "version" "1")'
_UID: Final = re.compile(rb"UID (\d+)")
_SIZE: Final = re.compile(rb"RFC822\.SIZE (\d+)")
log = logging.getLogger(__name__)


class MailboxFailed(Exception):
    """The server answered otherwise than hoped."""


class Fetcher:
    """Visits the mailbox now and then; one visit at a time in this process."""

    def __init__(self) -> None:
        """Begin without a visit."""
        self._thread: threading.Thread | None = None

    def begin(self, at: datetime) -> bool:
        """Begin a visit in a thread of its own; return whether one began."""
        if settings.INBOUND_MAILBOX is None or (self._thread and self._thread.is_alive()):
            return False
        self._thread = threading.Thread(
            target=_visit_alone, args=(settings.INBOUND_MAILBOX, at), name="mailbox", daemon=True
        )
        self._thread.start()
        return True

    def join(self, seconds: float) -> None:
        """Wait for the visit to end, but no longer than so many seconds."""
        if self._thread is not None:
            self._thread.join(seconds)


def _visit_alone(mailbox: Mapping[str, Any], at: datetime) -> None:
    close_old_connections()
    try:
        visit(mailbox, at=at)
    except Exception:
        log.exception("The mailbox was not read; it will be tried again.")
    finally:
        connection.close()


def visit(mailbox: Mapping[str, Any], *, at: datetime) -> int:
    """Fetch what is unread, unless another process is at it; return how many mails are new.

    Args:
        mailbox: see `knobs.mailbox_from_url`.
        at: the database's time.
    """
    name = name_of(mailbox)
    if not _take_lease(name, at):
        return 0
    try:
        new = _fetch(mailbox, at)
    except DatabaseError:
        raise  # ours, not the mailbox's
    except Exception as error:  # a password that IMAP cannot carry, an answer that nobody can read
        _note_failure(name, error, at)
        return 0
    InboundMailbox.objects.filter(name=name).update(
        lease_until=None, read_at=at, failing_since=None, error=""
    )
    return new


def failing_mailboxes(at: datetime) -> list[Warned]:
    """Return the mailbox of this installation where answers cannot be fetched from it.

    Either the server refuses, or nobody has read it to its end for a quarter of an hour.

    Args:
        at: the database's time.
    """
    mailbox = settings.INBOUND_MAILBOX
    row = InboundMailbox.objects.filter(name=name_of(mailbox)).first() if mailbox else None
    if row is None:
        return []
    if row.failing_since is not None:
        return [Warned("mailbox", row.failing_since, f"{row.name}: {row.error}")]
    if row.read_at is not None and row.read_at < at - UNREAD_TOO_LONG:
        return [Warned("mailbox", row.read_at, row.name)]
    return []


def name_of(mailbox: Mapping[str, Any]) -> str:
    """Return the mailbox without its password, as people know it."""
    return f"{mailbox['user']} @ {mailbox['host']}/{mailbox['folder']}"


def _take_lease(name: str, at: datetime) -> bool:
    InboundMailbox.objects.get_or_create(name=name)
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
    rows = InboundMailbox.objects.filter(free, name=name)
    return rows.update(lease_until=at + LEASE) == 1


def _note_failure(name: str, error: Exception, at: datetime) -> None:
    row = InboundMailbox.objects.get(name=name)
    if row.failing_since is None:
        log.warning("The mailbox %s cannot be read: %s", name, error)
    row.failing_since = row.failing_since or at
    row.lease_until, row.error = None, str(error).replace("\0", "")[:500]
    row.save()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What lies in the folder to be taken, and where the visit after this one begins.

    Attributes:
        uids: ascending; at the end those that an earlier visit was not given.
        validity: UIDVALIDITY; 0 where the server does not say (RFC 3501 section 2.3.1.1).
        since: the first UID that is fetched also where it is read.
        following: the first UID that there is not yet.
    """

    uids: list[int]
    validity: int
    since: int
    following: int


def _fetch(mailbox: Mapping[str, Any], at: datetime) -> int:
    server = _open(mailbox)
    try:
        found = _find(server, name_of(mailbox))
        until, new, breaks = time.monotonic() + BUDGET_SECONDS, 0, 0
        left, missed = found.uids[:], []
        while left and len(found.uids) - len(left) < MOST_A_VISIT and time.monotonic() < until:
            uid = left.pop(0)
            try:
                new += _take(server, str(uid), mailbox["handled"], at)
            except (imaplib.IMAP4.abort, OSError):
                missed.append(uid)
                breaks += 1
                if breaks > MOST_BREAKS:
                    raise
                log.warning("The connection to %s broke at a mail.", name_of(mailbox))
                _leave(server)
                server = _open(mailbox)
            except (MailboxFailed, imaplib.IMAP4.error) as error:  # this mail's alone
                missed.append(uid)
                log.warning("A mail stays in %s: %s", name_of(mailbox), error)
        following = min((uid for uid in left if uid >= found.since), default=found.following)
        missed += [uid for uid in left if uid < following]
        InboundMailbox.objects.filter(name=name_of(mailbox)).update(
            uid_validity=found.validity,
            next_uid=following,
            missed_uids=" ".join(map(str, sorted(missed)[-MOST_MISSED:])),
        )
        return new
    finally:
        _leave(server)


def _open(mailbox: Mapping[str, Any]) -> imaplib.IMAP4:
    """Connect, and open the folder."""
    server = _connect(mailbox)
    try:
        _check(server.login(mailbox["user"], mailbox["password"]), "login")
        if "ID" in server.capabilities:  # RFC 2971: NetEase opens no folder before
            _hoped_for(lambda: server.xatom("ID", _WHO), "id")
        _check(server.select(_quoted(mailbox["folder"])), "select")
    except BaseException:
        _leave(server)
        raise
    return server


def _find(server: imaplib.IMAP4, name: str) -> _Found:
    """Return what is unread, what came since the last visit, and what was missed in it."""
    validity, following = _told(server, "UIDVALIDITY"), _told(server, "UIDNEXT")
    # Some servers say nothing where nothing is found.
    found = _check(server.uid("SEARCH", "UNSEEN"), "search")[0] or b""
    uids = {int(uid) for uid in found.split()}
    row = InboundMailbox.objects.get(name=name)
    since = following
    if row.uid_validity == validity and row.next_uid:
        since = row.next_uid
        answer = _hoped_for(lambda: server.uid("FETCH", f"{since}:*", "(UID)"), "list")
        numbers = (_UID.search(part) for part in answer if isinstance(part, bytes))
        # The last one is named also where it is older (RFC 3501 section 6.4.8).
        uids |= {uid for one in numbers if one and (uid := int(one[1])) >= since}
    following = max(following, since, *(uid + 1 for uid in uids))
    missed = _still_there(server, row.missed_uids) if row.uid_validity == validity else set()
    return _Found(
        uids=[*sorted(uids), *sorted(missed - uids)],
        validity=validity,
        since=since or following,
        following=following,
    )


def _still_there(server: imaplib.IMAP4, missed: str) -> set[int]:
    """Return which of the mails that an earlier visit missed are in the folder yet."""
    if not missed:
        return set()
    found = _hoped_for(lambda: server.uid("SEARCH", f"UID {','.join(missed.split())}"), "missed")
    return {int(uid) for part in found if isinstance(part, bytes) for uid in part.split()}


def _told(server: imaplib.IMAP4, what: str) -> int:
    """Return a number that the server told when the folder was opened; 0 where it did not."""
    value = server.response(what)[1][0]
    return int(value) if isinstance(value, bytes) and value.isdigit() else 0


def _leave(server: imaplib.IMAP4) -> None:
    """Take leave, and hang up also where the server no longer answers to that."""
    try:
        server.logout()
    except (OSError, imaplib.IMAP4.error):
        with contextlib.suppress(OSError):
            server.shutdown()


def _connect(mailbox: Mapping[str, Any]) -> imaplib.IMAP4:
    """Connect, with TLS and the host's certificate checked."""
    host, port, tls = mailbox["host"], mailbox["port"], mailbox["tls"]
    if tls == "direct":
        context = ssl.create_default_context()
        return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=SECONDS_OF_SILENCE)
    server = imaplib.IMAP4(host, port, timeout=SECONDS_OF_SILENCE)
    if tls == "starttls":
        try:
            _check(server.starttls(ssl.create_default_context()), "starttls")
        except BaseException:
            _leave(server)
            raise
    return server


def _take(server: imaplib.IMAP4, uid: str, handled: str, at: datetime) -> int:
    """Keep one mail, then mark it; one that the server will not give is left for the next visit."""
    answer = _check(server.uid("FETCH", uid, "(RFC822.SIZE)"), "size")
    size = _SIZE.search(b" ".join(part for part in answer if isinstance(part, bytes)))
    is_large = size is not None and int(size[1]) > LARGEST
    wanted = f"(BODY.PEEK[]<0.{LARGEST + 1}>)" if is_large else "(BODY.PEEK[])"
    parts = _check(server.uid("FETCH", uid, wanted), "fetch")
    raw = next((part[1] for part in parts if isinstance(part, tuple)), None)
    if raw is None:
        raise MailboxFailed("fetch: nothing was given")
    _row, is_new = receive(raw, way=InboundWay.MAILBOX, at=at)
    _check(server.uid("STORE", uid, "+FLAGS", r"(\Seen)"), "store")
    if handled:
        _move(server, uid, _quoted(handled))
    return int(is_new)


def _move(server: imaplib.IMAP4, uid: str, folder: str) -> None:
    """Move one mail (RFC 6851), or copy it and delete no other with it (RFC 4315)."""
    if "MOVE" in server.capabilities:
        _check(server.uid("MOVE", uid, folder), "move")
        return
    _check(server.uid("COPY", uid, folder), "copy")
    _check(server.uid("STORE", uid, "+FLAGS", r"(\Deleted)"), "delete")
    if "UIDPLUS" in server.capabilities:
        _check(server.uid("EXPUNGE", uid), "expunge")


def _check(answer: tuple[str, Any], what: str) -> Any:
    """Return what the server gave.

    Raises:
        MailboxFailed: it said no.
    """
    status, data = answer
    if status != "OK":
        raise MailboxFailed(f"{what}: {status} {data!r}"[:300])
    return data


def _hoped_for(ask: Callable[[], tuple[str, Any]], what: str) -> Any:
    """Return what the server gives; nothing where it will not, and goes on."""
    try:
        return _check(ask(), what)
    except imaplib.IMAP4.abort:
        raise
    except (MailboxFailed, imaplib.IMAP4.error):
        return []


def _quoted(folder: str) -> str:
    """Return a folder's name as IMAP wants it: quoted, in modified UTF-7 (RFC 3501 5.1.3)."""
    encoded = "".join(_utf7(piece) for piece in re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", folder))
    return '"' + encoded.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _utf7(piece: str) -> str:
    if piece.isascii():
        return piece.replace("&", "&-")
    coded = base64.b64encode(piece.encode("utf-16-be")).decode()
    return "&" + coded.rstrip("=").replace("/", ",") + "-"
