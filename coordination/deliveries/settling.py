"""Write down what became of claimed messages: the outcome and the attempt, together or not at all.

An outcome is written only where the lease is still the worker's own, in a transaction of its own.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from coordination.deliveries.models import AttemptOutcome, Message, MessageState

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


def settle(settlements: Sequence[Settlement]) -> int:
    """Write outcomes, in one transaction of their own.

    Outcomes of messages whose lease is no longer the caller's are not written: somebody else is
    in charge of them.

    Returns:
        How many were written.
    """
    if connection.vendor == "postgresql":
        settled = _settle_in_one(settlements)
    else:
        settled = _settle_in_turn(settlements)
    if settled < len(settlements):
        log.warning("%d outcomes came after their lease.", len(settlements) - settled)
    return settled


_SETTLE = """
    UPDATE deliveries_message SET state = %(state)s, reason = %(reason)s, error = %(detail)s,
      sent_at = %(sent_at)s, next_attempt_at = %(next_attempt_at)s, failures = %(failures)s,
      lease = '', leased_until = NULL, begun_at = NULL,
      rendered = CASE WHEN %(rendered)s = '' THEN rendered ELSE %(rendered)s END
    WHERE id = %(id)s AND lease = %(lease)s AND state = 'pending'
"""
_ATTEMPT = """
    INSERT INTO deliveries_attempt
      (message_id, number, outcome, code, detail, address, begun_at, ended_at)
    VALUES (%(id)s, %(number)s, %(outcome)s, %(code)s, %(detail)s, %(address)s, %(begun_at)s,
      %(ended_at)s)
"""
# Outcome and attempt in one statement, however many there are: a statement is a transaction.
# What a row leaves out is empty.
_SETTLE_ALL = """
    WITH outcome AS (
      SELECT * FROM json_to_recordset(%s) AS told (
        id bigint, lease text, state text, reason text, detail text, sent_at timestamptz,
        next_attempt_at timestamptz, failures int, rendered text, number int, outcome text,
        code text, address text, begun_at timestamptz, ended_at timestamptz)),
    settled AS (
      UPDATE deliveries_message AS message SET state = outcome.state,
        reason = COALESCE(outcome.reason, ''), error = COALESCE(outcome.detail, ''),
        sent_at = outcome.sent_at, next_attempt_at = outcome.next_attempt_at,
        failures = COALESCE(outcome.failures, 0), lease = '', leased_until = NULL,
        begun_at = NULL, rendered = COALESCE(outcome.rendered, message.rendered)
      FROM outcome
      WHERE message.id = ANY(%s) AND message.id = outcome.id AND message.lease = outcome.lease
        AND message.state = 'pending' RETURNING message.id),
    noted AS (
      INSERT INTO deliveries_attempt
        (message_id, number, outcome, code, detail, address, begun_at, ended_at)
      SELECT id, number, outcome, COALESCE(code, ''), COALESCE(detail, ''),
        COALESCE(address, ''), begun_at, ended_at
      FROM outcome WHERE id IN (SELECT id FROM settled))
    SELECT COUNT(*) FROM settled
"""


# The same for one, without the detour over JSON.
_SETTLE_ONE = f"""
    WITH settled AS ({_SETTLE} RETURNING id)
    INSERT INTO deliveries_attempt
      (message_id, number, outcome, code, detail, address, begun_at, ended_at)
    SELECT id, %(number)s, %(outcome)s, %(code)s, %(detail)s, %(address)s, %(begun_at)s,
      %(ended_at)s FROM settled
"""


def _settle_in_one(settlements: Sequence[Settlement]) -> int:
    if len(settlements) == 1:
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE_ONE, _values(settlements[0]))
            written: int = cursor.rowcount
        return written
    rows = [
        {name: value for name, value in _values(settlement).items() if value}
        for settlement in settlements
    ]
    with connection.cursor() as cursor:
        keys = [settlement.message.pk for settlement in settlements]
        cursor.execute(_SETTLE_ALL, [json.dumps(rows, default=datetime.isoformat), keys])
        count: int = cursor.fetchone()[0]
    return count


def _settle_in_turn(settlements: Sequence[Settlement]) -> int:
    settled = 0
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        for settlement in settlements:
            values = _values(settlement)
            for name in ("sent_at", "next_attempt_at", "begun_at", "ended_at"):
                values[name] = values[name] and _instant(values[name])
            cursor.execute(_SETTLE, values)
            if cursor.rowcount == 1:
                cursor.execute(_ATTEMPT, values)
                settled += 1
    return settled


def _values(settlement: Settlement) -> dict[str, Any]:
    message, outcome = settlement.message, settlement.outcome
    is_sent = outcome == AttemptOutcome.SENT
    state = MessageState.PENDING if outcome == AttemptOutcome.RETRY else MessageState(outcome)
    return {
        "id": message.pk,
        "lease": message.lease,
        "state": state.value,
        "reason": "" if is_sent else settlement.code,
        "detail": _storable(settlement.detail)[:LENGTH_OF_DETAIL],
        "sent_at": settlement.ended_at if is_sent else None,
        "next_attempt_at": settlement.retry_at or settlement.ended_at,
        "failures": settlement.failures,
        "rendered": settlement.rendered,
        "number": message.attempts,
        "outcome": outcome.value,
        "code": settlement.code,
        "address": settlement.address,
        "begun_at": settlement.begun_at,
        "ended_at": settlement.ended_at,
    }


def _storable(text: str) -> str:
    """Return what the other side said without what no database takes: NUL, half characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _instant(at: datetime) -> Any:
    # Raw SQL: SQLite must get the form that the ORM stores, without "+00:00".
    return connection.ops.adapt_datetimefield_value(at)
