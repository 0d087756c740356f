"""The queue: claim what is due under a lease, settle each outcome by itself.

A claim is one statement; two workers never get the same row. Its lease is a time in the row:
when the worker dies, the row becomes due again by itself. An outcome is written only by whoever
still holds the lease, in a transaction of its own, before the next message is begun. So a worker
killed at any moment loses nothing, and at most the one message in flight goes out again, under
the same id.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q

from coordination.deliveries.circuit import OPEN_AFTER
from coordination.deliveries.models import (
    Attempt,
    AttemptOutcome,
    Channel,
    Delivery,
    Endpoint,
    Message,
    MessageState,
)

BATCH = 100
RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0)
SECONDS_AFTER_STOP = 5.0
LENGTH_OF_DETAIL = 500
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one claimed message.

    Attributes:
        message: the message as it was claimed.
        outcome: how the try ended.
        begun_at, ended_at: when.
        code: short code; becomes the message's reason where it is not simply sent.
        detail: what the other side said.
        retry_at: when to try again; for RETRY only.
        failures: passing failures so far, with this one.
        address: where it went.
        rendered: the content as stored; "" leaves what the row has.
    """

    message: Message
    outcome: AttemptOutcome
    begun_at: datetime
    ended_at: datetime
    code: str = ""
    detail: str = ""
    retry_at: datetime | None = None
    failures: int = 0
    address: str = ""
    rendered: str = ""


def claim_due(channel: str, *, at: datetime, lease: timedelta, limit: int = BATCH) -> list[Message]:
    """Claim the messages of a channel that are due, the longest due first.

    Args:
        channel: "email".
        at: the database's time.
        lease: how long they are this caller's; longer than any time-out in the transport.
        limit: how many at most.

    Returns:
        The messages, claimed under one token, `attempts` raised. Those whose earlier claim ended
        without an outcome have `in_doubt` set, and that try is in the ledger.
    """
    if Channel.objects.filter(name=channel, paused_until__gt=at).exists():
        return []
    due = (
        Message.objects.due(at)
        .filter(channel=channel)
        .exclude(
            endpoint__in=Endpoint.objects.filter(_circuit_is_open(), channel=channel).values("pk")
        )
    )
    return _claim(due, at=at, lease=lease, limit=limit)


def claim_probes(channel: str, *, at: datetime, lease: timedelta) -> list[Message]:
    """Claim one message of each endpoint that failed often and whose pause is over.

    A dead endpoint so costs one try a pause, however much waits for it.
    """
    open_ones = Endpoint.objects.filter(
        _circuit_is_open(), channel=channel, disabled_at__isnull=True
    ).filter(Q(paused_until__isnull=True) | Q(paused_until__lte=at))
    claimed: list[Message] = []
    for pk in list(open_ones.values_list("pk", flat=True)[:BATCH]):
        # Whoever moves the pause sends the probe.
        if open_ones.filter(pk=pk).update(paused_until=at + lease):
            waiting = Message.objects.due(at).filter(channel=channel, endpoint=pk)
            claimed += _claim(waiting, at=at, lease=lease, limit=1)
    return claimed


def _circuit_is_open() -> Q:
    return Q(failures__gte=OPEN_AFTER) | Q(disabled_at__isnull=False)


def _claim(due: Any, *, at: datetime, lease: timedelta, limit: int) -> list[Message]:
    table = connection.ops.quote_name(Message._meta.db_table)
    chosen = due.order_by("next_attempt_at", "pk").values("pk")[:limit]
    rows, params = chosen.query.sql_with_params()
    if connection.features.has_select_for_update_skip_locked:
        # By hand: the ORM asks for a transaction, but one statement is one.
        rows += f" {connection.ops.for_update_sql(skip_locked=True, of=(table,))}"
    # As an array the sub-query runs once; PostgreSQL may run an IN (SELECT .. LIMIT) repeatedly.
    is_chosen = f"= ANY(ARRAY({rows}))" if connection.vendor == "postgresql" else f"IN ({rows})"
    instant = Message._meta.get_field("next_attempt_at")
    token = uuid4().hex
    statement = (
        f"UPDATE {table} SET"
        " in_doubt = (lease <> ''), lease = %s, attempts = attempts + 1, next_attempt_at = %s,"
        " first_tried_at = COALESCE(first_tried_at, %s)"
        f" WHERE id {is_chosen} RETURNING *"
    )
    now = instant.get_db_prep_value(at, connection)
    until = instant.get_db_prep_value(at + lease, connection)
    claimed = list(Message.objects.raw(statement, [token, until, now, *params]))
    doubtful = [message for message in claimed if message.in_doubt]
    if doubtful:
        _note_doubts(doubtful, at)
    return sorted(claimed, key=lambda message: message.pk)


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


def settle(settlements: Sequence[Settlement]) -> int:
    """Write outcomes, in one transaction of their own.

    Outcomes of messages whose lease is no longer the caller's are not written: somebody else is
    in charge of them.

    Returns:
        How many were written.
    """
    settled: list[Settlement] = []
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        for settlement in settlements:
            cursor.execute(_SETTLE, _settle_values(settlement))
            if cursor.rowcount == 1:
                settled.append(settlement)
        _write_attempts(cursor, settled)
    if len(settled) < len(settlements):
        log.warning("%d outcomes came after their lease.", len(settlements) - len(settled))
    return len(settled)


_SETTLE = (
    "UPDATE deliveries_message SET state = %s, reason = %s, error = %s, sent_at = %s,"
    " next_attempt_at = %s, failures = %s, lease = '', begun_at = NULL,"
    " rendered = CASE WHEN %s = '' THEN rendered ELSE %s END"
    " WHERE id = %s AND lease = %s AND state = 'pending'"
)
_ATTEMPT = (
    "INSERT INTO deliveries_attempt"
    " (message_id, number, outcome, code, detail, address, begun_at, ended_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)


def _settle_values(settlement: Settlement) -> tuple[Any, ...]:
    message, outcome = settlement.message, settlement.outcome
    is_sent = outcome == AttemptOutcome.SENT
    state = MessageState.PENDING if outcome == AttemptOutcome.RETRY else MessageState(outcome)
    return (
        state.value,
        "" if is_sent else settlement.code,
        settlement.detail[:LENGTH_OF_DETAIL],
        _instant(settlement.ended_at) if is_sent else None,
        _instant(settlement.retry_at or settlement.ended_at),
        settlement.failures,
        settlement.rendered,
        settlement.rendered,
        message.pk,
        message.lease,
    )


def _write_attempts(cursor: Any, settled: Sequence[Settlement]) -> None:
    values = [
        (
            settlement.message.pk,
            settlement.message.attempts,
            settlement.outcome.value,
            settlement.code,
            settlement.detail[:LENGTH_OF_DETAIL],
            settlement.address,
            _instant(settlement.begun_at),
            _instant(settlement.ended_at),
        )
        for settlement in settled
    ]
    if values:
        cursor.executemany(_ATTEMPT, values)


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
        OperationalError, InterfaceError: a stop was asked for and the database stayed away.
    """
    patience: float | None = None
    tries = 0
    while True:
        try:
            return action()
        except (OperationalError, InterfaceError) as error:
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


def release(messages: Iterable[Message], *, at: datetime) -> int:
    """Give claimed messages back, due at `at`: they were not begun.

    Returns:
        How many were still the caller's.
    """
    by_lease: dict[str, list[int]] = {}
    for message in messages:
        by_lease.setdefault(message.lease, []).append(message.pk)
    return sum(
        Message.objects.filter(pk__in=keys, lease=lease, state=MessageState.PENDING).update(
            lease="", next_attempt_at=at, begun_at=None
        )
        for lease, keys in by_lease.items()
    )


def supersede(source: str, source_id: str, *, before_generation: int, reason: str) -> int:
    """Withdraw what an older generation of a cause still owes.

    Messages that a worker holds are left to its last look, which comes to the same answer.

    Args:
        source: kind of the cause.
        source_id: which one.
        before_generation: deliveries of generations below this one are withdrawn.
        reason: short code for the ledger, "event_moved".

    Returns:
        How many deliveries were withdrawn.
    """
    old = Delivery.objects.from_source(source, source_id).filter(
        generation__lt=before_generation, dropped_reason=""
    )
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
