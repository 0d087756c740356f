"""The life of an event: drafting, scheduling, confirming, postponing, cancelling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import tzdata
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Organization
from alliances.planning import hold_plan
from coordination.accounts.viewer import Viewer
from coordination.changes.assigning import assign
from coordination.changes.models import Part
from coordination.changes.recording import InUse, recording
from coordination.changes.refusals import TransitionNotAllowed, invalid
from events import rules
from events.calendar_event import Span
from events.models import (
    Duty,
    Event,
    EventAlliance,
    EventHost,
    EventOrganization,
    EventState,
    Material,
    ReminderRule,
)

READ_ONLY = frozenset(
    {
        "alliance",
        "state",
        "openness",
        "starts_wall",
        "ends_wall",
        "starts_at",
        "ends_at",
        "previous_starts_wall",
        "previous_ends_wall",
        "previous_time_zone",
        "sequence",
        "ical_uid",
        "dav_name",
        "held_on",
        "cancelled_on",
        "reason",
        "occurrence",
        "retired",
        "tzdata_version",
        "outcome_zh",
        "outcome_en",
        "attendance",
    }
)
OPENS = frozenset({"plan", "work_area", "plan_item", "audience"})
TIME_DETAILS = frozenset({"time_zone", "all_day"})
PLACE = frozenset({"place_zh", "place_en", "address", "latitude", "longitude", "online_url"})


@dataclass(frozen=True, slots=True)
class Host:
    """A host of an event: an organization, or a name that none is known by."""

    organization: Organization | None = None
    name: str = ""


def draft_event(
    alliance: Alliance,
    *,
    viewer: Viewer,
    at: datetime,
    hosts: Sequence[Host] = (),
    co_hosts: Iterable[Alliance] = (),
    named: Iterable[Organization] = (),
    span: Span | None = None,
    ical_uid: str = "",
    dav_name: str = "",
    **values: Any,
) -> Event:
    """Make an event; with a `span` it is scheduled at once.

    Raises:
        NotAllowed: not this alliance's secretariat.
        InvalidInput: a value does not fit, or a work area belongs to another plan.
    """
    rules.require(rules.may_draft_event(viewer, alliance))
    _refuse_read_only(values)
    event = new_event(assign(Event(alliance=alliance), values), ical_uid, dav_name)
    _settle_plan(event)
    if span is not None:
        event.schedule(span, reason="", tzdata_version=tzdata.IANA_VERSION)
        event.sequence = 0
    parts = _parts(hosts=hosts, co_hosts=co_hosts, named=named, owner=alliance)
    with recording(viewer.actor, at=at) as log:
        if event.plan is not None:
            hold_plan(event.plan, log=log)
        log.insert_all([event], "event.drafted", parts=[parts])
    return event


def new_event(event: Event, ical_uid: str = "", dav_name: str = "") -> Event:
    """Give a new event the identifiers that it keeps for life.

    The UID in calendars is the bare UUID, or the client's for an event born over CalDAV.
    """
    event.uid = event.uid or uuid4()
    event.ical_uid = ical_uid or str(event.uid)
    event.dav_name = dav_name or f"{event.uid}.ics"
    return event


def revise_event(
    event: Event,
    *,
    viewer: Viewer,
    at: datetime,
    reason: str = "",
    hosts: Sequence[Host] | None = None,
    co_hosts: Iterable[Alliance] | None = None,
    named: Iterable[Organization] | None = None,
    **values: Any,
) -> Event:
    """Change an event's words, place, audience or hosts; its time has verbs of its own.

    Raises:
        NotAllowed, StaleVersion.
        InvalidInput: a value does not fit, or belongs to another verb.
        TransitionNotAllowed: the event was cancelled.
    """
    rules.require(rules.may_manage_event(viewer, event))
    if event.state == EventState.CANCELLED:
        raise TransitionNotAllowed(
            _("It was cancelled. Make a new event instead."), code="cancelled"
        )
    _refuse_read_only(values, event)
    if any(name in PLACE and values[name] != getattr(event, name) for name in values):
        event.sequence += 1
    assign(event, values)
    _settle_plan(event)
    parts = _parts(hosts=hosts, co_hosts=co_hosts, named=named, owner=event.alliance)
    with recording(viewer.actor, at=at, reason=reason) as log:
        if event.plan is not None and OPENS & values.keys():
            hold_plan(event.plan, log=log)
        log.save(event, "event.revised", parts=parts)
    return event


def schedule_event(
    event: Event, span: Span, *, viewer: Viewer, at: datetime, reason: str = ""
) -> Event:
    """Set the time, or move it.

    Raises:
        NotAllowed, StaleVersion, TransitionNotAllowed, InvalidInput.
    """
    rules.require(rules.may_manage_event(viewer, event))
    kind = "event.scheduled" if event.starts_wall is None else "event.moved"
    event.schedule(span, reason=reason, tzdata_version=tzdata.IANA_VERSION)
    return _record(event, kind, viewer=viewer, at=at, reason=reason)


def confirm_event(event: Event, *, viewer: Viewer, at: datetime) -> Event:
    """Confirm the time.

    Raises:
        NotAllowed, StaleVersion, TransitionNotAllowed.
    """
    rules.require(rules.may_manage_event(viewer, event))
    event.confirm()
    return _record(event, "event.confirmed", viewer=viewer, at=at)


def postpone_event(
    event: Event, *, reason: str, viewer: Viewer, at: datetime, span: Span | None = None
) -> Event:
    """Put the event off: to `span`, or until further notice. The old time is kept and shown.

    Raises:
        NotAllowed, StaleVersion, TransitionNotAllowed, InvalidInput.
    """
    rules.require(rules.may_manage_event(viewer, event))
    event.postpone(span, reason=reason, tzdata_version=tzdata.IANA_VERSION)
    return _record(event, "event.postponed", viewer=viewer, at=at, reason=reason)


def cancel_event(event: Event, *, reason: str, viewer: Viewer, at: datetime) -> Event:
    """Call the event off.

    Raises:
        NotAllowed, StaleVersion, TransitionNotAllowed, InvalidInput.
    """
    rules.require(rules.may_manage_event(viewer, event))
    event.cancel(reason=reason, at=at)
    return _record(event, "event.cancelled", viewer=viewer, at=at, reason=reason)


def is_draft(event: Event) -> bool:
    """Return whether an event has no time yet and stands on no edition of its plan."""
    item = event.plan_item
    return event.state == EventState.PLANNED and (item is None or item.since_edition is None)


def discard_event(event: Event, *, viewer: Viewer, at: datetime) -> None:
    """Delete a draft: an event without a time, of which nobody outside the secretariat knows.

    Its reminder rules go with it, and what is owed to it and not done yet.

    Raises:
        NotAllowed, StaleVersion.
        TransitionNotAllowed: it is more than a draft; cancel it instead.
        InUse: it holds what people did: documents, duties that were done.
    """
    rules.require(rules.may_manage_event(viewer, event))
    if not is_draft(event):
        raise TransitionNotAllowed(
            _("Only drafts can be deleted. Cancel the event instead, and say why."),
            code="not_a_draft",
        )
    with recording(viewer.actor, at=at) as log:
        _refuse_when_held(event)
        for duty in Duty.objects.filter(event=event).order_by("pk"):
            log.delete(duty, "duty.dropped")
        for rule in ReminderRule.objects.filter(event=event):
            log.delete(rule, "reminder_rule.removed")
        log.delete(event, "event.discarded")


def _refuse_when_held(event: Event) -> None:
    """Refuse to delete a draft under which people did something; say what.

    Raises:
        InUse.
    """
    held = (
        (
            Duty.objects.filter(event=event, done_at__isnull=False),
            _("Something was done for this event already. Cancel it instead, and say why."),
        ),
        (
            Material.objects.filter(event=event),
            _("This draft holds documents. Remove them first, then delete the draft."),
        ),
    )
    for rows, sentence in held:
        if rows.exists():
            raise InUse(sentence)


def _record(event: Event, kind: str, *, viewer: Viewer, at: datetime, reason: str = "") -> Event:
    with recording(viewer.actor, at=at, reason=reason) as log:
        log.save(event, kind)
    return event


def _refuse_read_only(values: Mapping[str, Any], event: Event | None = None) -> None:
    has_time = event is not None and event.starts_wall is not None
    closed = READ_ONLY | TIME_DETAILS if has_time else READ_ONLY
    for name, value in values.items():
        if name in closed and (event is None or getattr(event, name) != value):
            raise invalid(name, _("This cannot be set directly."), code="read_only")


def _settle_plan(event: Event) -> None:
    """See that plan and work area fit the owner, and derive whom the event is open to."""
    if event.work_area is not None:
        event.plan = event.plan or event.work_area.plan
        if event.work_area.plan_id != event.plan.pk:
            raise invalid("work_area", _("This work area belongs to another plan."))
    if event.plan is not None and event.plan.alliance_id != event.alliance_id:
        raise invalid("plan", _("This plan belongs to another alliance."))
    if event.plan_item is not None and event.plan_item.plan_id != event.plan_id:
        raise invalid("plan_item", _("This line belongs to another plan."))
    event.settle_openness()


def _parts(
    *,
    hosts: Sequence[Host] | None,
    co_hosts: Iterable[Alliance] | None,
    named: Iterable[Organization] | None,
    owner: Alliance,
) -> dict[str, Sequence[Part]]:
    parts: dict[str, Sequence[Part]] = {}
    if hosts is not None:
        parts["hosts"] = host_rows(hosts)
    if co_hosts is not None:
        others = list(dict.fromkeys(co_hosts))
        if owner in others:
            raise invalid("co_hosts", _("The owning alliance is not a co-host of its own event."))
        parts["co_hosts"] = [EventAlliance(alliance=alliance) for alliance in others]
    if named is not None:
        parts["named"] = named_rows(named)
    return parts


def host_rows(hosts: Sequence[Host]) -> list[EventHost]:
    """Return the hosts as rows of an event, in order."""
    return [
        EventHost(position=position, organization=host.organization, name=host.name)
        for position, host in enumerate(hosts, start=1)
    ]


def named_rows(organizations: Iterable[Organization]) -> list[EventOrganization]:
    """Return the organizations named as rows of an event, each once."""
    return [
        EventOrganization(organization=organization)
        for organization in dict.fromkeys(organizations)
    ]
