"""People and the seats they hold. Personal values stand aside, where they can be erased."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.models.alliance import Body
from alliances.models.membership import period_promises
from alliances.models.organization import Organization
from alliances.querysets import PersonQuerySet, SeatQuerySet
from coordination.changes.models import Tracked


class Person(Tracked):
    """Somebody who acts for an organization or sits in a body.

    The row, and so the change log, holds no personal value: the name and the address are in
    `PersonDetails`, which can be erased (PIPL article 47, GDPR article 17).
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="person",
        verbose_name=_("account"),
    )
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)

    label_relations = ("details",)  # what its words are read from, for history

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["pk"]

    def __str__(self) -> str:
        details = getattr(self, "details", None)
        return str(details) if details is not None else str(_("a person no longer named"))

    def concerned_scopes(self) -> set[str]:
        """A person is known where they hold seats; the seats' own changes say so."""
        scopes: set[str] = set()
        for seat in [] if self.pk is None else self.seats.select_related("body"):
            scopes |= seat.concerned_scopes()
        return scopes


class PersonDetails(models.Model):
    """A person's name and addresses. Not tracked: nothing of it may stay when it is erased."""

    person = models.OneToOneField(Person, models.CASCADE, related_name="details")
    name_zh = models.CharField(_("name in Chinese"), max_length=100, blank=True)
    name_en = models.CharField(_("name in English"), max_length=100, blank=True)
    title_zh = models.CharField(_("position in Chinese"), max_length=100, blank=True)
    title_en = models.CharField(_("position in English"), max_length=100, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    bounced_email = models.EmailField(blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("personal details")
        verbose_name_plural = _("personal details")

    def __str__(self) -> str:
        return self.name_zh or self.name_en or self.email

    @property
    def mail_address(self) -> str:
        """The address, unless mail to it came back."""
        return "" if self.email.lower() == self.bounced_email.lower() else self.email


class SeatRole(models.TextChoices):
    """What a person does in a seat: three roles for an organization, the others in a body."""

    LIAISON = "liaison", _("liaison officer")
    DEPUTY = "deputy", _("deputy liaison officer")
    REPRESENTATIVE = "representative", _("representative")
    STAFF = "staff", _("secretariat staff")
    CHAIR = "chair", _("chair")
    MEMBER = "member", _("member of the body")
    OBSERVER = "observer", _("observer")


ORGANIZATION_ROLES = (SeatRole.LIAISON, SeatRole.DEPUTY, SeatRole.REPRESENTATIVE)


class Seat(Tracked):
    """A person's seat for a period: for an organization, or in a body; never both.

    `ends_on` is exclusive; None while it lasts.
    """

    person = models.ForeignKey(
        Person, models.PROTECT, related_name="seats", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=20, choices=SeatRole.choices)
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="seats",
        verbose_name=_("organization"),
    )
    body = models.ForeignKey(
        Body, models.PROTECT, null=True, blank=True, related_name="seats", verbose_name=_("body")
    )
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until (exclusive)"), null=True, blank=True)

    objects = SeatQuerySet.as_manager()

    class Meta:
        verbose_name = _("seat")
        verbose_name_plural = _("seats")
        ordering = ["pk"]
        constraints = [
            *period_promises(
                "seat_ends_after_it_starts", _("The end must be after the beginning.")
            ),
            models.CheckConstraint(
                condition=models.Q(
                    role__in=ORGANIZATION_ROLES, organization__isnull=False, body__isnull=True
                )
                | (
                    ~models.Q(role__in=ORGANIZATION_ROLES)
                    & models.Q(organization__isnull=True, body__isnull=False)
                ),
                name="seat_is_for_an_organization_or_in_a_body",
                violation_error_message=_(
                    "Liaison officers, deputies and representatives sit for an organization; "
                    "all others sit in a body."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.get_role_display()}"

    def concerned_scopes(self) -> set[str]:
        """A seat is known to the alliances in which it acts, and to its organization."""
        if self.body is not None:
            alliance = self.body.alliance_id
            return {f"alliance:{alliance}:members", f"alliance:{alliance}:secretariat"}
        if self.organization is None:
            return set()
        memberships = self.organization.memberships.values_list("alliance_id", flat=True)
        scopes = {f"organization:{self.organization_id}"}
        for alliance in set(memberships):
            scopes |= {f"alliance:{alliance}:members", f"alliance:{alliance}:secretariat"}
        return scopes
