"""What may come in about reminder rules, standard duties and steps of chasing, cleaned."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from coordination.rest.inputs import Input, Reference, Text
from events.api.inputs import Instant, Moment
from events.chasing import TOLD
from events.dues import MOST_TIMES
from events.models import (
    Anchor,
    Clock,
    DayUnit,
    DutyAnchor,
    DutyKind,
    OwedBy,
    RepeatWhile,
    Urgency,
    WorkdaysOf,
)
from events.reminding import ANSWERS, AUDIENCES, CHANNELS, MEMBER_ROLES, ROLES

LONGEST_MINUTES = 527_040
DISTANCE = "Signed ISO 8601 duration: -P7D, -PT2H."


def _choices(allowed: Any, **options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.ChoiceField(choices=allowed),
        required=False,
        max_length=len(allowed),
        **options,
    )


def _words() -> serializers.ListField:
    child = serializers.CharField(max_length=60)
    return serializers.ListField(child=child, required=False, max_length=50)


@extend_schema_field({"type": "string", "pattern": r"^\d\d:\d\d$"})
class ClockTime(serializers.TimeField):
    """A time of day on the wall, to the minute: "09:00". It has no offset (unlike RFC 3339)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **options)


@extend_schema_field({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d$"})
class WallTime(Moment):
    """A date and a time as clocks show them, without an offset: "2028-05-14T09:30"."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the naive time; one with an offset is none."""
        found = super().to_internal_value(data)
        if found.tzinfo is not None:
            self.fail("invalid")
        return found


class ReminderRuleInput(Input):
    """When, and whom, to remind."""

    texts = {"text": 2000}
    joins = serializers.BooleanField(required=False)
    overrides = Reference("events.ReminderRule", required=False, allow_null=True)
    offset = Text(max_length=20, help_text=DISTANCE)
    anchor = serializers.ChoiceField(required=False, choices=Anchor.choices)
    at_time = ClockTime(required=False, allow_null=True)
    clock = serializers.ChoiceField(required=False, choices=Clock.choices)
    day_unit = serializers.ChoiceField(required=False, choices=DayUnit.choices)
    workdays_of = serializers.ChoiceField(required=False, choices=WorkdaysOf.choices)
    at_wall = WallTime(required=False, allow_null=True)
    at_zone = Text(max_length=64)
    repeat_every = Text(max_length=20, help_text="ISO 8601 duration: P2D.")
    repeat_until = Text(max_length=20, help_text=DISTANCE)
    repeat_times = serializers.IntegerField(required=False, min_value=1, max_value=MOST_TIMES)
    repeat_while = serializers.ChoiceField(required=False, choices=RepeatWhile.choices)
    audience = _choices(AUDIENCES, min_length=1)
    roles = _choices(ROLES)
    tiers = _words()
    member_roles = _choices(MEMBER_ROLES)
    tags = _words()
    organizations = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=200
    )
    answers = _choices(ANSWERS)
    channels = _choices(CHANNELS, min_length=1)
    urgency = serializers.ChoiceField(required=False, choices=Urgency.choices)
    respects_quiet = serializers.BooleanField(required=False)
    quiet_from = ClockTime(required=False)
    quiet_until = ClockTime(required=False)
    min_useful_minutes = serializers.IntegerField(
        required=False, min_value=0, max_value=LONGEST_MINUTES
    )
    grace_minutes = serializers.IntegerField(required=False, min_value=0, max_value=LONGEST_MINUTES)
    never_twice = serializers.BooleanField(required=False)
    rearm_on_move = serializers.BooleanField(required=False)
    enabled = serializers.BooleanField(required=False)

    def to_internal_value(self, data: Any) -> Any:
        """Return the values by column; organizations by their ids as text."""
        values = super().to_internal_value(data)
        if "organizations" in values:
            values["organizations"] = [str(uid) for uid in values["organizations"]]
        return values


class NewReminderRule(ReminderRuleInput):
    """A new rule, and the one thing it stands on."""

    alliance = serializers.SlugField(required=False, allow_null=True, max_length=50)
    plan = serializers.UUIDField(required=False, allow_null=True)
    work_area = serializers.UUIDField(required=False, allow_null=True)
    event = serializers.UUIDField(required=False, allow_null=True)
    event_type = Text(max_length=100, help_text="With an alliance: only events of this type.")


class PreviewInput(Input):
    """A rule to try out for one event: a saved one, or one made up here; and for whom."""

    rule = Reference("events.ReminderRule", required=False, allow_null=True)
    draft = ReminderRuleInput(required=False)
    reader = serializers.UUIDField(
        required=False, allow_null=True, help_text="A person; the first reminded when left out."
    )


class DutyInput(Input):
    """What an organization owes, and by when."""

    organization = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=DutyKind.choices)
    due_at = Instant()


class DutyChange(Input):
    """Another date."""

    due_at = Instant(required=False)


class StandardDutyChange(Input):
    """What every event of an alliance brings with it."""

    owed_by = serializers.ChoiceField(required=False, choices=OwedBy.choices)
    event_type = Text(max_length=100)
    anchor = serializers.ChoiceField(required=False, choices=DutyAnchor.choices)
    offset = serializers.CharField(max_length=20, help_text=DISTANCE)
    day_unit = serializers.ChoiceField(required=False, choices=DayUnit.choices)
    at_time = ClockTime(required=False)
    enabled = serializers.BooleanField(required=False)


class StandardDutyInput(StandardDutyChange):
    """A new standard duty."""

    alliance = Reference("alliances.Alliance", by="slug")
    kind = serializers.ChoiceField(choices=DutyKind.choices)


class ChaseStepChange(Input):
    """A step by which an alliance chases what is owed."""

    texts = {"text": 2000}
    kind = serializers.ChoiceField(
        required=False, allow_blank=True, choices=DutyKind.choices, help_text="Empty for all."
    )
    offset = serializers.CharField(max_length=20, help_text=DISTANCE)
    day_unit = serializers.ChoiceField(required=False, choices=DayUnit.choices)
    at_time = ClockTime(required=False, allow_null=True)
    told = _choices(TOLD, min_length=1)
    channels = _choices(CHANNELS[:2], min_length=1)
    urgency = serializers.ChoiceField(required=False, choices=Urgency.choices)
    enabled = serializers.BooleanField(required=False)


class ChaseStepInput(ChaseStepChange):
    """A new step."""

    alliance = Reference("alliances.Alliance", by="slug")
