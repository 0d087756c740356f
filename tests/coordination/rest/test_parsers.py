"""What a body may not hold."""

import pytest
from rest_framework.exceptions import ParseError

from coordination.rest.parsers import read_json
from tests.factories import Cast


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": "\\ud800"}',
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000,
        b"9" * 5000,
    ],
)
def test_read_json_of_what_cannot_be_stored_is_refused(body: bytes):
    with pytest.raises(ParseError):
        read_json(body)


def test_read_json_of_any_text_returns_it():
    assert read_json('{"a": ["中文 🎉", 1.5, null]}'.encode()) == {"a": ["中文 🎉", 1.5, None]}
    assert read_json(b"[" * 32 + b"]" * 32) != []


def test_malformed_body_is_400_in_the_language_of_the_caller(cast: Cast, client_of):
    for language, tag in (("en", "en"), ("zh-CN", "zh-Hans")):
        response = client_of(cast.superuser, language=language).post(
            "/api/v1/alliances/", b"{", content_type="application/json"
        )
        assert (response.status_code, response["Content-Language"]) == (400, tag)
        assert response.json()["code"] == "malformed_request"


def test_large_body_is_413(cast: Cast, client_of, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = client_of(cast.superuser).post(
        "/api/v1/alliances/", {"name": "x" * 200}, content_type="application/json"
    )
    assert response.status_code == 413


@pytest.mark.parametrize("body", [[], "text", 5, None])
def test_body_that_is_no_object_is_400(cast: Cast, client_of, body):
    import json

    response = client_of(cast.superuser).post(
        "/api/v1/alliances/", json.dumps(body), content_type="application/json"
    )
    assert response.status_code == 400
