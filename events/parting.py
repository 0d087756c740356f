"""Take an event out of the calendars of those who stopped answering, and nothing out of others'.

Everybody who has the event by an invitation that stands is compared with who answers today, so
nobody is forgotten whatever ended the seat, and nobody is told twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db.models import OuterRef, Subquery

from alliances.models import Person, Seat
from events.asking import seats_of
from events.entries import Entry, entries_of, is_told_or_waits
from events.models import Event, Invitation, InvitationNotice, NoticeMethod
from events.noticing import tell_alone
from events.rules import ANSWERING_ROLES


def part_from_those_who_left(event: Event, *, at: datetime) -> None:
    """Take the event out of the calendars of those who answer for nobody asked to it any more.

    A CANCEL to one person takes the event from that one alone (RFC 5546 section 3.2.5).

    Args:
        event: still to come.
        at: now.
    """
    standing = _standing(event)
    seats = seats_of([row.organization_id for row in standing], at=at)
    left: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries_of(standing, but=seats.order_by().values("recipient")):
        left[entry.recipient].append(entry)
    if not left:
        return
    people = Person.objects.filter(
        uid__in=[recipient.partition(":")[2] for recipient in left], erased_at__isnull=True
    )
    for person in people.order_by("pk"):
        entries = left[f"person:{person.uid}"]
        if not _was_parted_from(event, person, entries):
            invitation = _left_last(standing, person, entries)
            tell_alone(invitation, person, NoticeMethod.CANCEL, at=at)


def _standing(event: Event) -> list[Invitation]:
    """Return the invitations by which people were asked last, not told that it is off."""
    to_all = InvitationNotice.objects.filter(invitation=OuterRef("pk"), person__isnull=True)
    last = Subquery(to_all.order_by("-number").values("method")[:1])
    rows = Invitation.objects.filter(event=event).alias(last_method=last)
    found = rows.filter(last_method=NoticeMethod.REQUEST)
    return list(found.select_related("event__alliance", "organization").order_by("pk"))


def _was_parted_from(event: Event, person: Person, entries: Sequence[Entry]) -> bool:
    """Whether the person was told to take out what these put in, or that is on its way."""
    alone = InvitationNotice.objects.filter(invitation__event=event, person=person)
    last = alone.order_by("-pk").first()
    if last is None or last.method != NoticeMethod.CANCEL or last.pk < entries[-1].notice.pk:
        return False
    newer = InvitationNotice.objects.filter(
        invitation=last.invitation_id, person__isnull=True, number__gt=last.number
    )
    return not newer.exists() and is_told_or_waits(last)


def _left_last(
    standing: Iterable[Invitation], person: Person, entries: Iterable[Entry]
) -> Invitation:
    """Return the invitation, of those that put the event in, that the person left last."""
    asked = {entry.notice.invitation_id for entry in entries}
    rows = [row for row in standing if row.pk in asked]
    ends = dict(
        Seat.objects.filter(
            person=person,
            organization__in=[row.organization_id for row in rows],
            role__in=ANSWERING_ROLES,
            ends_on__isnull=False,
        )
        .order_by("ends_on")
        .values_list("organization", "ends_on")
    )
    return max(rows, key=lambda row: (ends.get(row.organization_id) or date.min, row.pk))
