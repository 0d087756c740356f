import pytest

from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_admin_without_signing_in_leads_to_the_pages_sign_in(client):
    answer = client.get("/admin/", follow=True)

    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("is_staff", [True, False])
def test_admin_for_anyone_but_superusers_is_closed(client, is_staff):
    client.force_login(make_user("li", is_staff=is_staff))

    answers = [client.get(path, follow=True) for path in ("/admin/", "/admin/accounts/user/")]

    assert [answer.status_code for answer in answers] == [403, 403]


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/accounts/user/",
        "/admin/accounts/user/add/",
        "/admin/accounts/apitoken/",
    ],
)
def test_admin_for_superusers_shows_people_and_tokens(client, path):
    client.force_login(make_user("root", is_superuser=True))

    assert client.get(path).status_code == 200
