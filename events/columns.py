"""A column for a time as clocks on the wall show it, without a zone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    WallTimeBase = models.Field[datetime | str | None, datetime | None]
else:
    WallTimeBase = models.Field


class WallTimeField(WallTimeBase):
    """Stores a naive `datetime` to the minute as ISO text, "2026-05-14T09:30".

    The text sorts as the time does. Together with an IANA zone it is the truth of when something
    happens; instants are derived from the two.
    """

    description = _("Wall time")

    def get_internal_type(self) -> str:
        """Return the name of the column's type: text."""
        return "CharField"

    def db_type(self, connection: Any) -> str:
        """Return the column's type."""
        return "varchar(16)"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> datetime | None:
        """Return the naive time for the stored text."""
        return None if value is None else datetime.fromisoformat(value)

    def to_python(self, value: Any) -> datetime | None:
        """Return a naive time for a time or its ISO text.

        Raises:
            ValidationError: it is neither, or carries a zone.
        """
        if value is None or value == "":
            return None
        parsed = value if isinstance(value, datetime) else _parsed(str(value))
        if parsed is None or parsed.tzinfo is not None:
            raise ValidationError(
                _("Write a date and a time without a zone, such as 2026-05-14T09:30."),
                code="wall_time",
            )
        return parsed.replace(second=0, microsecond=0)

    def get_prep_value(self, value: Any) -> str | None:
        """Return the text that is stored."""
        parsed = self.to_python(value)
        return None if parsed is None else parsed.isoformat(timespec="minutes")

    def value_to_string(self, obj: models.Model) -> str:
        """Return the text for serializers."""
        return self.get_prep_value(self.value_from_object(obj)) or ""


def _parsed(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None
