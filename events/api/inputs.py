"""What may come in about events, cleaned; the verbs decide what is possible."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alliances.models import Openness
from coordination.changes.refusals import FieldError, InvalidInput, invalid
from coordination.rest.inputs import Input, Text
from events.calendar_event import Span
from events.models import AnswerState, DutyKind, EventFormat
from events.zones import instant_of, wall_of, zone_names

FIRST_YEAR, LAST_YEAR = 1900, 2200
SHORTEST_DATE = len("2026-05-14")
TIME_FIELDS = ("starts_at", "ends_at", "starts_on", "ends_on", "time_zone", "all_day")
ONE_DAY = timedelta(days=1)


@extend_schema_field({"type": "string", "format": "date-time"})
class Moment(serializers.Field[Any, Any, Any, Any]):
    """An instant with an offset (RFC 3339), or a local time without: it is then the event's own."""

    default_error_messages = {
        "invalid": _("Write a time such as 2026-05-14T09:30 or 2026-05-14T09:30:00+08:00.")
    }

    def to_internal_value(self, data: Any) -> datetime:
        """Return an aware time for one with an offset, a naive one otherwise."""
        try:
            found = datetime.fromisoformat(data) if len(data) >= SHORTEST_DATE else None
        except (TypeError, ValueError):
            found = None
        if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
            self.fail("invalid")
        return found

    def to_representation(self, value: Any) -> Any:
        """Return the time in ISO 8601."""
        return value.isoformat()


class Instant(serializers.DateTimeField):
    """An instant with an offset (RFC 3339), of a year that calendars are kept for."""

    default_error_messages = dict.fromkeys(
        ("invalid", "date"), _("Write an instant such as 2026-05-14T09:30:00+08:00.")
    )

    def enforce_timezone(self, value: datetime) -> datetime:
        """Return the instant; a time without an offset is none."""
        if value.tzinfo is None:
            self.fail("invalid")
        return super().enforce_timezone(value)

    def to_internal_value(self, value: Any) -> datetime:
        """Return the instant."""
        found: datetime = super().to_internal_value(value)
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            self.fail("overflow")
        return found


class Day(serializers.DateField):
    """A day, "2026-05-14", of a year that calendars are kept for."""

    def to_internal_value(self, value: Any) -> date:
        """Return the day."""
        day = super().to_internal_value(value)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.fail("invalid", format="YYYY-MM-DD")
        return day


class TimeInput(Input):
    """A time: `starts_at` and `ends_at`, or `starts_on` and `ends_on` for whole days.

    Times with an offset are instants; without one they are what clocks show in `time_zone`.
    `ends_at` is exclusive; `ends_on` is the last day, included.
    """

    starts_at = Moment(required=False)
    ends_at = Moment(required=False)
    starts_on = Day(required=False)
    ends_on = Day(required=False)
    time_zone = serializers.CharField(required=False, max_length=64)
    all_day = serializers.BooleanField(required=False)


class ScheduleInput(TimeInput):
    """A time, and why it moves."""

    reason = Text(max_length=500)


class ReasonInput(Input):
    """Why."""

    reason = Text(max_length=500)


class NothingInput(Input):
    """No values."""


class OutcomeInput(Input):
    """What came of an event."""

    texts = {"outcome": 8000}
    attendance = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=10_000_000
    )


class WindowInput(Input):
    """A planned time; `end` is the last day, included."""

    text = Text(max_length=200)
    start = Day(required=False, allow_null=True)
    end = Day(required=False, allow_null=True)
    precision = serializers.ChoiceField(
        required=False,
        choices=["day", "ten_days", "month", "quarter", "half_year", "year", "unknown"],
    )


class CoordinatesInput(Input):
    """A point on the map, in degrees (WGS 84)."""

    latitude = serializers.DecimalField(
        max_digits=8, decimal_places=5, min_value=Decimal(-90), max_value=Decimal(90)
    )
    longitude = serializers.DecimalField(
        max_digits=8, decimal_places=5, min_value=Decimal(-180), max_value=Decimal(180)
    )


class HostInput(Input):
    """A host: an organization, or a name that none is known by."""

    name = Text(max_length=200)
    organization = serializers.UUIDField(required=False, allow_null=True)


class EventInput(Input):
    """What may be written of an event; its time has verbs of its own."""

    texts = {"title": 200, "description": 8000, "place": 300}
    plan = serializers.UUIDField(required=False, allow_null=True)
    work_area = serializers.UUIDField(required=False, allow_null=True)
    type = Text(max_length=100)
    participants = Text(max_length=1000)
    audience = serializers.ChoiceField(required=False, choices=Openness.choices)
    format = serializers.ChoiceField(required=False, choices=EventFormat.choices)
    window = WindowInput(required=False, allow_null=True)
    hosts = serializers.ListField(child=HostInput(), required=False, max_length=50)
    co_hosts = serializers.ListField(
        child=serializers.SlugField(max_length=50), required=False, max_length=50
    )
    organizations = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=500
    )
    address = Text(max_length=300)
    coordinates = CoordinatesInput(required=False, allow_null=True)
    online_url = Text(max_length=500)
    contact = Text(max_length=300)
    notes = Text(max_length=4000)
    source = Text(max_length=300)  # type: ignore[assignment]


class EventChange(EventInput):
    """A change of an event, and why."""

    reason = Text(max_length=500)


class NewEvent(EventInput, TimeInput):
    """A new event; with a time it is scheduled at once."""

    alliance = serializers.SlugField(max_length=50)


class DutyInput(Input):
    """What an organization owes, and by when."""

    organization = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=DutyKind.choices)
    due_at = Instant()


class NewInvitation(Input):
    """Whom to invite, and until when to answer."""

    organization = serializers.UUIDField()
    answer_by = Day(required=False, allow_null=True)


class AnswerInput(Input):
    """What an organization answers."""

    state = serializers.ChoiceField(
        choices=[state for state in AnswerState if state != AnswerState.NEEDS_ACTION]
    )
    delegates = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=10_000
    )
    names = Text(max_length=500, help_text="Who comes; with `delegated` it must be said.")
    proposed_time = Text(max_length=200, help_text="With `other_date`: when, in words.")
    comment = Text(max_length=1000)
    sequence = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="`sequence` of the event that is answered: refused when it has moved since.",
    )


class DutyChange(Input):
    """Another date."""

    due_at = Instant(required=False)


class MaterialInput(Input):
    """A document: a file of a known kind, its title and whom it is open to."""

    file = serializers.FileField(max_length=200)
    title = Text(max_length=200)
    openness = serializers.ChoiceField(required=False, choices=Openness.choices)


class VersionInput(Input):
    """Another version of a document."""

    file = serializers.FileField(max_length=200)


def take_span(values: dict[str, Any], *, zone: str, required: bool = False) -> Span | None:
    """Take the time out of cleaned values.

    Args:
        values: cleaned values of a `TimeInput`; the fields of the time are taken out.
        zone: IANA name of the zone when the input names none.
        required: whether a time must be given.

    Raises:
        InvalidInput: a part is missing, or the time cannot be said in the zone.
    """
    given = {name: values.pop(name) for name in TIME_FIELDS if name in values}
    zone = given.get("time_zone", zone)
    if zone not in zone_names():
        words = _("“%(zone)s” is not a time zone of the IANA database.") % {"zone": zone}
        raise invalid("time_zone", words, code="unknown_time_zone")
    if "starts_on" in given or "ends_on" in given:
        _refuse_both(given)
        return _whole_days(given.get("starts_on"), given.get("ends_on"), zone)
    if "starts_at" not in given and "ends_at" not in given:
        if required:
            raise _missing("starts_at")
        return None
    starts, ends = _walls(given, zone)
    if given.get("all_day"):
        last = ends - ONE_DAY if ends.time() == time() and ends > starts else ends
        return _whole_days(starts.date(), last.date(), zone)
    return Span(starts=starts, ends=ends, zone=zone)


def _walls(given: dict[str, Any], zone: str) -> tuple[datetime, datetime]:
    for name in ("starts_at", "ends_at"):
        if name not in given:
            raise _missing(name)
    return _wall("starts_at", given["starts_at"], zone), _wall("ends_at", given["ends_at"], zone)


def _wall(name: str, moment: datetime, zone: str) -> datetime:
    """Return what clocks in the zone show; refuse an instant that they cannot say."""
    moment = moment.replace(second=0, microsecond=0)
    if moment.tzinfo is None:
        return moment
    wall = wall_of(moment, zone)
    if instant_of(wall, zone) != moment:
        raise invalid(
            name,
            _("Clocks in this time zone show this time twice; choose another."),
            code="repeated_time",
        )
    return wall


def _whole_days(first: date | None, last: date | None, zone: str) -> Span:
    if first is None:
        raise _missing("starts_on")
    last = last or first
    if last < first:
        raise invalid("ends_on", _("The last day must not be before the first."))
    midnight = time()
    return Span(
        starts=datetime.combine(first, midnight),
        ends=datetime.combine(last + ONE_DAY, midnight),
        zone=zone,
        is_all_day=True,
    )


def _refuse_both(given: dict[str, Any]) -> None:
    wrong: list[str] = [name for name in ("starts_at", "ends_at") if name in given]
    if given.get("all_day") is False:
        wrong.append("all_day")
    if wrong:
        words = _("Give either whole days or exact times.")
        raise InvalidInput(FieldError(name, "conflict", words) for name in wrong)


def _missing(name: str) -> InvalidInput:
    return invalid(name, _("This field is required."), code="required")
