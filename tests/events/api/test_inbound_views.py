"""Mail handed in over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from events.models import InboundMessage
from tests.factories import Cast

pytestmark = pytest.mark.django_db
PATH = "/api/v1/inbound-mail/"
LETTER = "From: zhang@example.org\r\nSubject: 你好\r\n\r\n你好\r\n".encode()


def hand_in(client: Client, raw: bytes = LETTER, content_type: str = "message/rfc822") -> Any:
    return client.post(PATH, raw, content_type=content_type)


def test_mail_handed_in_is_read_at_once_and_taken_in_once(cast: Cast, client_of: Any) -> None:
    client = client_of(cast.secretary)

    first, second = hand_in(client), hand_in(client)

    row = InboundMessage.objects.get()
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["uid"] == second.json()["uid"] == str(row.uid)
    assert (first.json()["state"], row.way, row.subject) == ("unmatched", "post", "你好")
    assert bytes(row.raw) == LETTER


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"", "message/rfc822", 400),
        (b"hello", "message/rfc822", 400),
        (b"x: " + b"y" * 2_097_153, "message/rfc822", 413),
        (b"{}", "application/json", 415),
    ],
)
def test_what_is_no_mail_is_refused(
    cast: Cast, client_of: Any, raw: bytes, content_type: str, status: int
) -> None:
    assert hand_in(client_of(cast.secretary), raw, content_type).status_code == status
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "multipart/form-data"])
def test_mail_of_another_type_is_told_what_to_post(
    cast: Cast, client_of: Any, content_type: str
) -> None:
    client = client_of(cast.secretary)
    refused = client.post(f"{PATH}?lang=en", LETTER, content_type=content_type)
    words = "Post the mail itself, as it came, with the header “Content-Type: message/rfc822”."
    assert (refused.status_code, refused.json()["detail"]) == (415, words)
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize("name", ["member_liaison", "chair", "stranger"])
def test_mail_is_taken_from_secretariats_alone(cast: Cast, client_of: Any, name: str) -> None:
    assert hand_in(client_of(cast.viewers()[name])).status_code == 403
    assert hand_in(Client()).status_code == 401
    assert not InboundMessage.objects.exists()


def test_token_needs_the_scope_of_mail_and_no_other(cast: Cast, client_of: Any) -> None:
    codes = [
        hand_in(client_of(cast.secretary, scope)).status_code
        for scope in ("events:write", "inbound-mail:write")
    ]

    assert codes == [403, 201]
