"""The ledger as the secretariats and each reader see it: who was told what, and what came of it.

A line is a `Delivery`; what became of it is read from its message and that message's attempts.
Everybody sees the lines that were meant for them; a secretariat sees those about its events, and
may try failed ones again, give them up, or let held ones go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat, Left, StrIndex
from django.utils.translation import gettext_lazy as _

from alliances.models import Person
from alliances.rules import is_secretariat_anywhere
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import NotAllowed, NotVisible
from coordination.deliveries.circuit import OPEN_AFTER, switch_off, switch_on
from coordination.deliveries.holding import release_held, release_period, replay, skip
from coordination.deliveries.models import Attempt, Delivery, Endpoint, HoldPeriod, Message
from coordination.deliveries.querysets import DeliveryQuerySet, EndpointQuerySet, MessageQuerySet
from events.models import Event, Reminder, ReminderRule
from events.telling import ledger_of_secretariats

STATES = {
    "waiting": _("waiting"),
    "sent": _("sent"),
    "dead": _("failed for good"),
    "expired": _("too late"),
    "superseded": _("no longer wanted"),
    "held": _("held back"),
}
ENDPOINT_STATES = ("well", "paused", "off", "gone")
OPEN = ("pending", "dead", "held")  # what may still go out, by its own index
FEW = {"waiting": "pending", "dead": "dead", "held": "held"}  # of STATES -> of messages
KIND = "person"


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the ledger is asked for; empty values ask for everything.

    Attributes:
        event, person, rule: outside ids.
        state: one of `STATES`.
        channel: "email".
        since, until: instants between which a line fell due; the end is exclusive.
    """

    event: UUID | None = None
    person: UUID | None = None
    rule: UUID | None = None
    state: str = ""
    channel: str = ""
    since: datetime | None = None
    until: datetime | None = None


def lines_for(viewer: Viewer, asked: Asked) -> DeliveryQuerySet:
    """Return the lines that the viewer may see and asks for, unordered."""
    rows = Delivery.objects.visible_to(viewer)
    if asked.event is not None:
        rows = rows.about(Event.object_type(), asked.event)
    if asked.person is not None:
        rows = rows.filter(recipient=f"{KIND}:{asked.person}")
    if asked.rule is not None:
        rows = _of_rule(rows, ReminderRule.objects.visible_to(viewer).filter(uid=asked.rule))
    if asked.channel:
        rows = rows.filter(channel=asked.channel)
    if asked.since is not None:
        rows = rows.filter(due_at__gte=asked.since)
    if asked.until is not None:
        rows = rows.filter(due_at__lt=asked.until)
    return rows.filter(_in_state(asked.state)) if asked.state else rows


def _of_rule(rows: DeliveryQuerySet, rules: QuerySet[ReminderRule]) -> DeliveryQuerySet:
    """Return the lines of a rule's reminders: each time of one has a key of its own, "17.2"."""
    reminders = Reminder.objects.filter(rule__in=rules.values("pk"))
    events = Event.objects.filter(pk__in=reminders.values("event"))
    first_dot = StrIndex(Concat("source_id", Value(".")), Value("."))
    return (
        rows.filter(source="reminder", about_uid__in=events.values("uid"))
        .alias(reminder=Left("source_id", first_dot - 1))
        .filter(reminder__in=reminders.values(key=Cast("pk", CharField())))
    )


def _in_state(state: str) -> Q:
    if state == "superseded":
        return ~Q(dropped_reason="") | Q(message__state="superseded")
    if state not in FEW:
        return Q(dropped_reason="", message__state=state)
    # Of a ledger of years these are few: the messages first, by their own index, then their lines.
    in_state = Q(dropped_reason="", message__in=Message.objects.filter(state=FEW[state]))
    if state != "waiting":
        return in_state
    unmade = Delivery.objects.without_message().order_by().values("pk")
    made = Delivery.objects.filter(in_state).order_by().values("pk")
    return Q(pk__in=unmade.union(made, all=True))


def state_of(line: Delivery) -> str:
    """Return the word of `STATES` for a line."""
    if line.dropped_reason:
        return "superseded"
    message = line.message
    return "waiting" if message is None or message.state == "pending" else message.state


def messages_in_charge(viewer: Viewer) -> MessageQuerySet:
    """Return the messages about events of the viewer's secretariats: theirs to send again."""
    if viewer.is_unlimited:
        return Message.objects.all()
    lines = Delivery.objects.filter(ledger_of_secretariats(viewer), message__isnull=False)
    return Message.objects.filter(pk__in=lines.values("message_id"))


def endpoints_in_charge(viewer: Viewer) -> EndpointQuerySet:
    """Return the endpoints that messages of the viewer's secretariats go to."""
    if viewer.is_unlimited:
        return Endpoint.objects.all()
    lines = Delivery.objects.filter(ledger_of_secretariats(viewer))
    return Endpoint.objects.filter(pk__in=lines.values("endpoint_id"))


def failing_endpoints(viewer: Viewer) -> EndpointQuerySet:
    """Return the endpoints in the viewer's charge that fail, each with `answer`: what it last said.

    Raises:
        NotAllowed: the viewer works in no secretariat.
    """
    return _endpoints(viewer).failing()


def switch_endpoint(viewer: Viewer, uid: UUID, *, on: bool, at: datetime) -> Endpoint:
    """Let nothing more go to an endpoint, or let messages go there again; what waits, waits.

    Args:
        viewer: works in a secretariat whose messages go there.
        uid: which endpoint.
        on: whether messages go there from now on.
        at: the database's time.

    Returns:
        The endpoint as it is then.

    Raises:
        NotAllowed: the viewer works in no secretariat.
        NotVisible: no message of the viewer's secretariats goes there.
    """
    rows = _endpoints(viewer).filter(uid=uid)
    pk = rows.values_list("pk", flat=True).first()
    if pk is None:
        raise NotVisible
    if on:
        switch_on(pk)
    else:
        switch_off(pk, at=at)
    return rows.get()


def _endpoints(viewer: Viewer) -> EndpointQuerySet:
    if not is_secretariat_anywhere(viewer):
        raise NotAllowed
    refused = Message.objects.filter(endpoint=OuterRef("pk"), state__in=OPEN).exclude(error="")
    answers = refused.order_by("-pk").values("error")[:1]
    return endpoints_in_charge(viewer).annotate(answer=Coalesce(Subquery(answers), Value("")))


def endpoint_state(endpoint: Endpoint) -> str:
    """Return one of `ENDPOINT_STATES`; "gone" where there is no such address."""
    if endpoint.disabled_at is not None:
        return "off"
    if endpoint.bounced_at is not None:
        return "gone"
    return "paused" if endpoint.failures >= OPEN_AFTER else "well"


def _narrowed(
    viewer: Viewer, uid: UUID | None, since: datetime | None, until: datetime | None
) -> MessageQuerySet:
    if not viewer.is_unlimited and not viewer.pks("secretariat", "alliance"):
        raise NotAllowed
    rows = messages_in_charge(viewer)
    if uid is not None:
        return rows.filter(uid=uid)
    lines = Delivery.objects.filter(message__isnull=False)
    if since is not None:
        lines = lines.filter(due_at__gte=since)
    if until is not None:
        lines = lines.filter(due_at__lt=until)
    return rows.filter(pk__in=lines.values("message_id"))


def try_again(
    viewer: Viewer,
    *,
    at: datetime,
    uid: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Send again what failed for good: one message, all since an instant, or a range.

    What is no longer wanted, or too late, is dropped by the last look before sending.

    Args:
        viewer: of the secretariat.
        at: now.
        uid: of one message; None for all.
        since: of the lines' due times, inclusive.
        until: of the lines' due times, exclusive.

    Returns:
        How many are due again.

    Raises:
        NotAllowed: the viewer is of no secretariat.
    """
    return replay(_narrowed(viewer, uid, since, until), at=at)


def give_up(
    viewer: Viewer,
    *,
    uid: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Close what failed for good or is held; see `try_again`.

    Returns:
        How many.

    Raises:
        NotAllowed: the viewer is of no secretariat.
    """
    return skip(_narrowed(viewer, uid, since, until), reason="skipped")


def let_go(
    viewer: Viewer,
    *,
    at: datetime,
    uid: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Send what was held back, after a restore or in doubt; see `try_again`.

    Returns:
        How many are due again.

    Raises:
        NotAllowed: the viewer is of no secretariat.
    """
    return release_held(_narrowed(viewer, uid, since, until), at=at)


def end_hold(viewer: Viewer, pk: int, *, send: bool, at: datetime) -> int:
    """Decide about all that a restore held back: let it go, or give it up; the span is closed.

    Args:
        viewer: a superuser, for the span is the whole installation's.
        pk: key of the span.
        send: whether what is still wanted goes out.
        at: now.

    Returns:
        How many messages that were.

    Raises:
        NotAllowed: the viewer is none.
        NotVisible: no such span is open.
    """
    if not viewer.is_unlimited:
        raise NotAllowed
    with transaction.atomic():
        period = HoldPeriod.objects.select_for_update().filter(pk=pk, released_at=None).first()
        if period is None:
            raise NotVisible
        given_up = 0
        if not send:
            held = Message.objects.held().filter(reason=period.reason)
            given_up = skip(held, reason="skipped")
        return release_period(period, at=at) + given_up


def tries_of(message: Message) -> list[Attempt]:
    """Return a message's attempts, the first one first."""
    return list(Attempt.objects.filter(message=message).order_by("pk"))


def people_behind(lines: Sequence[Delivery]) -> dict[str, str]:
    """Return recipient's key -> name; an erased person has none; one query."""
    uids = {uid for line in lines if (uid := person_of(line.recipient)) is not None}
    people = Person.objects.filter(uid__in=uids).select_related("details")
    return {f"{KIND}:{person.uid}": str(person) for person in people}


def person_of(recipient: str) -> UUID | None:
    """Return the outside id of the person behind a recipient's key; None for anything else."""
    kind, _sign, text = recipient.partition(":")
    try:
        return UUID(text) if kind == KIND else None
    except ValueError:
        return None


def events_behind(viewer: Viewer, lines: Sequence[Delivery]) -> Mapping[UUID, Event]:
    """Return the events that lines are about and the viewer may see, by outside id; one query."""
    about = [line.about_uid for line in lines if line.about_type == Event.object_type()]
    seen = Event.objects.visible_to(viewer).filter(uid__in={uid for uid in about if uid})
    return {event.uid: event for event in seen}
