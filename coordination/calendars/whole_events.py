"""One event with all that its calendar text shows, by statements that are put together once.

A program that moves an event has it read twice: as it stands, and as it was written, to render it.
For one event these few statements cost a tenth of what the ORM takes for the same.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Model, QuerySet

from coordination.accounts.viewer import Viewer
from coordination.prepared import Blank, built, columns_of, prepared
from events.models import Event, EventAlliance, EventHost, EventOrganization

RELATED: Final = ("alliance", "plan", "plan_item", "work_area")
NAMES: Final = ("id", "name_zh", "name_en")
SHOWN: Final = {
    "alliance": (*NAMES, "email", "time_zone"),
    "plan": ("id", "uid"),
    "work_area": NAMES,
}
"""What an event's texts show of what it refers to."""


def event_named(name: str, viewer: Viewer) -> Event | None:
    """Return the event of a name, if the viewer may see it, with its parts."""
    rows = _events_of_a_name(viewer).rows(name)
    return _whole(rows[0]) if rows else None


def event_of_key(key: int) -> Event | None:
    """Return the event of a key, whoever may see it, with what its texts show."""
    rows = _events_of_a_key().rows(key)
    return _with_hosts(built(Event, rows[0], **SHOWN)) if rows else None


def _with_hosts(event: Event) -> Event:
    """Return an event, and note its hosts."""
    rows = _hosts().rows(event.pk)
    _note(event, "hosts", [built(EventHost, row, organization=NAMES) for row in rows])
    return event


def _whole(row: list[Any]) -> Event:
    """Return the event of a row, and note all its parts."""
    event = _with_hosts(built(Event, row, *RELATED))
    for name, model in (("co_hosts", EventAlliance), ("named", EventOrganization)):
        _note(event, name, [built(model, part) for part in _parts(model).rows(event.pk)])
    return event


def _note(event: Event, name: str, parts: list[Any]) -> None:
    """Note an event's parts, each of which knows its event."""
    for part in parts:
        part.event = event
    event.part_cache[name] = parts


@prepared
def _events_of_a_name(viewer: Viewer) -> QuerySet[Any, Any]:
    rows = Event.objects.visible_to(viewer).filter(dav_name=Blank(0, Event, "dav_name"))
    return rows.order_by().values_list(*columns_of(Event, *RELATED))


@prepared
def _events_of_a_key() -> QuerySet[Any, Any]:
    rows = Event.objects.filter(pk=Blank(0, Event, "pk")).order_by()
    return rows.values_list(*columns_of(Event, **SHOWN))


@prepared
def _hosts() -> QuerySet[Any, Any]:
    rows = EventHost.objects.filter(event__pk=Blank(0, Event, "pk"))
    return rows.values_list(*columns_of(EventHost, organization=NAMES))


@prepared
def _parts(model: type[Model]) -> QuerySet[Any, Any]:
    rows = model._default_manager.filter(event__pk=Blank(0, Event, "pk"))
    return rows.values_list(*columns_of(model))
