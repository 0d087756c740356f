"""Reminders as a source of deliveries: firing what is due, and the last look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import Q

from alliances.expiring import day_of_rights
from alliances.models import Openness, Seat
from coordination.accounts.viewer import Viewer
from coordination.deliveries.fanout import fan_out
from coordination.deliveries.grouping import SPREAD, fan_out_to_robots
from coordination.deliveries.models import Delivery
from coordination.deliveries.news import PERSONAL_CHANNELS, News
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Rendered
from events.arming import KIND, REMINDED_STATES, source_id_of
from events.audiences import recipients_of_rule, times_asked
from events.dues import MOST_TIMES
from events.fanning import ABOUT, Look, cause_of, personal_channels, tell_by_clocks
from events.foreseeing import Foresight, foresee_one
from events.group_owners import group_owners_of
from events.grouping import with_clocks
from events.lateness import LEFT_OUT, NEARER_NOTE, WITHDRAWN, is_overtaken, reason_to_skip
from events.levels import holding
from events.models import Event, Reminder, ReminderRule, ReminderState
from events.quiet import told_at
from events.remembering import Audience, Memory, Stand
from events.reminder_letters import addressed, nameless, reads_alike, render_reminders

_memory = Memory(Reminder)


class Reminders:
    """The source "reminder": one cause is one reminder row, one time of it, in one generation."""

    kind = KIND
    news = News.REMINDERS

    def fire_next(self, at: datetime) -> bool:
        """Fire, or skip, the reminder that has been due longest; return whether there was one."""
        with transaction.atomic():
            reminder = _due(at)
            if reminder is None:
                return False
            foresight = foresee_one(reminder.event, reminder.rule)
            was_told = _fire(reminder, foresight, at)
            if foresight is not None:
                _move_on(reminder, foresight, at, was_told=was_told)
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
        event, rule = reminder.event, reminder.rule
        if stand.generation != delivery.generation:
            return _why_withdrawn(delivery, event, rule)
        if event.state not in REMINDED_STATES or event.starts_at is None:
            return f"event_{event.state}"
        rule_holds = _memory.recall(stand, ("holds", reminder.pk), lambda: rule in holding(event))
        is_personal = delivery.channel in PERSONAL_CHANNELS
        goes_there = personal_channels(rule) if is_personal else delivery.channel in rule.channels
        if not (rule_holds and goes_there):
            return "rule_off"
        if delivery.expires_at is not None and event.starts_at <= at:
            return "event_has_begun"
        if rule.repeat_every and _is_repeated(delivery, at):
            return "said_again"
        if _is_told_already(delivery, reminder):
            return "told_already"
        if not reader.address:
            return "no_address"
        if not is_personal:
            return "" if _may_be_told_in_groups(event) else "no_longer_concerned"
        day = day_of_rights(at)
        wanted = _memory.recall(
            stand,
            ("audience", reminder.pk, day, times_asked(event, rule)),
            lambda: Audience(recipients_of_rule(event, rule, on=day)),
        )
        if not wanted.holds(delivery.recipient):
            _tell_successors(delivery, on=day, at=at)
            return "no_longer_concerned"
        return ""

    def stale(self, deliveries: Sequence[Delivery], at: datetime) -> set[int]:
        """Return the keys of those that wait longer than the grace of their rules; one query."""
        keys = {_pk_of(delivery) for delivery in deliveries}
        rules = {
            row.pk: row.rule for row in Reminder.objects.filter(pk__in=keys).select_related("rule")
        }
        return {
            delivery.pk
            for delivery in deliveries
            if (rule := rules.get(_pk_of(delivery))) is not None
            and rule.is_too_late(delivery.send_after, at)
        }

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


def _why_withdrawn(line: Delivery, event: Event, rule: ReminderRule) -> str:
    """Return why a line of an older generation is not sent: what its reminder does instead."""
    ended = Reminder.objects.filter(pk=_pk_of(line), state=ReminderState.SKIPPED)
    note = ended.values_list("note", flat=True).first() or ""
    is_by_rule = line.expires_at == event.starts_at
    if line.expires_at is None:  # it was due after the beginning
        is_by_rule = rule.changed_at > event.changed_at
    return WITHDRAWN.get(note) or ("rule_changed" if is_by_rule else "event_moved")


def _is_told_already(line: Delivery, reminder: Reminder) -> bool:
    """Whether the reader got it before it was set anew, and shall not be told again."""
    rule, retimed_at = reminder.rule, reminder.retimed_at
    was_over = retimed_at is not None and line.due_at <= retimed_at  # set for those who waited
    if was_over and rule.overrides_id is not None and _is_told_by_its_base(line, reminder):
        return True
    if line.generation == 1:
        return False
    told = Delivery.objects.told_earlier(line)
    if not rule.rearm_on_move:
        return told.exists()
    if was_over:
        return told.filter(expires_at=line.expires_at).exists()
    return Delivery.objects.told_before(line).exists()


def _is_told_by_its_base(line: Delivery, reminder: Reminder) -> bool:
    """Whether the rule in whose place its own stands told the reader of the same time."""
    base = Reminder.objects.filter(rule=reminder.rule.overrides_id, event=reminder.event_id)
    ids = [source_id_of(row, number) for row in base for number in range(1, MOST_TIMES + 1)]
    told = Delivery.objects.filter(source=KIND, source_id__in=ids, endpoint=line.endpoint_id)
    return told.filter(message__state="sent", expires_at=line.expires_at).exists()


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


def _due(at: datetime) -> Reminder | None:
    rows = Reminder.objects.filter(state=ReminderState.PENDING, due_at__lte=at)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    found: Reminder | None = (
        rows.select_related("event__alliance", "rule").order_by("due_at", "pk").first()
    )
    return found


def _fire(reminder: Reminder, foresight: Foresight | None, at: datetime) -> bool:
    """Tell those whose turn it is, or say why the reminder ends; return whether it was told."""
    note = reason_to_skip(reminder, foresight, at)
    if foresight is not None:
        if not note and is_overtaken(reminder, foresight, at):
            note = NEARER_NOTE
        if not note:
            _tell_all_begun(reminder, foresight, at)
            return True
        if _leave_out_the_rest(reminder, foresight, note, at):
            reminder.state = ReminderState.FIRED
            return False
    reminder.state, reminder.note = ReminderState.SKIPPED, note
    return False


def _move_on(reminder: Reminder, foresight: Foresight, at: datetime, *, was_told: bool) -> None:
    """Set the next look, the next time of a rule that repeats, or the end.

    Where the present time was not told, after a standstill say, the next is one that is overdue
    and not too late yet: whoever waited hears of that.
    """
    number = reminder.occurrence
    look = None
    if reminder.state == ReminderState.PENDING:
        look = foresight.next_look(number, at)
    if look is not None:
        reminder.due_at = look
        return
    since = at if was_told else reminder.rule.too_late_by(at)
    following = foresight.next_after(since, beyond=number)
    due = foresight.nominal(following) if following is not None else None
    fires = foresight.fires(following) if following is not None else None
    if following is None or due is None or fires is None:
        if reminder.state == ReminderState.PENDING:
            reminder.state = ReminderState.FIRED
        return
    reminder.state, reminder.occurrence = ReminderState.PENDING, following
    reminder.due_at, reminder.nominal_at = fires, due.at


def _tell_all_begun(reminder: Reminder, foresight: Foresight, at: datetime) -> None:
    """Tell the present time of a reminder, and those after it that have begun somewhere.

    By the readers' clocks one time lasts 28 hours around the world: the next may begin in the east
    before it has ended in the west.
    """
    number: int | None = reminder.occurrence
    while number is not None:
        _tell(reminder, foresight, number, at)
        number = foresight.next_after(at, beyond=number) if foresight.is_spread else None
        first_look = foresight.fires(number) if number is not None else None
        if first_look is not None and first_look > at:
            return


def _tell(
    reminder: Reminder,
    foresight: Foresight,
    number: int,
    at: datetime,
    *,
    only: Q | None = None,
) -> None:
    """Fan one look out: to those for whom it falls due by now.

    Args:
        reminder: held.
        foresight: when it falls due.
        number: which time of it.
        at: now.
        only: those who sit where somebody sat who was to be told; they hear it however late it is.
    """
    event, rule = reminder.event, reminder.rule
    due = foresight.nominal(number)
    if due is None:
        return
    day = day_of_rights(at)
    readers = recipients_of_rule(event, rule, on=day)
    readers = readers if only is None else readers.filter(only)
    personal = personal_channels(rule)
    look = Look(reminder, foresight, number, at, is_for_successors=only is not None)
    if personal and not (rule.respects_quiet or foresight.is_spread or look.nearer):
        cause = cause_of(reminder, number, due.at, told_at(due.at, at))
        for channel in personal:
            fan_out(readers, channel=channel, cause=cause)
    elif personal:
        tell_by_clocks(look, with_clocks(readers, on=day))
    if due.at <= at + foresight.horizon and only is None:
        _tell_groups(reminder, number, due.at)
    reminder.fired_at = reminder.fired_at or at


def _leave_out_the_rest(reminder: Reminder, foresight: Foresight, note: str, at: datetime) -> bool:
    """Say in the ledger who is not told any more, where others were told by their clocks.

    Returns:
        Whether some were told: the reminder then ends as one that went out.
    """
    code = LEFT_OUT.get(note)
    if code is None or not foresight.is_spread or reminder.fired_at is None:
        return False
    day = day_of_rights(at)
    readers = with_clocks(recipients_of_rule(reminder.event, reminder.rule, on=day), on=day)
    look = Look(reminder, foresight, reminder.occurrence, at, left_out=code)
    tell_by_clocks(look, readers)
    return True


def _tell_successors(delivery: Delivery, *, on: date, at: datetime) -> None:
    """Tell whoever sits by now where the reader of a line sat who is no longer told."""
    former = Seat.objects.filter(person__uid=delivery.recipient.partition(":")[2])
    former = former.filter(ends_on__lte=on)
    only = Q(organization__in=former.filter(organization__isnull=False).values("organization"))
    only |= Q(body__in=former.filter(body__isnull=False).values("body"))
    with transaction.atomic():
        rows = Reminder.objects.select_for_update(of=("self",))
        reminder = rows.select_related("event__alliance", "rule").get(pk=_pk_of(delivery))
        foresight = foresee_one(reminder.event, reminder.rule)
        if foresight is not None and reminder.generation == delivery.generation:
            number = int(delivery.source_id.partition(".")[2] or 1)
            _tell(reminder, foresight, number, at, only=only)


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
        if due is not None and not reason_to_skip(reminder, foresight, at):
            new += _tell_groups(reminder, reminder.occurrence, due.at)
    return new


def _tell_groups(reminder: Reminder, number: int, due: datetime) -> int:
    """Post to the nearest chat groups, each by its robot; return how many lines are new."""
    if not _may_be_told_in_groups(reminder.event):
        return 0
    owners = group_owners_of(reminder.event)
    cause = cause_of(reminder, number, due, due)
    return sum(
        fan_out_to_robots(owners, channel=channel, cause=cause)
        for channel in reminder.rule.channels
        if channel not in PERSONAL_CHANNELS
    )


def _may_be_told_in_groups(event: Event) -> bool:
    """Whether an event is open to all who sit in an alliance's groups."""
    return event.openness in (Openness.MEMBERS, Openness.PUBLIC)
