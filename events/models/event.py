"""The event: from a line of a plan to something that was held."""

from __future__ import annotations

from datetime import datetime, time
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.columns import time_zone_field
from alliances.models import Alliance, Openness, Plan, PlanItem, PlanState, WorkArea
from alliances.models.plan import narrower, scopes_open_to
from coordination.changes.models import Tracked
from coordination.changes.refusals import TransitionNotAllowed, invalid
from events.calendar_event import Span
from events.columns import WallTimeField
from events.models.spans import possible
from events.models.states import ENDED_STATES, EventFormat, EventState
from events.querysets import EventQuerySet
from events.zones import wall_of


class Event(Tracked):
    """One event of an alliance.

    The time is what clocks in its zone show: `starts_wall`, `ends_wall` (exclusive) and
    `time_zone` are the truth; `starts_at` and `ends_at` (UTC, half-open) are derived. They are
    empty while it is planned, and while it is postponed without a new date.

    Attributes:
        audience: whom it is meant for; `openness` is whom it is open to now, which a plan that
            is not yet adopted or published narrows.
        window_starts_on: first day of the planned window; `window_ends_on` is the last, inclusive.
        previous_starts_wall: the time it had before it was postponed, with its end and zone.
        reason: why it was last moved, postponed or cancelled.
        sequence: raised whenever time, place or state changes (RFC 5546 section 2.1.4).
        ical_uid: its UID in every calendar, for life.
        dav_name: the last part of its address over CalDAV, for life.
        online_url: for members and the secretariat only, as is `contact`.
        notes: for the secretariat only.
        retired: a cancelled event of long ago that calendars no longer carry.
    """

    alliance = models.ForeignKey(
        Alliance, models.PROTECT, related_name="events", verbose_name=_("alliance")
    )
    plan = models.ForeignKey(
        Plan, models.PROTECT, null=True, blank=True, related_name="events", verbose_name=_("plan")
    )
    work_area = models.ForeignKey(
        WorkArea,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        verbose_name=_("work area"),
    )
    plan_item = models.ForeignKey(
        PlanItem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        verbose_name=_("plan line"),
    )
    occurrence = models.PositiveIntegerField(_("occurrence"), default=1)
    title_zh = models.CharField(_("title in Chinese"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    description_zh = models.TextField(_("description in Chinese"), blank=True, max_length=8000)
    description_en = models.TextField(_("description in English"), blank=True, max_length=8000)
    type_text = models.CharField(_("type of event"), max_length=100, blank=True)
    participants_text = models.CharField(_("participants"), max_length=1000, blank=True)
    state = models.CharField(
        _("state"), max_length=20, choices=EventState.choices, default=EventState.PLANNED
    )
    audience = models.CharField(
        _("meant for"), max_length=20, choices=Openness.choices, default=Openness.MEMBERS
    )
    openness = models.CharField(
        _("open to"),
        max_length=20,
        choices=Openness.choices,
        default=Openness.SECRETARIAT,
        editable=False,
    )
    format = models.CharField(
        _("format"), max_length=20, choices=EventFormat.choices, default=EventFormat.ONSITE
    )
    window_text = models.CharField(_("time as written"), max_length=200, blank=True)
    window_precision = models.CharField(_("precision"), max_length=20, default="unknown")
    window_starts_on = models.DateField(_("window's first day"), null=True, blank=True)
    window_ends_on = models.DateField(_("window's last day"), null=True, blank=True)
    starts_wall = WallTimeField(_("starts"), null=True, blank=True)
    ends_wall = WallTimeField(_("ends"), null=True, blank=True)
    time_zone = time_zone_field()
    all_day = models.BooleanField(_("all day"), default=False)
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True, editable=False)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True, editable=False)
    tzdata_version = models.CharField(max_length=20, blank=True, editable=False)
    previous_starts_wall = WallTimeField(_("originally from"), null=True, blank=True)
    previous_ends_wall = WallTimeField(_("originally until"), null=True, blank=True)
    previous_time_zone = models.CharField(_("original time zone"), max_length=64, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    ical_uid = models.CharField(max_length=255, unique=True, editable=False)
    dav_name = models.CharField(max_length=255, unique=True, editable=False)
    place_zh = models.CharField(_("place in Chinese"), max_length=300, blank=True)
    place_en = models.CharField(_("place in English"), max_length=300, blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)
    latitude = models.DecimalField(
        _("latitude"),
        max_digits=8,
        decimal_places=5,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    longitude = models.DecimalField(
        _("longitude"),
        max_digits=8,
        decimal_places=5,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    online_url = models.URLField(_("online link"), blank=True, max_length=500)
    contact = models.CharField(_("contact"), max_length=300, blank=True)
    notes = models.TextField(_("internal notes"), blank=True, max_length=4000)
    outcome_zh = models.TextField(_("outcome in Chinese"), blank=True, max_length=8000)
    outcome_en = models.TextField(_("outcome in English"), blank=True, max_length=8000)
    attendance = models.PositiveIntegerField(_("people present"), null=True, blank=True)
    held_on = models.DateField(_("held on"), null=True, blank=True)
    cancelled_on = models.DateField(_("cancelled on"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=300, blank=True)
    illustrative = models.BooleanField(_("illustrative"), default=False)
    retired = models.BooleanField(default=False, editable=False)

    objects = EventQuerySet.as_manager()
    part_names: ClassVar = ("hosts", "co_hosts", "named")
    database_promises: ClassVar = {
        "plan_item_makes_each_occurrence_once": (
            "occurrence",
            _("The plan line has an event for this occurrence already."),
        )
    }

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["starts_at", "id"], name="event_by_start"),
            models.Index(fields=["alliance", "starts_at", "id"], name="event_by_alliance_start"),
            models.Index(fields=["openness", "starts_at", "id"], name="event_by_openness_start"),
            models.Index(
                fields=["alliance", "openness", "starts_at", "id"],
                name="event_by_alliance_openness",
            ),
            models.Index(fields=["openness", "id"], name="event_by_openness"),
            models.Index(fields=["plan", "id"], name="event_by_plan"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(starts_at__isnull=True, ends_at__isnull=True)
                | models.Q(starts_at__lt=models.F("ends_at")),
                name="event_ends_after_it_starts",
                violation_error_message=_("The end must be after the beginning."),
            ),
            models.CheckConstraint(
                condition=models.Q(state="planned", starts_at__isnull=True)
                | models.Q(state__in=["postponed", "cancelled"])
                | models.Q(state__in=["scheduled", "confirmed", "held"], starts_at__isnull=False),
                name="event_has_a_time_once_scheduled",
                violation_error_message=_("An event has a time once it is scheduled."),
            ),
            models.CheckConstraint(
                condition=models.Q(latitude__isnull=True, longitude__isnull=True)
                | models.Q(latitude__isnull=False, longitude__isnull=False),
                name="event_has_both_coordinates_or_none",
                violation_error_message=_("Give both latitude and longitude, or neither."),
            ),
            models.CheckConstraint(
                condition=~models.Q(title_zh="", title_en=""),
                name="event_has_a_title",
                violation_error_message=_("Give a title in Chinese or in English."),
            ),
            models.UniqueConstraint(
                fields=["plan_item", "occurrence"],
                name="plan_item_makes_each_occurrence_once",
            ),
        ]

    def __str__(self) -> str:
        return self.title_zh or self.title_en

    @property
    def span(self) -> Span | None:
        """The agreed time, or None."""
        if self.starts_wall is None or self.ends_wall is None:
            return None
        return Span(
            starts=self.starts_wall,
            ends=self.ends_wall,
            zone=self.time_zone,
            is_all_day=self.all_day,
        )

    @property
    def previous_span(self) -> Span | None:
        """The time it had before it was postponed, or None; midnight to midnight is whole days."""
        if self.previous_starts_wall is None or self.previous_ends_wall is None:
            return None
        clocks = {self.previous_starts_wall.time(), self.previous_ends_wall.time()}
        return Span(
            starts=self.previous_starts_wall,
            ends=self.previous_ends_wall,
            zone=self.previous_time_zone or self.time_zone,
            is_all_day=clocks == {time()},
        )

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED_STATES

    def has_begun(self, at: datetime) -> bool:
        """Whether it was held, or its time has come and it is still on."""
        if self.state == EventState.HELD:
            return True
        on = self.state != EventState.CANCELLED
        return on and self.starts_at is not None and self.starts_at <= at

    def set_span(self, span: Span | None, *, tzdata_version: str) -> None:
        """Take a time, or none, and derive its instants.

        Raises:
            InvalidInput: it ends before it starts, lasts more than a year, lies out of reach of
                calendars, or its zone is not known.
        """
        if span is None:
            self.starts_wall = self.ends_wall = self.starts_at = self.ends_at = None
            return
        span = possible(span)
        self.starts_wall, self.ends_wall = span.starts, span.ends
        self.time_zone, self.all_day = span.zone, span.is_all_day
        self.starts_at, self.ends_at = span.starts_at, span.ends_at
        self.tzdata_version = tzdata_version

    def schedule(self, span: Span, *, reason: str, tzdata_version: str) -> None:
        """Set or move the time. A confirmed event that moves stays confirmed.

        Raises:
            TransitionNotAllowed: it was held or cancelled.
            InvalidInput: the time is not possible, or a date that is out needs a reason to move.
        """
        self._refuse_when_over()
        if self.state in (EventState.CONFIRMED, EventState.POSTPONED) and not reason.strip():
            raise invalid("reason", _("Say why the time changes."), code="reason_required")
        self.set_span(span, tzdata_version=tzdata_version)
        if self.state in (EventState.PLANNED, EventState.POSTPONED):
            self.state = EventState.SCHEDULED
        self.reason = reason
        self.sequence += 1

    def confirm(self) -> None:
        """Confirm the time.

        Raises:
            TransitionNotAllowed: it has no time, is confirmed already, or is over.
        """
        self._refuse_when_over()
        if self.starts_wall is None:
            raise TransitionNotAllowed(
                _("It has no time yet. Schedule it first."), code="not_scheduled"
            )
        if self.state == EventState.CONFIRMED:
            raise TransitionNotAllowed(_("It is confirmed already."))
        self.state = EventState.CONFIRMED
        self.sequence += 1

    def postpone(self, span: Span | None, *, reason: str, tzdata_version: str) -> None:
        """Put it off to a new time, or until further notice; the old time is kept.

        Raises:
            TransitionNotAllowed: it has no time yet, or is over.
            InvalidInput: no reason, or the time is not possible.
        """
        self._refuse_when_over()
        if self.state == EventState.PLANNED:
            raise TransitionNotAllowed(
                _("It has no time yet, so it cannot be postponed. Change the plan line instead."),
                code="not_scheduled",
            )
        if not reason.strip():
            raise invalid("reason", _("Say why it is postponed."), code="reason_required")
        starts, ends, zone = self.starts_wall, self.ends_wall, self.time_zone
        self.set_span(span, tzdata_version=tzdata_version)
        if starts is not None:
            self.previous_starts_wall, self.previous_ends_wall = starts, ends
            self.previous_time_zone = zone
        self.state, self.reason = EventState.POSTPONED, reason
        self.sequence += 1

    def cancel(self, *, reason: str, at: datetime) -> None:
        """Call it off; its time stays, to be shown struck through.

        Raises:
            TransitionNotAllowed: it was held, or is cancelled already.
            InvalidInput: no reason.
        """
        self._refuse_when_over()
        if not reason.strip():
            raise invalid("reason", _("Say why it is cancelled."), code="reason_required")
        self.state, self.reason = EventState.CANCELLED, reason
        self.cancelled_on = wall_of(at, self.time_zone).date()
        self.sequence += 1

    def conclude(self, *, at: datetime) -> None:
        """Record that it was held.

        Raises:
            TransitionNotAllowed: it has no time, has not begun, or is over.
        """
        self._refuse_when_over()
        if self.starts_at is None or self.starts_wall is None:
            raise TransitionNotAllowed(
                _("It has no time yet. Schedule it first."), code="not_scheduled"
            )
        if self.starts_at > at:
            raise TransitionNotAllowed(_("It has not begun yet."), code="not_begun")
        self.state, self.held_on = EventState.HELD, self.starts_wall.date()
        self.sequence += 1

    def settle_openness(self) -> None:
        """Derive whom it is open to: its audience, narrowed by the state of its plan."""
        if self.audience not in Openness.values:
            return  # the audience is refused when it is saved
        if self.plan is None:
            limit: str = Openness.PUBLIC
        elif self.plan.state == PlanState.DRAFT or self._is_new_in_plan():
            limit = Openness.SECRETARIAT
        else:
            limit = self.plan.openness
        self.openness = narrower(self.audience, limit)

    def concerned_scopes(self) -> set[str]:
        """The owner's circle, the co-hosting alliances' and the organizations named."""
        organizations = {
            f"organization:{row.organization_id}"
            for name in ("hosts", "named")
            for row in self.part_rows(name)
            if row.organization_id is not None
        }
        scopes = scopes_open_to(self.openness, self.alliance_id)
        if self.openness == Openness.SECRETARIAT:
            return scopes
        for row in self.part_rows("co_hosts"):
            scopes |= scopes_open_to(self.openness, row.alliance_id)
        return scopes | organizations

    def _is_new_in_plan(self) -> bool:
        """Whether its line waits for the next edition."""
        return self.plan_item is not None and self.plan_item.since_edition is None

    def _refuse_when_over(self) -> None:
        if self.state == EventState.HELD:
            raise TransitionNotAllowed(_("It was held; what happened stays."), code="held")
        if self.state == EventState.CANCELLED:
            raise TransitionNotAllowed(
                _("It was cancelled. Make a new event instead."), code="cancelled"
            )
