import base64
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView, exception_handler

from coordination.accounts import authentication
from coordination.accounts.authentication import (
    API_AUTHENTICATION,
    SignInRefused,
    find_app_password,
    find_bearer,
    note_use,
    viewer_of,
)
from coordination.accounts.models import ApiToken, TokenKind
from coordination.accounts.tokens import issue_token, revoke_token, rotate_token
from coordination.accounts.viewer import SYSTEM
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.django_db


class Echo(APIView):
    """Say who is asking."""

    authentication_classes = API_AUTHENTICATION
    permission_classes = ()

    def get_exception_handler(self):
        return exception_handler

    def get(self, request):
        viewer = viewer_of(request)
        return Response({"who": viewer.username, "language": viewer.language})

    def post(self, request):
        return Response({"who": viewer_of(request).username})


def ask(header=None, *, method="get", user=None, **values):
    request = getattr(APIRequestFactory(enforce_csrf_checks=True), method)("/api/v1/", **values)
    if header is not None:
        request.META["HTTP_AUTHORIZATION"] = header
    request.user = user or AnonymousUser()
    return Echo.as_view()(request)


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def issue(owner, **values):
    return issue_token(owner, **{"name": "x", "viewer": SYSTEM, "at": NOW} | values)


def test_ask_with_a_token_is_its_owner(fixed_clock, django_assert_num_queries):
    token, secret = issue(make_user("li"))
    note_use(token, at=NOW)

    with django_assert_num_queries(2):  # the token with its owner, the owner's grants
        answer = ask(f"Bearer {secret}")

    assert (answer.status_code, answer.data["who"]) == (200, "li")


def test_ask_without_a_header_is_the_public():
    answer = ask(HTTP_ACCEPT_LANGUAGE="fr, en;q=0.5")

    assert (answer.status_code, answer.data) == (200, {"who": "", "language": "en"})


def test_ask_with_a_session_is_the_person_and_changes_need_the_csrf_token():
    user = make_user("li", language="en")

    assert ask(user=user).data == {"who": "li", "language": "en"}
    assert ask(user=user, method="post").status_code == 403


def test_ask_with_a_revoked_token_is_refused_at_the_next_request(fixed_clock):
    token, secret = issue(make_user("li"))
    assert ask(f"Bearer {secret}").status_code == 200

    revoke_token(token, viewer=SYSTEM, at=NOW)

    answer = ask(f"Bearer {secret}")
    assert (answer.status_code, answer.data["detail"].code) == (401, "revoked")
    assert answer["WWW-Authenticate"] == 'Bearer realm="coordination", error="invalid_token"'


def test_ask_with_the_secret_before_rotation_is_refused(fixed_clock):
    token, secret = issue(make_user("li"))

    renewed = rotate_token(token, viewer=SYSTEM, at=NOW).secret

    assert ask(f"Bearer {secret}").status_code == 401
    assert ask(f"Bearer {renewed}").status_code == 200


def test_find_bearer_at_its_expiry_is_refused():
    token, secret = issue(make_user("li"), expires_at=NOW + timedelta(days=1))
    header = f"Bearer {secret}"
    assert find_bearer(header, at=NOW + timedelta(days=1, microseconds=-1)) == token

    with pytest.raises(SignInRefused) as caught:
        find_bearer(header, at=NOW + timedelta(days=1))

    assert caught.value.code == "expired"


def test_find_bearer_of_a_closed_account_is_refused():
    owner = make_user("li")
    _token, secret = issue(owner)
    type(owner).objects.update(is_active=False)

    with pytest.raises(SignInRefused) as caught:
        find_bearer(f"Bearer {secret}", at=NOW)

    assert caught.value.code == "inactive"


def test_find_bearer_takes_the_scheme_in_any_case():
    token, secret = issue(make_user("li"))

    assert find_bearer(f"bEARER  {secret} ", at=NOW) == token


def test_secrets_of_one_kind_do_not_open_the_other_door():
    owner = make_user("li")
    bearer = issue(owner).secret
    app_password = issue(owner, kind=TokenKind.APP_PASSWORD).secret

    for check, header in (
        (find_bearer, f"Bearer {app_password}"),
        (find_app_password, basic("li", bearer)),
    ):
        with pytest.raises(SignInRefused) as caught:
            check(header, at=NOW)
        assert caught.value.code == "unknown"


@pytest.mark.parametrize("name", ["li", "LI", "li@example.org", "Li@Example.org"])
def test_find_app_password_takes_name_or_address_in_any_case(name, django_assert_num_queries):
    token, secret = issue(make_user("li"), kind=TokenKind.APP_PASSWORD)

    with django_assert_num_queries(1):
        assert find_app_password(basic(name, secret), at=NOW) == token


@pytest.mark.parametrize("name", ["wang", "", "l", "li "])
def test_find_app_password_with_another_name_is_refused(name):
    _token, secret = issue(make_user("li", email=""), kind=TokenKind.APP_PASSWORD)

    with pytest.raises(SignInRefused) as caught:
        find_app_password(basic(name, secret), at=NOW)

    assert caught.value.code == "unknown"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "wrong_scheme"),
        ("Bearer", "malformed"),
        ("Bearer ", "malformed"),
        ("Bearer a b", "malformed"),
        ("Bearer a\tb", "malformed"),
        ("Digest abc", "wrong_scheme"),
        ("Basic abc", "wrong_scheme"),
        ("Bearer " + "x" * 5000, "malformed"),
        ("Bearer nobody", "unknown"),
        ("Bearer \x00", "unknown"),
        ("Bearer \ud800", "unknown"),
    ],
)
def test_ask_with_a_malformed_header_is_401_with_the_reason(header, code):
    answer = ask(header)

    assert (answer.status_code, answer.data["detail"].code) == (401, code)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.text(),
        st.text().map(lambda text: f"Bearer {text}"),
        st.text().map(lambda text: f"Basic {text}"),
        st.binary().map(lambda raw: "Basic " + base64.b64encode(raw).decode()),
        st.binary().map(lambda raw: "Bearer " + raw.decode("latin-1")),
    )
)
def test_any_header_is_refused_and_never_breaks(header):
    assert ask(header).status_code == 401
    with pytest.raises(SignInRefused):
        find_app_password(header, at=NOW)


def test_note_use_within_the_hour_writes_once(django_assert_num_queries):
    token, _secret = issue(make_user("li"))

    note_use(token, at=NOW)

    assert ApiToken.objects.get().last_used_at == NOW.replace(minute=0)
    token.refresh_from_db()
    with django_assert_num_queries(0):
        note_use(token, at=NOW + timedelta(minutes=29))
    note_use(token, at=NOW + timedelta(minutes=30))
    assert ApiToken.objects.get().last_used_at == NOW.replace(minute=0) + timedelta(hours=1)


def test_note_use_while_the_database_is_busy_lets_the_reader_pass(monkeypatch, fixed_clock):
    _token, secret = issue(make_user("li"))

    def refuse(*_parts, **_values):
        raise DatabaseError("database is locked")

    monkeypatch.setattr(type(ApiToken.objects.all()), "update", refuse)

    assert ask(f"Bearer {secret}").data["who"] == "li"
    assert ApiToken.objects.get().last_used_at is None


def test_without_waiting_restores_the_usual_patience():
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite waits")

    def patience():
        with connection.cursor() as cursor:
            return cursor.execute("PRAGMA busy_timeout").fetchone()[0]

    before = patience()
    with authentication.without_waiting():
        assert patience() == 0
    assert patience() == before == 20_000


def test_viewer_of_an_unauthenticated_view_is_the_public():
    request = RequestFactory().get("/")
    request.user = AnonymousUser()

    class Open(APIView):
        authentication_classes = ()
        permission_classes = ()

        def get(self, request):
            return Response(viewer_of(request).is_authenticated)

    assert Open.as_view()(request).data is False
    assert timezone.is_aware(timezone.now())
