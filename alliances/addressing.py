"""The address book of people: who is behind "person:<uid>", and where mail reaches them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet

from alliances.models import Organization, Person, PersonDetails
from coordination.accounts.preferring import mark_bounced
from coordination.accounts.viewer import Viewer
from coordination.bilingual import language_or_default, localized
from coordination.deliveries.inbox import INBOX, open_inboxes_of
from coordination.deliveries.models import Endpoint
from coordination.deliveries.recipients import Reader, RecipientKey

KIND = "person"


class PeopleByUid:
    """Answers for keys of people. An account's address and language come before the details'."""

    def readers(self, recipients: Iterable[str], channel: str) -> Mapping[str, Reader]:
        """Return the reader of each key that is still somebody; erased people are nobody.

        Only who can sign in has an inbox.
        """
        uids = {key.partition(":")[2]: key for key in recipients}
        people = (
            Person.objects.filter(uid__in=uids, erased_at__isnull=True)
            .select_related("user", "details")
            .prefetch_related("seats__organization")
        )
        if channel == INBOX:
            people = people.filter(user__is_active=True)
        return {
            uids[str(person.uid)]: _reader(person, uids[str(person.uid)], channel)
            for person in people
        }

    def mark_bounced(self, recipient: str, channel: str, address: str, at: datetime) -> None:
        """Take note that mail to the address came back."""
        mark_bounced(address, reason="", at=at)
        PersonDetails.objects.filter(email__iexact=address).update(bounced_email=address)


def own_deliveries(viewer: Viewer) -> Q:
    """Return the condition for lines of the ledger that were meant for the viewer."""
    person = Person.objects.filter(user=viewer.user_id).first() if viewer.user_id else None
    return Q(pk__in=[]) if person is None else Q(recipient=f"{KIND}:{person.uid}")


def own_people(viewer: Viewer) -> QuerySet[Any, Any]:
    """Return the people that the viewer is, with their `recipient` key: one, or none."""
    people = Person.objects.filter(user=viewer.user_id, erased_at__isnull=True)
    rows: QuerySet[Any, Any] = people.annotate(recipient=RecipientKey(KIND, "uid"))
    return rows


def open_inboxes(*, at: datetime) -> int:
    """Give an inbox to everybody who can sign in and has none.

    Args:
        at: the database's time.

    Returns:
        How many were opened.
    """
    able = Person.objects.filter(user__is_active=True, erased_at__isnull=True)
    able = able.annotate(recipient=RecipientKey(KIND, "uid"))
    opened = Endpoint.objects.filter(channel=INBOX, name="", address=INBOX).values("owner")
    keys = list(able.exclude(recipient__in=opened).values_list("recipient", flat=True))
    return open_inboxes_of(keys)


def _reader(person: Person, key: str, channel: str) -> Reader:
    user, details = person.user, getattr(person, "details", None)
    language = language_or_default(user.language if user is not None else "")
    address = details.mail_address if details is not None else ""
    zone = _zone_of(person)
    if user is not None:
        address = user.email if user.can_get_mail else ""
        zone = user.time_zone
        if not user.is_active:
            address = ""
    return Reader(
        recipient=key,
        address=INBOX if channel == INBOX else address,
        name=localized(details, "name", language) if details is not None else "",
        language=language,
        time_zone=zone,
    )


def _zone_of(person: Any) -> str:
    """Return the zone of the organization a person without an account sits for.

    A seat that lasts comes before one that ended, and the earlier before the later.
    """
    seats = sorted(person.seats.all(), key=lambda seat: seat.pk)
    seats.sort(key=lambda seat: seat.ends_on or date.max, reverse=True)
    for seat in seats:
        if seat.organization is not None:
            zone: str = seat.organization.time_zone
            return zone
    return str(Organization._meta.get_field("time_zone").default)
