"""The secretariat's overview: who was told, who answered and how, and mail that must be read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from alliances.expiring import day_of_rights
from alliances.models import Seat
from coordination.changes.refusals import Refusal
from coordination.deliveries.models import Delivery
from coordination.pages.answers import now, one, page, viewer_of
from events import rules
from events.entries import SOURCE
from events.inbound import settle_message
from events.models import (
    OPEN_STATES,
    Answer,
    AnswerState,
    Event,
    InboundMailbox,
    InboundMessage,
    Invitation,
    InvitationNotice,
    NoticeMethod,
)
from events.told_times import answers_this_time

SHOWN = 200  # mails


@dataclass(frozen=True, slots=True)
class Told:
    """One person who was told, by their latest notice.

    Attributes:
        name: of the person.
        what: the latest thing they were to be told.
        line: its line in the ledger; None where nothing was sent yet.
        has_bounced: whether the address does not exist.
    """

    name: str
    what: str
    line: Delivery | None
    has_bounced: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One invitation.

    Attributes:
        has_nobody: nobody holds a seat that answers for the organization.
    """

    invitation: Invitation
    answer: Answer | None
    is_for_another_time: bool
    told: list[Told]
    has_nobody: bool
    mails: list[InboundMessage]


@require_safe
@page
def overview(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show the invitations of an event with all that is known of each."""
    viewer = viewer_of(request)
    event = one(Event.objects.visible_to(viewer).select_related("alliance"), uid=uid)
    rules.require(rules.may_manage_event(viewer, event))
    rows = _rows(event)
    standing = [row for row in rows if row.invitation.withdrawn_at is None]
    counted = Counter(row.invitation.state for row in standing)
    context = {
        "event": event,
        "alliance": event.alliance,
        "rows": rows,
        "counts": [(state, state.label, counted[state]) for state in AnswerState if counted[state]],
        "people": sum(_people(row) for row in standing),
    }
    return render(request, "events/answer/overview.html", context)


@require_safe
@page
def inbound(request: HttpRequest) -> HttpResponse:
    """Show the mail that people must read, and whether the mailbox is being read."""
    viewer = viewer_of(request)
    rules.require(rules.may_hand_in_mail(viewer))
    mails = InboundMessage.objects.visible_to(viewer).filter(state__in=OPEN_STATES)
    related = mails.select_related(
        "invitation__event", "invitation__organization", "person__details"
    )
    context = {
        "mails": list(related.order_by("-pk")[:SHOWN]),
        "mailboxes": list(InboundMailbox.objects.order_by("name")) if viewer.is_unlimited else [],
    }
    return render(request, "events/answer/inbound.html", context)


@require_POST
@page
def settle(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Count a mail as the answer, or put it aside."""
    viewer = viewer_of(request)
    rows = InboundMessage.objects.visible_to(viewer).select_related("invitation__event__alliance")
    row = one(rows, uid=uid)
    counts = request.POST.get("counts") == "yes"
    try:
        settle_message(row, counts=counts, viewer=viewer, at=now())
    except Refusal as refusal:
        messages.error(request, str(refusal), extra_tags="alarm")
    else:
        done = _("It counts as the answer.") if counts else _("The mail is put aside.")
        messages.success(request, done)
    if row.invitation is None:
        return redirect("events:inbound")
    return redirect("events:answers", uid=row.invitation.event.uid)


def _rows(event: Event) -> list[Row]:
    invitations = list(
        event.invitations.select_related("organization")
        .prefetch_related("invitees__person__details", "notices")
        .order_by("pk")
    )
    answers = _by_invitation(
        Answer.objects.filter(invitation__event=event)
        .select_related("person__details", "who_comes")
        .order_by("pk")
    )
    mails = _by_invitation(
        InboundMessage.objects.filter(invitation__event=event)
        .select_related("person__details")
        .order_by("pk")
    )
    lines = {
        (row.source_id, row.recipient): row
        for row in Delivery.objects.filter(source=SOURCE, about_uid=event.uid)
        .select_related("message", "endpoint")
        .order_by("generation", "pk")
    }
    answered_for = _answered_for(invitations)
    return [
        _row(
            invitation,
            answers[invitation.pk],
            mails[invitation.pk],
            lines,
            has_nobody=invitation.organization_id not in answered_for,
        )
        for invitation in invitations
    ]


def _answered_for(invitations: Iterable[Invitation]) -> set[int]:
    """Return the organizations that somebody answers for today."""
    seats = Seat.objects.active_on(day_of_rights(now())).filter(
        organization__in=[row.organization_id for row in invitations],
        role__in=rules.ANSWERING_ROLES,
        person__erased_at__isnull=True,
    )
    return set(seats.order_by().values_list("organization", flat=True))


def _by_invitation(rows: Iterable[Any]) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.invitation_id].append(row)
    return found


def _row(
    invitation: Invitation,
    answers: list[Answer],
    mails: list[InboundMessage],
    lines: dict[tuple[str, str], Delivery],
    *,
    has_nobody: bool,
) -> Row:
    notices = {notice.number: notice for notice in invitation.notices.all()}
    given = answers[-1] if answers and invitation.state != AnswerState.NEEDS_ACTION else None
    told = []
    for invitee in invitation.invitees.all():
        line = lines.get((str(invitation.pk), f"person:{invitee.person.uid}"))
        told.append(
            Told(
                name=str(invitee.person),
                what=_what(notices, line),
                line=line,
                has_bounced=line is not None and line.endpoint.bounced_at is not None,
            )
        )
    return Row(
        invitation=invitation,
        answer=given,
        is_for_another_time=given is not None and not answers_this_time(given, notices.values()),
        told=told,
        has_nobody=has_nobody,
        mails=mails,
    )


def _what(notices: dict[int, InvitationNotice], line: Delivery | None) -> str:
    notice = notices.get(line.generation) if line is not None else None
    if notice is None:
        return ""
    if notice.person_id is not None and notice.method == NoticeMethod.CANCEL:
        return _("no longer asked")
    return str(notice.get_method_display())


def _people(row: Row) -> int:
    """Return how many come: as many as were said, else one."""
    if row.answer is None or row.answer.state not in (AnswerState.ACCEPTED, AnswerState.DELEGATED):
        return 0
    return 1 if row.answer.delegates is None else row.answer.delegates
