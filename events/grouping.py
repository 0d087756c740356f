"""Readers in groups that a message reaches at the same instant: by zone, country, quiet hours.

A reminder has one row for all its readers. Who they are, and which clocks they live by, is asked
in the database as it goes out; each group of clocks is then one statement of the fan-out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from alliances.models import Organization, Seat
from coordination.deliveries.models import Wishes
from events.quiet import QuietHours

COLUMNS = ("reader_zone", "reader_country", "reader_quiet_from", "reader_quiet_until")
DEFAULT_ZONE = str(Organization._meta.get_field("time_zone").default)


@dataclass(frozen=True, slots=True)
class ReaderGroup:
    """Readers who share clocks.

    Attributes:
        zone: IANA name: an account's own, else that of the organization acted for.
        country: of that organization; "" for none.
        quiet_from, quiet_until: the readers' own quiet hours; both None for none.
    """

    zone: str
    country: str
    quiet_from: time | None
    quiet_until: time | None

    def quiet_hours(self, usual: QuietHours | None) -> QuietHours | None:
        """Return the quiet hours that count: the readers' own, else the usual ones."""
        if self.quiet_from is None or self.quiet_until is None:
            return usual
        return QuietHours(self.quiet_from, self.quiet_until)

    @property
    def condition(self) -> Q:
        """The condition for rows of this group, among rows that `with_clocks` made."""
        return Q(
            reader_zone=self.zone,
            reader_country=self.country,
            **_same("reader_quiet_from", self.quiet_from),
            **_same("reader_quiet_until", self.quiet_until),
        )


def with_clocks(seats: QuerySet[Any, Any], *, on: date) -> QuerySet[Any, Any]:
    """Return rows of recipients with the clocks that each lives by.

    Args:
        seats: seats with a column `recipient`.
        on: the day on which somebody acts for an organization, whose clocks then count.
    """
    first = (
        Seat.objects.active_on(on)
        .filter(person=OuterRef("person"), organization__isnull=False)
        .order_by("pk")
    )
    wishes = Wishes.objects.filter(recipient=OuterRef("recipient"))
    rows: QuerySet[Any, Any] = seats.annotate(
        reader_zone=Coalesce(
            "person__user__time_zone",
            Subquery(first.values("organization__time_zone")[:1]),
            Value(DEFAULT_ZONE),
        ),
        reader_country=Coalesce(Subquery(first.values("organization__country")[:1]), Value("")),
        reader_quiet_from=Subquery(wishes.values("quiet_from")[:1]),
        reader_quiet_until=Subquery(wishes.values("quiet_until")[:1]),
    )
    return rows


def groups_of(readers: QuerySet[Any, Any]) -> list[ReaderGroup]:
    """Return the groups among rows that `with_clocks` made, in a fixed order."""
    found = set(readers.order_by().values_list(*COLUMNS).distinct())
    return sorted(
        (ReaderGroup(*row) for row in found),
        key=lambda group: (
            group.zone,
            group.country,
            group.quiet_from or time(),
            group.quiet_until or time(),
        ),
    )


def in_groups(readers: QuerySet[Any, Any], groups: Sequence[ReaderGroup]) -> QuerySet[Any, Any]:
    """Return the rows of several groups."""
    found: QuerySet[Any, Any] = readers.filter(reduce(or_, (one.condition for one in groups)))
    return found


def _same(name: str, value: time | None) -> dict[str, Any]:
    return {f"{name}__isnull": True} if value is None else {name: value}
