"""Materials of an event: files with versions, stored once by their content."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.models import Openness
from coordination.changes.models import GuardedQuerySet, Part, Tracked
from events.models.event import Event
from events.querysets import EventChildQuerySet


class StoredFile(models.Model):
    """A file's content, named by its SHA-256. Untracked: the same bytes are the same file."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    media_type = models.CharField(_("media type"), max_length=100)
    content = models.FileField(upload_to="materials", max_length=200)

    def __str__(self) -> str:
        return self.sha256


class Material(Tracked):
    """A document of an event: agenda, slides, minutes. Its newest version is the valid one."""

    event = models.ForeignKey(
        Event, models.PROTECT, related_name="materials", verbose_name=_("event")
    )
    title = models.CharField(_("title"), max_length=200)
    openness = models.CharField(
        _("open to"), max_length=20, choices=Openness.choices, default=Openness.MEMBERS
    )

    objects = EventChildQuerySet.as_manager()

    class Meta:
        verbose_name = _("material")
        verbose_name_plural = _("materials")
        ordering = ["event", "pk"]

    def __str__(self) -> str:
        return self.title

    def concerned_scopes(self) -> set[str]:
        """As the event."""
        return self.event.concerned_scopes()


class MaterialVersion(Part):
    """One version of a document; numbers count from 1, none is ever replaced."""

    owner_field = "material"
    material = models.ForeignKey(Material, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="versions")
    file_name = models.CharField(_("file name"), max_length=200)
    added_at = models.DateTimeField(_("added"))

    objects = GuardedQuerySet.as_manager()
    database_promises: ClassVar = {
        "material_versions_are_numbered": ("versions", _("There is a version with this number."))
    }

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["material", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["material", "number"], name="material_versions_are_numbered"
            )
        ]

    def __str__(self) -> str:
        return self.file_name
