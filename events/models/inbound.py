"""Mail that came in: kept before it is read, so that nothing is lost between two servers."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alliances.models import Person
from events.models.invitation import Answer, AnswerState, Invitation
from events.querysets import InboundMessageQuerySet


class InboundState(models.TextChoices):
    """What became of a mail that came in."""

    WAITING = "waiting", _("not read yet")
    ANSWERED = "answered", _("counted as the answer")
    REPEATED = "repeated", _("said nothing new")
    OUTDATED = "outdated", _("older than an answer that is here")
    UNVERIFIED = "unverified", _("sender not proved")
    LETTER = "letter", _("a letter, to be read by people")
    LATE = "late", _("nothing is asked any more")
    BOUNCE = "bounce", _("mail came back")
    AUTOMATIC = "automatic", _("automatic reply")
    UNMATCHED = "unmatched", _("belongs to no invitation")
    SET_ASIDE = "set_aside", _("cannot be read")
    SETTLED = "settled", _("dealt with")


OPEN_STATES = (
    InboundState.UNVERIFIED,
    InboundState.LETTER,
    InboundState.UNMATCHED,
    InboundState.SET_ASIDE,
)


class InboundWay(models.TextChoices):
    """How a mail came in."""

    MAILBOX = "mailbox", _("mailbox")
    POST = "post", _("handed in")


class InboundMessage(models.Model):
    """One mail that came in.

    Attributes:
        digest: SHA-256 of its bytes, hexadecimal: the same mail twice is one row.
        tries: how often reading it failed; after the third it is set aside.
        invitation: which one it answers, where that is known.
        person: whom the invitation had been sent to, where that is known.
        attendee: address that the calendar answered for.
        said: what it answers, as an answer's state; "" for nothing.
        sequence: SEQUENCE of the event that it answers, where that is known.
        note: its words, or what its calendar commented.
        raw: its bytes, forgotten after 90 days with all that names anybody.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    way = models.CharField(_("came by"), max_length=10, choices=InboundWay.choices)
    state = models.CharField(
        _("state"), max_length=12, choices=InboundState.choices, default=InboundState.WAITING
    )
    received_at = models.DateTimeField(_("received"))
    read_at = models.DateTimeField(_("when it was read"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    error = models.CharField(max_length=500, blank=True, default="")
    sender = models.CharField(_("from"), max_length=320, blank=True, default="")
    subject = models.CharField(_("subject"), max_length=300, blank=True, default="")
    attendee = models.CharField(max_length=320, blank=True, default="")
    said = models.CharField(
        _("answer"), max_length=20, choices=AnswerState.choices, blank=True, default=""
    )
    sequence = models.PositiveIntegerField(null=True, blank=True)
    names = models.CharField(_("who comes"), max_length=500, blank=True, default="")
    proposed_time = models.CharField(max_length=200, blank=True, default="")
    note = models.CharField(_("what it says"), max_length=1000, blank=True, default="")
    invitation = models.ForeignKey(
        Invitation, models.PROTECT, null=True, blank=True, related_name="inbound_messages"
    )
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="inbound_messages"
    )
    answer = models.ForeignKey(
        Answer, models.PROTECT, null=True, blank=True, related_name="inbound_messages"
    )
    raw = models.BinaryField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    objects = InboundMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail that came in")
        verbose_name_plural = _("mail that came in")
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(state="waiting"),
                name="inbound_message_waiting",
            ),
            models.Index(fields=["invitation", "id"], name="inbound_message_by_invitation"),
        ]

    def __str__(self) -> str:
        return f"{self.uid}: {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether people must read it."""
        return self.state in OPEN_STATES

    @property
    def why(self) -> str:
        """Why people must read it, where there is more to say than its state."""
        return str(_WHY.get(self.error.partition(":")[0], ""))


_WHY = {
    "sealed_part": _(
        "Outlook sealed this mail in a part that only Outlook reads in full (winmail.dat). Where "
        "it says above what was answered, count it; else ask the sender to answer by the link in "
        "the invitation."
    ),
    "near": _(
        "This reply and another answer were given within five minutes of each other, and clocks "
        "differ: where this one is the later, count it."
    ),
    "calendar": _(
        "The answer of a calendar that came with this mail cannot be read: ask the sender to "
        "answer by the link in the invitation."
    ),
    "no_method": _(
        "The calendar that came with this mail does not say that it is an answer (METHOD): where "
        "it is meant as one, count it."
    ),
    "files": _("Files came with this mail; they are to be read in the mailbox."),
    "too_large": _("The mail is larger than 2 MiB and was not taken in; it is in the mailbox."),
    "tangled": _("The mail has too many parts and was not taken in; it is in the mailbox."),
}


class InboundMailbox(models.Model):
    """A mailbox that is read, and who reads it now.

    Attributes:
        name: user, host and folder, without the password.
        lease_until: nobody else reads it before this instant.
        read_at: when it was last read to its end.
        failing_since: since when it could not be read; null while it can.
        uid_validity: what the server numbers its mails by (UIDVALIDITY, RFC 3501 section 2.3.1.1);
            0 where it does not say, null before the first visit.
        next_uid: what was not taken yet begins at this number; 0 where that is not known.
        missed_uids: numbers below it that the server would not give, parted by blanks.
    """

    name = models.CharField(max_length=300, primary_key=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(_("last read"), null=True, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    uid_validity = models.BigIntegerField(null=True, blank=True)
    next_uid = models.BigIntegerField(default=0, db_default=0)
    missed_uids = models.CharField(max_length=1000, blank=True, default="", db_default="")
    error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")

    def __str__(self) -> str:
        return self.name
