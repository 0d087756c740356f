import pytest
from django.test import RequestFactory

from coordination.accounts.adapters import InvitedOnly, KnownPeople


def test_is_open_for_signup_alone_is_closed():
    assert InvitedOnly().is_open_for_signup(RequestFactory().get("/")) is False


@pytest.mark.parametrize("is_open", [True, False])
def test_is_open_for_signup_by_the_provider_follows_the_operator(settings, is_open):
    settings.OIDC_SIGNUP = is_open

    assert KnownPeople().is_open_for_signup(RequestFactory().get("/"), None) is is_open
