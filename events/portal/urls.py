"""Addresses of the pages of events."""

from django.urls import path

from events.portal import answer_overview, answer_views, part_views, views

app_name = "events"
urlpatterns = [
    path("events/", views.events, name="list"),
    path("events/new/", views.new, name="new"),
    path("events/<uuid:uid>/", views.detail, name="detail"),
    path("events/<uuid:uid>/edit/", views.edit, name="edit"),
    path("events/<uuid:uid>/answers/", answer_overview.overview, name="answers"),
    path("events/<uuid:uid>/discard/", part_views.discard, name="discard"),
    path("events/<uuid:uid>/<slug:name>/", views.act, name="act"),
    path("invitations/<uuid:uid>/answer/", views.answer, name="answer"),
    path("invitations/<uuid:uid>/withdraw/", part_views.withdraw, name="withdraw"),
    path("answer/<str:secret>/", answer_views.answer_by_link, name="answer_by_link"),
    path("inbound-mail/", answer_overview.inbound, name="inbound"),
    path("inbound-mail/<uuid:uid>/", answer_overview.settle, name="settle"),
    path("duties/<uuid:uid>/done/", views.fulfil, name="fulfil"),
    path("duties/<uuid:uid>/reopen/", views.reopen, name="reopen"),
    path("materials/<uuid:uid>/<int:number>/", views.material, name="material"),
    path("materials/<uuid:uid>/replace/", part_views.replace_document, name="replace_material"),
    path("materials/<uuid:uid>/remove/", part_views.remove_document, name="remove_material"),
]
