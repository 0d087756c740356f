"""Mail that a mail provider, or a script beside a mail server, hands in: one raw message a POST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from coordination.rest.problem_kinds import TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
from coordination.rest.problems import Problem, ProblemError
from coordination.rest.views import HouseView
from events import rules
from events.inbound import LARGEST, read_waiting, receive
from events.models import InboundState, InboundWay

RAW = "message/rfc822"


class RawMailParser(BaseParser):
    """`message/rfc822`: the mail as it came, octet by octet."""

    media_type = RAW

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the octets.

        Raises:
            ProblemError: there are too many.
        """
        octets: bytes = stream.read(LARGEST + 1)
        if len(octets) > LARGEST:
            raise ProblemError(Problem(TOO_LARGE))
        return octets


class InboundMailReading(serializers.Serializer[Any]):
    """What became of a mail that was handed in."""

    uid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=InboundState.choices)
    received_at = serializers.DateTimeField()


def _octets(request: Request) -> Any:
    """Return the mail as it was posted.

    Raises:
        ProblemError: it says that it is something else, or there is too much of it.
    """
    try:
        octets: Any = request.data
    except UnsupportedMediaType:
        words = _("Post the mail itself, as it came, with the header “Content-Type: %(type)s”.")
        problem = Problem(UNSUPPORTED_MEDIA_TYPE, detail=words % {"type": RAW})
        raise ProblemError(problem) from None
    return octets


class InboundMailView(HouseView):
    """Take in a mail."""

    resource = "inbound-mail"
    parser_classes = (RawMailParser,)

    @extend_schema(
        operation_id="inbound_mail_create",
        tags=["inbound-mail"],
        request={RAW: OpenApiTypes.BINARY},
        responses={200: InboundMailReading, 201: InboundMailReading},
    )
    def post(self, request: Request) -> HttpResponse:
        """Take in one mail, as it came (RFC 5322), and read it.

        The same mail twice is taken in once: 201 the first time, 200 afterwards. Whether it
        counts as an answer is decided by what is in it, not by who hands it in.
        """
        rules.require(rules.may_hand_in_mail(self.viewer))
        raw = _octets(request)
        if not raw or b":" not in raw:
            raise ParseError(_("The body is not a mail: it has no header."))
        row, is_new = receive(raw, way=InboundWay.POST, at=self.at)
        if is_new:
            read_waiting(at=self.at)
            row.refresh_from_db()
        body = {"uid": row.uid, "state": row.state, "received_at": row.received_at}
        return self.answer(body, status=201 if is_new else 200)
