"""Plan against actual of a stored plan: which events stand where on a day.

The yardstick is the first edition: its windows are what was promised, whatever later editions
say. A plan that has no edition yet, or had none on the day asked for, is measured by its lines.
Lines count from the day on which their edition was adopted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from alliances.models import EditionItem, EditionState, Organization, Plan, PlanItem, WorkArea
from coordination.accounts.viewer import Viewer
from events.models import Event
from events.progress import ActualTime, Judged, Outcome, PlannedTime, Tally, Verdict, judge, tally

Windows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """One planned event and where it stands.

    Attributes:
        item: its line; None for an event of the plan without one.
        event: the event; None while the line has none for this occurrence.
        number: which occurrence of the line it is, from 1.
        planned: the window that it is measured by.
        actual: what is known of it.
        verdict: where it stands.
        is_added: whether the first edition did not have it.
        hosts: the organizations that host it, in order.
    """

    item: PlanItem | None
    event: Event | None
    number: int
    planned: PlannedTime
    actual: ActualTime
    verdict: Verdict
    is_added: bool
    hosts: tuple[Organization, ...]

    @property
    def work_area(self) -> WorkArea | None:
        """The area in which it stands."""
        if self.event is not None:
            return self.event.work_area
        return self.item.work_area if self.item is not None else None

    @property
    def status(self) -> str:
        """The one word to show: what is over or unknown first, then what is wrong, then the rest.

        One of dropped, undated (neither window nor date), moved_quarter, late, held, on_time
        (a date in its window is set), coming.
        """
        if self.verdict.outcome == Outcome.DROPPED:
            return "dropped"
        if self.actual.first is None and self.planned.last is None:
            return "undated"
        if self.verdict.changed_quarter:
            return "moved_quarter"
        if self.verdict.days_late:
            return "late"
        return {Outcome.HELD: "held", Outcome.SET: "on_time"}.get(self.verdict.outcome, "coming")


@dataclass(frozen=True, slots=True)
class Progress:
    """Plan against actual of one plan on one day.

    Attributes:
        on: the day.
        rows: every planned event, in the order of the plan; events without a line come last.
        totals: of all.
        by_work_area: totals of each area, in the plan's order; None for events outside any.
        by_member: totals of each hosting organization, most events first.
        target_number: how many events the plan sets as its target, or None.
    """

    plan: Plan
    on: date
    rows: tuple[Row, ...]
    totals: Tally
    by_work_area: tuple[tuple[WorkArea | None, Tally], ...]
    by_member: tuple[tuple[Organization, Tally], ...]
    target_number: int | None

    @property
    def short_of_target(self) -> int | None:
        """How many events are held fewer than the target; None without one, 0 when it is met."""
        if self.target_number is None:
            return None
        return max(0, self.target_number - self.totals.held)


def report_progress(plan: Plan, *, viewer: Viewer, on: date) -> Progress:
    """Return plan against actual at the end of a day, of what the viewer may see.

    Costs the same few queries whatever the number of lines.

    Args:
        plan: a plan that the viewer may see.
        viewer: who asks.
        on: the day; what became known later is left out.
    """
    adopted = _adopted_editions(plan, on)
    baseline = _first_windows(plan) if 1 in adopted else {}
    items = [
        item
        for item in PlanItem.objects.visible_to(viewer)
        .filter(plan=plan)
        .select_related("work_area")
        .order_by("position", "pk")
        if not adopted or item.since_edition in adopted
    ]
    events = _events_of(plan, viewer)
    rows: list[Row] = []
    for item in items:
        own = events.pop(item.pk, {})
        rows += _rows_of(item, own, baseline, bool(adopted), on)
    loose = events.get(None, {})
    rows += [_row(None, event, 1, bool(adopted), None, on) for event in loose.values()]
    return Progress(
        plan=plan,
        on=on,
        rows=tuple(rows),
        totals=_count(rows),
        by_work_area=_by_work_area(rows),
        by_member=_by_member(rows),
        target_number=plan.target_number,
    )


def _adopted_editions(plan: Plan, on: date) -> set[int]:
    """Return the numbers of the editions adopted by the end of the day."""
    rows = plan.editions.filter(state=EditionState.ADOPTED, adopted_on__lte=on)
    return set(rows.values_list("number", flat=True))


def _first_windows(plan: Plan) -> dict[UUID, Windows]:
    rows = EditionItem.objects.filter(edition__plan=plan, edition__number=1)
    return dict(rows.values_list("item_uid", "windows"))


def _events_of(plan: Plan, viewer: Viewer) -> dict[int | None, dict[int, Event]]:
    """Return the plan's events by line and occurrence; without a line, by their own key."""
    found: dict[int | None, dict[int, Event]] = defaultdict(dict)
    rows = Event.objects.visible_to(viewer).filter(plan=plan).select_related("work_area")
    for event in rows.prefetch_related("hosts__organization").order_by("pk"):
        number = event.pk if event.plan_item_id is None else event.occurrence
        found[event.plan_item_id][number] = event
    return found


def _rows_of(
    item: PlanItem,
    events: Mapping[int, Event],
    baseline: Mapping[UUID, Windows],
    is_adopted: bool,
    on: date,
) -> list[Row]:
    first = baseline.get(item.uid, ())
    last = max([len(item.windows), len(first), *events])
    rows = []
    for number in range(1, last + 1):
        is_added = is_adopted and bool(baseline) and number > len(first)
        windows = first if number <= len(first) else item.windows
        window = windows[number - 1] if number <= len(windows) else None
        rows.append(_row(item, events.get(number), number, is_added, window, on))
    return rows


def _row(
    item: PlanItem | None,
    event: Event | None,
    number: int,
    is_added: bool,
    window: Mapping[str, Any] | None,
    on: date,
) -> Row:
    start, end = _window(event, window)
    planned = PlannedTime(start, end)
    dropped = [event.cancelled_on if event else None, item.dropped_on if item else None]
    held_on = event.held_on if event else None
    actual = ActualTime(
        first=event.starts_wall.date() if event and event.starts_wall else None,
        held_on=held_on,
        dropped_on=None if held_on else min((day for day in dropped if day), default=None),
    )
    hosts = [row.organization for row in event.hosts.all()] if event else []
    return Row(
        item=item,
        event=event,
        number=number,
        planned=planned,
        actual=actual,
        verdict=judge(planned, actual, on=on),
        is_added=is_added,
        hosts=tuple(dict.fromkeys(host for host in hosts if host is not None)),
    )


def _window(
    event: Event | None, window: Mapping[str, Any] | None
) -> tuple[date | None, date | None]:
    if window is not None:
        return _day(window["start"]), _day(window["end"])
    return (event.window_starts_on, event.window_ends_on) if event else (None, None)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _by_work_area(rows: Iterable[Row]) -> tuple[tuple[WorkArea | None, Tally], ...]:
    groups = _grouped(rows, lambda row: [row.work_area])
    return tuple(sorted(groups, key=lambda group: group[0].position if group[0] else 1_000_000))


def _by_member(rows: Iterable[Row]) -> tuple[tuple[Organization, Tally], ...]:
    groups = _grouped(rows, lambda row: row.hosts)
    return tuple(sorted(groups, key=lambda group: (-group[1].planned, group[0].pk)))


def _grouped(rows: Iterable[Row], keys: Callable[[Row], Iterable[Any]]) -> list[tuple[Any, Tally]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        for key in keys(row):
            groups[key].append(row)
    return [(key, _count(members)) for key, members in groups.items()]


def _count(rows: Iterable[Row]) -> Tally:
    return tally(Judged(row.verdict, row.is_added) for row in rows)[None]
