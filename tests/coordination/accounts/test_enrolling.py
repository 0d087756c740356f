import re
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import check_password, identify_hasher
from django.core import mail

from coordination import settings as configured
from coordination.accounts.enrolling import (
    InvitationNotSent,
    InvitationNotValid,
    accept_invitation,
    close_account,
    find_invited,
    invitation_link,
    invite_account,
    may_invite,
    renew_invitation,
    reopen_account,
)
from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM, viewer_for
from coordination.changes.refusals import InvalidInput, NotAllowed, TransitionNotAllowed
from tests.conftest import NOW
from tests.factories import make_user, stored, viewer_of

pytestmark = pytest.mark.django_db
GOOD = "correct horse battery staple"


def invite(viewer=SYSTEM, **values):
    chosen = {"username": "li", "email": "li@example.org", "language": "en"} | values
    return invite_account(viewer=viewer, at=NOW, **chosen)


def token_in(text):
    return re.search(r"/accounts/invitation/([^/\s]+)/", text)[1]


def test_invite_account_mails_one_link_in_the_persons_language(fixed_clock):
    user = invite(username=" li ", email="Li@EXAMPLE.org")

    assert (user.username, user.email, user.is_awaiting) == ("li", "Li@example.org", True)
    message = mail.outbox[0]
    assert (len(mail.outbox), message.to) == (1, ["Li@example.org"])
    assert "Your user name is li." in message.body
    assert invitation_link(user) in message.body
    assert find_invited(token_in(message.body)) == user


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "two words"}, "username"),
        ({"username": "KNOWN"}, "username"),
        ({"email": "known@EXAMPLE.org"}, "email"),
        ({"email": "nonsense"}, "email"),
        ({"email": " "}, "email"),
        ({"language": "fr"}, "language"),
    ],
)
def test_invite_account_with_bad_input_names_the_field_and_mails_nothing(values, field):
    make_user("known")

    with pytest.raises(InvalidInput) as caught:
        invite(**values)

    assert {error.field for error in caught.value.errors} == {field}
    assert (User.objects.count(), mail.outbox) == (1, [])


def test_may_invite_is_for_secretariats_and_superusers(cast):
    allowed = {name for name, viewer in cast.viewers().items() if may_invite(viewer)}

    assert allowed == {"superuser", "secretary", "other_secretary"}


def test_may_invite_with_a_token_refuses(cast):
    secretary = User.objects.get(username="secretary")
    token, _secret = issue_token(secretary, name="x", viewer=SYSTEM, at=NOW)

    assert may_invite(viewer_for(secretary, at=NOW, language="en", token=token)) is False


def test_invite_account_by_a_liaison_refuses(cast):
    with pytest.raises(NotAllowed):
        invite(viewer=cast.member_liaison)

    assert (User.objects.filter(username="li").count(), mail.outbox) == (0, [])


def test_invite_account_with_the_mail_server_away_keeps_the_account(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    with pytest.raises(InvitationNotSent):
        invite()

    assert User.objects.get(username="li").is_awaiting is True


def test_accept_invitation_sets_the_password_once(fixed_clock):
    user = invite()
    token = token_in(invitation_link(user))

    accept_invitation(token, password=GOOD)

    assert (stored(user).check_password(GOOD), stored(user).is_awaiting) == (True, False)
    with pytest.raises(InvitationNotValid):
        accept_invitation(token, password="another good password")
    assert stored(user).check_password(GOOD) is True


def test_accept_invitation_with_a_weak_password_says_why_and_keeps_the_link(fixed_clock):
    user = invite()
    token = token_in(invitation_link(user))

    with pytest.raises(InvalidInput) as caught:
        accept_invitation(token, password="12345")

    assert [error.field for error in caught.value.errors] == ["password"]
    assert find_invited(token) == user


def test_find_invited_after_fourteen_days_refuses(fixed_clock):
    user = invite()
    token = token_in(invitation_link(user))
    fixed_clock.move_to(NOW + timedelta(days=14))
    assert find_invited(token) == user

    fixed_clock.move_to(NOW + timedelta(days=14, seconds=1))

    with pytest.raises(InvitationNotValid):
        find_invited(token)


@pytest.mark.parametrize("token", ["", "x", "a:b:c", "WyJhIl0:1abc:def"])
def test_find_invited_with_a_forged_link_refuses(token):
    with pytest.raises(InvitationNotValid):
        find_invited(token)


def test_find_invited_of_a_closed_account_refuses(fixed_clock):
    user = invite()
    token = token_in(invitation_link(user))
    close_account(user, viewer=SYSTEM, at=NOW)

    with pytest.raises(InvitationNotValid):
        find_invited(token)


def test_renew_invitation_kills_the_older_link(fixed_clock):
    user = invite()
    older = token_in(invitation_link(user))

    renew_invitation(user, viewer=SYSTEM, at=NOW + timedelta(days=1))

    assert len(mail.outbox) == 2
    assert find_invited(token_in(mail.outbox[1].body)) == user
    with pytest.raises(InvitationNotValid):
        find_invited(older)


def test_renew_invitation_after_acceptance_refuses(fixed_clock):
    user = invite()
    accept_invitation(token_in(invitation_link(user)), password=GOOD)

    with pytest.raises(TransitionNotAllowed):
        renew_invitation(stored(user), viewer=SYSTEM, at=NOW)

    assert stored(user).check_password(GOOD) is True


def test_renew_invitation_by_a_liaison_refuses(cast):
    user = invite()

    with pytest.raises(NotAllowed):
        renew_invitation(user, viewer=cast.member_liaison, at=NOW)


def test_close_account_ends_tokens_and_reopen_leaves_them_ended():
    user, other = make_user("li"), make_user("wang")
    for owner in (user, other):
        issue_token(owner, name="x", viewer=SYSTEM, at=NOW)

    close_account(user, viewer=viewer_of(user), at=NOW)
    assert stored(user).is_active is False
    reopen_account(user, viewer=SYSTEM)

    assert stored(user).is_active is True
    assert list(ApiToken.objects.filter(revoked_at=None).values_list("user", flat=True)) == [
        other.pk
    ]


def test_close_account_of_somebody_else_refuses():
    user, other = make_user("li"), make_user("wang")

    with pytest.raises(NotAllowed):
        close_account(user, viewer=viewer_of(other), at=NOW)
    with pytest.raises(NotAllowed):
        reopen_account(user, viewer=viewer_of(user))

    assert stored(user).is_active is True


def test_close_account_of_the_last_superuser_refuses():
    root = make_user("root", is_superuser=True)

    with pytest.raises(TransitionNotAllowed):
        close_account(root, viewer=SYSTEM, at=NOW)

    assert stored(root).is_active is True


def test_password_hash_of_the_installation_is_scrypt(settings):
    settings.PASSWORD_HASHERS = configured.PASSWORD_HASHERS
    user = make_user("li")

    user.set_password(GOOD)

    assert identify_hasher(user.password).algorithm == "scrypt"
    assert check_password(GOOD, user.password) is True
