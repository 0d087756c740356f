"""What a chosen reader would get, and when: a rule tried out without sending anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from alliances.expiring import day_of_rights
from coordination.bilingual import LANGUAGES
from coordination.deliveries.news import PERSONAL_CHANNELS
from coordination.deliveries.recipients import Reader, readers_of
from coordination.deliveries.sources import Rendered
from events.audiences import recipients_of_rule
from events.fanning import sending_for
from events.foreseeing import foresee_one
from events.grouping import ReaderGroup, with_clocks
from events.models import Event, ReminderRule
from events.quiet import QuietNote
from events.reminder_letters import render_reminders

MOST_READERS = 50
MOST_TIMES = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """One time at which the reader would be reminded.

    Attributes:
        due_at: instant at which it falls due for the reader.
        send_at: instant at which it would go out; None when it would be left out.
        note: what quiet hours did.
    """

    due_at: datetime
    send_at: datetime | None
    note: QuietNote


@dataclass(frozen=True, slots=True)
class Preview:
    """A rule tried out for one event and one reader.

    Attributes:
        readers: who would be reminded, `MOST_READERS` at most, by key.
        reader: the chosen one; None when nobody would be reminded.
        times: when, in order.
        unsettled: (country, year) whose working days are not laid down yet.
        letters: the message in each language, by its tag.
    """

    readers: tuple[Reader, ...]
    reader: Reader | None
    times: tuple[Sent, ...]
    unsettled: tuple[tuple[str, int], ...]
    letters: dict[str, Rendered]


def preview_rule(event: Event, rule: ReminderRule, *, at: datetime, recipient: str = "") -> Preview:
    """Return what the rule would do for an event that has a time.

    Args:
        event: the event.
        rule: saved or not.
        at: now.
        recipient: key of the reader; the first one when left out.
    """
    day = day_of_rights(at)
    rows = _rows(event, rule, day)
    readers = readers_of([row.recipient for row in rows], PERSONAL_CHANNELS[0])
    chosen = next((row for row in rows if row.recipient == recipient), rows[0] if rows else None)
    if chosen is None or event.starts_wall is None:
        return Preview(tuple(readers.values()), None, (), (), {})
    reader = readers[chosen.recipient]
    times, unsettled = _times(event, rule, _group(chosen), at)
    seen_at = next((time.send_at for time in times if time.send_at is not None), at)
    letters = {
        language: render_reminders([(event, rule)], replace(reader, language=language), seen_at)
        for language in LANGUAGES
    }
    return Preview(tuple(readers.values()), reader, times, unsettled, letters)


def _rows(event: Event, rule: ReminderRule, day: date) -> Sequence[Any]:
    found: dict[str, Any] = {}
    seats = with_clocks(recipients_of_rule(event, rule, on=day), on=day).order_by("pk")
    for row in seats[: MOST_READERS * 4]:
        if len(found) < MOST_READERS:
            found.setdefault(row.recipient, row)
    return list(found.values())


def _group(row: Any) -> ReaderGroup:
    return ReaderGroup(
        row.reader_zone, row.reader_country, row.reader_quiet_from, row.reader_quiet_until
    )


def _times(
    event: Event, rule: ReminderRule, group: ReaderGroup, at: datetime
) -> tuple[tuple[Sent, ...], tuple[tuple[str, int], ...]]:
    foresight = foresee_one(event, rule)
    if foresight is None:
        return (), ()
    found: list[Sent] = []
    unsettled: dict[tuple[str, int], None] = {}
    for number in range(1, MOST_TIMES + 1):
        due = foresight.by_reader(number, zone=group.zone, country=group.country)
        starts = foresight.event_starts
        if due is None or (starts is not None and due.at >= starts):
            break
        unsettled |= dict.fromkeys(due.unsettled)
        sending = sending_for(group, rule, foresight, occurrence=number, now=min(at, due.at))
        if sending is not None:
            found.append(Sent(due.at, sending[1].at, sending[1].note))
    return tuple(found), tuple(unsettled)
