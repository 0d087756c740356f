"""Addresses of the pages of events."""

from django.urls import path

from events.portal import answer_overview, answer_views, views

app_name = "events"
urlpatterns = [
    path("events/", views.events, name="list"),
    path("events/new/", views.new, name="new"),
    path("events/<uuid:uid>/", views.detail, name="detail"),
    path("events/<uuid:uid>/edit/", views.edit, name="edit"),
    path("events/<uuid:uid>/answers/", answer_overview.overview, name="answers"),
    path("events/<uuid:uid>/<slug:name>/", views.act, name="act"),
    path("invitations/<uuid:uid>/answer/", views.answer, name="answer"),
    path("answer/<str:secret>/", answer_views.answer_by_link, name="answer_by_link"),
    path("inbound-mail/", answer_overview.inbound, name="inbound"),
    path("inbound-mail/<uuid:uid>/", answer_overview.settle, name="settle"),
    path("duties/<uuid:uid>/done/", views.fulfil, name="fulfil"),
    path("materials/<uuid:uid>/<int:number>/", views.material, name="material"),
]
