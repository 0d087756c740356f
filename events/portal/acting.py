"""The verbs of an event as forms on its page: each is one form and one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from alliances.models import Organization
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import NotVisible
from coordination.pages.answers import now, one, viewer_of
from coordination.pages.forms import VerbForm
from events import concluding, inviting, owing, rules, scheduling
from events.calendar_event import Span
from events.models import Duty, Event, EventState
from events.models.states import ENDED_STATES
from events.portal.forms import (
    CancelForm,
    ConcludeForm,
    ConfirmForm,
    DutyForm,
    InviteForm,
    MaterialForm,
    PostponeForm,
    ScheduleForm,
    SpanForm,
    span_values,
)


@dataclass(frozen=True, slots=True)
class Act:
    """What can be done on an event's page.

    Attributes:
        words: What the button says.
        done: What is said afterwards.
        form: The form's class.
        call: Calls the verb with the cleaned form.
        offered: Whether to show it now; the verb itself decides.
        is_grave: It cannot be undone.
    """

    words: Promise
    done: Promise
    form: type[VerbForm]
    call: Callable[[Event, Any, Viewer, datetime], object]
    offered: Callable[[Viewer, Event, datetime], bool]
    is_grave: bool = False


@dataclass(frozen=True, slots=True)
class OfferedAct:
    """An act with its form, ready for the page."""

    name: str
    act: Act
    form: VerbForm
    is_open: bool


def _open(event: Event) -> bool:
    return event.state not in ENDED_STATES


def _may(viewer: Viewer, event: Event) -> bool:
    return rules.may_manage_event(viewer, event)


def _required_span(form: SpanForm) -> Span:
    span = form.span()
    if span is None:
        raise ValueError("The form lets no empty time pass.")
    return span


def _set_duty(event: Event, form: DutyForm, viewer: Viewer, at: datetime) -> object:
    zone = ZoneInfo(event.time_zone or event.alliance.time_zone)
    due_at = datetime.combine(form.cleaned_data["due_on"], time(18), zone)
    return owing.set_duty(
        event,
        form.cleaned_data["organization"],
        kind=form.cleaned_data["kind"],
        due_at=due_at,
        viewer=viewer,
        at=at,
    )


def _attach(event: Event, form: MaterialForm, viewer: Viewer, at: datetime) -> object:
    file = form.cleaned_data["file"]
    return concluding.attach_material(
        event,
        title=form.cleaned_data["title"] or file.name,
        file_name=file.name,
        content=file.read(),
        openness=form.cleaned_data["openness"],
        viewer=viewer,
        at=at,
    )


ACTS: dict[str, Act] = {
    "schedule": Act(
        words=_("Set or move the time"),
        done=_("The time is set."),
        form=ScheduleForm,
        call=lambda event, form, viewer, at: scheduling.schedule_event(
            event,
            _required_span(form),
            reason=form.cleaned_data["reason"],
            viewer=viewer,
            at=at,
        ),
        offered=lambda viewer, event, at: _may(viewer, event) and _open(event),
    ),
    "confirm": Act(
        words=_("Confirm"),
        done=_("The event is confirmed."),
        form=ConfirmForm,
        call=lambda event, form, viewer, at: scheduling.confirm_event(event, viewer=viewer, at=at),
        offered=lambda viewer, event, at: (
            _may(viewer, event)
            and _open(event)
            and event.starts_wall is not None
            and event.state != EventState.CONFIRMED
        ),
    ),
    "conclude": Act(
        words=_("Record that it was held"),
        done=_("Recorded as held."),
        form=ConcludeForm,
        call=lambda event, form, viewer, at: concluding.conclude_event(
            event,
            viewer=viewer,
            at=at,
            outcome_zh=form.cleaned_data["outcome_zh"],
            outcome_en=form.cleaned_data["outcome_en"],
            attendance=form.cleaned_data["attendance"],
        ),
        offered=lambda viewer, event, at: (
            _may(viewer, event)
            and _open(event)
            and event.starts_at is not None
            and event.starts_at <= at
        ),
    ),
    "invite": Act(
        words=_("Invite organizations"),
        done=_("The organizations are invited."),
        form=InviteForm,
        call=lambda event, form, viewer, at: inviting.invite_organizations(
            event,
            list(form.cleaned_data["organizations"]),
            answer_by=form.cleaned_data["answer_by"],
            viewer=viewer,
            at=at,
        ),
        offered=lambda viewer, event, at: (
            _may(viewer, event) and _open(event) and event.starts_wall is not None
        ),
    ),
    "duty": Act(
        words=_("Ask an organization for something"),
        done=_("The duty is set."),
        form=DutyForm,
        call=_set_duty,
        offered=lambda viewer, event, at: (
            _may(viewer, event) and event.state != EventState.CANCELLED
        ),
    ),
    "attach": Act(
        words=_("Attach a document"),
        done=_("The document is attached."),
        form=MaterialForm,
        call=_attach,
        offered=lambda viewer, event, at: rules.may_attach_material(viewer, event),
    ),
    "postpone": Act(
        words=_("Postpone"),
        done=_("The event is postponed."),
        form=PostponeForm,
        call=lambda event, form, viewer, at: scheduling.postpone_event(
            event,
            reason=form.cleaned_data["reason"],
            span=form.span(),
            viewer=viewer,
            at=at,
        ),
        offered=lambda viewer, event, at: (
            _may(viewer, event) and _open(event) and event.state != EventState.PLANNED
        ),
    ),
    "cancel": Act(
        words=_("Cancel the event"),
        done=_("The event is cancelled."),
        form=CancelForm,
        call=lambda event, form, viewer, at: scheduling.cancel_event(
            event, reason=form.cleaned_data["reason"], viewer=viewer, at=at
        ),
        offered=lambda viewer, event, at: _may(viewer, event) and _open(event),
        is_grave=True,
    ),
}


def call_on_duty(request: HttpRequest, uid: UUID, verb: Callable[..., Duty]) -> tuple[Duty, bool]:
    """Call a verb on a duty, and say why where it refuses; return whether it went through.

    Raises:
        NotVisible: there is no such duty, or none that is open to the viewer.
    """
    viewer = viewer_of(request)
    rows = Duty.objects.visible_to(viewer).select_related("event__alliance", "organization")
    duty = one(rows, uid=uid)
    form = VerbForm(request.POST)
    made: Duty | None = None
    if form.is_valid():
        made = form.run(lambda: verb(duty, viewer=viewer, at=now()))
    if made is None:
        words = " ".join(str(error) for errors in form.errors.values() for error in errors)
        messages.error(request, words, extra_tags="alarm")
    return duty, made is not None


def act_named(name: str) -> Act:
    """Return an act by the last part of its address.

    Raises:
        NotVisible: there is none of that name.
    """
    if name not in ACTS:
        raise NotVisible
    return ACTS[name]


def form_for(
    name: str, event: Event, *, language: str, request: HttpRequest | None = None
) -> VerbForm:
    """Return an act's form for an event; bound when a request brings an answer."""
    act = act_named(name)
    options: dict[str, Any] = {"prefix": name, "initial": {"version": event.version}}
    if issubclass(act.form, SpanForm):
        options["initial"] = span_values(event)
        if act.form is PostponeForm:
            options["initial"] |= {"starts": None, "ends": None}
    if act.form in (InviteForm, DutyForm):
        members = Organization.objects.filter(memberships__alliance=event.alliance)
        options |= {
            "members": members.filter(merged_into__isnull=True).distinct().order_by("pk"),
            "language": language,
        }
    if request is None:
        return act.form(**options)
    return act.form(request.POST, request.FILES, **options)


def offered_acts(
    event: Event, *, viewer: Viewer, at: datetime, failed: dict[str, VerbForm]
) -> list[OfferedAct]:
    """Return what to offer on the page; `failed` holds forms that were just refused."""
    return [
        OfferedAct(
            name=name,
            act=act,
            form=failed.get(name) or form_for(name, event, language=viewer.language),
            is_open=name in failed,
        )
        for name, act in ACTS.items()
        if name in failed or act.offered(viewer, event, at)
    ]
