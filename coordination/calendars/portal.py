"""The pages of subscriptions: addresses of calendars, made, shown, replaced and revoked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliances.models import Alliance, Plan
from coordination.accounts.models import User
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.calendars.feeds import FeedAddress
from coordination.calendars.forms import LinkForm
from coordination.calendars.linking import (
    issue_link,
    path_of,
    replace_link,
    revise_link,
    revoke_link,
)
from coordination.calendars.models import FeedLink
from coordination.calendars.qr import qr_svg
from coordination.calendars.wording import alarm_in_words, filters_in_words, program_in_words
from coordination.changes.refusals import Refusal, StaleVersion
from coordination.pages.answers import asked, now, one, page, posted, uid_or_none, viewer_of


@dataclass(frozen=True, slots=True)
class Address:
    """One calendar's address, in the forms that programs take.

    Attributes:
        https: to copy; http on a machine of one's own.
        webcal: to open in a calendar program.
        qr: the latter, for a camera.
    """

    https: str
    webcal: str
    qr: SafeString


@never_cache
@require_safe
@page
def connect(request: HttpRequest) -> HttpResponse:
    """Show the reader's private calendars, the public ones, and the way for programs."""
    viewer = viewer_of(request)
    links = list(FeedLink.objects.visible_to(viewer).order_by("pk"))
    alliances = Alliance.objects.visible_to(viewer).order_by("pk")
    feeds = []
    for each in alliances:
        path = FeedAddress(each.slug, None, viewer.language).path
        feeds.append((each, _address(request, path, _name(each, viewer))))
    shown = zip(links, filters_in_words(links, viewer), strict=True)
    rows = [(link, words, program_in_words(link)) for link, words in shown]
    context = {"links": rows, "feeds": feeds, "dav": request.build_absolute_uri("/dav/")}
    return render(request, "calendars/connect.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@page
def new_link(request: HttpRequest) -> HttpResponse:
    """Make a private calendar; ``?alliance=`` and ``?plan=`` choose what it begins with."""
    viewer, owner = viewer_of(request), _person(request)
    form = LinkForm(posted(request), viewer=viewer, initial=_beginning(request))
    if form.is_bound and form.is_valid():
        link = form.run(lambda: issue_link(owner, form.settings(), viewer=viewer, at=now()))
        if link is not None:
            messages.success(request, _("The calendar is made. Add its address to your program."))
            return _to_link(link)
    status = 422 if form.is_bound else 200
    return render(request, "calendars/new_link.html", {"form": form}, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@page
def show_link(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show a private calendar with its address; change what it shows."""
    viewer, link = viewer_of(request), _own(request, uid)
    form = LinkForm(posted(request), viewer=viewer, link=link, initial=LinkForm.initial_of(link))

    def revise() -> FeedLink:
        if form.cleaned_data["version"] not in (None, link.version):
            raise StaleVersion(current=link)
        return revise_link(link, form.settings(), viewer=viewer, at=now())

    if form.is_bound and form.is_valid():
        if form.run(revise) is not None:
            messages.success(request, _("Saved. Programs follow when they next ask."))
            return _to_link(link)
        if form.conflict is not None:
            form.show_both(LinkForm.initial_of(link), version=link.version)
    path = path_of(link)
    context = {
        "link": link,
        "address": _address(request, path, link.name) if path else None,
        "words": filters_in_words([link], viewer)[0],
        "alarms": [alarm_in_words(each) for each in link.alarms],
        "program": program_in_words(link),
        "form": form,
    }
    return render(request, "calendars/link.html", context, status=422 if form.is_bound else 200)


@never_cache
@login_required
@require_POST
@page
def give_new_address(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Replace the address of a private calendar; the old one is dead at once."""
    link = _own(request, uid)
    try:
        replace_link(link, viewer=viewer_of(request), at=now())
        messages.success(request, _("This is the new address. The old one no longer works."))
    except Refusal as refusal:
        messages.error(request, str(refusal), extra_tags="alarm")
    return _to_link(link)


@never_cache
@login_required
@require_POST
@page
def revoke(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End a private calendar."""
    link = revoke_link(_own(request, uid), viewer=viewer_of(request), at=now())
    messages.success(request, _("“%s” is revoked. Its address no longer works.") % link.name)
    return HttpResponseRedirect(reverse("calendars:connect"))


def _person(request: HttpRequest) -> User:
    """Return the person signed in; ``login_required`` has seen to it that there is one."""
    assert isinstance(request.user, User)
    return request.user


def _own(request: HttpRequest, uid: UUID) -> FeedLink:
    rows = FeedLink.objects.visible_to(viewer_of(request)).select_related("user")
    link: FeedLink = one(rows, uid=uid)
    return link


def _to_link(link: FeedLink) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("calendars:link", args=[link.uid]))


def _address(request: HttpRequest, path: str, name: str) -> Address:
    host = request.get_host()
    webcal = f"webcal://{host}{path}"
    title = _("QR code of the calendar “%s”") % name
    return Address(f"{request.scheme}://{host}{path}", webcal, qr_svg(webcal, title=title))


def _beginning(request: HttpRequest) -> dict[str, Any]:
    """Return what a new link begins with: the alliance or plan that the reader came from."""
    viewer = viewer_of(request)
    initial: dict[str, Any] = {"language": viewer.language}
    alliances = Alliance.objects.visible_to(viewer)
    alliance = alliances.filter(slug=asked(request, "alliance")).first()
    uid = uid_or_none(asked(request, "plan"))
    plans = Plan.objects.visible_to(viewer).select_related("alliance")
    plan = plans.filter(uid=uid).first() if uid is not None else None
    if plan is not None:
        initial |= {"plan": plan.uid, "name": localized(plan, "title", viewer.language)[:100]}
    elif alliance is not None:
        initial |= {"alliance": alliance.slug, "name": _name(alliance, viewer)[:100]}
    return initial


def _name(alliance: Alliance, viewer: Viewer) -> str:
    return localized(alliance, "name", viewer.language)
