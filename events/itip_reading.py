"""Read what calendars answer to an invitation (RFC 5546 sections 3.2.3, 3.2.7). Pure.

Programs differ in what they send back: some leave SEQUENCE out, some name zones in words of
Windows, some answer with a whole event and some with four lines. What can be read is read, and
what is missing is None; whoever counts the answer decides what that is worth.

A zone is the one of that name that everybody knows, or else so many hours from UTC. Rules of its
own are not followed: a mail could have them followed for ever, and their name stays in the library
for the mails of others.
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, Final
from urllib.parse import unquote

import icalendar
from icalendar.error import GloballyUniqueTZIDGuessed

from events.vevent import clean, one_line
from events.zone_aliases import zone_for
from events.zones import zone_named

_PARAMETERS_WITH_ADDRESSES: Final = ("DELEGATED-TO", "DELEGATED-FROM")
_MAILTO: Final = "mailto:"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FOLD: Final = re.compile(r"\n[ \t]")
_BARE_TZID: Final = re.compile(
    r"^([A-Za-z-]+(?:;[^:;]*)*;TZID=)([^\":;]*://[^\":;]*)(?=[:;])", re.I
)
_OFFSET: Final = re.compile(r"([+-])([01]\d|2[0-3])([0-5]\d)(?:[0-5]\d)?", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1900, 2200  # what lies beyond has no instant on every clock


class NotACalendar(ValueError):
    """The text is no iCalendar object, or holds no event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """An ATTENDEE as a reply names it.

    Attributes:
        address: lower case, without "mailto:".
        partstat: upper case; "NEEDS-ACTION" where none is said.
        delegated_to: addresses of those whom they send instead.
        delegated_from: addresses of those who sent them.
    """

    address: str
    name: str = ""
    partstat: str = "NEEDS-ACTION"
    delegated_to: tuple[str, ...] = ()
    delegated_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a calendar says.

    Attributes:
        method: upper case: REPLY, COUNTER, REQUEST and so on; "" where none is said.
        uid: UID of the event.
        sequence: SEQUENCE; None where it is left out.
        stamp_at: DTSTAMP, aware, UTC; None where it is left out or unreadable.
        organizer: address that it is sent to, lower case; "" where it is left out.
        attendees: who answers: one, or also those who were sent instead.
        comment: words of whoever answered; "" for none.
        starts: DTSTART as it was read: aware, naive (floating), or a date; None for none.
        ends: DTEND, in the same way.
    """

    method: str
    uid: str
    sequence: int | None
    stamp_at: datetime | None
    organizer: str
    attendees: tuple[Participant, ...]
    comment: str = ""
    starts: datetime | date | None = None
    ends: datetime | date | None = None


def read_replies(text: str) -> list[Reply]:
    """Return what each event of an iCalendar object says.

    Raises:
        NotACalendar: it cannot be read, or holds no event.
    """
    rest, zones = _apart(_lines(text))
    try:
        replies = [
            _reply(component, str(calendar.get("METHOD", "")).upper(), zones)
            for calendar in _calendars("\r\n".join((*rest, "")))
            for component in calendar.walk("VEVENT")
        ]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise NotACalendar(str(error)[:200]) from error
    if not replies:
        raise NotACalendar("no VEVENT")
    return replies


def describe_proposal(reply: Reply, zone: str) -> str:
    """Return the time that a counter proposal asks for, on the clocks of a zone.

    It is kept with the answer, so it is written the same for readers of every language:
    "2028-05-20 14:00-16:00 (Asia/Shanghai)", or dates alone; "" without a time.
    """
    starts, ends = reply.starts, reply.ends
    if starts is None:
        return ""
    if not isinstance(starts, datetime):
        return f"{starts:%Y-%m-%d}"
    begins = _wall(starts, zone)
    until = ""
    if isinstance(ends, datetime):
        over = _wall(ends, zone)
        until = f"–{over:%H:%M}" if over.date() == begins.date() else f" – {over:%Y-%m-%d %H:%M}"
    return f"{begins:%Y-%m-%d %H:%M}{until} ({zone})"


def _wall(instant: datetime, zone: str) -> datetime:
    """Return what clocks in a zone show; a floating time shows the same everywhere."""
    return instant if instant.tzinfo is None else instant.astimezone(zone_named(zone))


def _calendars(text: str) -> Any:
    with warnings.catch_warnings():
        # What stands behind a vendor's prefix is looked up by us.
        warnings.simplefilter("ignore", GloballyUniqueTZIDGuessed)
        return icalendar.Calendar.from_ical(text, multiple=True)


def _lines(text: str) -> list[str]:
    """Return the lines whole, with what mail does to them taken back: a mark, empty lines.

    A control character (Outlook's own line break, say) would cost the line: it is a blank.
    """
    lines = (
        _CONTROL.sub(" ", text)
        .lstrip("\ufeff \r\n\t")
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .split("\n")
    )
    whole = _FOLD.sub("", "\n".join(line for line in lines if line.strip())).split("\n")
    # Exchange leaves its "tzone://Microsoft/Custom" without the quotes that a colon needs.
    return [_BARE_TZID.sub(r'\1"\2"', line) for line in whole]


def _apart(lines: Iterable[str]) -> tuple[list[str], dict[str, tzinfo]]:
    """Return the lines outside of VTIMEZONEs, and what zones those stand for, by their TZID."""
    rest: list[str] = []
    zones: dict[str, tzinfo] = {}
    inside: list[str] | None = None
    for line in lines:
        mark = line.strip().upper()
        is_mark = mark.endswith("VTIMEZONE")
        if is_mark and mark.startswith("BEGIN"):
            inside = []
        elif inside is None:
            rest.append(line)
        elif is_mark and mark.startswith("END"):
            zones |= _zone(inside)
            inside = None
        else:
            inside.append(line)
    return rest, zones


def _zone(lines: Iterable[str]) -> dict[str, tzinfo]:
    """Return a zone by its TZID; nothing where it is not known and its clocks change."""
    said: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        name, _colon, value = line.partition(":")
        said[name.partition(";")[0].strip().upper()].add(value.strip())
    tzid = next(iter(said["TZID"]), "")
    known = zone_for(tzid, *said["X-LIC-LOCATION"])
    if known is not None:
        return {tzid: zone_named(known)}
    offsets = {_OFFSET.fullmatch(offset) for offset in said["TZOFFSETTO"]}
    steady = offsets.pop() if len(offsets) == 1 else None
    if steady is None:
        return {}
    sign, hours, minutes = steady.groups()
    length = timedelta(hours=int(hours), minutes=int(minutes))
    return {tzid: timezone(-length if sign == "-" else length)}


def _reply(component: Any, method: str, zones: Mapping[str, tzinfo]) -> Reply:
    return Reply(
        method=method,
        uid=str(component.get("UID", "")).strip(),
        sequence=_number(component.get("SEQUENCE")),
        stamp_at=_instant(_decoded(component, "DTSTAMP", zones)),
        organizer=_address(_first(component.get("ORGANIZER")) or ""),
        attendees=tuple(_participant(value) for value in _all(component.get("ATTENDEE"))),
        comment=_comment(component),
        starts=_decoded(component, "DTSTART", zones),
        ends=_decoded(component, "DTEND", zones),
    )


def _comment(component: Any) -> str:
    """Return the words of whoever answered; Google keeps them beside the ATTENDEE."""
    said = [str(value).strip() for value in _all(component.get("COMMENT"))]
    said += [
        str(value.params["X-RESPONSE-COMMENT"]).strip()
        for value in _all(component.get("ATTENDEE"))
        if "X-RESPONSE-COMMENT" in getattr(value, "params", {})
    ]
    return clean("\n".join(filter(None, said))).strip()


def _participant(value: Any) -> Participant:
    parameters = getattr(value, "params", {})
    to, sent_by = (
        tuple(_address(one) for one in _listed(parameters.get(name)))
        for name in _PARAMETERS_WITH_ADDRESSES
    )
    return Participant(
        address=_address(value),
        name=one_line(str(parameters.get("CN", ""))),
        partstat=str(parameters.get("PARTSTAT", "NEEDS-ACTION")).upper(),
        delegated_to=to,
        delegated_from=sent_by,
    )


def _decoded(component: Any, name: str, zones: Mapping[str, tzinfo]) -> Any:
    """Return a date or time as Python's; None where it is left out, unreadable or out of range."""
    found = _first(component.get(name))
    try:
        value = getattr(found, "dt", None)
    except ValueError:  # a broken value, which says so when it is looked at
        return None
    if not isinstance(value, date) or not FIRST_YEAR <= value.year <= LAST_YEAR:
        return None
    zone = zones.get(str(found.params.get("TZID", "")).strip())
    return value.replace(tzinfo=zone) if isinstance(value, datetime) and zone else value


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, datetime):
        return None
    return (value.replace(tzinfo=UTC) if value.tzinfo is None else value).astimezone(UTC)


def _number(value: Any) -> int | None:
    try:
        return int(_first(value))
    except (TypeError, ValueError):
        return None


def _address(value: object) -> str:
    text = str(value).strip().strip('"')
    is_uri = text.lower().startswith(_MAILTO)
    return (unquote(text[len(_MAILTO) :]) if is_uri else text).strip().lower()


def _all(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _listed(value: Any) -> Iterable[Any]:
    """Return the addresses of a parameter: one text, or several."""
    return (one for one in _all(value) if str(one).strip())


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value
