"""Where messages of the ledger go, as a program sees it: addresses that fail, and channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from alliances.rules import is_secretariat_anywhere
from coordination.changes.refusals import NotAllowed, NotVisible
from coordination.deliveries.circuit import resume_channel
from coordination.deliveries.models import Channel, Endpoint
from coordination.deliveries.timing import database_time
from coordination.rest.views import HouseView
from events import ledger
from events.api.part_serializers import envelope_of
from events.api.telling import PAGE_PARAMETERS, OneEventView


class EndpointReading(serializers.Serializer[Any]):
    """An address of somebody, or a group's robot, and how it is."""

    uid = serializers.UUIDField()
    recipient = serializers.CharField()
    channel = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=list(ledger.ENDPOINT_STATES))
    reason = serializers.CharField()
    failing_since = serializers.DateTimeField(allow_null=True)
    paused_until = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField()


class ChannelReading(serializers.Serializer[Any]):
    """How a channel is."""

    name = serializers.CharField()
    failing_since = serializers.DateTimeField(allow_null=True)
    paused_until = serializers.DateTimeField(allow_null=True)
    succeeded_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class FailingEndpointsView(OneEventView):
    """The endpoints that fail, for secretariats."""

    model = Endpoint

    @extend_schema(
        operation_id="ledger_endpoints",
        parameters=PAGE_PARAMETERS,
        responses=envelope_of(EndpointReading(), "EndpointPage"),
    )
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer the endpoints that are paused after failures, switched off or do not exist.

        Those that messages about the caller's events go to, with what each last answered.

        Raises:
            NotAllowed: the caller works in no secretariat.
        """
        return self.page(ledger.failing_endpoints(self.viewer))

    def described(self, rows: QuerySet[Endpoint]) -> Sequence[Mapping[str, Any]]:
        """Return the endpoints, each with its condition."""
        return [_endpoint(row) for row in rows]


class SwitchEndpointView(HouseView):
    """Switch an endpoint off, or on again.

    Attributes:
        on: whether messages go there from now on; given with the address.
    """

    resource = "events"
    on = True

    @extend_schema(request=None, responses=EndpointReading)
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Let messages go to an endpoint again, or nothing more; what waits, waits.

        Raises:
            NotAllowed: the caller works in no secretariat.
            NotVisible: no message about the caller's events goes there.
        """
        at = database_time()
        return self.answer(
            _endpoint(ledger.switch_endpoint(self.viewer, kwargs["uid"], on=self.on, at=at))
        )


class ChannelsView(HouseView):
    """The channels, for secretariats."""

    resource = "events"

    @extend_schema(operation_id="ledger_channels", responses=ChannelReading(many=True))
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer how each channel is.

        Raises:
            NotAllowed: the caller works in no secretariat.
        """
        if not is_secretariat_anywhere(self.viewer):
            raise NotAllowed
        return self.answer_tagged([_channel(row) for row in Channel.objects.order_by("name")])


class ResumeChannelView(HouseView):
    """Try a paused channel at once, for superusers: it carries the mail of every alliance."""

    resource = "events"

    @extend_schema(request=None, responses=ChannelReading)
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Let the next message try the channel, from a fresh count of failures.

        Raises:
            NotAllowed: the caller is no superuser.
            NotVisible: nothing was sent over a channel of that name.
        """
        if not self.viewer.is_unlimited:
            raise NotAllowed
        row = Channel.objects.filter(name=kwargs["name"]).first()
        if row is None:
            raise NotVisible
        resume_channel(row.name)
        row.refresh_from_db()
        return self.answer(_channel(row))


def _channel(row: Channel) -> dict[str, Any]:
    return {
        "name": row.name,
        "failing_since": row.failing_since,
        "paused_until": row.paused_until,
        "succeeded_at": row.succeeded_at,
        "reason": row.reason,
    }


def _endpoint(row: Any) -> dict[str, Any]:
    return {
        "uid": row.uid,
        "recipient": row.owner,
        "channel": row.channel,
        "name": row.name,
        "state": ledger.endpoint_state(row),
        "reason": row.disabled_reason,
        "failing_since": row.failing_since,
        "paused_until": row.paused_until,
        "answer": row.answer,
    }
