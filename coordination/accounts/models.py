"""Hold the people who sign in and the secrets their programs use.

Both tables are outside the change log: a sign-in, a language choice or a last use is nobody's
agreed fact. Names, telephone numbers and seats live in ``alliances``; here is only what signing
in needs.
"""

import uuid
import zoneinfo
from datetime import datetime, timedelta
from functools import cache

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

DEFAULT_TIME_ZONE = "Asia/Shanghai"

LANGUAGE_CHOICES = [
    ("", _("As the browser asks")),
    ("zh-hans", _("Chinese")),
    ("en", _("English")),
]


@cache
def known_time_zones() -> frozenset[str]:
    """Return the names of the IANA database; read once, for it is a walk through 600 files."""
    return frozenset(zoneinfo.available_timezones())


def validate_time_zone(value: str) -> None:
    """Refuse a name the IANA time zone database doesn't know.

    Raises:
        ValidationError: ``value`` is no IANA zone name.
    """
    if value not in known_time_zones():
        raise ValidationError(
            _("“%(value)s” is not a time zone of the IANA database."),
            code="unknown_time_zone",
            params={"value": value},
        )


class User(AbstractUser):
    """A person who can sign in.

    An empty ``language`` follows the browser; ``time_zone`` is an IANA name. A message that came
    back marks the address (``bounced_email``): nothing more is sent there, and another address
    is free of the mark.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    language = models.CharField(
        _("language"), max_length=7, blank=True, default="", choices=LANGUAGE_CHOICES
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default=DEFAULT_TIME_ZONE)
    invited_at = models.DateTimeField(_("invited at"), null=True, blank=True, editable=False)
    email_bounced_at = models.DateTimeField(
        _("mail came back at"), null=True, blank=True, editable=False
    )
    email_bounce_reason = models.CharField(
        _("why mail came back"), max_length=200, blank=True, default="", editable=False
    )

    bounced_email = models.EmailField(
        _("address that mail came back from"), blank=True, default="", editable=False
    )

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="username_is_unique_in_any_case",
                violation_error_message=_("A user with that username already exists."),
                violation_error_code="username_taken",
            ),
            models.UniqueConstraint(
                Lower("email"),
                condition=~Q(email=""),
                name="email_is_unique_in_any_case",
                violation_error_message=_("A user with that e-mail address already exists."),
                violation_error_code="email_taken",
            ),
            models.CheckConstraint(
                condition=Q(language__in=["", "zh-hans", "en"]), name="user_language_is_known"
            ),
        ]

    def clean(self) -> None:
        """Refuse an unknown time zone, beside what Django checks.

        Raises:
            ValidationError: the time zone is no IANA name.
        """
        super().clean()
        try:
            validate_time_zone(self.time_zone)
        except ValidationError as error:
            raise ValidationError({"time_zone": error}) from error

    @property
    def is_awaiting(self) -> bool:
        """Whether the person was invited and has not yet accepted."""
        return self.invited_at is not None and not self.has_usable_password()

    @property
    def can_get_mail(self) -> bool:
        """Whether there is an address, and nothing sent to it has come back."""
        return bool(self.email) and self.email.lower() != self.bounced_email.lower()


class TokenKind(models.TextChoices):
    """What a secret is presented as."""

    BEARER = "bearer", _("API token")
    APP_PASSWORD = "app_password", _("App password")


class ApiToken(models.Model):
    """A secret a program signs in with, kept only as its SHA-256.

    ``scopes`` are ``"resource:verb"`` words (see ``viewer.Viewer.may_use``). ``limits`` narrow
    the owner's rights to the named objects (``"alliance:3"``); an empty list narrows nothing.
    ``last_used_at`` is rounded down to the hour. ``expires_at`` is exclusive.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=16, choices=TokenKind.choices)
    prefix = models.CharField(_("begins with"), max_length=16, editable=False)
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    limits = models.JSONField(_("limits"), default=list, blank=True)
    created_at = models.DateTimeField(_("made at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["bearer", "app_password"]), name="token_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=models.F("created_at")),
                name="token_expires_after_it_is_made",
            ),
        ]

    def __str__(self) -> str:
        """Show what a list needs, and never the secret."""
        return f"{self.name} ({self.prefix}…)"

    def is_live(self, at: datetime) -> bool:
        """Whether the token is neither revoked nor expired at the aware instant ``at``."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def is_use_due(self, at: datetime) -> bool:
        """Whether a use at ``at`` falls in a later hour than the last one written down."""
        return self.last_used_at is None or at - self.last_used_at >= timedelta(hours=1)
