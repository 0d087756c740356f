"""Write down who must be told: one statement for any number of recipients.

The set of recipients never leaves the database: a queryset becomes the SELECT of an INSERT. The
unique key of the ledger makes it safe to do again: whoever has a line for this cause and
generation keeps it. Call it inside the transaction that marks the cause as fired.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction

from coordination.deliveries.models import TOLD_ONCE, Delivery, Endpoint

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Cause:
    """What makes deliveries necessary.

    Attributes:
        source: kind of source, as registered.
        source_id: which one, as text.
        generation: raised when the same source speaks again.
        due_at: when it fell due.
        send_after: nothing is sent before; usually `due_at`.
        expires_at: worthless from this instant on; None for never.
        about_type, about_uid: the object it is about, "events.event" and its outside id.
        digest: word under which deliveries of one reader share a message; "" for none.
        lane: deliveries of one endpoint and lane go out one after the other, in the order in
            which they were written; "" for any order.
        never_twice: rather held back than sent again when it is unknown whether it went out.
        urgent: neither quiet hours nor a digest of its reader keep it waiting.
        dropped_reason: why nothing is sent after all: the ledger says who was not told; "" where
            it is sent.
    """

    source: str
    source_id: str
    due_at: datetime
    send_after: datetime
    generation: int = 1
    expires_at: datetime | None = None
    about_type: str = ""
    about_uid: UUID | None = None
    digest: str = ""
    lane: str = ""
    never_twice: bool = False
    urgent: bool = False
    dropped_reason: str = ""


def fan_out(recipients: models.QuerySet[Any, Any], *, channel: str, cause: Cause) -> int:
    """Write a delivery for each recipient of a queryset, over their own address on a channel.

    Args:
        recipients: rows with a column `recipient` that holds keys (see `RecipientKey`). The same
            key may occur more than once.
        channel: "email".
        cause: what they are told about.

    Returns:
        How many deliveries are new.
    """
    try:
        rows, params = recipients.order_by().values("recipient").query.sql_with_params()
    except EmptyResultSet:
        return 0
    with transaction.atomic():
        _ensure_endpoints(f"SELECT recipient FROM ({rows}) AS wanted", params, channel)
        endpoints = _table(Endpoint)
        selected = (
            f"SELECT wanted.recipient, reached.id FROM ({rows}) AS wanted"
            # SQLite keeps the order of a CROSS JOIN: one look-up a recipient, never a scan a row.
            f" CROSS JOIN {endpoints} AS reached WHERE reached.owner = wanted.recipient"
            " AND reached.channel = %s AND reached.name = ''"
        )
        return _insert(selected, (*params, channel), channel, cause)


def fan_out_to_endpoints(
    endpoints: models.QuerySet[Endpoint], *, channel: str, cause: Cause
) -> int:
    """Write a delivery for each endpoint of a queryset: web addresses, group robots.

    Returns:
        How many deliveries are new.
    """
    try:
        rows, params = (
            endpoints.filter(channel=channel)
            .order_by()
            .values_list("owner", "pk")
            .query.sql_with_params()
        )
    except EmptyResultSet:
        return 0
    with transaction.atomic():
        return _insert(rows, params, channel, cause)


def enqueue(recipients: Iterable[str], *, channel: str, cause: Cause) -> int:
    """Write a delivery for each of a few recipients whose keys are at hand.

    Returns:
        How many deliveries are new.
    """
    wanted = list(dict.fromkeys(recipients))
    new = 0
    with transaction.atomic():
        for start in range(0, len(wanted), BATCH):
            keys = wanted[start : start + BATCH]
            _add_endpoints(keys, channel)
            reached = Endpoint.objects.filter(channel=channel, name="", owner__in=keys)
            new += fan_out_to_endpoints(reached, channel=channel, cause=cause)
    return new


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _ensure_endpoints(selected: str, params: tuple[Any, ...], channel: str) -> None:
    """Make the endpoints that recipients lack; nearly always there are none."""
    missing = (
        f"{selected} WHERE NOT EXISTS (SELECT 1 FROM {_table(Endpoint)} AS known"
        " WHERE known.owner = wanted.recipient AND known.channel = %s AND known.name = '')"
    )
    with connection.cursor() as cursor:
        cursor.execute(missing, (*params, channel))
        keys = list(dict.fromkeys(row[0] for row in cursor.fetchall()))
    for start in range(0, len(keys), BATCH):
        _add_endpoints(keys[start : start + BATCH], channel)


def _add_endpoints(keys: list[str], channel: str) -> None:
    known = set(
        Endpoint.objects.filter(channel=channel, name="", owner__in=keys).values_list(
            "owner", flat=True
        )
    )
    Endpoint.objects.bulk_create(
        [Endpoint(channel=channel, owner=key) for key in keys if key not in known],
        ignore_conflicts=True,
    )


def _insert(selected: str, params: tuple[Any, ...], channel: str, cause: Cause) -> int:
    """Insert a line for each (recipient, endpoint) that is selected; conflicts keep theirs.

    In the order of the recipients: their indexes then grow page by page, and two statements for
    one cause take what they both want in the same order.
    """
    constants = {
        "source": cause.source,
        "source_id": cause.source_id,
        "generation": cause.generation,
        "channel": channel,
        "about_type": cause.about_type,
        "about_uid": cause.about_uid,
        "digest": cause.digest,
        "lane": cause.lane,
        "never_twice": cause.never_twice,
        "urgent": cause.urgent,
        "due_at": cause.due_at,
        "send_after": cause.send_after,
        "expires_at": cause.expires_at,
        "dropped_reason": cause.dropped_reason,
    }
    fields = {field.name: field for field in Delivery._meta.fields if field.name in constants}
    # Constants stand in the select list: their types must be known there (PostgreSQL).
    casts = [f"CAST(%s AS {field.cast_db_type(connection)})" for field in fields.values()]
    values = [
        field.get_db_prep_value(constants[name], connection) for name, field in fields.items()
    ]
    if connection.vendor == "sqlite":
        casts = ["%s"] * len(values)
    columns = {field.name: str(field.column) for field in Delivery._meta.concrete_fields}
    key = ", ".join(columns[name] for name in TOLD_ONCE)
    # "WHERE true" keeps SQLite from reading ON CONFLICT as the join's (sqlite.org/lang_upsert).
    statement = (
        f"INSERT INTO {_table(Delivery)} ({', '.join(fields)}, recipient, endpoint_id)"
        f" SELECT {', '.join(casts)}, chosen.* FROM ({selected}) AS chosen"
        f" WHERE true ORDER BY {len(fields) + 1} ON CONFLICT ({key}) DO NOTHING"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, (*values, *params))
        new: int = cursor.rowcount
    return max(new, 0)
