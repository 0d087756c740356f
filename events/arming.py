"""Reminders follow from rules and events: rows derived inside the recording that changes either.

Only the rows of the events that changed are touched, however many others are pending. What a rule
has told to some while others still wait, for the end of quiet hours or a digest, follows the rule
as what is pending does: the last look keeps whoever heard it from hearing it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from coordination.changes.projections import Recorded
from coordination.deliveries.grouping import SPREAD
from coordination.deliveries.models import Delivery
from coordination.prepared import FEW, built, columns_of, few_blanks, prepared
from events.foreseeing import Foresight, foresee
from events.levels import holding, rules_over, type_key
from events.models import Event, EventState, Reminder, ReminderRule, ReminderState
from events.models.reminder import OWNERS

REMINDED_STATES = (
    *(EventState.SCHEDULED, EventState.CONFIRMED, EventState.POSTPONED),
    EventState.HELD,  # rules may remind after the end as well
)
KIND = "reminder"
BATCH = 500
MOVING = frozenset(
    {
        *("starts_at", "ends_at", "state", "time_zone", "work_area_id", "plan_id"),
        *("work_area", "plan", "type_text", "hosts"),
    }
)
SET_TOO_LATE = "set after it was due"
COLUMNS = [
    *("due_at", "nominal_at", "occurrence", "armed_at", "retimed_at", "fired_at"),
    *("state", "generation", "note"),
]


def keep_reminders(changes: Sequence[Recorded], at: datetime) -> None:
    """Bring the reminders of changed events, and of changed rules' events, up to date.

    A projection of the change log: it runs inside the recording that made the changes.
    """
    events: dict[int, Event] = {}
    rules: set[int] = set()
    for change in changes:
        if change.deleted:
            continue
        if isinstance(change.obj, Event) and _matters(change):
            events[change.obj.pk] = change.obj
        elif isinstance(change.obj, ReminderRule):
            rules |= {change.obj.pk, change.obj.overrides_id or change.obj.pk}
            for event in _events_under(change.obj):
                events.setdefault(event.pk, event)
    arm(list(events.values()), at, revised=rules)


def arm(events: Sequence[Event], at: datetime, *, revised: Collection[int] = ()) -> None:
    """Bring the reminders of events up to date.

    Args:
        events: with what stands on them and above them as it is now.
        at: now.
        revised: keys of rules that say something else now, or in whose place one stands now.
    """
    for start in range(0, len(events), BATCH):
        _keep(events[start : start + BATCH], at, revised)


def source_id_of(reminder: Reminder, number: int) -> str:
    """Return the ledger's key of one time of a reminder: "17", and "17.2" for the second."""
    again = f".{number}" if number > 1 else ""
    return f"{reminder.pk}{again}"


def _matters(change: Recorded) -> bool:
    event = change.obj
    has_time = isinstance(event, Event) and event.starts_at is not None
    return bool(MOVING & change.diff.keys()) and (has_time or bool(change.diff.get("state")))


def _keep(events: Sequence[Event], at: datetime, revised: Collection[int]) -> None:
    known = rules_over(events)
    stored: dict[int, dict[int, Reminder]] = defaultdict(dict)
    for reminder in _held(events):
        stored[reminder.event_id][reminder.rule_id] = reminder
    wanted = {event.pk: holding(event, known) if _is_on(event) else [] for event in events}
    foresights = foresee((event, rule) for event in events for rule in wanted[event.pk])
    waiting = _waiting(row for rows in stored.values() for pk, row in rows.items() if pk in revised)
    new: list[Reminder] = []
    changed: list[Reminder] = []
    for event in events:
        for rule in wanted[event.pk]:
            found = foresights[event.pk, rule.pk]
            row = stored[event.pk].get(rule.pk)
            if row is None:
                base = stored[event.pk].get(rule.overrides_id or 0)
                new += _first(event, rule, found, at, takes_over=_is_to_come(base, waiting))
            elif _rearm(row, rule, found, at, revised=rule.pk in revised, waits=row.pk in waiting):
                changed.append(row)
        standing = {rule.pk for rule in wanted[event.pk]}
        for pk, row in stored[event.pk].items():
            if pk not in standing and row.state == ReminderState.PENDING:
                row.state = ReminderState.CANCELLED
                changed.append(row)
    Reminder.objects.bulk_create(new)
    Reminder.objects.bulk_update(changed, COLUMNS, BATCH)


def _held(events: Sequence[Event]) -> Iterable[Reminder]:
    """Return the reminders of events, locked: none fires for the old time while it is moved."""
    if len(events) > FEW:
        return _locked().filter(event__in=events)
    keys = [event.pk for event in events]
    return [built(Reminder, row) for row in _held_of_few().rows(*keys)]


@prepared
def _held_of_few() -> QuerySet[Reminder, Any]:
    rows = _locked().filter(event__pk__in=few_blanks(Event, "pk"))
    return rows.values_list(*columns_of(Reminder))


def _locked() -> QuerySet[Reminder, Any]:
    return Reminder.objects.select_for_update().order_by("pk")


def _is_on(event: Event) -> bool:
    return event.state in REMINDED_STATES and event.starts_wall is not None


def _is_to_come(row: Reminder | None, waiting: Collection[int]) -> bool:
    """Whether a stored reminder still has something to tell."""
    return row is not None and (row.state == ReminderState.PENDING or row.pk in waiting)


def _first(
    event: Event, rule: ReminderRule, found: Foresight, at: datetime, *, takes_over: bool
) -> list[Reminder]:
    """Return the reminder of a rule that is new to an event; none where it can never be due.

    Args:
        event: which it reminds of.
        rule: new there.
        found: when it falls due.
        at: now.
        takes_over: it stands in for a rule that had still to tell some: as if that were given
            another time, they are told of one that is over, unless it is too late.
    """
    number = found.next_after(rule.too_late_by(at) if takes_over else at)
    due = found.nominal(number or 1)
    if due is None:
        return []
    if number is None and event.has_begun(at):
        return []  # entered after the event: there was never anything to remind of
    reminder = Reminder(event=event, rule=rule, due_at=due.at, nominal_at=due.at, armed_at=at)
    if number is None:
        reminder.state, reminder.note = ReminderState.SKIPPED, SET_TOO_LATE
    else:
        _aim(reminder, found, number, at)
    if takes_over:
        reminder.armed_at, reminder.retimed_at = None, at
    return [reminder]


def _aim(reminder: Reminder, found: Foresight, number: int, at: datetime) -> None:
    """Set a reminder to the time with a number."""
    due, fires = found.nominal(number), found.fires(number)
    if due is None or fires is None:
        raise ValueError("it does not fall due so often")
    reminder.nominal_at = due.at
    reminder.due_at = max(fires, min(at, due.at))
    reminder.occurrence = number


def _waiting(reminders: Iterable[Reminder]) -> set[int]:
    """Return the keys of reminders that have gone out to some who have not got theirs yet."""
    lines = {
        (source_id_of(row, number), row.generation): row.pk
        for row in reminders
        if row.fired_at is not None
        for number in range(1, row.occurrence + 1)
    }
    ids = [source_id for source_id, _generation in lines]
    found: set[tuple[str, int]] = set()
    for start in range(0, len(ids), BATCH):
        rows = Delivery.objects.waiting().filter(
            source=KIND, source_id__in=ids[start : start + BATCH]
        )
        found.update(rows.values_list("source_id", "generation"))
    return {lines[line] for line in found if line in lines}


def _rearm(
    reminder: Reminder,
    rule: ReminderRule,
    found: Foresight,
    at: datetime,
    *,
    revised: bool,
    waits: bool,
) -> bool:
    """Let a stored reminder follow its event, or its rule; return whether it changed.

    Args:
        reminder: held.
        rule: as it is now.
        found: when it falls due.
        at: now.
        revised: its rule changed.
        waits: before all of its readers got it.
    """
    due = found.nominal(reminder.occurrence)
    is_same = due is not None and reminder.shown_at == due.at
    if not is_same and (waits or reminder.state == ReminderState.PENDING):
        reminder.state, reminder.note = ReminderState.PENDING, ""
        reminder.retimed_at = at if revised else None
        return _follow(reminder, found, at, since=rule.too_late_by(at) if waits else at)
    if reminder.state == ReminderState.PENDING:
        return _look_sooner(reminder, found, at)
    number = found.next_after(at)
    if number is None:
        return False
    first = found.nominal(number)
    moved = first is not None and first.at != reminder.shown_at
    again = reminder.state != ReminderState.FIRED or (rule.rearm_on_move and moved)
    if again:
        _aim(reminder, found, number, at)
        reminder.state, reminder.note = ReminderState.PENDING, ""
        reminder.armed_at, reminder.retimed_at, reminder.fired_at = at, None, None
        reminder.generation += 1
    return again


def _look_sooner(reminder: Reminder, found: Foresight, at: datetime) -> bool:
    """Look in time where it stays, but by other clocks or quiet hours; return whether it must."""
    fires = found.fires(reminder.occurrence)
    if fires is None or reminder.due_at <= max(fires, at):
        return False
    reminder.due_at = max(fires, at)
    return True


def _follow(reminder: Reminder, found: Foresight, at: datetime, *, since: datetime) -> bool:
    """Give a pending reminder its new time; it has one, even when that is over.

    Args:
        reminder: held.
        found: when it falls due.
        at: now.
        since: what is due later is not too late for those who wait.
    """
    number = found.next_after(since) or 1
    due = found.nominal(number)
    if due is None:
        reminder.state = ReminderState.CANCELLED
        return True
    if reminder.fired_at is not None or reminder.shown_at <= at + SPREAD:
        reminder.generation += 1  # some were told of the time that no longer holds, or groups were
    _aim(reminder, found, number, at)
    reminder.armed_at = reminder.fired_at = None
    return True


def _events_under(rule: ReminderRule) -> Iterable[Event]:
    """Return the events that a rule may remind of, held: one that moves now is waited for."""
    rows = Event.objects.filter(state__in=REMINDED_STATES)
    rows = rows.select_for_update(no_key=True).order_by("pk")
    if rule.event_type:
        wanted = type_key(rule.event_type)
        events = rows.filter(Q(alliance=rule.alliance_id) & ~Q(type_text=""))
        return [event for event in events if type_key(event.type_text) == wanted]
    for level in OWNERS:
        pk = getattr(rule, f"{level}_id")
        if pk is not None:
            return list(rows.filter(pk=pk) if level == "event" else rows.filter(**{level: pk}))
    return []
