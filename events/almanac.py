"""Which days are worked: the dated table, and the library for years that nobody took over yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date

from events.models import Holiday, HolidayYear
from events.statutory import StatutoryDay, is_known, statutory_year
from events.workdays import UNKNOWN, DayKind, WorkCalendar, Year


def years_of(wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Year]:
    """Return what is known of each (country, year); two queries for all of them.

    The table comes first. A year that it does not have is taken from the library, where that
    knows it; otherwise it is unknown, and not settled.
    """
    rows = HolidayYear.objects.filter(
        country__in={country for country, _year in wanted}, year__in={year for _c, year in wanted}
    )
    stored = {row.pk: row for row in rows}
    days: dict[int, dict[date, DayKind]] = defaultdict(dict)
    marked = Holiday.objects.filter(year__in=stored).values_list("year", "day", "kind")
    for pk, day, kind in marked.order_by("day"):
        days[pk][day] = DayKind(kind)
    found = {
        (row.country, row.year): Year(
            days[pk], frozenset(int(digit) for digit in row.weekend), row.is_settled
        )
        for pk, row in stored.items()
    }
    return {key: found.get(key) or _from_library(*key) for key in wanted}


def calendars_of(
    groups: Iterable[tuple[str, ...]], *, first: date, last: date
) -> dict[tuple[str, ...], WorkCalendar]:
    """Return the working days of each group of countries, from one year to another.

    Args:
        groups: countries whose common working days count; "" for a country not known.
        first: a day of the first year.
        last: a day of the last year.
    """
    wanted = list(dict.fromkeys(groups))
    span = range(min(first, last).year, max(first, last).year + 1)
    countries = {country for group in wanted for country in group}
    years = years_of([(country, year) for country in sorted(countries) for year in span])
    return {group: WorkCalendar(group, years) for group in wanted}


def named_days(country: str, years: Iterable[int]) -> list[StatutoryDay]:
    """Return the marked days of a country in some years, with their names, in order."""
    wanted = list(years)
    rows = HolidayYear.objects.filter(country=country, year__in=wanted)
    stored = set(rows.values_list("year", flat=True))
    days = Holiday.objects.filter(year__country=country, year__year__in=wanted)
    found = [
        StatutoryDay(row.day, DayKind(row.kind), row.name_zh, row.name_en)
        for row in (days if stored else ())
    ]
    for year in wanted:
        if year not in stored and is_known(country, year):
            found += statutory_year(country, year).days
    return sorted(found, key=lambda one: one.day)


def _from_library(country: str, year: int) -> Year:
    if not is_known(country, year):
        return UNKNOWN
    found = statutory_year(country, year)
    return Year(
        {one.day: one.kind for one in found.days},
        found.weekend,
        found.is_settled,
    )
