"""Events: list, object, and the verbs that move them from state to state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from alliances.models import Alliance
from coordination.changes.refusals import NotVisible
from coordination.rest.negotiation import QualityNegotiation
from coordination.rest.preconditions import etag_of
from coordination.rest.problem_kinds import NOT_ACCEPTABLE
from coordination.rest.problems import Problem, ProblemError
from coordination.rest.rendering import JSON
from coordination.rest.viewsets import (
    Changing,
    Creating,
    Deleting,
    ResourceViewSet,
    transition,
)
from events.api.filters import EventFilters, key_of
from events.api.inputs import (
    EventChange,
    NewEvent,
    NothingInput,
    OutcomeInput,
    ReasonInput,
    ScheduleInput,
    take_span,
)
from events.api.jscalendar import (
    JSCALENDAR_SCHEMA,
    PARTS,
    RELATED,
    JSCalendarRenderer,
    jscalendar_bytes,
)
from events.api.resolving import find_one, resolve_event
from events.api.serializers import EventReading
from events.concluding import conclude_event
from events.jscalendar import EVENT_MEDIA_TYPE, MEDIA_TYPE
from events.models import Event, EventAlliance
from events.scheduling import (
    cancel_event,
    confirm_event,
    discard_event,
    draft_event,
    postpone_event,
    revise_event,
    schedule_event,
)


class EventViewSet(Creating, Changing, Deleting, ResourceViewSet):
    """Events, as far as they are open to the caller."""

    resource = "events"
    model = Event
    reading = EventReading
    create_input = NewEvent
    change_input = EventChange
    filterset_class = EventFilters
    orderings = {"starts_at": "starts_at", "created": "pk"}
    ordering = "starts_at"
    related = ("alliance", "plan", "work_area", "plan_item")
    content_negotiation_class = QualityNegotiation

    def get_renderers(self) -> list[Any]:
        """Return the formats: JSON, and JSCalendar where one event is read."""
        also = [JSCalendarRenderer()] if self.action == "retrieve" else []
        return [*super().get_renderers(), *also]

    @extend_schema(
        responses={(200, JSON): EventReading, (200, MEDIA_TYPE): JSCALENDAR_SCHEMA},
    )
    def retrieve(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer one event, as JSON or as a JSCalendar object (RFC 8984).

        Raises:
            NotVisible: there is none, or none that the viewer may see.
            ProblemError: JSCalendar is asked for, and the event has no date yet.
        """
        if not isinstance(request.accepted_renderer, JSCalendarRenderer):
            return super().retrieve(request, **kwargs)
        rows = self.rows().filter(**self._lookup()).select_related(*RELATED)
        event = rows.prefetch_related(*PARTS).first()
        if event is None:
            raise NotVisible
        body = jscalendar_bytes(event, self.viewer)
        if body is None:
            sentence = _("This event has no date yet, and JSCalendar needs one. Ask for JSON.")
            raise ProblemError(Problem(NOT_ACCEPTABLE, detail=sentence))
        etag = etag_of(event.version, body)
        return self.check_conditions(etag) or HttpResponse(
            body, content_type=EVENT_MEDIA_TYPE, headers={"ETag": etag}
        )

    def branches(self, rows: QuerySet[Any]) -> Sequence[QuerySet[Any]]:
        """Return what an alliance owns and what it co-hosts apart; one index serves only one.

        Most alliances co-host nothing; theirs is a single question.
        """
        slug = self.request._request.GET.get("alliance")
        if slug is None:
            return [rows]
        shared = EventAlliance.objects.filter(alliance__slug=slug).values("event")
        owned = rows.filter(alliance=key_of(Alliance.objects.filter(slug=slug)))
        return [owned, rows.filter(pk__in=shared)] if shared.exists() else [owned]

    def perform_create(self, values: dict[str, Any]) -> Event:
        """Draft an event; with a time it is scheduled at once."""
        rows = Alliance.objects.visible_to(self.viewer)
        alliance = find_one(rows, "alliance", slug=values.pop("alliance"))
        values.setdefault("time_zone", alliance.time_zone)
        zone = values["time_zone"]
        span = take_span(values, zone=zone)
        resolved = resolve_event(values, self.viewer) | {"time_zone": zone}
        return draft_event(alliance, viewer=self.viewer, at=self.at, span=span, **resolved)

    def perform_change(self, obj: Event, values: dict[str, Any]) -> Event:
        """Change an event's words, place, audience or hosts."""
        reason = values.pop("reason", "")
        resolved = resolve_event(values, self.viewer)
        return revise_event(obj, viewer=self.viewer, at=self.at, reason=reason, **resolved)

    def perform_delete(self, obj: Event, reason: str) -> None:
        """Delete a draft."""
        discard_event(obj, viewer=self.viewer, at=self.at)

    @transition(ScheduleInput)
    def schedule(self, obj: Event, values: dict[str, Any]) -> Event:
        """Set the time of an event, or move it."""
        span = take_span(values, zone=obj.time_zone, required=True)
        assert span is not None
        return schedule_event(
            obj, span, viewer=self.viewer, at=self.at, reason=values.get("reason", "")
        )

    @transition(NothingInput)
    def confirm(self, obj: Event, values: dict[str, Any]) -> Event:
        """Confirm the time of an event."""
        return confirm_event(obj, viewer=self.viewer, at=self.at)

    @transition(ScheduleInput)
    def postpone(self, obj: Event, values: dict[str, Any]) -> Event:
        """Put an event off, to a new time or until further notice; the old time is kept."""
        span = take_span(values, zone=obj.time_zone)
        return postpone_event(
            obj, span=span, reason=values.get("reason", ""), viewer=self.viewer, at=self.at
        )

    @transition(ReasonInput)
    def cancel(self, obj: Event, values: dict[str, Any]) -> Event:
        """Call an event off."""
        return cancel_event(obj, reason=values.get("reason", ""), viewer=self.viewer, at=self.at)

    @transition(OutcomeInput)
    def conclude(self, obj: Event, values: dict[str, Any]) -> Event:
        """Record that an event was held, and what came of it."""
        return conclude_event(obj, viewer=self.viewer, at=self.at, **values)
