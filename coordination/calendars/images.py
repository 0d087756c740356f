"""What an event was at an earlier number of the log: the before-image of a copy.

The log keeps of each change what every field was before. So an event as it is now, with the
changes after a number taken back one by one, is the event as it stood at that number; no second
copy of the past is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_date, parse_datetime

from coordination.changes.models import Change
from events.models import Event

COLUMNS = (
    "ical_uid", "dav_name", "alliance_id", "plan_id", "work_area_id", "state", "audience",
    "type_text", "title_zh", "title_en", "starts_at", "ends_at", "previous_starts_wall",
    "window_starts_on", "window_ends_on",
)  # fmt: skip
PARTS = {"hosts": "organization_id", "named": "organization_id", "co_hosts": "alliance_id"}


@dataclass(slots=True)
class EventImage:
    """An event at one moment of the log, as far as filters ask.

    Attributes:
        uid: the event's.
        version: the object's version in this image; 0 for one that was not there.
        values: columns and parts by name, as the log or the database gives them.
        seen_by: the scopes, of those somebody held, that saw it then.
    """

    uid: UUID
    version: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    seen_by: frozenset[str] = frozenset()

    def take_back(self, change: Change) -> None:
        """Make this the image from before a change."""
        self.values.update({name: before for name, (before, _after) in change.diff.items()})
        self.version = change.object_version - 1

    def text(self, name: str) -> str:
        """Return a column of text."""
        return self.values.get(name) or ""

    def key(self, name: str) -> int | None:
        """Return a foreign key."""
        found: int | None = self.values.get(name)
        return found

    def keys(self, part: str) -> set[int]:
        """Return the organizations or alliances in a part."""
        rows: Iterable[dict[str, Any]] = self.values.get(part) or ()
        return {row[PARTS[part]] for row in rows if row.get(PARTS[part]) is not None}

    def instant(self, name: str) -> datetime | None:
        """Return an instant, aware."""
        value = self.values.get(name)
        parsed = parse_datetime(value) if isinstance(value, str) and value else value
        return parsed.astimezone(UTC) if parsed else None

    def day(self, name: str) -> date | None:
        """Return a date."""
        value = self.values.get(name)
        return parse_date(value) if isinstance(value, str) and value else value or None


def images_now(uids: Sequence[UUID]) -> dict[UUID, EventImage]:
    """Return the events as they are, whoever may see them; those deleted are left out."""
    rows = Event.objects.filter(uid__in=uids).order_by()
    found = {
        row.pop("uid"): row for row in rows.values("uid", "pk", "version", "concerns", *COLUMNS)
    }
    by_pk = {row["pk"]: row for row in found.values()}
    for name, column in PARTS.items():
        model: Any = Event._meta.get_field(name).related_model
        parts = model.objects.filter(event__in=list(by_pk)).order_by()
        for pk, key in parts.values_list("event", column):
            by_pk[pk].setdefault(name, []).append({column: key})
    return {
        uid: EventImage(uid, row["version"], row, frozenset(row["concerns"].split()))
        for uid, row in found.items()
    }


def images_since(number: int, uids: Sequence[UUID]) -> dict[UUID, list[tuple[EventImage, Change]]]:
    """Return the events as they were before each of their changes after a number, newest first.

    So the last of an event's images shows it as it was at that number. Events that have not
    changed since are left out. `seen_by` is not filled in.
    """
    now = images_now(uids)
    images: dict[UUID, EventImage] = {}
    found: dict[UUID, list[tuple[EventImage, Change]]] = {}
    rows = Change.objects.filter(object_uid__in=uids, number__gt=number).order_by("-number")
    for change in rows.iterator():
        uid = change.object_uid
        image = images.get(uid) or now.get(uid) or _gone(change)
        if change.object_version <= image.version:  # else it came after the row was read
            image = replace(image, values=dict(image.values))
            image.take_back(change)
            found.setdefault(uid, []).append((image, change))
        images[uid] = image
    return found


def _gone(change: Change) -> EventImage:
    """Return the image of a row that is no longer there, from its last change."""
    return EventImage(change.object_uid, change.object_version)
