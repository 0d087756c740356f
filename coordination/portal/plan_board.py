"""The board page: a plan's events and lines by month and work area, its figures, its table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _

from alliances.models import Plan, PlanItem, WorkArea
from alliances.querysets import PlanItemQuerySet
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.pages.wording import days_in_words, window_in_words
from coordination.portal.board import LABEL_COLUMNS, Bar, Board, Span, lay_board, months_between
from events.models import Event, EventState
from events.portal.showing import LATE, is_late, own_days, with_line_relations

FIGURES = (
    EventState.HELD.value,
    EventState.CONFIRMED.value,
    EventState.SCHEDULED.value,
    EventState.PLANNED.value,
    EventState.POSTPONED.value,
    LATE,
    EventState.CANCELLED.value,
)
COLUMNS_A_LABEL = 6
"""A label takes a sixth of the board at most."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event, or a line of which this reader sees no event, on the board and in the table."""

    key: str
    address: str
    title: str
    number: str
    type_text: str
    first: date | None
    last: date | None
    when: str
    written: str
    area: int
    area_key: int
    area_name: str
    state: str
    state_words: str
    place: str
    hosts: str
    reason: str
    item_uid: str
    is_late: bool

    @property
    def label(self) -> str:
        """The whole entry for readers who hear it."""
        return " · ".join(part for part in (self.when, self.title, self.state_words) if part)


@dataclass(frozen=True, slots=True)
class PlacedEntry:
    """An entry and its place on the board."""

    entry: Entry
    bar: Bar


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A row of the board."""

    name: str
    color: int
    count: int
    bars: list[PlacedEntry]
    undated: list[Entry]
    outside: list[Entry]

    @property
    def is_empty(self) -> bool:
        """Nothing stands in it."""
        return not (self.bars or self.undated or self.outside)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with the rows behind it."""

    key: str
    number: int
    words: str


@dataclass(frozen=True, slots=True)
class MonthList:
    """The entries that begin in a month, for phones."""

    month: tuple[int, int] | None
    entries: list[Entry]


def plan_entries(plan: Plan, *, viewer: Viewer, language: str, today: date) -> list[Entry]:
    """Return what the viewer sees of a plan, in the plan's order; four queries."""
    seen: PlanItemQuerySet = PlanItem.objects.visible_to(viewer)
    items = list(
        seen.filter(plan=plan)
        .select_related("work_area")
        .prefetch_related("hosts")
        .order_by("position", "pk")
    )
    shown = with_line_relations(Event.objects.visible_to(viewer).filter(plan=plan))
    events = list(shown.prefetch_related("hosts__organization").order_by("occurrence", "pk"))
    of_item: dict[int | None, list[Event]] = defaultdict(list)
    for event in events:
        of_item[event.plan_item_id].append(event)
    entries: list[Entry] = []
    for item in items:
        found = of_item.pop(item.pk, [])
        entries += [_event_entry(event, item, language, today) for event in found]
        if not found and item.dropped_on is None:
            entries += _line_entries(item, language, today)
    for rest in of_item.values():
        entries += [_event_entry(event, None, language, today) for event in rest]
    return entries


def figures_of(entries: Sequence[Entry]) -> list[Figure]:
    """Count the entries by state; states that nothing is in are left out, but for held."""
    counts: dict[str, int] = defaultdict(int)
    for entry in entries:
        counts[entry.state] += 1
    words = {str(value): str(label) for value, label in EventState.choices}
    words[LATE] = _("late, no date")
    return [
        Figure(key, counts[key], words[key])
        for key in FIGURES
        if counts[key] or key == EventState.HELD
    ]


def area_rows(
    plan: Plan, entries: Sequence[Entry], *, areas: Sequence[WorkArea], language: str, today: date
) -> tuple[Board, list[AreaRow]]:
    """Lay the board out; a row for every work area and one for what stands in none."""
    by_area: dict[int, list[Entry]] = {area.pk: [] for area in areas}
    for entry in entries:
        by_area.setdefault(entry.area_key, []).append(entry)
    found = {entry.key: entry for entry in entries}
    months = len(months_between(plan.starts_on, plan.ends_on))
    board = lay_board(
        plan.starts_on,
        plan.ends_on,
        rows=[
            (key, [Span(entry.key, entry.first, entry.last) for entry in _by_day(in_area)])
            for key, in_area in by_area.items()
        ],
        today=today,
        label_columns=max(1, min(LABEL_COLUMNS, months * 3 // COLUMNS_A_LABEL)),
    )
    names = {area.pk: (localized(area, "name", language), area.color) for area in areas}
    rows = []
    for row in board.rows:
        name, color = names.get(int(str(row.key)), (_("without a work area"), 0))
        rows.append(
            AreaRow(
                name=name,
                color=color,
                count=len(by_area[int(str(row.key))]),
                bars=[PlacedEntry(found[str(bar.key)], bar) for bar in row.bars],
                undated=[found[str(key)] for key in row.undated],
                outside=[found[str(key)] for key in row.outside],
            )
        )
    return board, rows


def by_month(entries: Sequence[Entry]) -> list[MonthList]:
    """Group entries by the month in which they begin; those without a day come last."""
    months: dict[tuple[int, int] | None, list[Entry]] = defaultdict(list)
    for entry in _by_day(entries):
        key = (entry.first.year, entry.first.month) if entry.first else None
        months[key].append(entry)
    dated = sorted(key for key in months if key is not None)
    lists = [MonthList(key, months[key]) for key in dated]
    if months.get(None):
        lists.append(MonthList(None, months[None]))
    return lists


def _by_day(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda e: (e.first is None, e.first or date.max, e.last or date.max))


def _event_entry(event: Event, item: PlanItem | None, language: str, today: date) -> Entry:
    first, last = own_days(event)
    late = is_late(event, today)
    if event.starts_wall is not None and first and last:
        when = days_in_words(first, last, language=language)
    elif event.state == EventState.POSTPONED:
        when = _("date to be set")
    else:
        when = window_in_words(
            first,
            last,
            precision=event.window_precision,
            language=language,
            written=event.window_text,
        )
    area = event.work_area
    return Entry(
        key=f"event-{event.pk}",
        address=reverse("events:detail", args=[event.uid]),
        title=localized(event, "title", language),
        number=item.number if item else "",
        type_text=event.type_text,
        first=first,
        last=last,
        when=when,
        written=event.window_text,
        area=area.color if area else 0,
        area_key=area.pk if area else 0,
        area_name=localized(area, "name", language) if area else "",
        state=LATE if late else event.state,
        state_words=_("late, no date") if late else str(event.get_state_display()),
        place=localized(event, "place", language) or (item.place_text if item else ""),
        hosts=_("; ").join(
            localized(host.organization, "name", language) if host.organization else host.name
            for host in event.hosts.all()
        ),
        reason=event.reason,
        item_uid=str(item.uid) if item else "",
        is_late=late,
    )


def _line_entries(item: PlanItem, language: str, today: date) -> list[Entry]:
    entries = []
    for number, window in enumerate(item.windows, start=1):
        first, last = (
            date.fromisoformat(window[name]) if window[name] else None for name in ("start", "end")
        )
        area = item.work_area
        entries.append(
            Entry(
                key=f"line-{item.pk}-{number}",
                address=reverse("alliances:item", args=[item.uid]),
                title=localized(item, "title", language),
                number=item.number,
                type_text=item.type_text,
                first=first,
                last=last,
                when=window_in_words(
                    first,
                    last,
                    precision=window["precision"],
                    language=language,
                    written=item.window_text,
                ),
                written=item.window_text,
                area=area.color if area else 0,
                area_key=area.pk if area else 0,
                area_name=localized(area, "name", language) if area else "",
                state=EventState.PLANNED.value,
                state_words=str(EventState.PLANNED.label),
                place=item.place_text,
                hosts=_("; ").join(host.name for host in item.hosts.all()),
                reason="",
                item_uid=str(item.uid),
                is_late=last is not None and last < today,
            )
        )
    return entries
