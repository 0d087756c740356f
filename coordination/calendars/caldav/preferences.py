"""What a person sets for their own calendars: name, colour, order, alarms, zone.

Nobody else sees it, and nothing that people agree on hangs on it, so it is not in the log. The
values are kept as the client's own text: we hand them back and read only the time zone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from coordination.accounts.viewer import Viewer
from coordination.calendars.caldav import xml
from coordination.calendars.caldav.xml import APPLE, CALDAV, DAV, name
from coordination.calendars.models import CollectionPreference
from coordination.changes.refusals import NotAllowed

ALARMS: Final = tuple(
    name(CALDAV, f"default-alarm-{component}-{kind}")
    for component in ("vevent", "vtodo")
    for kind in ("datetime", "date")
)
SETTABLE: Final = frozenset(
    {
        name(DAV, "displayname"),
        name(APPLE, "calendar-color"),
        name(APPLE, "calendar-order"),
        name(CALDAV, "calendar-timezone"),
        name(CALDAV, "calendar-description"),
        *ALARMS,
    }
)
"""On a calendar; a home takes the alarms, which Apple's programs set there for all calendars."""
VALUE_LENGTH: Final = 64 * 1024  # characters; a VTIMEZONE with its history fits


@dataclass(frozen=True, slots=True)
class Preferences:
    """All that one person has set, by the name of the collection ("" for the home)."""

    by_collection: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, viewer: Viewer) -> Preferences:
        """Read them; one query."""
        rows = CollectionPreference.objects.filter(user=viewer.user_id).order_by()
        return cls(dict(rows.values_list("collection", "properties")))

    def values(self, collection: str) -> dict[str, Callable[[], str]]:
        """Return what was set for a collection, as properties."""
        chosen = self.by_collection.get(collection, {})
        return {key: _constant(xml.text(value)) for key, value in chosen.items()}

    def text(self, collection: str, key: str) -> str:
        """Return one value, or nothing."""
        return self.by_collection.get(collection, {}).get(key, "")


def zone_in(text: str) -> str:
    """Return the TZID in an iCalendar object that brings a time zone; "" where there is none."""
    for line in text.splitlines():
        key, _colon, value = line.partition(":")
        if key.strip().upper() == "TZID":
            return value.strip()
    return ""


@transaction.atomic
def save_preferences(viewer: Viewer, collection: str, changes: Mapping[str, str | None]) -> None:
    """Set values of the person's own; None takes one away.

    Raises:
        NotAllowed: nobody has signed in.
    """
    if viewer.user_id is None:
        raise NotAllowed
    row, _is_new = CollectionPreference.objects.select_for_update().get_or_create(
        user_id=viewer.user_id, collection=collection
    )
    values = {**row.properties, **changes}
    row.properties = {key: value for key, value in values.items() if value is not None}
    row.version += 1
    row.save(update_fields=["properties", "version"])


def _constant(value: str) -> Callable[[], str]:
    return lambda: value
