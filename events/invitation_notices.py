"""What those invited are told, and when: a reader of the change log that brings notices up to date.

It looks at no single change for long: for each invitation that the changes touch it compares what
its people were told last with what is so now. Equal: nothing is sent. So a change undone before
anybody was told is never told, and reading the log again tells nobody twice.

Told by mail is what a calendar must know: an invitation, a new time, place or state (a higher
SEQUENCE), that it is off or was withdrawn. A better wording of the description is not news: feeds
and CalDAV carry it, and the next notice.

A notice is for everybody who answers for the organization, or for one person alone: whoever stops
answering is told once to take the event out (`parting`), and whoever comes back is asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from alliances.models import Person, Seat
from coordination.changes.models import Change
from coordination.deliveries.fanout import enqueue, fan_out
from coordination.deliveries.models import Delivery
from events.asking import ON, is_wanted, people_asked, seats_of
from events.entries import CHANNEL, SOURCE, Entry, entries_of
from events.models import Event, EventState, Invitation, InvitationNotice, Invitee, NoticeMethod
from events.noticing import add_notice, cause_of, tell_alone
from events.parting import part_from_those_who_left

NEWS_OF_SEATS = frozenset(
    {"seat.begun", "seat.took_effect", "seat.revised", "seat.ended", "seat.lapsed"}
)


class InvitationNews:
    """Keeps the people of invited organizations told."""

    name = "invitations"

    def tell(self, changes: Sequence[Change], at: datetime) -> None:
        """Bring the notices of every invitation that the changes touch up to date."""
        asked = {change.object_uid for change in changes if change.kind == "invitation.sent"}
        events: dict[int, Event] = {}
        for invitation in _touched(changes, at):
            bring_up_to_date(invitation, at=at, was_asked=invitation.uid in asked)
            events[invitation.event_id] = invitation.event
        for event in events.values():
            if not is_past(event, at=at):
                part_from_those_who_left(event, at=at)


def bring_up_to_date(invitation: Invitation, *, at: datetime, was_asked: bool = False) -> None:
    """Tell the people of an invitation what they have not been told of it.

    Args:
        invitation: with its event.
        at: now.
        was_asked: whether they were asked (anew) just now.
    """
    event = invitation.event
    if is_past(event, at=at):
        return
    latest = invitation.notices.filter(person__isnull=True).order_by("-number").first()
    if is_wanted(invitation, at=at):
        is_news = (
            latest is None
            or latest.method != NoticeMethod.REQUEST
            or latest.sequence != event.sequence
            or (was_asked and not invitation.invitees.exists())  # asking anew ends old links
        )
        _ask(add_notice(invitation, NoticeMethod.REQUEST) if is_news else latest, at)
    elif latest is not None and latest.method == NoticeMethod.REQUEST:
        _call_off(add_notice(invitation, NoticeMethod.CANCEL), at)


def is_past(event: Event, *, at: datetime) -> bool:
    """Whether nobody is told of the event any more: it was held, or its time is over."""
    return event.state == EventState.HELD or (event.ends_at is not None and event.ends_at <= at)


def requests_got(notice: InvitationNotice, *, recipient: str) -> list[InvitationNotice]:
    """Return the REQUESTs that a reader got before a notice and that still stand, oldest first.

    With one at least, the event is in their calendar. To whoever left, those of every invitation
    to the event count: one CANCEL takes out what any of them put in.
    """
    return [entry.notice for entry in _entries_before(notice, recipient)]


def has_it_already(notice: InvitationNotice, *, recipient: str) -> bool:
    """Whether a reader who came back surely has what a REQUEST to them alone tells."""
    return notice.person_id is not None and any(
        entry.is_sure and entry.notice.sequence == notice.sequence
        for entry in _entries_before(notice, recipient)
        if entry.notice.invitation_id == notice.invitation_id
    )


def last_time_told(notices: Sequence[InvitationNotice]) -> str:
    """Return the last time that these notices told, as text; "" for none."""
    return next((one.time_text for one in reversed(notices) if one.time_text), "")


def _entries_before(notice: InvitationNotice, recipient: str) -> list[Entry]:
    """Return what a reader got of an event; lines are few, the reader is looked for among them.

    A database that is asked may come by way of everything that this reader ever got.
    """
    invitation = notice.invitation
    if notice.person_id is None:
        found = entries_of([invitation], before=notice.number)
    else:
        found = entries_of(Invitation.objects.filter(event=invitation.event_id))
    return [one for one in found if one.recipient == recipient and one.notice.pk < notice.pk]


def _touched(changes: Sequence[Change], at: datetime) -> Iterable[Invitation]:
    """Return the invitations that changes of theirs, their event's or a seat's may concern."""
    uids: dict[str, set[Any]] = {"events.invitation": set(), "events.event": set()}
    seats = set()
    for change in changes:
        if change.object_type in uids:
            uids[change.object_type].add(change.object_uid)
        elif change.kind in NEWS_OF_SEATS:
            seats.add(change.object_uid)
    concerned = Q(uid__in=uids["events.invitation"]) | Q(event__uid__in=uids["events.event"])
    if seats:
        organizations = Seat.objects.filter(uid__in=seats, organization__isnull=False)
        concerned |= Q(
            organization__in=organizations.values("organization"),
            withdrawn_at__isnull=True,
            event__state__in=ON,
        ) & (Q(event__ends_at__isnull=True) | Q(event__ends_at__gt=at))
    rows: Iterable[Invitation] = (
        Invitation.objects.filter(concerned)
        .select_related("event__alliance", "organization")
        .order_by("pk")
    )
    return rows


def _ask(notice: InvitationNotice | None, at: datetime) -> None:
    """Tell everybody who answers for the organization; whoever was told keeps that line.

    Whoever left since and answers again lost it from their calendar: they are asked alone.
    """
    if notice is None:
        return
    invitation = notice.invitation
    seats = people_asked(invitation, at=at)
    people = dict(seats.values_list("person", "recipient"))
    known = invitation.invitees.filter(person__in=people).values_list("person", flat=True)
    Invitee.objects.bulk_create(
        [Invitee(invitation=invitation, person_id=pk) for pk in sorted(people.keys() - set(known))],
        ignore_conflicts=True,
    )
    left, back = _left_and_back(notice, people)
    left = _called_off_later(notice, people) | left
    fan_out(seats.exclude(person__in=left), channel=CHANNEL, cause=cause_of(notice, at))
    again = [pk for pk, parted in left.items() if back.get(pk, 0) < parted]
    for person in Person.objects.filter(pk__in=again).order_by("pk") if again else ():
        tell_alone(invitation, person, NoticeMethod.REQUEST, at=at)


def _called_off_later(notice: InvitationNotice, people: Mapping[int, str]) -> dict[int, int]:
    """Return who is new to a notice, and was told of another invitation's end with a later DTSTAMP.

    To their calendar the notice would be older than what took the event out (RFC 5546 section
    2.1.5). By the person, with the row of the notice that took it out.
    """
    later = InvitationNotice.objects.filter(
        invitation__event=notice.invitation.event_id,
        person__isnull=True,
        method=NoticeMethod.CANCEL,
        stamp_at__gte=notice.stamp_at,
    ).exclude(invitation=notice.invitation_id)
    off = {(str(row.invitation_id), row.number): row.pk for row in later.order_by("pk")}
    if not off:
        return {}
    lines = Delivery.objects.filter(source=SOURCE)
    told = lines.filter(source_id=str(notice.invitation_id), generation=notice.number)
    have = set(told.values_list("recipient", flat=True))
    new = {recipient: pk for pk, recipient in people.items() if recipient not in have}
    taken = lines.filter(source_id__in=[source_id for source_id, _number in off])
    found: dict[int, int] = {}
    for source_id, number, recipient in taken.values_list("source_id", "generation", "recipient"):
        row = off.get((source_id, number))
        if row is not None and recipient in new:
            found[new[recipient]] = max(row, found.get(new[recipient], 0))
    return found


def _left_and_back(
    notice: InvitationNotice, people: Iterable[int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Return who was told to take the event out after a notice, and who was asked again after it.

    Both by the person, with the row of the last notice: out by any invitation to the event, again
    by this one.
    """
    left: dict[int, int] = {}
    back: dict[int, int] = {}
    alone = InvitationNotice.objects.filter(
        invitation__event=notice.invitation.event_id, person__in=people, pk__gt=notice.pk
    )
    rows = alone.order_by("pk").values_list("pk", "person", "method", "invitation")
    for pk, person, method, invitation in rows:
        if method == NoticeMethod.CANCEL:
            left[person] = pk
        elif invitation == notice.invitation_id:
            back[person] = pk
    return left, back


def _call_off(notice: InvitationNotice, at: datetime) -> None:
    """Tell those who got a REQUEST, or to whom one is just being sent: it settles before this.

    Whoever no longer answers here and has the event by another invitation too hears it from that.
    """
    invitation = notice.invitation
    told = {entry.recipient for entry in entries_of([invitation], before=notice.number)}
    gone = told - set(people_asked(invitation, at=at).values_list("recipient", flat=True))
    told -= _told_by_another(invitation, gone, at) if gone else set()
    enqueue(sorted(told), channel=CHANNEL, cause=cause_of(notice, at))


def _told_by_another(invitation: Invitation, recipients: Iterable[str], at: datetime) -> set[str]:
    """Return those who have the event by an invitation of an organization they still answer for."""
    others = list(Invitation.objects.filter(event=invitation.event_id).exclude(pk=invitation.pk))
    organizations = {row.pk: row.organization_id for row in others}
    seats = seats_of(organizations.values(), at=at).filter(recipient__in=list(recipients))
    answering = set(seats.values_list("recipient", "organization"))
    return {
        entry.recipient
        for entry in entries_of(others)
        if (entry.recipient, organizations[entry.notice.invitation_id]) in answering
    }
