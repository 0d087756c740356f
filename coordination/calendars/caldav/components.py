"""Read our own calendar text back into components and lines, for filters and partial answers.

Only what `events.vevent`, `events.vtodo` and `events.zones` write is read here, so this is no
iCalendar parser: clients' text goes another way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Final

from events.zones import instant_of

_LINE: Final = re.compile(r'([A-Z0-9-]+)((?:;[A-Z0-9-]+=(?:"[^"]*"|[^;:"]*))*):(.*)', re.DOTALL)
_PARAMETER: Final = re.compile(r';([A-Z0-9-]+)=("[^"]*"|[^;:"]*)')
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass
class Line:
    """One property, as it stands in the text.

    Attributes:
        name: upper case.
        raw: the line as written, folded, with its line break.
        parameters: by name, unquoted.
        value: unfolded, still escaped.
    """

    name: str
    raw: str
    parameters: dict[str, str]
    value: str

    @cached_property
    def text(self) -> str:
        """The value as TEXT (RFC 5545 section 3.3.11)."""
        return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], self.value)

    def instant(self, zone: str) -> datetime | None:
        """Return the value as an instant; a date is its midnight in ``zone``; None for neither."""
        try:
            if len(self.value) == 8:
                day = date.fromisoformat(self.value)
                return instant_of(datetime(day.year, day.month, day.day), zone)
            wall = datetime.strptime(self.value.removesuffix("Z"), "%Y%m%dT%H%M%S")
        except ValueError:
            return None
        if self.value.endswith("Z"):
            return wall.replace(tzinfo=UTC)
        return instant_of(wall, self.parameters.get("TZID", zone))


@dataclass
class Component:
    """A component, its lines and what stands inside it."""

    name: str
    lines: list[Line] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    def named(self, name: str) -> list[Line]:
        """Return the lines of a name."""
        return [line for line in self.lines if line.name == name]

    def first(self, name: str) -> Line | None:
        """Return the first line of a name, or None."""
        return next((line for line in self.lines if line.name == name), None)


def read_component(text: str) -> Component:
    """Return the outermost component of a text of ours.

    Raises:
        ValueError: the text is none of ours.
    """
    outermost = Component("")
    stack = [outermost]
    for raw in _raw_lines(text):
        match = _LINE.fullmatch(raw.replace("\r\n ", "").removesuffix("\r\n"))
        if match is None:
            raise ValueError(raw)
        name, parameters, value = match.groups()
        if name == "BEGIN":
            inner = Component(value)
            stack[-1].components.append(inner)
            stack.append(inner)
        elif name == "END":
            stack.pop()
        else:
            found = {key: said.strip('"') for key, said in _PARAMETER.findall(parameters)}
            stack[-1].lines.append(Line(name, raw, found, value))
    return outermost.components[0]


def _raw_lines(text: str) -> Iterator[str]:
    """Yield content lines as written, folds and all."""
    kept = ""
    for piece in text.split("\r\n"):
        if piece.startswith(" "):
            kept += f"{piece}\r\n"
            continue
        if kept:
            yield kept
        kept = f"{piece}\r\n" if piece else ""
    if kept:
        yield kept
