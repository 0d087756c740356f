"""The import over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from alliances.models import Plan
from coordination.accounts.models import User
from coordination.changes.models import Change
from events.models import Event
from tests.coordination.workbooks.sheets import line, xlsx_of
from tests.factories import Cast, advance_plan

ADDRESS = "/api/v1/plans/import/"

pytestmark = pytest.mark.usefixtures("fixed_clock")


@pytest.fixture
def secretary(cast: Cast, client: Client) -> Client:
    client.force_login(User.objects.get(username="secretary"))
    return client


def send(client: Client, data: bytes, query: str = "", **values: Any) -> Any:
    sent = {"file": SimpleUploadedFile("plan.xlsx", data), "alliance": "jjj"} | values
    return client.post(ADDRESS + query, sent)


def test_dry_run_answers_and_stores_nothing(secretary: Client, example: bytes) -> None:
    before = Change.objects.count()

    answer = send(secretary, example, "?dry_run=1")

    told = answer.json()
    assert answer.status_code == 200
    assert (len(told["items"]), told["count"], len(told["work_areas"])) == (21, 24, 7)
    assert (told["accepted"], told["applied"], Change.objects.count()) == (True, False, before)


def test_dry_run_with_errors_answers_200_and_names_them(secretary: Client) -> None:
    answer = send(secretary, xlsx_of([line(1, time="2月30日")]), "?dry_run=1")

    told = answer.json()
    assert (answer.status_code, told["accepted"]) == (200, False)
    assert [(each["code"], each["cell"]) for each in told["problems"]] == [("no_such_date", "G3")]


def test_import_stores_the_plan(secretary: Client, example: bytes) -> None:
    first, second = send(secretary, example), send(secretary, example)

    assert (first.status_code, first.json()["applied"]) == (200, True)
    assert second.json()["changes"] == {"new": 0, "same": 21, "changed": 0, "gone": 0}
    assert Event.objects.count() == 24


def test_import_without_the_last_slash_works_too(secretary: Client, example: bytes) -> None:
    sent = {"file": SimpleUploadedFile("plan.xlsx", example), "alliance": "jjj"}

    assert secretary.post(ADDRESS.rstrip("/"), sent).status_code == 200


def test_import_with_errors_is_a_problem_document(secretary: Client) -> None:
    answer = send(secretary, xlsx_of([line(1, time="2月30日"), line(1, None)]))

    told = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert told["code"] == "workbook_refused"
    assert [(each["pointer"], each["code"]) for each in told["errors"]] == [
        ("/file", "no_such_date"),
        ("/file", "missing_title"),
        ("/file", "duplicate_number"),
    ]
    assert Plan.objects.count() == 0


@pytest.mark.parametrize(
    ("values", "query", "pointer"),
    [
        ({"alliance": "nowhere"}, "", "/alliance"),
        ({"year": "soon"}, "", "/year"),
        ({"kind": "weekly"}, "", "/kind"),
        ({"plan": "NO!"}, "", "/plan"),
        ({"new_rows": "1;2"}, "", "/new_rows"),
        ({"title": "x"}, "", "/title"),
        ({}, "?dry_run=maybe", "/dry_run"),
        ({}, "?dryrun=1", "/dryrun"),
    ],
)
def test_import_with_bad_fields_names_them(
    secretary: Client, example: bytes, values: dict[str, str], query: str, pointer: str
) -> None:
    answer = send(secretary, example, query, **values)

    assert answer.status_code == 400
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


def test_import_without_a_file_or_as_json_is_refused(secretary: Client) -> None:
    missing = secretary.post(ADDRESS, {"alliance": "jjj"})
    other = secretary.post(ADDRESS, "{}", content_type="application/json")
    text = secretary.post(ADDRESS, {"alliance": "jjj", "file": "text"})

    assert (missing.status_code, other.status_code, text.status_code) == (400, 415, 400)
    assert secretary.get(ADDRESS).status_code == 405


def test_import_into_an_adopted_plan_needs_a_reason(secretary: Client) -> None:
    send(secretary, xlsx_of([line(1, "对接会")]))
    advance_plan(Plan.objects.get(), "adopted")
    data = xlsx_of([line(1, "对接会", "6月")])

    refused, taken = send(secretary, data), send(secretary, data, reason="改期")

    assert [each["pointer"] for each in refused.json()["errors"]] == ["/reason"]
    assert (refused.status_code, taken.status_code) == (400, 200)


def test_import_by_others_is_refused(cast: Cast, client: Client, example: bytes) -> None:
    assert send(client, example).status_code == 401
    client.force_login(User.objects.get(username="liaison"))
    assert send(client, example).status_code == 403
    assert send(client, example, "?dry_run=1").status_code == 403


def test_import_repeated_with_one_key_answers_once(secretary: Client, example: bytes) -> None:
    def post() -> Any:
        sent = {"file": SimpleUploadedFile("plan.xlsx", example), "alliance": "jjj"}
        return secretary.post(ADDRESS, sent, headers={"Idempotency-Key": "one"})

    first, second = post(), post()

    assert (first.status_code, second.status_code) == (200, 200)
    assert second["Idempotency-Replayed"] == "true"
    assert second.json() == first.json()
