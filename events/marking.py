"""Taking over public holidays and make-up working days, year by year, without code.

What a table row says is reference data, as zone data are: it is not in the change log. What
follows from it is brought up to date: reminders of events whose rules count working days.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from alliances.columns import validate_country
from alliances.models import Alliance, Organization
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import invalid
from events import rules
from events.arming import REMINDED_STATES, arm
from events.demanding import recount_duties
from events.levels import Known, holding, rules_over
from events.models import DayUnit, Event, Holiday, HolidayYear, ReminderRule
from events.models.holiday import WEEKEND
from events.statutory import SOURCE, is_known, statutory_year
from events.workdays import DayKind
from events.zones import country_of

YEARS_BACK, YEARS_AHEAD = 1, 2
FILE_COLUMNS = ("day", "country", "kind", "name_zh", "name_en")
MOST_ROWS = 5000
FIRST_YEAR, LAST_YEAR = 1950, 2200


@dataclass(frozen=True, slots=True)
class MarkedDay:
    """One day as it is written into the table."""

    day: date
    kind: DayKind
    name_zh: str = ""
    name_en: str = ""


def take_over_year(
    country: str,
    year: int,
    days: Sequence[MarkedDay],
    *,
    source: str,
    is_settled: bool = True,
    weekend: str = WEEKEND,
    viewer: Viewer,
    at: datetime,
) -> bool:
    """Write what is known of a year in place of what was; return whether anything differed.

    Args:
        country: ISO 3166 code of two letters.
        year: the year; days of others are refused.
        days: all marked days of the year.
        source: where they are from.
        is_settled: whether all days of the year have been laid down.
        weekend: digits of the free weekdays, Monday is 0.
        viewer: who does it.
        at: now.

    Raises:
        NotAllowed.
        InvalidInput: a day is not of that year, or is there twice.
    """
    rules.require(rules.may_mark_days(viewer))
    seen = {one.day for one in days}
    if len(seen) != len(days) or any(day.year != year for day in seen):
        raise invalid("day", _("Each day stands once, under its own year."))
    with transaction.atomic():
        head, is_new = HolidayYear.objects.select_for_update().get_or_create(
            country=country, year=year, defaults={"taken_at": at}
        )
        stored = {
            MarkedDay(row.day, DayKind(row.kind), row.name_zh, row.name_en)
            for row in head.days.all()
        }
        facts = (head.is_settled, head.weekend)
        head.is_settled, head.weekend = is_settled, weekend
        head.source, head.taken_at = source, at
        head.save()
        differs = stored != set(days) or facts != (is_settled, weekend)
        if differs:
            head.days.all().delete()
            Holiday.objects.bulk_create(
                Holiday(
                    year=head,
                    day=one.day,
                    kind=one.kind.value,
                    name_zh=one.name_zh,
                    name_en=one.name_en,
                )
                for one in days
            )
    return differs or is_new


def fill_holidays(
    *,
    viewer: Viewer,
    at: datetime,
    countries: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    again: bool = False,
) -> list[tuple[str, int]]:
    """Take years over from the library `holidays`; return the (country, year) that differ.

    A year that was taken from elsewhere (a file, a notice) is left as it is.

    Args:
        viewer: who does it.
        at: now.
        countries: those of all organizations and alliances when left out.
        years: last year to the year after next when left out.
        again: also compare years that were taken over before, from an older library.

    Raises:
        NotAllowed.
    """
    rules.require(rules.may_mark_days(viewer))
    wanted_years = list(years or range(at.year - YEARS_BACK, at.year + YEARS_AHEAD + 1))
    known = {(row.country, row.year): row.source for row in HolidayYear.objects.all()}
    changed = []
    for country in sorted(set(countries or countries_in_use())):
        for year in wanted_years:
            source = known.get((country, year))
            from_elsewhere = source is not None and not source.startswith("holidays ")
            is_fresh = source == SOURCE or (source is not None and not again)
            if from_elsewhere or is_fresh or not is_known(country, year):
                continue
            found = statutory_year(country, year)
            days = [MarkedDay(one.day, one.kind, one.name_zh, one.name_en) for one in found.days]
            if take_over_year(
                country,
                year,
                days,
                source=SOURCE,
                is_settled=found.is_settled,
                weekend="".join(str(number) for number in sorted(found.weekend)),
                viewer=viewer,
                at=at,
            ):
                changed.append((country, year))
    if changed:
        follow_marked_days(at=at)
    return changed


def take_over_file(
    content: str, *, source: str, viewer: Viewer, at: datetime
) -> list[tuple[str, int]]:
    """Take years over from a file with the columns day, country, kind, name_zh, name_en.

    Each (country, year) that the file has is replaced as a whole and counts as settled.

    Returns:
        The years it had.

    Raises:
        NotAllowed.
        InvalidInput: a line cannot be read; nothing is stored then.
    """
    rules.require(rules.may_mark_days(viewer))
    years = read_days(content)
    with transaction.atomic():
        for (country, year), days in years.items():
            take_over_year(country, year, days, source=source, viewer=viewer, at=at)
    follow_marked_days(at=at)
    return sorted(years)


def read_days(content: str) -> dict[tuple[str, int], list[MarkedDay]]:
    """Read the lines of a file of marked days, by country and year.

    Raises:
        InvalidInput: a column is missing, or a line cannot be read; it names the line.
    """
    rows = csv.DictReader(io.StringIO(content.removeprefix("\ufeff")))
    missing = [name for name in FILE_COLUMNS[:3] if name not in (rows.fieldnames or [])]
    if missing:
        words = _("The first line names the columns; “%(names)s” is missing.")
        raise invalid("file", words % {"names": ", ".join(missing)})
    years: dict[tuple[str, int], list[MarkedDay]] = defaultdict(list)
    for number, row in enumerate(rows, start=2):
        if number > MOST_ROWS:
            raise invalid("file", _("The file has too many lines."))
        country, day = _read_day(row, number)
        if any(one.day == day.day for one in years[country, day.day.year]):
            words = _("Line %(number)s: this day is there twice.")
            raise invalid("file", words % {"number": number})
        years[country, day.day.year].append(day)
    if not years:
        raise invalid("file", _("The file has no days."))
    return dict(years)


def _read_day(row: dict[str, str | None], number: int) -> tuple[str, MarkedDay]:
    try:
        day = date.fromisoformat((row["day"] or "").strip())
        kind = DayKind((row["kind"] or "").strip())
        country = (row["country"] or "").strip().upper()
        validate_country(country)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValueError(day)
    except (ValueError, ValidationError):
        words = _(
            "Line %(number)s: write a day such as 2027-02-06, a country such as CN, and "
            "“holiday” or “workday”."
        )
        raise invalid("file", words % {"number": number}) from None
    names = [(row.get(name) or "").strip()[:100] for name in ("name_zh", "name_en")]
    return country, MarkedDay(day, kind, *names)


def countries_in_use() -> set[str]:
    """Return the countries of organizations and alliances."""
    found = set(Organization.objects.order_by().values_list("country", flat=True).distinct())
    zones = Alliance.objects.order_by().values_list("time_zone", flat=True).distinct()
    return (found | {country_of(zone) for zone in zones}) - {""}


def follow_marked_days(*, at: datetime) -> int:
    """Bring up to date what counts working days: standard duties, their steps, reminders.

    Returns:
        How many events it looked at.
    """
    recount_duties(at=at)
    if not ReminderRule.objects.filter(day_unit=DayUnit.WORKING, enabled=True).exists():
        return 0
    with transaction.atomic():
        rows = Event.objects.filter(state__in=REMINDED_STATES, ends_at__gt=at)
        events = list(rows.select_for_update(no_key=True).order_by("pk"))
        known = rules_over(events)
        counting = [event for event in events if _counts_working_days(event, known)]
        arm(counting, at)
    return len(counting)


def _counts_working_days(event: Event, known: Known) -> bool:
    return any(rule.day_unit == DayUnit.WORKING for rule in holding(event, known))
