"""Take what a calendar program has put: the same verbs as everywhere, all in one recording.

A calendar entry is one text for many things. What differs from what was shown is told apart
(`events.calendar_changes`) and done by the verbs, each with its own rules and words in the log:
revise, schedule, confirm, postpone, cancel. Either all of it is done or nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Openness
from coordination.accounts.viewer import Viewer
from coordination.changes.recording import recording
from coordination.changes.refusals import Refusal, TransitionNotAllowed, invalid
from events import rules
from events.calendar_changes import STATUSES, Changes, Step, changes_of, first_values
from events.calendar_event import Level, Words
from events.calendar_reading import ProposedObject
from events.calendar_values import calendar_event
from events.models import Duty, Event
from events.owing import fulfil_duty
from events.scheduling import (
    cancel_event,
    confirm_event,
    draft_event,
    postpone_event,
    revise_event,
    schedule_event,
)
from events.unframing import split_mark

REASON: Final = Words(zh="通过日历修改", en="changed by calendar")
"""Why, where the program says nothing in a COMMENT; kept, so in words of its own."""

DUTY_STATUSES: Final = ("", "NEEDS-ACTION", "COMPLETED")
ONLY_TICKED_OFF: Final = _(
    "A task can only be ticked off here. Everything else about it the secretariat sets."
)


class NotTaken(Refusal):
    """A calendar asks for what is not done by calendars; the sentence says where it is done."""

    code = "not_taken"


def take_event(
    event: Event, *, shown: ProposedObject, wanted: ProposedObject, viewer: Viewer, at: datetime
) -> Changes:
    """Do to an event what somebody changed in its calendar entry; nothing where nothing differs.

    Args:
        event: with its alliance, plan, work area and hosts.
        shown: the entry as it stands for this viewer, in their language.
        wanted: the entry that came back.
        viewer: of the owner's secretariat.
        at: aware.

    Raises:
        NotAllowed, StaleVersion, TransitionNotAllowed, InvalidInput: see the verbs.
        NotTaken: people, files or a class of privacy, which have places of their own.
    """
    rules.require(rules.may_manage_event(viewer, event))
    _refuse_what_is_not_taken(wanted)
    if wanted.is_private:
        raise NotTaken(_("Whom an event is open to is set on its page, not by a calendar."))
    if not split_mark(wanted.title or "")[0]:
        raise _untitled()
    changes = changes_of(
        calendar_event(event),
        shown=shown,
        wanted=wanted,
        language=viewer.language,
        level=Level.SECRETARIAT,
    )
    if changes:
        _apply(event, changes, reason=reason_of(wanted, viewer), viewer=viewer, at=at)
    return changes


def take_new_event(
    alliance: Alliance, *, name: str, wanted: ProposedObject, viewer: Viewer, at: datetime
) -> Event:
    """Make an event that was born in a calendar: scheduled, under the program's UID and name.

    It is meant for members; one that is marked private is the secretariat's alone until somebody
    sets on its page whom it is for. Its hosts have to confirm it whatever STATUS it came with.

    Raises:
        NotAllowed, InvalidInput: see `draft_event`.
        NotTaken: it is cancelled already, or names people or files.
    """
    rules.require(rules.may_draft_event(viewer, alliance))
    _refuse_what_is_not_taken(wanted)
    if wanted.status == "CANCELLED":
        raise NotTaken(_("An event that is cancelled already is not entered anew."))
    values = first_values(wanted, viewer.language)
    if not any(name.startswith("title_") for name in values):
        raise _untitled()
    span = wanted.span
    return draft_event(
        alliance,
        viewer=viewer,
        at=at,
        span=span,
        ical_uid=wanted.uid,
        dav_name=name,
        time_zone=span.zone if span is not None else alliance.time_zone,
        audience=Openness.SECRETARIAT if wanted.is_private else Openness.MEMBERS,
        **values,
    )


def take_duty(
    duty: Duty, *, shown: ProposedObject, wanted: ProposedObject, viewer: Viewer, at: datetime
) -> bool:
    """Record a duty as done where its task was ticked off; return whether that was so.

    Raises:
        NotAllowed, StaleVersion, TransitionNotAllowed: see `fulfil_duty`.
        NotTaken: anything else was changed.
    """
    rules.require(rules.may_fulfil_duty(viewer, duty))
    same = all(
        getattr(shown, name) == getattr(wanted, name) for name in ("title", "description", "due_at")
    )
    is_known = wanted.status in (*DUTY_STATUSES, shown.status)  # CANCELLED is its event's
    if not same or not is_known or wanted.attendees or wanted.has_files:
        raise NotTaken(ONLY_TICKED_OFF)
    if shown.is_done and not wanted.is_done:
        raise TransitionNotAllowed(
            _("This is done already. To take that back, open the event's page.")
        )
    if shown.is_done or not wanted.is_done:
        return False
    fulfil_duty(duty, viewer=viewer, at=at)
    return True


def reason_of(wanted: ProposedObject, viewer: Viewer) -> str:
    """Return why: what the program says in COMMENT, else that it was changed by calendar."""
    return wanted.comment or REASON.text(viewer.language)


def _apply(event: Event, changes: Changes, *, reason: str, viewer: Viewer, at: datetime) -> None:
    """Call the verbs that the changes ask for, words first, in one recording."""
    with recording(viewer.actor, at=at, reason=reason):
        if changes.words:
            revise_event(event, viewer=viewer, at=at, reason=reason, **changes.words)
        if changes.step == Step.POSTPONE:
            postpone_event(event, span=changes.span, reason=reason, viewer=viewer, at=at)
        elif changes.span is not None:
            schedule_event(event, changes.span, reason=reason, viewer=viewer, at=at)
        if changes.step == Step.CONFIRM:
            confirm_event(event, viewer=viewer, at=at)
        elif changes.step == Step.CANCEL:
            cancel_event(event, reason=reason, viewer=viewer, at=at)


def _refuse_what_is_not_taken(wanted: ProposedObject) -> None:
    """Refuse what would be lost without a word, and people would rely on."""
    if wanted.status not in ("", *STATUSES):
        raise invalid("status", _("Choose tentative, confirmed or cancelled."))
    if wanted.attendees:
        raise NotTaken(
            _("Nobody is invited from a calendar. Invite organizations on the event's page.")
        )
    if wanted.has_files:
        raise NotTaken(_("Files are not kept in calendars. Attach them on the event's page."))


def _untitled() -> Refusal:
    return invalid("title", _("Give the event a title."))
