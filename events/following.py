"""Events follow their plan: lines bring events, and a plan that opens opens them.

This is the follower that `alliances` tells about plans and organizations; everything runs inside
the recording of the verb that did it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Openness, Organization, Plan, PlanItem, WorkArea
from coordination.accounts.viewer import Viewer
from coordination.changes.models import Part
from coordination.changes.recording import recording
from coordination.changes.refusals import TransitionNotAllowed
from events.inviting import pass_on_invitations
from events.models import Event, EventHost, EventState
from events.owing import pass_on_duties
from events.reminding import pass_on_rules
from events.scheduling import Host, discard_event, host_rows, named_rows, new_event

BATCH = 500
COPIED = ("title_zh", "title_en", "type_text", "participants_text")


class EventsFollowPlans:
    """Keeps events in step with plan lines, plans and organizations."""

    def lines_added(
        self, plan: Plan, items: Sequence[PlanItem], *, viewer: Viewer, at: datetime
    ) -> None:
        """Make one event for each occurrence of each line."""
        events, parts = [], []
        for item in items:
            for number, window in enumerate(item.windows, start=1):
                events.append(_event_for(item, plan, number, window))
                parts.append({"hosts": host_rows(_hosts_of(item))})
        with recording(viewer.actor, at=at) as log:
            log.insert_all(events, "event.planned", parts=parts)

    def line_revised(self, item: PlanItem, *, viewer: Viewer, at: datetime) -> None:
        """Let events that wait for a date follow the line; add and take away occurrences.

        Raises:
            TransitionNotAllowed: fewer occurrences are wanted than have got a time.
        """
        events = list(
            Event.objects.filter(plan_item=item)
            .select_related("plan", "alliance")
            .prefetch_related("hosts", "co_hosts", "named")
            .order_by("occurrence")
        )
        wanted = len(item.windows)
        hosts = host_rows(_hosts_of(item))
        with recording(viewer.actor, at=at) as log:
            for event in events[wanted:]:
                _take_away(event, viewer=viewer, at=at)
            for event, window in zip(events, item.windows, strict=False):
                event.plan_item = item
                if event.state == EventState.PLANNED:
                    _copy(item, event, window)
                    log.save(event, "event.revised", parts={"hosts": hosts_again(hosts)})
                elif not event.is_over and event.work_area_id != item.work_area_id:
                    event.work_area = item.work_area
                    log.save(event, "event.revised")
            added = [
                _event_for(item, item.plan, number, window)
                for number, window in enumerate(item.windows, start=1)
                if number > len(events)
            ]
            log.insert_all(
                added, "event.planned", parts=[{"hosts": hosts_again(hosts)} for _event in added]
            )

    def line_dropped(self, item: PlanItem, *, reason: str, viewer: Viewer, at: datetime) -> None:
        """Cancel the line's events.

        Raises:
            TransitionNotAllowed: one of them has begun.
        """
        rows = Event.objects.filter(plan_item=item).exclude(state=EventState.CANCELLED)
        events = list(rows.prefetch_related("hosts", "co_hosts", "named").order_by("pk"))
        if any(event.has_begun(at) for event in events):
            raise TransitionNotAllowed(
                _("An event of this line has begun or was held; the line stays."),
                code="event_has_begun",
            )
        for event in events:
            event.cancel(reason=reason, at=at)
        with recording(viewer.actor, at=at, reason=reason) as log:
            log.update_all(events, "event.cancelled")

    def line_discarded(self, item: PlanItem, *, viewer: Viewer, at: datetime) -> None:
        """Delete the drafts of a line that no edition had.

        Raises:
            TransitionNotAllowed: one of them is more than a draft.
        """
        for event in Event.objects.filter(plan_item=item).select_related("plan_item"):
            discard_event(event, viewer=viewer, at=at)

    def still_to_hold(self, items: Sequence[int], *, on: date) -> dict[int, int]:
        """Count the lines' events that were neither held nor cancelled by the end of the day."""
        over = Q(state=EventState.HELD, held_on__lte=on)
        over |= Q(state=EventState.CANCELLED, cancelled_on__lte=on)
        left: dict[int, int] = {}
        for start in range(0, len(items), BATCH):
            rows = Event.objects.filter(plan_item__in=items[start : start + BATCH]).order_by()
            counted = rows.values("plan_item").annotate(left=Count("pk", filter=~over))
            left |= dict(counted.values_list("plan_item", "left"))
        return left

    def plan_opened(self, plan: Plan, *, viewer: Viewer, at: datetime) -> None:
        """Open the plan's events to the circle that its state allows."""
        events = list(
            Event.objects.filter(plan=plan)
            .select_related("plan_item")
            .prefetch_related("hosts", "co_hosts", "named")
        )
        for event in events:
            event.plan = plan
            event.settle_openness()
        with recording(viewer.actor, at=at) as log:
            log.update_all(events, "event.opened")

    def work_area_renamed(self, work_area: WorkArea, *, viewer: Viewer, at: datetime) -> None:
        """Record the new name as a change of the events that show it."""
        _relabel(Event.objects.filter(work_area=work_area), viewer=viewer, at=at)

    def alliance_renamed(self, alliance: Alliance, *, viewer: Viewer, at: datetime) -> None:
        """Record the new name as a change of the events that calendars show with it."""
        events = Event.objects.filter(alliance=alliance).exclude(state=EventState.PLANNED)
        _relabel(events, viewer=viewer, at=at)

    def organization_renamed(
        self, organization: Organization, *, viewer: Viewer, at: datetime
    ) -> None:
        """Record the new name as a change of the events that show it."""
        hosted = EventHost.objects.filter(organization=organization).values("event")
        _relabel(Event.objects.filter(pk__in=hosted), viewer=viewer, at=at)

    def organizations_merged(
        self, kept: Organization, merged: Organization, *, viewer: Viewer, at: datetime
    ) -> None:
        """Let the kept organization host, owe and be reminded of what the merged one was."""
        events = Event.objects.concerning_organization(merged.pk)
        parts = events.prefetch_related("hosts__organization", "named__organization", "co_hosts")
        with recording(viewer.actor, at=at) as log:
            for event in parts:
                hosts = [
                    Host(kept if row.organization_id == merged.pk else row.organization, row.name)
                    for row in event.hosts.all()
                ]
                named = [
                    kept if row.organization_id == merged.pk else row.organization
                    for row in event.named.all()
                ]
                rows: dict[str, Sequence[Part]] = {
                    "hosts": host_rows(_once(hosts)),
                    "named": named_rows(named),
                }
                log.save(event, "event.relabelled", parts=rows)
            pass_on_invitations(kept, merged, log)
            pass_on_duties(kept, merged, log)
            pass_on_rules(kept, merged, log)


def hosts_again(rows: Sequence[EventHost]) -> list[EventHost]:
    """Return unsaved copies of host rows, for another event."""
    return [
        EventHost(position=row.position, organization=row.organization, name=row.name)
        for row in rows
    ]


def _event_for(item: PlanItem, plan: Plan, number: int, window: dict[str, Any]) -> Event:
    event = Event(
        alliance=plan.alliance,
        plan=plan,
        plan_item=item,
        occurrence=number,
        audience=Openness.PUBLIC,
        time_zone=plan.alliance.time_zone,
        source=plan.source,
        illustrative=plan.illustrative,
    )
    _copy(item, event, window)
    return new_event(event)


def _copy(item: PlanItem, event: Event, window: dict[str, Any]) -> None:
    for name in COPIED:
        setattr(event, name, getattr(item, name))
    event.work_area = item.work_area
    event.place_zh = item.place_text
    event.window_text = item.window_text
    event.window_precision = window["precision"]
    event.window_starts_on = _day(window["start"])
    event.window_ends_on = _day(window["end"])
    event.settle_openness()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _hosts_of(item: PlanItem) -> list[Host]:
    return [Host(row.organization, row.name) for row in item.part_rows("hosts")]


def _take_away(event: Event, *, viewer: Viewer, at: datetime) -> None:
    if event.state == EventState.CANCELLED:
        return
    if event.state != EventState.PLANNED:
        raise TransitionNotAllowed(
            _("One of the events that would go has a time already. Cancel it first."),
            code="occurrence_has_a_time",
        )
    if event.plan_item is not None and event.plan_item.since_edition is None:
        discard_event(event, viewer=viewer, at=at)
        return
    event.cancel(reason=str(_("The plan has fewer of these now.")), at=at)
    with recording(viewer.actor, at=at) as log:
        log.save(event, "event.cancelled")


def _relabel(events: Any, *, viewer: Viewer, at: datetime) -> None:
    with recording(viewer.actor, at=at) as log:
        rows = events.prefetch_related("hosts", "co_hosts", "named")
        log.touch_all(list(rows), "event.relabelled")


def _once(hosts: Sequence[Host]) -> list[Host]:
    seen: dict[Any, Host] = {}
    for host in hosts:
        seen.setdefault(host.organization or host.name, host)
    return list(seen.values())
