"""Pages by key: each costs the same, however far one has come.

A page is `{"items": […], "next": "<address of the next page>" | null}`; the same address stands in
`Link: <…>; rel="next"` (RFC 8288). There is no total and no page number: both cost a walk over
everything. The cursor says after which row to go on; it is signed, so that only ours are taken.

A list is ordered by one column and, among equals, by key. Rows in which the column is null come
last, in either direction: they are a second range of the index, asked for only when the first has
run out.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework.pagination import BasePagination

from coordination.rest.problems import parameter_error

DEFAULT_LIMIT = 50
MOST = 500
LIMIT, CURSOR, ORDERING = "limit", "cursor", "ordering"
OWN_PARAMETERS = frozenset({LIMIT, CURSOR, ORDERING})
_signer = signing.Signer(salt="coordination.rest.pagination")


@dataclass(frozen=True, slots=True)
class Ordering:
    """How a list is ordered: its public name, a column, the direction, whether it can be null."""

    name: str
    column: str
    descending: bool = False
    nullable: bool = False

    @property
    def written(self) -> str:
        """Return it as the parameter writes it: "-starts_on"."""
        return f"-{self.name}" if self.descending else self.name


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page: the value it is ordered by (None = among the nulls), and its key."""

    value: Any
    pk: int


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page was asked for."""

    limit: int
    ordering: Ordering
    after: Position | None


def requested_page(
    query: QueryDict, *, orderings: Mapping[str, str], default: str, model: type[Model]
) -> PageRequest:
    """Read `limit`, `ordering` and `cursor`.

    Args:
        query: the parameters.
        orderings: public name -> column, dotted with `__` over foreign keys.
        default: the ordering when none is asked for, as the parameter writes it.
        model: the model of the list, which says what can be null.

    Raises:
        ProblemError: a value cannot be taken; the problem names its parameter.
    """
    ordering = _ordering(query.get(ORDERING, default), orderings, model)
    text = query.get(CURSOR)
    after = None if text is None else _position(text, ordering, model)
    return PageRequest(requested_limit(query.get(LIMIT)), ordering, after)


def page_of(
    queryset: QuerySet[Any], columns: Sequence[str], page: PageRequest
) -> tuple[list[tuple[Any, ...]], Position | None]:
    """Return the rows of a page, and where the next one begins; None after the last.

    The first of `columns` is the key.
    """
    column = page.ordering.column
    wanted = list(columns) if column in columns else [*columns, column]
    place = 0 if column == "pk" else wanted.index(column)
    most = page.limit + 1
    rows: list[tuple[Any, ...]] = []
    after = page.after
    in_nulls = after is not None and after.value is None
    if not in_nulls:
        rows = list(_ranged(queryset, page.ordering, after)[:most].values_list(*wanted))
    if page.ordering.nullable and len(rows) < most:
        nulls = queryset.filter(**{f"{column}__isnull": True}).order_by("pk")
        if in_nulls and after is not None:
            nulls = nulls.filter(pk__gt=after.pk)
        rows += nulls[: most - len(rows)].values_list(*wanted)
    if len(rows) < most:
        return rows, None
    rows.pop()
    return rows, Position(rows[-1][place], rows[-1][0])


def page_of_branches(
    branches: Sequence[QuerySet[Any]], columns: Sequence[str], page: PageRequest
) -> tuple[list[tuple[Any, ...]], Position | None]:
    """Return a page of several querysets that have no row in common, as if they were one.

    Each can then walk an index of its own, where "one or the other" has none.
    """
    if len(branches) == 1:
        return page_of(branches[0], columns, page)
    rows: list[tuple[Any, ...]] = []
    has_more = False
    for branch in branches:
        found, last = page_of(branch, columns, page)
        rows += found
        has_more = has_more or last is not None
    column = page.ordering.column
    place = 0 if column == "pk" else list(columns).index(column)
    rows.sort(key=lambda row: row[0])  # among equals by key, whatever the direction
    dated = [row for row in rows if row[place] is not None]
    dated.sort(key=lambda row: row[place], reverse=page.ordering.descending)
    rows = dated + [row for row in rows if row[place] is None]
    if len(rows) <= page.limit and not has_more:
        return rows, None
    rows = rows[: page.limit]
    return rows, Position(rows[-1][place], rows[-1][0])


def cursor_for(position: Position, ordering: Ordering) -> str:
    """Return the cursor that goes on after `position`."""
    value = position.value
    if isinstance(value, date | datetime):
        value = value.isoformat()
    elif isinstance(value, uuid.UUID):
        value = str(value)
    return _signer.sign_object([ordering.written, value, position.pk])


def _ranged(queryset: QuerySet[Any], ordering: Ordering, after: Position | None) -> QuerySet[Any]:
    column, sign = ordering.column, "-" if ordering.descending else ""
    beyond = "lt" if ordering.descending else "gt"
    if column == "pk":
        rows = queryset.order_by(f"{sign}pk")
        return rows if after is None else rows.filter(**{f"pk__{beyond}": after.pk})
    rows = queryset.order_by(f"{sign}{column}", "pk")
    if ordering.nullable:
        rows = rows.filter(**{f"{column}__isnull": False})
    if after is None:
        return rows
    # The first condition bounds the walk through the index; the second leaves out the equals.
    return rows.filter(**{f"{column}__{beyond}e": after.value}).filter(
        Q(**{f"{column}__{beyond}": after.value}) | Q(pk__gt=after.pk)
    )


def requested_limit(text: str | None) -> int:
    """Return how many rows a page holds.

    Raises:
        ProblemError: it is no number from 1 to 500; the problem names the parameter.
    """
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= MOST:
        raise parameter_error(LIMIT, _("Give a whole number from 1 to 500."))
    return int(text)


def _ordering(text: str, orderings: Mapping[str, str], model: type[Model]) -> Ordering:
    name = text.removeprefix("-")
    if name not in orderings:
        raise parameter_error(ORDERING, _("The list cannot be ordered by this."))
    column = orderings[name]
    nullable = column != "pk" and _is_nullable(model, column)
    return Ordering(name, column, descending=text.startswith("-"), nullable=nullable)


def _is_nullable(model: type[Model], column: str) -> bool:
    nullable, current = False, model
    for name in column.split("__"):
        field: Any = current._meta.get_field(name)
        nullable = nullable or field.null
        current = field.related_model or current
    return nullable


def _position(text: str, ordering: Ordering, model: type[Model]) -> Position:
    refused = parameter_error(CURSOR, _("This cursor is not one of this list's. Begin anew."))
    try:
        written, value, pk = _signer.unsign_object(text)
        if written != ordering.written:
            raise refused
        if value is not None and ordering.column != "pk":
            value = _column(model, ordering.column).to_python(value)
    except (signing.BadSignature, ValueError, TypeError, UnicodeError):
        raise refused from None
    return Position(value, pk)


def _column(model: type[Model], column: str) -> Any:
    current: Any = model
    field: Any = None
    for name in column.split("__"):
        field = current._meta.get_field(name)
        current = field.related_model or current
    return field


class KeysetPages(BasePagination):
    """Tells the schema about the envelope and the parameters; the paging itself is above."""

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> None:
        """Leave the queryset as it is: `ResourceViewSet.list` pages it."""

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return the envelope."""
        return {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": schema,
                "next": {"type": ["string", "null"], "format": "uri"},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return `limit`, `cursor` and `ordering`."""
        return page_parameters(view.orderings, view.ordering)


def page_parameters(orderings: Mapping[str, str], default: str) -> list[dict[str, Any]]:
    """Return the parameters of a list for the schema."""
    words = [sign + name for name in orderings for sign in ("", "-")]
    return [
        {
            "name": LIMIT,
            "in": "query",
            "description": "How many items a page holds at most.",
            "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT},
        },
        {
            "name": CURSOR,
            "in": "query",
            "description": "Where the page begins: taken from `next`, never made up.",
            "schema": {"type": "string", "minLength": 1},
        },
        {
            "name": ORDERING,
            "in": "query",
            "description": "Ascending, or descending with a hyphen; items without a value last.",
            "schema": {"type": "string", "enum": words, "default": default},
        },
    ]
