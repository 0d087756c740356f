"""`GET /api/v1/sync/`: a copy of the events, kept fresh at the cost of what changed.

Without a token everything comes in pages, and the last page carries a token. With it come only the
events that changed since, and what left the copy; the filter is part of the token. The cursor of a
first reading holds the token of its beginning, so that nothing that changes meanwhile is missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core import signing
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from coordination.accounts.languages import PARAMETER as LANG
from coordination.calendars.selecting import FILTERS, MINE, Selection
from coordination.calendars.syncing import Delta, changes_since, token_of
from coordination.calendars.tokens import TokenRefused, read_token, watermark_of
from coordination.rest.negotiation import QualityNegotiation
from coordination.rest.pagination import CURSOR, LIMIT, requested_limit
from coordination.rest.problem_kinds import ProblemKind, register_problem
from coordination.rest.problems import PROBLEM_JSON, Problem, ProblemError, parameter_error
from coordination.rest.reading import Reading, compiled
from coordination.rest.rendering import JSON, RENDERER, FastJSONRenderer
from coordination.rest.views import HouseView
from events.api.filters import EventFilters
from events.api.jscalendar import JSCALENDAR_SCHEMA, PARTS, RELATED, jscalendar_of
from events.api.serializers import EventReading
from events.jscalendar import MEDIA_TYPE, PRODUCT
from events.models import Event

TOKEN = "token"
OWN = frozenset({TOKEN, CURSOR, LIMIT, LANG})
_signer = signing.Signer(salt="coordination.calendars.sync")

SYNC_TOKEN_REFUSED = register_problem(
    ProblemKind(
        "sync_token_refused",
        410,
        _("The sync token is no longer good"),
        _(
            "Throw the copy away and read everything anew without a token. A token is for one "
            "filter, one person, one language and this installation, and good for 400 days."
        ),
    )
)


class JSCalendarSyncRenderer(FastJSONRenderer):
    """The same answers with the events as JSCalendar objects (RFC 8984)."""

    media_type = MEDIA_TYPE


class RemovalReading(Reading):
    """An event to take out of the copy; in JSCalendar, `uid` is that of calendars."""

    uid = serializers.CharField()
    reason = serializers.ChoiceField(choices=["deleted", "left_view"])


class SyncReading(Reading):
    """One answer; `token` is missing while a first reading has more pages."""

    events = EventReading(many=True)
    removed = RemovalReading(many=True)
    token = serializers.CharField(required=False)
    more = serializers.BooleanField()
    next = serializers.URLField(allow_null=True)


JSCALENDAR_SYNC_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["events", "removed", "more", "next"],
    "properties": {
        "events": {"type": "array", "items": JSCALENDAR_SCHEMA},
        "removed": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["uid", "reason"],
                "properties": {
                    "uid": {"type": "string"},
                    "reason": {"type": "string", "enum": ["deleted", "left_view"]},
                },
            },
        },
        "token": {"type": "string"},
        "more": {"type": "boolean"},
        "next": {"type": ["string", "null"], "format": "uri"},
    },
}


FILTERS_IN_SCHEMA = [
    OpenApiParameter(name, str, description=str(one.extra["help_text"]))
    for name, one in EventFilters.base_filters.items()
]


class SyncView(HouseView):
    """A copy of the events, kept fresh."""

    renderer_classes = (FastJSONRenderer, JSCalendarSyncRenderer)
    content_negotiation_class = QualityNegotiation
    resource = "events"
    reading = SyncReading
    parameters = OWN | {MINE} | set(FILTERS)
    filterset_class = EventFilters

    @extend_schema(
        operation_id="sync",
        responses={
            (200, JSON): SyncReading,
            (200, MEDIA_TYPE): JSCALENDAR_SYNC_SCHEMA,
            (410, PROBLEM_JSON): {"$ref": "#/components/schemas/Problem"},
        },
        parameters=[
            *FILTERS_IN_SCHEMA,
            OpenApiParameter(
                TOKEN, str, description="From the last answer; without it everything comes."
            ),
            OpenApiParameter(
                CURSOR, str, description="The next page of a first reading; from `next`."
            ),
            OpenApiParameter(
                LIMIT,
                OpenApiTypes.INT,
                description="Events in one answer, 1 to 500; 50 when not given.",
            ),
            OpenApiParameter(
                MINE, str, enum=["1"], description="1: what my organizations host or are asked to."
            ),
        ],
    )
    def get(self, request: Request) -> HttpResponse:
        """Read everything, or what changed since a token."""
        query = request._request.GET
        wanted = {name: query[name] for name in query if name not in OWN}
        selection = Selection.parse(wanted)
        if self.is_jscalendar:
            selection = selection.dated
        limit = requested_limit(query.get(LIMIT))
        try:
            if TOKEN in query:
                return self._changes(selection, query[TOKEN], limit)
            return self._page(selection, query.get(CURSOR), limit)
        except TokenRefused as refused:
            raise ProblemError(Problem(SYNC_TOKEN_REFUSED, detail=refused.message)) from refused

    def _changes(self, selection: Selection, token: str, limit: int) -> HttpResponse:
        """Answer with what changed since a token."""
        if CURSOR in self.request._request.GET:
            raise parameter_error(CURSOR, _("Give a token or a cursor, not both."))
        delta = changes_since(
            token,
            viewer=self.viewer,
            selection=selection,
            limit=limit,
            at=self.at,
            variant=self.variant,
        )
        following = self._address({TOKEN: delta.token}) if delta.more else None
        return self._answer(self._events(delta.changed), delta, following)

    def _page(self, selection: Selection, cursor: str | None, limit: int) -> HttpResponse:
        """Answer with a page of everything."""
        token, after = self._begun(selection, cursor)
        rows = selection.rows(self.viewer).filter(pk__gt=after).order_by("pk")
        pks = list(rows.values_list("pk", flat=True)[: limit + 1])
        more, pks = len(pks) > limit, pks[:limit]
        following = None
        if more:
            following = self._address({CURSOR: _signer.sign_object([token, pks[-1]])})
        delta = Delta(token="" if more else token, more=more)
        return self._answer(self._events(pks), delta, following)

    def _begun(self, selection: Selection, cursor: str | None) -> tuple[str, int]:
        """Return the token of a reading's beginning, and the key after which to go on.

        Raises:
            TokenRefused: the cursor is of another reading.
        """
        if cursor is None:
            return token_of(self.viewer, selection, variant=self.variant), 0
        try:
            token, after = _signer.unsign_object(cursor)
        except (signing.BadSignature, ValueError):
            raise parameter_error(CURSOR, _("This cursor is not one of ours.")) from None
        mark = watermark_of(self.viewer)
        read_token(
            token, epoch=mark.epoch, subject=selection.subject_for(self.viewer, self.variant)
        )
        return str(token), int(after)

    @property
    def is_jscalendar(self) -> bool:
        """Whether the copy is one of JSCalendar objects."""
        return isinstance(self.request.accepted_renderer, JSCalendarSyncRenderer)

    @property
    def variant(self) -> str:
        """Name the form of the copy; another form is another copy."""
        return PRODUCT if self.is_jscalendar else f"json{RENDERER}"

    def _events(self, pks: Sequence[int]) -> Sequence[Mapping[str, Any]]:
        """Return the events in the form of the copy; those gone in between are left out."""
        rows = Event.objects.visible_to(self.viewer).filter(pk__in=pks).order_by("pk")
        if not self.is_jscalendar:
            shown = compiled(EventReading)
            return shown.objects(list(rows.values_list(*shown.columns)), self.reader)
        events = list(rows.select_related(*RELATED).prefetch_related(*PARTS))
        forms = (jscalendar_of(event, self.viewer) for event in events)
        return [form for form in forms if form is not None]

    def _answer(
        self, events: Sequence[Mapping[str, Any]], delta: Delta, following: str | None
    ) -> HttpResponse:
        """Answer with events in the form of the copy, and what leaves it."""
        removed = [
            {"uid": one.ical_uid if self.is_jscalendar else one.uid, "reason": one.reason}
            for one in delta.removed
        ]
        body: dict[str, Any] = {"events": events, "removed": removed, "more": delta.more}
        if delta.token:
            body["token"] = delta.token
        response = self.answer_tagged(body | {"next": following})
        if self.is_jscalendar and response.status_code == HTTPStatus.OK:
            response["Content-Type"] = MEDIA_TYPE
        if following:
            response["Link"] = f'<{following}>; rel="next"'
        return response

    def _address(self, changed: Mapping[str, str]) -> str:
        query = self.request._request.GET.copy()
        for name, value in changed.items():
            query[name] = value
        return str(self.request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}"))
