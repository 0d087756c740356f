"""Statements that are put together once and are then asked, or written, again and again.

For a question that finds one row by an index, putting the statement together costs ten times what
the database takes to answer it. Where a program asks thousands of times an hour, it is therefore
put together once, with blanks for what differs between one time and the next::

    @prepared
    def _alliances_named(viewer: Viewer) -> QuerySet[Alliance, Any]:
        rows = Alliance.objects.visible_to(viewer).filter(slug=Blank(0, Alliance, "slug"))
        return rows.values_list(*columns_of(Alliance))

    [built(Alliance, row) for row in _alliances_named(viewer).rows("dongbei")]

What the statement says is still said once, by the queryset. It is kept for the arguments that it
was made from, among them the rights of whoever asks: other rights make another statement. Nothing
that was looked up in the database may go into it otherwise than as an argument or a blank.

`insert_rows` and `update_row` are the same for what is written with every change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BooleanField,
    CharField,
    Expression,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    QuerySet,
    TextField,
)
from django.db.models.base import ModelState

from coordination.statements import rows_of, written_by

KEPT: Final = 512  # statements of one question, for as many sets of arguments
BATCH: Final = 500  # rows that one statement inserts
FEW: Final = 8  # values that `few_blanks` makes room for

Arguments = ParamSpec("Arguments")
Row = TypeVar("Row", bound=Model)
Columns = Mapping[str, Any]


class Blank(Expression):
    """A place in a query that is filled when it is asked.

    Args:
        place: which of the values goes here, from 0.
        model: whose column the value is compared with; it says how the database wants it.
        name: of this column; "pk" for the key.
    """

    def __init__(self, place: int, model: type[Model], name: str) -> None:
        self.column = _column(model, name)
        self.place = place
        self.taken = _taken_as_it_is(self.column)
        super().__init__(output_field=self.column)

    def as_sql(self, _compiler: Any, _connection: Any) -> tuple[str, Any]:
        """Return a mark, and itself among the parameters."""
        return "%s", [self]

    def filled(self, values: Sequence[Any], database: BaseDatabaseWrapper) -> Any:
        """Return the value that goes here, else the last, as the database wants it."""
        value = values[self.place if self.place < len(values) else -1]
        return (
            value if type(value) is self.taken else self.column.get_db_prep_value(value, database)
        )


class Prepared:
    """A statement, and how its answer is read."""

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        """Put the statement together."""
        compiler = rows.query.get_compiler(connection=connection)
        self._sql = ""
        self._parameters: list[Any] = []
        try:
            self._sql, parameters = compiler.as_sql()
        except EmptyResultSet:  # it can have no answer, whatever is filled in
            return
        self._parameters = list(parameters)
        self._blanks = [
            (place, blank) for place, blank in enumerate(parameters) if isinstance(blank, Blank)
        ]
        # What makes of a column's values what Python knows them as, one after the other.
        self._conversions = [
            (place, column, convert)
            for place, (column, _sql, _alias) in enumerate(compiler.select)
            for convert in (
                *connection.ops.get_db_converters(column),
                *column.get_db_converters(connection),
            )
        ]

    def rows(self, *values: Any) -> list[list[Any]]:
        """Ask with these values in the blanks; return the columns of each row found."""
        if not self._sql:
            return []
        database = connections[DEFAULT_DB_ALIAS]
        filled = self._parameters.copy()
        for place, blank in self._blanks:
            filled[place] = blank.filled(values, database)
        found = list(map(list, rows_of(self._sql, filled)))
        for row in found:
            for place, column, convert in self._conversions:
                row[place] = convert(row[place], column, database)
        return found


def prepared(build: Callable[Arguments, QuerySet[Any, Any]]) -> Callable[Arguments, Prepared]:
    """Put what ``build`` returns together once for each set of arguments, and keep it."""

    @lru_cache(maxsize=KEPT)
    def put_together(*args: Any, **options: Any) -> Prepared:
        return Prepared(build(*args, **options))

    return cast(Callable[Arguments, Prepared], put_together)


def few_blanks(model: type[Model], name: str) -> Any:
    """Return blanks for one to `FEW` values of a column, for ``__in``."""
    return [Blank(place, model, name) for place in range(FEW)]


def insert_rows(
    model: type[Model],
    rows: Sequence[Columns],
    *,
    unique: tuple[str, ...] = (),
    update: tuple[str, ...] = (),
) -> None:
    """Insert rows of a model whose automatic keys nobody needs to know.

    Args:
        model: whose rows they are.
        rows: every column of each, by name.
        unique: names of fields that are unique together; where a row with these values stands,
            it is given the new values instead.
        update: names of the fields that it is given.
    """
    database = connections[DEFAULT_DB_ALIAS]
    columns = _inserted(model)
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        values = [_written(way, row[name], database) for row in batch for name, way in columns]
        written_by(_insert_sql(model, len(batch), unique, update), values)


def update_row(model: type[Model], values: Columns, *, known: Columns) -> bool:
    """Write columns of the one row that has the known values; return whether there is one."""
    database = connections[DEFAULT_DB_ALIAS]
    pairs = [*values.items(), *known.items()]
    written = [_written(_way(model, name), value, database) for name, value in pairs]
    return bool(written_by(_update_sql(model, tuple(values), tuple(known)), written))


@cache
def _column(model: type[Model], name: str) -> Field[Any, Any]:
    """Return a column of a model by the name of its field, or of its key."""
    column: Any = model._meta.pk if name == "pk" else model._meta.get_field(name)
    found: Field[Any, Any] = column
    return found


class _Way(NamedTuple):
    """How values are written into a column: those of the type taken as they are."""

    column: Field[Any, Any]
    taken: type | None


@cache
def _way(model: type[Model], name: str) -> _Way:
    column = _column(model, name)
    return _Way(column, _taken_as_it_is(column))


def _written(way: _Way, value: Any, database: BaseDatabaseWrapper) -> Any:
    """Return a value as the database wants it."""
    if value is None or type(value) is way.taken:
        return value
    return way.column.get_db_prep_save(value, database)


def _taken_as_it_is(column: Field[Any, Any]) -> type | None:
    """Return the type whose values every database takes for a column as they are, if any."""
    if isinstance(column, ForeignKey):
        return _taken_as_it_is(column.target_field)
    kinds = {CharField: str, TextField: str, IntegerField: int, BooleanField: bool}
    return next((taken for kind, taken in kinds.items() if isinstance(column, kind)), None)


@cache
def _inserted(model: type[Model]) -> list[tuple[str, _Way]]:
    """Return the columns that are written of a new row, by name."""
    automatic = model._meta.auto_field
    columns = [column for column in model._meta.concrete_fields if column is not automatic]
    return [(column.attname, _Way(column, _taken_as_it_is(column))) for column in columns]


@lru_cache(maxsize=KEPT)
def _insert_sql(
    model: type[Model], count: int, unique: tuple[str, ...], update: tuple[str, ...]
) -> str:
    """Return the statement that inserts so many rows."""
    names = [_quoted(way.column) for _name, way in _inserted(model)]
    one = f"({', '.join(['%s'] * len(names))})"
    sql = f"INSERT INTO {_table(model)} ({', '.join(names)}) VALUES {', '.join([one] * count)}"
    if not unique:
        return sql
    given = [_quoted(_column(model, name)) for name in update]
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in given)
    same = ", ".join(_quoted(_column(model, name)) for name in unique)
    return f"{sql} ON CONFLICT ({same}) DO UPDATE SET {changes}"


@lru_cache(maxsize=KEPT)
def _update_sql(model: type[Model], names: tuple[str, ...], known: tuple[str, ...]) -> str:
    """Return the statement that writes columns of a row."""
    changes = ", ".join(f"{_quoted(_column(model, name))} = %s" for name in names)
    same = " AND ".join(f"{_quoted(_column(model, name))} = %s" for name in known)
    return f"UPDATE {_table(model)} SET {changes} WHERE {same}"


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _quoted(column: Field[Any, Any]) -> str:
    return connection.ops.quote_name(column.column or "")


def columns_of(model: type[Model], *related: str, **parts: Sequence[str]) -> list[str]:
    """Return the names of columns of a model and of what it refers to, for ``values_list``.

    Args:
        model: all of its own columns.
        related: foreign keys: all columns of what they refer to.
        parts: foreign keys, and the columns that are wanted of what they refer to; others are
            read when they are asked for.
    """
    names = column_names(model)
    wanted = {name: column_names(_referred_to(model, name)) for name in related} | parts
    return [*names, *(f"{name}__{column}" for name in wanted for column in wanted[name])]


def built(model: type[Row], values: Sequence[Any], *related: str, **parts: Sequence[str]) -> Row:
    """Return the object that these values of `columns_of` are, with what it refers to."""
    end = len(column_names(model))
    one = model.from_db(connection.alias, column_names(model), values[:end])
    for name in (*related, *parts):
        other = _referred_to(model, name)
        columns = parts.get(name) or column_names(other)
        begin, end = end, end + len(columns)
        found = None
        if getattr(one, f"{name}_id") is not None:
            found = other.from_db(connection.alias, columns, values[begin:end])
        setattr(one, name, found)
    return one


@cache
def column_names(model: type[Model]) -> tuple[str, ...]:
    """Return the names of a model's columns, as its rows have them."""
    return tuple(column.attname for column in model._meta.concrete_fields)


def made(
    model: type[Row], names: Collection[str], values: Iterable[Any], *, alias: str | None
) -> Row:
    """Return a stored row as an object, as a copy of an object is made.

    It is what ``from_db`` makes, at a third of the cost: no ``__init__``, whose only other work is
    to send signals, and nobody listens to any.

    Args:
        model: whose row it is.
        names: of the columns; what is left out is read when it is asked for.
        values: of these columns, as Python knows them.
        alias: of the database.
    """
    one = model.__new__(model)
    state = one._state = ModelState()
    state.db, state.adding = alias, False
    vars(one).update(zip(names, values, strict=True))
    return one


def _referred_to(model: type[Model], name: str) -> type[Model]:
    """Return the model that a foreign key refers to."""
    other: Any = model._meta.get_field(name).related_model
    found: type[Model] = other
    return found
