"""What becomes of a reminder that is late: sent all the same, left to a nearer one, or left out.

What a rule says by the event's clock is late for everybody at once. What it says by each reader's
clock, or by the working days of their country, is judged for each group of clocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from coordination.deliveries.sources import TOO_LATE
from events.arming import REMINDED_STATES
from events.audiences import Narrowing, is_answered_by_all
from events.foreseeing import Foresight, foresee
from events.models import Reminder, ReminderState
from events.quiet import AT_ONCE

ON_TIME = timedelta(minutes=5)
HAS_BEGUN = "event_has_begun"
NEARER = "nearer_goes_out"
BEGUN_NOTE = "event has begun"
LATE_NOTE = "too late"
NEAR_NOTE = "too near the event"
NEARER_NOTE = "a nearer reminder goes out"
LEFT_OUT = {BEGUN_NOTE: HAS_BEGUN, LATE_NOTE: TOO_LATE, NEAR_NOTE: TOO_LATE}
"""Why a reminder ends, and what the ledger then says of those whose turn had not come."""
WITHDRAWN = LEFT_OUT | {NEARER_NOTE: NEARER}
"""Why a reminder ends whose rule changed, and what the ledger then says of those who waited."""


@dataclass(frozen=True, slots=True)
class Nearer:
    """Another reminder to the same people about the same event, which is told or still will be.

    Attributes:
        reminder: its row.
        foresight: when it falls due.
    """

    reminder: Reminder
    foresight: Foresight

    def is_overdue_for(self, zone: str, country: str, *, since: datetime, at: datetime) -> bool:
        """Whether it tells readers who share clocks, and fell due for them between two instants.

        Args:
            zone: IANA name.
            country: of the organization acted for.
            since: when the older one fell due for them, not included.
            at: now, included.
        """
        row = self.reminder
        for number in (row.occurrence, row.occurrence - 1):
            due = self.foresight.by_reader(number, zone=zone, country=country) if number else None
            if due is None or not since < due.at <= at:
                continue
            was_set = row.armed_at is None or due.at > row.armed_at
            is_told = row.state == ReminderState.FIRED or not row.rule.is_too_late(due.at, at)
            if was_set and is_told:
                return True
        return False


def nearer_reminders(reminder: Reminder, at: datetime) -> list[Nearer]:
    """Return the other reminders to the same people about the same event that have not lapsed.

    One that another clock has sent meanwhile counts: whoever got the nearer needs no older one.
    """
    rule, event = reminder.rule, reminder.event
    rows = Reminder.objects.filter(
        event=event,
        state__in=(ReminderState.PENDING, ReminderState.FIRED),
        rule__audience=rule.audience,
        rule__channels=rule.channels,
    ).exclude(Q(pk=reminder.pk) | Q(rule=rule.overrides_id))  # which it stands in for
    same = Narrowing.of_rule(rule)
    found = rows.select_related("rule").order_by("pk")
    others = [row for row in found if Narrowing.of_rule(row.rule) == same]
    for row in others:
        row.event = event
    foresights = foresee((event, row.rule) for row in others)
    nearer = [
        Nearer(row, foresights[event.pk, row.rule_id])
        for row in others
        if (event.pk, row.rule_id) in foresights
    ]
    return [
        one
        for one in nearer
        if one.reminder.state == ReminderState.FIRED
        or not reason_to_skip(one.reminder, one.foresight, at)
    ]


def reason_to_skip(reminder: Reminder, foresight: Foresight | None, at: datetime) -> str:
    """Return why a due reminder is not sent to anybody, or "": the rule's late policy."""
    event, rule = reminder.event, reminder.rule
    if event.state not in REMINDED_STATES or event.starts_at is None or foresight is None:
        return "event is off"
    due = foresight.nominal(reminder.occurrence)
    if due is None:
        return "the rule changed"
    looks = foresight.looks(reminder.occurrence)
    last = max(due.at, looks[-1] if looks else due.at)
    if foresight.event_starts is not None and event.starts_at <= at:
        return BEGUN_NOTE
    if rule.is_too_late(last, at):
        return LATE_NOTE
    is_late = at - last > ON_TIME
    useful_until = event.starts_at - rule.min_useful
    if foresight.event_starts is not None and is_late and due.at <= useful_until < at:
        return NEAR_NOTE
    if rule.is_for_answers and is_answered_by_all(event):
        return "everybody has answered"
    return ""


def is_overtaken(reminder: Reminder, foresight: Foresight, at: datetime) -> bool:
    """Whether a nearer reminder is overdue for all of its readers as well."""
    due = foresight.nominal(reminder.occurrence)
    if foresight.is_spread or due is None or at - due.at < AT_ONCE:
        return False
    zone = reminder.event.time_zone
    return any(
        one.is_overdue_for(zone, "", since=due.at, at=at)
        for one in nearer_reminders(reminder, at)
        if not one.foresight.is_spread
    )
