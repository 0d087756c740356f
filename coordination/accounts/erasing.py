"""Erasing an account: nothing personal of it stays, its deeds keep an author without a name."""

from __future__ import annotations

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from coordination.accounts.models import User
from coordination.accounts.tokens import revoke_tokens_of
from coordination.accounts.viewer import SYSTEM


def erase_account(user: User, *, at: datetime) -> User:
    """Close the account for good, and empty it of name, address and means of signing in.

    The verb that erases the person has asked who may; this is its part of it.

    Args:
        user: the account.
        at: now, aware.
    """
    with transaction.atomic():
        revoke_tokens_of(user, viewer=SYSTEM, at=at)
        for model in (EmailAddress, Authenticator, SocialAccount):
            model.objects.filter(user=user).delete()
        user.username = f"erased-{user.uid}"
        user.first_name = user.last_name = user.email = user.bounced_email = ""
        user.is_active = user.is_staff = user.is_superuser = False
        user.set_unusable_password()
        user.save()
    return user
