"""Addresses of events and what belongs to them, below `/api/v1/`."""

from __future__ import annotations

from coordination.rest.routing import resource_paths, view_paths
from events.api.inbound_views import InboundMailView
from events.api.ledger import LedgerView, MessageActView, MessageView, SpanActView
from events.api.ledger_endpoints import (
    ChannelsView,
    FailingEndpointsView,
    ResumeChannelView,
    SwitchEndpointView,
)
from events.api.owed_views import (
    ChaseStepViewSet,
    DutyViewSet,
    HolidaysView,
    OwedViewSet,
    StandardDutyViewSet,
)
from events.api.part_views import InvitationViewSet, MaterialDownloadView, MaterialViewSet
from events.api.rule_views import PreviewView, ReminderRuleViewSet, StandingRulesView
from events.api.telling import DeliveryView, HistoryView, ProgressView, ReminderView
from events.api.views import EventViewSet

EVENT = "events/<uuid:event_uid>"
ONE = "events/<uuid:uid>"
VERSION = f"{EVENT}/materials/<uuid:uid>/versions/<int:number>"

urlpatterns = [
    *resource_paths("events", EventViewSet, name="api-event"),
    *resource_paths(f"{EVENT}/materials", MaterialViewSet, name="api-material"),
    *resource_paths(f"{EVENT}/invitations", InvitationViewSet, name="api-invitation"),
    *resource_paths(f"{EVENT}/duties", DutyViewSet, name="api-duty"),
    *resource_paths("reminder-rules", ReminderRuleViewSet, name="api-reminder-rule"),
    *resource_paths("duties", OwedViewSet, name="api-owed"),
    *resource_paths("standard-duties", StandardDutyViewSet, name="api-standard-duty"),
    *resource_paths("chase-steps", ChaseStepViewSet, name="api-chase-step"),
    *view_paths("holidays", HolidaysView.as_view(), name="api-holidays"),
    *view_paths(
        f"{ONE}/reminder-rules", StandingRulesView.as_view(), name="api-event-reminder-rules"
    ),
    *view_paths(
        f"{ONE}/reminder-preview", PreviewView.as_view(), name="api-event-reminder-preview"
    ),
    *view_paths(VERSION, MaterialDownloadView.as_view(), name="api-material-download"),
    *view_paths(f"{ONE}/history", HistoryView.as_view(), name="api-event-history"),
    *view_paths(f"{ONE}/reminders", ReminderView.as_view(), name="api-event-reminders"),
    *view_paths(f"{ONE}/deliveries", DeliveryView.as_view(), name="api-event-deliveries"),
    *view_paths("inbound-mail", InboundMailView.as_view(), name="api-inbound-mail"),
    *view_paths("ledger", LedgerView.as_view(), name="api-ledger"),
    *view_paths("ledger/channels", ChannelsView.as_view(), name="api-ledger-channels"),
    *view_paths(
        "ledger/channels/<slug:name>/resume",
        ResumeChannelView.as_view(),
        name="api-ledger-channel-resume",
    ),
    *view_paths("ledger/endpoints", FailingEndpointsView.as_view(), name="api-ledger-endpoints"),
    *view_paths(
        "ledger/endpoints/<uuid:uid>/switch-on",
        SwitchEndpointView.as_view(on=True),
        name="api-ledger-endpoint-switch-on",
    ),
    *view_paths(
        "ledger/endpoints/<uuid:uid>/switch-off",
        SwitchEndpointView.as_view(on=False),
        name="api-ledger-endpoint-switch-off",
    ),
    *view_paths("ledger/messages/<uuid:uid>", MessageView.as_view(), name="api-ledger-message"),
    *(
        path
        for verb in ("replay", "skip", "release")
        for path in (
            *view_paths(
                f"ledger/{verb}", SpanActView.as_view(verb=verb), name=f"api-ledger-{verb}"
            ),
            *view_paths(
                f"ledger/messages/<uuid:uid>/{verb}",
                MessageActView.as_view(verb=verb),
                name=f"api-ledger-message-{verb}",
            ),
        )
    ),
    *view_paths("plans/<uuid:uid>/progress", ProgressView.as_view(), name="api-plan-progress"),
]
