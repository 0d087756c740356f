"""Queries that the ORM puts together once and that are then asked again and again.

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
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, Final, ParamSpec, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet

KEPT: Final = 512  # statements of one question, for as many sets of arguments
FEW: Final = 8  # values that `few_blanks` makes room for

Arguments = ParamSpec("Arguments")
Row = TypeVar("Row", bound=Model)


class Blank(Expression):
    """A place in a query that is filled when it is asked.

    Args:
        place: which of the values goes here, from 0.
        model: whose column the value is compared with; it says how the database wants it.
        name: of this column; "pk" for the key.
    """

    def __init__(self, place: int, model: type[Model], name: str) -> None:
        meta = model._meta
        self.column: Field[Any, Any] = meta.pk if name == "pk" else meta.get_field(name)  # type: ignore[assignment]
        self.place = place
        super().__init__(output_field=self.column)

    def as_sql(self, _compiler: Any, _connection: Any) -> tuple[str, Any]:
        """Return a mark, and itself among the parameters."""
        return "%s", [self]

    def filled(self, values: Sequence[Any]) -> Any:
        """Return the value that goes here, else the last, as the database wants it."""
        value = values[min(self.place, len(values) - 1)]
        return self.column.get_db_prep_value(value, connection)


class Prepared:
    """A statement, and how its answer is read."""

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        """Put the statement together."""
        compiler = rows.query.get_compiler(connection=connection)
        self._sql = ""
        self._parameters: Sequence[Any] = ()
        try:
            self._sql, self._parameters = compiler.as_sql()
        except EmptyResultSet:  # it can have no answer, whatever is filled in
            return
        columns = [expression for expression, _sql, _alias in compiler.select]
        self._converted = [
            (place, column) for place, column in enumerate(columns) if _converters(column)
        ]

    def rows(self, *values: Any) -> list[list[Any]]:
        """Ask with these values in the blanks; return the columns of each row found."""
        if not self._sql:
            return []
        filled = [
            parameter.filled(values) if isinstance(parameter, Blank) else parameter
            for parameter in self._parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, filled)
            found = list(map(list, cursor.fetchall()))
        for place, column in self._converted if found else ():
            for convert in _converters(column):
                for row in found:
                    row[place] = convert(row[place], column, connection)
        return found


def _converters(column: Any) -> list[Callable[[Any, Any, Any], Any]]:
    """Return what makes of a column's values what Python knows them as, one after the other."""
    return [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]


def prepared(build: Callable[Arguments, QuerySet[Any, Any]]) -> Callable[Arguments, Prepared]:
    """Put what ``build`` returns together once for each set of arguments, and keep it."""

    @lru_cache(maxsize=KEPT)
    def put_together(*args: Any, **options: Any) -> Prepared:
        return Prepared(build(*args, **options))

    return cast(Callable[Arguments, Prepared], put_together)


def few_blanks(model: type[Model], name: str) -> Any:
    """Return blanks for one to `FEW` values of a column, for ``__in``."""
    return [Blank(place, model, name) for place in range(FEW)]


@cache
def columns_of(model: type[Model], *related: str) -> list[str]:
    """Return the names of all columns of a model and of what it refers to, for ``values_list``."""
    names = [column.attname for column in model._meta.concrete_fields]
    for name in related:
        names += [f"{name}__{column}" for column in columns_of(_referred_to(model, name))]
    return names


def built(model: type[Row], values: Sequence[Any], *related: str) -> Row:
    """Return the object that these values of `columns_of` are, with what it refers to."""
    end = len(columns_of(model))
    one = model.from_db(connection.alias, columns_of(model), values[:end])
    for name in related:
        other = _referred_to(model, name)
        begin, end = end, end + len(columns_of(other))
        is_there = getattr(one, f"{name}_id") is not None
        setattr(one, name, built(other, values[begin:end]) if is_there else None)
    return one


def _referred_to(model: type[Model], name: str) -> type[Model]:
    """Return the model that a foreign key refers to."""
    other: Any = model._meta.get_field(name).related_model
    found: type[Model] = other
    return found
