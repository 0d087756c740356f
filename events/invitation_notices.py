"""What those invited are told, and when: a reader of the change log that brings notices up to date.

It looks at no single change for long: for each invitation that the changes touch it compares what
its people were told last with what is so now. Equal: nothing is sent. So a change undone before
anybody was told is never told, and reading the log again tells nobody twice.

Told by mail is what a calendar must know: an invitation, a new time, place or state (a higher
SEQUENCE), that it is off or was withdrawn. A better wording of the description is not news: feeds
and CalDAV carry it, and the next notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from alliances.expiring import day_of_rights
from alliances.models import Membership, Seat
from coordination.accounts.viewer import Grant, Viewer
from coordination.changes.models import Change
from coordination.deliveries.fanout import Cause, enqueue, fan_out
from coordination.deliveries.models import Delivery, MessageState
from coordination.deliveries.outbox import supersede
from coordination.deliveries.recipients import RecipientKey
from events.models import Event, EventState, Invitation, InvitationNotice, Invitee, NoticeMethod
from events.rules import ANSWERING_ROLES
from events.told_times import time_text

SOURCE = "invitation"
ABOUT = "events.event"
CHANNEL = "email"
ON = frozenset({EventState.SCHEDULED, EventState.CONFIRMED, EventState.POSTPONED})
NEWS_OF_SEATS = frozenset({"seat.begun", "seat.took_effect"})


class InvitationNews:
    """Keeps the people of invited organizations told."""

    name = "invitations"

    def tell(self, changes: Sequence[Change], at: datetime) -> None:
        """Bring the notices of every invitation that the changes touch up to date."""
        asked = {change.object_uid for change in changes if change.kind == "invitation.sent"}
        for invitation in _touched(changes, at):
            bring_up_to_date(invitation, at=at, was_asked=invitation.uid in asked)


def bring_up_to_date(invitation: Invitation, *, at: datetime, was_asked: bool = False) -> None:
    """Tell the people of an invitation what they have not been told of it.

    Args:
        invitation: with its event.
        at: now.
        was_asked: whether they were asked (anew) just now.
    """
    event = invitation.event
    if event.state == EventState.HELD or (event.ends_at is not None and event.ends_at <= at):
        return
    latest = invitation.notices.order_by("-number").first()
    if is_wanted(invitation, at=at):
        is_news = (
            latest is None
            or latest.method != NoticeMethod.REQUEST
            or latest.sequence != event.sequence
            or (was_asked and not invitation.invitees.exists())  # asking anew ends old links
        )
        notice = _add(invitation, latest, NoticeMethod.REQUEST) if is_news else latest
        _ask(notice, at)
    elif latest is not None and latest.method == NoticeMethod.REQUEST:
        _call_off(_add(invitation, latest, NoticeMethod.CANCEL), at)


def is_wanted(invitation: Invitation, *, at: datetime) -> bool:
    """Whether the invitation stands, and its organization may see the event."""
    event = invitation.event
    if invitation.withdrawn_at is not None or event.state not in ON:
        return False
    return Event.objects.visible_to(_as_organization(invitation, at)).filter(pk=event.pk).exists()


def people_asked(invitation: Invitation, *, at: datetime) -> QuerySet[Any, Any]:
    """Return the seats of those who answer for the organization, with their `recipient` key."""
    seats: QuerySet[Any, Any] = (
        Seat.objects.active_on(day_of_rights(at))
        .filter(
            organization=invitation.organization_id,
            role__in=ANSWERING_ROLES,
            person__erased_at__isnull=True,
        )
        .annotate(recipient=RecipientKey("person", "person__uid"))
    )
    return seats


def is_asked_otherwise(invitation: Invitation, person_uid: str, *, at: datetime) -> bool:
    """Whether another invitation asks the same person to the same event: it is in their calendar.

    One UID stands for both there, so taking one back must not take the event out.
    """
    seats = Seat.objects.active_on(day_of_rights(at)).filter(
        person__uid=person_uid, person__erased_at__isnull=True, role__in=ANSWERING_ROLES
    )
    others = Invitation.objects.filter(
        event=invitation.event_id, organization__in=seats.values("organization")
    ).exclude(pk=invitation.pk)
    return any(is_wanted(other, at=at) for other in others.select_related("event"))


def got_a_request(invitation: Invitation, *, before: int) -> QuerySet[Delivery]:
    """Return the lines of the ledger by which people got a REQUEST that still stands.

    A copy whose fate is unknown may be in somebody's calendar, so it counts.

    Args:
        invitation: about which.
        before: number of the notice that takes it back.
    """
    off = invitation.notices.filter(method=NoticeMethod.CANCEL, number__lt=before)
    last_off = off.order_by("-number").values_list("number", flat=True).first() or 0
    return _lines(invitation).filter(
        Q(message__state=MessageState.SENT) | Q(message__in_doubt=True),
        generation__gt=last_off,
        generation__lt=before,
    )


def requests_got(notice: InvitationNotice, *, recipient: str) -> list[int]:
    """Return the numbers of the REQUESTs that a reader got before a notice and that still stand.

    With one at least, the event is in their calendar. Lines are few: the reader is looked for among
    them, since a database that is asked may come by way of everything that this reader ever got.
    """
    lines = got_a_request(notice.invitation, before=notice.number)
    told = lines.values_list("recipient", "generation")
    return [number for reader, number in told if reader == recipient]


def last_time_told(invitation: Invitation, *, numbers: Sequence[int]) -> str:
    """Return the last time that these notices told, as text; "" for none."""
    if not numbers:
        return ""
    told = invitation.notices.filter(number__in=numbers).exclude(time_text="")
    return told.order_by("-number").values_list("time_text", flat=True).first() or ""


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
            event__ends_at__gt=at,
        )
    rows: Iterable[Invitation] = (
        Invitation.objects.filter(concerned)
        .select_related("event__alliance", "organization")
        .order_by("pk")
    )
    return rows


def _add(
    invitation: Invitation, latest: InvitationNotice | None, method: NoticeMethod
) -> InvitationNotice:
    """Add a notice; what has not been sent of older ones is withdrawn."""
    event = invitation.event
    stamp = max(event.changed_at, invitation.changed_at).replace(microsecond=0)
    if latest is not None:
        stamp = max(stamp, latest.stamp_at + timedelta(seconds=1))
    notice = InvitationNotice.objects.create(
        invitation=invitation,
        number=latest.number + 1 if latest is not None else 1,
        method=method,
        sequence=event.sequence,
        stamp_at=stamp,
        time_text=time_text(event),
    )
    supersede(SOURCE, str(invitation.pk), before_generation=notice.number, reason="newer_notice")
    return notice


def _ask(notice: InvitationNotice | None, at: datetime) -> None:
    """Tell everybody who answers for the organization; whoever was told keeps that line."""
    if notice is None:
        return
    invitation = notice.invitation
    seats = people_asked(invitation, at=at)
    people = set(seats.values_list("person", flat=True))
    known = invitation.invitees.filter(person__in=people).values_list("person", flat=True)
    Invitee.objects.bulk_create(
        [Invitee(invitation=invitation, person_id=pk) for pk in sorted(people - set(known))],
        ignore_conflicts=True,
    )
    fan_out(seats, channel=CHANNEL, cause=_cause(notice, at))


def _call_off(notice: InvitationNotice, at: datetime) -> None:
    """Tell those who got a REQUEST, or to whom one is just being sent: it settles before this."""
    invitation = notice.invitation
    on_its_way = _lines(invitation).filter(
        message__state=MessageState.PENDING, generation__lt=notice.number
    )
    lines = (got_a_request(invitation, before=notice.number), on_its_way.exclude(message__lease=""))
    told = {key for rows in lines for key in rows.values_list("recipient", flat=True)}
    enqueue(sorted(told), channel=CHANNEL, cause=_cause(notice, at))


def _cause(notice: InvitationNotice, at: datetime) -> Cause:
    event = notice.invitation.event
    return Cause(
        source=SOURCE,
        source_id=str(notice.invitation_id),
        generation=notice.number,
        due_at=at,
        send_after=at,
        expires_at=event.ends_at,
        about_type=ABOUT,
        about_uid=event.uid,
        lane=f"{SOURCE}:{notice.invitation_id}",  # a cancellation never overtakes a request
    )


def _lines(invitation: Invitation) -> QuerySet[Delivery]:
    return Delivery.objects.from_source(SOURCE, str(invitation.pk))


def _as_organization(invitation: Invitation, at: datetime) -> Viewer:
    """Return a viewer with what everybody who acts for the organization may see."""
    memberships = Membership.objects.filter(organization=invitation.organization_id)
    alliances = memberships.active_on(day_of_rights(at)).values_list("alliance", flat=True)
    grants = {Grant("member", "alliance", pk) for pk in alliances}
    return Viewer(
        user_id=None,
        grants=frozenset({Grant("member", "organization", invitation.organization_id), *grants}),
    )
