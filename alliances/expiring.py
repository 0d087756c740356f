"""What time does to access: memberships, chairs and seats that begin or end on a day.

Rights are always read from the periods themselves, so nothing here grants or takes them. But a
copy that somebody keeps changes with them, and copies hear of changes from the log only: the clock
writes there that a period took effect or lapsed. A period that is entered after its day needs no
such change; its own says it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from alliances.models import AccessDay, ChairTerm, Membership, Seat
from coordination.accounts.models import DEFAULT_TIME_ZONE
from coordination.accounts.tokens import revoke_tokens_of
from coordination.accounts.viewer import SYSTEM
from coordination.changes.recording import Log, recording

PERIODS: tuple[tuple[Any, str], ...] = (
    (Membership, "membership"),
    (ChairTerm, "chair_term"),
    (Seat, "seat"),
)


def record_access_changes(*, at: datetime) -> int:
    """Record the periods that began or ended since the last day recorded; return how many.

    Any number of clocks may do it at once: the mark is locked, and moves with the changes. The
    first time there is no mark, and nothing is looked for before today.

    Args:
        at: now, aware; its day is taken in the zone in which rights are read.
    """
    today = day_of_rights(at)
    if AccessDay.objects.filter(recorded_on__gte=today).exists():
        return 0
    with recording(SYSTEM.actor, at=at) as log:
        AccessDay.objects.bulk_create([AccessDay(pk=1, recorded_on=today)], ignore_conflicts=True)
        mark = AccessDay.objects.select_for_update().get(pk=1)
        if mark.recorded_on >= today:
            return 0
        since = mark.recorded_on
        mark.recorded_on = today
        mark.save(update_fields=["recorded_on"])
        return sum(_record(model, noun, since, today, log) for model, noun in PERIODS)


def day_of_rights(at: datetime) -> date:
    """Return the day of an instant in the zone in which rights are read."""
    return at.astimezone(ZoneInfo(DEFAULT_TIME_ZONE)).date()


def revoke_tokens_of_predecessors(seats: Sequence[Seat], *, on: date, at: datetime) -> None:
    """Revoke the tokens of people whose seat went to somebody else, unless another one remains."""
    for seat in seats:
        user = seat.person.user
        if user is None or seat.ends_on is None or seat.person.seats.active_on(on).exists():
            continue
        successors = Seat.objects.filter(
            role=seat.role,
            organization=seat.organization_id,
            body=seat.body_id,
            starts_on=seat.ends_on,
        )
        if successors.exclude(person=seat.person_id).exists():
            revoke_tokens_of(user, viewer=SYSTEM, at=at)


def _record(model: Any, noun: str, since: date, today: date, log: Log) -> int:
    """Record what began or ended after `since`, up to and including `today`."""
    days = {"gt": since, "lte": today}
    in_days = {
        name: Q(**{f"{name}__{how}": day for how, day in days.items()})
        for name in ("starts_on", "ends_on")
    }
    starting = model.objects.filter(in_days["starts_on"]).exclude(in_days["ends_on"])
    begun = [row for row in starting if day_of_rights(row.created_at) < row.starts_on]
    ended = list(model.objects.filter(in_days["ends_on"]))
    count = log.update_all(begun, f"{noun}.took_effect", touch=True)
    count += log.update_all(ended, f"{noun}.lapsed", touch=True)
    if model is Seat:
        revoke_tokens_of_predecessors(ended, on=today, at=log.at)
    return count
