"""Addresses of a reader's own pages, and of robots."""

from django.urls import path

from coordination.deliveries.own_pages import robot_views, views

urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/read/", views.mark_all, name="inbox_read_all"),
    path("inbox/<uuid:uid>/", views.open_item, name="inbox_item"),
    path("inbox/<uuid:uid>/mark/", views.mark, name="inbox_mark"),
    path("me/wishes/", views.wishes, name="wishes"),
    path("news/stop/<str:token>/", views.stop, name="stop_news"),
    path("robots/", robot_views.robots, name="robots"),
    path("robots/<uuid:uid>/", robot_views.robot, name="robot"),
    path("robots/<uuid:uid>/test/", robot_views.trial, name="robot_test"),
    path("robots/<uuid:uid>/on/", robot_views.on, name="robot_on"),
    path("robots/<uuid:uid>/remove/", robot_views.remove, name="robot_remove"),
]
