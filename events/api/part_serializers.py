"""What leaves the building about what belongs to events: materials, invitations, duties, rules."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework import serializers

from alliances.models import Openness
from coordination.rest.reading import Computed, Localized, Reading, Rows, Texts
from events.models import AnswerState, AnswerWay, Invitation, Material


def address_of_version(event: UUID, material: UUID, number: int) -> str:
    """Return the address under which a version of a document is downloaded."""
    base = settings.COORDINATION_BASE_URL
    return f"{base}/api/v1/events/{event}/materials/{material}/versions/{number}/"


class NamedOrganizationReading(Reading):
    """An organization by id and name."""

    uid = serializers.UUIDField()
    name = Localized("name")
    name_i18n = Texts("name")


class MaterialVersionReading(Reading):
    """One version of a document; `size` in bytes."""

    number = serializers.IntegerField()
    file_name = serializers.CharField()
    media_type = serializers.CharField(source="file.media_type")
    size = serializers.IntegerField(source="file.size")
    sha256 = serializers.CharField(source="file.sha256")
    added_at = serializers.DateTimeField()
    url = Computed(
        serializers.URLField(),
        needs=("material.event.uid", "material.uid", "number"),
        make=address_of_version,
    )


class MaterialReading(Reading):
    """A document of an event; its last version is the valid one."""

    class Meta:
        model = Material

    uid = serializers.UUIDField()
    event = serializers.UUIDField(source="event.uid")
    title = serializers.CharField()
    openness = serializers.ChoiceField(choices=Openness.choices)
    versions = Rows(MaterialVersionReading(), source="versions", order_by=("material", "number"))
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class AnswerReading(Reading):
    """One answer to an invitation."""

    uid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=AnswerState.choices)
    delegates = serializers.IntegerField(allow_null=True)
    names = serializers.CharField(source="who_comes.names", allow_null=True)
    proposed_time = serializers.CharField()
    comment = serializers.CharField()
    way = serializers.ChoiceField(choices=AnswerWay.choices)
    sequence = serializers.IntegerField(help_text="`sequence` of the event that was answered.")
    created_at = serializers.DateTimeField()


class InvitationReading(Reading):
    """An organization asked to an event; `state` is that of its latest answer."""

    class Meta:
        model = Invitation

    uid = serializers.UUIDField()
    event = serializers.UUIDField(source="event.uid")
    organization = NamedOrganizationReading()
    state = serializers.ChoiceField(choices=AnswerState.choices)
    answer_by = serializers.DateField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    answers = Rows(AnswerReading(), source="answers", order_by=("invitation", "pk"))
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class DeliveryReading(Reading):
    """Who was told what, and what became of the message: a line of the ledger."""

    source = serializers.CharField()  # type: ignore[assignment]
    recipient = serializers.CharField()
    channel = serializers.CharField()
    due_at = serializers.DateTimeField()
    send_after = serializers.DateTimeField()
    state = serializers.CharField()
    reason = serializers.CharField()
    attempts = serializers.IntegerField()
    sent_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()


class TallyReading(Reading):
    """Numbers of planned events: `held + set + open + overdue + dropped` is `planned`.

    Of those, `added` were not in the first edition, `late` are or will be after their window, and
    `changed_quarter` in a quarter that it does not touch.
    """

    planned = serializers.IntegerField()
    held = serializers.IntegerField()
    on_time = serializers.IntegerField()
    late = serializers.IntegerField()
    changed_quarter = serializers.IntegerField()
    set = serializers.IntegerField()
    open = serializers.IntegerField()
    overdue = serializers.IntegerField()
    dropped = serializers.IntegerField()
    added = serializers.IntegerField()


class WorkAreaTallyReading(TallyReading):
    """Totals of an area of work; without one, of the events outside any."""

    uid = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    name_i18n = Texts("name")


class MemberTallyReading(TallyReading):
    """Totals of a hosting organization."""

    uid = serializers.UUIDField()
    name = serializers.CharField()
    name_i18n = Texts("name")


class ProgressRowReading(Reading):
    """One planned event and where it stands; the window is the one planned first."""

    item = serializers.UUIDField(allow_null=True)
    event = serializers.UUIDField(allow_null=True)
    number = serializers.IntegerField()
    title = serializers.CharField()
    title_i18n = Texts("title")
    window_start = serializers.DateField(allow_null=True)
    window_end = serializers.DateField(allow_null=True)
    scheduled_on = serializers.DateField(allow_null=True)
    held_on = serializers.DateField(allow_null=True)
    status = serializers.ChoiceField(
        choices=["dropped", "undated", "moved_quarter", "late", "held", "on_time", "coming"]
    )
    outcome = serializers.ChoiceField(choices=["held", "set", "open", "overdue", "dropped"])
    days_late = serializers.IntegerField()
    changed_quarter = serializers.BooleanField()
    is_added = serializers.BooleanField()


class ProgressReading(Reading):
    """Plan against actual at the end of a day."""

    plan = serializers.UUIDField()
    on = serializers.DateField()
    target_number = serializers.IntegerField(allow_null=True)
    short_of_target = serializers.IntegerField(allow_null=True)
    totals = TallyReading()
    by_work_area = serializers.ListField(child=WorkAreaTallyReading())
    by_member = serializers.ListField(child=MemberTallyReading())
    items = serializers.ListField(child=ProgressRowReading())


class _Envelope(Reading):
    """A page of items."""

    next = serializers.URLField(allow_null=True)


def envelope_of(child: Any, name: str) -> type[Reading]:
    """Return the shape of a page of `child`."""
    return type(name, (_Envelope,), {"items": serializers.ListField(child=child), "__doc__": name})
