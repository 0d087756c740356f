"""The answer of an import in OpenAPI's words."""

from __future__ import annotations

from typing import Any


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_NUMBER = {"type": "integer"}
_NUMBER_OR_NULL = {"type": ["integer", "null"]}
_FLAG = {"type": "boolean"}
_DAY_OR_NULL = {"type": ["string", "null"], "format": "date"}
_CLOCK_OR_NULL = {"type": ["string", "null"], "pattern": "^[0-9]{2}:[0-9]{2}$"}
_UUID_OR_NULL = {"type": ["string", "null"], "format": "uuid"}
_PRECISION = {
    "type": "string",
    "enum": ["day", "ten_days", "month", "quarter", "half_year", "year", "unknown"],
}
_SPAN = {"start": _DAY_OR_NULL, "end": _DAY_OR_NULL, "precision": _PRECISION}

_ITEM = _object(
    {
        "row": _NUMBER_OR_NULL,
        "number": {"type": ["integer", "string", "null"]},
        "work_area": _TEXT_OR_NULL,
        "title": _TEXT,
        "type": _TEXT,
        "hosts": _list(_object({"name": _TEXT, "organization": _UUID_OR_NULL})),
        "place": _TEXT,
        "window": _object({"text": _TEXT, **_SPAN}),
        "occurrences": _list(
            _object({**_SPAN, "start_time": _CLOCK_OR_NULL, "end_time": _CLOCK_OR_NULL})
        ),
        "participants": _TEXT,
        "notes": _TEXT,
        "uid": _UUID_OR_NULL,
        "change": {"type": "string", "enum": ["new", "same", "changed", "gone"]},
        "found_by": {"type": ["string", "null"], "enum": ["uid", "title", "number", None]},
        "cells": {
            "type": "object",
            "description": "Each cell that differs, by the name of its column.",
            "additionalProperties": _object({"before": _TEXT, "after": _TEXT}),
        },
    }
)
_PROBLEM = _object(
    {
        "severity": {"type": "string", "enum": ["error", "warning"]},
        "sheet": _TEXT_OR_NULL,
        "row": _NUMBER_OR_NULL,
        "column": _TEXT_OR_NULL,
        "cell": _TEXT_OR_NULL,
        "code": _TEXT,
        "message": _TEXT,
    }
)
IMPORT_ANSWER: dict[str, Any] = _object(
    {
        "alliance": _TEXT,
        "plan": _TEXT_OR_NULL,
        "year": _NUMBER_OR_NULL,
        "kind": {"type": "string", "enum": ["annual", "campaign"]},
        "title": _TEXT,
        "target": _NUMBER_OR_NULL,
        "items": _list(_ITEM),
        "work_areas": _list(_TEXT),
        "count": {"type": "integer", "description": "How many events the lines make."},
        "changes": _object(dict.fromkeys(("new", "same", "changed", "gone"), _NUMBER)),
        "needs_reason": _FLAG,
        "accepted": _FLAG,
        "applied": _FLAG,
        "problems": _list(_PROBLEM),
    }
)
