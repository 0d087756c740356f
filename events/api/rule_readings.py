"""What leaves the building about reminder rules, duties and chasing."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from rest_framework import serializers

from coordination.rest.reading import Computed, Localized, Reading, Rows, Texts
from events.api.part_serializers import NamedOrganizationReading
from events.api.rule_inputs import ClockTime, WallTime
from events.levels import LEVELS
from events.models import (
    Anchor,
    ChaseStep,
    Clock,
    DayUnit,
    Duty,
    DutyAnchor,
    DutyKind,
    OwedBy,
    ReminderRule,
    ReminderState,
    RepeatWhile,
    StandardDuty,
    Urgency,
    WorkdaysOf,
)


def _clock(at_time: time | None) -> str | None:
    """Return a wall time as "09:30"."""
    return None if at_time is None else f"{at_time:%H:%M}"


def _wall(at_wall: datetime | None) -> str | None:
    """Return a wall time with its date."""
    return None if at_wall is None else at_wall.isoformat(timespec="minutes")


def _clock_field(name: str) -> Computed:
    return Computed(ClockTime(allow_null=True), needs=(name,), make=_clock)


def _words() -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField())


class ReminderRuleReading(Reading):
    """When, and whom, to remind; it stands on one of alliance, plan, work area and event."""

    class Meta:
        model = ReminderRule

    uid = serializers.UUIDField()
    alliance = serializers.SlugField(source="alliance.slug", allow_null=True)
    plan = serializers.UUIDField(source="plan.uid", allow_null=True)
    work_area = serializers.UUIDField(source="work_area.uid", allow_null=True)
    event = serializers.UUIDField(source="event.uid", allow_null=True)
    event_type = serializers.CharField()
    joins = serializers.BooleanField()
    overrides = serializers.UUIDField(source="overrides.uid", allow_null=True)
    offset = serializers.CharField()
    anchor = serializers.ChoiceField(choices=Anchor.choices)
    at_time = _clock_field("at_time")
    clock = serializers.ChoiceField(choices=Clock.choices)
    day_unit = serializers.ChoiceField(choices=DayUnit.choices)
    workdays_of = serializers.ChoiceField(choices=WorkdaysOf.choices)
    at_wall = Computed(WallTime(allow_null=True), needs=("at_wall",), make=_wall)
    at_zone = serializers.CharField()
    repeat_every = serializers.CharField()
    repeat_until = serializers.CharField()
    repeat_times = serializers.IntegerField()
    repeat_while = serializers.ChoiceField(choices=RepeatWhile.choices)
    audience = _words()
    roles = _words()
    tiers = _words()
    member_roles = _words()
    tags = _words()
    organizations = _words()
    answers = _words()
    channels = _words()
    urgency = serializers.ChoiceField(choices=Urgency.choices)
    respects_quiet = serializers.BooleanField()
    quiet_from = _clock_field("quiet_from")
    quiet_until = _clock_field("quiet_until")
    min_useful_minutes = serializers.IntegerField()
    grace_minutes = serializers.IntegerField()
    never_twice = serializers.BooleanField()
    rearm_on_move = serializers.BooleanField()
    enabled = serializers.BooleanField()
    text = Localized("text")
    text_i18n = Texts("text")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class ReminderReading(Reading):
    """A rule applied to an event: when it falls due, and what became of it."""

    rule = serializers.UUIDField()
    offset = serializers.CharField()
    due_at = serializers.DateTimeField()
    occurrence = serializers.IntegerField()
    state = serializers.CharField()
    generation = serializers.IntegerField()
    fired_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()


class StandingRuleReading(Reading):
    """A rule over an event: where it comes from, and whether it holds for it."""

    rule = serializers.UUIDField()
    level = serializers.ChoiceField(choices=LEVELS)
    origin = serializers.CharField(help_text="What it stands on, in the caller's language.")
    words = serializers.CharField(help_text="When it falls due, in the caller's language.")
    holds = serializers.BooleanField()
    replaced_by = serializers.UUIDField(allow_null=True)
    replaces = serializers.UUIDField(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True)
    unsettled = _words()


class StandingRulesReading(Reading):
    """All rules over an event, the outermost first."""

    items = serializers.ListField(child=StandingRuleReading())


class PreviewReaderReading(Reading):
    """Somebody who would be reminded."""

    uid = serializers.UUIDField()
    name = serializers.CharField()
    language = serializers.CharField()
    time_zone = serializers.CharField()


class PreviewTimeReading(Reading):
    """When the reader would be reminded, and what quiet hours make of it."""

    due_at = serializers.DateTimeField()
    send_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()


class LetterReading(Reading):
    """A message as it would go out."""

    subject = serializers.CharField()
    text = serializers.CharField()
    html = serializers.CharField()


class LettersReading(Reading):
    """A message in both languages; null where nobody would get it."""

    zh = LetterReading(allow_null=True)
    en = LetterReading(allow_null=True)


class PreviewReading(Reading):
    """A rule tried out: who would be told, when, and exactly what."""

    readers = serializers.ListField(child=PreviewReaderReading())
    reader = serializers.UUIDField(allow_null=True)
    times = serializers.ListField(child=PreviewTimeReading())
    unsettled = _words()
    letters = LettersReading()


class ChaseReading(Reading):
    """A step due for a duty, and what became of it."""

    due_at = serializers.DateTimeField()
    told = serializers.ListField(child=serializers.CharField(), source="step.told")
    state = serializers.ChoiceField(choices=ReminderState.choices)
    fired_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()


class DutyReading(Reading):
    """What an organization owes an event; done once `done_at` is set."""

    class Meta:
        model = Duty

    uid = serializers.UUIDField()
    event = serializers.UUIDField(source="event.uid")
    organization = NamedOrganizationReading()
    kind = serializers.ChoiceField(choices=DutyKind.choices)
    due_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)
    dropped_at = serializers.DateTimeField(allow_null=True)
    standard = serializers.UUIDField(source="standard.uid", allow_null=True)
    steps = Rows(ChaseReading(), source="chases", order_by=("duty", "due_at", "pk"))
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class StandardDutyReading(Reading):
    """What every event of an alliance brings with it."""

    class Meta:
        model = StandardDuty

    uid = serializers.UUIDField()
    alliance = serializers.SlugField(source="alliance.slug")
    kind = serializers.ChoiceField(choices=DutyKind.choices)
    owed_by = serializers.ChoiceField(choices=OwedBy.choices)
    event_type = serializers.CharField()
    anchor = serializers.ChoiceField(choices=DutyAnchor.choices)
    offset = serializers.CharField()
    day_unit = serializers.ChoiceField(choices=DayUnit.choices)
    at_time = _clock_field("at_time")
    enabled = serializers.BooleanField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class ChaseStepReading(Reading):
    """A step by which an alliance chases what is owed."""

    class Meta:
        model = ChaseStep

    uid = serializers.UUIDField()
    alliance = serializers.SlugField(source="alliance.slug")
    kind = serializers.CharField()
    offset = serializers.CharField()
    day_unit = serializers.ChoiceField(choices=DayUnit.choices)
    at_time = _clock_field("at_time")
    told = _words()
    channels = _words()
    urgency = serializers.ChoiceField(choices=Urgency.choices)
    enabled = serializers.BooleanField()
    text = Localized("text")
    text_i18n = Texts("text")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class HolidayReading(Reading):
    """One marked day."""

    day = serializers.DateField()
    kind = serializers.ChoiceField(choices=["holiday", "workday"])
    name = serializers.CharField()
    name_i18n: Any = Texts("name")


class HolidaysReading(Reading):
    """A country's marked days of one year, and whether all of them are laid down."""

    country = serializers.CharField()
    year = serializers.IntegerField()
    is_settled = serializers.BooleanField()
    weekend = serializers.ListField(child=serializers.IntegerField())
    source = serializers.CharField()  # type: ignore[assignment]
    items = serializers.ListField(child=HolidayReading())
