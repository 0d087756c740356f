"""The queue: claim what is due under a lease, settle each outcome by itself.

A claim is one statement; two workers never get the same row. Its lease is a time in the row:
when the worker dies, the row becomes due again by itself. An outcome is written only by whoever
still holds the lease, in a transaction of its own, before the next message is begun. So a worker
killed at any moment loses nothing, and at most the one message in flight goes out again, under
the same id.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.db.models import F, Q

from coordination.deliveries.circuit import OPEN_AFTER
from coordination.deliveries.models import (
    Attempt,
    AttemptOutcome,
    Delivery,
    Endpoint,
    Message,
    MessageState,
)
from coordination.deliveries.settling import Settlement, plan_anew, settle
from coordination.prepared import made
from coordination.statements import kept

__all__ = [
    "AWAY", "BATCH", "Settlement", "begin", "claim_due", "claim_probes", "plan_anew", "put_back",
    "release", "settle", "supersede", "surely",
]  # fmt: skip

BATCH = 100
TOKEN_BYTES = 9  # of a lease: twelve characters, since each row of a claim has them
RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0)
SECONDS_AFTER_STOP = 5.0
# Not there, full, or read-only for a while (PostgreSQL then says 25006, an internal error).
AWAY = (OperationalError, InterfaceError, InternalError)
log = logging.getLogger(__name__)


def claim_due(
    channel: str,
    *,
    at: datetime,
    lease: timedelta,
    limit: int = BATCH,
    busy: Iterable[int] = (),
    at_once: int = 0,
) -> list[Message]:
    """Claim messages of a channel that are due, those that have been for the longest.

    Args:
        channel: "email".
        at: the database's time.
        lease: how long they are this caller's; longer than any time-out in the transport.
        limit: how many at most.
        busy: keys of endpoints that have enough to do.
        at_once: how many messages to one endpoint may be on their way at once, begun in the order
            in which they are returned; 0 where each is settled before the next of all is begun.

    Returns:
        The messages, claimed under one token, `attempts` raised; those that never failed first.
        Those whose earlier claim ended without an outcome, and that may have been begun under it,
        have `in_doubt` set, and that try is in the ledger: by their order the first that it left.
    """
    names: dict[str, Any] = {"channel": channel, "at": _instant(at)}
    waiting, others = _DUE, list(busy)
    if others and connection.vendor == "postgresql":
        names["busy"] = others
        waiting = f"{_DUE} AND waiting.endpoint_id <> ALL(%(busy)s)"
    elif others:
        listed = ", ".join(str(int(pk)) for pk in others)
        waiting = f"{_DUE} AND waiting.endpoint_id NOT IN ({listed})"
    return _claim(waiting, names, at=at, lease=lease, limit=limit, at_once=at_once)


def claim_probes(channel: str, *, at: datetime, lease: timedelta) -> list[Message]:
    """Claim one message of each endpoint that failed often and whose pause is over.

    A dead endpoint so costs one try a pause, however much waits for it.
    """
    open_ones = Endpoint.objects.filter(
        channel=channel, failures__gte=OPEN_AFTER, disabled_at__isnull=True
    ).filter(Q(paused_until__isnull=True) | Q(paused_until__lte=at))
    claimed: list[Message] = []
    for pk in list(open_ones.values_list("pk", flat=True)[:BATCH]):
        # Whoever moves the pause sends the probe.
        if open_ones.filter(pk=pk).update(paused_until=at + lease):
            names = {"channel": channel, "at": _instant(at), "endpoint": pk}
            claimed += _claim(_DUE_AT_ENDPOINT, names, at=at, lease=lease, limit=1, at_once=0)
    return claimed


# Statements and not the ORM: they run for every batch, and building them costs more than they do.
# What is asked for stands in a row, so that no plan can be made for its values: one plan then does
# for every batch, and PostgreSQL sees that planning anew would gain nothing.
_WAITING = """
    SELECT waiting.id, waiting.endpoint_id, waiting.lease, waiting.failures
    FROM deliveries_message AS waiting
    WHERE waiting.state = 'pending' AND waiting.channel = (SELECT channel FROM asked)
      AND waiting.next_attempt_at <= (SELECT at FROM asked)
      AND (waiting.leased_until IS NULL OR waiting.leased_until <= (SELECT at FROM asked))
      AND NOT EXISTS (SELECT 1 FROM deliveries_channel AS way, asked
                      WHERE way.name = asked.channel AND way.paused_until > asked.at)
      AND (waiting.lane = '' OR NOT EXISTS (
           SELECT 1 FROM deliveries_message AS earlier
           WHERE earlier.endpoint_id = waiting.endpoint_id AND earlier.lane = waiting.lane
             AND NOT (earlier.lane = '') AND earlier.state = 'pending' AND earlier.id < waiting.id))
"""
# The first of the two conditions in brackets is that of the index, to the letter, as is the one on
# empty lanes above: SQLite takes an index of some rows only for the very words of its condition.
_DUE = f"""{_WAITING}
      AND waiting.endpoint_id NOT IN (
          SELECT id FROM deliveries_endpoint
          WHERE channel = (SELECT channel FROM asked)
            AND (failures >= {OPEN_AFTER} OR disabled_at IS NOT NULL OR paused_until IS NOT NULL)
            AND (failures >= {OPEN_AFTER} OR disabled_at IS NOT NULL
                 OR paused_until > (SELECT at FROM asked)))
"""
_DUE_AT_ENDPOINT = f"{_WAITING} AND waiting.endpoint_id = %(endpoint)s"
# What a worker needs to know of a message. The claim itself gives the rest, or nobody asks for it.
_TOLD_BY_A_CLAIM = (
    "id", "uid", "endpoint_id", "recipient", "never_twice", "attempts", "failures",
    "next_attempt_at", "expires_at", "in_doubt", "begun_at", "first_tried_at", "rendered",
)  # fmt: skip
# The index of what is pending holds no column that this writes: PostgreSQL then leaves every
# index of the row alone (a heap-only tuple), as long as the page has room for what is longer now.
# What is taken is found by its keys, as an array: a join is planned by how many rows the table was
# last seen to have, and of a queue that was empty then PostgreSQL reads all rows for each batch.
_CLAIM = """
    WITH asked AS MATERIALIZED (SELECT %(channel)s AS channel, %(at)s AS at),
      taken AS MATERIALIZED ({rows}),
      doubtful AS MATERIALIZED (
        SELECT held.id FROM (
          SELECT id, ROW_NUMBER() OVER (PARTITION BY {of} ORDER BY failures > 0, id) AS turn
          FROM taken WHERE lease <> '') AS held
        WHERE held.turn <= {at_once:d})
    UPDATE deliveries_message SET in_doubt = id IN (SELECT doubtful.id FROM doubtful),
      lease = %(token)s, leased_until = %(until)s,
      first_tried_at = COALESCE(first_tried_at, %(at)s),
      attempts = attempts + CASE
        WHEN lease = '' OR id IN (SELECT doubtful.id FROM doubtful) THEN 1 ELSE 0 END
    WHERE id {chosen} RETURNING {columns}
"""


def _claim(
    waiting: str,
    names: dict[str, Any],
    *,
    at: datetime,
    lease: timedelta,
    limit: int,
    at_once: int,
) -> list[Message]:
    token, until = secrets.token_urlsafe(TOKEN_BYTES), _instant(at + lease)
    values = names | {"token": token, "until": until}
    _count, rows = kept(_claiming(waiting, limit, at_once, connection.vendor), values)
    known = {
        "channel": names["channel"],
        "state": MessageState.PENDING,
        "lease": token,
        "leased_until": at + lease,
    }
    claimed = _as_messages(rows, known)
    if in_doubt := [message for message in claimed if message.in_doubt]:
        _note_doubts(in_doubt, at)
    claimed.sort(key=_turn)
    return claimed


def _turn(message: Message) -> tuple[bool, int]:
    """Return a message's place in its batch: nothing changes it while the batch is worked off."""
    return message.failures > 0, message.pk


@lru_cache(maxsize=64)
def _claiming(waiting: str, limit: int, at_once: int, vendor: str) -> str:
    """Return the statement that claims what `waiting` finds, the longest due first.

    The limit stands in it, as a number that a plan can count on. What an ended claim had in hand
    is, in the order of `_turn`, the first that it left; a claim that is split between two later
    ones has a first in each.
    """
    rows = f"{waiting} ORDER BY waiting.next_attempt_at, waiting.id LIMIT {limit:d}"
    if connection.features.has_select_for_update_skip_locked:
        rows += f" {connection.ops.for_update_sql(skip_locked=True, of=('waiting',))}"
    taken = "(SELECT taken.id FROM taken)"
    return _CLAIM.format(
        rows=rows,
        of="lease, endpoint_id" if at_once else "lease",
        at_once=at_once or 1,
        chosen=f"= ANY(ARRAY{taken})" if vendor == "postgresql" else f"IN {taken}",
        columns=", ".join(_TOLD_BY_A_CLAIM),
    )


def _as_messages(rows: Iterable[Sequence[Any]], known: Mapping[str, Any]) -> list[Message]:
    """Return what a claim tells of its rows as objects, with what is known of all of them."""
    alias, names, fixed = connection.alias, (*_TOLD_BY_A_CLAIM, *known), tuple(known.values())
    messages = [made(Message, names, (*row, *fixed), alias=alias) for row in rows]
    for name, convert, column in _converted(connection.vendor):
        for message in messages:
            setattr(message, name, convert(getattr(message, name), column, connection))
    return messages


@cache
def _converted(_vendor: str) -> list[tuple[str, Callable[[Any, Any, Any], Any], Any]]:
    """Return what makes of a column's value what Python knows it as; nothing on PostgreSQL."""
    columns = [
        field.get_col(Message._meta.db_table)
        for field in Message._meta.concrete_fields
        if field.attname in _TOLD_BY_A_CLAIM
    ]
    return [
        (column.target.attname, convert, column)
        for column in columns
        for convert in (
            *connection.ops.get_db_converters(column),
            *column.target.get_db_converters(connection),
        )
    ]


def _note_doubts(messages: Iterable[Message], at: datetime) -> None:
    Attempt.objects.bulk_create(
        Attempt(
            message=message,
            number=message.attempts - 1,
            outcome=AttemptOutcome.IN_DOUBT,
            code="lease_ended",
            begun_at=message.begun_at or message.first_tried_at or at,
            ended_at=at,
        )
        for message in messages
    )


def begin(message: Message, *, at: datetime) -> bool:
    """Note that a message that may never go out twice is being handed over now.

    Returns:
        False when the lease is no longer the caller's: then it must not be sent.
    """
    held = Message.objects.filter(pk=message.pk, lease=message.lease, state=MessageState.PENDING)
    return held.update(begun_at=at) == 1


def _instant(at: datetime) -> Any:
    # Raw SQL: SQLite must get the form that the ORM stores, without "+00:00".
    return connection.ops.adapt_datetimefield_value(at)


def surely(action: Callable[[], int], *, stop: threading.Event, what: str) -> int:
    """Do something to the database; while it is away, try until it is back.

    What went out would otherwise go out again. Only a stop ends the waiting, and then not before
    five more seconds.

    Args:
        action: writes in one transaction, and may be called again when that failed.
        stop: asks for an end.
        what: words for the log.

    Returns:
        What the action returned.

    Raises:
        OperationalError, InterfaceError, InternalError: a stop was asked for, and the database
            stayed away.
    """
    patience: float | None = None
    tries = 0
    while True:
        try:
            return action()
        except AWAY as error:
            if stop.is_set() and patience is None:
                patience = time.monotonic() + SECONDS_AFTER_STOP
            if patience is not None and time.monotonic() >= patience:
                log.error("%s: given up, the database stayed away: %s", what, error)
                raise
            if tries == 0:
                log.warning("%s: waiting for the database: %s", what, error)
            _forget_connection()
            time.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
            tries += 1


def _forget_connection() -> None:
    if not connection.in_atomic_block:
        connection.close()


def release(messages: Iterable[Message]) -> int:
    """Give claimed messages back, due as they were: they were not begun, so it was no try.

    Returns:
        How many were still the caller's.
    """
    by_lease: dict[str, list[int]] = {}
    for message in messages:
        by_lease.setdefault(message.lease, []).append(message.pk)
    return sum(
        Message.objects.filter(pk__in=keys, lease=lease, state=MessageState.PENDING).update(
            lease="", leased_until=None, begun_at=None, attempts=F("attempts") - 1
        )
        for lease, keys in by_lease.items()
    )


def put_back(channel: str, *, until: datetime) -> int:
    """Let messages that have failed before wait until others have tried the way.

    A few letters that each break the connection would else pause the channel again and again,
    and always stand before the others when the pause is over.

    Returns:
        How many.
    """
    failed = Message.objects.pending().filter(channel=channel, failures__gt=0)
    return failed.filter(next_attempt_at__lt=until).update(next_attempt_at=until)


def supersede(
    source: str, source_id: str, *, before_generation: int, reason: str, recipient: str = ""
) -> int:
    """Withdraw what an older generation of a cause still owes.

    Messages that a worker holds are left to its last look, which comes to the same answer.

    Args:
        source: kind of the cause.
        source_id: which one.
        before_generation: deliveries of generations below this one are withdrawn.
        reason: short code for the ledger, "event_moved".
        recipient: key of the one reader whose deliveries these are; "" for all.

    Returns:
        How many deliveries were withdrawn.
    """
    old = Delivery.objects.from_source(source, source_id).filter(
        generation__lt=before_generation, dropped_reason=""
    )
    if recipient:
        old = old.filter(recipient=recipient)
    with transaction.atomic():
        unsent = old.filter(
            Q(message__isnull=True) | Q(message__state=MessageState.PENDING, message__lease="")
        )
        keys = list(unsent.values_list("pk", "message_id"))
        lines = [pk for pk, _message in keys]
        withdrawn = Delivery.objects.filter(pk__in=lines).update(dropped_reason=reason)
        empty = Message.objects.pending().filter(
            pk__in={message for _pk, message in keys if message is not None}, lease=""
        )
        empty.exclude(deliveries__dropped_reason="").update(
            state=MessageState.SUPERSEDED, reason=reason
        )
    return withdrawn
