"""Change a rendered event to what one subscriber asked for: alarms, whole days. Pure.

Texts are rendered once for all who may read them. What a single person wants beyond that is put
on when their calendar is compiled, and gives the same bytes every time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from events.vevent import folded

DAY: Final = 24 * 60  # minutes
MORNING: Final = 9 * 60  # minutes after midnight: when alarms of whole days ring
TRANSPARENT: Final = "TRANSP:TRANSPARENT"

_LINE_END: Final = re.compile(r"\r\n(?![ \t])")  # a line that goes on begins with a blank
_END: Final = "END:VEVENT"


def dress(body: str, *, days: tuple[date, date] | None = None, alarms: Sequence[int] = ()) -> str:
    """Return a VEVENT as one subscriber wants it.

    Args:
        body: the component, lines ending in CRLF.
        days: first and last day, both included, to show in place of the hours; None leaves them.
            Whole days take nobody's time, or they would show people as busy all day.
        alarms: minutes before the beginning. An event that does not take place then rings for
            nobody: one that is cancelled, or postponed without a new date.
    """
    lines = _LINE_END.split(body.removesuffix("\r\n"))
    rings = TRANSPARENT not in lines and "STATUS:CANCELLED" not in lines
    if days is not None:
        lines = list(_in_days(lines, *days))
    if rings and alarms:
        lines[-1:] = [*_alarms(lines, alarms), _END]
    return "\r\n".join(lines) + "\r\n"


def _in_days(lines: Sequence[str], first: date, last: date) -> Iterator[str]:
    """Yield the lines with whole days in place of hours; DTEND is exclusive (RFC 5545 3.6.1)."""
    for line in lines:
        if line.startswith("DTSTART"):
            yield f"DTSTART;VALUE=DATE:{first:%Y%m%d}"
            yield f"DTEND;VALUE=DATE:{last + timedelta(days=1):%Y%m%d}"
            if TRANSPARENT not in lines:
                yield TRANSPARENT
        elif not line.startswith("DTEND"):
            yield line


def _alarms(lines: Sequence[str], alarms: Sequence[int]) -> Iterator[str]:
    """Yield one VALARM for each trigger (RFC 5545 section 3.6.6, UID by RFC 9074 section 4)."""
    whole_days = any(line.startswith("DTSTART;VALUE=DATE:") for line in lines)
    uid = next(line for line in lines if line.startswith("UID:"))
    summary = next(line for line in lines if line.startswith("SUMMARY"))
    words = summary.replace("\r\n ", "").partition(":")[2]
    for trigger in dict.fromkeys(_trigger(minutes, whole_days=whole_days) for minutes in alarms):
        yield "BEGIN:VALARM"
        yield f"UID:{uuid5(NAMESPACE_URL, f'{uid}/{trigger}')}"
        yield "ACTION:DISPLAY"
        yield folded("DESCRIPTION", words).removesuffix("\r\n")
        yield f"TRIGGER:{trigger}"
        yield "END:VALARM"


def _trigger(minutes: int, *, whole_days: bool) -> str:
    """Return how long before the beginning to ring (RFC 5545 section 3.3.6).

    A whole day begins at midnight, when nobody wants a bell: it rings at nine in the morning, so
    many full days before.
    """
    before = minutes // DAY * DAY - MORNING if whole_days else minutes
    sign = "-" if before > 0 else ""
    days, rest = divmod(abs(before), DAY)
    hours, left = divmod(rest, 60)
    clock = (f"{hours}H" if hours else "") + (f"{left}M" if left else "")
    if not days and not clock:
        return "PT0S"
    return f"{sign}P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
