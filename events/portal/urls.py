"""Addresses of the pages of events."""

from django.urls import path

from events.portal import views

app_name = "events"
urlpatterns = [
    path("events/", views.events, name="list"),
    path("events/new/", views.new, name="new"),
    path("events/<uuid:uid>/", views.detail, name="detail"),
    path("events/<uuid:uid>/edit/", views.edit, name="edit"),
    path("events/<uuid:uid>/<slug:name>/", views.act, name="act"),
    path("invitations/<uuid:uid>/answer/", views.answer, name="answer"),
    path("duties/<uuid:uid>/done/", views.fulfil, name="fulfil"),
    path("materials/<uuid:uid>/<int:number>/", views.material, name="material"),
]
