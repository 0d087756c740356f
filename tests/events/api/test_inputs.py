"""Times as programs write them: instants, local times, whole days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import translation
from rest_framework.exceptions import ValidationError

from coordination.changes.refusals import InvalidInput
from events.api.filters import EventFilters
from events.api.inputs import Instant, TimeInput, take_span
from events.calendar_event import Span
from tests.factories import BEIJING, Cast, make_event, span


def span_of(body: dict[str, Any], *, zone: str = BEIJING, required: bool = False) -> Span | None:
    cleaned = TimeInput(data=body)
    cleaned.is_valid(raise_exception=True)
    return take_span(dict(cleaned.validated_data), zone=zone, required=required)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"starts_at": "2028-05-16T09:30", "ends_at": "2028-05-16T12:00:59"},
            span("2028-05-16T09:30", "2028-05-16T12:00"),
        ),
        (
            {"starts_at": "2028-05-16T01:30:00Z", "ends_at": "2028-05-16T06:00:00+02:00"},
            span("2028-05-16T09:30", "2028-05-16T12:00"),
        ),
        (
            {"starts_at": "2028-05-16T09:30", "ends_at": "2028-05-16T12:00",
             "time_zone": "Europe/Madrid"},
            span("2028-05-16T09:30", "2028-05-16T12:00", "Europe/Madrid"),
        ),
        (
            {"starts_on": "2028-02-29"},
            span("2028-02-29T00:00", "2028-03-01T00:00", is_all_day=True),
        ),
        (
            {"starts_on": "2028-05-16", "ends_on": "2028-05-17", "all_day": True},
            span("2028-05-16T00:00", "2028-05-18T00:00", is_all_day=True),
        ),
        (
            {"starts_at": "2028-05-16", "ends_at": "2028-05-17", "all_day": True},
            span("2028-05-16T00:00", "2028-05-17T00:00", is_all_day=True),
        ),
        (
            {"starts_at": "2028-05-16", "ends_at": "2028-05-16", "all_day": True},
            span("2028-05-16T00:00", "2028-05-17T00:00", is_all_day=True),
        ),
        ({}, None),
        ({"time_zone": "Europe/Madrid"}, None),
    ],
)  # fmt: skip
def test_take_span_reads_each_form(body: dict[str, Any], expected: Span | None) -> None:
    assert span_of(body) == expected


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"starts_at": "2028-05-16T09:30"}, "ends_at", "required"),
        ({"ends_at": "2028-05-16T09:30"}, "starts_at", "required"),
        ({"ends_on": "2028-05-16"}, "starts_on", "required"),
        ({"starts_on": "2028-05-16", "ends_on": "2028-05-15"}, "ends_on", "invalid"),
        ({"starts_on": "2028-05-16", "starts_at": "2028-05-16T09:30"}, "starts_at", "conflict"),
        ({"starts_on": "2028-05-16", "all_day": False}, "all_day", "conflict"),
        ({"time_zone": "Asia/Beijing"}, "time_zone", "unknown_time_zone"),
    ],
)
def test_take_span_of_half_a_time_names_what_is_wrong(
    body: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        span_of(body)
    assert [(error.field, error.code) for error in caught.value.errors] == [(field, code)]


def test_take_span_that_is_required_and_missing_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        span_of({}, required=True)
    assert caught.value.errors[0].field == "starts_at"


def test_take_span_of_the_hour_that_clocks_repeat_is_refused_the_second_time() -> None:
    first = {"starts_at": "2028-10-29T00:30:00Z", "ends_at": "2028-10-29T03:00:00Z"}
    found = span_of(first, zone="Europe/Madrid")
    assert found is not None
    assert found.starts == datetime(2028, 10, 29, 2, 30)
    second = {**first, "starts_at": "2028-10-29T01:30:00Z"}
    with pytest.raises(InvalidInput) as caught:
        span_of(second, zone="Europe/Madrid")
    assert [(error.field, error.code) for error in caught.value.errors] == [
        ("starts_at", "repeated_time")
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("starts_at", "soon"),
        ("starts_at", "2028"),
        ("starts_at", 20280516),
        ("starts_at", ["2028-05-16T09:30"]),
        ("starts_at", "0001-01-01T00:00"),
        ("starts_at", "9999-12-31T23:59:59+14:00"),
        ("starts_on", "2028-13-01"),
        ("starts_on", "1066-10-14"),
        ("all_day", "perhaps"),
    ],
)
def test_time_that_is_none_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        span_of({name: value})
    assert list(caught.value.detail) == [name]


@pytest.mark.parametrize("value", ["2028-05-16T09:30:00", "2028-05-16", "yesterday", "", 20280516])
def test_instant_that_leaves_its_offset_open_is_refused_with_an_example(value: object) -> None:
    with pytest.raises(ValidationError) as refused, translation.override("en"):
        Instant().run_validation(value)

    assert refused.value.get_codes() == ["invalid"]
    assert refused.value.detail == ["Write an instant such as 2026-05-14T09:30:00+08:00."]


@pytest.mark.parametrize("value", ["2028-05-16T09:30:00+08:00", "2028-05-16T01:30:00Z"])
def test_instant_with_an_offset_is_taken(value: str) -> None:
    assert Instant().run_validation(value) == datetime(2028, 5, 16, 9, 30, tzinfo=ZoneInfo(BEIJING))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["events/", "sync/"])
def test_instant_with_a_bare_plus_in_an_address_is_read_as_it_is_meant(
    cast: Cast, client: Client, path: str
) -> None:
    event = make_event(cast.alliance, span=span("2028-05-16T09:30", "2028-05-16T10:30"))
    items = "items" if path == "events/" else "events"

    def found(query: str) -> list[str]:
        answer = client.get(f"/api/v1/{path}?{query}")
        assert answer.status_code == 200, answer.content
        return [one["uid"] for one in answer.json()[items]]

    assert found("from=2028-05-16T10:29:00+08:00") == [str(event.uid)]
    assert found("from=2028-05-16T10:29:00%2B08:00") == [str(event.uid)]
    assert found("from=2028-05-16T10:30:00+08:00") == []
    assert client.get(f"/api/v1/{path}?from=2028-05-16+10:29").status_code == 400


def test_filters_read_an_empty_moment_as_none() -> None:
    assert EventFilters.base_filters["from"].field.clean("") is None
    beginning = EventFilters.base_filters["to"].field.clean("2028-05-16")
    assert (beginning.date(), beginning.utcoffset().total_seconds()) == (date(2028, 5, 16), 28_800)


def test_window_that_ends_before_it_begins_is_refused_with_both_ends(
    cast: Cast, client: Client
) -> None:
    def refused(query: str) -> list[dict[str, str]]:
        response = client.get(f"/api/v1/events/?{query}", headers={"Accept-Language": "en"})
        assert response.status_code == 400
        return response.json()["errors"]

    words = "“from” is later than “to”. Exchange them, or change one of them."
    errors = [
        {
            "pointer": f"/{name}",
            "code": "ends_before_it_begins",
            "message": words,
            "parameter": name,
        }
        for name in ("from", "to")
    ]
    assert refused("from=2028-05-17&to=2028-05-16") == errors
    assert refused("from=2028-05-16T01:00:00Z&to=2028-05-16") == errors
    assert client.get("/api/v1/events/?from=2028-05-16&to=2028-05-16").status_code == 200


def test_beginning_that_the_clocks_skip_is_refused_with_what_it_is_read_as(
    cast: Cast, client_of: Any
) -> None:
    values = {"alliance": "jjj", "title": "A", "time_zone": "Europe/Madrid"}
    gap = {"starts_at": "2028-03-26T02:30", "ends_at": "2028-03-26T03:15"}
    response = client_of(cast.secretary).post(
        "/api/v1/events/?lang=en", values | gap, content_type="application/json"
    )
    (error,) = response.json()["errors"]

    assert response.status_code == 400
    assert (error["pointer"], error["code"]) == ("/starts_at", "skipped_time")
    assert "Europe/Madrid go forward and never show 02:30; it is read as 03:30" in error["message"]
