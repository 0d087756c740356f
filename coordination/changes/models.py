"""The change log's tables, and the base class of everything that is kept in it.

One line of numbers per installation, without gaps, in commit order: whoever has read up to
number n has missed nothing up to n. A row of a tracked model can only be written inside
`coordination.changes.recording.recording`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Final, NoReturn, Self, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from coordination.prepared import column_names, made

WHOLE_LOG: Final = "all"
"""The scope that every change concerns, without being named in it: that of superusers."""

UNTRACKED_COLUMNS = frozenset({"id", "uid", "version", "concerns", "created_at", "changed_at"})


class UnrecordedWrite(RuntimeError):
    """A tracked row was about to be written outside a recording: a mistake in the program."""

    def __init__(self, model: type[models.Model]) -> None:
        super().__init__(f"{model._meta.label} can only be written inside recording().")


Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class GuardedQuerySet(models.QuerySet[Row_co]):
    """A queryset that reads; writing goes through a recording."""

    def update(self, **values: Any) -> NoReturn:  # noqa: D102 - refuses
        raise UnrecordedWrite(self.model)

    def delete(self) -> NoReturn:  # noqa: D102 - refuses
        raise UnrecordedWrite(self.model)

    def bulk_create(self, *args: Any, **options: Any) -> NoReturn:  # noqa: D102 - refuses
        raise UnrecordedWrite(self.model)

    def bulk_update(self, *args: Any, **options: Any) -> NoReturn:  # noqa: D102 - refuses
        raise UnrecordedWrite(self.model)


class Guarded(models.Model):
    """A row that remembers what it looked like when read, and refuses unrecorded writes."""

    loaded: dict[str, Any] | None = None

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> NoReturn:  # noqa: D102 - refuses
        raise UnrecordedWrite(type(self))

    def delete(self, *args: Any, **options: Any) -> NoReturn:  # noqa: D102 - refuses
        raise UnrecordedWrite(type(self))

    @classmethod  # Django 6 adds an option
    def from_db(  # type: ignore[override]
        cls,
        db: str | None,
        field_names: Collection[str],
        values: Collection[Any],
    ) -> Self:
        """Build the row and keep the values it was read with."""
        instance = made(cls, field_names, values, alias=db)
        instance.remember()
        return instance

    def remember(self) -> None:
        """Take the present values as the ones stored."""
        values = self.__dict__  # where columns that were not read are missing
        self.loaded = {name: values[name] for name in column_names(type(self)) if name in values}


class Tracked(Guarded):
    """A row whose every change is in the log: it has an outside id and a version.

    Attributes:
        uid: the id that leaves the building.
        version: 1 when made, one more with each recorded change.
        concerns: names of the scopes that see the row, as of its last change, sorted, with spaces
            between them. It is the before-image of the next change.
        changed_at: instant of the last change (aware, UTC).
        part_names: related names of its parts; a deletion keeps what they were.
    """

    part_names: ClassVar[tuple[str, ...]] = ()
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    concerns = models.TextField(default="", blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    class Meta:
        abstract = True

    @cached_property
    def part_cache(self) -> dict[str, list[Any]]:
        """Rows of parts by related name, where they are known without asking the database."""
        return {}

    def part_rows(self, name: str) -> list[Any]:
        """Return the parts under related name `name`, as written last."""
        if name not in self.part_cache:
            self.part_cache[name] = [] if self.pk is None else list(getattr(self, name).all())
        return self.part_cache[name]

    def concerned_scopes(self) -> set[str]:
        """Return the names of the scopes in whose view this row stands.

        `WHOLE_LOG` need not be named. Each tracked model says its own.
        """
        raise TypeError(f"{self._meta.label} does not say whom it concerns.")

    @classmethod
    def value_in_words(cls, name: str, value: Any) -> str:
        """Return a value of column `name`, as the log keeps it, for people; "" for the usual way.

        Models whose columns hold words of the program say their own.
        """
        return ""

    @classmethod
    def object_type(cls) -> str:
        """Return the name under which the log keeps rows of this model: "events.event"."""
        return cls._meta.label_lower


class Part(Guarded):
    """A row that belongs to a tracked row and is written, and versioned, with it.

    Hosts of an event, aliases of an organization: the owner's diff shows them as a list.
    """

    owner_field: ClassVar[str]

    class Meta:
        abstract = True

    def described(self) -> dict[str, Any]:
        """Return the values that make the part what it is, for comparing and for the diff."""
        return {
            field.attname: getattr(self, field.attname)
            for field in self._meta.concrete_fields
            if not field.primary_key and field.name != self.owner_field
        }


class Counter(models.Model):
    """The one row that numbers are taken from; locking it orders the commits."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    value = models.BigIntegerField(default=0)
    epoch = models.UUIDField(default=uuid.uuid4)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="counter_is_a_single_row")
        ]


class Scope(models.Model):
    """A circle of viewers, and the number of the last change that concerned it.

    Names: "public", "alliance:{pk}:members", "alliance:{pk}:secretariat", "organization:{pk}",
    "all". The number is the scope's revision: while it stands still, so does all its viewers see.
    """

    name = models.CharField(max_length=80, primary_key=True)
    last_number = models.BigIntegerField()


class Change(models.Model):
    """One change of one row, as it was committed. Never updated, never deleted.

    Attributes:
        number: position in the one line of changes, without gaps, in commit order.
        kind: what happened, "event.confirmed".
        actor: who did it, an opaque key ("user:<uid>", "system").
        diff: field name -> [before, after]; parts appear as lists under their name.
    """

    number = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_uid = models.UUIDField()
    object_version = models.PositiveIntegerField()
    actor = models.CharField(max_length=60)
    at = models.DateTimeField()
    reason = models.TextField(blank=True)
    diff = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        indexes = [
            models.Index(fields=["object_uid", "number"], name="change_by_object"),
            models.Index(fields=["actor", "number"], name="change_by_actor"),
        ]


class ChangeScope(models.Model):
    """Whom a change concerned: `before` and `after` say whether the scope saw the object then."""

    number = models.BigIntegerField()
    scope = models.CharField(max_length=80)
    before = models.BooleanField()
    after = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "number"], name="change_concerns_a_scope_once"
            ),
        ]


def revisions_of(scopes: Sequence[str]) -> dict[str, int]:
    """Return the number of the last change that concerned each of `scopes`; 0 when none did."""
    found = dict(
        Scope.objects.filter(name__in=scopes).values_list("name", "last_number").order_by()
    )
    return {name: found.get(name, 0) for name in scopes}
