"""Turn wall times into instants and back, and write VTIMEZONE components. Pure.

The truth of an event is what the clock on the wall shows in a named zone. Two wall times a year
are difficult, and RFC 5545 section 3.3.5 says how to read them: a time that the clocks skip is
read with the offset in force before the gap, a time that they show twice means the first:

    >>> instant_of(datetime(2024, 3, 31, 2, 30), "Europe/Madrid").isoformat()
    '2024-03-31T01:30:00+00:00'
    >>> instant_of(datetime(2024, 10, 27, 2, 30), "Europe/Madrid").isoformat()
    '2024-10-27T00:30:00+00:00'

Zone data come from the installed ``tzdata`` package and never from the operating system, so that
every machine of an installation computes the same instants and writes the same bytes.

A VTIMEZONE is written in one of three shapes, because desktop programs read little more than that:

* one STANDARD part, where the offset does not change in the years asked for;
* a STANDARD and a DAYLIGHT part repeating yearly from 1970, where the zone's present rule is
  "the n-th weekday of a month" and describes those years exactly;
* otherwise (Morocco's Ramadan, Egypt's and Israel's shifted weekdays, a rule that changed) one part
  for every transition in those years and a year around them.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from io import BytesIO
from typing import Final
from zoneinfo import ZoneInfo

ZONE_DATA_VERSION: Final = version("tzdata")
"""Release of the IANA time zone database in use, as the package spells it."""

UTC_NAMES: Final = frozenset(
    {"Etc/UCT", "Etc/UTC", "Etc/Universal", "Etc/Zulu", "UCT", "UTC", "Universal", "Zulu"}
)
"""Zones whose times are written with a ``Z`` and need no VTIMEZONE."""

_FIRST_YEAR: Final = 1970
_NOTHING: Final = timedelta(0)
_WEEKDAYS: Final = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_LAST_WEEK: Final = 5
_DAY_SECONDS: Final = 86_400

_NAME: Final = r"(?:<[^>]+>|[A-Za-z]+)"
_CLOCK: Final = r"[+-]?\d+(?::\d+){0,2}"
_MONTHLY: Final = rf"M(\d+)\.(\d)\.(\d)(?:/({_CLOCK}))?"
_FOOTER: Final = re.compile(rf"{_NAME}{_CLOCK}{_NAME}(?:{_CLOCK})?,{_MONTHLY},{_MONTHLY}")


class UnknownZoneError(ValueError):
    """The name is not one of the IANA time zone database."""

    def __init__(self, name: str) -> None:
        """Keep the name that was asked for."""
        super().__init__(f"{name!r} is not an IANA time zone")
        self.name = name


@dataclass(frozen=True, slots=True)
class _Transition:
    """A moment at which a zone's offset changes.

    Attributes:
        at: The first instant with the new offset, UTC.
        before: Offset from UTC until then.
        after: Offset from UTC from then on.
    """

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def onset(self) -> datetime:
        """Wall time of the change, read with the offset before it (RFC 5545 section 3.6.5)."""
        return (self.at + _whole_minutes(self.before)).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class _YearlyRule:
    """A change on the n-th weekday of a month.

    Attributes:
        month: 1 to 12.
        week: 1 to 4, or 5 for the last one.
        weekday: 0 for Sunday to 6 for Saturday.
        seconds: Wall time of the change in seconds after that day's midnight; may leave the day.
    """

    month: int
    week: int
    weekday: int
    seconds: int

    def onset(self, year: int) -> datetime:
        """Return the wall time of the change in ``year``, naive."""
        first = date(year, self.month, 1)
        day = 1 + (self.weekday - first.isoweekday()) % 7 + 7 * (self.week - 1)
        if day > _days_in_month(year, self.month):
            day -= 7
        midnight = datetime(year, self.month, day)
        return midnight + timedelta(seconds=self.seconds)

    @property
    def rrule(self) -> str:
        """The same rule as an RFC 5545 section 3.3.10 recurrence."""
        week = -1 if self.week == _LAST_WEEK else self.week
        return f"FREQ=YEARLY;BYMONTH={self.month};BYDAY={week}{_WEEKDAYS[self.weekday]}"


@dataclass(frozen=True, slots=True)
class _Observance:
    """One STANDARD or DAYLIGHT part.

    Attributes:
        onset: Wall time at which it begins, naive, read with the offset before.
        before: Offset from UTC until then.
        after: Offset from UTC from then on.
        name: Abbreviation, such as ``CEST``.
        is_daylight: Whether it is written as DAYLIGHT.
        rrule: Recurrence, empty for a single transition.
    """

    onset: datetime
    before: timedelta
    after: timedelta
    name: str
    is_daylight: bool
    rrule: str = ""

    def lines(self) -> Iterator[str]:
        """Yield the part's content lines, without line ends."""
        kind = "DAYLIGHT" if self.is_daylight else "STANDARD"
        yield f"BEGIN:{kind}"
        yield f"DTSTART:{self.onset:%Y%m%dT%H%M%S}"
        yield f"TZOFFSETFROM:{_offset_text(self.before)}"
        yield f"TZOFFSETTO:{_offset_text(self.after)}"
        yield f"TZNAME:{self.name}"
        if self.rrule:
            yield f"RRULE:{self.rrule}"
        yield f"END:{kind}"


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the names of all zones that times may be given in."""
    return frozenset((files("tzdata") / "zones").read_text(encoding="ascii").split())


@lru_cache(maxsize=640)
def zone_named(name: str) -> ZoneInfo:
    """Return the zone called ``name``.

    Raises:
        UnknownZoneError: There is no such zone.
    """
    return ZoneInfo.from_file(BytesIO(_zone_bytes(name)), key=name)


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """Return the country of each zone that the database gives one, as ISO 3166 codes."""
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {row[2]: row[0] for row in rows}


def country_of(zone: str) -> str:
    """Return the country in which a zone's city lies, "CN"; "" where the database names none."""
    return _countries().get(zone, "")


def instant_of(wall: datetime, zone: str) -> datetime:
    """Return the instant, in UTC, at which clocks in ``zone`` show the naive time ``wall``.

    Skipped times are read with the offset before the gap, repeated ones mean the first
    (RFC 5545 section 3.3.5).

    Raises:
        UnknownZoneError: There is no such zone.
        ValueError: ``wall`` already carries a zone.
    """
    if wall.tzinfo is not None:
        raise ValueError("a wall time carries no zone of its own")
    return wall.replace(tzinfo=zone_named(zone), fold=0).astimezone(UTC)


def wall_of(instant: datetime, zone: str) -> datetime:
    """Return the naive time that clocks in ``zone`` show at ``instant``.

    Raises:
        UnknownZoneError: There is no such zone.
        ValueError: ``instant`` carries no zone.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant carries its zone")
    return instant.astimezone(zone_named(zone)).replace(tzinfo=None, fold=0)


def vtimezone(zone: str, *, first: date, last: date) -> str:
    """Return the VTIMEZONE of ``zone`` for wall times from ``first`` to ``last``, both included.

    Content lines end in CRLF. Offsets are whole minutes. The text depends on the years only where
    the zone is irregular in them.

    Raises:
        UnknownZoneError: There is no such zone.
    """
    return _vtimezone(zone, first.year, last.year)


@lru_cache(maxsize=1024)
def _vtimezone(zone: str, first_year: int, last_year: int) -> str:
    """Write the component for whole years; see `vtimezone`."""
    since = datetime(max(first_year - 1, 2), 1, 1, tzinfo=UTC)
    until = datetime(min(last_year + 2, 9998), 1, 1, tzinfo=UTC)
    transitions = tuple(_transitions(zone_named(zone), since, until))
    observances = (
        _steady(zone, since)
        if not transitions
        else _yearly(zone, transitions) or _single(zone, since, transitions)
    )
    lines = ["BEGIN:VTIMEZONE", f"TZID:{zone}"]
    for observance in observances:
        lines.extend(observance.lines())
    lines.append("END:VTIMEZONE\r\n")
    return "\r\n".join(lines)


def _steady(zone: str, since: datetime) -> list[_Observance]:
    """Return the one part of a zone that keeps its offset."""
    local = since.astimezone(zone_named(zone))
    offset = _offset(local)
    return [_Observance(datetime(_FIRST_YEAR, 1, 1), offset, offset, _name(local), False)]


def _yearly(zone: str, transitions: tuple[_Transition, ...]) -> list[_Observance]:
    """Return a repeating pair if the zone's present rule gives just ``transitions``, else nothing.

    The parts stand in calendar order of their first occurrence.
    """
    rules = _present_rules(zone)
    years = range(transitions[0].onset.year, transitions[-1].onset.year + 1)
    onsets = sorted(rule.onset(year) for year in years for rule in rules)
    if onsets != [transition.onset for transition in transitions]:
        return []
    pair = []
    for transition in transitions[:2]:
        rule = next(r for r in rules if r.onset(transition.onset.year) == transition.onset)
        pair.append(
            _Observance(
                onset=rule.onset(_FIRST_YEAR),
                before=transition.before,
                after=transition.after,
                name=_name(transition.at.astimezone(zone_named(zone))),
                is_daylight=transition.after > transition.before,
                rrule=rule.rrule,
            )
        )
    return sorted(pair, key=lambda observance: observance.onset)


def _single(
    zone: str, since: datetime, transitions: tuple[_Transition, ...]
) -> Iterator[_Observance]:
    """Yield one part for the offset at ``since`` and one for each of ``transitions``.

    Where winter is the exception (Ireland, Morocco's Ramadan: a negative saving), the normal time
    beside it is the DAYLIGHT part, as programs expect the greater offset under that name.
    """
    info = zone_named(zone)
    changes = [_Transition(since, transitions[0].before, transitions[0].before), *transitions]
    savings = [change.at.astimezone(info).dst() or _NOTHING for change in changes]
    for index, change in enumerate(changes):
        beside = savings[max(index - 1, 0) : index + 2]
        yield _Observance(
            onset=change.onset,
            before=change.before,
            after=change.after,
            name=_name(change.at.astimezone(info)),
            is_daylight=savings[index] > min(_NOTHING, *beside),
        )


def _transitions(info: ZoneInfo, since: datetime, until: datetime) -> Iterator[_Transition]:
    """Yield the changes of offset after ``since`` and before ``until``, to the second.

    No zone has ever changed its offset twice within a day and back.
    """

    def offset_at(second: int) -> timedelta:
        return _offset(datetime.fromtimestamp(second, info))

    low = int(since.timestamp())
    before = offset_at(low)
    for high in range(low + _DAY_SECONDS, int(until.timestamp()) + 1, _DAY_SECONDS):
        after = offset_at(high)
        if after != before:
            changed = bisect_right(range(low, high), 0, key=lambda at: offset_at(at) != before)
            yield _Transition(datetime.fromtimestamp(low + changed, UTC), before, after)
        low, before = high, after


@lru_cache(maxsize=640)
def _present_rules(zone: str) -> tuple[_YearlyRule, ...]:
    """Return the yearly changes named in the footer of the zone's file (RFC 9636 section 3.3).

    Empty where there are none, or where they cannot be said as an n-th weekday of a month.
    """
    footer = _zone_bytes(zone).rstrip(b"\n").rpartition(b"\n")[2].decode("ascii")
    match = _FOOTER.fullmatch(footer)
    if match is None:
        return ()
    parts = match.groups()
    rules = tuple(
        _YearlyRule(int(month), int(week), int(weekday), _clock_seconds(clock or "2"))
        for month, week, weekday, clock in (parts[:4], parts[4:])
    )
    if all(0 <= rule.seconds < _DAY_SECONDS for rule in rules):
        return rules
    return ()


def _zone_bytes(name: str) -> bytes:
    """Return the compiled zone file.

    Raises:
        UnknownZoneError: There is no such zone.
    """
    if name not in zone_names():
        raise UnknownZoneError(name)
    return (files("tzdata") / "zoneinfo").joinpath(*name.split("/")).read_bytes()


def _clock_seconds(text: str) -> int:
    """Return the seconds of ``[+-]h[:m[:s]]``; without a sign they count forward."""
    hours, minutes, seconds = (*text.lstrip("+-").split(":"), "0", "0")[:3]
    total = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return -total if text.startswith("-") else total


def _days_in_month(year: int, month: int) -> int:
    """Return the number of days, 28 to 31."""
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def _offset(local: datetime) -> timedelta:
    """Return the offset from UTC of an aware time."""
    return local.utcoffset() or _NOTHING


def _name(local: datetime) -> str:
    """Return the zone's abbreviation at an aware time."""
    return local.tzname() or "UTC"


def _whole_minutes(offset: timedelta) -> timedelta:
    """Return ``offset`` without its seconds: some programs refuse a zone that has them."""
    return timedelta(minutes=offset // timedelta(minutes=1))


def _offset_text(offset: timedelta) -> str:
    """Return ``+HHMM`` or ``-HHMM``."""
    minutes = offset // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
