"""The inbox, how one wants to be told, and the page behind the link that stops news."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.deliveries.digesting import listed
from coordination.deliveries.inbox import inbox_item, mark_all_read, mark_read, mark_unread
from coordination.deliveries.models import InboxItem
from coordination.deliveries.news import STOPPABLE, News
from coordination.deliveries.own_pages.forms import WishesForm
from coordination.deliveries.stopping import LinkNotValid, read_link
from coordination.deliveries.wishing import (
    change_wishes,
    own_key,
    resume_news,
    stop_news,
    wishes_of,
)
from coordination.pages.answers import asked, now, page, posted, viewer_of

ROWS = 50


@never_cache
@login_required
@require_safe
@page
def inbox(request: HttpRequest) -> HttpResponse:
    """Show the reader's messages, the newest first; or only those that are unread."""
    viewer = viewer_of(request)
    rows = InboxItem.objects.visible_to(viewer)
    only_unread = asked(request, "show") == "unread"
    shown = Paginator((rows.unread() if only_unread else rows).order_by("-pk"), ROWS)
    return render(
        request,
        "deliveries/inbox.html",
        {
            "items": shown.get_page(request.GET.get("page")),
            "unread": rows.unread().count(),
            "only_unread": only_unread,
            "news": dict(News.choices),
        },
    )


@never_cache
@login_required
@require_safe
@page
def open_item(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one message."""
    item = inbox_item(uid, viewer=viewer_of(request))
    return render(request, "deliveries/inbox_item.html", {"item": item, "news": News(item.news)})


@login_required
@require_POST
@page
def mark(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Note that a message was read, or that it was not; open what it is about where asked."""
    viewer = viewer_of(request)
    if request.POST.get("as") == "unread":
        mark_unread(uid, viewer=viewer)
        return HttpResponseRedirect(reverse("inbox"))
    item = mark_read(uid, viewer=viewer, at=now())
    follow = request.POST.get("then") == "follow" and item.url
    return HttpResponseRedirect(item.url if follow else reverse("inbox"))


@login_required
@require_POST
@page
def mark_all(request: HttpRequest) -> HttpResponse:
    """Note that everything was read."""
    mark_all_read(viewer=viewer_of(request), at=now())
    return HttpResponseRedirect(reverse("inbox"))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@page
def wishes(request: HttpRequest) -> HttpResponse:
    """Show and change how the reader wants to be told."""
    viewer = viewer_of(request)
    key = own_key(viewer)
    form = WishesForm(posted(request), wishes=wishes_of(key))
    if request.method == "POST" and form.is_valid():
        at = now()
        if form.run(lambda: change_wishes(viewer=viewer, at=at, **form.values())) is not None:
            messages.success(
                request, _("Saved. It holds for everything that goes out from now on.")
            )
            return HttpResponseRedirect(reverse("wishes"))
    status = 422 if form.is_bound else 200
    return render(request, "deliveries/wishes.html", {"form": form, "key": key}, status=status)


@never_cache
@csrf_exempt  # RFC 8058 section 3.2: the mail program posts without cookie or page; the link signs
@require_http_methods(["GET", "HEAD", "POST"])
@page
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether news is to stop (GET changes nothing), stop it, or take that back."""
    try:
        recipient, kinds = read_link(token)
    except LinkNotValid as refusal:
        return render(request, "deliveries/stop.html", {"refusal": refusal}, status=404)
    state = "asked"
    if request.method == "POST":
        again = request.POST.get("do") == "resume"
        (resume_news if again else stop_news)(recipient, kinds, at=now())
        state = "resumed" if again else "stopped"
    language = viewer_of(request).language
    context = {
        "state": state,
        "kinds": listed((str(news.label) for news in kinds), language),
        "others": listed((str(news.label) for news in News if news not in STOPPABLE), language),
    }
    return render(request, "deliveries/stop.html", context)
