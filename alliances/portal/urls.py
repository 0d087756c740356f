"""Addresses of the pages of alliances. The alliance's own page and the board are the portal's."""

from django.urls import path

from alliances.portal import plan_views, seat_views, views

app_name = "alliances"
urlpatterns = [
    path("alliances/", views.alliances, name="list"),
    path("alliances/new/", views.new, name="new"),
    path("alliances/<slug:slug>/edit/", views.edit, name="edit"),
    path("alliances/<slug:slug>/members/new/", views.admit, name="admit"),
    path("alliances/<slug:slug>/bodies/new/", views.new_body, name="new_body"),
    path("alliances/<slug:slug>/seats/new/", views.seat, name="seat"),
    path("alliances/<slug:slug>/plans/new/", plan_views.new, name="new_plan"),
    path(
        "alliances/<slug:slug>/plans/<slug:plan_slug>/manage/",
        plan_views.manage,
        name="manage_plan",
    ),
    path(
        "alliances/<slug:slug>/plans/<slug:plan_slug>/lines/new/",
        plan_views.new_item,
        name="new_item",
    ),
    path(
        "alliances/<slug:slug>/plans/<slug:plan_slug>/editions/",
        plan_views.editions,
        name="editions",
    ),
    path("lines/<uuid:uid>/", plan_views.item, name="item"),
    path("lines/<uuid:uid>/edit/", plan_views.edit_item, name="edit_item"),
    path("lines/<uuid:uid>/drop/", plan_views.drop_item, name="drop_item"),
    path("members/", views.members, name="members"),
    path("members/<uuid:uid>/", views.organization, name="organization"),
    path("memberships/<uuid:uid>/", views.membership, name="membership"),
    path("seats/<uuid:uid>/", seat_views.seat, name="seat_of"),
    path("work-areas/<uuid:uid>/", seat_views.work_area, name="work_area"),
]
