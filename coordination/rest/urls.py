"""Addresses of the API's own pages; resources are mounted by their domains."""

from django.urls import path

from coordination.rest import pages
from coordination.rest.routing import view_paths

urlpatterns = [
    path("api/problems/", pages.list_problems, name="problems"),
    path("api/problems/<slug:name>/", pages.show_problem, name="problem"),
    *view_paths("api/v1/schema", pages.SchemaView.as_view(), name="schema"),
    path("api/docs/", pages.DocsView.as_view(), name="api-docs"),
]
