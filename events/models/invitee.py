"""What is kept of asking people by mail: who was asked, and what they were told.

None of it is tracked: an invitee holds what makes one person's link their own, a notice says what
the ledger's lines about an invitation stand for, and names of those who come can be erased.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alliances.models import Person
from events.models.invitation import Answer, Invitation


class Invitee(models.Model):
    """One person who is asked for an organization: their own link, and their calendar's word.

    Attributes:
        uid: what their link and their address for replies are signed over; it leaves the building
            only signed. Asking an organization anew makes new ones, so that old links end.
        replied_sequence: SEQUENCE of the last reply that their calendar sent; with
            `replied_stamp_at` (its DTSTAMP) it puts replies in order (RFC 5546 section 2.1.5).
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    invitation = models.ForeignKey(Invitation, models.PROTECT, related_name="invitees")
    person = models.ForeignKey(Person, models.PROTECT, related_name="invitees")
    replied_sequence = models.PositiveIntegerField(null=True, blank=True)
    replied_stamp_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("person asked")
        verbose_name_plural = _("people asked")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["invitation", "person"], name="person_is_asked_once_for_an_invitation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.invitation} > {self.person}"


class NoticeMethod(models.TextChoices):
    """What a notice does in a calendar (RFC 5546 section 1.4)."""

    REQUEST = "request", _("invitation")
    CANCEL = "cancel", _("cancellation")


class InvitationNotice(models.Model):
    """What those asked were to be told of an invitation, once: one iTIP message.

    Its number is the generation of the ledger's lines, so that a newer one supersedes what has
    not been sent of an older one.

    Attributes:
        person: whom alone it tells: one who stopped answering, or came back; null for everybody
            who answers for the organization.
        sequence: SEQUENCE of the event that it tells of.
        stamp_at: its DTSTAMP: when what it tells was changed; later than any before it.
        time_text: the time it tells, to compare with: wall times and zone, "" without one.
    """

    invitation = models.ForeignKey(Invitation, models.PROTECT, related_name="notices")
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="notices_alone"
    )
    number = models.PositiveIntegerField()
    method = models.CharField(_("kind"), max_length=10, choices=NoticeMethod.choices)
    sequence = models.PositiveIntegerField()
    stamp_at = models.DateTimeField()
    time_text = models.CharField(max_length=120, blank=True, default="")
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("notice of an invitation")
        verbose_name_plural = _("notices of invitations")
        ordering = ["invitation", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["invitation", "number"], name="invitation_numbers_its_notices"
            )
        ]

    def __str__(self) -> str:
        return f"{self.invitation} #{self.number}: {self.method}"


class AnswerNames(models.Model):
    """Who comes, by name, where an answer says so. Not tracked: nothing may stay when erased."""

    answer = models.OneToOneField(Answer, models.CASCADE, related_name="who_comes")
    names = models.CharField(_("who comes"), max_length=500)

    class Meta:
        verbose_name = _("names of those who come")
        verbose_name_plural = _("names of those who come")

    def __str__(self) -> str:
        return self.names
