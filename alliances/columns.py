"""Columns that several nouns share."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from coordination.accounts.models import DEFAULT_TIME_ZONE, validate_time_zone


def time_zone_field() -> models.CharField[str, str]:
    """Return a column for an IANA zone name; Beijing's when nothing is said."""
    return models.CharField(
        _("time zone"), max_length=64, default=DEFAULT_TIME_ZONE, validators=[validate_time_zone]
    )


def validate_country(value: str) -> None:
    """Refuse what is not an ISO 3166-1 alpha-2 code in form (two capital letters).

    Raises:
        ValidationError: the text has another form.
    """
    if len(value) != 2 or not (value.isascii() and value.isalpha() and value.isupper()):
        raise ValidationError(
            _("Use the two capital letters of ISO 3166, for example CN."), code="country"
        )
