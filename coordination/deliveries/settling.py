"""Write down what became of claimed messages: the outcome and the attempt, together or not at all.

An outcome is written only where the lease is still the worker's own, in a transaction of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection, transaction

from coordination.deliveries.models import AttemptOutcome, Message, MessageState
from coordination.statements import kept

LENGTH_OF_DETAIL = 500
LENGTH_OF_CODE = 60
log = logging.getLogger(__name__)


class Settlement(NamedTuple):
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


# Outcome and attempt in one statement, however many there are: a statement is a transaction.
_KINDS = {
    "id": "bigint",
    "lease": "text",
    "outcome": "text",
    "code": "text",
    "detail": "text",
    "retry_at": "timestamptz",
    "failures": "bigint",
    "address": "text",
    "rendered": "text",
    "begun_at": "timestamptz",
    "ended_at": "timestamptz",
}
_SETTLE_ALL = """
    WITH settled AS (
      UPDATE deliveries_message AS message SET
        state = CASE {outcome} WHEN 'retry' THEN 'pending' ELSE {outcome} END,
        reason = CASE {outcome} WHEN 'sent' THEN '' ELSE {code} END,
        error = {detail},
        sent_at = CASE {outcome} WHEN 'sent' THEN {ended_at} END,
        next_attempt_at = COALESCE({retry_at}, {ended_at}),
        failures = {failures},
        rendered = COALESCE(NULLIF({rendered}, ''), message.rendered),
        lease = '', leased_until = NULL, begun_at = NULL
      FROM unnest({lists}) AS told ({listed})
      WHERE message.id = {id} AND message.lease = {lease} AND message.state = 'pending'
      RETURNING message.id, message.attempts, {outcome}, {code}, {detail}, {address}, {begun_at},
        {ended_at})
    INSERT INTO deliveries_attempt
      (message_id, number, outcome, code, detail, address, begun_at, ended_at)
    SELECT * FROM settled
"""


def _settle_in_one(settlements: Sequence[Settlement]) -> int:
    told: dict[str, list[Any]] = {
        "id": [one.message.pk for one in settlements],
        "lease": [one.message.lease for one in settlements],
        "outcome": [one.outcome.value for one in settlements],
        "code": [one.code[:LENGTH_OF_CODE] for one in settlements],
        "detail": [_storable(one.detail) for one in settlements],
        "retry_at": [one.retry_at for one in settlements],
        "failures": [one.failures for one in settlements],
        "address": [one.address for one in settlements],
        "rendered": [_new_content(one) for one in settlements],
        "begun_at": [one.begun_at for one in settlements],
        "ended_at": [one.ended_at for one in settlements],
    }
    listed = tuple(
        name for name, said in told.items() if name == "id" or said.count(said[0]) < len(said)
    )
    values = {name: said if name in listed else said[0] for name, said in told.items()}
    written, _rows = kept(_settling(listed), values)
    return written


@lru_cache(maxsize=64)
def _settling(listed: tuple[str, ...]) -> str:
    """Return the statement for outcomes that differ in these columns, and agree in the others.

    Of a hundred outcomes most columns say the same: that is sent once, and not a hundred times.
    """
    said = {
        name: f"told.{name}" if name in listed else f"%({name})b::{kind}"
        for name, kind in _KINDS.items()
    }
    lists = ", ".join(f"%({name})b::{_KINDS[name]}[]" for name in listed)
    return _SETTLE_ALL.format(**said, lists=lists, listed=", ".join(listed))


def plan_anew() -> None:
    """Let PostgreSQL plan what `kept` statements have for the tables as large as they are by now.

    It makes such a plan anew only when a table's statistics are, by itself once a minute. A plan
    made on the first day would until then read all of a hundred thousand for each batch.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DISCARD PLANS")


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


def _settle_in_turn(settlements: Sequence[Settlement]) -> int:
    settled = 0
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        for settlement in settlements:
            values = _values(settlement)
            cursor.execute(_SETTLE, values)
            if cursor.rowcount == 1:
                cursor.execute(_ATTEMPT, values)
                settled += 1
    return settled


def _values(settlement: Settlement) -> dict[str, Any]:
    message, outcome = settlement.message, settlement.outcome
    is_sent, code = outcome == AttemptOutcome.SENT, settlement.code[:LENGTH_OF_CODE]
    ended_at = _instant(settlement.ended_at)
    state = MessageState.PENDING if outcome == AttemptOutcome.RETRY else MessageState(outcome)
    return {
        "id": message.pk,
        "lease": message.lease,
        "state": state.value,
        "reason": "" if is_sent else code,
        "detail": _storable(settlement.detail),
        "sent_at": ended_at if is_sent else None,
        "next_attempt_at": _instant(settlement.retry_at or settlement.ended_at),
        "failures": settlement.failures,
        "rendered": _new_content(settlement),
        "number": message.attempts,
        "outcome": outcome.value,
        "code": code,
        "address": settlement.address,
        "begun_at": _instant(settlement.begun_at),
        "ended_at": ended_at,
    }


def _new_content(settlement: Settlement) -> str:
    """Return the content that the row does not have yet; "" for none."""
    is_known = settlement.rendered == settlement.message.rendered
    return "" if is_known else settlement.rendered


def _storable(text: str) -> str:
    """Return what the other side said, so long and without what no database takes.

    That is NUL, and halves of characters.
    """
    if not text:
        return ""
    kept = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return kept[:LENGTH_OF_DETAIL]


def _instant(at: datetime) -> Any:
    # Raw SQL: SQLite must get the form that the ORM stores, without "+00:00".
    return connection.ops.adapt_datetimefield_value(at)
