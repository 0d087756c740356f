"""Repeating a POST with the same key."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from alliances.models import Organization
from coordination.rest.models import IdempotencyKey
from tests.factories import Cast, make_cast

ORGANIZATIONS = "/api/v1/organizations/"


def post(client, body: dict, key: str = "key-1"):
    return client.post(
        ORGANIZATIONS, body, content_type="application/json", headers={"Idempotency-Key": key}
    )


def test_same_key_and_body_give_the_first_answer_again(cast: Cast, client_of):
    secretary = client_of(cast.secretary)
    body = {"kind": "zone", "name": "Once"}
    first, second = post(secretary, body), post(secretary, body)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second["ETag"] == first["ETag"]
    assert second["Location"] == first["Location"]
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Organization.objects.filter(name_en="Once").count() == 1


def test_same_key_with_another_body_is_422(cast: Cast, client_of):
    secretary = client_of(cast.secretary)
    post(secretary, {"kind": "zone", "name": "Once"})
    response = post(secretary, {"kind": "zone", "name": "Other"})
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert not Organization.objects.filter(name_en="Other").exists()


def test_refused_request_leaves_the_key_free(cast: Cast, client_of):
    secretary = client_of(cast.secretary)
    assert post(secretary, {"kind": "planet"}).status_code == 400
    assert not IdempotencyKey.objects.exists()
    assert post(secretary, {"kind": "zone", "name": "Good"}).status_code == 201


def test_same_key_of_another_caller_is_another_request(cast: Cast, client_of):
    body = {"kind": "zone", "name": "Twice"}
    assert post(client_of(cast.secretary), body).status_code == 201
    second = post(client_of(cast.other_secretary), body)
    assert second.status_code == 201
    assert "Idempotency-Replayed" not in second


def test_expired_key_is_new_again(cast: Cast, client_of):
    secretary = client_of(cast.secretary)
    post(secretary, {"kind": "zone", "name": "Old"})
    row = IdempotencyKey.objects.get()
    row.expires_at -= timedelta(hours=49)
    row.save()
    assert post(secretary, {"kind": "zone", "name": "New"}).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel"])
def test_key_that_cannot_be_kept_is_400(cast: Cast, client_of, key: str):
    response = post(client_of(cast.secretary), {"kind": "zone", "name": "A"}, key)
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "Idempotency-Key"


@pytest.mark.django_db(transaction=True)
def test_same_key_at_the_same_time_does_the_work_once(client_of):
    secretary = client_of(make_cast().secretary)
    answers = []

    def send() -> None:
        try:
            answers.append(post(secretary, {"kind": "zone", "name": "Race"}))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.content for answer in answers}) == 1
    assert Organization.objects.filter(name_en="Race").count() == 1
