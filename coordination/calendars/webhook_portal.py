"""The pages of webhooks: made, tried, looked into, switched on again, ended."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from coordination.accounts.viewer import Viewer
from coordination.calendars.webhook_api import messages_shown
from coordination.calendars.webhook_forms import WebhookForm, owners_in_words
from coordination.calendars.webhook_keepers import keeper_in_words, name_in_words
from coordination.calendars.webhook_notices import TOKEN_ENDED, reason_in_words
from coordination.calendars.webhook_owners import enable_webhook, make_webhook, take_over
from coordination.calendars.webhooks import kind_in_words
from coordination.calendars.wording import filters_in_words
from coordination.changes.refusals import Refusal, StaleVersion
from coordination.deliveries.models import MessageState, Subscription
from coordination.deliveries.subscribing import (
    Subscribed,
    messages_of,
    pause_subscription,
    ping,
    replay_messages,
    revise_subscription,
    rotate_secret,
    state_of,
    unsubscribe,
)
from coordination.pages.answers import asked, now, one, page, posted, uid_or_none, viewer_of

MESSAGES_SHOWN = 50


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@page
def webhooks(request: HttpRequest) -> HttpResponse:
    """List the viewer's webhooks with their condition; make one, whose secret is shown once."""
    viewer = viewer_of(request)
    form = WebhookForm(posted(request), viewer=viewer)
    if form.is_bound and form.is_valid():
        owner, at = form.cleaned_data["owner"], now()
        made = form.run(lambda: make_webhook(owner, viewer=viewer, at=at, **form.values()))
        if made is not None:
            return _shown(request, made.subscription, made=made)
    rows = Subscription.objects.visible_to(viewer).select_related("endpoint").order_by("pk")
    context = {"webhooks": _rows(list(rows), viewer), "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "calendars/webhooks.html", context, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@page
def show_webhook(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show a webhook with what was sent to it; change what it hears of."""
    viewer, webhook = viewer_of(request), _own(request, uid)
    initial = WebhookForm.initial_of(webhook)
    form = WebhookForm(posted(request), viewer=viewer, webhook=webhook, initial=initial)

    def revise() -> Subscription:
        if form.cleaned_data["version"] not in (None, webhook.version):
            raise StaleVersion(current=webhook)
        return revise_subscription(webhook, viewer=viewer, at=now(), **form.values())

    if form.is_bound and form.is_valid():
        if form.run(revise) is not None:
            messages.success(request, _("Saved."))
            return _to(webhook)
        if form.conflict is not None:
            form.show_both(initial, version=webhook.version)
    return _shown(request, webhook, form=form, status=422 if form.is_bound else 200)


@never_cache
@login_required
@require_POST
@page
def act(request: HttpRequest, uid: UUID, verb: str) -> HttpResponse:
    """Do one of the things that a button does."""
    webhook = _own(request, uid)
    try:
        if verb == "rotate":
            made = rotate_secret(webhook, viewer=viewer_of(request), at=now())
            return _shown(request, made.subscription, made=made)
        words = ACTS[verb](webhook, request)
        messages.success(request, words)
    except Refusal as refusal:
        messages.error(request, str(refusal), extra_tags="alarm")
    if verb == "remove":
        return HttpResponseRedirect(reverse("calendars:webhooks"))
    return _to(webhook)


def _ping(webhook: Subscription, request: HttpRequest) -> str:
    ping(webhook, viewer=viewer_of(request), at=now())
    return _("A test message is on its way. Look at its answer below in a moment.")


def _pause(webhook: Subscription, request: HttpRequest) -> str:
    pause_subscription(webhook, viewer=viewer_of(request), at=now())
    return _("Paused. What happens meanwhile waits for 30 days.")


def _enable(webhook: Subscription, request: HttpRequest) -> str:
    missed: Any = "skip" if request.POST.get("missed") == "skip" else "replay"
    enable_webhook(webhook, missed=missed, viewer=viewer_of(request), at=now())
    return _("The webhook is on again.")


def _replay(webhook: Subscription, request: HttpRequest) -> str:
    chosen = request.POST.get("message", "")
    message = uid_or_none(chosen) if chosen else None
    count = replay_messages(webhook, message=message, viewer=viewer_of(request), at=now())
    words = ngettext("%(n)d message goes out again.", "%(n)d messages go out again.", count)
    return words % {"n": count}


def _take_over(webhook: Subscription, request: HttpRequest) -> str:
    take_over(webhook, viewer=viewer_of(request), at=now())
    return _(
        "You answer for this webhook now. Give it a new secret: the old one is known to others."
    )


def _remove(webhook: Subscription, request: HttpRequest) -> str:
    name = webhook.endpoint.name
    unsubscribe(webhook, viewer=viewer_of(request), at=now())
    return _("“%s” is deleted. It gets nothing more.") % name


ACTS = {
    "ping": _ping,
    "pause": _pause,
    "enable": _enable,
    "replay": _replay,
    "take_over": _take_over,
    "remove": _remove,
}


def _own(request: HttpRequest, uid: UUID) -> Subscription:
    rows = Subscription.objects.visible_to(viewer_of(request)).select_related(
        "endpoint", "token__user"
    )
    return one(rows, uid=uid)


def _to(webhook: Subscription) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("calendars:webhook", args=[webhook.uid]))


def _rows(webhooks: list[Subscription], viewer: Viewer) -> list[dict[str, Any]]:
    """Return what the pages say about webhooks."""
    owners = dict(owners_in_words(viewer))
    selected: Any = [SimpleNamespace(parameters=webhook.filters) for webhook in webhooks]
    filters = filters_in_words(selected, viewer)
    return [
        _row(webhook, owners, words, viewer.language)
        for webhook, words in zip(webhooks, filters, strict=True)
    ]


def _row(
    webhook: Subscription, owners: dict[str, str], words: str, language: str
) -> dict[str, Any]:
    endpoint = webhook.endpoint
    state = state_of(endpoint.disabled_at, endpoint.disabled_reason)
    if state == "active" and endpoint.failures:
        state = "failing"
    return {
        "webhook": webhook,
        "endpoint": endpoint,
        "state": state,
        "reason": reason_in_words(endpoint.disabled_reason),
        "owner": owners.get(endpoint.owner, endpoint.owner),
        "words": words,
        "kinds": [kind_in_words(kind, language) for kind in webhook.kinds],
    }


def _wants_a_keeper(webhook: Subscription) -> bool:
    """Whether somebody should take it over."""
    has_ended = webhook.endpoint.disabled_reason == TOKEN_ENDED and webhook.token_id is not None
    return has_ended or webhook.keeper_left_at is not None


def _shown(
    request: HttpRequest,
    webhook: Subscription,
    *,
    form: WebhookForm | None = None,
    made: Subscribed | None = None,
    status: int = 200,
) -> HttpResponse:
    viewer = viewer_of(request)
    if form is None:
        initial = WebhookForm.initial_of(webhook)
        form = WebhookForm(viewer=viewer, webhook=webhook, initial=initial)
    queued = messages_of(webhook)
    state = asked(request, "state")
    chosen = queued.filter(state=state) if state in MessageState.values else queued
    keys = list(chosen.order_by("-pk").values_list("pk", flat=True)[:MESSAGES_SHOWN])
    labels = dict(MessageState.choices)
    [row] = _rows([webhook], viewer)
    context = row | {
        "condition": row,
        "secret": made.secret if made is not None else "",
        "maker": name_in_words(webhook.created_by, viewer.language),
        "keeper": keeper_in_words(webhook, viewer.language),
        "wants_a_keeper": _wants_a_keeper(webhook),
        "form": form,
        "waiting": queued.pending().count(),
        "failed": queued.dead().count(),
        "messages_shown": [
            each
            | {
                "words": kind_in_words(each["type"], viewer.language),
                "label": labels[each["state"]],
            }
            for each in messages_shown(keys)
        ],
    }
    return render(request, "calendars/webhook.html", context, status=status)
