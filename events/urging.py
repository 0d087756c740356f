"""Chasing as a source of deliveries: each step to whoever holds the seat when it goes out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from alliances.expiring import day_of_rights
from alliances.models import BodyKind, Seat, SeatRole
from coordination.changes.models import Change
from coordination.deliveries.fanout import Cause, fan_out
from coordination.deliveries.models import Delivery
from coordination.deliveries.news import News
from coordination.deliveries.recipients import Reader, RecipientKey
from coordination.deliveries.sources import Rendered
from events.chase_letters import render_chases
from events.grouping import ReaderGroup, groups_of, in_groups, with_clocks
from events.models import Chase, Duty, ReminderState, Urgency
from events.models.chase import CHASED_WORDS
from events.pursuing import DONE, KIND, NO_LONGER_OWED, is_taken
from events.quiet import QuietHours, sending_time

ABOUT = "events.event"
DIGEST = "owed"
USUAL_QUIET = QuietHours(time(22), time(7))
LADDER = tuple(CHASED_WORDS)
"""Who stands in for whom: where a seat is empty, whoever comes next is told."""
SECRETARIAT = "secretariat"


class Chases:
    """The source "chase": one cause is one step for one duty, in one generation."""

    kind = KIND
    news = News.CHASING

    def fire_next(self, at: datetime) -> bool:
        """Take, or pass over, the step that has been due longest; return whether there was one."""
        with transaction.atomic():
            duty = _duty_due(at)
            if duty is None:
                return False
            steps = _overdue(duty, at)
            if not steps:
                return True  # another clock took them just before this one came to the duty
            chase, following = steps[0], next(iter(steps[1:]), None)
            if not _is_owed(chase.duty):
                chase.state = ReminderState.CANCELLED
            elif following is not None:
                chase.state, chase.note = ReminderState.SKIPPED, "told with the next step"
                following.joined = [*following.joined, *chase.joined, chase.step_id]
                following.save(update_fields=["joined"])
            else:
                tell(chase, at)
                chase.state, chase.fired_at = ReminderState.FIRED, at
            chase.save(update_fields=["state", "note", "fired_at"])
        return True

    def oldest_due_at(self, at: datetime) -> datetime | None:
        """Return since when a step has been due and has not been taken; None when none is."""
        due = Chase.objects.filter(state=ReminderState.PENDING, due_at__lte=at)
        return due.order_by("due_at").values_list("due_at", flat=True).first()

    def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
        """Return why the message is no longer wanted, or ""."""
        found = _chases_of(delivery).annotate(is_taken=is_taken()).first()
        if found is None:
            return "step_removed"
        chase: Chase = found
        if chase.duty.done_at is not None:
            return DONE
        if not _is_owed(chase.duty):
            return NO_LONGER_OWED
        if chase.generation != delivery.generation:
            return "date_moved"
        if not found.is_taken:
            return "step_removed"
        if not reader.address:
            return "no_address"
        wanted = recipients_of_chase(chase, on=day_of_rights(at))
        if not wanted.filter(recipient=delivery.recipient).exists():
            with transaction.atomic():
                tell(chase, at)  # whoever is to be told by now, in their place
            return "no_longer_concerned"
        return "told_already" if Delivery.objects.told_before(delivery).exists() else ""

    def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
        """Write what is owed in one message, in the reader's language and zone."""
        found = [row for delivery in deliveries if (row := chase_of(delivery)) is not None]
        # Steps that a digest brought together say the same of one duty: the latest says it.
        latest = {row.duty_id: row for row in sorted(found, key=lambda row: (row.due_at, row.pk))}
        chases = list(latest.values())
        return render_chases([(row.duty, row.step) for row in chases], reader, at)


class SuccessorsAreTold:
    """The reader of the log that tells whoever takes a seat what is being chased there."""

    name = "successors of those who owe"

    def tell(self, changes: Sequence[Change], at: datetime) -> None:
        """Tell the last step taken again: those who heard it have their line in the ledger."""
        seats = [
            change.object_uid for change in changes if change.object_type == Seat.object_type()
        ]
        if not seats:
            return
        organizations = Seat.objects.filter(uid__in=seats, organization__isnull=False)
        duties = Duty.objects.owed().filter(organization__in=organizations.values("organization"))
        last: dict[int, Chase] = {}
        rows = Chase.objects.filter(duty__in=duties, state=ReminderState.FIRED)
        for chase in rows.select_related(*RELATED).order_by("fired_at", "pk"):
            last[chase.duty_id] = chase
        for chase in last.values():
            tell(chase, at)


RELATED = ("step", "duty__event__alliance", "duty__organization")


def chase_of(delivery: Delivery) -> Chase | None:
    """Return the step that a line of the ledger came from; None when it is gone."""
    found: Chase | None = _chases_of(delivery).first()
    return found


def _chases_of(delivery: Delivery) -> QuerySet[Chase, Any]:
    return Chase.objects.filter(pk=int(delivery.source_id)).select_related(*RELATED)


def recipients_of_chase(chase: Chase, *, on: date) -> QuerySet[Any, Any]:
    """Return the seats of those whom a step tells on a day, with their `recipient` key.

    Where nobody holds a seat that is to be told, whoever comes next on the ladder is.
    """
    duty = chase.duty
    earlier = type(chase.step).objects.filter(pk__in=chase.joined)
    wanted = {word for step in (chase.step, *earlier) for word in step.told}
    seats = Seat.objects.active_on(on).filter(person__erased_at__isnull=True)
    held = set(
        seats.filter(organization=duty.organization_id).order_by().values_list("role", flat=True)
    )
    told = {_next_held(word, held) for word in wanted}
    condition = Q(organization=duty.organization_id, role__in=told - {SECRETARIAT})
    if SECRETARIAT in told:
        condition |= Q(
            role=SeatRole.STAFF,
            body__kind=BodyKind.SECRETARIAT,
            body__alliance=duty.event.alliance_id,
        )
    rows: QuerySet[Any, Any] = seats.filter(condition).annotate(
        recipient=RecipientKey("person", "person__uid")
    )
    return rows


def tell(chase: Chase, at: datetime) -> None:
    """Write down who is told of a step, each when their quiet hours allow."""
    day = day_of_rights(at)
    readers = with_clocks(recipients_of_chase(chase, on=day), on=day)
    is_urgent = chase.step.urgency == Urgency.URGENT
    cohorts: dict[datetime, list[ReaderGroup]] = defaultdict(list)
    for group in groups_of(readers):
        sending = sending_time(
            chase.due_at,
            zone=group.zone,
            quiet=None if is_urgent else group.quiet_hours(USUAL_QUIET),
            now=at,
            event_starts=None,
            min_useful=at - at,
            is_urgent=is_urgent,
        )
        cohorts[sending.at or at].append(group)
    for send_at, cohort in sorted(cohorts.items()):
        cause = Cause(
            source=Chases.kind,
            source_id=str(chase.pk),
            generation=chase.generation,
            due_at=chase.due_at,
            send_after=send_at,
            about_type=ABOUT,
            about_uid=chase.duty.event.uid,
            digest=DIGEST,
            urgent=is_urgent,
        )
        for channel in chase.step.channels:
            fan_out(in_groups(readers, cohort), channel=channel, cause=cause)


def _next_held(word: str, held: set[str]) -> str:
    for other in LADDER[LADDER.index(word) :]:
        if other == SECRETARIAT or other in held:
            return other
    return SECRETARIAT


def _duty_due(at: datetime) -> int | None:
    """Return the duty whose step has been due longest, held, and which nobody else holds.

    Whoever takes steps holds their duty first, as the verbs that change it do: two clocks can
    then never wait for each other's steps.
    """
    rows = Chase.objects.filter(state=ReminderState.PENDING, due_at__lte=at)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, no_key=True, of=("duty",))
    found = rows.select_related("duty").order_by("due_at", "pk").first()
    return None if found is None else found.duty_id


def _overdue(duty: int, at: datetime) -> list[Chase]:
    """Return the first two steps of a held duty that are overdue, the earlier first.

    Read anew: what the search for the duty saw may have been taken before it was held.
    """
    rows = Chase.objects.filter(duty=duty, state=ReminderState.PENDING, due_at__lte=at)
    rows = rows.select_related(*RELATED).select_for_update(of=("self",))
    return list(rows.order_by("due_at", "pk")[:2])


def _is_owed(duty: Duty) -> bool:
    return duty.done_at is None and duty.dropped_at is None
