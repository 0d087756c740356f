"""Plans: a period, its areas of work, and lines whose times are known more or less precisely."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.models.alliance import Alliance
from alliances.models.organization import Organization
from alliances.querysets import PlanItemQuerySet, PlanQuerySet, WorkAreaQuerySet
from coordination.changes.models import GuardedQuerySet, Part, Tracked
from coordination.changes.refusals import TransitionNotAllowed, invalid


class PlanKind(models.TextChoices):
    """An alliance's plan of a year, or a campaign with themes and many organizers."""

    ANNUAL = "annual", _("annual plan")
    CAMPAIGN = "campaign", _("campaign")


class PlanState(models.TextChoices):
    """How far a plan has come. Once adopted it is a record that is issued in editions."""

    DRAFT = "draft", _("draft")
    ADOPTED = "adopted", _("adopted")
    PUBLISHED = "published", _("published")
    CLOSED = "closed", _("closed")


class Openness(models.TextChoices):
    """To whom something is open, from the narrowest circle to the widest."""

    SECRETARIAT = "secretariat", _("the secretariat")
    ORGANIZATIONS = "organizations", _("the organizations named")
    MEMBERS = "members", _("members")
    PUBLIC = "public", _("everyone")


OPENNESS_ORDER = [choice.value for choice in Openness]


def narrower(first: str, second: str) -> str:
    """Return the narrower of two circles."""
    return min(first, second, key=OPENNESS_ORDER.index)


MOST_WINDOWS = 1000
"""Times that one line can be held: thrice as many as days in a year."""


class Plan(Tracked):
    """An annual plan or a campaign of one alliance.

    Attributes:
        slug: its address within the alliance; the year for an annual plan.
        starts_on: first day of its period.
        ends_on: last day of its period (inclusive).
        target_number: how many events it sets, when it says so.
        edition: number of the edition last adopted; 0 while it is a first draft.
        openness: who may see it; follows the state.
    """

    alliance = models.ForeignKey(
        Alliance, models.PROTECT, related_name="plans", verbose_name=_("alliance")
    )
    kind = models.CharField(
        _("kind"), max_length=20, choices=PlanKind.choices, default=PlanKind.ANNUAL
    )
    slug = models.CharField(
        _("short address"),
        max_length=50,
        validators=[
            RegexValidator(
                r"^[a-z0-9]+(-[a-z0-9]+)*\Z", _("Use small letters, digits and hyphens.")
            )
        ],
    )
    year = models.PositiveSmallIntegerField(
        _("year"), validators=[MinValueValidator(1990), MaxValueValidator(2200)]
    )
    title_zh = models.CharField(_("title in Chinese"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    note = models.TextField(_("note under the title"), blank=True, max_length=2000)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    document_number = models.CharField(_("document number"), max_length=100, blank=True)
    target_number = models.PositiveIntegerField(_("target number of events"), null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=20, choices=PlanState.choices, default=PlanState.DRAFT
    )
    openness = models.CharField(
        _("open to"), max_length=20, choices=Openness.choices, default=Openness.SECRETARIAT
    )
    edition = models.PositiveIntegerField(_("edition"), default=0)
    adopted_on = models.DateField(_("adopted on"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=300, blank=True)
    illustrative = models.BooleanField(_("illustrative"), default=False)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["-year", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["alliance", "slug"],
                name="plan_address_is_unique_in_its_alliance",
                violation_error_message=_("This alliance has a plan with this address already."),
            ),
            models.CheckConstraint(
                condition=models.Q(starts_on__lte=models.F("ends_on")),
                name="plan_ends_after_it_starts",
                violation_error_message=_("The last day must not be before the first."),
            ),
            models.CheckConstraint(
                condition=~models.Q(title_zh="", title_en=""),
                name="plan_has_a_title",
                violation_error_message=_("Give a title in Chinese or in English."),
            ),
        ]

    def __str__(self) -> str:
        return self.title_zh or self.title_en

    @property
    def is_adopted(self) -> bool:
        """Whether changes need a reason and make the next edition."""
        return self.edition > 0

    def adopt(self, *, on: date) -> None:
        """Make the next edition the valid one.

        Raises:
            TransitionNotAllowed: the plan is closed.
        """
        self._refuse_when_closed()
        self.edition += 1
        if self.state == PlanState.DRAFT:
            self.state, self.adopted_on = PlanState.ADOPTED, on
            self.openness = Openness.MEMBERS

    def publish(self) -> None:
        """Open an adopted plan to everyone.

        Raises:
            TransitionNotAllowed: it is a draft, published already, or closed.
        """
        self._refuse_when_closed()
        if self.state != PlanState.ADOPTED:
            raise TransitionNotAllowed(_("Only an adopted plan can be published."))
        self.state, self.openness = PlanState.PUBLISHED, Openness.PUBLIC

    def close(self) -> None:
        """Close the plan: no more changes.

        Raises:
            TransitionNotAllowed: it was never adopted, or is closed already.
        """
        self._refuse_when_closed()
        if self.state == PlanState.DRAFT:
            raise TransitionNotAllowed(_("A draft cannot be closed. Adopt it first."))
        self.state = PlanState.CLOSED

    def _refuse_when_closed(self) -> None:
        if self.state == PlanState.CLOSED:
            raise TransitionNotAllowed(
                _("The plan is closed and cannot be changed. Carry its lines over into the next."),
                code="plan_closed",
            )

    def concerned_scopes(self) -> set[str]:
        """The circle that the state opens the plan to."""
        return scopes_open_to(self.openness, self.alliance_id)


def scopes_open_to(openness: str, alliance_id: int) -> set[str]:
    """Return the scopes of an alliance's circle; the narrower circles are inside the wider."""
    scopes = {f"alliance:{alliance_id}:secretariat"}
    if openness in (Openness.MEMBERS, Openness.PUBLIC):
        scopes.add(f"alliance:{alliance_id}:members")
    if openness == Openness.PUBLIC:
        scopes.add("public")
    return scopes


class WorkArea(Tracked):
    """An area of work (工作方面) of a plan, or a theme of a campaign. `color` is 1 to 8."""

    plan = models.ForeignKey(
        Plan, models.PROTECT, related_name="work_areas", verbose_name=_("plan")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    name_zh = models.CharField(_("name in Chinese"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    color = models.PositiveSmallIntegerField(
        _("colour"), default=1, validators=[MinValueValidator(1), MaxValueValidator(8)]
    )

    objects = WorkAreaQuerySet.as_manager()

    class Meta:
        verbose_name = _("work area")
        verbose_name_plural = _("work areas")
        ordering = ["plan", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "position"],
                name="work_area_position_is_unique_in_its_plan",
                violation_error_message=_("Another work area stands at this position."),
            ),
            models.CheckConstraint(
                condition=~models.Q(name_zh="", name_en=""),
                name="work_area_has_a_name",
                violation_error_message=_("Give a name in Chinese or in English."),
            ),
        ]

    def __str__(self) -> str:
        return self.name_zh or self.name_en

    def concerned_scopes(self) -> set[str]:
        """As the plan."""
        return self.plan.concerned_scopes()


class PlanItem(Tracked):
    """One line of a plan (计划事项), as it stands now; editions keep what was adopted.

    Attributes:
        number: as written in 序号; may be empty.
        window_text: the time as it was written, kept and shown.
        windows: one window for each time it is held, at least one:
            `{"start", "end", "precision", "start_time", "end_time"}`; dates ISO, `end` inclusive.
        starts_on: first day of all windows; None when no date is known.
        ends_on: last day of all windows (inclusive).
        since_edition: the first edition it stands in; None while no edition has it.
        dropped_on: day on which it was taken out of the plan.
    """

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="items", verbose_name=_("plan"))
    work_area = models.ForeignKey(
        WorkArea,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="items",
        verbose_name=_("work area"),
    )
    position = models.PositiveIntegerField(_("position"))
    number = models.CharField(_("number"), max_length=20, blank=True)
    title_zh = models.CharField(_("title in Chinese"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    type_text = models.CharField(_("type of event"), max_length=100, blank=True)
    place_text = models.CharField(_("place"), max_length=300, blank=True)
    participants_text = models.CharField(_("participants"), max_length=1000, blank=True)
    notes = models.TextField(_("notes"), blank=True, max_length=2000)
    window_text = models.CharField(_("time as written"), max_length=200, blank=True)
    windows = models.JSONField(_("windows"), default=list)
    precision = models.CharField(_("precision"), max_length=20, default="unknown")
    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    carried_from = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="carried_into",
        verbose_name=_("carried over from"),
    )
    since_edition = models.PositiveIntegerField(_("since edition"), null=True, blank=True)
    dropped_on = models.DateField(_("dropped on"), null=True, blank=True)
    drop_reason = models.CharField(_("reason for dropping"), max_length=500, blank=True)

    objects = PlanItemQuerySet.as_manager()
    part_names: ClassVar = ("hosts",)

    class Meta:
        verbose_name = _("plan line")
        verbose_name_plural = _("plan lines")
        ordering = ["plan", "position", "pk"]
        indexes = [models.Index(fields=["plan", "position", "id"], name="plan_item_in_order")]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "number"],
                condition=models.Q(dropped_on__isnull=True) & ~models.Q(number=""),
                name="plan_item_number_is_unique_in_its_plan",
                violation_error_message=_("Another line of this plan has this number."),
            ),
            models.CheckConstraint(
                condition=models.Q(starts_on__isnull=True, ends_on__isnull=True)
                | models.Q(starts_on__lte=models.F("ends_on")),
                name="plan_item_ends_after_it_starts",
                violation_error_message=_("The last day must not be before the first."),
            ),
            models.CheckConstraint(
                condition=~models.Q(title_zh="", title_en=""),
                name="plan_item_has_a_title",
                violation_error_message=_("Give a title in Chinese or in English."),
            ),
        ]

    def __str__(self) -> str:
        return self.title_zh or self.title_en

    @property
    def occurrences(self) -> int:
        """How many events the line sets."""
        return len(self.windows)

    def set_windows(self, windows: list[dict[str, Any]]) -> None:
        """Take the windows, and derive the first and the last day and the precision.

        Raises:
            InvalidInput: there is none, there are too many, or one ends before it starts.
        """
        if not 0 < len(windows) <= MOST_WINDOWS:
            raise invalid(
                "windows",
                _("A line is held once or more, at most %(most)d times.") % {"most": MOST_WINDOWS},
                code="occurrences",
            )
        dated = [window for window in windows if window["start"]]
        if any(window["end"] is None or window["end"] < window["start"] for window in dated):
            raise invalid("windows", _("The last day must not be before the first."))
        self.windows = windows
        self.precision = windows[0]["precision"]
        self.starts_on = min((date.fromisoformat(w["start"]) for w in dated), default=None)
        self.ends_on = max((date.fromisoformat(w["end"]) for w in dated), default=None)

    @classmethod
    def value_in_words(cls, name: str, value: Any) -> str:
        """Say windows by their days: "2028-05-01 – 2028-05-31; ?"."""
        if name != "windows" or not isinstance(value, list):
            return ""
        days = [(window["start"], window["end"]) for window in value]
        return "; ".join(
            "?" if start is None else start if start == end else f"{start} – {end}"
            for start, end in days
        )

    def concerned_scopes(self) -> set[str]:
        """The secretariat; everybody the plan is open to once an edition has the line."""
        if self.since_edition is None:
            return scopes_open_to(Openness.SECRETARIAT, self.plan.alliance_id)
        return self.plan.concerned_scopes()


class PlanItemHost(Part):
    """A host of a plan line: an organization, or a name that none is known by."""

    owner_field = "item"
    item = models.ForeignKey(PlanItem, models.CASCADE, related_name="hosts")
    position = models.PositiveSmallIntegerField(_("position"))
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="hosted_items",
        verbose_name=_("organization"),
    )
    name = models.CharField(_("name as written"), max_length=200)

    objects = GuardedQuerySet.as_manager()
    database_promises: ClassVar = {
        "plan_item_host_positions_differ": ("hosts", _("Two hosts stand at the same place."))
    }

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        ordering = ["item", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "position"], name="plan_item_host_positions_differ"
            )
        ]

    def __str__(self) -> str:
        return self.name
