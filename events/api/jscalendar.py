"""An event as a JSCalendar object over the API: the format, and what its schema says of it."""

from __future__ import annotations

from typing import Any

from coordination.accounts.viewer import Viewer
from coordination.rest.reading import Reader
from coordination.rest.rendering import FastJSONRenderer, to_json
from events.api.serializers import is_inside
from events.calendar_event import Level
from events.calendar_values import calendar_event, with_window
from events.jscalendar import EVENT_MEDIA_TYPE, is_writable, jscalendar_event
from events.models import Event

RELATED = ("alliance", "plan", "work_area")
PARTS = ("hosts__organization",)
"""What to fetch with events that are written as JSCalendar."""


class JSCalendarRenderer(FastJSONRenderer):
    """`application/jscalendar+json;type=event` (RFC 8984 section 6)."""

    media_type = EVENT_MEDIA_TYPE


def level_for(viewer: Viewer, event: Event) -> Level:
    """Return how much of an event the viewer may know; that they may see it is settled."""
    if viewer.is_unlimited or viewer.has("secretariat", "alliance", event.alliance_id):
        return Level.SECRETARIAT
    inside = is_inside(Reader(viewer, viewer.language), event.concerns)
    return Level.MEMBER if inside else Level.PUBLIC


def jscalendar_of(event: Event, viewer: Viewer) -> dict[str, Any] | None:
    """Return the event in the viewer's language, at their level; None while it has no time.

    A planned event is written by its window. Reads `RELATED` and `PARTS`: fetch them with it.
    """
    values = with_window(calendar_event(event), event)
    if not is_writable(values):
        return None
    return jscalendar_event(values, language=viewer.language, level=level_for(viewer, event))


def jscalendar_bytes(event: Event, viewer: Viewer) -> bytes | None:
    """Return the same as JSON."""
    shown = jscalendar_of(event, viewer)
    return None if shown is None else to_json(shown)


def _flags(*names: str) -> dict[str, Any]:
    return {
        "type": "object",
        "propertyNames": {"enum": list(names)} if names else {"type": "string"},
        "additionalProperties": {"const": True},
    }


def _objects(of_type: str, required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """Return the schema of a map from ids to objects of one type."""
    shape = {
        "type": "object",
        "properties": {"@type": {"const": of_type}, **properties},
        "required": ["@type", *required],
        "additionalProperties": False,
    }
    return {"type": "object", "additionalProperties": shape}


_TEXT = {"type": "string"}
_UTC = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
_LOCAL = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"}
_DURATION = {"type": "string", "pattern": r"^P(\d+D|T(\d+H)?(\d+M)?(\d+S)?)$"}

JSCALENDAR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": (
        "A JSCalendar Event (RFC 8984), in the caller's language and as far as the caller may "
        "know; the other language is under `localizations`. A planned event is written by its "
        "window, as whole days; one without any date cannot be written: 406."
    ),
    "required": [
        *("@type", "uid", "prodId", "created", "updated", "sequence", "status", "freeBusyStatus"),
        *("start", "timeZone", "duration", "locale", "title", "description", "links"),
        "participants",
    ],
    "additionalProperties": False,
    "properties": {
        "@type": {"const": "Event"},
        "uid": _TEXT,
        "prodId": _TEXT,
        "created": _UTC,
        "updated": _UTC,
        "sequence": {"type": "integer", "minimum": 0},
        "status": {"type": "string", "enum": ["confirmed", "cancelled", "tentative"]},
        "freeBusyStatus": {"type": "string", "enum": ["free", "busy"]},
        "start": _LOCAL,
        "timeZone": {"type": ["string", "null"], "description": "null for whole days."},
        "duration": _DURATION,
        "showWithoutTime": {"const": True},
        "locale": {"type": "string", "enum": ["zh-Hans", "en"]},
        "title": _TEXT,
        "description": _TEXT,
        "locations": _objects("Location", name=_TEXT, coordinates=_TEXT),
        "virtualLocations": _objects(
            "VirtualLocation", ("uri",), uri=_TEXT, features=_flags("video")
        ),
        "keywords": _flags(),
        "links": _objects("Link", ("href",), href=_TEXT, contentType=_TEXT, rel=_TEXT),
        "relatedTo": _objects("Relation", ("relation",), relation=_flags("parent")),
        "participants": _objects(
            "Participant",
            ("roles",),
            kind={"const": "group"},
            name=_TEXT,
            email=_TEXT,
            roles=_flags("owner", "contact", "chair"),
        ),
        "localizations": {
            "type": "object",
            "additionalProperties": {"type": "object", "description": "A PatchObject."},
        },
    },
}
