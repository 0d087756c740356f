"""Who is behind a recipient's key: the rooms that know people register an address book.

A key is a kind and an id, "user:0b6f...". The fan-out selects keys inside the database; only
when a message is about to be sent is the key turned into a `Reader`, so that the address, the
language and the zone are those of that moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, QuerySet, TextField
from django.db.models.sql.compiler import SQLCompiler

from coordination.accounts.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Reader:
    """Someone a message goes to.

    Attributes:
        recipient: the key.
        address: where the channel reaches them; "" when it cannot.
        name: how they are addressed; may be "".
        language: "zh-hans" or "en".
        time_zone: IANA name.
    """

    recipient: str
    address: str
    name: str = ""
    language: str = "zh-hans"
    time_zone: str = "Asia/Shanghai"


class AddressBook(Protocol):
    """Knows the people behind one kind of key."""

    def readers(self, recipients: Iterable[str], channel: str) -> Mapping[str, Reader]:
        """Return the reader of each key that is still someone; one query for all of them."""
        ...

    def mark_bounced(self, recipient: str, channel: str, address: str, at: datetime) -> None:
        """Take note that the other side says the address does not exist."""
        ...


_books: dict[str, AddressBook] = {}


def register_address_book(kind: str, book: AddressBook) -> None:
    """Let `book` answer for keys that begin with `kind` and a colon; for `AppConfig.ready`."""
    _books[kind] = book


def readers_of(recipients: Iterable[str], channel: str) -> dict[str, Reader]:
    """Return the readers behind the keys; a key that is nobody's is left out."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for recipient in dict.fromkeys(recipients):
        by_kind[recipient.partition(":")[0]].append(recipient)
    found: dict[str, Reader] = {}
    for kind, keys in by_kind.items():
        if kind in _books:
            found.update(_books[kind].readers(keys, channel))
    return found


def tell_bounced(recipient: str, channel: str, address: str, at: datetime) -> None:
    """Tell the address book of this kind of key that an address bounced."""
    book = _books.get(recipient.partition(":")[0])
    if book is not None:
        book.mark_bounced(recipient, channel, address, at)


OwnRecipients = Callable[[Viewer], "QuerySet[Any, Any]"]
_own_recipients: list[OwnRecipients] = []


def register_own_recipients(own: OwnRecipients) -> None:
    """Say which keys are a viewer's own; for `AppConfig.ready`. The last one registered counts.

    Args:
        own: takes a viewer who is signed in, answers rows with a column `recipient`.
    """
    _own_recipients[:] = [own]


def own_recipients(viewer: Viewer) -> QuerySet[Any, Any] | None:
    """Return the viewer's own keys as rows of one column, for a condition; None for nobody."""
    if not viewer.is_authenticated or not _own_recipients:
        return None
    return _own_recipients[0](viewer).order_by().values("recipient")


class RecipientKey(Func):
    """A recipient's key as an expression in SQL: "user:" and the row's uid, the same everywhere.

    Use it to make the rows that the fan-out takes::

        User.objects.filter(...).annotate(recipient=RecipientKey("user", "uid"))

    SQLite keeps a UUID as 32 digits, PostgreSQL as a type of its own; both give the form with
    hyphens.
    """

    output_field = TextField()
    template = "%(kind)s || CAST(%(expressions)s AS text)"
    arity = 1

    def __init__(self, kind: str, uid_field: str) -> None:
        """Make the expression.

        Args:
            kind: letters of the key before the colon.
            uid_field: name of a UUID field; it may span relations.
        """
        if not kind.isidentifier():
            raise ValueError(f"{kind!r} is not a kind of recipient.")
        super().__init__(F(uid_field), kind=f"'{kind}:'")

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Put the hyphens in."""
        column, params = compiler.compile(self.get_source_expressions()[0])
        parts = [f"substr({column}, {start}, {size})" for start, size in UUID_PARTS]
        return f"({self.extra['kind']} || {HYPHEN.join(parts)})", tuple(params) * 5


HYPHEN = " || '-' || "
UUID_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
