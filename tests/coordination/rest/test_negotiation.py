"""Which of two formats a client gets."""

from __future__ import annotations

import pytest

from coordination.rest.negotiation import quality_of

JSON = "application/json"
EVENT = "application/jscalendar+json;type=event"


@pytest.mark.parametrize(
    ("accept", "json", "event"),
    [
        ("*/*", 1, 1),
        ("", 1, 1),
        ("application/*;q=0.4", 0.4, 0.4),
        ("application/jscalendar+json", 0, 1),
        ("application/jscalendar+json;type=event", 0, 1),
        ('APPLICATION/JSCALENDAR+JSON; TYPE="event"', 0, 1),
        ("application/jscalendar+json;type=task", 0, 0),
        ("application/json;charset=utf-8", 1, 0),
        ("application/json;q=0.2, application/jscalendar+json;q=0.9", 0.2, 0.9),
        ("application/json;q=0, */*;q=0.1", 0, 0.1),
        ("application/*;q=0.9, application/json;q=0.1", 0.1, 0.9),
        ("application/json;q=2", 1, 0),
        ("text/html", 0, 0),
        (";;;,,=,q=", 0, 0),
    ],
)
def test_quality_of_a_type_is_that_of_its_closest_range(
    accept: str, json: float, event: float
) -> None:
    assert (quality_of(JSON, accept), quality_of(EVENT, accept)) == (json, event)
