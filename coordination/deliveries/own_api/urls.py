"""Addresses of a reader's own resources, below `/api/v1/`."""

from __future__ import annotations

from coordination.deliveries.own_api import robot_views, views
from coordination.rest.routing import view_paths

urlpatterns = [
    *view_paths("inbox", views.InboxView.as_view(), name="api-inbox"),
    *view_paths("inbox/read-all", views.InboxReadAllView.as_view(), name="api-inbox-read-all"),
    *view_paths("inbox/<uuid:uid>", views.InboxItemView.as_view(), name="api-inbox-item"),
    *view_paths("inbox/<uuid:uid>/read", views.InboxReadView.as_view(), name="api-inbox-read"),
    *view_paths(
        "inbox/<uuid:uid>/unread", views.InboxUnreadView.as_view(), name="api-inbox-unread"
    ),
    *view_paths("wishes", views.WishesView.as_view(), name="api-wishes"),
    *view_paths("robots", robot_views.RobotListView.as_view(), name="api-robots"),
    *view_paths("robots/<uuid:uid>", robot_views.RobotView.as_view(), name="api-robot"),
    *view_paths(
        "robots/<uuid:uid>/test", robot_views.RobotTestView.as_view(), name="api-robot-test"
    ),
    *view_paths(
        "robots/<uuid:uid>/switch-on",
        robot_views.RobotSwitchOnView.as_view(),
        name="api-robot-switch-on",
    ),
]
