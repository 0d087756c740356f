"""Write answers as JSON: UTF-8, instants in RFC 3339 with an offset, by orjson."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer

JSON = "application/json"
RENDERER = 1  # raise it when the same data gives other bytes; it is part of every list's ETag


def to_json(data: Any) -> bytes:
    """Return the data as JSON."""
    return orjson.dumps(data, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON.")


class FastJSONRenderer(BaseRenderer):
    """`application/json`, the one format of the API."""

    media_type = JSON
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the bytes; none for no data."""
        return b"" if data is None else to_json(data)
