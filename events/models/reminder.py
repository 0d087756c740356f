"""Reminder rules, and the reminders that fall due from them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, MembershipRole, Plan, SeatRole, WorkArea
from coordination.changes.models import Tracked
from events.columns import WallTimeField
from events.dues import MOST_TIMES, Timing
from events.models.event import Event
from events.models.invitation import AnswerState
from events.offsets import Offset, read_offset
from events.querysets import ReminderRuleQuerySet
from events.quiet import QuietHours

AUDIENCE_WORDS = {
    "hosts": _("hosts"),
    "members": _("members"),
    "named": _("the organizations named"),
    "invited": _("the organizations invited"),
    "chosen": _("chosen organizations"),
    "bodies": _("the alliance's bodies"),
    "secretariat": _("the secretariat"),
}
CHANNEL_WORDS = {
    "email": _("e-mail"),
    "inbox": _("inbox"),
    "wecom": _("WeCom group"),
    "dingtalk": _("DingTalk group"),
    "feishu": _("Feishu group"),
}
OWNERS = ("alliance", "plan", "work_area", "event")
LEAST_GRACE = timedelta(minutes=1)
ANSWER_WORDS = dict(AnswerState.choices) | {"not_invited": _("not invited")}


def _stands_only_on(owner: str) -> models.Q:
    """Return the condition that of all owners only this one is set."""
    return models.Q(**{f"{name}__isnull": name != owner for name in OWNERS})


class Anchor(models.TextChoices):
    """From where an offset counts."""

    START = "start", _("the beginning")
    END = "end", _("the end")


class Clock(models.TextChoices):
    """On whose clock a time of day is read."""

    EVENT = "event", _("the event's clock")
    READER = "reader", _("each reader's clock")


class DayUnit(models.TextChoices):
    """Which days an offset counts."""

    CALENDAR = "calendar", _("calendar days")
    WORKING = "working", _("working days")


class WorkdaysOf(models.TextChoices):
    """Whose working days are counted."""

    ALLIANCE = "alliance", _("the alliance's country")
    HOSTS = "hosts", _("all hosts' countries together")
    READER = "reader", _("the country of each reader's organization")


class RepeatWhile(models.TextChoices):
    """On which condition a reminder repeats."""

    ALWAYS = "always", _("every time")
    UNANSWERED = "unanswered", _("as long as there is no answer")


class Urgency(models.TextChoices):
    """Whether it may break into quiet hours when nothing else is left."""

    NORMAL = "normal", _("normal")
    URGENT = "urgent", _("urgent")


class ReminderRule(Tracked):
    """When, and whom, to remind of an event (提醒规则).

    It stands on an alliance (for all events, or for one type of event), a plan, a work area or
    one event. The nearest level that has rules counts: those of an event replace those of its
    work area, and so on outward; but a rule that `joins` is added to those inherited, and one
    that `overrides` another stands in for that one alone.

    Attributes:
        event_type: on an alliance: only events of this type; "" for all.
        joins: added to inherited rules instead of replacing them.
        overrides: the inherited rule in whose place it stands; not `enabled`, it silences it.
        offset: signed ISO 8601 duration from the anchor, "-P7D", "-PT1H". Days are nominal in
            the event's zone, hours exact (RFC 5545 section 3.3.6). "" with a fixed time.
        at_time: time of day for offsets in days; None keeps the event's own.
        clock: whose clock `at_time` is on.
        day_unit: whether days of offsets are working days; `workdays_of` says whose.
        at_wall: a fixed time instead of an offset, on the clocks of `at_zone`.
        repeat_every: distance between repetitions, "P2D"; "" for once. Its days are of the
            rule's unit.
        repeat_until: last offset from the anchor at which it may repeat, "-P1D"; "" for none.
        repeat_times: how often at most, the first included.
        audience: list of "hosts", "members", "named", "invited", "chosen", "bodies",
            "secretariat".
        roles: seats that are told; empty for liaison officers and their deputies.
        tiers, member_roles, tags: only organizations whose membership has one of them.
        organizations: outside ids; the audience "chosen", or where that isn't wanted, a limit.
        answers: only organizations whose invitation is in one of these states.
        channels: list of channels' names.
        quiet_from, quiet_until: quiet hours by the reader's clock, where `respects_quiet`; a
            reader's own come before them.
        min_useful_minutes: it is worth reading only so long before the event begins.
        grace_minutes: how late it may still go out after a standstill, see `is_too_late`.
        never_twice: rather held back than sent again when it is unknown whether it went out.
    """

    alliance = models.ForeignKey(
        Alliance,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reminder_rules",
        verbose_name=_("alliance"),
    )
    plan = models.ForeignKey(
        Plan,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reminder_rules",
        verbose_name=_("plan"),
    )
    work_area = models.ForeignKey(
        WorkArea,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reminder_rules",
        verbose_name=_("work area"),
    )
    event = models.ForeignKey(
        Event,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reminder_rules",
        verbose_name=_("event"),
    )
    event_type = models.CharField(_("only events of type"), max_length=100, blank=True)
    joins = models.BooleanField(_("in addition to inherited rules"), default=False)
    overrides = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="overridden_by",
        verbose_name=_("in place of"),
    )
    offset = models.CharField(_("offset"), max_length=20, blank=True)
    anchor = models.CharField(
        _("counted from"), max_length=10, choices=Anchor.choices, default=Anchor.START
    )
    at_time = models.TimeField(_("at"), null=True, blank=True)
    clock = models.CharField(_("clock"), max_length=10, choices=Clock.choices, default=Clock.EVENT)
    day_unit = models.CharField(
        _("days are"), max_length=10, choices=DayUnit.choices, default=DayUnit.CALENDAR
    )
    workdays_of = models.CharField(
        _("working days of"),
        max_length=10,
        choices=WorkdaysOf.choices,
        default=WorkdaysOf.ALLIANCE,
    )
    at_wall = WallTimeField(_("fixed time"), null=True, blank=True)
    at_zone = models.CharField(_("zone of the fixed time"), max_length=64, blank=True)
    repeat_every = models.CharField(_("repeated every"), max_length=20, blank=True)
    repeat_until = models.CharField(_("repeated until"), max_length=20, blank=True)
    repeat_times = models.PositiveSmallIntegerField(
        _("times at most"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_TIMES)],
    )
    repeat_while = models.CharField(
        _("repeated"), max_length=12, choices=RepeatWhile.choices, default=RepeatWhile.ALWAYS
    )
    audience = models.JSONField(_("who is reminded"), default=list)
    roles = models.JSONField(_("seats"), default=list, blank=True)
    tiers = models.JSONField(_("tiers"), default=list, blank=True)
    member_roles = models.JSONField(_("roles of members"), default=list, blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    organizations = models.JSONField(_("organizations"), default=list, blank=True)
    answers = models.JSONField(_("answers"), default=list, blank=True)
    channels = models.JSONField(_("channels"), default=list)
    urgency = models.CharField(
        _("urgency"), max_length=10, choices=Urgency.choices, default=Urgency.NORMAL
    )
    respects_quiet = models.BooleanField(_("keeps quiet hours"), default=True)
    quiet_from = models.TimeField(_("quiet from"), default=time(22))
    quiet_until = models.TimeField(_("quiet until"), default=time(7))
    min_useful_minutes = models.PositiveIntegerField(_("minutes before that it helps"), default=60)
    never_twice = models.BooleanField(_("never twice"), default=False)
    grace_minutes = models.PositiveIntegerField(_("may be late by minutes"), default=1440)
    rearm_on_move = models.BooleanField(_("again when the event moves"), default=True)
    enabled = models.BooleanField(_("in use"), default=True)
    text_zh = models.TextField(_("own words in Chinese"), blank=True, max_length=2000)
    text_en = models.TextField(_("own words in English"), blank=True, max_length=2000)

    objects = ReminderRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("reminder rule")
        verbose_name_plural = _("reminder rules")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=reduce(or_, map(_stands_only_on, OWNERS)),
                name="reminder_rule_stands_on_one_thing",
                violation_error_message=_(
                    "A rule stands on an alliance, a plan, a work area or an event: name one."
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(event_type="") | models.Q(alliance__isnull=False),
                name="reminder_rule_for_a_type_stands_on_an_alliance",
                violation_error_message=_("A rule for a type of event stands on the alliance."),
            ),
            models.CheckConstraint(
                condition=models.Q(offset="", at_wall__isnull=False)
                | (~models.Q(offset="") & models.Q(at_wall__isnull=True)),
                name="reminder_rule_has_an_offset_or_a_fixed_time",
                violation_error_message=_("Give a distance or a fixed time, one of both."),
            ),
        ]

    def __str__(self) -> str:
        return self.offset or str(self.at_wall)

    @classmethod
    def value_in_words(cls, name: str, value: Any) -> str:
        """Say who is reminded, and how."""
        known = {
            "audience": AUDIENCE_WORDS,
            "channels": CHANNEL_WORDS,
            "answers": ANSWER_WORDS,
            "roles": dict(SeatRole.choices),
            "member_roles": dict(MembershipRole.choices),
        }.get(name)
        if known is None or not isinstance(value, list):
            return ""
        return gettext("; ").join(str(known.get(word, word)) for word in value)

    @property
    def owner(self) -> Alliance | Plan | WorkArea | Event:
        """What the rule stands on."""
        for name in OWNERS:
            if getattr(self, f"{name}_id") is not None:
                found: Alliance | Plan | WorkArea | Event = getattr(self, name)
                return found
        raise ValueError("a rule stands on one thing")

    @property
    def level(self) -> str:
        """The level it stands on: "event", "type", "work_area", "plan" or "alliance"."""
        if self.event_type:
            return "type"
        return next(name for name in OWNERS if getattr(self, f"{name}_id") is not None)

    @property
    def timing(self) -> Timing:
        """When it falls due, as arithmetic takes it; a fixed time lies no distance from itself."""
        return Timing(
            offset=read_offset(self.offset) if self.offset else Offset(0, 0),
            at_time=None if self.at_wall is not None else self.at_time,
            by_reader=self.clock == Clock.READER and self.at_wall is None,
            in_working_days=self.day_unit == DayUnit.WORKING and self.at_wall is None,
            every=read_offset(self.repeat_every) if self.repeat_every else None,
            until=read_offset(self.repeat_until) if self.repeat_until else None,
            times=self.repeat_times,
        )

    @property
    def is_for_answers(self) -> bool:
        """Whether it repeats as long as there is no answer."""
        return self.repeat_every != "" and self.repeat_while == RepeatWhile.UNANSWERED

    @property
    def quiet_hours(self) -> QuietHours | None:
        """The quiet hours it keeps for readers who named none; None when it keeps none."""
        if not self.respects_quiet:
            return None
        return QuietHours(self.quiet_from, self.quiet_until)

    @property
    def min_useful(self) -> timedelta:
        """How long before the event begins it is still worth reading."""
        return timedelta(minutes=self.min_useful_minutes)

    @property
    def grace(self) -> timedelta:
        """How late it may still go out: at least a minute, for times of rules are whole minutes."""
        return max(timedelta(minutes=self.grace_minutes), LEAST_GRACE)

    def is_too_late(self, due: datetime, at: datetime) -> bool:
        """Whether what fell due is late by more than the grace."""
        return due < at - self.grace

    def too_late_by(self, at: datetime) -> datetime:
        """Return the last instant that is too late: what fell due after it may still go out."""
        return at - self.grace - datetime.resolution

    @property
    def alliance_key(self) -> int:
        """The key of the alliance whose secretariat keeps the rule."""
        owner = self.owner
        if isinstance(owner, Alliance):
            return owner.pk
        return owner.plan.alliance_id if isinstance(owner, WorkArea) else owner.alliance_id

    def concerned_scopes(self) -> set[str]:
        """The secretariat's business."""
        return {f"alliance:{self.alliance_key}:secretariat"}


class ReminderState(models.TextChoices):
    """What became of a reminder."""

    PENDING = "pending", _("pending")
    FIRED = "fired", _("fired")
    SKIPPED = "skipped", _("skipped")
    CANCELLED = "cancelled", _("no longer needed")


class Reminder(models.Model):
    """One reminder that falls due: a rule applied to an event. Derived, so not tracked.

    Attributes:
        due_at: instant, UTC, at which it fires: who is told, and when, is settled then. It is
            derived from the event's wall time; where each reader's clock counts, or quiet hours
            may bring it forward, it lies before the first reader's time.
        nominal_at: the instant by the event's clock, for people; None for `due_at`.
        occurrence: which time it is of a rule that repeats; it is raised as each fires.
        armed_at: set or moved at this instant; readers whose time was over by then aren't told.
        retimed_at: its rule was given another time at this instant; whoever had heard it by then
            is not told again at a time that was over.
        generation: raised when it fires again because the event moved.
        note: why it was skipped.
    """

    event = models.ForeignKey(Event, models.CASCADE, related_name="reminders")
    rule = models.ForeignKey(ReminderRule, models.CASCADE, related_name="reminders")
    due_at = models.DateTimeField(_("due"))
    nominal_at = models.DateTimeField(null=True, blank=True)
    occurrence = models.PositiveSmallIntegerField(default=1, db_default=1)
    armed_at = models.DateTimeField(null=True, blank=True)
    retimed_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(
        max_length=20, choices=ReminderState.choices, default=ReminderState.PENDING
    )
    generation = models.PositiveIntegerField(default=1)
    fired_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ["due_at", "pk"]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state="pending"), name="reminder_still_due"
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "rule"], name="rule_reminds_of_an_event_once")
        ]

    def __str__(self) -> str:
        return f"{self.event} · {self.due_at}"

    @property
    def shown_at(self) -> datetime:
        """The instant that people are told."""
        return self.nominal_at or self.due_at
