"""The history of an object in words: who did what, when, why, and what it was before.

The log keeps keys, not names: names of people and organizations are looked up when the history
is read, so that an erased person is erased here too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from coordination.bilingual import localized
from coordination.changes.kinds import kind_named
from coordination.changes.models import Change, Tracked

ActorNames = Callable[[Sequence[str], str], dict[str, str]]
_actor_names: list[ActorNames] = []

HIDDEN_FIELDS = frozenset(
    {
        "starts_at",
        "ends_at",
        "sequence",
        "tzdata_version",
        "dav_name",
        "ical_uid",
        "names_organization",
        "precision",
        "retired",
        "window_precision",
    }
)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a change, in words; an empty text means that there was nothing."""

    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change in words.

    Attributes:
        number: its number in the change log.
        kind: the stable word for it.
        words: what was done, "confirmed the event".
        actor: the name of who did it, or a word for nobody in particular.
        at: instant, aware.
        reason: why, as it was given; may be empty.
        version: the object's version after it.
        fields: what changed, in the order of the model's fields.
    """

    number: int
    kind: str
    words: str
    actor: str
    at: datetime
    reason: str
    version: int
    fields: tuple[FieldChange, ...]


def register_actor_names(names: ActorNames) -> None:
    """Have `names(keys, language)` tell the names behind actor keys."""
    if names not in _actor_names:
        _actor_names.append(names)


def history_of(
    uid: UUID, *, language: str, hidden: Iterable[str] = (), newest: int = 200
) -> list[HistoryEntry]:
    """Return the changes of one object, newest first.

    The caller has made sure that the viewer may see the object.

    Args:
        uid: the object's outside id.
        language: "zh-hans" or "en".
        hidden: names of fields that this viewer may not see.
        newest: how many entries at most.
    """
    changes = list(Change.objects.filter(object_uid=uid).order_by("-number")[:newest])
    return describe_changes(changes, language=language, hidden=hidden)


def describe_changes(
    changes: Sequence[Change], *, language: str, hidden: Iterable[str] = ()
) -> list[HistoryEntry]:
    """Put changes into words; costs one query for each related model, not for each change."""
    concealed = HIDDEN_FIELDS | set(hidden)
    with override(language):
        actors = _names_of_actors({change.actor for change in changes}, language)
        labels = _labels_of_rows(changes, language)
        return [
            HistoryEntry(
                number=change.number,
                kind=change.kind,
                words=kind_named(change.kind).label(language),
                actor=actors.get(change.actor, _("somebody")),
                at=change.at,
                reason=change.reason,
                version=change.object_version,
                fields=tuple(
                    _field_change(change.object_type, name, values, labels)
                    for name, values in change.diff.items()
                    if name not in concealed
                ),
            )
            for change in changes
        ]


def _names_of_actors(keys: set[str], language: str) -> dict[str, str]:
    names = {"system": _("the system"), "public": _("somebody who was not signed in")}
    for source in _actor_names:
        names |= source(sorted(keys), language)
    return names


RowLabels = dict[tuple[type[models.Model], int], str]


def _labels_of_rows(changes: Sequence[Change], language: str) -> RowLabels:
    wanted: dict[type[models.Model], set[int]] = defaultdict(set)
    for change in changes:
        for name, values in change.diff.items():
            for column, value in _foreign_keys(change.object_type, name, values):
                wanted[column].add(value)
    return {
        (model, row.pk): _label(row, language)
        for model, pks in wanted.items()
        for row in _rows_with_words(model).filter(pk__in=pks)
    }


def _rows(model: type[models.Model]) -> models.QuerySet[Any]:
    return models.QuerySet(model)


def _rows_with_words(model: type[models.Model]) -> models.QuerySet[Any]:
    """Return rows with what their words are read from, where that is another row."""
    relations: tuple[str, ...] = getattr(model, "label_relations", ())
    return _rows(model).select_related(*relations) if relations else _rows(model)


def _label(row: Any, language: str) -> str:
    for name in ("name", "title"):
        if hasattr(row, f"{name}_zh"):
            return localized(row, name, language)
    return str(row)


def _column(object_type: str, name: str) -> Any | None:
    try:
        return apps.get_model(object_type)._meta.get_field(name)
    except (FieldDoesNotExist, LookupError):
        return None


def _foreign_keys(
    object_type: str, name: str, values: Sequence[Any]
) -> Iterable[tuple[type[models.Model], int]]:
    column = _column(object_type, name)
    if column is None:
        return
    for value in values:
        if isinstance(value, list):
            for row in value:
                for part, key in row.items() if isinstance(row, dict) else ():
                    target = _target(getattr(column, "related_model", None), part)
                    if target is not None and key is not None:
                        yield target, key
        elif value is not None and isinstance(column, models.ForeignKey):
            yield column.related_model, value


def _target(model: Any, name: str) -> type[models.Model] | None:
    if model is None:
        return None
    try:
        column = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return column.related_model if isinstance(column, models.ForeignKey) else None


def _field_change(
    object_type: str, name: str, values: Sequence[Any], labels: RowLabels
) -> FieldChange:
    column = _column(object_type, name)
    label = str(getattr(column, "verbose_name", "") or _part_label(column) or name)
    before, after = (
        _own_words(object_type, name, value) or _words(column, value, labels) for value in values
    )
    return FieldChange(name=name, label=label, before=before, after=after)


def _part_label(column: Any) -> str:
    model = getattr(column, "related_model", None)
    return str(model._meta.verbose_name_plural) if model is not None else ""


def _own_words(object_type: str, name: str, value: Any) -> str:
    try:
        model: Any = apps.get_model(object_type)
    except LookupError:
        return ""
    return model.value_in_words(name, value) if issubclass(model, Tracked) else ""


def _words(column: Any, value: Any, labels: RowLabels) -> str:
    if value in (None, "", []):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return _("; ").join(_part_words(column, row, labels) for row in value)
    if isinstance(column, models.ForeignKey):
        return labels.get((column.related_model, value), "")
    if isinstance(column, models.DateTimeField):
        return _instant_words(value)
    choices = dict(getattr(column, "flatchoices", ()) or ())
    return str(choices.get(value, _time_words(value)))


def _instant_words(value: Any) -> str:
    """Return a stored instant in the zone in force, which is named."""
    instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    local = timezone.localtime(instant)
    return f"{local:%Y-%m-%d %H:%M} ({timezone.get_current_timezone_name()})"


def _time_words(value: Any) -> str:
    """Return a stored instant or wall time without its seconds' decoration."""
    if isinstance(value, (datetime, date)):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    text = str(value)
    if len(text) >= 16 and text[4:5] == "-" and text[10:11] == "T":
        return text[:16].replace("T", " ")
    return text


def _part_words(column: Any, row: Any, labels: RowLabels) -> str:
    if not isinstance(row, dict):
        return str(row)
    model = getattr(column, "related_model", None)
    words = []
    for name, value in row.items():
        target = _target(model, name)
        if target is not None and value is not None:
            words.append(labels.get((target, value), ""))
        elif isinstance(value, str) and value:
            words.append(value)
    return " ".join(dict.fromkeys(word for word in words if word))
