"""Where events and what belongs to them are mounted."""

from django.urls import include, path

from coordination.rest.routing import resource_paths, view_paths
from events.api.part_views import (
    DutyViewSet,
    InvitationViewSet,
    MaterialDownloadView,
    MaterialViewSet,
    ReminderRuleViewSet,
)
from events.api.telling import DeliveryView, HistoryView, ProgressView, ReminderView
from events.api.views import EventViewSet

EVENT = "events/<uuid:event_uid>"
VERSION = f"{EVENT}/materials/<uuid:uid>/versions/<int:number>"

api = [
    *resource_paths("events", EventViewSet, name="event"),
    *resource_paths(f"{EVENT}/materials", MaterialViewSet, name="material"),
    *resource_paths(f"{EVENT}/invitations", InvitationViewSet, name="invitation"),
    *resource_paths(f"{EVENT}/duties", DutyViewSet, name="duty"),
    *resource_paths("reminder-rules", ReminderRuleViewSet, name="reminder-rule"),
    *view_paths(VERSION, MaterialDownloadView.as_view(), name="material-download"),
    *view_paths("events/<uuid:uid>/history", HistoryView.as_view(), name="event-history"),
    *view_paths("events/<uuid:uid>/reminders", ReminderView.as_view(), name="event-reminders"),
    *view_paths("events/<uuid:uid>/deliveries", DeliveryView.as_view(), name="event-deliveries"),
    *view_paths("plans/<uuid:uid>/progress", ProgressView.as_view(), name="plan-progress"),
]
urlpatterns = [path("api/v1/", include(api))]
