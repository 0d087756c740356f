"""One look at a reminder: who among its readers is told, when, and why somebody is not.

Readers are taken in groups that share clocks; each group is one statement of the fan-out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from coordination.deliveries.fanout import Cause, fan_out
from coordination.deliveries.news import PERSONAL_CHANNELS
from coordination.deliveries.sources import TOO_LATE
from events.arming import KIND, source_id_of
from events.foreseeing import Foresight
from events.grouping import ReaderGroup, groups_of, in_groups
from events.lateness import HAS_BEGUN, NEARER, Nearer, nearer_reminders
from events.models import Reminder, ReminderRule, Urgency
from events.quiet import AT_ONCE, QuietNote, Sending, sending_time

ABOUT = "events.event"
Cohorts = dict[tuple[datetime, str], list[ReaderGroup]]


@dataclass(slots=True)
class Look:
    """One look at who is told one time of a reminder.

    Attributes:
        reminder: its row.
        foresight: when it falls due.
        number: which time of it.
        at: now.
        is_for_successors: they hear it however late it is.
        left_out: why nobody is told any more; "" for those whose turn it is.
    """

    reminder: Reminder
    foresight: Foresight
    number: int
    at: datetime
    is_for_successors: bool = False
    left_out: str = ""
    _nearer: list[Nearer] | None = None

    @property
    def nearer(self) -> list[Nearer]:
        """Other reminders that may be overdue too; looked up once, and not for what is on time."""
        if self._nearer is None:
            due = self.foresight.nominal(self.number)
            first = self.foresight.looks(self.number)[0] if self.foresight.is_spread else None
            since = first or (due.at if due is not None else self.at)
            is_late = self.at - since >= AT_ONCE and not self.is_for_successors
            self._nearer = nearer_reminders(self.reminder, self.at) if is_late else []
        return self._nearer

    def why_not(self, group: ReaderGroup, due: datetime, sending: Sending) -> str:
        """Return why readers who share clocks are not told, or ""."""
        starts, late = self.foresight.event_starts, self.at - due
        if starts is not None and due >= starts:
            return HAS_BEGUN
        if self.left_out:
            return self.left_out
        if sending.at is None:
            return sending.note.value
        if self.is_for_successors or late < AT_ONCE:
            return ""
        if self.reminder.rule.is_too_late(due, self.at):
            return TOO_LATE
        clock = {"zone": group.zone, "country": group.country}
        overtaken = any(one.is_overdue_for(**clock, since=due, at=self.at) for one in self.nearer)
        return NEARER if overtaken else ""


def sending_for(
    group: ReaderGroup,
    rule: ReminderRule,
    foresight: Foresight,
    *,
    occurrence: int,
    now: datetime,
) -> tuple[datetime, Sending] | None:
    """Return when a rule falls due for readers who share clocks, and when it is sent to them."""
    due = foresight.by_reader(occurrence, zone=group.zone, country=group.country)
    if due is None:
        return None
    starts = foresight.event_starts
    sending = sending_time(
        due.at,
        zone=group.zone,
        quiet=group.quiet_hours(rule.quiet_hours) if rule.respects_quiet else None,
        now=now,
        event_starts=starts if starts is not None and due.at < starts else None,
        min_useful=rule.min_useful,
        is_urgent=rule.urgency == Urgency.URGENT,
    )
    return due.at, sending


def personal_channels(rule: ReminderRule) -> list[str]:
    """Return those of a rule's channels that reach people, each by their own address."""
    return [channel for channel in rule.channels if channel in PERSONAL_CHANNELS]


def tell_by_clocks(look: Look, readers: QuerySet[Any, Any]) -> None:
    """Write down who is told by a look over the personal channels, group by group.

    Args:
        look: which time of which reminder, and when.
        readers: rows that `with_clocks` made.
    """
    reminder, number = look.reminder, look.number
    channels = personal_channels(reminder.rule)
    cohorts: Cohorts = defaultdict(list)
    dues: dict[tuple[datetime, str], datetime] = {}
    groups = groups_of(readers)
    for group in groups:
        found = sending_for(group, reminder.rule, look.foresight, occurrence=number, now=look.at)
        if found is None or not (look.left_out or _is_turn(found[0], found[1], look)):
            continue
        due, sending = found
        dropped = look.why_not(group, due, sending)
        key = (sending.at or due, dropped)
        cohorts[key].append(group)
        dues[key] = min(due, dues.get(key, due))
    for (send_at, dropped), cohort in sorted(cohorts.items(), key=lambda item: item[0]):
        rows = readers if len(cohort) == len(groups) else in_groups(readers, cohort)
        cause = cause_of(reminder, number, dues[send_at, dropped], send_at, dropped=dropped)
        for channel in channels:
            fan_out(rows, channel=channel, cause=cause)


def _is_turn(due: datetime, sending: Sending, look: Look) -> bool:
    """Whether readers for whom it falls due at `due` are told by this look."""
    armed_at = look.reminder.armed_at
    if armed_at is not None and due <= armed_at:
        return False  # it was set after it was due for them
    if sending.note == QuietNote.BROUGHT_FORWARD:
        return True
    return due <= look.at + look.foresight.horizon


def cause_of(
    reminder: Reminder, number: int, due: datetime, send_after: datetime, *, dropped: str = ""
) -> Cause:
    """Return what the fan-out is told of one time of a reminder."""
    event = reminder.event
    is_before = event.starts_at is not None and due < event.starts_at
    return Cause(
        source=KIND,
        source_id=source_id_of(reminder, number),
        generation=reminder.generation,
        due_at=due,
        send_after=send_after,
        expires_at=event.starts_at if is_before else None,
        about_type=ABOUT,
        about_uid=event.uid,
        never_twice=reminder.rule.never_twice,
        urgent=reminder.rule.urgency == Urgency.URGENT,
        dropped_reason=dropped,
    )
