"""Representations: declared as serializers, read as rows.

A `Reading` is a DRF serializer that documents what leaves the building. It is not run field by
field over instances: it is compiled once into the columns to ask for and a function from a row
to a dict, so that a list costs one query, one more for each to-many part, and orjson::

    class HostReading(Reading):
        name = serializers.CharField()
        organization = serializers.UUIDField(source="organization.uid", allow_null=True)

    class ItemReading(Reading):
        class Meta:
            model = PlanItem

        uid = serializers.UUIDField()
        plan = serializers.UUIDField(source="plan.uid")
        title = Localized("title")                       # in the caller's language
        title_i18n = Texts("title")                      # {"zh", "en"}
        occurrences = Computed(serializers.IntegerField(), needs=("windows",), make=len)
        hosts = Rows(HostReading(), source="hosts", order_by=("position",))

Sources are dotted paths over foreign keys. A `Reading` as a field is an object of its own, null
where the foreign key is. A `Computed` with `sees=True` gets the `Reader` first, for what depends
on who asks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, ClassVar, cast

from django.db import connection, models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from coordination.accounts.viewer import Viewer
from coordination.bilingual import pair, text_in

Getter = Callable[[tuple[Any, ...]], Any]
TEXTS_SCHEMA = {
    "type": "object",
    "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
    "required": ["zh", "en"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and in which language."""

    viewer: Viewer
    language: str


class Reading(serializers.Serializer[Any]):
    """What a representation holds; `Meta.model` names the model at the top of it."""


class Localized(serializers.CharField):
    """A text pair in the caller's language; the other one where it is empty."""

    def __init__(self, name: str) -> None:
        super().__init__(read_only=True)
        self.columns = name


@extend_schema_field(TEXTS_SCHEMA)
class Texts(serializers.Field[Any, Any, Any, Any]):
    """A text pair in both languages."""

    def __init__(self, name: str) -> None:
        super().__init__(read_only=True)
        self.columns = name


class Computed(serializers.Field[Any, Any, Any, Any]):
    """A value made from columns; `shape` is the field that documents it."""

    def __init__(
        self,
        shape: Any,
        *,
        needs: Sequence[str],
        make: Callable[..., Any],
        sees: bool = False,
    ) -> None:
        super().__init__(read_only=True)
        self.needs, self.make, self.sees = tuple(needs), make, sees
        self._spectacular_annotation = {"field": shape}


class Rows(serializers.ListField):
    """To-many rows, all of a page's by one query.

    Args:
        child: the reading of one row.
        source: the related name on the model.
        order_by: columns of the rows.
        visible: whether only rows the viewer may see are shown.
    """

    def __init__(
        self,
        child: Any,
        *,
        source: str,
        order_by: Sequence[str],
        visible: bool = False,
    ) -> None:
        super().__init__(child=child, read_only=True)
        self.related, self.order_by, self.visible = source, tuple(order_by), visible


class Values(Rows):
    """To-many rows of which one value each is shown: a list of slugs or uids.

    Args:
        child: the field of one value.
        source: the related name on the model.
        value: dotted path of the value on the rows.
        order_by: columns of the rows.
    """

    def __init__(self, child: Any, *, source: str, value: str, order_by: Sequence[str]) -> None:
        super().__init__(child, source=source, order_by=order_by)
        self.value = value.replace(".", "__")


class _Row(list[Any]):
    """Columns being collected: each asked for once, known by its place."""

    def place_of(self, lookup: str) -> int:
        if lookup not in self:
            self.append(lookup)
        return self.index(lookup)


Bind = Callable[[Reader], Getter]


@dataclass(frozen=True, slots=True)
class _Part:
    """A to-many field: its name, and how to fetch it."""

    name: str
    field: Rows
    model: Any
    compiled: Compiled


@dataclass(frozen=True, slots=True)
class Compiled:
    """A reading, ready: which columns to ask for, and how a row becomes an object."""

    columns: tuple[str, ...]
    binds: tuple[tuple[str, Bind], ...]
    parts: tuple[_Part, ...]

    _known: ClassVar[dict[tuple[type[Reading], tuple[str, ...]], Compiled]] = {}

    @classmethod
    def of(cls, reading: type[Reading], *, first: Sequence[str] = ()) -> Compiled:
        """Return the compiled form; made once for each class. `first` columns come first."""
        key = (reading, tuple(first))
        if key not in cls._known:
            columns = _Row(first)
            binds, parts = _compile(reading(), "", columns)
            cls._known[key] = cls(tuple(columns), tuple(binds), tuple(parts))
        return cls._known[key]

    def objects(self, rows: Sequence[tuple[Any, ...]], reader: Reader) -> list[dict[str, Any]]:
        """Return the objects for rows of `columns`; the parts of all by one query each."""
        getters = [(name, bind(reader)) for name, bind in self.binds]
        found = [{name: get(row) for name, get in getters} for row in rows]
        for part in self.parts:
            by_owner = _part_objects(part, [row[0] for row in rows], reader)
            for row, shown in zip(rows, found, strict=True):
                shown[part.name] = by_owner.get(row[0], [])
        return found


HIDDEN = ("pk", "version")


def compiled(reading: type[Reading]) -> Compiled:
    """Return a reading of a tracked model: its columns begin with the key and the version."""
    return Compiled.of(reading, first=HIDDEN)


def _compile(
    reading: Reading, prefix: str, columns: _Row
) -> tuple[list[tuple[str, Bind]], list[_Part]]:
    model = getattr(getattr(reading, "Meta", None), "model", None)
    binds, parts = [], []
    for name, field in reading.fields.items():
        if isinstance(field, Rows):
            assert model is not None, f"{type(reading).__name__} has rows: its Meta names a model."
            relation = model._meta.get_field(field.related)
            owner = relation.field.attname
            child = (
                Compiled((owner, field.value), (), ())
                if isinstance(field, Values)
                else Compiled.of(cast(type[Reading], type(field.child)), first=(owner,))
            )
            parts.append(_Part(name, field, relation.related_model, child))
        else:
            binds.append((name, _bind(field, prefix, columns)))
    return binds, parts


def _bind(field: Any, prefix: str, columns: _Row) -> Bind:
    """Return what makes a getter for the field once it is known who reads."""
    if isinstance(field, Localized | Texts):
        path = prefix + field.columns.replace(".", "__")
        zh, en = columns.place_of(f"{path}_zh"), columns.place_of(f"{path}_en")
        if isinstance(field, Texts):
            return _always(lambda row: pair(row[zh] or "", row[en] or ""))
        return lambda reader: lambda row: text_in(reader.language, row[zh] or "", row[en] or "")
    if isinstance(field, Computed):
        places = [columns.place_of(prefix + need.replace(".", "__")) for need in field.needs]
        make = field.make
        if field.sees:
            return lambda reader: lambda row: make(reader, *[row[place] for place in places])
        return _always(lambda row: make(*[row[place] for place in places]))
    path = prefix + (field.source or field.field_name).replace(".", "__")
    if isinstance(field, Reading):
        return _nested(field, f"{path}__", columns)
    return _always(itemgetter(columns.place_of(path)))


def _nested(field: Reading, prefix: str, columns: _Row) -> Bind:
    there = columns.place_of(f"{prefix}pk")
    binds, parts = _compile(field, prefix, columns)
    if parts:
        raise TypeError(f"{type(field).__name__} is nested: it cannot have rows of its own.")

    def bind(reader: Reader) -> Getter:
        getters = [(name, inner(reader)) for name, inner in binds]
        return lambda row: None if row[there] is None else {name: get(row) for name, get in getters}

    return bind


def _always(getter: Getter) -> Bind:
    return lambda _reader: getter


def _part_objects(part: _Part, owners: Sequence[Any], reader: Reader) -> dict[Any, list[Any]]:
    """Return the objects of a part by the key of their owner."""
    if not owners:
        return {}
    if part.field.visible:
        found = list(_rows_of(part, part.model.objects.visible_to(reader.viewer), owners))
    else:
        found = _prepared_rows(part, owners)
    by_owner: dict[Any, list[Any]] = defaultdict(list)
    if isinstance(part.field, Values):
        for owner, value in found:
            by_owner[owner].append(value)
        return by_owner
    for row, shown in zip(found, part.compiled.objects(found, reader), strict=True):
        by_owner[row[0]].append(shown)
    return by_owner


def _rows_of(part: _Part, rows: models.QuerySet[Any], owners: Sequence[Any]) -> Any:
    """Return the query for the columns of the owners' rows."""
    rows = rows.filter(**{f"{part.compiled.columns[0]}__in": owners})
    return rows.order_by(*part.field.order_by).values_list(*part.compiled.columns)


_statements: dict[tuple[Rows, int, str], tuple[str, Any]] = {}


def _prepared_rows(part: _Part, owners: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a part by a statement that is put together once, not at every list.

    Owners are filled up to the next power of two, so that few statements are kept.
    """
    size = 1 << (len(owners) - 1).bit_length()
    key = (part.field, size, connection.vendor)
    if key not in _statements:
        query = _rows_of(part, part.model.objects.all(), range(1, size + 1)).query
        compiler = query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        if tuple(parameters) != tuple(range(1, size + 1)):
            raise TypeError(f"{part.name}: the rows depend on more than their owners.")
        expressions = [select[0] for select in compiler.select[: compiler.col_count]]
        _statements[key] = (sql, compiler.get_converters(expressions))
    sql, converters = _statements[key]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*owners, *[owners[-1]] * (size - len(owners))])
        rows = cursor.fetchall()
    return [_converted(row, converters) for row in rows] if converters else rows


def _converted(row: tuple[Any, ...], converters: Any) -> tuple[Any, ...]:
    """Return a row with its values as Python has them."""
    values = list(row)
    for place, (functions, expression) in converters.items():
        for function in functions:
            values[place] = function(values[place], expression, connection)
    return tuple(values)


def read_rows(
    queryset: models.QuerySet[Any], reading: type[Reading], reader: Reader
) -> Iterable[dict[str, Any]]:
    """Return the objects of a queryset of a tracked model, in its order."""
    plan = compiled(reading)
    return plan.objects(list(queryset.values_list(*plan.columns)), reader)
