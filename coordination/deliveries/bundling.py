"""Put deliveries into messages: alone, or several of one reader that share a digest.

After a standstill what has become too late by its source is left out. What the reader wishes is
heeded first. Then, whatever caused them, the deliveries of one endpoint
with the same word in `digest` are one message; a chat takes only so many lines in one.

The set of a message is fixed here, once, and its uid is a name for that set (RFC 9562 section
5.5): every copy that is ever sent carries the same id, and making it twice is impossible.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import Q

from coordination.deliveries.heeding import heed
from coordination.deliveries.models import Delivery, HoldPeriod, Message, MessageState
from coordination.deliveries.querysets import DeliveryQuerySet
from coordination.deliveries.sources import TOO_LATE, stale_among
from coordination.deliveries.transports.base import most_lines_of

NAMESPACE = UUID("8f0c4c0e-2a53-4c0b-9d0c-6f0b1a6f2c51")  # drawn once; never change it
BATCH = 500
ON_TIME = timedelta(minutes=5)
"""Nothing is late that waits for so long: there may be much to do."""
SEVERAL = "digest"
DigestKey = tuple[int, str]
BundleKey = tuple[int, str, int]


def bundle_due(at: datetime, *, limit: int = BATCH) -> int:
    """Put deliveries whose time has come into messages.

    Several processes may do this at once: each takes other rows.

    Args:
        at: the database's time.
        limit: deliveries taken at most, apart from those that belong to their digests.

    Returns:
        How many messages were made or put off; call again until it is 0.
    """
    with transaction.atomic():
        taken = _take(at, limit)
        if not taken:
            return 0
        holds = _open_holds()
        now = heed(_fresh(taken, holds, at), at=at)
        return _make(now, holds) + len(taken) - len(now)


def _lockable() -> bool:
    return connection.features.has_select_for_update_skip_locked


def _take(at: datetime, limit: int) -> list[Delivery]:
    # In the order of the index of what has no message yet, always: SQLite else reads all lines.
    open_rows = Delivery.objects.without_message().order_by("send_after", "pk")
    open_rows = open_rows.filter(send_after__lte=at)
    free_rows = open_rows.select_for_update(skip_locked=True) if _lockable() else open_rows
    first = list(free_rows[:limit])
    alone = [row for row in first if not row.digest and not row.lane]
    alone += _in_their_turn(open_rows, [row for row in first if not row.digest and row.lane])
    shared = {(row.endpoint_id, row.digest) for row in first if row.digest}
    return alone + (_take_digests(open_rows, free_rows, shared) if shared else [])


def _in_their_turn(open_rows: DeliveryQuerySet, rows: list[Delivery]) -> list[Delivery]:
    """Leave out what has an earlier line in its lane that is not taken: the order is kept."""
    if not rows:
        return []
    condition = Q()
    for endpoint, lane in {(row.endpoint_id, row.lane) for row in rows}:
        condition |= Q(endpoint=endpoint, lane=lane)
    taken = {row.pk for row in rows}
    blocked: dict[tuple[int, str], int] = {}
    left = open_rows.filter(condition, pk__lte=max(taken)).exclude(pk__in=taken)
    for endpoint, lane, pk in left.values_list("endpoint_id", "lane", "pk"):
        blocked[endpoint, lane] = min(pk, blocked.get((endpoint, lane), pk))
    in_order = sorted(rows, key=lambda row: row.pk)
    return [
        row for row in in_order if row.pk < blocked.get((row.endpoint_id, row.lane), row.pk + 1)
    ]


def _take_digests(
    open_rows: DeliveryQuerySet, free_rows: DeliveryQuerySet, shared: set[DigestKey]
) -> list[Delivery]:
    """Take whole digests only: one of which another process holds a line waits for the next go."""
    condition = Q()
    for endpoint, digest in shared:
        condition |= Q(endpoint=endpoint, digest=digest)
    rows = sorted(free_rows.filter(condition), key=lambda row: row.pk)
    sizes = Counter(open_rows.filter(condition).values_list("endpoint_id", "digest"))
    taken = Counter((row.endpoint_id, row.digest) for row in rows)
    return [
        row
        for row in rows
        if taken[row.endpoint_id, row.digest] == sizes[row.endpoint_id, row.digest]
    ]


def _fresh(taken: Sequence[Delivery], holds: Sequence[HoldPeriod], at: datetime) -> list[Delivery]:
    """Leave out what nobody sent in time, and has become too late by its source.

    What staff are to decide on, after a restore, is left to them.
    """
    by_source: dict[str, list[Delivery]] = defaultdict(list)
    for row in taken:
        if at - row.send_after >= ON_TIME and _hold_over([row], holds) is None:
            by_source[row.source].append(row)
    stale = {pk for kind, rows in by_source.items() for pk in stale_among(kind, rows, at)}
    if not stale:
        return list(taken)
    Delivery.objects.filter(pk__in=stale).update(dropped_reason=TOO_LATE)
    return [row for row in taken if row.pk not in stale]


def _open_holds() -> list[HoldPeriod]:
    return list(HoldPeriod.objects.filter(released_at__isnull=True))


def _make(taken: Iterable[Delivery], holds: Sequence[HoldPeriod]) -> int:
    """Insert the messages and tie their lines to them, a statement for many of each."""
    groups = _groups(taken)
    if not groups:
        return 0
    bundles = [_columns(rows, holds) for rows in groups]
    keys = _insert(bundles)
    _tie(
        [
            (row.pk, keys[UUID(str(bundle["uid"]))])
            for bundle, rows in zip(bundles, groups, strict=True)
            for row in rows
        ]
    )
    return len(bundles)


def _groups(taken: Iterable[Delivery]) -> list[list[Delivery]]:
    """Return the deliveries of each message to be made."""
    shared: dict[BundleKey, list[Delivery]] = defaultdict(list)
    for row in taken:
        shared[row.endpoint_id, row.digest, 0 if row.digest else row.pk].append(row)
    groups = []
    for rows in shared.values():
        most = most_lines_of(rows[0].channel) or len(rows)
        groups += [rows[start : start + most] for start in range(0, len(rows), most)]
    return groups


def _insert(bundles: Sequence[dict[str, Any]]) -> dict[UUID, int]:
    """Insert messages, in the order given; return their keys by uid."""
    names = list(bundles[0])
    row = f"({', '.join(['%s'] * len(names))})"
    keys: dict[UUID, int] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(bundles), BATCH):
            some = bundles[start : start + BATCH]
            cursor.execute(
                f"INSERT INTO deliveries_message ({', '.join(names)})"
                f" VALUES {', '.join([row] * len(some))} RETURNING uid, id",
                [value for bundle in some for value in bundle.values()],
            )
            keys.update((UUID(str(uid)), key) for uid, key in cursor.fetchall())
    return keys


def _tie(ties: Sequence[tuple[int, int]]) -> None:
    """Tie deliveries to their messages: pairs of their keys."""
    with connection.cursor() as cursor:
        for start in range(0, len(ties), BATCH):
            some = ties[start : start + BATCH]
            pairs = ", ".join(f"({line:d}, {message:d})" for line, message in some)
            # Both databases call the columns of VALUES so.
            cursor.execute(
                "UPDATE deliveries_delivery SET message_id = tie.column2"
                f" FROM (VALUES {pairs}) AS tie WHERE deliveries_delivery.id = tie.column1"
            )


def _columns(rows: Sequence[Delivery], holds: Sequence[HoldPeriod]) -> dict[str, Any]:
    """Return a message's columns as the database takes them; the rest have defaults there."""
    first = rows[0]
    expiries = [row.expires_at for row in rows]
    hold = _hold_over(rows, holds)
    return {
        "uid": Message._meta.get_field("uid").get_db_prep_value(message_uid(rows), connection),
        "endpoint_id": first.endpoint_id,
        "recipient": first.recipient,
        "channel": first.channel,
        "source": first.source if len({row.source for row in rows}) == 1 else SEVERAL,
        "lane": first.lane,
        "never_twice": any(row.never_twice for row in rows),
        "state": (MessageState.PENDING if hold is None else MessageState.HELD).value,
        "reason": "" if hold is None else hold.reason,
        "next_attempt_at": _instant(max(row.send_after for row in rows)),
        # A digest lives as long as its last line; a line past its own end is dropped on the way.
        "expires_at": _instant(
            None if None in expiries else max(e for e in expiries if e is not None)
        ),
    }


def _hold_over(rows: Sequence[Delivery], holds: Sequence[HoldPeriod]) -> HoldPeriod | None:
    """Return the period in which one of these fell due, or might have gone out after a wait."""
    for hold in holds:
        moments = {moment for row in rows for moment in (row.due_at, row.send_after)}
        if any(hold.from_at <= moment < hold.until_at for moment in moments):
            return hold
    return None


def _instant(at: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def message_uid(rows: Iterable[Delivery]) -> UUID:
    """Return the name-based uid of the message that carries these deliveries."""
    names = sorted(
        "|".join(
            (
                row.source,
                row.source_id,
                str(row.generation),
                row.recipient,
                row.channel,
                str(row.endpoint_id),
            )
        )
        for row in rows
    )
    return uuid5(NAMESPACE, "\n".join(names))
