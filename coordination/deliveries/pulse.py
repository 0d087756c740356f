"""How far the loops got: when each last went round, and what each subscriber has read."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Heartbeat(models.Model):
    """When a loop last went round; `name` says which one, on which host."""

    name = models.CharField(max_length=120, primary_key=True)
    beat_at = models.DateTimeField(_("last beat"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name


class Cursor(models.Model):
    """How far a subscriber has read the change log."""

    subscriber = models.CharField(max_length=60, primary_key=True)
    number = models.BigIntegerField(default=0, db_default=0)
    moved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("cursor")
        verbose_name_plural = _("cursors")

    def __str__(self) -> str:
        return f"{self.subscriber} @ {self.number}"
