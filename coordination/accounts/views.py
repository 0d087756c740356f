"""Pages about oneself: preferences, tokens, invitations."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from coordination.accounts.enrolling import (
    InvitationNotSent,
    InvitationNotValid,
    accept_invitation,
    find_invited,
    invite_account,
    may_invite,
    renew_invitation,
)
from coordination.accounts.forms import InvitationForm, PasswordForm, PreferencesForm, TokenForm
from coordination.accounts.middleware import viewer_of
from coordination.accounts.models import ApiToken, TokenKind, User
from coordination.accounts.preferring import change_preferences
from coordination.accounts.scoping import limit_choices
from coordination.accounts.tokens import IssuedToken, issue_token, revoke_token, rotate_token
from coordination.changes.refusals import InvalidInput, Refusal


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show_me(request: HttpRequest) -> HttpResponse:
    """Show and change the reader's language and zone; lead to password and second factor."""
    person = _person(request)
    initial = {"language": person.language, "time_zone": person.time_zone}
    form = PreferencesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            change_preferences(person, viewer=viewer_of(request), **form.cleaned_data)
        except InvalidInput as refusal:
            _show_errors(form, refusal)
        else:
            messages.success(request, _("Your settings are saved."))
            response = redirect("me")
            response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
            return response
    context = {"form": form, "person": person, "may_invite": may_invite(viewer_of(request))}
    return render(request, "accounts/me.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show_tokens(request: HttpRequest) -> HttpResponse:
    """List the reader's tokens and make a new one, whose secret is shown on this answer only."""
    form = TokenForm(request.POST if request.method == "POST" else None, viewer=viewer_of(request))
    issued = None
    if request.method == "POST" and form.is_valid():
        issued = _issue(request, form)
        if issued is not None:
            form = TokenForm(viewer=viewer_of(request))
    return _tokens_page(request, form=form, issued=issued)


@never_cache
@login_required
@require_POST
def renew_secret(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give one of the reader's tokens a new secret and show it, this once."""
    issued = None
    try:
        issued = rotate_token(
            _own_token(request, uid), viewer=viewer_of(request), at=timezone.now()
        )
    except Refusal as refusal:
        messages.error(request, str(refusal), extra_tags="alarm")
    return _tokens_page(request, form=TokenForm(viewer=viewer_of(request)), issued=issued)


@never_cache
@login_required
@require_POST
def end_token(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Revoke one of the reader's tokens."""
    token = revoke_token(_own_token(request, uid), viewer=viewer_of(request), at=timezone.now())
    messages.success(request, _("“%s” is revoked.") % token.name)
    return redirect("tokens")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show_invitations(request: HttpRequest) -> HttpResponse:
    """Invite a person, and list those who have not accepted yet.

    Raises:
        PermissionDenied: the reader may not invite.
    """
    viewer = viewer_of(request)
    if not may_invite(viewer):
        raise PermissionDenied
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = invite_account(viewer=viewer, at=timezone.now(), **form.cleaned_data)
        except InvalidInput as refusal:
            _show_errors(form, refusal)
        except InvitationNotSent as refusal:
            messages.error(request, str(refusal), extra_tags="alarm")
            return redirect("invitations")
        else:
            messages.success(request, _("An invitation is on its way to %s.") % user.email)
            return redirect("invitations")
    waiting = User.objects.filter(
        invited_at__isnull=False, is_active=True, password__startswith="!"
    ).order_by("-invited_at")
    return render(request, "accounts/invitations.html", {"form": form, "waiting": waiting})


@never_cache
@login_required
@require_POST
def send_again(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Mail a new link to somebody who has not accepted."""
    viewer = viewer_of(request)
    if not may_invite(viewer):
        raise PermissionDenied
    user = get_object_or_404(User, uid=uid, invited_at__isnull=False)
    try:
        renew_invitation(user, viewer=viewer, at=timezone.now())
    except Refusal as refusal:
        messages.error(request, str(refusal), extra_tags="alarm")
    else:
        messages.success(request, _("An invitation is on its way to %s.") % user.email)
    return redirect("invitations")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Let an invited person choose a password, and sign them in."""
    try:
        invited = find_invited(token)
    except InvitationNotValid as refusal:
        return render(request, "accounts/invitation_gone.html", {"reason": refusal}, status=410)
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = accept_invitation(token, password=form.cleaned_data["password"])
        except InvalidInput as refusal:
            _show_errors(form, refusal)
        else:
            login(request, user)
            messages.success(request, _("Welcome. You are signed in."))
            return redirect("/")
    return render(request, "accounts/invitation.html", {"form": form, "invited": invited})


def _person(request: HttpRequest) -> User:
    """Answer the signed-in person; ``login_required`` has seen to it that there is one."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _own_token(request: HttpRequest, uid: UUID) -> ApiToken:
    return get_object_or_404(ApiToken.objects.select_related("user"), uid=uid, user=request.user)


def _issue(request: HttpRequest, form: TokenForm) -> IssuedToken | None:
    """Issue what the form asks for; None, with the form's errors, when it is refused."""
    at = timezone.now()
    try:
        return issue_token(
            _person(request),
            name=form.cleaned_data["name"],
            kind=TokenKind(form.cleaned_data["kind"]),
            scopes=form.cleaned_data["scopes"],
            limits=form.cleaned_data["limits"],
            expires_at=form.expires_at(at),
            viewer=viewer_of(request),
            at=at,
        )
    except InvalidInput as refusal:
        _show_errors(form, refusal)
        return None


def _tokens_page(
    request: HttpRequest, *, form: TokenForm, issued: IssuedToken | None
) -> HttpResponse:
    """Show the reader's tokens, those in force first."""
    at = timezone.now()
    names = dict(limit_choices(viewer_of(request)))
    tokens = [
        {
            "token": token,
            "is_live": token.is_live(at),
            "limits": [names.get(limit, limit) for limit in token.limits],
        }
        for token in ApiToken.objects.filter(user=_person(request))
    ]
    tokens.sort(key=lambda row: not row["is_live"])
    context = {"form": form, "issued": issued, "tokens": tokens}
    return render(request, "accounts/tokens.html", context)


def _show_errors(form: forms.Form, refusal: InvalidInput) -> None:
    """Put a verb's refusal beside the fields it names."""
    for error in refusal.errors:
        form.add_error(error.field if error.field in form.fields else None, str(error.message))
