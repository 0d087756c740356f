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
