"""Which events somebody wants a copy of: the filters of the API's list of events, as a value.

A `Selection` is the same for an API consumer, a private link, a CalDAV collection and a webhook.
It asks its question twice: of the database, for events as they are, and of an `EventImage`, for
what an event was before a change. Only so can a copy be told that something left it, and nothing
be told of what never was in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Model, Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Organization, Plan, WorkArea
from coordination.accounts.viewer import Viewer
from coordination.calendars.images import EventImage
from coordination.calendars.tokens import subject_of
from coordination.changes.refusals import FieldError, InvalidInput, invalid
from coordination.rest.filters import BACKWARDS, filtered
from coordination.rest.problems import ProblemError, parameter_error
from events.api.filters import HOME, EventFilters, MomentField, held_by, key_of
from events.models import Event, EventState
from events.models.spans import LONGEST
from events.querysets import EventQuerySet, organizations_of

MINE = "mine"
NOT_THERE = _("There is no such object, or it is not open to you.")
END_AFTER_BEGINNING = _("The end must be after the beginning.")
FILTERS = tuple(EventFilters.base_filters)
HAS_A_DATE = (
    Q(starts_at__isnull=False)
    | Q(previous_starts_wall__isnull=False)
    | Q(state=EventState.PLANNED, window_starts_on__isnull=False, window_ends_on__isnull=False)
)
"""What `events.api.jscalendar` can write: it has, or had, a time, or is planned for some days."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A set of filters, in one order, so that equal sets are equal values.

    Attributes:
        parameters: names and values as `/api/v1/events/` takes them, sorted by name.
        is_mine: only events that host or name an organization the viewer acts for.
        key: of the alliance that `of_alliance` was made with, where it is known; None elsewhere.
        is_dated: only events that have a date, for forms that cannot say an event without one.
    """

    parameters: tuple[tuple[str, str], ...] = ()
    is_mine: bool = False
    key: int | None = None
    is_dated: bool = False

    @classmethod
    def parse(cls, params: Mapping[str, str]) -> Selection:
        """Return the selection that these parameters mean; empty values mean nothing.

        ``mine=1`` is taken beside the filters of the list, so that `parameters_with_mine` of any
        selection gives it back.

        Raises:
            ProblemError: a parameter is not known, or its value cannot be taken; it names it.
        """
        wanted = {name: value for name, value in params.items() if value}
        mine = wanted.pop(MINE, "")
        if mine not in ("", "1"):
            raise parameter_error(MINE, _("Give 1, or leave it out."))
        query = QueryDict(mutable=True)
        query.update(wanted)
        filtered(Event.objects.none(), query, EventFilters, own=())
        return cls(tuple(sorted(wanted.items())), mine == "1")

    @classmethod
    def of_alliance(cls, slug: str, *, key: int | None = None) -> Selection:
        """Return what an alliance owns and co-hosts; its key saves looking it up."""
        return cls((("alliance", slug),), key=key)

    @classmethod
    def mine(cls) -> Selection:
        """Return what concerns the organizations that the viewer acts for."""
        return cls(is_mine=True)

    @property
    def dated(self) -> Selection:
        """Return what of it has a date. Its tokens are told apart by the form, the variant."""
        return replace(self, is_dated=True)

    @property
    def parameters_with_mine(self) -> dict[str, str]:
        """Return everything that `parse` needs to make this selection again."""
        return dict(self.parameters) | ({MINE: "1"} if self.is_mine else {})

    @property
    def words(self) -> str:
        """Return a text that is the same for equal filters only."""
        return repr((self.parameters, self.is_mine))

    def subject_for(self, viewer: Viewer, variant: str) -> str:
        """Return the fingerprint of a copy of it, which tokens carry.

        Args:
            viewer: whose copy; the language is part of it.
            variant: the form of the copy: media type, renderer.
        """
        person = "public" if viewer.uid is None else str(viewer.uid)
        return subject_of(self.words, person, viewer.language, variant)

    def rows(self, viewer: Viewer) -> EventQuerySet:
        """Return the events in it that the viewer may see, in no order."""
        return self.narrow(Event.objects.visible_to(viewer), viewer)

    def narrow(self, rows: EventQuerySet, viewer: Viewer) -> EventQuerySet:
        """Return those of `rows` that are in it."""
        if self.is_dated:
            rows = rows.filter(HAS_A_DATE)
        if self.is_mine:
            rows = rows.concerning_organizations(organizations_of(viewer))
        if self.key is not None:
            return held_by(rows, self.key)
        for name, value in self.parameters:
            rows = NARROWING[name](rows, value)
        return rows

    @property
    def is_settled(self) -> bool:
        """Whether nothing need be looked up to say which events are in it."""
        return self.key is not None or not self.parameters

    def test(self) -> Callable[[EventImage], bool]:
        """Return the same question for images; what it looks up is looked up once."""
        tests = [TESTS[name](value) for name, value in self.parameters]
        if self.is_mine:
            tests.append(_concerns_an_organization_held)
        if self.is_dated:
            tests.append(_has_a_date)
        return lambda image: all(test(image) for test in tests)


# The same filters as the API's list, on values that `parse` has checked: to put a form together
# for each question would cost more than the question.
_filters = EventFilters(data=QueryDict(), queryset=Event.objects.none())
NARROWING: dict[str, Callable[[Any, str], Any]] = {
    "alliance": lambda rows, value: _filters.of_alliance(rows, "", value),
    "plan": lambda rows, value: _filters.of_plan(rows, "", UUID(value)),
    "work_area": lambda rows, value: _filters.of_work_area(rows, "", UUID(value)),
    "organization": lambda rows, value: _filters.of_organization(rows, "", UUID(value)),
    "state": lambda rows, value: rows.filter(state=value),
    "audience": lambda rows, value: rows.filter(audience=value),
    "type": lambda rows, value: rows.filter(type_text=value.strip()),
    "q": lambda rows, value: _filters.with_words(rows, "", value.strip()),
    "from": lambda rows, value: _filters.since(rows, "", _moment(value)),
    "to": lambda rows, value: _filters.until(rows, "", _moment(value)),
}

Test = Callable[[EventImage], bool]

ROWS: dict[str, tuple[type[Model], str]] = {
    "alliance": (Alliance, "slug"),
    "plan": (Plan, "uid"),
    "work_area": (WorkArea, "uid"),
    "organization": (Organization, "uid"),
}
"""The filters that name a row: of which table, by which column."""


def rows_to_name(name: str, viewer: Viewer) -> Any:
    """Return the rows that a viewer may name in the filter ``name`` of a copy they make."""
    model: Any = ROWS[name][0]
    return model.objects.visible_to(viewer)


def cleaned_filters(
    parameters: Mapping[str, str], *, viewer: Viewer, kept: Mapping[str, str]
) -> dict[str, str]:
    """Return what somebody has entered as ``filters`` of a copy, in its one form.

    Args:
        parameters: names and values.
        viewer: who has entered them.
        kept: the filters that the copy has had; a value in them is not looked up again.

    Raises:
        InvalidInput: one is not known, its value cannot be taken or names nothing that is open
            to the viewer, or the span ends before it begins, so that the copy would be empty for
            ever; it names ``filters.…``.
    """
    try:
        chosen = Selection.parse(parameters).parameters_with_mine
    except ProblemError as refused:
        errors = refused.problem.errors
        if any(error.code == BACKWARDS for error in errors):
            raise invalid("filters.to", END_AFTER_BEGINNING) from refused
        raise InvalidInput(
            FieldError(f"filters.{error.parameter}", error.code, error.message) for error in errors
        ) from refused
    if {"from", "to"} <= chosen.keys() and _moment(chosen["to"]) <= _moment(chosen["from"]):
        raise invalid("filters.to", END_AFTER_BEGINNING)
    unknown = [
        FieldError(f"filters.{name}", "unknown", NOT_THERE)
        for name in ROWS.keys() & chosen.keys()
        if kept.get(name) != chosen[name]
        and not rows_to_name(name, viewer).filter(**{ROWS[name][1]: chosen[name]}).exists()
    ]
    if unknown:
        raise InvalidInput(sorted(unknown, key=lambda error: error.field))
    return chosen


def _concerns_an_organization_held(image: EventImage) -> bool:
    return any(scope.startswith("organization:") for scope in image.seen_by)


def _has_a_date(image: EventImage) -> bool:
    """See `HAS_A_DATE`."""
    if image.values.get("starts_at") or image.values.get("previous_starts_wall"):
        return True
    window = image.day("window_starts_on") and image.day("window_ends_on")
    return bool(window) and image.text("state") == EventState.PLANNED


def _of_alliance(slug: str) -> Test:
    key = key_of(Alliance.objects.filter(slug=slug))
    return lambda image: image.key("alliance_id") == key or key in image.keys("co_hosts")


def _of_plan(uid: str) -> Test:
    key = key_of(Plan.objects.filter(uid=UUID(uid)))
    return lambda image: image.key("plan_id") == key


def _of_work_area(uid: str) -> Test:
    key = key_of(WorkArea.objects.filter(uid=UUID(uid)))
    return lambda image: image.key("work_area_id") == key


def _of_organization(uid: str) -> Test:
    key = key_of(Organization.objects.filter(uid=UUID(uid)))
    return lambda image: key in image.keys("hosts") or key in image.keys("named")


def _equal(column: str) -> Callable[[str], Test]:
    def made(value: str) -> Test:
        wanted = value.strip()
        return lambda image: image.text(column) == wanted

    return made


def _since(value: str) -> Test:
    """See `events.api.filters.ending_after`."""
    since = _moment(value)
    first = since - LONGEST - timedelta(days=1)

    def test(image: EventImage) -> bool:
        starts, ends = image.instant("starts_at"), image.instant("ends_at")
        if starts is not None and ends is not None:
            return ends > since and starts > first
        last = image.day("window_ends_on")
        return last is not None and last >= since.astimezone(HOME).date()

    return test


def _until(value: str) -> Test:
    """See `events.api.filters.beginning_before`."""
    until = _moment(value)
    last = (until.astimezone(HOME) - timedelta(microseconds=1)).date()

    def test(image: EventImage) -> bool:
        starts = image.instant("starts_at")
        if starts is not None:
            return starts < until
        first = image.day("window_starts_on")
        return first is not None and first <= last

    return test


def _moment(value: str) -> datetime:
    moment = MomentField().clean(value)
    if moment is None:
        raise ValueError(value)
    return moment.astimezone(UTC)


def _with_words(value: str) -> Test:
    wanted = value.strip().lower()
    return lambda image: any(
        wanted in image.text(name).lower() for name in ("title_zh", "title_en")
    )


TESTS: dict[str, Callable[[str], Any]] = {
    "alliance": _of_alliance,
    "plan": _of_plan,
    "work_area": _of_work_area,
    "organization": _of_organization,
    "state": _equal("state"),
    "audience": _equal("audience"),
    "type": _equal("type_text"),
    "q": _with_words,
    "from": _since,
    "to": _until,
}
