"""calendar-data (RFC 4791 section 9.6): whole, in part, or with its times in UTC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Final
from xml.etree.ElementTree import Element

from django.utils.translation import gettext_lazy as _

from coordination.calendars.caldav.components import Component, Line, read_component
from coordination.calendars.caldav.filters import invalid_filter, read_range
from coordination.calendars.caldav.objects import MEDIA_TYPE, CalendarObject
from coordination.calendars.caldav.xml import CALDAV, DAV, Refused, name, text

CALENDAR_DATA: Final = name(CALDAV, "calendar-data")
TIMES: Final = frozenset({"DTSTART", "DTEND", "DUE"})


@dataclass(frozen=True, slots=True)
class Part:
    """What is wanted of a component.

    Attributes:
        properties: name -> whether the value is left out; None for all of them.
        components: by name; None for all of them, whole.
    """

    properties: Mapping[str, bool] | None = None
    components: Mapping[str, Part] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Form:
    """How calendar-data is wanted."""

    part: Part | None = None
    is_expanded: bool = False

    def write(self, item: CalendarObject) -> str:
        """Return an object's calendar-data as character data of XML."""
        return text(self.written(item))

    def written(self, item: CalendarObject) -> str:
        """Return an object in this form."""
        whole = item.body()
        if self.part is None and not self.is_expanded:
            return whole
        calendar = read_component(whole)
        if self.is_expanded:
            calendar = _in_utc(calendar)
        return _write(calendar, self.part or Part())


def form_of(holder: Element) -> Form | None:
    """Return how a report wants calendar-data; None where it does not ask for any.

    Raises:
        Refused: 403, another media type or version, or an element that is not right.
    """
    found = holder.find(f"{name(DAV, 'prop')}/{CALENDAR_DATA}")
    if found is None:
        return None
    kind, version = found.get("content-type", MEDIA_TYPE), found.get("version", "2.0")
    if kind.split(";")[0].strip().lower() != MEDIA_TYPE or version != "2.0":
        sentence = _("Calendar data are offered as text/calendar, version 2.0.")
        raise Refused(403, "<C:supported-calendar-data/>", sentence)
    expanded = found.find(name(CALDAV, "expand"))
    for local in ("expand", "limit-recurrence-set", "limit-freebusy-set"):
        for element in found.findall(name(CALDAV, local)):
            if element.get("start") is None or element.get("end") is None:
                raise invalid_filter()  # RFC 4791 section 9.6.5: both are required
            read_range(element)  # nothing here recurs, so the range itself changes nothing
    wanted = found.find(name(CALDAV, "comp"))
    part = _part(wanted) if wanted is not None else None
    return Form(part, is_expanded=expanded is not None)


def data_property(form: Form | None) -> dict[str, Callable[[CalendarObject], str]]:
    """Return calendar-data as a property of objects, where it is asked for."""
    return {CALENDAR_DATA: form.write} if form is not None else {}


def _part(element: Element) -> Part:
    properties: dict[str, bool] | None = {}
    components: dict[str, Part] | None = {}
    for child in element:
        named = child.get("name", "").upper()
        if child.tag == name(CALDAV, "allprop"):
            properties = None
        elif child.tag == name(CALDAV, "allcomp"):
            components = None
        elif child.tag == name(CALDAV, "prop") and properties is not None:
            properties[named] = child.get("novalue", "no") == "yes"
        elif child.tag == name(CALDAV, "comp") and components is not None:
            components[named] = _part(child)
    if not len(element):
        return Part()
    return Part(properties, components)


def _write(component: Component, part: Part) -> str:
    """Return the part of a component that is wanted."""
    pieces = [f"BEGIN:{component.name}\r\n"]
    for line in component.lines:
        if part.properties is None:
            pieces.append(line.raw)
        elif line.name in part.properties:
            without = part.properties[line.name]
            pieces.append(f"{line.name}:\r\n" if without else line.raw)
    for inner in component.components:
        if part.components is None:
            pieces.append(_write(inner, Part()))
        elif inner.name in part.components:
            pieces.append(_write(inner, part.components[inner.name]))
    return "".join((*pieces, f"END:{component.name}\r\n"))


def _in_utc(calendar: Component) -> Component:
    """Return the calendar with its times in UTC and no VTIMEZONE (RFC 4791 section 9.6.5)."""
    components = [
        Component(inner.name, [_line_in_utc(line) for line in inner.lines], inner.components)
        for inner in calendar.components
        if inner.name != "VTIMEZONE"
    ]
    return Component(calendar.name, calendar.lines, components)


def _line_in_utc(line: Line) -> Line:
    if line.name not in TIMES or "TZID" not in line.parameters:
        return line
    instant = line.instant(line.parameters["TZID"])
    if instant is None:
        return line
    value = f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return Line(line.name, f"{line.name}:{value}\r\n", {}, value)
