"""`GET /api/v1/sync/`: a copy of the events, kept fresh at the cost of what changed.

Without a token everything comes in pages, and the last page carries a token. With it come only the
events that changed since, and what left the copy; the filter is part of the token. The cursor of a
first reading holds the token of its beginning, so that nothing that changes meanwhile is missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from coordination.rest.pagination import CURSOR, LIMIT, requested_limit
from coordination.rest.problem_kinds import ProblemKind, register_problem
from coordination.rest.problems import Problem, ProblemError, parameter_error
from coordination.rest.reading import Reading, compiled
from coordination.rest.rendering import RENDERER
from coordination.rest.views import HouseView
from events.api.filters import EventFilters
from events.api.serializers import EventReading
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


class RemovalReading(Reading):
    """An event to take out of the copy."""

    uid = serializers.UUIDField()
    reason = serializers.ChoiceField(choices=["deleted", "left_view"])


class SyncReading(Reading):
    """One answer; `token` is missing while a first reading has more pages."""

    events = EventReading(many=True)
    removed = RemovalReading(many=True)
    token = serializers.CharField(required=False)
    more = serializers.BooleanField()
    next = serializers.URLField(allow_null=True)


class SyncView(HouseView):
    """A copy of the events, kept fresh."""

    resource = "events"
    reading = SyncReading
    parameters = OWN | {MINE} | set(FILTERS)
    filterset_class = EventFilters

    @extend_schema(
        operation_id="sync",
        responses=SyncReading,
        parameters=[
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
        if wanted.get(MINE, "1") != "1":
            raise parameter_error(MINE, _("Give 1, or leave it out."))
        selection = Selection.parse(wanted)
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
    def variant(self) -> str:
        """Name the form of the copy."""
        return f"json{RENDERER}"

    def _events(self, pks: Sequence[int]) -> list[dict[str, Any]]:
        """Return the events in the form of the copy; those seen no more in between are left out."""
        shown = compiled(EventReading)
        rows = Event.objects.visible_to(self.viewer).filter(pk__in=pks).order_by("pk")
        return shown.objects(list(rows.values_list(*shown.columns)), self.reader)

    def _answer(
        self, events: Sequence[Mapping[str, Any]], delta: Delta, following: str | None
    ) -> HttpResponse:
        removed = [{"uid": one.uid, "reason": one.reason} for one in delta.removed]
        body: dict[str, Any] = {"events": events, "removed": removed, "more": delta.more}
        if delta.token:
            body["token"] = delta.token
        response = self.answer_tagged(body | {"next": following})
        if following:
            response["Link"] = f'<{following}>; rel="next"'
        return response

    def _address(self, changed: Mapping[str, str]) -> str:
        query = self.request._request.GET.copy()
        for name, value in changed.items():
            query[name] = value
        return str(self.request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}"))
