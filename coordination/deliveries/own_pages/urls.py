"""Addresses of a reader's own pages."""

from django.urls import path

from coordination.deliveries.own_pages import views

urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/read/", views.mark_all, name="inbox_read_all"),
    path("inbox/<uuid:uid>/", views.open_item, name="inbox_item"),
    path("inbox/<uuid:uid>/mark/", views.mark, name="inbox_mark"),
    path("me/wishes/", views.wishes, name="wishes"),
    path("news/stop/<str:token>/", views.stop, name="stop_news"),
]
