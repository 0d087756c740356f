"""Pages of events: the list, an event with its verbs, and the forms to make and change one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Prefetch
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliances.models import Alliance, Plan
from alliances.rules import is_secretariat_anywhere
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import NotAllowed, NotVisible
from coordination.pages.answers import asked, now, one, page, posted, uid_or_none, viewer_of
from coordination.pages.forms import VerbForm
from coordination.pages.wording import window_in_words, zone_in_words
from events import inviting, owing, rules, scheduling
from events.models import Answer, Duty, Event, EventState, Invitation, Material, Reminder
from events.portal.acting import act_named, call_on_duty, form_for, offered_acts
from events.portal.forms import AnswerForm, EventForm, NewEventForm, values_of
from events.portal.listing import list_context
from events.portal.showing import is_late

REFUSED = 422
REMINDERS_SHOWN = 10


@require_safe
@page
def events(request: HttpRequest) -> HttpResponse:
    """List events: coming, past, or without a date; filtered by alliance and state."""
    return render(request, "events/list.html", list_context(request))


@require_safe
@page
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show an event as far as the viewer may see it, with what the viewer may do."""
    return _show(request, _event(request, uid))


@require_POST
@page
def act(request: HttpRequest, uid: UUID, name: str) -> HttpResponse:
    """Do one thing to an event; a refusal shows the page again with the form as it was."""
    viewer, event = viewer_of(request), _event(request, uid)
    chosen = act_named(name)
    form = form_for(name, event, language=viewer.language, request=request)
    if form.is_valid():

        def verb() -> object:
            form.held_against(event)
            return chosen.call(event, form, viewer, now())

        if form.run(verb) is not None:
            messages.success(request, str(chosen.done))
            return _back_to(event)
    return _show(request, _event(request, uid), failed={name: form}, status=REFUSED)


@require_POST
@page
def answer(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Answer an invitation for an organization."""
    viewer = viewer_of(request)
    rows = Invitation.objects.visible_to(viewer).select_related("event__alliance", "organization")
    invitation = one(rows, uid=uid)
    form = AnswerForm(request.POST, prefix=f"answer-{invitation.uid}")
    if form.is_valid():

        def verb() -> object:
            form.held_against(invitation)
            return inviting.answer_invitation(
                invitation,
                viewer=viewer,
                at=now(),
                sequence=form.cleaned_data["sequence"],
                **asdict(form.given()),
            )

        if form.run(verb) is not None:
            messages.success(request, _("The answer is recorded."))
            return _back_to(invitation.event)
        form.renew(one(rows, uid=uid))
    event = _event(request, invitation.event.uid)
    return _show(request, event, failed={f"answer-{invitation.uid}": form}, status=REFUSED)


@require_POST
@page
def fulfil(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Mark a duty as done."""
    return _settle_duty(request, uid, owing.fulfil_duty, done=_("Done."))


@require_POST
@page
def reopen(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take back that a duty is done."""
    return _settle_duty(request, uid, owing.reopen_duty, done=_("It is owed again."))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponse:
    """Make an event of an alliance, in a plan or beside it."""
    viewer = viewer_of(request)
    plan = _plan_asked(request, viewer)
    alliance = plan.alliance if plan else _alliance_asked(request, viewer)
    if alliance is None:
        return _choose_alliance(request, viewer)
    if not rules.may_draft_event(viewer, alliance):
        raise NotAllowed
    initial = {"plan": plan, "time_zone": alliance.time_zone, "audience": "members"}
    options: dict[str, Any] = {"alliance": alliance, "language": viewer.language}
    form = NewEventForm(posted(request), initial=initial, **options)
    if request.method == "POST" and form.is_valid():
        words = form.words() | {"time_zone": form.cleaned_data["time_zone"]}
        event = form.run(
            lambda: scheduling.draft_event(
                alliance, viewer=viewer, at=now(), span=form.span(), **form.parts(), **words
            )
        )
        if event is not None:
            messages.success(request, _("The event is made."))
            return _back_to(event)
    status = REFUSED if form.is_bound else 200
    context = {"form": form, "alliance": alliance, "plan": plan}
    return render(request, "events/new.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change an event's words, place and hosts; who saves second sees both versions."""
    viewer, event = viewer_of(request), _event(request, uid)
    if not rules.may_manage_event(viewer, event):
        raise NotAllowed
    options: dict[str, Any] = {"alliance": event.alliance, "language": viewer.language}
    form = EventForm(posted(request), initial=values_of(event), **options)
    if request.method == "POST" and form.is_valid():

        def verb() -> Event:
            form.held_against(event)
            return scheduling.revise_event(
                event, viewer=viewer, at=now(), **form.parts(), **form.words()
            )

        if form.run(verb) is not None:
            messages.success(request, _("Saved."))
            return _back_to(event)
        if form.conflict is not None:
            present = _event(request, uid)
            form.show_both(values_of(present), version=present.version)
    status = 409 if form.conflict else REFUSED if form.is_bound else 200
    return render(request, "events/edit.html", {"form": form, "event": event}, status=status)


@require_safe
@page
def material(request: HttpRequest, uid: UUID, number: int) -> FileResponse:
    """Hand out one version of a document, as an attachment."""
    found = one(Material.objects.visible_to(viewer_of(request)), uid=uid)
    version = found.versions.select_related("file").filter(number=number).first()
    if version is None:
        raise NotVisible
    return FileResponse(
        version.file.content.open("rb"),
        as_attachment=True,
        filename=version.file_name,
        content_type=version.file.media_type,
    )


def _event(request: HttpRequest, uid: UUID) -> Event:
    rows = Event.objects.visible_to(viewer_of(request)).select_related(
        "alliance", "plan__alliance", "work_area", "plan_item__plan"
    )
    rows = rows.prefetch_related("hosts__organization", "co_hosts__alliance", "named__organization")
    found: Event = one(rows, uid=uid)
    return found


def _settle_duty(
    request: HttpRequest, uid: UUID, verb: Callable[..., Duty], *, done: str
) -> HttpResponseRedirect:
    """Call a verb on a duty, say what came of it, and go back to the event."""
    duty, went_through = call_on_duty(request, uid, verb)
    if went_through:
        messages.success(request, done)
    return _back_to(duty.event)


def _back_to(event: Event) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("events:detail", args=[event.uid]))


def _show(
    request: HttpRequest,
    event: Event,
    *,
    failed: dict[str, VerbForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    viewer, at, failed = viewer_of(request), now(), failed or {}
    for name in ("hosts", "co_hosts", "named"):
        event.part_cache[name] = list(getattr(event, name).all())
    zone = ZoneInfo(viewer.time_zone)
    may_manage = rules.may_manage_event(viewer, event)
    reminders = Reminder.objects.filter(event=event).select_related("rule").order_by("due_at")
    context: dict[str, Any] = {
        "event": event,
        "alliance": event.alliance,
        "window": window_in_words(
            event.window_starts_on,
            event.window_ends_on,
            precision=event.window_precision,
            language=viewer.language,
            written=event.window_text,
        ),
        "is_late": is_late(event, at.astimezone(zone).date()),
        "may_manage": may_manage,
        "may_see_details": rules.may_see_member_details(viewer, event),
        "may_see_notes": rules.may_see_notes(viewer, event),
        "may_attach": rules.may_attach_material(viewer, event),
        "may_discard": may_manage and scheduling.is_draft(event),
        "acts": offered_acts(event, viewer=viewer, at=at, failed=failed),
        "answers": _answers(event, viewer, failed),
        "duties": [
            (duty, rules.may_fulfil_duty(viewer, _of(duty, event)))
            for duty in Duty.objects.visible_to(viewer)
            .filter(dropped_at__isnull=True, event=event)
            .select_related("organization")
        ],
        "materials": list(
            Material.objects.visible_to(viewer)
            .filter(event=event)
            .prefetch_related(Prefetch("versions"))
        ),
        "reminders": list(reminders[:REMINDERS_SHOWN]) if may_manage else [],
        "at": at,
    }
    context |= _times(event, zone, viewer.language)
    return render(request, "events/detail.html", context, status=status)


def _of(row: Any, event: Event) -> Any:
    """Give a row of the event the event that was fetched already."""
    row.event = event
    return row


def _times(event: Event, zone: ZoneInfo, language: str) -> dict[str, Any]:
    """Return both clocks: the event's, and the reader's where it shows something else."""
    if event.starts_at is None or event.ends_at is None or event.starts_wall is None:
        return {"own_zone": "", "reader_starts": None}
    own = zone_in_words(event.time_zone, event.starts_at, language=language)
    starts, ends = event.starts_at.astimezone(zone), event.ends_at.astimezone(zone)
    differs = not event.all_day and starts.replace(tzinfo=None) != event.starts_wall
    return {
        "own_zone": own,
        "reader_starts": starts if differs else None,
        "reader_ends": ends,
        "reader_zone": zone_in_words(zone.key, event.starts_at, language=language),
    }


def _answers(
    event: Event, viewer: Viewer, failed: dict[str, VerbForm]
) -> list[tuple[Invitation, Any, VerbForm | None]]:
    """Return each invitation the viewer may see, its last answer, and a form to answer it."""
    invitations = Invitation.objects.visible_to(viewer).filter(event=event)
    answers = Answer.objects.select_related("person__details", "who_comes").order_by("pk")
    rows = (
        invitations.select_related("organization")
        .prefetch_related(Prefetch("answers", answers))
        .order_by("pk")
    )
    found: list[tuple[Invitation, Any, VerbForm | None]] = []
    for invitation in rows:
        _of(invitation, event)
        given = list(invitation.answers.all())
        key = f"answer-{invitation.uid}"
        form: VerbForm | None = failed.get(key)
        may_answer = (
            invitation.withdrawn_at is None
            and event.state not in (EventState.CANCELLED, EventState.HELD)
            and rules.may_answer_invitation(viewer, invitation)
        )
        if form is None and may_answer:
            form = AnswerForm(
                prefix=key,
                initial={
                    "version": invitation.version,
                    "sequence": event.sequence,
                    "state": given[-1].state if given else None,
                    "delegates": given[-1].delegates if given else None,
                    "comment": given[-1].comment if given else "",
                },
            )
        found.append((invitation, given[-1] if given else None, form))
    return found


def _plan_asked(request: HttpRequest, viewer: Viewer) -> Plan | None:
    uid = uid_or_none(request.GET.get("plan", ""))
    if uid is None:
        return None
    found: Plan = one(Plan.objects.visible_to(viewer).select_related("alliance"), uid=uid)
    return found


def _alliance_asked(request: HttpRequest, viewer: Viewer) -> Alliance | None:
    slug = asked(request, "alliance")
    if not slug:
        return None
    found: Alliance = one(Alliance.objects.visible_to(viewer), slug=slug)
    return found


def _choose_alliance(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Ask for which alliance; go on at once where there is only one."""
    if not is_secretariat_anywhere(viewer):
        raise NotAllowed
    rows = Alliance.objects.visible_to(viewer).order_by("pk")
    if not viewer.is_unlimited:
        rows = rows.filter(pk__in=viewer.pks("secretariat", "alliance"))
    found = list(rows)
    if len(found) == 1:
        return redirect(f"{reverse('events:new')}?alliance={found[0].slug}")
    return render(request, "events/choose_alliance.html", {"alliances": found})
