"""Tell allauth the house rules: nobody signs up alone, and the provider is the operator's own."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.http import HttpRequest


class InvitedOnly(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts come from invitations."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Keep the sign-up page closed."""
        return False


class KnownPeople(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """A single sign-on leads to an account with the same e-mail address.

    Where ``COORDINATION_OIDC_SIGNUP`` is on, a person new to us gets an account without rights.
    """

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Answer as the operator chose."""
        return bool(settings.OIDC_SIGNUP)
