"""How far the clock has recorded what time does to memberships, chairs and seats."""

from __future__ import annotations

from django.db import models


class AccessDay(models.Model):
    """The one row that remembers the last day whose beginnings and ends are in the change log.

    Not tracked: it is a reader's mark.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    recorded_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="access_day_is_a_single_row")
        ]

    def __str__(self) -> str:
        return self.recorded_on.isoformat()
