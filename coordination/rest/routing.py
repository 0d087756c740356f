"""Mount a resource: its list, objects and transitions, each with and without the last slash.

Both forms answer, without a redirect (a redirected POST loses its body); the one with the slash is
documented and is the one that addresses are made of.
"""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver
from django.urls import path as url_path
from rest_framework.routers import SimpleRouter

Pattern = URLPattern | URLResolver


def resource_paths(prefix: str, viewset: type[Any], *, name: str) -> list[Pattern]:
    """Return the addresses of a resource.

    Args:
        prefix: path below `/api/v1/`, may hold converters: "plans/<uuid:plan_uid>/items".
        viewset: a `ResourceViewSet`.
        name: base of the URL names: "plan-item" makes "plan-item-list" and "plan-item-detail".
    """
    patterns: list[Pattern] = []
    for has_slash in (False, True):  # `reverse` takes the last one
        router = SimpleRouter(trailing_slash=has_slash, use_regex_path=False)
        router.register(prefix, viewset, basename=name)
        patterns += router.urls
    return patterns


def view_paths(route: str, view: Any, *, name: str) -> list[Pattern]:
    """Return both forms of the address of a single view; `route` without its last slash."""
    return [url_path(route, view, name=name), url_path(f"{route}/", view, name=name)]
