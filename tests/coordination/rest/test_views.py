"""Who asks, and what every answer has."""

import pytest
from django.test import Client

from alliances.models import Alliance
from coordination.accounts.models import User
from tests.factories import Cast, make_plan


@pytest.fixture
def page_client(cast: Cast, fixed_clock: object) -> Client:
    """The browser of the secretary, signed in to the pages."""
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
    client.force_login(User.objects.get(pk=cast.secretary.user_id))
    return client


def test_session_reads_what_the_person_may_see(cast: Cast, page_client: Client):
    make_plan(cast.alliance)
    assert len(page_client.get("/api/v1/plans/").json()["items"]) == 1
    assert Client().get("/api/v1/plans/").json()["items"] == []


def test_session_changes_nothing_without_the_csrf_token(cast: Cast, page_client: Client):
    body, sent = {"source": "page"}, {"content_type": "application/json"}
    etag = page_client.get("/api/v1/alliances/jjj/")["ETag"]
    refused = page_client.patch("/api/v1/alliances/jjj/", body, **sent, headers={"If-Match": etag})
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    assert Alliance.objects.get(slug="jjj").source == ""
    secret = "a" * 32
    page_client.cookies["csrftoken"] = secret
    taken = page_client.patch(
        "/api/v1/alliances/jjj/",
        body,
        **sent,
        headers={"If-Match": etag, "X-CSRFToken": secret},
    )
    assert taken.status_code == 200, taken.json()


def test_answers_of_one_person_are_not_given_to_another(cast: Cast, client_of):
    make_plan(cast.alliance)
    address = "/api/v1/plans/"
    mine = client_of(cast.secretary).get(address)
    theirs = client_of(cast.other_secretary).get(address)
    public = Client().get(address, headers={"Accept-Language": "en"})
    assert [len(one.json()["items"]) for one in (mine, theirs, public)] == [1, 0, 0]
    assert len({one["ETag"] for one in (mine, theirs, public)}) == 3
    assert [one["Cache-Control"] for one in (mine, theirs, public)] == [
        "private, no-cache",
        "private, no-cache",
        "no-cache",
    ]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("en-GB,zh;q=0.5", "en"),
        ("zh-TW", "zh-Hans"),
        ("fr, de;q=0.9", "zh-Hans"),
        ("", "zh-Hans"),
        ("*;q=x;;,", "zh-Hans"),
    ],
)
def test_language_follows_accept_language(cast: Cast, client: Client, asked: str, given: str):
    response = client.get("/api/v1/alliances/", headers={"Accept-Language": asked})
    assert response["Content-Language"] == given
    assert "Accept-Language" in response["Vary"]


def test_language_of_the_address_wins(cast: Cast, client: Client):
    response = client.get("/api/v1/alliances/?lang=en", headers={"Accept-Language": "zh"})
    assert response["Content-Language"] == "en"


def test_encoded_body_is_415(cast: Cast, client_of):
    response = client_of(cast.superuser).post(
        "/api/v1/alliances/",
        b"\x1f\x8b",
        content_type="application/json",
        headers={"Content-Encoding": "gzip", "Accept-Language": "en"},
    )
    assert response.status_code == 415
    assert response.json()["detail"] == "Send the body as it is, not compressed."
    assert response["Accept-Encoding"] == "identity"


def test_number_no_column_can_hold_is_400(cast: Cast, client_of):
    plan = make_plan(cast.alliance)
    secretary = client_of(cast.secretary)
    etag = secretary.get(f"/api/v1/plans/{plan.uid}/")["ETag"]
    response = secretary.patch(
        f"/api/v1/plans/{plan.uid}/",
        {"target_number": 10**30},
        content_type="application/json",
        headers={"If-Match": etag},
    )
    assert response.status_code == 400
    assert client_of(cast.secretary).get(f"/api/v1/plans/?year={10**30}").status_code == 400
