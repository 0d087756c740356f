"""Bring people in by invitation, and close accounts.

Nobody can sign up by themselves. An invitation makes an account without a password and mails a
signed link; whoever opens it within 14 days chooses the password. The link is good once: it
carries a mark of the (unusable) password that stood when it was made, and a new invitation or an
accepted one replaces that.
"""

import logging
from datetime import datetime
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from coordination.accounts.models import User
from coordination.accounts.preferring import refuse_validation
from coordination.accounts.tokens import revoke_tokens_of
from coordination.accounts.viewer import Viewer
from coordination.bilingual import language_or_default
from coordination.changes.refusals import NotAllowed, Refusal, TransitionNotAllowed, invalid

INVITATION_DAYS = 14
_SALT = "coordination.accounts.invitation"

log = logging.getLogger(__name__)


class InvitationNotValid(Refusal):
    """The link is wrong, too old, or was used."""

    code = "invitation_not_valid"
    default_message = _(
        "This invitation is no longer valid. If you have a password already, sign in; "
        "otherwise ask for a new invitation."
    )


class InvitationNotSent(Refusal):
    """The account was made, but the mail could not be handed over."""

    code = "invitation_not_sent"
    default_message = _(
        "The account was made, but the mail could not be sent. Send the invitation again later."
    )


def may_invite(viewer: Viewer) -> bool:
    """Whether the viewer may bring people in: superusers and every alliance's secretariat."""
    if viewer.token_scopes is not None:
        return False
    return viewer.is_unlimited or any(grant.role == "secretariat" for grant in viewer.grants)


def invite_account(
    *, username: str, email: str, language: str, viewer: Viewer, at: datetime
) -> User:
    """Make an account that waits for its owner, and mail them the link.

    The account holds no rights until somebody gives its owner a seat.

    Args:
        username: what the person will sign in with.
        email: where the link goes.
        language: "zh-hans", "en", or "" for the browser's; the mail's language too.
        viewer: who invites.
        at: aware instant.

    Raises:
        NotAllowed: the viewer may not invite.
        InvalidInput: name or address are malformed or taken.
        InvitationNotSent: the mail server refused; the account stands.
    """
    if not may_invite(viewer):
        raise NotAllowed()
    if not email.strip():
        raise invalid("email", _("An invitation needs an e-mail address."), code="required")
    user = User(
        username=username.strip(),
        email=User.objects.normalize_email(email.strip()),
        language=language,
        invited_at=at,
    )
    user.set_unusable_password()
    try:
        user.full_clean()
    except ValidationError as error:
        raise refuse_validation(error) from error
    user.save()
    _mail_invitation(user)
    return user


def renew_invitation(user: User, *, viewer: Viewer, at: datetime) -> User:
    """Mail a new link to somebody who has not accepted; the older link is dead.

    Raises:
        NotAllowed: the viewer may not invite.
        TransitionNotAllowed: the person has accepted already.
        InvitationNotSent: the mail server refused.
    """
    if not may_invite(viewer):
        raise NotAllowed()
    if not user.is_awaiting:
        raise TransitionNotAllowed(_("This person has accepted the invitation already."))
    user.set_unusable_password()
    user.invited_at = at
    user.save(update_fields=["password", "invited_at"])
    _mail_invitation(user)
    return user


def invitation_link(user: User) -> str:
    """Answer the address, with host, that lets the invited person choose a password."""
    token = signing.dumps([user.uid.hex, _state_mark(user)], salt=_SALT)
    return settings.COORDINATION_BASE_URL + reverse("accept_invitation", args=[token])


def find_invited(token: str) -> User:
    """Answer the person whom a link invites.

    Raises:
        InvitationNotValid: the token is forged, over 14 days old, or was used.
    """
    try:
        uid, mark = signing.loads(token, salt=_SALT, max_age=INVITATION_DAYS * 24 * 3600)
        user = User.objects.get(uid=UUID(hex=uid), is_active=True)
    except (signing.BadSignature, User.DoesNotExist, ValueError, TypeError) as error:
        raise InvitationNotValid() from error
    if not user.is_awaiting or not constant_time_compare(mark, _state_mark(user)):
        raise InvitationNotValid()
    return user


def accept_invitation(token: str, *, password: str) -> User:
    """Give the invited person the password they chose; the link is dead from then on.

    Raises:
        InvitationNotValid: see ``find_invited``.
        InvalidInput: the password is too weak.
    """
    with transaction.atomic():
        found = find_invited(token)
        user = User.objects.select_for_update().get(pk=found.pk)
        if user.password != found.password:
            raise InvitationNotValid()
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise invalid("password", " ".join(error.messages)) from error
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def close_account(user: User, *, viewer: Viewer, at: datetime) -> User:
    """Close an account: sessions, tokens and calendar links are refused from the next request on.

    Raises:
        NotAllowed: the viewer is neither a superuser nor the person, or came with a token.
        TransitionNotAllowed: it is the last superuser's.
    """
    own = viewer.user_id == user.pk
    if viewer.token_scopes is not None or not (own or viewer.is_unlimited):
        raise NotAllowed()
    with transaction.atomic():
        others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
        if user.is_superuser and not others.exists():
            raise TransitionNotAllowed(_("The last superuser's account cannot be closed."))
        user.is_active = False
        user.save(update_fields=["is_active"])
        revoke_tokens_of(user, viewer=viewer, at=at)
    return user


def reopen_account(user: User, *, viewer: Viewer) -> User:
    """Open a closed account again; its tokens and calendar links stay revoked.

    Raises:
        NotAllowed: the viewer is no superuser.
    """
    if viewer.token_scopes is not None or not viewer.is_unlimited:
        raise NotAllowed()
    user.is_active = True
    user.save(update_fields=["is_active"])
    return user


def _mail_invitation(user: User) -> None:
    """Write to the person in their language."""
    context = {"user": user, "link": invitation_link(user), "days": INVITATION_DAYS}
    with translation.override(language_or_default(user.language)):
        subject = str(_("Your account for the alliance calendar"))
        body = render_to_string("accounts/mail/invitation.txt", context)
    try:
        send_mail(subject, body, settings.DEFAULT_FROM_EMAIL, [user.email])
    except (OSError, SMTPException) as error:
        log.warning("An invitation could not be mailed: %s", error)
        raise InvitationNotSent() from error


def _state_mark(user: User) -> str:
    """Answer a mark of what a link depends on; it changes when any of it does."""
    return salted_hmac(_SALT, f"{user.password}:{user.email}", algorithm="sha256").hexdigest()[:32]
