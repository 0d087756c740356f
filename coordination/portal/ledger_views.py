"""The ledger's pages: who was told what, what failed, what is held, and whether mail goes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from alliances.rules import is_secretariat_anywhere
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.changes.refusals import NotAllowed
from coordination.deliveries.circuit import resume_channel
from coordination.deliveries.freshness import condition_lately, messages_by_state
from coordination.deliveries.heeding import NO_INBOX
from coordination.deliveries.models import Channel, Delivery, Endpoint, HoldPeriod
from coordination.deliveries.reason_words import reason_in_words
from coordination.deliveries.timing import database_time
from coordination.pages.answers import asked, now, one, page, uid_or_none, viewer_of
from events import ledger
from events.models import Event, ReminderRule
from events.rule_words import rule_in_words

PAGE_ROWS = 50
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
VERBS = ("again", "skip", "release")
KINDS = {
    "reminder": pgettext_lazy("told", "reminder"),
    "chase": pgettext_lazy("told", "something owed"),
    "invitation": pgettext_lazy("told", "invitation"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger as the page shows it."""

    row: Delivery
    who: str
    person: UUID | None
    kind: Any
    what: str
    address: str
    state: str
    words: Any

    @property
    def answer(self) -> str:
        """Return why it stands where it stands."""
        message = self.row.message
        if self.row.dropped_reason or message is None:
            return reason_in_words(self.row.dropped_reason)
        return message.error or reason_in_words(message.reason)


@dataclass(frozen=True, slots=True)
class Address:
    """An address that fails as the page shows it."""

    row: Endpoint
    who: str
    person: UUID | None
    state: str


@require_safe
@page
def show(request: HttpRequest) -> HttpResponse:
    """List the lines that the viewer may see, the newest first, page by page."""
    viewer = viewer_of(request)
    if not viewer.is_authenticated:
        raise NotAllowed
    question = _question(request, viewer)
    rows = ledger.lines_for(viewer, question).with_outcome().order_by("-pk")
    if not question.state:  # the mail that went instead has a line of its own
        rows = rows.exclude(dropped_reason=NO_INBOX)
    before = asked(request, "before")
    if before.isascii() and before.isdigit() and len(before) < 18:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE_ROWS + 1])
    lines = _lines(viewer, found[:PAGE_ROWS])
    is_staff = is_secretariat_anywhere(viewer)
    return render(
        request,
        "portal/ledger.html",
        {
            "lines": lines,
            "question": question,
            "narrowed": _narrowed_by(viewer, question, lines),
            "states": ledger.STATES.items(),
            "since": asked(request, "since"),
            "until": asked(request, "until"),
            "is_staff": is_staff,
            "channels": Channel.objects.order_by("name").values_list("name", flat=True),
            "before": found[PAGE_ROWS - 1].pk if len(found) > PAGE_ROWS else None,
        },
    )


@require_safe
@page
def message(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one message: to whom, about what, and each time it was tried."""
    viewer = viewer_of(request)
    if not viewer.is_authenticated:
        raise NotAllowed
    rows = Delivery.objects.visible_to(viewer).with_outcome().filter(message__uid=uid)
    line = one(rows.order_by("pk"))
    found = ledger.messages_in_charge(viewer).filter(uid=uid).first()
    return render(
        request,
        "portal/ledger_message.html",
        {
            "lines": _lines(viewer, list(rows.order_by("pk"))),
            "message": line.message,
            "tries": ledger.tries_of(line.message) if line.message is not None else [],
            "in_charge": found is not None,
        },
    )


@require_POST
@page
def act(request: HttpRequest, verb: str) -> HttpResponse:
    """Send again, give up or let go: one message, or all of a span of time."""
    viewer = viewer_of(request)
    uid = uid_or_none(request.POST.get("uid", ""))
    since, until = (_instant(request.POST.get(n, ""), viewer, n) for n in ("since", "until"))
    if uid is None and since is None:
        messages.error(request, _("Say from which day on."))
        return HttpResponseRedirect(reverse("portal:ledger"))
    if until is None and request.POST.get("until"):  # not all that came since, then
        messages.error(request, _("The last day is no date; nothing was done."))
        return HttpResponseRedirect(reverse("portal:ledger"))
    if since is not None and until is not None and until <= since:
        messages.error(request, _("The last day is before the first; nothing was done."))
        return HttpResponseRedirect(reverse("portal:ledger"))
    if verb == "again":
        count = ledger.try_again(viewer, at=database_time(), uid=uid, since=since, until=until)
    elif verb == "release":
        count = ledger.let_go(viewer, at=database_time(), uid=uid, since=since, until=until)
    else:
        count = ledger.give_up(viewer, uid=uid, since=since, until=until)
    words = (
        ngettext("%(count)d message is given up.", "%(count)d messages are given up.", count)
        if verb == "skip"
        else ngettext(
            "%(count)d message goes out again.", "%(count)d messages go out again.", count
        )
    )
    messages.success(request, words % {"count": count})
    if uid is not None:
        return HttpResponseRedirect(reverse("portal:ledger_message", args=[uid]))
    return HttpResponseRedirect(reverse("portal:ledger"))


@require_safe
@page
def health(request: HttpRequest) -> HttpResponse:
    """Show whether mail goes out: the clock, the channels, what is paused, what is held."""
    viewer = viewer_of(request)
    failing = ledger.failing_endpoints(viewer).order_by("-failing_since", "pk")
    rows = Paginator(failing, PAGE_ROWS).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/ledger_health.html",
        {
            "condition": condition_lately(),
            "counts": messages_by_state(),
            "channels": Channel.objects.order_by("name"),
            "rows": rows,
            "addresses": _addresses(list(rows)),
            "periods": HoldPeriod.objects.filter(released_at=None).order_by("pk"),
            "at": now(),
            "is_operator": viewer.is_unlimited,
        },
    )


@require_POST
@page
def end_hold(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Let go, or give up, all that a restore held back, and close its span: superusers only."""
    is_sent = verb == "release"
    count = ledger.end_hold(viewer_of(request), key, send=is_sent, at=database_time())
    if is_sent:
        words = ngettext(
            "%(count)d message goes out again.", "%(count)d messages go out again.", count
        )
    else:
        words = ngettext(
            "%(count)d message is given up.", "%(count)d messages are given up.", count
        )
    messages.success(request, words % {"count": count})
    return HttpResponseRedirect(reverse("portal:ledger_health"))


@require_POST
@page
def switch(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Switch an endpoint off, or on again."""
    on = request.POST.get("to") != "off"
    ledger.switch_endpoint(viewer_of(request), uid, on=on, at=database_time())
    if on:
        messages.success(request, _("Messages go to this address again."))
    else:
        messages.success(request, _("Nothing goes to this address any more; what waits, waits."))
    return HttpResponseRedirect(reverse("portal:ledger_health"))


@require_POST
@page
def resume(request: HttpRequest, name: str) -> HttpResponse:
    """Try a paused channel at once; it carries the mail of every alliance: superusers only."""
    if not viewer_of(request).is_unlimited:
        raise NotAllowed
    resume_channel(name)
    messages.success(request, _("The next message tries the channel."))
    return HttpResponseRedirect(reverse("portal:ledger_health"))


def _question(request: HttpRequest, viewer: Viewer) -> ledger.Asked:
    state = asked(request, "state")
    return ledger.Asked(
        event=uid_or_none(asked(request, "event")),
        person=uid_or_none(asked(request, "person")),
        rule=uid_or_none(asked(request, "rule")),
        state=state if state in ledger.STATES else "",
        channel=asked(request, "channel")[:20],
        since=_instant(asked(request, "since"), viewer, "since"),
        until=_instant(asked(request, "until"), viewer, "until"),
    )


def _instant(text: str, viewer: Viewer, name: str) -> datetime | None:
    """Return the start of a day on the viewer's clock; of the next one for the last day asked."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    if not FIRST_DAY <= day <= LAST_DAY:  # outside of what databases keep in every zone
        return None
    if name == "until":
        day += timedelta(days=1)
    return datetime.combine(day, time.min, ZoneInfo(viewer.time_zone))


def _lines(viewer: Viewer, rows: list[Delivery]) -> list[Line]:
    people, events = ledger.people_behind(rows), ledger.events_behind(viewer, rows)
    return [
        Line(
            row=row,
            who=people.get(row.recipient) or row.endpoint.name or _("a group"),
            person=ledger.person_of(row.recipient),
            kind=KINDS.get(row.source, ""),
            what=_title(events.get(row.about_uid), viewer) if row.about_uid else "",
            address=_address(events.get(row.about_uid)) if row.about_uid else "",
            state=ledger.state_of(row),
            words=ledger.STATES.get(ledger.state_of(row), ""),
        )
        for row in rows
    ]


def _title(event: Event | None, viewer: Viewer) -> str:
    return localized(event, "title", viewer.language) if event is not None else ""


def _address(event: Event | None) -> str:
    return reverse("events:detail", args=[event.uid]) if event is not None else ""


def _narrowed_by(viewer: Viewer, question: ledger.Asked, lines: list[Line]) -> str:
    """Return what a list of one event, rule or person is about."""
    if question.event is not None:
        event = Event.objects.visible_to(viewer).filter(uid=question.event).first()
        return _title(event, viewer)
    if question.rule is not None:
        rule = ReminderRule.objects.visible_to(viewer).filter(uid=question.rule).first()
        return rule_in_words(rule, viewer.language) if rule is not None else ""
    return lines[0].who if question.person is not None and lines else ""


def _addresses(endpoints: list[Endpoint]) -> list[Address]:
    """Return endpoints with who is reached there and how they are."""
    people = ledger.people_behind([Delivery(recipient=row.owner) for row in endpoints])
    return [
        Address(
            row=row,
            who=people.get(row.owner, row.owner.partition(":")[0]),
            person=ledger.person_of(row.owner),
            state=ledger.endpoint_state(row),
        )
        for row in endpoints
    ]
