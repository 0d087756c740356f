"""Addresses of workbooks: the pages, and the import over the API.

Mounted before the addresses of plans, so that "import" is not taken for a plan.
"""

from django.urls import path

from coordination.rest.routing import view_paths
from coordination.workbooks import views
from coordination.workbooks.api import PlanImportView

app_name = "workbooks"
urlpatterns = [
    *view_paths("api/v1/plans/import", PlanImportView.as_view(), name="plan-import"),
    path("alliances/<slug:slug>/plans/import/", views.import_page, name="import"),
    path(
        "alliances/<slug:slug>/plans/<slug:plan_slug>/plan.xlsx", views.export_page, name="export"
    ),
]
