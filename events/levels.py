"""Which reminder rules hold for an event, and where each comes from.

Rules stand on an event, on its type within the alliance, its area of work, its plan or its
alliance; the nearest comes last and has the last word. A rule that neither joins nor overrides
replaces all that was inherited; one that joins is added; one that overrides another stands in
for that one alone, or silences it where it is not in use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from alliances.models import Alliance, Plan, WorkArea
from coordination.prepared import Blank, built, columns_of, prepared
from events.models import Event, ReminderRule

LEVELS = ("event", "type", "work_area", "plan", "alliance")
"""Nearest first."""
Known = dict[str, list[ReminderRule]]


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule as it stands for one event.

    Attributes:
        rule: the rule.
        level: where it comes from, one of `LEVELS`.
        replaced_by: the nearer rule on account of which it does not hold; None when it holds.
        replaces: the inherited rule in whose place it stands; None for none.
    """

    rule: ReminderRule
    level: str
    replaced_by: ReminderRule | None = None
    replaces: ReminderRule | None = None

    @property
    def holds(self) -> bool:
        """Whether reminders follow from it."""
        return self.replaced_by is None and self.rule.enabled


def rules_over(events: Sequence[Event]) -> Known:
    """Return the rules that stand on the events or above them, by level and owner; one query."""
    known: Known = defaultdict(list)
    for rule in _rules_over_one(events[0]) if len(events) == 1 else _rules_over_many(events):
        known[_key_of(rule)].append(rule)
    return known


def _rules_over_many(events: Sequence[Event]) -> Iterable[ReminderRule]:
    return _standing_on(
        [event.pk for event in events],
        {event.work_area_id for event in events} - {None},
        {event.plan_id for event in events} - {None},
        {event.alliance_id for event in events},
    )


def _rules_over_one(event: Event) -> Iterable[ReminderRule]:
    owners = (event.pk, event.work_area_id, event.plan_id, event.alliance_id)
    return [built(ReminderRule, row) for row in _rules_over_blanks().rows(*owners)]


@prepared
def _rules_over_blanks() -> QuerySet[ReminderRule, Any]:
    models = (Event, WorkArea, Plan, Alliance)
    blanks = [[Blank(place, model, "pk")] for place, model in enumerate(models)]
    return _standing_on(*blanks).values_list(*columns_of(ReminderRule))


def _standing_on(
    events: Iterable[Any], work_areas: Iterable[Any], plans: Iterable[Any], alliances: Iterable[Any]
) -> QuerySet[ReminderRule, Any]:
    """Return the rules of these owners, by their keys."""
    return ReminderRule.objects.filter(
        Q(event__pk__in=events)
        | Q(work_area__pk__in=work_areas)
        | Q(plan__pk__in=plans)
        | Q(alliance__pk__in=alliances),
        Q(enabled=True) | Q(overrides__isnull=False),
    ).order_by("pk")


def standings(event: Event, known: Known | None = None) -> list[Standing]:
    """Return all rules over an event, the outermost first, each with what became of it."""
    known = rules_over([event]) if known is None else known
    found: list[Standing] = []
    for level in reversed(LEVELS):
        rules = known.get(_key_for(event, level), [])
        own = [rule for rule in rules if not rule.joins and rule.overrides_id is None]
        if own:
            found = [_replaced(row, own[0]) for row in found]
        for rule in rules:
            if rule.overrides_id is None:
                found.append(Standing(rule, level))
                continue
            base = next((row for row in found if _may_override(row, rule)), None)
            if base is not None:
                found[found.index(base)] = _replaced(base, rule)
                found.append(Standing(rule, level, replaces=base.rule))
    return found


def standing_where(rule: ReminderRule) -> list[Standing]:
    """Return the rules that hold where a rule stands, as it finds them; it is not one of them.

    A rule for a type of event meets those of the plan or area of the one it stands in for, too.
    """
    event = _event_under(rule)
    known = {
        key: [row for row in rows if row.pk != rule.pk] for key, rows in rules_over([event]).items()
    }
    is_made = rule.pk is not None
    return [
        row
        for row in standings(event, known)
        if row.holds and not (is_made and row.level == rule.level and row.rule.pk > rule.pk)
    ]


def _event_under(rule: ReminderRule) -> Event:
    """Return the event that a rule stands on, or one that stands where it would count."""
    owner: Any = rule.owner
    if isinstance(owner, Event):
        return owner
    if isinstance(owner, Alliance):
        base: Any = rule.overrides.owner if rule.event_type and rule.overrides else None
        deeper = _event_placed(base) if isinstance(base, Plan | WorkArea) else Event(alliance=owner)
        deeper.type_text = rule.event_type
        return deeper
    return _event_placed(owner)


def _event_placed(owner: Plan | WorkArea) -> Event:
    if isinstance(owner, Plan):
        return Event(alliance=owner.alliance, plan=owner)
    return Event(alliance=owner.plan.alliance, plan=owner.plan, work_area=owner)


def holding(event: Event, known: Known | None = None) -> list[ReminderRule]:
    """Return the rules from which an event's reminders follow, in the order they were made."""
    return sorted(
        (row.rule for row in standings(event, known) if row.holds), key=lambda rule: rule.pk
    )


def _may_override(row: Standing, rule: ReminderRule) -> bool:
    return row.rule.pk == rule.overrides_id and row.holds


def _replaced(row: Standing, by: ReminderRule) -> Standing:
    if row.replaced_by is not None:
        return row
    return Standing(row.rule, row.level, by, row.replaces)


def type_key(text: str) -> str:
    """Return the form of a type by which types are compared: case and spaces aside."""
    return "".join(text.casefold().split())


def _key_of(rule: ReminderRule) -> str:
    if rule.event_type:
        return f"type:{rule.alliance_id}:{type_key(rule.event_type)}"
    return f"{rule.level}:{getattr(rule, f'{rule.level}_id')}"


def _key_for(event: Event, level: str) -> str:
    if level == "type":
        return f"type:{event.alliance_id}:{type_key(event.type_text)}"
    return f"{level}:{event.pk if level == 'event' else getattr(event, f'{level}_id')}"
