"""Too many requests in a window."""

from django.test import Client

from tests.factories import Cast


def test_every_answer_tells_what_is_left(cast: Cast, client: Client, settings, fixed_clock):
    settings.API_REQUESTS_PER_MINUTE = 3
    left = [client.get("/api/v1/alliances/")["RateLimit"] for _ in range(3)]
    assert left == ['"default";r=2;t=61', '"default";r=1;t=61', '"default";r=0;t=61']
    assert client.get("/api/v1/alliances/")["RateLimit-Policy"] == '"default";q=3;w=60'


def test_one_request_too_many_is_429_until_the_next_window(
    cast: Cast, client: Client, settings, fixed_clock
):
    settings.API_REQUESTS_PER_MINUTE = 1
    assert client.get("/api/v1/alliances/").status_code == 200
    response = client.get("/api/v1/alliances/")
    assert (response.status_code, response["Retry-After"]) == (429, "61")
    assert response.json()["code"] == "too_many_requests"
    fixed_clock.shift(61)
    assert client.get("/api/v1/alliances/").status_code == 200


def test_callers_are_counted_apart(cast: Cast, client: Client, client_of, settings, fixed_clock):
    settings.API_REQUESTS_PER_MINUTE = 1
    assert client.get("/api/v1/alliances/").status_code == 200
    assert client_of(cast.secretary).get("/api/v1/alliances/").status_code == 200
    assert client.get("/api/v1/alliances/", REMOTE_ADDR="192.0.2.9").status_code == 200
    assert client.get("/api/v1/alliances/").status_code == 429


def test_no_limit_leaves_the_fields_out(cast: Cast, client: Client, settings):
    settings.API_REQUESTS_PER_MINUTE = 0
    assert "RateLimit" not in client.get("/api/v1/alliances/")
