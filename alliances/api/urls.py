"""Addresses of alliances, members, people and plans, below `/api/v1/`."""

from __future__ import annotations

from alliances.api import plan_views, views
from coordination.rest.routing import resource_paths, view_paths

PLAN = "plans/<uuid:plan_uid>"

urlpatterns = [
    *resource_paths("alliances", views.AllianceViewSet, name="api-alliance"),
    *resource_paths("bodies", views.BodyViewSet, name="api-body"),
    *resource_paths("organizations", views.OrganizationViewSet, name="api-organization"),
    *resource_paths("memberships", views.MembershipViewSet, name="api-membership"),
    *resource_paths("chair-terms", views.ChairTermViewSet, name="api-chair-term"),
    *resource_paths("people", views.PersonViewSet, name="api-person"),
    *resource_paths("seats", views.SeatViewSet, name="api-seat"),
    *resource_paths("plans", plan_views.PlanViewSet, name="api-plan"),
    *resource_paths(f"{PLAN}/work-areas", plan_views.WorkAreaViewSet, name="api-work-area"),
    *resource_paths(f"{PLAN}/items", plan_views.PlanItemViewSet, name="api-plan-item"),
    *resource_paths(f"{PLAN}/editions", plan_views.EditionViewSet, name="api-edition"),
    *view_paths(
        f"{PLAN}/editions/<int:number>/lines",
        plan_views.EditionLinesView.as_view(),
        name="api-edition-lines",
    ),
    *view_paths(f"{PLAN}/compare", plan_views.CompareView.as_view(), name="api-plan-compare"),
]
