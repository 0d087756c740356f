import re

import pytest
from django.core import mail

from coordination.accounts.enrolling import close_account, invitation_link, invite_account
from coordination.accounts.models import ApiToken, TokenKind, User
from coordination.accounts.tokens import hash_secret, issue_token
from coordination.accounts.viewer import SYSTEM
from tests.conftest import NOW
from tests.factories import make_user, stored

pytestmark = pytest.mark.django_db
GOOD = "correct horse battery staple"


@pytest.fixture
def li(client):
    user = make_user("li", language="en")
    user.set_password(GOOD)
    user.save()
    client.force_login(user)
    return user


def sign_in(client, name, password, **values):
    return client.post("/accounts/login/", {"login": name, "password": password}, **values)


@pytest.mark.parametrize("name", ["li", "LI", "li@example.org", "Li@Example.ORG"])
def test_sign_in_takes_name_or_address(client, li, name):
    client.logout()

    answer = sign_in(client, name, GOOD)

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(li.pk)


def test_sign_in_after_five_wrong_guesses_refuses_the_right_password_too(client, li):
    client.logout()
    for guess in range(5):
        assert sign_in(client, "li", f"wrong {guess}").status_code == 200

    sign_in(client, "li", GOOD)

    assert "_auth_user_id" not in client.session


def test_sign_in_from_one_address_with_many_names_is_429(client):
    answers = [sign_in(client, f"guess{count}", "x" * 12).status_code for count in range(31)]

    assert answers[0] == 200
    assert answers[-1] == 429


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
    ],
)
def test_pages_before_signing_in_are_open_and_need_no_inline_script(client, path, language):
    answer = client.get(path, {"lang": language})

    assert answer.status_code == 200
    assert_is_strict(answer)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    "path",
    [
        "/me/",
        "/me/tokens/",
        "/accounts/logout/",
        "/accounts/password/change/",
        "/accounts/email/",
        "/accounts/2fa/",
        "/accounts/3rdparty/",
    ],
)
def test_pages_about_oneself_are_the_persons_and_need_no_inline_script(client, li, path, language):
    answer = client.get(path, {"lang": language})

    assert answer.status_code == 200
    assert_is_strict(answer)
    client.logout()
    assert client.get(path, follow=True).redirect_chain != []


def assert_is_strict(answer):
    text = answer.content.decode()
    assert "Content-Security-Policy" in answer.headers
    assert re.findall(r"\son\w+=|\sstyle=|<style|<script(?![^>]*\bsrc=)", text) == []


def test_show_me_saves_language_and_zone_and_forgets_the_cookie(client, li):
    client.get("/me/?lang=zh-hans")

    answer = client.post("/me/", {"language": "en", "time_zone": "Europe/Berlin"})

    assert (answer.status_code, stored(li).time_zone) == (302, "Europe/Berlin")
    assert answer.cookies["django_language"].value == ""


def test_show_me_with_an_unknown_zone_says_so(client, li):
    answer = client.post("/me/", {"language": "en", "time_zone": "Mars/Olympus"})

    assert (answer.status_code, list(answer.context["form"].errors)) == (200, ["time_zone"])
    assert stored(li).time_zone == "Asia/Shanghai"


def test_show_tokens_makes_one_and_shows_the_secret_on_that_answer_only(client, li):
    answer = client.post(
        "/me/tokens/", {"name": "office", "kind": "bearer", "scopes": ["*:read"], "expires": "30"}
    )

    secret = re.search(r"coo_[a-z0-9]{8}_[A-Za-z0-9]{32}", answer.content.decode())[0]
    token = ApiToken.objects.get()
    assert (token.user, token.sha256, token.scopes) == (li, hash_secret(secret), ["*:read"])
    assert (token.expires_at - token.created_at).days == 30
    assert "no-store" in answer["Cache-Control"]
    assert secret not in client.get("/me/tokens/").content.decode()


def test_show_tokens_without_a_scope_says_so_and_makes_none(client, li):
    answer = client.post("/me/tokens/", {"name": "office", "kind": "bearer", "expires": ""})

    assert list(answer.context["form"].errors) == ["scopes"]
    assert ApiToken.objects.count() == 0


def test_show_tokens_limited_to_an_own_alliance_keeps_the_limit(client, cast, fixed_clock):
    client.force_login(User.objects.get(username="secretary"))
    limit = f"alliance:{cast.alliance.pk}"
    values = {"name": "office", "kind": "bearer", "scopes": ["*:*"], "expires": ""}

    client.post("/me/tokens/", values | {"limits": [f"alliance:{cast.other.pk}"]})
    assert ApiToken.objects.count() == 0
    client.post("/me/tokens/", values | {"limits": [limit]})

    assert ApiToken.objects.get().limits == [limit]


def test_renew_and_revoke_are_the_owners_alone(client, li):
    foreign = issue_token(make_user("wang"), name="x", viewer=SYSTEM, at=NOW).token
    before = ApiToken.objects.filter(pk=foreign.pk).values().get()

    answers = [client.post(f"/me/tokens/{foreign.uid}/{verb}/") for verb in ("renew", "revoke")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert ApiToken.objects.filter(pk=foreign.pk).values().get() == before


def test_renew_secret_shows_the_new_one(client, li):
    token, old = issue_token(li, name="x", viewer=SYSTEM, at=NOW, kind=TokenKind.APP_PASSWORD)

    text = client.post(f"/me/tokens/{token.uid}/renew/").content.decode()

    secret = re.search(r"coo_[a-z0-9]{8}_[A-Za-z0-9]{32}", text)[0]
    assert secret != old
    assert stored(token).sha256 == hash_secret(secret)


def test_revoke_then_renew_is_refused(client, li):
    token = issue_token(li, name="x", viewer=SYSTEM, at=NOW).token

    client.post(f"/me/tokens/{token.uid}/revoke/")
    answer = client.post(f"/me/tokens/{token.uid}/renew/")

    assert answer.context["issued"] is None
    assert stored(token).sha256 == token.sha256
    assert stored(token).revoked_at is not None


def test_show_invitations_for_a_liaison_is_closed(client, li):
    assert client.get("/me/invitations/").status_code == 403


def test_invited_person_chooses_a_password_and_is_signed_in(client, cast, fixed_clock):
    client.force_login(User.objects.get(username="secretary"))
    client.post(
        "/me/invitations/", {"username": "zhao", "email": "zhao@example.org", "language": "en"}
    )
    link = re.search(r"http\S+(/accounts/invitation/\S+)", mail.outbox[0].body)[1]
    client.logout()

    assert_is_strict(client.get(link))
    answer = client.post(link, {"password": GOOD, "again": GOOD})

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(User.objects.get(username="zhao").pk)
    assert client.get(link).status_code == 410


def test_accept_with_two_different_passwords_says_so(client):
    user = invite_account(
        username="zhao", email="z@example.org", language="en", viewer=SYSTEM, at=NOW
    )
    path = "/accounts" + invitation_link(user).split("/accounts")[1]

    answer = client.post(path, {"password": GOOD, "again": GOOD + "!"})

    assert list(answer.context["form"].errors) == ["again"]
    assert stored(user).is_awaiting is True


def test_send_again_mails_a_new_link(client, cast, fixed_clock):
    user = invite_account(
        username="zhao", email="z@example.org", language="en", viewer=SYSTEM, at=NOW
    )
    client.force_login(User.objects.get(username="secretary"))

    client.post(f"/me/invitations/{user.uid}/send/")

    assert [message.to for message in mail.outbox] == [["z@example.org"]] * 2
    assert mail.outbox[0].body != mail.outbox[1].body


def test_password_reset_by_mail_works_once(client, li):
    client.logout()

    client.post("/accounts/password/reset/", {"email": "LI@example.org"})

    link = re.search(r"http://testserver(\S+)", mail.outbox[0].body)[1]
    page = client.get(link, follow=True)
    client.post(
        page.redirect_chain[-1][0],
        {"password1": "another good one 9", "password2": "another good one 9"},
    )
    assert stored(li).check_password("another good one 9") is True
    assert client.get(link, follow=True).context.get("token_fail") is True


def test_password_reset_for_an_unknown_address_answers_the_same(client, li):
    client.logout()

    answers = [
        client.post("/accounts/password/reset/", {"email": f"{name}@example.org"})
        for name in ("li", "nobody")
    ]

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {
        (302, "/accounts/password/reset/done/")
    }


def test_second_factor_is_asked_for_after_the_password(client, li):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(li, generate_totp_secret())
    client.logout()

    answer = sign_in(client, "li", GOOD)

    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert "_auth_user_id" not in client.session
    assert_is_strict(client.get(answer["Location"]))


def test_session_of_a_closed_account_ends_at_the_next_request(client, li):
    assert client.get("/me/").status_code == 200

    close_account(li, viewer=SYSTEM, at=NOW)

    assert client.get("/me/")["Location"] == "/accounts/login/?next=/me/"


def test_show_invitations_with_a_taken_address_says_so(client, cast, fixed_clock):
    client.force_login(User.objects.get(username="secretary"))
    values = {"username": "zhao", "email": "LIAISON@example.org", "language": "en"}

    answer = client.post("/me/invitations/", values)

    assert list(answer.context["form"].errors) == ["email"]
    assert User.objects.filter(username="zhao").exists() is False


def test_show_invitations_with_the_mail_server_away_keeps_the_account(
    client, cast, fixed_clock, settings
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    client.force_login(User.objects.get(username="secretary"))

    answer = client.post(
        "/me/invitations/",
        {"username": "zhao", "email": "z@example.org", "language": "en"},
        follow=True,
    )

    assert [message.tags for message in answer.context["messages"]] == ["alarm error"]
    assert list(answer.context["waiting"]) == [User.objects.get(username="zhao")]


def test_send_again_to_somebody_who_accepted_says_so(client, cast, fixed_clock):
    user = invite_account(
        username="zhao", email="z@example.org", language="en", viewer=SYSTEM, at=NOW
    )
    user.set_password(GOOD)
    user.save()
    client.force_login(User.objects.get(username="secretary"))

    answer = client.post(f"/me/invitations/{user.uid}/send/", follow=True)

    assert [message.tags for message in answer.context["messages"]] == ["alarm error"]
    assert len(mail.outbox) == 1


def test_send_again_by_a_liaison_is_closed(client, li):
    user = invite_account(
        username="zhao", email="z@example.org", language="en", viewer=SYSTEM, at=NOW
    )

    assert client.post(f"/me/invitations/{user.uid}/send/").status_code == 403
    assert len(mail.outbox) == 1


def test_accept_with_a_weak_password_says_so(client):
    user = invite_account(
        username="zhao", email="z@example.org", language="en", viewer=SYSTEM, at=NOW
    )
    path = "/accounts" + invitation_link(user).split("/accounts")[1]

    answer = client.post(path, {"password": "12345", "again": "12345"})

    assert list(answer.context["form"].errors) == ["password"]
    assert stored(user).is_awaiting is True
