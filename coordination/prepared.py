"""Queries that the ORM puts together once and that are then asked again and again.

For a question that finds one row by an index, putting the statement together costs ten times what
the database takes to answer it. Where a program asks thousands of times an hour, it is therefore
put together once, with blanks for what differs between one time and the next::

    @prepared
    def _alliances_named(viewer: Viewer) -> QuerySet[Alliance]:
        return Alliance.objects.visible_to(viewer).filter(slug=Blank(0, SLUG))

    _alliances_named(viewer).objects("dongbei")

What the statement says is still said once, by the queryset. It is kept for the arguments that it
was made from, among them the rights of whoever asks: other rights make another statement. Nothing
that was looked up in the database may go into it otherwise than as an argument or a blank.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, Generic, ParamSpec, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.query import get_related_populators

KEPT: Final = 512  # statements of one question, for as many sets of arguments
FEW: Final = 8  # values that `few_blanks` makes room for

Arguments = ParamSpec("Arguments")
Row = TypeVar("Row", bound=Model)


class Blank(Expression):
    """A place in a query that is filled when it is asked.

    Args:
        place: which of the values goes here, from 0.
        column: that the value is compared with; it says how the database wants it.
    """

    def __init__(self, place: int, column: Field[Any, Any]) -> None:
        super().__init__(output_field=column)
        self.place = place
        self.column = column

    def as_sql(self, _compiler: Any, _connection: Any) -> tuple[str, list[Any]]:
        """Return a mark, and itself among the parameters."""
        return "%s", [self]

    def filled(self, values: Sequence[Any]) -> Any:
        """Return the value that goes here, else the last, as the database wants it."""
        value = values[min(self.place, len(values) - 1)]
        return self.column.get_db_prep_value(value, connection)


class Prepared(Generic[Row]):
    """A statement, and how its answer is read."""

    def __init__(self, rows: QuerySet[Row, Any]) -> None:
        """Put the statement together."""
        compiler = rows.query.get_compiler(connection=connection)
        self._sql, self._parameters = "", ()
        try:
            self._sql, self._parameters = compiler.as_sql()
        except EmptyResultSet:  # it can have no answer, whatever is filled in
            return
        self._columns = [expression for expression, _sql, _alias in compiler.select]
        self._model = rows.model
        self._names: list[str] = []
        if compiler.klass_info is not None:
            own = compiler.klass_info["select_fields"]
            self._names = [self._columns[place].target.attname for place in own]
            self._related = get_related_populators(
                compiler.klass_info, compiler.select, connection.alias
            )

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
        for place, column in enumerate(self._columns) if found else ():
            converters = connection.ops.get_db_converters(column)
            for convert in (*converters, *column.get_db_converters(connection)):
                for row in found:
                    row[place] = convert(row[place], column, connection)
        return found

    def objects(self, *values: Any) -> list[Row]:
        """Ask; return the objects found, with those that ``select_related`` names."""
        found = []
        for row in self.rows(*values):
            one = self._model.from_db(connection.alias, self._names, row[: len(self._names)])
            for populator in self._related:
                populator.populate(row, one)
            found.append(one)
        return found


def prepared(
    build: Callable[Arguments, QuerySet[Row, Any]],
) -> Callable[Arguments, Prepared[Row]]:
    """Put what ``build`` returns together once for each set of arguments, and keep it."""

    @lru_cache(maxsize=KEPT)
    def statement(*args: Arguments.args, **options: Arguments.kwargs) -> Prepared[Row]:
        return Prepared(build(*args, **options))

    return statement


def few_blanks(column: Field[Any, Any]) -> list[Blank]:
    """Return blanks for one to `FEW` values, for ``__in``."""
    return [Blank(place, column) for place in range(FEW)]
