"""The one way to write: a recording diffs, checks versions and numbers what it wrote.

    with recording(viewer.actor, at=at, reason="host moved") as log:
        event.postpone(...)
        log.save(event, "event.postponed")

Everything inside is one transaction. Changes are buffered; the counter row is locked by the last
statements, so that numbers have no gaps and follow the order of commits, and a long import does
not hold up other writers while it works. A recording inside a recording joins it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, models, transaction
from django.db.models import F, ProtectedError
from django.utils.translation import gettext_lazy as _

from coordination.changes.integrity import refusal_for
from coordination.changes.kinds import kind_named
from coordination.changes.models import (
    UNTRACKED_COLUMNS,
    Change,
    ChangeScope,
    Counter,
    Guarded,
    Part,
    Scope,
    Tracked,
)
from coordination.changes.projections import Recorded, run_projections, wake_all
from coordination.changes.refusals import FieldError, InvalidInput, Refusal, StaleVersion

BATCH = 500
Noun = TypeVar("Noun", bound=Tracked)
Parts = Mapping[str, Sequence[Part]]
Diff = dict[str, list[Any]]


class InUse(Refusal):
    """The row cannot be deleted because others stand on it."""

    code = "in_use"
    default_message = _("This is still used elsewhere and cannot be deleted.")


class SwallowedRefusal(RuntimeError):
    """A refusal inside a joined recording was caught: half of it would have been committed."""


@dataclass(slots=True)
class _Entry:
    recorded: Recorded
    actor: str
    at: datetime
    reason: str
    version: int


@dataclass(slots=True)
class _Buffer:
    entries: list[_Entry] = field(default_factory=list)
    broken: bool = False


_current: ContextVar[_Buffer | None] = ContextVar("recording", default=None)


@dataclass(frozen=True, slots=True)
class Log:
    """The open recording: writes rows and notes what changed."""

    buffer: _Buffer
    actor: str
    at: datetime
    reason: str

    def save(self, obj: Tracked, kind: str, *, parts: Parts | None = None) -> bool:
        """Insert or update `obj` with its parts; return whether anything changed.

        `parts` maps the related name to the complete new list of unsaved rows; names left out
        stay as they are. Nothing is written or numbered when nothing differs.

        Raises:
            StaleVersion: the row changed after `obj` was read.
            InvalidInput: a value does not fit its column, or a constraint refuses it.
        """
        if obj._state.adding:
            return bool(self.insert_all([obj], kind, parts=[parts or {}]))
        kind_named(kind)
        changed = _changed_columns(obj)
        check_fields(obj, only=changed)
        diff = _column_diff(obj, changed)
        with _translated(type(obj)):
            diff |= self._replace_parts(obj, parts or {})
            after = frozenset(obj.concerned_scopes())
            if not diff and _joined(after) == obj.concerns:
                return False
            values = {name: getattr(obj, name) for name in changed}
            values |= {"concerns": _joined(after), "changed_at": self.at}
            rows = _rows(type(obj)).filter(pk=obj.pk, version=obj.version)
            if not rows.update(version=obj.version + 1, **values):
                raise StaleVersion(current=_present(obj), mine=obj)
        before = frozenset(obj.concerns.split())
        obj.concerns, obj.changed_at = values["concerns"], self.at
        obj.version += 1
        self._note(obj, kind, diff, before, after)
        return True

    def insert_all(
        self, objs: Sequence[Tracked], kind: str, *, parts: Sequence[Parts] | None = None
    ) -> int:
        """Insert new rows of one model, each with its parts; return how many.

        Raises:
            InvalidInput: a value does not fit its column, or a constraint refuses it.
        """
        kind_named(kind)
        if not objs:
            return 0
        model = type(objs[0])
        all_parts: Sequence[Parts] = parts if parts is not None else [{}] * len(objs)
        for obj, own in zip(objs, all_parts, strict=True):
            check_fields(obj)
            obj.created_at = obj.changed_at = self.at
            obj.part_cache = {name: list(rows) for name, rows in own.items()}
            obj.concerns = _joined(obj.concerned_scopes())
        with _translated(model):
            _rows(model).bulk_create(objs, batch_size=BATCH)
            self._insert_parts(objs, all_parts)
            self._settle_concerns(objs)
        for obj, own in zip(objs, all_parts, strict=True):
            diff = _column_diff(obj, _all_columns(obj))
            diff |= {name: [[], _described(rows)] for name, rows in own.items() if rows}
            after = frozenset(obj.concerns.split())
            self._note(obj, kind, diff, frozenset(), after)
        return len(objs)

    def update_all(self, objs: Sequence[Noun], kind: str, *, touch: bool = False) -> int:
        """Update many rows of one model; return how many differed.

        A row differs when a column does, or the circle of its viewers; with `touch`, always.
        Rows with the same new values share one statement, so that opening a plan of 5,000 events
        costs a few statements.

        Raises:
            StaleVersion: one of the rows changed after it was read.
        """
        kind_named(kind)
        groups: dict[str, list[tuple[Noun, dict[str, Any], frozenset[str]]]] = defaultdict(list)
        for obj in objs:
            changed = _changed_columns(obj)
            after = frozenset(obj.concerned_scopes())
            if changed or touch or _joined(after) != obj.concerns:
                check_fields(obj, only=changed)
                values = {name: getattr(obj, name) for name in changed}
                if _joined(after) != obj.concerns:
                    values["concerns"] = _joined(after)
                groups[_fingerprint(values)].append((obj, values, after))
        rows = [row for group in groups.values() for row in group]
        if not rows:
            return 0
        model = type(rows[0][0])
        self._check_versions(model, [obj for obj, _values, _after in rows])
        with _translated(model):
            for group in groups.values():
                for start in range(0, len(group), BATCH):
                    pks = [obj.pk for obj, _values, _after in group[start : start + BATCH]]
                    _rows(model).filter(pk__in=pks).update(
                        version=F("version") + 1, changed_at=self.at, **group[0][1]
                    )
        for obj, values, after in rows:
            before = frozenset(obj.concerns.split())
            diff = _column_diff(obj, [name for name in values if name != "concerns"])
            obj.concerns, obj.changed_at = _joined(after), self.at
            obj.version += 1
            self._note(obj, kind, diff, before, after)
        return len(rows)

    def touch_all(self, objs: Sequence[Tracked], kind: str) -> None:
        """Record that what `objs` show changed, even where none of their own columns did.

        An organization's new name is a change of the events that show it.

        Raises:
            StaleVersion: one of the rows changed after it was read.
        """
        self.update_all(objs, kind, touch=True)

    def freeze(self, rows: Sequence[Guarded]) -> None:
        """Write snapshot rows: once, never changed, and not numbered on their own."""
        if rows:
            _rows(type(rows[0])).bulk_create(rows, batch_size=BATCH)

    def delete(self, obj: Tracked, kind: str) -> None:
        """Delete the row and its parts; its number and scopes stay in the log as a tombstone.

        Raises:
            StaleVersion: the row changed after it was read.
            InUse: other rows stand on it.
        """
        kind_named(kind)
        before = frozenset(obj.concerns.split())
        diff = {
            name: [value[1], None] for name, value in _column_diff(obj, _all_columns(obj)).items()
        }
        pk = obj.pk
        try:
            deleted, _by_model = _rows(type(obj)).filter(pk=pk, version=obj.version).delete()
        except ProtectedError:
            raise InUse from None
        if not deleted:
            raise StaleVersion(current=_present(obj), mine=obj)
        obj.version += 1
        self._note(obj, kind, diff, before, frozenset(), deleted=True)

    def _replace_parts(self, obj: Tracked, parts: Parts) -> Diff:
        diff: Diff = {}
        for name, rows in parts.items():
            stored = list(getattr(obj, name).all())
            before, after = _described(stored), _described(rows)
            obj.part_cache[name] = stored if before == after else list(rows)
            if before == after:
                continue
            model = getattr(obj, name).model
            _rows(model).filter(**{model.owner_field: obj}).delete()
            self._attach(obj, rows)
            _rows(model).bulk_create(rows)
            diff[name] = [before, after]
        return diff

    def _insert_parts(self, objs: Sequence[Tracked], all_parts: Sequence[Parts]) -> None:
        by_model: dict[type[Part], list[Part]] = defaultdict(list)
        for obj, own in zip(objs, all_parts, strict=True):
            for rows in own.values():
                self._attach(obj, rows)
                for row in rows:
                    by_model[type(row)].append(row)
        for model, rows in by_model.items():
            _rows(model).bulk_create(rows, batch_size=BATCH)

    def _attach(self, obj: Tracked, rows: Sequence[Part]) -> None:
        for row in rows:
            setattr(row, row.owner_field, obj)
            check_fields(row)

    def _settle_concerns(self, objs: Sequence[Tracked]) -> None:
        """Write the scopes of rows whose scopes are named after their own, now known, key."""
        for obj in objs:
            concerns = _joined(obj.concerned_scopes())
            if concerns != obj.concerns:
                _rows(type(obj)).filter(pk=obj.pk).update(concerns=concerns)
                obj.concerns = concerns

    def _check_versions(self, model: type[Tracked], objs: Sequence[Tracked]) -> None:
        for start in range(0, len(objs), BATCH):
            batch = objs[start : start + BATCH]
            rows = _rows(model).filter(pk__in=[obj.pk for obj in batch])
            stored = dict(rows.select_for_update().order_by("pk").values_list("pk", "version"))
            for obj in batch:
                if stored.get(obj.pk) != obj.version:
                    raise StaleVersion(current=_present(obj), mine=obj)

    def _note(
        self,
        obj: Tracked,
        kind: str,
        diff: Diff,
        before: frozenset[str],
        after: frozenset[str],
        *,
        deleted: bool = False,
    ) -> None:
        recorded = Recorded(obj, kind, diff, before, after, deleted)
        entry = _Entry(recorded, self.actor, self.at, self.reason, obj.version)
        self.buffer.entries.append(entry)
        obj.remember()


@contextmanager
def recording(actor: str, *, at: datetime, reason: str = "") -> Iterator[Log]:
    """Open a recording, or join the one that is open; commits at the end of the outermost.

    Args:
        actor: opaque key of who acts: "user:<uid>", "token:<uid>", "system".
        at: instant of the change, aware.
        reason: why, in the words of the person who acts; kept with every change inside.
    """
    outer = _current.get()
    if outer is not None:
        try:
            yield Log(outer, actor, at, reason)
        except BaseException:
            outer.broken = True
            raise
        return
    buffer = _Buffer()
    token = _current.set(buffer)
    try:
        with transaction.atomic():
            yield Log(buffer, actor, at, reason)
            if buffer.broken:
                raise SwallowedRefusal
            if buffer.entries:
                run_projections([entry.recorded for entry in buffer.entries], at)
                _number(buffer.entries)
                transaction.on_commit(wake_all)
    finally:
        _current.reset(token)


def check_fields(obj: models.Model, *, only: Sequence[str] | None = None) -> None:
    """Check that values fit their columns, without a query.

    Args:
        obj: the row.
        only: column names to check; None for all.

    Raises:
        InvalidInput: naming each field that does not fit.
    """
    exclude = {
        column.name
        for column in obj._meta.concrete_fields
        if column.is_relation
        or column.primary_key
        or column.name in UNTRACKED_COLUMNS
        or (only is not None and column.attname not in only)
    }
    try:
        obj.clean_fields(exclude=exclude)
    except ValidationError as error:
        raise InvalidInput(
            FieldError(name, problem.code or "invalid", " ".join(problem.messages))
            for name, problems in error.error_dict.items()
            for problem in problems
        ) from None


@contextmanager
def _translated(model: type[models.Model]) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        refusal = refusal_for(error, model)
        if refusal is None:
            raise
        raise refusal from error


def _number(entries: Sequence[_Entry]) -> None:
    """Lock the counter, number the entries and write them. The last statements before commit."""
    counter = Counter.objects.filter(pk=1)
    if not counter.update(value=F("value") + len(entries)):  # an emptied database
        Counter.objects.bulk_create([Counter(pk=1)], ignore_conflicts=True)
        counter.update(value=F("value") + len(entries))
    last = Counter.objects.values_list("value", flat=True).get(pk=1)
    first = last - len(entries) + 1
    changes, concerns, scopes = [], [], {"all": last}
    for number, entry in enumerate(entries, start=first):
        recorded = entry.recorded
        changes.append(
            Change(
                number=number,
                kind=recorded.kind,
                object_type=recorded.obj.object_type(),
                object_uid=recorded.obj.uid,
                object_version=entry.version,
                actor=entry.actor,
                at=entry.at,
                reason=entry.reason,
                diff=recorded.diff,
            )
        )
        for scope in recorded.before | recorded.after:
            scopes[scope] = number
            concerns.append(
                ChangeScope(
                    number=number,
                    scope=scope,
                    before=scope in recorded.before,
                    after=scope in recorded.after,
                )
            )
    Change.objects.bulk_create(changes, batch_size=BATCH)
    ChangeScope.objects.bulk_create(concerns, batch_size=BATCH)
    Scope.objects.bulk_create(
        [Scope(name=name, last_number=number) for name, number in sorted(scopes.items())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["last_number"],
    )


def _rows(model: type[models.Model]) -> models.QuerySet[Any]:
    """Return the rows of a guarded model through a queryset that may write."""
    return models.QuerySet(model)


def _present(obj: Tracked) -> Tracked | None:
    return _rows(type(obj)).filter(pk=obj.pk).first()


def _all_columns(obj: Guarded) -> list[str]:
    return [
        column.attname
        for column in obj._meta.concrete_fields
        if column.name not in UNTRACKED_COLUMNS
    ]


def _changed_columns(obj: Guarded) -> list[str]:
    loaded = obj.loaded or {}
    return [
        name
        for name in _all_columns(obj)
        if name not in loaded or loaded[name] != getattr(obj, name)
    ]


def _column_diff(obj: Guarded, names: Sequence[str]) -> Diff:
    loaded = {} if obj.loaded is None else obj.loaded
    diff = {name: [loaded.get(name), getattr(obj, name)] for name in names}
    return {name: values for name, values in diff.items() if values[0] or values[1]}


def _described(rows: Sequence[Part]) -> list[dict[str, Any]]:
    return [row.described() for row in rows]


def _joined(scopes: set[str] | frozenset[str]) -> str:
    return " ".join(sorted(scopes))


def _fingerprint(values: dict[str, Any]) -> str:
    return json.dumps(values, cls=DjangoJSONEncoder, sort_keys=True)
