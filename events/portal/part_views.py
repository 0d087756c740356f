"""Pages that take back or renew what stands on an event: an invitation, a document, a draft.

Each is one form on a page of its own, so that nothing is taken back by one wrong click.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.changes.models import Tracked
from coordination.changes.refusals import NotAllowed
from coordination.pages.answers import now, one, page, posted, viewer_of
from coordination.pages.forms import VerbForm
from events import concluding, inviting, rules, scheduling
from events.models import Event, Invitation, Material
from events.portal.forms import ReplaceForm, WithdrawForm

CONFLICT, REFUSED = 409, 422

form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
@page
def withdraw(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Withdraw an invitation; those who were told of it are told so."""
    viewer = viewer_of(request)
    rows = Invitation.objects.visible_to(viewer).select_related("event__alliance", "organization")
    found: Invitation = one(rows, uid=uid)
    if not rules.may_manage_event(viewer, found.event):
        raise NotAllowed
    form = WithdrawForm(posted(request), initial={"version": found.version})

    def verb() -> object:
        reason = form.cleaned_data["reason"]
        return inviting.withdraw_invitation(found, reason=reason, viewer=viewer, at=now())

    if _saved(request, form, found, verb, done=_("The invitation is withdrawn.")):
        return redirect("events:detail", uid=found.event.uid)
    return _form_of(
        request,
        form,
        found.event,
        heading=_("Withdraw the invitation"),
        explanation=_(
            "%(organization)s is invited no longer. Whoever was told of the invitation is told "
            "that it is withdrawn."
        )
        % {"organization": localized(found.organization, "name", viewer.language)},
        is_grave=True,
    )


@form_page
@page
def replace_document(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Add a newer version of a document; earlier ones stay readable."""
    viewer = viewer_of(request)
    found = _material(viewer, uid)
    if not rules.may_attach_material(viewer, found.event):
        raise NotAllowed
    files = request.FILES if request.method == "POST" else None
    form = ReplaceForm(posted(request), files, initial={"version": found.version})

    def verb() -> object:
        file = form.cleaned_data["file"]
        return concluding.replace_material(
            found, file_name=file.name, content=file.read(), viewer=viewer, at=now()
        )

    if _saved(request, form, found, verb, done=_("The new version is there.")):
        return redirect("events:detail", uid=found.event.uid)
    return _form_of(
        request,
        form,
        found.event,
        heading=_("New version of a document"),
        explanation=_("%(title)s: the versions before it stay.") % {"title": found.title},
        button=_("Upload"),
    )


@form_page
@page
def remove_document(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Remove a document with all its versions."""
    viewer = viewer_of(request)
    found = _material(viewer, uid)
    if not rules.may_manage_event(viewer, found.event):
        raise NotAllowed
    form = VerbForm(posted(request), initial={"version": found.version})

    def verb() -> object:
        concluding.remove_material(found, viewer=viewer, at=now())
        return True

    if _saved(request, form, found, verb, done=_("The document is removed.")):
        return redirect("events:detail", uid=found.event.uid)
    return _form_of(
        request,
        form,
        found.event,
        heading=_("Remove the document"),
        explanation=_("%(title)s is removed with all its versions.") % {"title": found.title},
        is_grave=True,
    )


@form_page
@page
def discard(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Delete a draft of an event."""
    viewer = viewer_of(request)
    rows = Event.objects.visible_to(viewer).select_related("alliance", "plan_item")
    found: Event = one(rows, uid=uid)
    if not rules.may_manage_event(viewer, found):
        raise NotAllowed
    form = VerbForm(posted(request), initial={"version": found.version})

    def verb() -> object:
        scheduling.discard_event(found, viewer=viewer, at=now())
        return True

    if _saved(request, form, found, verb, done=_("The draft is deleted.")):
        return redirect("portal:alliance", slug=found.alliance.slug)
    return _form_of(
        request,
        form,
        found,
        heading=_("Delete the draft"),
        explanation=_("It is deleted for good; the history keeps that it was there."),
        is_grave=True,
    )


def _material(viewer: Viewer, uid: UUID) -> Material:
    rows = Material.objects.visible_to(viewer).select_related("event__alliance")
    found: Material = one(rows, uid=uid)
    return found


def _saved(
    request: HttpRequest,
    form: VerbForm,
    found: Tracked,
    verb: Callable[[], object],
    *,
    done: str,
) -> bool:
    """Call the verb with a valid form and say what was done, or leave the refusal in the form."""

    def held() -> object:
        form.held_against(found)
        return verb()

    if request.method != "POST" or not form.is_valid() or form.run(held) is None:
        return False
    messages.success(request, done)
    return True


def _form_of(
    request: HttpRequest, form: VerbForm, event: Event, *, heading: str, **context: Any
) -> HttpResponse:
    """Show a form that belongs to an event, under the way back to it."""
    back, language = reverse("events:detail", args=[event.uid]), viewer_of(request).language
    alliance = {
        "address": reverse("portal:alliance", args=[event.alliance.slug]),
        "words": localized(event.alliance, "name", language),
    }
    trail = [alliance, {"address": back, "words": localized(event, "title", language)}]
    shown = {"form": form, "heading": heading, "trail": trail, "back": back} | context
    shown.setdefault("button", heading)
    status = CONFLICT if form.conflict else REFUSED if form.is_bound else 200
    return render(request, "portal/form_page.html", shown, status=status)
