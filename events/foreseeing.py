"""When each rule falls due for an event: rows turned into arithmetic, and back into instants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from alliances.models import Alliance, Organization
from events.almanac import calendars_of
from events.dues import Due, Point, Timing, due_by_clocks_of, due_of, dues_of, every_due
from events.models import (
    Anchor,
    Event,
    EventAlliance,
    EventHost,
    EventOrganization,
    Invitation,
    ReminderRule,
    WorkdaysOf,
)
from events.quiet import JUST_BEFORE, LONGEST, must_look_ahead
from events.workdays import WorkCalendar
from events.zones import country_of

NOWHERE = ""
LOOK_AHEAD = LONGEST + JUST_BEFORE
HOUR = timedelta(hours=1)
Calendars = Mapping[tuple[str, ...], WorkCalendar]


@dataclass(frozen=True, slots=True)
class Foresight:
    """When one rule falls due for one event, time after time.

    Attributes:
        point: what it counts from.
        timing: how far.
        home: countries whose working days count for the event's clock; () for none.
        abroad: countries of readers, where theirs count.
        calendars: working days by group of countries.
        event_starts: instant before which it must arrive; None where it is due after that.
        min_useful: it is worth reading only so long before `event_starts`.
        looks_ahead: whether quiet hours may bring it forward.
    """

    point: Point
    timing: Timing
    home: tuple[str, ...]
    abroad: tuple[tuple[str, ...], ...]
    calendars: Calendars
    event_starts: datetime | None
    min_useful: timedelta
    looks_ahead: bool

    def nominal(self, occurrence: int) -> Due | None:
        """Return when it falls due by the event's clock; None when it does not repeat so often."""
        return due_of(self.point, self.timing, calendar=self._home(), occurrence=occurrence)

    def by_reader(self, occurrence: int, *, zone: str, country: str) -> Due | None:
        """Return when it falls due for a reader in a zone, of an organization in a country."""
        calendar = self._home()
        if self.abroad:
            calendar = self.calendars.get((country,), calendar)
        return due_by_clocks_of(
            zone if self.timing.by_reader else self.point.zone,
            self.point,
            self.timing,
            before=self.event_starts,
            calendar=calendar,
            occurrence=occurrence,
        )

    @property
    def is_spread(self) -> bool:
        """Whether it falls due at other instants for other readers."""
        return self.timing.by_reader or bool(self.abroad)

    @property
    def horizon(self) -> timedelta:
        """How far ahead each look reaches: to the reader's own instant, see `every_due`."""
        return 2 * HOUR if self.is_spread else timedelta(0)

    def looks(self, occurrence: int) -> list[datetime]:
        """Return when to look who is told: once, or once for each hour of clocks in the world."""
        groups = dict.fromkeys((self.home, *self.abroad))
        found = every_due(
            self.point,
            self.timing,
            before=self.event_starts,
            calendars=tuple(self.calendars.get(group) for group in groups),
            occurrence=occurrence,
        )
        return [at - HOUR for at in found] if self.is_spread else found

    def fires(self, occurrence: int) -> datetime | None:
        """Return when it is first looked at: earlier where quiet hours may bring it forward."""
        looks, nominal = self.looks(occurrence), self.nominal(occurrence)
        if not looks or nominal is None:
            return None
        ahead = self.looks_ahead and must_look_ahead(
            nominal.at, event_starts=self.event_starts, min_useful=self.min_useful
        )
        return looks[0] - LOOK_AHEAD if ahead else looks[0]

    def next_look(self, occurrence: int, at: datetime) -> datetime | None:
        """Return when it is looked at again after `at`; None for never."""
        return next((look for look in self.looks(occurrence) if look > at), None)

    def first_after(self, at: datetime, *, beyond: int = 0) -> int | None:
        """Return the number of the first time that is due after `at`; None when none is.

        Args:
            at: instant.
            beyond: only times with a greater number.
        """
        for number, due in enumerate(
            dues_of(self.point, self.timing, calendar=self._home()), start=1
        ):
            if number > beyond and due.at > at and self._is_in_time(due.at, number):
                return number
        return None

    def next_after(self, at: datetime, *, beyond: int = 0) -> int | None:
        """Return the number of the next time for which anybody is still to be looked for.

        Where readers' clocks differ, the last of them counts.

        Args:
            at: instant.
            beyond: only times with a greater number.
        """
        if not self.is_spread:
            return self.first_after(at, beyond=beyond)
        for number in range(beyond + 1, self.timing.times + 1 if self.timing.every else 2):
            due, looks = self.nominal(number), self.looks(number)
            if due is None or not looks or not self._is_in_time(due.at, number):
                return None
            if looks[-1] > at:
                return number
        return None

    def _is_in_time(self, due: datetime, number: int) -> bool:
        return number == 1 or self.event_starts is None or due < self.event_starts

    def _home(self) -> WorkCalendar | None:
        return self.calendars.get(self.home)


def foresee(
    pairs: Iterable[tuple[Event, ReminderRule]],
) -> dict[tuple[int, int], Foresight]:
    """Return, by keys of event and rule, when the rules fall due for events that have a time.

    One query for the working days of all of them, where a rule counts any.
    """
    kept = [(event, rule) for event, rule in pairs if event.starts_wall is not None]
    homes = _homes_of(kept)
    readers = _countries_abroad(kept)
    groups = list(homes.values())
    groups += [(country,) for countries in readers.values() for country in countries]
    calendars: Calendars = {}
    if groups:
        days = [day for event, rule in kept for day in _reach(event, rule)]
        calendars = calendars_of(groups, first=min(days), last=max(days))
    return {
        (event.pk, rule.pk): _foresight(
            event,
            rule,
            homes.get((event.pk, rule.pk), ()),
            readers.get(event.pk, ()),
            calendars,
        )
        for event, rule in kept
    }


def foresee_one(event: Event, rule: ReminderRule) -> Foresight | None:
    """Return when the rule falls due for an event; None while it has no time."""
    return foresee([(event, rule)]).get((event.pk, rule.pk))


def _foresight(
    event: Event,
    rule: ReminderRule,
    home: tuple[str, ...],
    countries: tuple[str, ...],
    calendars: Calendars,
) -> Foresight:
    point, timing = point_of(event, rule), rule.timing
    own = timing.in_working_days and rule.workdays_of == WorkdaysOf.READER
    first = due_of(point, timing, calendar=calendars.get(home))
    is_before = first is not None and event.starts_at is not None and first.at < event.starts_at
    return Foresight(
        point=point,
        timing=timing,
        home=home,
        abroad=tuple((country,) for country in countries) if own else (),
        calendars=calendars,
        event_starts=event.starts_at if is_before else None,
        min_useful=rule.min_useful,
        looks_ahead=rule.quiet_hours is not None,
    )


def point_of(event: Event, rule: ReminderRule) -> Point:
    """Return what the rule counts from.

    Raises:
        ValueError: the event has no time.
    """
    if rule.at_wall is not None:
        return Point(wall=rule.at_wall, zone=rule.at_zone or event.time_zone)
    wall = event.ends_wall if rule.anchor == Anchor.END else event.starts_wall
    if wall is None:
        raise ValueError("the event has no time")
    return Point(wall=wall, zone=event.time_zone, is_day=event.all_day)


def _homes_of(
    pairs: Iterable[tuple[Event, ReminderRule]],
) -> dict[tuple[int, int], tuple[str, ...]]:
    """Return the countries whose working days count for each event and rule; () for none."""
    counting = [(event, rule) for event, rule in pairs if rule.timing.in_working_days]
    if not counting:
        return {}
    zones = Alliance.objects.filter(pk__in={event.alliance_id for event, _rule in counting})
    zone_of = dict(zones.values_list("pk", "time_zone"))
    hosted = [event for event, rule in counting if rule.workdays_of == WorkdaysOf.HOSTS]
    hosts: dict[int, set[str]] = defaultdict(set)
    if hosted:
        rows = EventHost.objects.filter(event__in=hosted, organization__isnull=False)
        for pk, country in rows.order_by().values_list("event", "organization__country"):
            hosts[pk].add(country)
    found = {}
    for event, rule in counting:
        home = (country_of(zone_of[event.alliance_id]) or country_of(event.time_zone) or NOWHERE,)
        together = tuple(sorted(hosts[event.pk]))
        by_hosts = rule.workdays_of == WorkdaysOf.HOSTS and together
        found[event.pk, rule.pk] = together if by_hosts else home
    return found


def _countries_abroad(
    pairs: Iterable[tuple[Event, ReminderRule]],
) -> dict[int, tuple[str, ...]]:
    """Return the countries of each event's readers, where a rule counts their own days.

    Readers are members, and whoever hosts, is named, is invited or is chosen by the rule.
    """
    counting = [
        (event, rule)
        for event, rule in pairs
        if rule.timing.in_working_days and rule.workdays_of == WorkdaysOf.READER
    ]
    if not counting:
        return {}
    found: dict[int, set[str]] = {event.pk: set() for event, _rule in counting}
    for pk, country in _countries_concerned(list(found)):
        found[pk].add(country)
    for event, rule in counting:
        if rule.organizations:
            chosen = Organization.objects.filter(uid__in=rule.organizations)
            found[event.pk].update(chosen.values_list("country", flat=True))
    return {pk: tuple(sorted(countries)) for pk, countries in found.items()}


def _countries_concerned(events: Sequence[int]) -> Iterable[tuple[int, str]]:
    """Return (event, country) of members, hosts, and those named or invited; one query."""
    members = "alliance__memberships__organization__country"
    rows = [
        Event.objects.filter(pk__in=events).values_list("pk", members),
        EventAlliance.objects.filter(event__in=events).values_list("event", members),
        *(
            part.objects.filter(event__in=events).values_list("event", "organization__country")
            for part in (EventHost, EventOrganization, Invitation)
        ),
    ]
    first, *others = (part.order_by() for part in rows)
    return ((pk, country) for pk, country in first.union(*others) if country is not None)


def _reach(event: Event, rule: ReminderRule) -> tuple[date, date]:
    """Return the first and the last day on which anything of the rule can lie."""
    wall, timing = point_of(event, rule).wall, rule.timing
    every = abs(timing.every.days) * timing.times if timing.every else 0
    # Of ten days at least four are worked, in any calendar there is.
    far = timedelta(days=(abs(timing.offset.days) + every) * 5 // 2 + 40)
    return (wall - far).date(), (wall + far).date()
