"""Steps follow from duties: rows derived inside the recording that changes either.

Steps before the date count from it; those after it count from the later of the date and the
moment the duty was set, so that nobody's head hears of what nobody was asked for. The time in
which it counted as done, until that was taken back, is left out; steps taken before stay taken,
unless what they tell was left out on account of that before it reached its reader.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q

from alliances.models import Alliance
from coordination.changes.projections import Recorded
from coordination.deliveries.models import Delivery
from events.almanac import calendars_of
from events.dues import Point, due_of
from events.models import Chase, ChaseStep, DayUnit, Duty, ReminderState
from events.workdays import WorkCalendar
from events.zones import country_of, wall_of

KIND = "chase"
DONE = "done"
NO_LONGER_OWED = "no_longer_owed"
BATCH = 500
SET_TOO_LATE = "set after it was due"
COLUMNS = ["due_at", "state", "generation", "note", "fired_at", "joined"]


def keep_chases(changes: Sequence[Recorded], at: datetime) -> None:
    """Bring the steps of changed duties, and of changed steps' duties, up to date.

    A projection of the change log: it runs inside the recording that made the changes.
    """
    duties: dict[int, Duty] = {}
    again: set[int] = set()
    for change in changes:
        if change.deleted:
            continue
        if isinstance(change.obj, Duty):
            duties[change.obj.pk] = change.obj
            if _is_owed_again(change):
                again.add(change.obj.pk)
        elif isinstance(change.obj, ChaseStep):
            for duty in duties_of_alliance(change.obj.alliance_id):
                duties.setdefault(duty.pk, duty)
    pursue(list(duties.values()), at, again=again)


def _is_owed_again(change: Recorded) -> bool:
    ends = [change.diff[name] for name in ("done_at", "dropped_at") if name in change.diff]
    return any(before is not None and after is None for before, after in ends)


def duties_of_alliance(alliance: int) -> Iterable[Duty]:
    """Return what is owed in an alliance, held: a date that moves now is waited for."""
    rows = Duty.objects.owed().filter(event__alliance=alliance).select_related("event")
    found: Iterable[Duty] = rows.select_for_update(no_key=True, of=("self",)).order_by("pk")
    return found


def pursue(duties: Sequence[Duty], at: datetime, *, again: Collection[int] = ()) -> None:
    """Bring the steps of duties up to date.

    Args:
        duties: with their events.
        at: now.
        again: keys of those that counted as done, or were not owed, and are owed again.
    """
    for start in range(0, len(duties), BATCH):
        _keep(duties[start : start + BATCH], at, again)


def _keep(duties: Sequence[Duty], at: datetime, again: Collection[int]) -> None:
    steps = _steps_of(duties)
    calendars = _calendars(duties, steps)
    stored: dict[int, dict[int, Chase]] = defaultdict(dict)
    for row in Chase.objects.filter(duty__in=duties).select_for_update().order_by("pk"):
        stored[row.duty_id][row.step_id] = row
    unheard = _unheard(row for pk in again for row in stored[pk].values()) if again else set()
    new: list[Chase] = []
    changed: list[Chase] = []
    for duty in duties:
        alliance = duty.event.alliance_id
        wanted = _wanted(duty, steps.get(alliance, []), calendars.get(alliance), at)
        known = stored[duty.pk]
        fresh = [pk for pk in wanted if pk not in known or _was_given_up(known[pk])]
        for pk, row in _begun(duty, {pk: wanted[pk] for pk in fresh}, known, at).items():
            (changed if pk in known else new).append(row)
        for pk, row in known.items():
            if pk in wanted and pk not in fresh:
                if _follow(row, duty, wanted[pk], at) or (row.pk in unheard and _retake(row)):
                    changed.append(row)
            elif pk not in wanted and row.state == ReminderState.PENDING:
                row.state = ReminderState.CANCELLED
                changed.append(row)
    Chase.objects.bulk_create(new)
    Chase.objects.bulk_update(changed, COLUMNS, BATCH)


def _was_given_up(row: Chase) -> bool:
    return row.state == ReminderState.CANCELLED


def _begun(
    duty: Duty, dues: dict[int, datetime], known: dict[int, Chase], at: datetime
) -> dict[int, Chase]:
    """Return steps that begin now.

    Of those over already the last one is taken at once, so that whoever owes it hears of it; the
    rest are passed over.
    """
    over = [pk for pk, due in dues.items() if due <= at]
    last = max(over, key=lambda pk: (dues[pk], pk)) if over else None
    found = {}
    for pk, due in dues.items():
        row = known.get(pk) or Chase(duty=duty, step_id=pk)
        if pk in known:
            row.generation += 1
        row.due_at = at if pk == last else due
        row.state, row.note, row.fired_at, row.joined = ReminderState.PENDING, "", None, []
        if pk in over and pk != last:
            row.state, row.note = ReminderState.SKIPPED, SET_TOO_LATE
        found[pk] = row
    return found


def _unheard(rows: Iterable[Chase]) -> set[int]:
    """Return the keys of steps that were taken, and then not told to somebody after all."""
    taken = {str(row.pk): row for row in rows if row.state == ReminderState.FIRED}
    lines = Delivery.objects.filter(source=KIND, source_id__in=taken).filter(
        Q(dropped_reason__in=(DONE, NO_LONGER_OWED)) | Q(message__state="superseded")
    )
    found = lines.values_list("source_id", "generation")
    return {taken[pk].pk for pk, generation in found if taken[pk].generation == generation}


def _retake(row: Chase) -> bool:
    """Take a step once more: who heard it has it in the ledger, under the same date."""
    row.generation += 1
    row.state, row.fired_at = ReminderState.PENDING, None
    return True


def _follow(row: Chase, duty: Duty, due: datetime, at: datetime) -> bool:
    """Let a step follow its duty's date; return whether it changed."""
    is_settled = row.state != ReminderState.PENDING and (due <= at or duty.is_chased_anew)
    if row.due_at == due or is_settled:
        return False
    if row.state != ReminderState.PENDING:
        row.generation += 1
        row.state, row.note, row.fired_at, row.joined = ReminderState.PENDING, "", None, []
    row.due_at = due
    return True


def _steps_of(duties: Sequence[Duty]) -> dict[int, list[ChaseStep]]:
    found: dict[int, list[ChaseStep]] = defaultdict(list)
    alliances = {duty.event.alliance_id for duty in duties}
    for step in ChaseStep.objects.filter(alliance__in=alliances, enabled=True).order_by("pk"):
        found[step.alliance_id].append(step)
    return found


def _wanted(
    duty: Duty, steps: Sequence[ChaseStep], calendar: WorkCalendar | None, at: datetime
) -> dict[int, datetime]:
    """Return when each step is due for a duty, by key; nothing once it is done or dropped."""
    if duty.done_at is not None or duty.dropped_at is not None:
        return {}
    found = {}
    for step in _taken_for(duty, steps):
        offset = step.timing.offset
        is_after = offset.days > 0 or offset.minutes > 0
        base = duty.overdue_from if is_after else duty.due_at
        zone = duty.event.time_zone
        point = Point(wall=wall_of(base, zone), zone=zone)
        due = due_of(point, step.timing, calendar=calendar)
        if due is not None:
            found[step.pk] = due.at
    return found


def is_taken() -> Q:
    """Return the condition under which a `Chase` is of a step still taken, see `_taken_for`."""
    own = ChaseStep.objects.filter(
        alliance=OuterRef("step__alliance"), kind=OuterRef("duty__kind"), enabled=True
    )
    return Q(step__enabled=True) & (Q(step__kind=F("duty__kind")) | Q(~Exists(own), step__kind=""))


def _taken_for(duty: Duty, steps: Sequence[ChaseStep]) -> list[ChaseStep]:
    """Return the steps for a duty: those for its own kind take the place of those for all kinds."""
    own = [step for step in steps if step.kind == duty.kind]
    return own or [step for step in steps if not step.kind]


def _calendars(
    duties: Sequence[Duty], steps: dict[int, list[ChaseStep]]
) -> dict[int, WorkCalendar]:
    """Return the working days of each alliance that counts any."""
    counting = [
        pk for pk, rows in steps.items() if any(step.day_unit == DayUnit.WORKING for step in rows)
    ]
    if not counting:
        return {}
    zones = dict(Alliance.objects.filter(pk__in=counting).values_list("pk", "time_zone"))
    groups = {pk: (country_of(zone),) for pk, zone in zones.items()}
    days: list[date] = [duty.overdue_from.date() for duty in duties] + [
        duty.due_at.date() for duty in duties
    ]
    far = timedelta(days=400)
    found = calendars_of(groups.values(), first=min(days) - far, last=max(days) + far)
    return {pk: found[group] for pk, group in groups.items()}
