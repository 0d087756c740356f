"""The ledger as a program sees it: lines, messages with their tries, and sending again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from coordination.accounts.languages import PARAMETER as LANG
from coordination.changes.refusals import NotVisible, invalid
from coordination.deliveries.models import Delivery
from coordination.deliveries.timing import database_time
from coordination.pages.answers import uid_or_none
from coordination.rest.filters import refuse_backwards
from coordination.rest.inputs import Input
from coordination.rest.pagination import OWN_PARAMETERS
from coordination.rest.problems import parameter_error
from coordination.rest.views import HouseView
from events import ledger
from events.api.filters import with_its_plus
from events.api.inputs import FIRST_YEAR, LAST_YEAR, Instant
from events.api.part_serializers import envelope_of
from events.api.telling import PAGE_PARAMETERS, OneEventView

FILTERS = {
    "event": "Lines about this event (its uid).",
    "person": "Lines meant for this person (its uid).",
    "rule": "Lines of this reminder rule (its uid).",
    "state": "One of waiting, sent, dead, expired, superseded, held.",
    "channel": "Lines over this channel, such as email.",
    "since": "Lines due at this instant or later (RFC 3339).",
    "until": "Lines due before this instant (RFC 3339).",
}


class LineReading(serializers.Serializer[Any]):
    """A line of the ledger."""

    message = serializers.UUIDField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    recipient = serializers.CharField()
    event = serializers.UUIDField(allow_null=True)
    channel = serializers.CharField()
    due_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=list(ledger.STATES))
    reason = serializers.CharField()
    attempts = serializers.IntegerField()
    sent_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField()


class TryReading(serializers.Serializer[Any]):
    """One try at a message."""

    number = serializers.IntegerField()
    outcome = serializers.CharField()
    code = serializers.CharField()
    answer = serializers.CharField()
    begun_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()


class MessageReading(serializers.Serializer[Any]):
    """A message with its lines and tries."""

    uid = serializers.UUIDField()
    channel = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    lines = LineReading(many=True)
    tries = TryReading(many=True)


class CountReading(serializers.Serializer[Any]):
    """How many messages were meant."""

    messages = serializers.IntegerField()


class SpanInput(Input):
    """Due times of what is meant."""

    since = Instant()
    until = Instant(required=False)


class LedgerView(OneEventView):
    """The lines that the caller may see."""

    resource = "events"
    model = Delivery

    def known_parameters(self) -> frozenset[str]:
        """Return those of a list, and the filters."""
        return OWN_PARAMETERS | {LANG} | FILTERS.keys()

    @extend_schema(
        operation_id="ledger_list",
        parameters=[
            *PAGE_PARAMETERS,
            *(OpenApiParameter(name, str, description=text) for name, text in FILTERS.items()),
        ],
        responses=envelope_of(LineReading(), "LedgerPage"),
    )
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer who was told what, the newest first; a secretariat sees all about its events.

        Raises:
            NotAuthenticated: nobody is signed in, and no token came.
        """
        if not self.viewer.is_authenticated:
            raise NotAuthenticated
        return self.page(ledger.lines_for(self.viewer, _asked(request._request.GET)))

    def described(self, rows: QuerySet[Delivery]) -> Sequence[Mapping[str, Any]]:
        """Return the lines with what became of them."""
        return [_line(row) for row in rows.select_related("message")]


def _asked(query: Mapping[str, str]) -> ledger.Asked:
    state = query.get("state", "")
    if state and state not in ledger.STATES:
        raise parameter_error("state", _("Write one of: %s.") % ", ".join(ledger.STATES))
    since, until = _instant(query, "since"), _instant(query, "until")
    refuse_backwards(since, until, names=("since", "until"))
    return ledger.Asked(
        event=_uid(query, "event"),
        person=_uid(query, "person"),
        rule=_uid(query, "rule"),
        state=state,
        channel=query.get("channel", "").replace("\0", "")[:20],
        since=since,
        until=until,
    )


def _uid(query: Mapping[str, str], name: str) -> UUID | None:
    if name not in query:
        return None
    uid = uid_or_none(query[name])
    if uid is None:
        raise parameter_error(name, _("Write a uid."))
    return uid


def _instant(query: Mapping[str, str], name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        found = parse_datetime(with_its_plus(query[name]))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise parameter_error(name, _("Write an instant such as 2026-05-14T09:30:00+08:00."))
    return found


def _line(row: Delivery) -> dict[str, Any]:
    message = row.message
    return {
        "message": message.uid if message is not None else None,
        "source": row.source,
        "recipient": row.recipient,
        "event": row.about_uid,
        "channel": row.channel,
        "due_at": row.due_at,
        "state": ledger.state_of(row),
        "reason": row.dropped_reason or (message.reason if message is not None else ""),
        "attempts": message.attempts if message is not None else 0,
        "sent_at": message.sent_at if message is not None else None,
        "answer": message.error if message is not None else "",
    }


class MessageView(HouseView):
    """One message."""

    resource = "events"

    @extend_schema(operation_id="ledger_message", responses=MessageReading)
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer a message with the lines that the caller may see, and each try.

        Raises:
            NotVisible: no line of it is open to the caller.
        """
        seen = Delivery.objects.visible_to(self.viewer).filter(message__uid=kwargs["uid"])
        lines = list(seen.select_related("message").order_by("pk"))
        if not lines or lines[0].message is None:
            raise NotVisible
        message = lines[0].message
        tries = [
            {
                "number": each.number,
                "outcome": each.outcome,
                "code": each.code,
                "answer": each.detail,
                "begun_at": each.begun_at,
                "ended_at": each.ended_at,
            }
            for each in ledger.tries_of(message)
        ]
        waits = message.state == "pending"
        described = {
            "uid": message.uid,
            "channel": message.channel,
            "state": message.state,
            "reason": message.reason,
            "next_attempt_at": message.next_attempt_at if waits else None,
            "lines": [_line(line) for line in lines],
            "tries": tries,
        }
        return self.answer_tagged(described)


class _ActView(HouseView):
    """Send again, give up or let go; each says how many messages were meant.

    Attributes:
        verb: "replay", "skip" or "release"; given with the address.
    """

    resource = "events"
    verb = "replay"

    def act(self, **chosen: Any) -> HttpResponse:
        """Do it to the messages chosen and answer their number."""
        if self.verb == "replay":
            count = ledger.try_again(self.viewer, at=database_time(), **chosen)
        elif self.verb == "release":
            count = ledger.let_go(self.viewer, at=database_time(), **chosen)
        else:
            count = ledger.give_up(self.viewer, **chosen)
        return self.answer({"messages": count})


class MessageActView(_ActView):
    """Do it to one message."""

    @extend_schema(request=None, responses=CountReading)
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Replay or skip a message that failed for good, or release one that is held.

        Answers how many it was: 0 when the message is in another state.

        Raises:
            NotVisible: no message of that uid is in the caller's charge.
        """
        if not ledger.messages_in_charge(self.viewer).filter(uid=kwargs["uid"]).exists():
            raise NotVisible
        return self.act(uid=kwargs["uid"])


class SpanActView(_ActView):
    """Do it to all of a span of time."""

    @extend_schema(request=SpanInput, responses=CountReading)
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Replay, skip or release all messages whose lines fell due in a span of time.

        Raises:
            InvalidInput: the span ends before it begins.
        """
        values = self.values(SpanInput)
        since, until = values["since"], values.get("until")
        if until is not None and until < since:
            raise invalid("until", _("The end must be after the beginning."))
        return self.act(since=since, until=until)
