"""Filters of calendar-query (RFC 4791 section 9.7): read once, then asked of each object.

A filter that cannot be understood is refused with the element that the RFC names, and never taken
for a wider one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element

from django.utils.translation import gettext_lazy as _

from coordination.calendars.caldav.components import Component, Line
from coordination.calendars.caldav.properties import COLLATIONS
from coordination.calendars.caldav.xml import CALDAV, Refused, name, text

MOST_FILTERS: Final = 100
LONGEST_TEXT: Final = 10_000  # characters to look for; the longest text of an event is shorter
FIRST: Final = datetime(1, 1, 4, tzinfo=UTC)
LAST: Final = datetime(9999, 12, 28, tzinfo=UTC)
_STAMP: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_KNOWN: Final = ("prop-filter", "comp-filter", "time-range", "is-not-defined")


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Instants from `since` to `until`, which is excluded; open ends lie beyond all events."""

    since: datetime
    until: datetime

    def overlaps(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether a half-open span of some length has a moment in it (RFC 4791 section 9.9)."""
        return self.since < ends_at and self.until > starts_at

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies in it."""
        return self.since <= instant < self.until

    def holds_deadline(self, due_at: datetime) -> bool:
        """Whether a VTODO with nothing but a DUE does (RFC 4791 section 9.9, its table)."""
        return self.since < due_at <= self.until


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A substring, compared under a collation (RFC 4791 sections 7.5 and 9.7.5).

    Attributes:
        wanted: folded already, once for all values that it is looked for in.
    """

    wanted: str
    collation: str
    is_negated: bool

    def test(self, value: str) -> bool:
        """Whether a value holds the substring; the contrary where negated."""
        found = self.wanted in _folded(value, self.collation)
        return found is not self.is_negated


@dataclass(frozen=True, slots=True)
class ParameterFilter:
    """A condition on a parameter of a property."""

    name: str
    is_not_defined: bool
    match: TextMatch | None

    def test(self, line: Line) -> bool:
        """Whether the property fulfils it."""
        value = line.parameters.get(self.name)
        if value is None or self.is_not_defined:
            return value is None and self.is_not_defined
        return self.match is None or self.match.test(value)


@dataclass(frozen=True, slots=True)
class PropertyFilter:
    """A condition on a property of a component."""

    name: str
    is_not_defined: bool
    time_range: TimeRange | None
    match: TextMatch | None
    parameters: tuple[ParameterFilter, ...]

    def test(self, component: Component, zone: str) -> bool:
        """Whether some property of this name fulfils it; dates lie in ``zone``."""
        lines = component.named(self.name)
        if self.is_not_defined:
            return not lines
        return any(self._holds(line, zone) for line in lines)

    def _holds(self, line: Line, zone: str) -> bool:
        if self.time_range is not None:
            instant = line.instant(zone)
            if instant is None or not self.time_range.holds(instant):
                return False
        if self.match is not None and not self.match.test(line.text):
            return False
        return all(parameter.test(line) for parameter in self.parameters)


@dataclass(frozen=True, slots=True)
class ComponentFilter:
    """A condition on a component, and on what is in it."""

    name: str
    is_not_defined: bool = False
    time_range: TimeRange | None = None
    properties: tuple[PropertyFilter, ...] = ()
    components: tuple[ComponentFilter, ...] = ()

    @property
    def is_time_only(self) -> bool:
        """Whether nothing but the time is asked of the component."""
        return not (self.is_not_defined or self.properties or self.components)

    def test(self, holder: Component, zone: str) -> bool:
        """Whether ``holder`` has a component of this name that fulfils it."""
        found = [inner for inner in holder.components if inner.name == self.name]
        if self.is_not_defined:
            return not found
        return any(self._holds(inner, zone) for inner in found)

    def _holds(self, component: Component, zone: str) -> bool:
        if self.time_range is not None and not _in_time(component, self.time_range, zone):
            return False
        return all(one.test(component, zone) for one in self.properties) and all(
            one.test(component, zone) for one in self.components
        )


def read_filter(element: Element | None) -> ComponentFilter:
    """Return the filter of a calendar-query: the one on its VCALENDAR.

    Raises:
        Refused: 403 with valid-filter, supported-filter or supported-collation.
    """
    if element is None or len(list(element.iter())) > MOST_FILTERS:
        raise invalid_filter()
    holders = list(element)
    if len(holders) != 1 or holders[0].tag != name(CALDAV, "comp-filter"):
        raise invalid_filter()
    outermost = _component_filter(holders[0])
    if outermost.name != "VCALENDAR" or outermost.is_not_defined or outermost.time_range:
        raise invalid_filter()
    return outermost


def read_range(element: Element) -> TimeRange:
    """Return a time-range, or another element with the same attributes.

    Raises:
        Refused: 403 valid-filter: neither end, one that is no UTC time, or an end not after it.
    """
    starts, ends = element.get("start"), element.get("end")
    if starts is None and ends is None:
        raise invalid_filter()
    since = _instant(starts) if starts is not None else FIRST
    until = _instant(ends) if ends is not None else LAST
    if until <= since:
        raise invalid_filter()
    return TimeRange(max(since, FIRST), min(until, LAST))


def invalid_filter() -> Refused:
    """Return the refusal of a filter that cannot be understood."""
    sentence = _("The filter cannot be understood: an element or a time in it is not right.")
    return Refused(403, "<C:valid-filter/>", sentence)


def _instant(stamp: str) -> datetime:
    if not _STAMP.fullmatch(stamp):
        raise invalid_filter()
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise invalid_filter() from error


def _component_filter(element: Element) -> ComponentFilter:
    children = _children(element, _KNOWN)
    ranges = [child for child in children if child.tag == name(CALDAV, "time-range")]
    return ComponentFilter(
        name=_name_of(element),
        is_not_defined=_is_not_defined(children),
        time_range=read_range(ranges[0]) if ranges else None,
        properties=tuple(map(_property_filter, _of(children, "prop-filter"))),
        components=tuple(map(_component_filter, _of(children, "comp-filter"))),
    )


def _property_filter(element: Element) -> PropertyFilter:
    known = ("is-not-defined", "time-range", "text-match", "param-filter")
    children = _children(element, known)
    ranges = _of(children, "time-range")
    return PropertyFilter(
        name=_name_of(element),
        is_not_defined=_is_not_defined(children),
        time_range=read_range(ranges[0]) if ranges else None,
        match=_text_match(children),
        parameters=tuple(map(_parameter_filter, _of(children, "param-filter"))),
    )


def _parameter_filter(element: Element) -> ParameterFilter:
    children = _children(element, ("is-not-defined", "text-match"))
    return ParameterFilter(_name_of(element), _is_not_defined(children), _text_match(children))


def _text_match(children: list[Element]) -> TextMatch | None:
    found = _of(children, "text-match")
    if not found:
        return None
    collation = found[0].get("collation", "i;ascii-casemap")
    if collation == "default":
        collation = "i;ascii-casemap"
    if collation not in COLLATIONS:
        sentence = _("This collation is not offered. Known are: %s.") % ", ".join(COLLATIONS)
        raise Refused(403, "<C:supported-collation/>", sentence)
    negated = found[0].get("negate-condition", "no")
    if negated not in ("yes", "no"):
        raise invalid_filter()
    wanted = found[0].text or ""
    if len(wanted) > LONGEST_TEXT:
        condition = "<D:number-of-matches-within-limits/>"
        raise Refused(403, condition, _("The request asks for too much at once."))
    return TextMatch(_folded(wanted, collation), collation, negated == "yes")


def _name_of(element: Element) -> str:
    found = element.get("name", "").strip().upper()
    if not found:
        raise invalid_filter()
    return found


def _is_not_defined(children: list[Element]) -> bool:
    found = bool(_of(children, "is-not-defined"))
    if found and len(children) > 1:
        raise invalid_filter()
    return found


def _of(children: list[Element], local: str) -> list[Element]:
    return [child for child in children if child.tag == name(CALDAV, local)]


def _children(element: Element, known: tuple[str, ...]) -> list[Element]:
    """Return the children; a condition that is not known is refused, not overlooked."""
    allowed = {name(CALDAV, local) for local in known}
    for child in element:
        if child.tag not in allowed:
            sentence = _("The filter holds a condition that is not offered here.")
            condition = f"<C:supported-filter>{_named(element)}</C:supported-filter>"
            raise Refused(403, condition, sentence)
    return list(element)


def _named(element: Element) -> str:
    local = "prop-filter" if element.tag == name(CALDAV, "prop-filter") else "comp-filter"
    return f'<C:{local} name="{text(element.get("name", "")).replace(chr(34), "&quot;")}"/>'


def _in_time(component: Component, span: TimeRange, zone: str) -> bool:
    """Whether an event or a task lies in a time; nothing else that we write has one."""
    if component.name == "VTODO":
        due = component.first("DUE")
        due_at = due.instant(zone) if due is not None else None
        return due_at is not None and span.holds_deadline(due_at)
    if component.name != "VEVENT":
        return False
    starts, ends = component.first("DTSTART"), component.first("DTEND")
    starts_at = starts.instant(zone) if starts is not None else None
    if starts_at is None:
        return False
    ends_at = ends.instant(zone) if ends is not None else None
    if ends_at is None or ends_at <= starts_at:
        return span.holds(starts_at)
    return span.overlaps(starts_at, ends_at)


def _folded(value: str, collation: str) -> str:
    """Return a value so that plain comparison is comparison under the collation."""
    if collation == "i;octet":
        return value
    if collation == "i;unicode-casemap":  # RFC 5051: titlecase, then decomposed
        return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", value).casefold())
    return value.translate(_ASCII_UPPER)


_ASCII_UPPER: Final = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
