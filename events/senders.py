"""Whose a mail is: by the secret it was sent to, or else by the attendee it names, or its thread.

Without the secret nothing is proved about the sender; it tells whom to show the mail to.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from alliances.models import Person
from coordination.deliveries.models import Delivery, Endpoint
from events.bounces import uid_in
from events.entries import SOURCE
from events.models import Invitation, Invitee


def asked_now(invitee: Invitee) -> Invitee:
    """Return the invitee; of an invitation taken back, the one that still asks the same person.

    A calendar has one entry for an event, and replies to whichever invitation came last.
    """
    if invitee.invitation.withdrawn_at is None:
        return invitee
    rows = Invitee.objects.select_related(
        "person__user",
        "person__details",
        "invitation__event__alliance",
        "invitation__organization",
    )
    event = invitee.invitation.event_id
    standing: Invitee | None = rows.filter(
        person=invitee.person_id, invitation__event=event, invitation__withdrawn_at__isnull=True
    ).first()
    return standing or invitee


def invitation_of_attendee(uid: str, address: str) -> tuple[Invitation | None, Person | None]:
    """Return the invitation to an event that was sent to somebody of this address, if any."""
    of_address = Q(person__details__email__iexact=address) | Q(person__user__email__iexact=address)
    invitee = (
        Invitee.objects.filter(of_address, invitation__event__ical_uid=uid)
        .select_related("invitation__event__alliance", "invitation__organization", "person")
        .order_by("-pk")
        .first()
    )
    return (invitee.invitation, invitee.person) if invitee is not None else (None, None)


def invitation_of_thread(message_ids: Iterable[str]) -> tuple[Invitation | None, Person | None]:
    """Return the invitation whose mail is answered, and whom that had gone to."""
    uids = [found for text in message_ids if (found := uid_in(text)) is not None]
    line = Delivery.objects.filter(message__uid__in=uids, source=SOURCE).first() if uids else None
    if line is None:
        return None, None
    rows = Invitation.objects.select_related("event__alliance", "organization")
    uid = line.recipient.partition(":")[2]
    return rows.filter(pk=int(line.source_id)).first(), Person.objects.filter(uid=uid).first()


def addresses_of(person: Person | None) -> frozenset[str]:
    """Return the addresses at which the person was, or is, written to; lower case."""
    if person is None:
        return frozenset()
    details = getattr(person, "details", None)
    found = [details.email if details is not None else ""]
    found.append(person.user.email if person.user is not None else "")
    found += Endpoint.objects.filter(owner=f"person:{person.uid}", channel="email").values_list(
        "address", flat=True
    )
    return frozenset(address.lower() for address in found if address)
