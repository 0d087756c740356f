"""PROPPATCH (RFC 4918 section 9.2): what a person may set for themselves, and nothing else.

Apple's programs set name, colour, order and default alarms on every calendar they show, and give
a calendar up where that is refused; so it is taken also where the person may only read.
"""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, tostring

from django.http import HttpResponse
from django.utils.translation import gettext as _

from coordination.calendars.caldav import xml
from coordination.calendars.caldav.preferences import (
    ALARMS,
    SETTABLE,
    VALUE_LENGTH,
    save_preferences,
)
from coordination.calendars.caldav.resources import AnyResource, Collection, Home
from coordination.calendars.caldav.xml import APPLE, CALDAV, DAV, Refused, name

PROTECTED: Final = "<D:cannot-modify-protected-property/>"
_COLOR: Final = name(APPLE, "calendar-color")
_ZONE: Final = name(CALDAV, "calendar-timezone")


def answer_proppatch(
    resource: AnyResource, root: Element | None, *, limit: int = VALUE_LENGTH
) -> HttpResponse:
    """Take all of the changes, or none (RFC 4918 section 9.2: the whole is atomic).

    Raises:
        Refused: 400, the body is no propertyupdate.
    """
    if root is None or root.tag != name(DAV, "propertyupdate"):
        raise Refused(400, "", _("The body of a PROPPATCH is a DAV:propertyupdate."))
    changes = _changes(root)
    if not changes:
        raise Refused(400, "", _("The request does not say which property to set."))
    settable = _settable(resource)
    refused = {
        key: _why_not(key, value, settable, limit)
        for key, value in changes.items()
        if _why_not(key, value, settable, limit)
    }
    if not refused:
        collection = resource.name if isinstance(resource, Collection) else ""
        save_preferences(resource.viewer, collection, changes)
    return xml.multistatus([xml.response(resource.path, _propstats(list(changes), refused))])


def _settable(resource: AnyResource) -> frozenset[str]:
    """Return what may be set on a resource."""
    if isinstance(resource, Collection):
        return SETTABLE
    return frozenset(ALARMS) if isinstance(resource, Home) else frozenset()


def _changes(root: Element) -> dict[str, str | None]:
    """Return the properties to set, and None for those to remove; the last word counts."""
    changes: dict[str, str | None] = {}
    for action in root:
        if action.tag not in (name(DAV, "set"), name(DAV, "remove")):
            continue
        for holder in action.findall(name(DAV, "prop")):
            for child in holder:
                is_set = action.tag == name(DAV, "set")
                changes[str(child.tag)] = _value(child) if is_set else None
    return changes


def _value(child: Element) -> str:
    """Return a property's text; elements inside stay out of reach as text of their own."""
    if len(child):
        return "".join(tostring(inner, encoding="unicode") for inner in child)
    return child.text or ""


def _why_not(key: str, value: str | None, settable: frozenset[str], limit: int) -> str:
    """Return why a property is not taken, in a sentence; empty where it is."""
    if key not in settable:
        return _("This property cannot be set here.")
    if value is not None and len(value) > limit:
        return _("The value is too long.")
    if value and key == _COLOR and not _is_color(value):
        return _("A colour is written #RRGGBB or #RRGGBBAA.")
    if value and key == _ZONE and "BEGIN:VTIMEZONE" not in value:
        return _("A time zone is written as an iCalendar object with a VTIMEZONE.")
    return ""


def _is_color(value: str) -> bool:
    digits = value.strip().removeprefix("#")
    return len(digits) in (6, 8) and all(digit in "0123456789abcdefABCDEF" for digit in digits)


def _propstats(keys: list[str], refused: dict[str, str]) -> str:
    """Return 200 for all, or 403 for what is refused and 424 for the rest."""
    if not refused:
        return xml.propstat("".join(map(xml.property_element, keys)), 200)
    parts = [
        xml.propstat(xml.property_element(key), 403, condition=PROTECTED, sentence=sentence)
        for key, sentence in refused.items()
    ]
    others = [key for key in keys if key not in refused]
    if others:
        parts.append(xml.propstat("".join(map(xml.property_element, others)), 424))
    return "".join(parts)
