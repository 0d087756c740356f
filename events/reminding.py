"""Reminder rules, and the reminders that follow from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Plan, WorkArea
from coordination.accounts.viewer import Viewer
from coordination.changes.assigning import assign
from coordination.changes.projections import Recorded
from coordination.changes.recording import recording
from coordination.changes.refusals import invalid
from events import rules
from events.models import Anchor, Event, EventState, Reminder, ReminderRule, ReminderState
from events.models.reminder import OWNERS
from events.offsets import NotAnOffset, due_at, read_offset

AUDIENCES = ("hosts", "members", "named", "secretariat")
CHANNELS = ("email",)
LEVELS = OWNERS[::-1]  # nearest first
REMINDED_STATES = (EventState.SCHEDULED, EventState.CONFIRMED, EventState.POSTPONED)
BATCH = 500
RuleOwner = Alliance | Plan | WorkArea | Event


def add_reminder_rule(
    owner: RuleOwner, *, viewer: Viewer, at: datetime, **values: Any
) -> ReminderRule:
    """Add a rule to an alliance, a plan, a work area or an event.

    Raises:
        NotAllowed.
        InvalidInput: the offset, the audience or a channel cannot be read.
    """
    rule = ReminderRule(**{_level_of(owner): owner})
    rules.require(rules.may_manage_reminder_rule(viewer, rule))
    rule.audience, rule.channels = ["hosts", "members", "named"], ["email"]
    _check(assign(rule, values))
    with recording(viewer.actor, at=at) as log:
        log.save(rule, "reminder_rule.added")
    return rule


def revise_reminder_rule(
    rule: ReminderRule, *, viewer: Viewer, at: datetime, **values: Any
) -> ReminderRule:
    """Change a rule; reminders that have not gone out follow it.

    Raises:
        NotAllowed, StaleVersion, InvalidInput.
    """
    rules.require(rules.may_manage_reminder_rule(viewer, rule))
    for name in LEVELS:
        if name in values and values[name] != getattr(rule, name):
            raise invalid(name, _("A rule stays where it stands. Remove it and add another."))
    _check(assign(rule, values))
    with recording(viewer.actor, at=at) as log:
        log.save(rule, "reminder_rule.revised")
    return rule


def remove_reminder_rule(rule: ReminderRule, *, viewer: Viewer, at: datetime) -> None:
    """Remove a rule with its reminders; what was sent stays in the ledger.

    Raises:
        NotAllowed, StaleVersion.
    """
    rules.require(rules.may_manage_reminder_rule(viewer, rule))
    rule.enabled = False
    with recording(viewer.actor, at=at) as log:
        log.save(rule, "reminder_rule.revised")
        log.delete(rule, "reminder_rule.removed")


def rules_for(event: Event) -> tuple[str, list[ReminderRule]]:
    """Return the level whose rules hold for the event ("" for none), and those rules."""
    return _nearest(event, _rules_of([event]))


def keep_reminders(changes: Sequence[Recorded], at: datetime) -> None:
    """Bring the reminders of changed events, and of changed rules' events, up to date.

    A projection of the change log: it runs inside the recording that made the changes.
    """
    events: dict[int, Event] = {}
    for change in changes:
        if change.deleted:
            continue
        if isinstance(change.obj, Event) and _matters(change):
            events[change.obj.pk] = change.obj
        elif isinstance(change.obj, ReminderRule):
            for event in _events_under(change.obj):
                events.setdefault(event.pk, event)
    rows = list(events.values())
    for start in range(0, len(rows), BATCH):
        _keep(rows[start : start + BATCH], at)


def _matters(change: Recorded) -> bool:
    event = change.obj
    has_time = isinstance(event, Event) and event.starts_at is not None
    moved = {"starts_at", "ends_at", "state", "time_zone", "work_area_id", "plan_id"}
    return bool(moved & change.diff.keys()) and (has_time or bool(change.diff.get("state")))


def _keep(events: Sequence[Event], at: datetime) -> None:
    known = _rules_of(events)
    stored: dict[int, dict[int, Reminder]] = defaultdict(dict)
    # Locked, so that none fires for the old time while it is given the new one.
    for reminder in Reminder.objects.filter(event__in=events).select_for_update().order_by("pk"):
        stored[reminder.event_id][reminder.rule_id] = reminder
    new: list[Reminder] = []
    changed: list[Reminder] = []
    for event in events:
        wanted = _wanted(event, known)
        for pk, (rule, due) in wanted.items():
            known_one = stored[event.pk].get(pk)
            if known_one is None and event.has_begun(at) and due <= at:
                continue  # entered after the event: there was never anything to remind of
            if known_one is None:
                new.append(_first(event, rule, due, at))
            elif _rearm(known_one, rule, due, at):
                changed.append(known_one)
        for pk, reminder in stored[event.pk].items():
            if pk not in wanted and reminder.state == ReminderState.PENDING:
                reminder.state = ReminderState.CANCELLED
                changed.append(reminder)
    Reminder.objects.bulk_create(new)
    Reminder.objects.bulk_update(changed, ["due_at", "state", "generation", "note"], BATCH)


def _wanted(
    event: Event, known: dict[str, list[ReminderRule]]
) -> dict[int, tuple[ReminderRule, datetime]]:
    if event.state not in REMINDED_STATES or event.starts_wall is None:
        return {}
    _level, nearest = _nearest(event, known)
    return {rule.pk: (rule, due_for(event, rule)) for rule in nearest}


def due_for(event: Event, rule: ReminderRule) -> datetime:
    """Return the instant at which the rule falls due for an event that has a time."""
    wall = event.ends_wall if rule.anchor == Anchor.END else event.starts_wall
    if wall is None:
        raise ValueError("the event has no time")
    return due_at(wall, event.time_zone, read_offset(rule.offset), at_time=rule.at_time)


def _first(event: Event, rule: ReminderRule, due: datetime, at: datetime) -> Reminder:
    reminder = Reminder(event=event, rule=rule, due_at=due)
    if due <= at:
        reminder.state = ReminderState.SKIPPED
        reminder.note = "set after it was due"
    return reminder


def _rearm(reminder: Reminder, rule: ReminderRule, due: datetime, at: datetime) -> bool:
    """Let a stored reminder follow its event; return whether it changed."""
    if reminder.state == ReminderState.PENDING:
        moved = reminder.due_at != due
        reminder.due_at = due
        return moved
    again = due > at and (
        reminder.state != ReminderState.FIRED or (rule.rearm_on_move and reminder.due_at != due)
    )
    if again:
        reminder.state, reminder.due_at, reminder.note = ReminderState.PENDING, due, ""
        reminder.generation += 1
    return again


def _rules_of(events: Sequence[Event]) -> dict[str, list[ReminderRule]]:
    """Return the rules in use that stand on the events or above them, by level and owner."""
    found = ReminderRule.objects.filter(
        Q(event__in=[event.pk for event in events])
        | Q(work_area__in={event.work_area_id for event in events} - {None})
        | Q(plan__in={event.plan_id for event in events} - {None})
        | Q(alliance__in={event.alliance_id for event in events}),
        enabled=True,
    ).order_by("pk")
    by_owner: dict[str, list[ReminderRule]] = defaultdict(list)
    for rule in found:
        for level in LEVELS:
            pk = getattr(rule, f"{level}_id")
            if pk is not None:
                by_owner[f"{level}:{pk}"].append(rule)
    return by_owner


def _nearest(event: Event, known: dict[str, list[ReminderRule]]) -> tuple[str, list[ReminderRule]]:
    for level in LEVELS:
        pk = event.pk if level == "event" else getattr(event, f"{level}_id")
        found = known.get(f"{level}:{pk}") if pk is not None else None
        if found:
            return level, found
    return "", []


def _events_under(rule: ReminderRule) -> Iterable[Event]:
    """Return the events that a rule may remind of, held: one that moves now is waited for."""
    events = Event.objects.filter(state__in=REMINDED_STATES)
    events = events.select_for_update(no_key=True).order_by("pk")
    for level in LEVELS:
        pk = getattr(rule, f"{level}_id")
        if pk is not None:
            return list(events.filter(pk=pk) if level == "event" else events.filter(**{level: pk}))
    return []


def _level_of(owner: RuleOwner) -> str:
    return {Alliance: "alliance", Plan: "plan", WorkArea: "work_area", Event: "event"}[type(owner)]


def _check(rule: ReminderRule) -> None:
    try:
        read_offset(rule.offset)
    except NotAnOffset:
        raise invalid(
            "offset",
            _("Write a distance such as -P7D (7 days before) or -PT2H (2 hours before)."),
        ) from None
    for name, allowed in (("audience", AUDIENCES), ("channels", CHANNELS)):
        chosen = getattr(rule, name)
        known = isinstance(chosen, list) and all(choice in allowed for choice in chosen)
        if not chosen or not known:
            raise invalid(
                name,
                _("Choose one or more of: %(allowed)s.") % {"allowed": ", ".join(allowed)},
            )
