"""Reminders as a source of deliveries: firing what is due, and the last look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from alliances.models import Openness
from coordination.accounts.viewer import Viewer
from coordination.deliveries.fanout import Cause, fan_out
from coordination.deliveries.grouping import SPREAD, fan_out_to_robots
from coordination.deliveries.models import Delivery
from coordination.deliveries.news import PERSONAL_CHANNELS, News
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Rendered
from events.arming import REMINDED_STATES
from events.audiences import is_answered_by_all, recipients_of_rule, times_asked
from events.dues import MOST_TIMES
from events.foreseeing import Foresight, foresee_one
from events.group_owners import group_owners_of
from events.grouping import ReaderGroup, groups_of, in_groups, with_clocks
from events.models import Event, Reminder, ReminderRule, ReminderState, Urgency
from events.quiet import QuietNote, Sending, sending_time
from events.remembering import Audience, Memory, Stand
from events.reminder_letters import addressed, nameless, reads_alike, render_reminders

ABOUT = "events.event"
ON_TIME = timedelta(minutes=5)
TOO_LATE = "too_late"
Cohorts = dict[tuple[datetime, str], list[ReaderGroup]]
_memory = Memory(Reminder)


class Reminders:
    """The source "reminder": one cause is one reminder row, one time of it, in one generation."""

    kind = "reminder"
    news = News.REMINDERS

    def fire_next(self, at: datetime) -> bool:
        """Fire, or skip, the reminder that has been due longest; return whether there was one."""
        with transaction.atomic():
            reminder = _due(at)
            if reminder is None:
                return False
            foresight = foresee_one(reminder.event, reminder.rule)
            note = _reason_to_skip(reminder, foresight, at)
            if foresight is None or note:
                reminder.state, reminder.note = ReminderState.SKIPPED, note
            else:
                _tell(reminder, foresight, at)
            if foresight is not None:
                _move_on(reminder, foresight, at)
            reminder.save(
                update_fields=["state", "note", "fired_at", "due_at", "nominal_at", "occurrence"]
            )
        return True

    def oldest_due_at(self, at: datetime) -> datetime | None:
        """Return since when a reminder has been due and has not fired; None when none is."""
        due = Reminder.objects.filter(state=ReminderState.PENDING, due_at__lte=at)
        return due.order_by("due_at").values_list("due_at", flat=True).first()

    def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
        """Return why the message is no longer wanted, or ""."""
        stand = _memory.stand(_pk_of(delivery))
        reminder = _remembered(stand, delivery)
        if reminder is None or stand.generation is None:
            return "rule_removed"
        event = reminder.event
        if stand.generation != delivery.generation:
            return "event_moved"
        if event.state not in REMINDED_STATES or event.starts_at is None:
            return f"event_{event.state}"
        if delivery.expires_at is not None and event.starts_at <= at:
            return "event_has_begun"
        if reminder.rule.repeat_every and _is_repeated(delivery, at):
            return "said_again"
        if not reader.address:
            return "no_address"
        if delivery.channel not in PERSONAL_CHANNELS:
            return "" if _may_be_told_in_groups(event) else "no_longer_concerned"
        day = _day(at, event)
        wanted = _memory.recall(
            stand,
            ("audience", reminder.pk, day, times_asked(event, reminder.rule)),
            lambda: Audience(recipients_of_rule(event, reminder.rule, on=day)),
        )
        if not wanted.holds(delivery.recipient):
            return "no_longer_concerned"
        is_again = delivery.generation > 1 and Delivery.objects.told_before(delivery).exists()
        return "told_already" if is_again else ""

    def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
        """Write the reminder in the reader's language, with the event's zone and the reader's."""
        stand = _memory.stand(_pk_of(deliveries[0]))
        found = [_remembered(stand, delivery) for delivery in deliveries]
        pairs = [(row.event, row.rule) for row in found if row is not None]
        if not reads_alike(pairs, reader):
            return render_reminders(pairs, reader, at)
        causes = tuple(delivery.source_id for delivery in deliveries)
        letter = _memory.recall(
            stand,
            ("letter", causes, reader.language, reader.time_zone, bool(reader.name), at),
            lambda: render_reminders(pairs, nameless(reader), at),
        )
        return addressed(letter, reader)


def ledger_of_secretariats(viewer: Viewer) -> Q:
    """Return the condition for lines about events that the viewer's secretariats own."""
    staffed = viewer.pks("secretariat", "alliance")
    if not staffed:
        return Q(pk__in=[])
    events = Event.objects.filter(alliance__in=staffed).values("uid")
    return Q(about_type=ABOUT, about_uid__in=events)


def source_id_of(reminder: Reminder) -> str:
    """Return the ledger's key of a reminder's present time: "17", and "17.2" for the second."""
    again = f".{reminder.occurrence}" if reminder.occurrence > 1 else ""
    return f"{reminder.pk}{again}"


def reminder_of(delivery: Delivery) -> Reminder | None:
    """Return the reminder that a line of the ledger came from; None when it is gone."""
    found: Reminder | None = (
        Reminder.objects.filter(pk=_pk_of(delivery))
        .select_related("event__alliance", "event__work_area", "rule")
        .first()
    )
    return found


def _pk_of(delivery: Delivery) -> int:
    return int(delivery.source_id.partition(".")[0])


def _remembered(stand: Stand, delivery: Delivery) -> Reminder | None:
    """Return the reminder with its event and rule; of its own columns only the key holds."""
    return _memory.recall(stand, ("reminder", _pk_of(delivery)), lambda: reminder_of(delivery))


def _is_repeated(line: Delivery, at: datetime) -> bool:
    """Whether the same reminder says it again to the same reader by now: one is enough.

    A digest, or an outage, may bring several times of one reminder together; the latest counts.
    """
    root, _dot, number = line.source_id.partition(".")
    later = [f"{root}.{again}" for again in range(int(number or 1) + 1, MOST_TIMES + 1)]
    rows = Delivery.objects.filter(
        source=line.source,
        source_id__in=later,
        generation=line.generation,
        recipient=line.recipient,
        channel=line.channel,
        endpoint=line.endpoint_id,
        dropped_reason="",
        send_after__lte=at,
    )
    return rows.filter(message__state__in=("pending", "sent")).exists()


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


def _due(at: datetime) -> Reminder | None:
    rows = Reminder.objects.filter(state=ReminderState.PENDING, due_at__lte=at)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    found: Reminder | None = (
        rows.select_related("event__alliance", "rule").order_by("due_at", "pk").first()
    )
    return found


def _reason_to_skip(reminder: Reminder, foresight: Foresight | None, at: datetime) -> str:
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
        return "event has begun"
    if at - last > timedelta(minutes=rule.grace_minutes):
        return "too late"
    is_late = at - last > ON_TIME
    useful_until = event.starts_at - rule.min_useful
    if foresight.event_starts is not None and is_late and due.at <= useful_until < at:
        return "too near the event"
    if rule.is_for_answers and is_answered_by_all(event):
        return "everybody has answered"
    return "a nearer reminder goes out" if _has_nearer(reminder, due.at, at) else ""


def _has_nearer(reminder: Reminder, due: datetime, at: datetime) -> bool:
    """Whether another reminder to the same people about the same event is overdue as well.

    One that another clock has sent meanwhile counts: whoever got the nearer needs no older one.
    """
    rule = reminder.rule
    return (
        Reminder.objects.filter(
            event=reminder.event,
            due_at__lte=at,
            rule__audience=rule.audience,
            rule__channels=rule.channels,
            rule__roles=rule.roles,
            rule__tiers=rule.tiers,
            rule__member_roles=rule.member_roles,
            rule__tags=rule.tags,
            rule__organizations=rule.organizations,
            rule__answers=rule.answers,
        )
        .filter(state__in=(ReminderState.PENDING, ReminderState.FIRED))
        .filter(Q(nominal_at__gt=due, nominal_at__lte=at) | Q(nominal_at=None, due_at__gt=due))
        .exclude(pk=reminder.pk)
        .exists()
    )


def _move_on(reminder: Reminder, foresight: Foresight, at: datetime) -> None:
    """Set the next look, the next time of a rule that repeats, or the end."""
    number = reminder.occurrence
    look = None
    if reminder.state == ReminderState.PENDING:
        look = foresight.next_look(number, at)
    if look is not None:
        reminder.due_at = look
        return
    following = foresight.first_after(at, beyond=number)
    due = foresight.nominal(following) if following is not None else None
    fires = foresight.fires(following) if following is not None else None
    if following is None or due is None or fires is None:
        if reminder.state == ReminderState.PENDING:
            reminder.state = ReminderState.FIRED
        return
    reminder.state, reminder.occurrence = ReminderState.PENDING, following
    reminder.due_at, reminder.nominal_at = fires, due.at


def _tell(reminder: Reminder, foresight: Foresight, at: datetime) -> None:
    """Fan one look out: to those for whom it falls due by now."""
    event, rule = reminder.event, reminder.rule
    due = foresight.nominal(reminder.occurrence)
    if due is None:
        return
    readers = recipients_of_rule(event, rule, on=_day(at, event))
    personal = [channel for channel in rule.channels if channel in PERSONAL_CHANNELS]
    if personal and not (rule.respects_quiet or foresight.is_spread):
        cause = _cause(reminder, due.at, max(due.at, at))
        for channel in personal:
            fan_out(readers, channel=channel, cause=cause)
    elif personal:
        by_clocks = with_clocks(readers, on=_day(at, event))
        _tell_by_clocks(reminder, foresight, by_clocks, personal, at)
    if due.at <= at:
        _tell_groups(reminder, due.at)
    reminder.fired_at = reminder.fired_at or at


def _tell_by_clocks(
    reminder: Reminder,
    foresight: Foresight,
    readers: QuerySet[Any, Any],
    channels: Sequence[str],
    at: datetime,
) -> None:
    cohorts: Cohorts = defaultdict(list)
    dues: dict[tuple[datetime, str], datetime] = {}
    groups = groups_of(readers)
    for group in groups:
        found = sending_for(group, reminder.rule, foresight, occurrence=reminder.occurrence, now=at)
        if found is None or not _is_turn(found[0], found[1], reminder, foresight, at):
            continue
        due, sending = found
        dropped = ""
        if sending.at is None:
            dropped = sending.note.value
        elif at - due > timedelta(minutes=reminder.rule.grace_minutes):
            dropped = TOO_LATE
        key = (sending.at or due, dropped)
        cohorts[key].append(group)
        dues[key] = min(due, dues.get(key, due))
    for (send_at, dropped), cohort in sorted(cohorts.items(), key=lambda item: item[0]):
        rows = readers if len(cohort) == len(groups) else in_groups(readers, cohort)
        cause = _cause(reminder, dues[send_at, dropped], send_at, dropped=dropped)
        for channel in channels:
            fan_out(rows, channel=channel, cause=cause)


def _is_turn(
    due: datetime, sending: Sending, reminder: Reminder, foresight: Foresight, at: datetime
) -> bool:
    """Whether readers for whom it falls due at `due` are told by the look at `at`."""
    if reminder.armed_at is not None and due <= reminder.armed_at:
        return False  # it was set after it was due for them
    if sending.note == QuietNote.BROUGHT_FORWARD:
        return True
    return due <= at + foresight.horizon


def tell_groups_ahead(at: datetime) -> int:
    """Write down what chat groups are told in the next two minutes.

    Robots keep off the full hour, so theirs goes out a little before it is due. Doing it again
    writes nothing new, and what is missed here is written when the reminder fires.

    Returns:
        How many deliveries are new.
    """
    soon = Reminder.objects.filter(state=ReminderState.PENDING).filter(
        Q(nominal_at__gt=at, nominal_at__lte=at + SPREAD)
        | Q(nominal_at=None, due_at__gt=at, due_at__lte=at + SPREAD)
    )
    new = 0
    for reminder in soon.select_related("event__alliance", "rule").order_by("pk"):
        if set(reminder.rule.channels) <= set(PERSONAL_CHANNELS):
            continue
        foresight = foresee_one(reminder.event, reminder.rule)
        due = foresight.nominal(reminder.occurrence) if foresight is not None else None
        if due is not None and not _reason_to_skip(reminder, foresight, at):
            new += _tell_groups(reminder, due.at)
    return new


def _tell_groups(reminder: Reminder, due: datetime) -> int:
    """Post to the nearest chat groups, each by its robot; return how many lines are new."""
    if not _may_be_told_in_groups(reminder.event):
        return 0
    owners = group_owners_of(reminder.event)
    cause = _cause(reminder, due, due)
    return sum(
        fan_out_to_robots(owners, channel=channel, cause=cause)
        for channel in reminder.rule.channels
        if channel not in PERSONAL_CHANNELS
    )


def _may_be_told_in_groups(event: Event) -> bool:
    """Whether an event is open to all who sit in an alliance's groups."""
    return event.openness in (Openness.MEMBERS, Openness.PUBLIC)


def _cause(reminder: Reminder, due: datetime, send_after: datetime, *, dropped: str = "") -> Cause:
    event = reminder.event
    is_before = event.starts_at is not None and due < event.starts_at
    return Cause(
        source=Reminders.kind,
        source_id=source_id_of(reminder),
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


def _day(at: datetime, event: Event) -> date:
    return at.astimezone(ZoneInfo(event.time_zone)).date()
