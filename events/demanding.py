"""Standard duties follow events: set, moved, done and dropped as events and answers change.

It reads the change log behind a cursor, and writes as the system does. Whatever it is told twice
it does once: what an event should bring with it is compared with what there is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery

from alliances.models import Alliance, Openness
from coordination.accounts.viewer import SYSTEM
from coordination.changes.models import Change
from coordination.changes.recording import Log, recording
from events.almanac import calendars_of
from events.dues import Point, due_of, dues_of
from events.levels import type_key
from events.models import (
    AnswerState,
    ChaseStep,
    DayUnit,
    Duty,
    DutyAnchor,
    DutyKind,
    Event,
    EventState,
    Invitation,
    InvitationNotice,
    OwedBy,
    StandardDuty,
)
from events.offsets import Offset
from events.owing import is_answered, is_named
from events.pursuing import duties_of_alliance, pursue
from events.workdays import WorkCalendar
from events.zones import country_of, instant_of, wall_of

BATCH = 200
NEXT_DAY = Offset(days=1, minutes=0)
Key = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Demand:
    """What one organization should owe one event.

    Attributes:
        due_at: instant, UTC, by which it should be there.
        within_reach: instant, UTC, by which whoever is asked for it only now can do it.
        standard: what it follows from.
        is_done: it happened already.
        again_since: instant, UTC, at which another time was told than the one that was answered;
            None where there is no answer, or it is for the time now.
    """

    due_at: datetime
    within_reach: datetime
    standard: StandardDuty
    is_done: bool = False
    again_since: datetime | None = None

    @property
    def from_now_on(self) -> datetime:
        """Return by when it is owed by whoever is asked only now."""
        return max(self.due_at, self.within_reach)


class DutiesFollowEvents:
    """The reader of the log that keeps standard duties."""

    name = "standard duties"
    follows = "invitations"  # its notices say whether an answer is one to the time now

    def tell(self, changes: Sequence[Change], at: datetime) -> None:
        """Bring the duties of changed events up to date."""
        events: set[UUID] = set()
        invitations: set[UUID] = set()
        standards: set[UUID] = set()
        places = {
            Event.object_type(): events,
            Invitation.object_type(): invitations,
            StandardDuty.object_type(): standards,
        }
        for change in changes:
            if change.object_type in places:
                places[change.object_type].add(change.object_uid)
        if not (events or invitations or standards):
            return
        alliances = StandardDuty.objects.filter(uid__in=standards).values("alliance")
        invited = Invitation.objects.filter(uid__in=invitations).values("event")
        wanted = Event.objects.filter(
            Q(uid__in=events) | Q(pk__in=invited) | Q(alliance__in=alliances)
        )
        settle_duties(wanted.order_by("pk").values_list("pk", flat=True), at=at)


def settle_duties(events: Iterable[int], *, at: datetime) -> int:
    """Bring the standard duties of events up to date; return how many duties changed.

    Args:
        events: keys of events.
        at: now.
    """
    keys, changed = list(events), 0
    for start in range(0, len(keys), BATCH):
        rows = Event.objects.filter(pk__in=keys[start : start + BATCH]).order_by("pk")
        changed += _settle(list(rows.prefetch_related("hosts", "named")), at)
    return changed


def settle_all(*, at: datetime) -> int:
    """Look at every event still to come of alliances that expect something; a chore.

    What stood before the log was first read, such as a demo or a restore, is caught up with.
    """
    expecting = StandardDuty.objects.filter(enabled=True).values("alliance")
    rows = Event.objects.exclude(state__in=(EventState.HELD, EventState.CANCELLED))
    found = rows.filter(alliance__in=expecting).order_by("pk")
    return settle_duties(found.values_list("pk", flat=True), at=at)


def recount_duties(*, at: datetime) -> int:
    """Count working days anew, after the table of holidays changed; return how many duties moved.

    Steps of duties that stay where they are are counted anew as well.
    """
    counting = StandardDuty.objects.filter(day_unit=DayUnit.WORKING, enabled=True)
    rows = Event.objects.exclude(state__in=(EventState.HELD, EventState.CANCELLED))
    found = rows.filter(alliance__in=counting.values("alliance"))
    moved = settle_duties(found.order_by("pk").values_list("pk", flat=True), at=at)
    steps = ChaseStep.objects.filter(day_unit=DayUnit.WORKING, enabled=True)
    with recording(SYSTEM.actor, at=at):
        for alliance in steps.order_by().values_list("alliance", flat=True).distinct():
            pursue(list(duties_of_alliance(alliance)), at)
    return moved


def _settle(events: Sequence[Event], at: datetime) -> int:
    demands = _demands(events, at)
    if not demands and not Duty.objects.filter(event__in=events).exists():
        return 0
    by_pk = {event.pk: event for event in events}
    changed = 0
    with recording(SYSTEM.actor, at=at) as log:
        rows = Duty.objects.filter(event__in=events).select_for_update(no_key=True).order_by("pk")
        stored: dict[Key, Duty] = {}
        for row in rows:
            row.event = by_pk[row.event_id]
            stored[row.event_id, row.organization_id, row.kind] = row
        new = [
            Duty(
                event=by_pk[event],
                organization_id=organization,
                kind=kind,
                due_at=demand.from_now_on,
                standard=demand.standard,
            )
            for (event, organization, kind), demand in demands.items()
            if (event, organization, kind) not in stored and not demand.is_done
        ]
        log.insert_all(new, "duty.set")
        for key, row in stored.items():
            changed += _follow(row, demands.get(key), log)
    return changed + len(new)


def _follow(row: Duty, demand: Demand | None, log: Log) -> bool:
    """Let one duty follow what is demanded; return whether it changed."""
    if row.done_at is not None:
        return demand is not None and _ask_again(row, demand, log)
    if demand is None:
        if row.standard_id is None and not _is_off(row.event):
            return is_named(row) and _finish(row, log)
        if row.dropped_at is None and not is_named(row):
            row.dropped_at = log.at
            return log.save(row, "duty.dropped")
        return row.dropped_at is None and _finish(row, log)
    if demand.is_done:
        return _finish(row, log)
    if row.standard_id is None:
        return False  # the secretariat set its date
    row.standard = demand.standard
    if row.dropped_at is not None:
        row.dropped_at, row.due_at = None, demand.from_now_on
        return log.save(row, "duty.restored")
    # What was given longer keeps that, and what comes nearer leaves the time it takes.
    row.due_at = max(demand.due_at, min(row.due_at, demand.within_reach))
    return log.save(row, "duty.moved")


def _ask_again(row: Duty, demand: Demand, log: Log) -> bool:
    """Ask anew for an answer to another time than the one that was answered.

    Not where somebody has said since that it is done.
    """
    again_since, done_at = demand.again_since, row.done_at
    if again_since is None or done_at is None or again_since <= done_at:
        return False
    is_own_date = row.standard_id is None  # the secretariat set it
    row.done_at = row.chased_from = None
    row.due_at = max(row.due_at, demand.within_reach) if is_own_date else demand.from_now_on
    return log.save(row, "duty.restored")


def _finish(row: Duty, log: Log) -> bool:
    row.done_at, row.dropped_at = log.at, None
    return log.save(row, "duty.fulfilled")


def _is_off(event: Event) -> bool:
    return event.state == EventState.CANCELLED


def _demands(events: Sequence[Event], at: datetime) -> dict[Key, Demand]:
    alliances = {event.alliance_id for event in events}
    rows = StandardDuty.objects.filter(alliance__in=alliances, enabled=True).order_by("pk")
    standards: dict[int, list[StandardDuty]] = defaultdict(list)
    for row in rows:
        standards[row.alliance_id].append(row)
    if not standards:
        return {}
    invitations, again = _invitations(events), _answered_for_another_time(events)
    calendars = _calendars(events, standards)
    found: dict[Key, Demand] = {}
    for event in events:
        if event.state == EventState.CANCELLED or event.openness == Openness.SECRETARIAT:
            continue
        for standard in _for_type(standards.get(event.alliance_id, []), event):
            for organization, invitation in _owing(event, standard, invitations[event.pk]):
                demand = _demand(event, standard, invitation, calendars, at, again)
                if demand is not None:
                    found[event.pk, organization, standard.kind] = demand
    return found


def _demand(
    event: Event,
    standard: StandardDuty,
    invitation: Invitation | None,
    calendars: dict[int, WorkCalendar],
    at: datetime,
    again: Mapping[int, datetime],
) -> Demand | None:
    point = _point(event, standard)
    if standard.kind == DutyKind.NAME_DATE and event.starts_wall is not None:
        return None
    if point is None:
        return None
    calendar = calendars.get(event.alliance_id)
    due = due_of(point, standard.timing, calendar=calendar)
    if due is None:
        return None
    due_at, within_reach = due.at, _within_reach(event, standard, calendar, at)
    is_done, again_since = False, None
    if invitation is not None and standard.kind in (DutyKind.ANSWER, DutyKind.NAME_DELEGATES):
        if invitation.answer_by is not None and standard.kind == DutyKind.ANSWER:
            wall = datetime.combine(invitation.answer_by, standard.at_time)
            due_at = instant_of(wall, event.time_zone)
            within_reach = due_at if due_at > at else within_reach
        if invitation.state == AnswerState.DECLINED and standard.kind != DutyKind.ANSWER:
            return None
        if standard.kind == DutyKind.ANSWER:
            again_since = again.get(invitation.pk)
        is_done = is_answered(invitation, standard.kind) and again_since is None
    is_past = event.ends_at is not None and event.ends_at <= at and due_at <= at
    if is_past and not is_done and standard.anchor != DutyAnchor.END:
        return None
    return Demand(due_at, within_reach, standard, is_done, again_since)


def _within_reach(
    event: Event, standard: StandardDuty, calendar: WorkCalendar | None, at: datetime
) -> datetime:
    """Return by when something first asked for now is owed: nobody is late in what is new to them.

    That is the next day of the kind that counts; sooner only where the event begins before.
    """
    now = Point(wall=wall_of(at, event.time_zone), zone=event.time_zone)
    timing = replace(standard.timing, offset=NEXT_DAY)
    [due] = dues_of(now, timing, calendar=calendar)
    begins = event.starts_at if standard.anchor == DutyAnchor.START else None
    return min(due.at, begins) if begins is not None and begins > at else due.at


def _point(event: Event, standard: StandardDuty) -> Point | None:
    if standard.anchor == DutyAnchor.WINDOW and event.starts_wall is None:
        if event.window_starts_on is None:
            return None
        wall = datetime.combine(event.window_starts_on, standard.at_time)
        return Point(wall=wall, zone=event.time_zone)
    wall_time = event.ends_wall if standard.anchor == DutyAnchor.END else event.starts_wall
    return None if wall_time is None else Point(wall=wall_time, zone=event.time_zone)


def _owing(
    event: Event, standard: StandardDuty, invitations: dict[int, Invitation]
) -> list[tuple[int, Invitation | None]]:
    if standard.owed_by == OwedBy.INVITED:
        return list(invitations.items())
    part = "hosts" if standard.owed_by == OwedBy.HOSTS else "named"
    keys = [row.organization_id for row in event.part_rows(part) if row.organization_id]
    return [(key, invitations.get(key)) for key in dict.fromkeys(keys)]


def _for_type(standards: Sequence[StandardDuty], event: Event) -> list[StandardDuty]:
    """Return what is expected of an event; for its own type in place of that for all types."""
    own_type = type_key(event.type_text)
    own = [row for row in standards if row.event_type and type_key(row.event_type) == own_type]
    kinds = {row.kind for row in own}
    return own + [row for row in standards if not row.event_type and row.kind not in kinds]


def _invitations(events: Sequence[Event]) -> dict[int, dict[int, Invitation]]:
    found: dict[int, dict[int, Invitation]] = defaultdict(dict)
    rows = Invitation.objects.filter(event__in=events, withdrawn_at__isnull=True)
    for row in rows.prefetch_related("answers").order_by("pk"):
        found[row.event_id][row.organization_id] = row
    return found


def _answered_for_another_time(events: Sequence[Event]) -> dict[int, datetime]:
    """Return invitations that are answered for another time -> when the time now was told."""
    to_all = InvitationNotice.objects.filter(invitation=OuterRef("pk"), person__isnull=True)
    told = to_all.order_by("-number")
    rows = Invitation.objects.filter(event__in=events).unanswered()
    rows = rows.exclude(state=AnswerState.NEEDS_ACTION)
    told_at = rows.annotate(told_at=Subquery(told.values("stamp_at")[:1]))
    return dict(told_at.values_list("pk", "told_at"))


def _calendars(
    events: Sequence[Event], standards: dict[int, list[StandardDuty]]
) -> dict[int, WorkCalendar]:
    """Return the working days of each alliance that counts any."""
    counting = [
        pk for pk, rows in standards.items() if any(row.day_unit == DayUnit.WORKING for row in rows)
    ]
    days = [event.starts_wall.date() for event in events if event.starts_wall is not None]
    days += [event.window_starts_on for event in events if event.window_starts_on is not None]
    if not counting or not days:
        return {}
    zones = dict(Alliance.objects.filter(pk__in=counting).values_list("pk", "time_zone"))
    groups = {pk: (country_of(zone),) for pk, zone in zones.items()}
    first, last = min(days), max(days)
    found = calendars_of(
        groups.values(),
        first=first.replace(year=first.year - 2, day=1),
        last=last.replace(year=last.year + 2, day=1),
    )
    return {pk: found[group] for pk, group in groups.items()}
