"""Who is told of an event: its audiences as rows, selected inside the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat

from alliances.models import BodyKind, Membership, Openness, Organization, Seat, SeatRole
from coordination.deliveries.recipients import RecipientKey
from events.models import Event, Invitation, InvitationNotice, ReminderRule
from events.querysets import InvitationQuerySet

TOLD_ROLES = (SeatRole.LIAISON, SeatRole.DEPUTY)
BODY_ROLES = (SeatRole.CHAIR, SeatRole.MEMBER)
NOT_INVITED = "not_invited"
UNANSWERED = "needs_action"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What an audience is narrowed to; what is empty narrows nothing.

    Attributes:
        roles: seats that are told; empty for liaison officers, deputies, and chairs and members
            of bodies.
        tiers, member_roles, tags: a membership must have one of each.
        organizations: outside ids; also those of the audience "chosen".
        answers: states of the organization's invitation, or "not_invited"; one that was answered
            for another time waits for an answer too.
    """

    roles: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    member_roles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()

    @classmethod
    def of_rule(cls, rule: ReminderRule) -> Narrowing:
        """Return what a rule narrows its audience to."""
        answers = tuple(rule.answers)
        if rule.is_for_answers:
            answers = (UNANSWERED,)
        return cls(
            roles=tuple(rule.roles),
            tiers=tuple(rule.tiers),
            member_roles=tuple(rule.member_roles),
            tags=tuple(rule.tags),
            organizations=tuple(rule.organizations),
            answers=answers,
        )


EVERYONE = Narrowing()


def recipients_of_rule(event: Event, rule: ReminderRule, *, on: date) -> QuerySet[Any, Any]:
    """Return the seats of those whom a rule reminds of an event, see `recipients_of`."""
    return recipients_of(event, rule.audience, on=on, narrowing=Narrowing.of_rule(rule))


def recipients_of(
    event: Event, audience: Sequence[str], *, on: date, narrowing: Narrowing = EVERYONE
) -> QuerySet[Any, Any]:
    """Return the seats of those who belong to the audience, with their `recipient` key.

    Nobody is told of an event that they may not see: an event for the secretariat is told to the
    secretariat only, and members at large hear of what is open to members.

    Args:
        event: the event.
        audience: of "hosts", "members", "named", "invited", "chosen", "bodies", "secretariat".
        on: day on which seats and memberships must hold.
        narrowing: who of them.
    """
    wanted = Q(pk__in=[])
    if "secretariat" in audience:
        wanted |= Q(
            role=SeatRole.STAFF,
            body__kind=BodyKind.SECRETARIAT,
            body__alliance=event.alliance_id,
        )
    if "bodies" in audience and event.openness in (Openness.MEMBERS, Openness.PUBLIC):
        wanted |= Q(
            ~Q(body__kind=BodyKind.SECRETARIAT),
            role__in=_roles(narrowing, BODY_ROLES, body=True),
            body__alliance=event.alliance_id,
        )
    roles = _roles(narrowing, TOLD_ROLES, body=False)
    limit = _limit(event, audience, narrowing, on)
    for organizations in _organizations(event, audience, narrowing, on):
        wanted |= Q(limit, role__in=roles, organization__in=organizations)
    seats: QuerySet[Any, Any] = (
        Seat.objects.active_on(on)
        .filter(wanted, person__erased_at__isnull=True)
        .annotate(recipient=RecipientKey("person", "person__uid"))
    )
    return seats


def is_answered_by_all(event: Event) -> bool:
    """Whether no invitation to an event waits for an answer."""
    return not _standing_invitations(event).unanswered().exists()


def times_asked(event: Event, rule: ReminderRule) -> int:
    """Return how many notices those invited had, where a rule tells who has not answered them.

    They follow the change log a moment later, and have no number of their own in it.
    """
    if UNANSWERED not in Narrowing.of_rule(rule).answers:
        return 0
    to_all = InvitationNotice.objects.filter(invitation__event=event, person__isnull=True)
    return to_all.count()


def _roles(narrowing: Narrowing, usual: Sequence[str], *, body: bool) -> list[str]:
    of_bodies = {SeatRole.CHAIR, SeatRole.MEMBER, SeatRole.OBSERVER}
    if not narrowing.roles:
        return list(usual)
    return [role for role in narrowing.roles if (role in of_bodies) == body]


def _organizations(
    event: Event, audience: Sequence[str], narrowing: Narrowing, on: date
) -> list[Any]:
    if event.openness == Openness.SECRETARIAT:
        return []
    found: list[Any] = []
    if "hosts" in audience:
        found.append(_known(event, "hosts"))
    if "named" in audience:
        found.append(_known(event, "named"))
    if "invited" in audience:
        found.append(_standing_invitations(event).values("organization"))
    is_open = event.openness in (Openness.MEMBERS, Openness.PUBLIC)
    if "members" in audience and is_open:
        found.append(_memberships(event, on).values("organization"))
    if "chosen" in audience:
        chosen = Organization.objects.filter(uid__in=narrowing.organizations)
        if event.openness != Openness.PUBLIC:
            inside = Q(pk__in=[*_known(event, "hosts"), *_known(event, "named")])
            if is_open:
                inside |= Q(pk__in=_memberships(event, on).values("organization"))
            chosen = chosen.filter(inside)
        found.append(chosen.values("pk"))
    return found


def _limit(event: Event, audience: Sequence[str], narrowing: Narrowing, on: date) -> Q:
    """Return the condition on a seat's organization that narrowing lays down."""
    limit = Q()
    if narrowing.organizations and "chosen" not in audience:
        chosen = Organization.objects.filter(uid__in=narrowing.organizations)
        limit &= Q(organization__in=chosen.values("pk"))
    members = _memberships(event, on)
    if narrowing.tiers:
        members = members.filter(tier__in=narrowing.tiers)
    if narrowing.member_roles:
        members = members.filter(role__in=narrowing.member_roles)
    if narrowing.tags:
        tagged = Q()
        for tag in narrowing.tags:
            tagged |= Q(words__icontains=f" {tag} ")
        members = members.annotate(words=Concat(Value(" "), "tags", Value(" "))).filter(tagged)
    if narrowing.tiers or narrowing.member_roles or narrowing.tags:
        limit &= Q(organization__in=members.values("organization"))
    if narrowing.answers:
        invited = _standing_invitations(event)
        answered = Q(
            organization__in=invited.filter(state__in=narrowing.answers).values("organization")
        )
        if UNANSWERED in narrowing.answers:
            answered |= Q(organization__in=invited.unanswered().values("organization"))
        if NOT_INVITED in narrowing.answers:
            answered |= ~Q(organization__in=invited.values("organization"))
        limit &= answered
    return limit


def _memberships(event: Event, on: date) -> QuerySet[Any, Any]:
    alliances = [event.alliance_id, *(row.alliance_id for row in event.part_rows("co_hosts"))]
    rows: QuerySet[Any, Any] = Membership.objects.filter(alliance__in=alliances).active_on(on)
    return rows


def _standing_invitations(event: Event) -> InvitationQuerySet:
    return Invitation.objects.filter(event=event, withdrawn_at__isnull=True)


def _known(event: Event, part: str) -> list[int]:
    """Return the organizations in a part; hosts known by name only have none."""
    return [row.organization_id for row in event.part_rows(part) if row.organization_id]
