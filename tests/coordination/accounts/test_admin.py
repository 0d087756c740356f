import pytest

from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.force_login(make_user("root", is_superuser=True))
    return client


def test_change_page_of_a_person_has_no_delete(admin):
    user = make_user("li")

    assert admin.get(f"/admin/accounts/user/{user.pk}/change/").status_code == 200
    assert admin.post(f"/admin/accounts/user/{user.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=user.pk).exists() is True


def test_page_of_a_token_shows_neither_secret_nor_hash(admin):
    token, secret = issue_token(make_user("li"), name="x", viewer=SYSTEM, at=NOW)

    text = admin.get(f"/admin/accounts/apitoken/{token.pk}/change/").content.decode()

    assert token.prefix in text
    assert secret not in text
    assert token.sha256 not in text


def test_revoke_action_ends_the_chosen_tokens(admin):
    owner = make_user("li")
    chosen = issue_token(owner, name="a", viewer=SYSTEM, at=NOW).token
    left = issue_token(owner, name="b", viewer=SYSTEM, at=NOW).token

    admin.post("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": [chosen.pk]})

    assert list(ApiToken.objects.filter(revoked_at=None)) == [left]


def test_close_action_ends_tokens_and_reopen_leaves_them_ended(admin):
    user = make_user("li")
    issue_token(user, name="x", viewer=SYSTEM, at=NOW)

    admin.post("/admin/accounts/user/", {"action": "close", "_selected_action": [user.pk]})
    closed = User.objects.get(pk=user.pk).is_active
    admin.post("/admin/accounts/user/", {"action": "reopen", "_selected_action": [user.pk]})

    assert (closed, User.objects.get(pk=user.pk).is_active) == (False, True)
    assert ApiToken.objects.filter(revoked_at=None).exists() is False


def test_close_action_for_the_last_superuser_says_why_not(admin):
    root = User.objects.get(username="root")

    page = admin.post(
        "/admin/accounts/user/", {"action": "close", "_selected_action": [root.pk]}, follow=True
    )

    assert User.objects.get(pk=root.pk).is_active is True
    assert "不能停用最后一个超级管理员账号" in page.content.decode()


def test_change_page_of_a_person_cannot_close_the_account_past_the_verb(admin):
    user = make_user("li")

    page = admin.get(f"/admin/accounts/user/{user.pk}/change/").content.decode()

    assert 'name="is_active"' not in page
