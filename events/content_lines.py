"""Read iCalendar text into components and properties, guardedly (RFC 5545 section 3.1). Pure.

What calendar programs send is read as it is, values unescaped only where they are asked for:
most of what they add (alarms, pictures, marks of their own) is nobody's business here, and a
strange line among it must not keep a secretary from moving a meeting. What is read costs as much
as the text is long, whatever is in it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

MAX_LINES: Final = 5000
MAX_DEPTH: Final = 4  # VCALENDAR, VTIMEZONE or VEVENT, STANDARD or VALARM, and one to spare

_BREAK: Final = re.compile(r"\r\n|\n|\r")
_NAME: Final = re.compile(r"[A-Za-z0-9-]++(?=[;:])")
_FOLD: Final = re.compile(r"(?:\r\n|\n|\r)[ \t]")
_VALUE: Final = r'(?:"[^"]*+"|[^";:,]*+)'
_LINE: Final = re.compile(rf"([A-Za-z0-9-]++)((?:;[A-Za-z0-9-]++={_VALUE}(?:,{_VALUE})*+)*+):(.*)")
_PARAMETER: Final = re.compile(rf";([A-Za-z0-9-]++)=({_VALUE})")
_ESCAPE: Final = re.compile(r"\\([\\;,nN])")
_CARET: Final = re.compile(r"\^(['^n])")
_MEANT: Final = {"'": '"', "^": "^", "n": "\n"}


class MalformedText(ValueError):
    """The text is no iCalendar stream."""


@dataclass(frozen=True, slots=True)
class Property:
    """One content line.

    Attributes:
        name: In capitals.
        parameters: By name in capitals; of several values the first.
        raw: The value as it stands in the text.
    """

    name: str
    parameters: Mapping[str, str]
    raw: str

    @property
    def text(self) -> str:
        """The value as TEXT (RFC 5545 section 3.3.11)."""
        return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], self.raw)


@dataclass(slots=True)
class Component:
    """A component with its properties and the components in it.

    Attributes:
        name: In capitals.
        lines: Its content lines, unfolded, as they stand; read when they are asked for.
    """

    name: str
    lines: dict[str, list[str]] = field(default_factory=dict)
    parts: list["Component"] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        """Return the properties of a name, in order.

        Raises:
            MalformedText: One of them cannot be read.
        """
        return [_property(line) for line in self.lines.get(name, ())]

    def first(self, name: str) -> Property | None:
        """Return the first property of a name, or None."""
        return next(iter(self.all(name)), None)

    def text(self, name: str) -> str | None:
        """Return the text of the first property of a name, or None."""
        found = self.first(name)
        return None if found is None else found.text

    def has(self, name: str) -> bool:
        """Return whether there is a property of a name."""
        return name in self.lines

    def named(self, name: str) -> list["Component"]:
        """Return the components of a name in it, in order."""
        return [part for part in self.parts if part.name == name]


def read_components(octets: bytes) -> list[Component]:
    """Return the components at the top of a text, usually one VCALENDAR.

    Raises:
        MalformedText: It is not UTF-8, has too many lines, nests too deeply, or its BEGIN and END
            do not match.
    """
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedText("not UTF-8") from error
    top = Component("")
    path = [top]
    for line in _unfolded(text):
        name = _name(line)
        if name == "BEGIN":
            if len(path) > MAX_DEPTH:
                raise MalformedText("nested too deeply")
            path.append(Component(_tag(line)))
            path[-2].parts.append(path[-1])
        elif name == "END":
            if len(path) == 1 or path.pop().name != _tag(line):
                raise MalformedText("END without BEGIN")
        elif len(path) == 1:
            raise MalformedText("text outside a component")
        else:
            path[-1].lines.setdefault(name, []).append(line)
    if len(path) > 1:
        raise MalformedText("BEGIN without END")
    return top.parts


def _unfolded(text: str) -> Iterator[str]:
    """Yield the content lines that are not empty, folds undone."""
    if text.count("\n") + text.count("\r") > MAX_LINES * 8:
        raise MalformedText("too many lines")
    lines = [line for line in _BREAK.split(_FOLD.sub("", text)) if line.strip()]
    if len(lines) > MAX_LINES:
        raise MalformedText("too many lines")
    yield from lines


def _name(line: str) -> str:
    """Return the name at the beginning of a content line, in capitals."""
    match = _NAME.match(line)
    if match is None:
        raise MalformedText("a line without a name")
    return match[0].upper()


def _tag(line: str) -> str:
    """Return what a BEGIN or END names, in capitals."""
    return line.partition(":")[2].strip().upper()


def _property(line: str) -> Property:
    """Read one content line.

    Raises:
        MalformedText: It is none.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        raise MalformedText("a line that cannot be read")
    name, parameters, raw = match.groups()
    found: dict[str, str] = {}
    for key, value in _PARAMETER.findall(parameters):
        found.setdefault(key.upper(), _CARET.sub(lambda m: _MEANT[m[1]], value.strip('"')))
    return Property(name.upper(), found, raw)
