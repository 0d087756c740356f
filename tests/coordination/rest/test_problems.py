"""Problem documents, and the pages that explain them."""

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import DataError, OperationalError
from django.test import Client
from rest_framework import serializers

from coordination.changes.refusals import (
    FieldError,
    InvalidInput,
    NotAllowed,
    NotVisible,
    Refusal,
    StaleVersion,
    TransitionNotAllowed,
)
from coordination.rest.problem_kinds import problem_kinds
from coordination.rest.problems import handle_exception, pointer_of, problem_for


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NotAllowed(), 403, "not_allowed"),
        (NotVisible(), 404, "not_found"),
        (TransitionNotAllowed("no", code="plan_closed"), 409, "transition_not_allowed"),
        (StaleVersion(), 409, "stale_version"),
        (Refusal("no"), 409, "refused"),
        (InvalidInput([]), 400, "invalid_input"),
        (SuspiciousOperation(), 400, "malformed_request"),
        (DataError(), 400, "invalid_input"),
        (OverflowError(), 400, "invalid_input"),
        (OperationalError(), 503, "unavailable"),
    ],
)
def test_problem_for_an_error_has_its_status_and_type(error: Exception, status: int, kind: str):
    shown = problem_for(error).document()
    assert (shown["status"], shown["type"]) == (status, f"/api/problems/{kind}/")


def test_problem_of_a_refusal_keeps_its_code_and_fields():
    error = InvalidInput([FieldError("hosts.0.name_zh", "required", "Needed.")])
    shown = problem_for(error).document()
    assert shown["errors"] == [
        {"pointer": "/hosts/0/name_i18n/zh", "code": "required", "message": "Needed."}
    ]


def test_problem_of_nested_serializers_points_into_the_body():
    error = serializers.ValidationError({"a": [{}, {"b/c": ["wrong"]}], "non_field_errors": ["x"]})
    errors = problem_for(error).document()["errors"]
    assert [(one["pointer"], one["message"]) for one in errors] == [
        ("/a/1/b~1c", "wrong"),
        ("", "x"),
    ]


def test_pointer_of_nothing_is_the_whole_document():
    assert pointer_of("") == ""


def test_unexpected_error_is_logged_and_tells_nothing(caplog):
    response = handle_exception(RuntimeError("secret"), {})
    assert response.status_code == 500
    assert b"secret" not in response.content
    assert "secret" in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh-CN", "zh-Hans")])
def test_path_that_leads_nowhere_is_a_problem_document(client: Client, language: str, tag: str):
    response = client.get("/api/v1/nosuch/", headers={"Accept-Language": language})
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response["Content-Language"] == tag


@pytest.mark.django_db
def test_every_kind_of_problem_has_a_page(client: Client):
    assert client.get("/api/problems/").status_code == 200
    for kind in problem_kinds():
        response = client.get(kind.path, headers={"Accept-Language": "en"})
        assert response.status_code == 200
        assert kind.name in response.content.decode()
    assert client.get("/api/problems/nosuch/").status_code == 404


@pytest.mark.django_db
def test_wrong_host_is_400(client: Client):
    response = client.get("/api/v1/alliances/", HTTP_HOST="evil.example")
    assert response.status_code == 400


@pytest.mark.django_db
def test_token_that_is_not_known_is_401(client: Client):
    response = client.get("/api/v1/alliances/", headers={"Authorization": "Bearer nosuch"})
    assert response.status_code == 401
    assert 'error="invalid_token"' in response["WWW-Authenticate"]
