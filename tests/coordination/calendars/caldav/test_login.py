"""Who is let in, and that nothing an Authorization header holds is a failure."""

import base64
from datetime import timedelta

import pytest
from django.test import Client

from coordination.accounts.models import ApiToken, TokenKind
from coordination.accounts.tokens import revoke_token
from coordination.accounts.viewer import SYSTEM
from tests.conftest import NOW
from tests.coordination.calendars.caldav.conftest import OpenPhone, Phone
from tests.factories import Cast, make_event


def basic(text: str | bytes) -> str:
    octets = text.encode() if isinstance(text, str) else text
    return f"Basic {base64.b64encode(octets).decode()}"


HEADERS = [
    None,
    "",
    "Basic",
    "Basic ",
    "Basic !!!!",
    "Basic ####=",
    basic("without a colon"),
    basic(b"\xff\xfe:\xff"),
    basic("liaison:"),
    basic("liaison:guess"),
    basic("\x00:\x00"),
    basic(":" * 3000),
    "Bearer coo_abcdefgh_x",
    "Digest username=liaison",
    "B" * 5000,
    "Basic " + "A" * 5000,
    "基本 Zm9v",
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "GET", "PUT", "DELETE", "MKCALENDAR"])
def test_sign_in_with_a_header_that_is_not_right_is_challenged(
    header: str | None, method: str, phone: Phone
) -> None:
    client = Client(raise_request_exception=False)
    headers = {} if header is None else {"HTTP_AUTHORIZATION": header}
    answer = client.generic(method, phone.home, **headers)

    assert (answer.status_code, answer["WWW-Authenticate"]) == (
        401,
        'Basic realm="coordination", charset="UTF-8"',
    )
    assert str(phone.user.uid) not in answer.content.decode()


def test_sign_in_takes_the_user_name_or_the_address_in_any_case(phone: Phone) -> None:
    found = [
        phone.ask("GET", "/dav/", Authorization=basic(f"{name}:{phone.secret}")).status
        for name in ("liaison", "LIAISON", "Liaison@Example.org", "secretary", "")
    ]

    assert found == [200, 200, 200, 401, 401]


def test_sign_in_with_a_bearer_token_s_secret_is_refused(open_phone: OpenPhone) -> None:
    phone = open_phone("liaison", kind=TokenKind.BEARER)

    assert phone.ask("GET", "/dav/").status == 401


def test_sign_in_after_revocation_is_refused_at_the_next_request(phone: Phone) -> None:
    before = phone.ask("GET", "/dav/").status
    revoke_token(ApiToken.objects.get(user=phone.user), viewer=SYSTEM, at=NOW)

    assert (before, phone.ask("GET", "/dav/").status) == (200, 401)


def test_sign_in_after_expiry_is_refused(open_phone: OpenPhone, fixed_clock: object) -> None:
    phone = open_phone("liaison", expires_at=NOW + timedelta(hours=1))
    before = phone.ask("GET", "/dav/").status
    fixed_clock.move_to(NOW + timedelta(hours=1))  # type: ignore[attr-defined]

    assert (before, phone.ask("GET", "/dav/").status) == (200, 401)


def test_app_password_that_covers_no_events_opens_nothing(open_phone: OpenPhone) -> None:
    phone = open_phone("liaison", scopes=["alliances:read"])
    answer = phone.propfind("", "D:displayname")

    assert (answer.status, answer.condition) == (403, ["D:need-privileges"])


def test_app_password_for_reading_does_not_write(open_phone: OpenPhone, cast: Cast) -> None:
    make_event(cast.alliance, scheduled=True)
    reading = open_phone("secretary", scopes=["events:read"])
    writing = open_phone("secretary", scopes=["events:write"])

    assert "PUT" not in reading.ask("OPTIONS", "jjj/").response["Allow"]
    assert "PUT" in writing.ask("OPTIONS", "jjj/").response["Allow"]


def test_app_password_limited_to_an_alliance_sees_others_as_the_public_does(
    open_phone: OpenPhone, cast: Cast
) -> None:
    here = make_event(cast.alliance, scheduled=True, audience="members")
    open_phone_of_all = open_phone("liaison")
    limited = open_phone("liaison", limits=[f"alliance:{cast.other.pk}"])

    assert here.dav_name in open_phone_of_all.sync("jjj/").names
    assert limited.sync("jjj/").names == []


def test_use_of_an_app_password_is_noted_by_the_hour(phone: Phone) -> None:
    phone.ask("GET", "/dav/")

    token = ApiToken.objects.get(user=phone.user)
    assert token.last_used_at == NOW.replace(minute=0)
