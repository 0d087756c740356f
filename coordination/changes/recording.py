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
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, IntegrityError, models, transaction
from django.db.models import F, ProtectedError
from django.utils.translation import gettext_lazy as _

from coordination.changes.buffering import Buffer, Entry
from coordination.changes.checking import check_fields, check_reason
from coordination.changes.differing import Diff, all_columns, changed_columns, column_diff, said
from coordination.changes.integrity import is_lost_race, refusal_for
from coordination.changes.kinds import kind_named
from coordination.changes.models import Guarded, Part, Tracked
from coordination.changes.numbering import number_entries
from coordination.changes.projections import Recorded, run_projections, wake_all
from coordination.changes.refusals import Refusal, StaleVersion
from coordination.prepared import BATCH, update_row

Noun = TypeVar("Noun", bound=Tracked)
Parts = Mapping[str, Sequence[Part]]


class InUse(Refusal):
    """The row cannot be deleted because others stand on it."""

    code = "in_use"
    default_message = _("This is still used elsewhere and cannot be deleted.")


class SwallowedRefusal(RuntimeError):
    """A refusal inside a joined recording was caught: half of it would have been committed."""


_current: ContextVar[Buffer | None] = ContextVar("recording", default=None)


@dataclass(frozen=True, slots=True)
class Log:
    """The open recording: writes rows and notes what changed."""

    buffer: Buffer
    actor: str
    at: datetime
    reason: str

    def hold(self, obj: Tracked, *, unchanged: Sequence[str] = ()) -> None:
        """Let nobody else write the row until this recording ends; what is read after is settled.

        Verbs that add to a row (lines to a plan, invitations to an event) hold it, so that it does
        not close, open or end under them.

        Args:
            obj: the row.
            unchanged: columns that must be as they were when `obj` was read.

        Raises:
            StaleVersion: one of them is not, or the row is gone.
        """
        if (type(obj), obj.pk) in self.buffer.held:
            return
        rows = _rows(type(obj)).filter(pk=obj.pk).select_for_update(no_key=True)
        stored = rows.order_by().values("pk", *unchanged).first()
        loaded = obj.loaded or {}
        if stored is None or any(stored[name] != loaded.get(name) for name in unchanged):
            raise StaleVersion(current=_present(obj), mine=obj)
        self.buffer.held.add((type(obj), obj.pk))

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
        self.buffer.keep(obj)
        check_fields(obj, only=changed_columns(obj))
        changed = changed_columns(obj)
        diff = column_diff(obj, changed)
        new_parts = self._compare_parts(obj, parts or {}, diff)
        after = frozenset(obj.concerned_scopes())
        if not changed and not new_parts and _joined(after) == obj.concerns:
            return False
        values = {name: getattr(obj, name) for name in changed}
        values |= {"concerns": _joined(after), "changed_at": self.at}
        with _translated(type(obj)):
            stored = {"version": obj.version + 1, **values}
            known = {"pk": obj.pk, "version": obj.version}
            if not update_row(type(obj), stored, known=known):
                raise StaleVersion(current=_present(obj), mine=obj)
            self._replace_parts(obj, new_parts)
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
            self.buffer.keep(obj)
            check_fields(obj)
            obj.created_at = obj.changed_at = self.at
            obj.part_cache = {name: list(rows) for name, rows in own.items()}
            obj.concerns = _joined(obj.concerned_scopes())
        with _translated(model):
            _rows(model).bulk_create(objs, batch_size=BATCH)
            self._insert_parts(objs, all_parts)
            self._settle_concerns(objs)
        for obj, own in zip(objs, all_parts, strict=True):
            diff = said(column_diff(obj, all_columns(obj)))
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
            self.buffer.keep(obj)
            check_fields(obj, only=changed_columns(obj))
            changed = changed_columns(obj)
            after = frozenset(obj.concerned_scopes())
            if changed or touch or _joined(after) != obj.concerns:
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
            diff = column_diff(obj, [name for name in values if name != "concerns"])
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
        self.buffer.keep(obj)
        values = said({name: [None, getattr(obj, name)] for name in all_columns(obj)})
        diff = {name: [value, None] for name, (_none, value) in values.items()}
        for name in obj.part_names:
            if rows := _described(obj.part_rows(name)):
                diff[name] = [rows, []]
        pk = obj.pk
        try:
            deleted, _by_model = _rows(type(obj)).filter(pk=pk, version=obj.version).delete()
        except ProtectedError:
            raise InUse from None
        if not deleted:
            raise StaleVersion(current=_present(obj), mine=obj)
        obj.version += 1
        self._note(obj, kind, diff, before, frozenset(), deleted=True)

    def _compare_parts(self, obj: Tracked, parts: Parts, diff: Diff) -> Parts:
        """Return those of `parts` that differ from the stored ones, and add them to the diff."""
        changed: dict[str, Sequence[Part]] = {}
        for name, rows in parts.items():
            stored = list(getattr(obj, name).all())
            before, after = _described(stored), _described(rows)
            obj.part_cache[name] = stored if before == after else list(rows)
            if before != after:
                changed[name], diff[name] = rows, [before, after]
        return changed

    def _replace_parts(self, obj: Tracked, parts: Parts) -> None:
        for name, rows in parts.items():
            model = getattr(obj, name).model
            _rows(model).filter(**{model.owner_field: obj}).delete()
            self._attach(obj, rows)
            _rows(model).bulk_create(rows)

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
        """Lock the rows, always in the same order, so that two recordings never lock crosswise."""
        in_order = sorted(objs, key=lambda obj: obj.pk)
        for start in range(0, len(in_order), BATCH):
            batch = in_order[start : start + BATCH]
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
        entry = Entry(recorded, self.actor, self.at, self.reason, obj.version)
        self.buffer.entries.append(entry)
        obj.remember()


@contextmanager
def recording(actor: str, *, at: datetime, reason: str = "") -> Iterator[Log]:
    """Open a recording, or join the one that is open; commits at the end of the outermost.

    Args:
        actor: opaque key of who acts: "user:<uid>", "token:<uid>", "system".
        at: instant of the change, aware.
        reason: why, in the words of the person who acts; kept with every change inside.

    Raises:
        InvalidInput: the reason is too long, or has a character that cannot be kept.
        StaleVersion: another recording got in between, so that this one cannot be committed:
            what it refers to was deleted, or both waited for each other.
    """
    check_reason(reason)
    outer = _current.get()
    if outer is not None:
        try:
            yield Log(outer, actor, at, reason)
        except BaseException:
            outer.broken = True
            raise
        return
    buffer = Buffer()
    token = _current.set(buffer)
    try:
        with transaction.atomic():
            yield Log(buffer, actor, at, reason)
            if buffer.broken:
                raise SwallowedRefusal
            if buffer.entries:
                run_projections([entry.recorded for entry in buffer.entries], at)
                number_entries(buffer.entries)
                transaction.on_commit(wake_all)
    except BaseException as error:
        buffer.restore()
        if isinstance(error, DatabaseError) and is_lost_race(error):
            raise StaleVersion from error
        raise
    finally:
        _current.reset(token)


@contextmanager
def _translated(model: type[models.Model]) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        refusal = refusal_for(error, model)
        if refusal is None:
            raise
        raise refusal from error


def _rows(model: type[models.Model]) -> models.QuerySet[Any]:
    """Return the rows of a guarded model through a queryset that may write."""
    return models.QuerySet(model)


def _present(obj: Tracked) -> Tracked | None:
    return _rows(type(obj)).filter(pk=obj.pk).first()


def _described(rows: Sequence[Part]) -> list[dict[str, Any]]:
    return [row.described() for row in rows]


def _joined(scopes: set[str] | frozenset[str]) -> str:
    return " ".join(sorted(scopes))


def _fingerprint(values: dict[str, Any]) -> str:
    return json.dumps(values, cls=DjangoJSONEncoder, sort_keys=True)
