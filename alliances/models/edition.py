"""Editions: what was adopted, kept as it was, so that any two can be compared line by line."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.models.plan import Openness, Plan, scopes_open_to
from alliances.querysets import EditionQuerySet
from coordination.changes.models import Guarded, GuardedQuerySet, Tracked


class EditionState(models.TextChoices):
    """A draft edition collects changes; an adopted one never changes again."""

    DRAFT = "draft", _("draft")
    ADOPTED = "adopted", _("adopted")


class Edition(Tracked):
    """One edition of a plan. A draft has no lines of its own: the plan's lines are its content."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="editions", verbose_name=_("plan"))
    number = models.PositiveIntegerField(_("edition"))
    state = models.CharField(
        _("state"), max_length=20, choices=EditionState.choices, default=EditionState.DRAFT
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    document_number = models.CharField(_("document number"), max_length=100, blank=True)
    adopted_on = models.DateField(_("adopted on"), null=True, blank=True)

    objects = EditionQuerySet.as_manager()
    database_promises: ClassVar = {
        "edition_number_is_unique_in_its_plan": (
            "number",
            _("The plan has an edition with this number already."),
        ),
        "plan_has_one_draft_edition": (
            "plan",
            _("The next edition of this plan is being drafted already."),
        ),
    }

    class Meta:
        verbose_name = _("edition")
        verbose_name_plural = _("editions")
        ordering = ["plan", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "number"], name="edition_number_is_unique_in_its_plan"
            ),
            models.UniqueConstraint(
                fields=["plan"],
                condition=models.Q(state="draft"),
                name="plan_has_one_draft_edition",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} · {self.number}"

    def concerned_scopes(self) -> set[str]:
        """A draft is the secretariat's; an adopted one is open as its plan."""
        if self.state == EditionState.DRAFT:
            return scopes_open_to(Openness.SECRETARIAT, self.plan.alliance_id)
        return self.plan.concerned_scopes()


SNAPSHOT_FIELDS = (
    "position",
    "number",
    "title_zh",
    "title_en",
    "type_text",
    "place_text",
    "participants_text",
    "notes",
    "window_text",
    "windows",
    "precision",
    "starts_on",
    "ends_on",
)


class EditionItem(Guarded):
    """A line as an edition has it. Written once, when the edition is adopted.

    Attributes:
        item_uid: the line's own uid, the same in every edition.
        reason: why it differs from the edition before.
        actor: who changed it last, the log's key.
    """

    edition = models.ForeignKey(Edition, models.PROTECT, related_name="items")
    item_uid = models.UUIDField()
    position = models.PositiveIntegerField()
    number = models.CharField(max_length=20, blank=True)
    work_area_zh = models.CharField(max_length=200, blank=True)
    work_area_en = models.CharField(max_length=200, blank=True)
    title_zh = models.CharField(max_length=200, blank=True)
    title_en = models.CharField(max_length=200, blank=True)
    type_text = models.CharField(max_length=100, blank=True)
    host_names = models.JSONField(default=list)
    place_text = models.CharField(max_length=300, blank=True)
    participants_text = models.CharField(max_length=1000, blank=True)
    notes = models.TextField(blank=True)
    window_text = models.CharField(max_length=200, blank=True)
    windows = models.JSONField(default=list)
    precision = models.CharField(max_length=20)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=60, blank=True)

    objects = GuardedQuerySet.as_manager()

    class Meta:
        ordering = ["edition", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "item_uid"], name="edition_has_a_line_once")
        ]

    def __str__(self) -> str:
        return self.title_zh or self.title_en

    def values(self) -> dict[str, Any]:
        """Return what can differ between two editions."""
        names = (*SNAPSHOT_FIELDS, "work_area_zh", "work_area_en", "host_names")
        return {name: getattr(self, name) for name in names}
