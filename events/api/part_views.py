"""What belongs to an event: materials, invitations, duties; and rules of reminding."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import FileResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from alliances.models import Alliance, Plan, WorkArea
from coordination.changes.refusals import NotVisible, invalid
from coordination.rest.parsers import UploadParser
from coordination.rest.problem_kinds import TOO_LARGE
from coordination.rest.problems import Problem, ProblemError
from coordination.rest.views import HouseView
from coordination.rest.viewsets import (
    Changing,
    Creating,
    Deleting,
    ResourceViewSet,
    transition,
)
from events.api.filters import ReminderRuleFilters
from events.api.inputs import (
    AnswerInput,
    DutyChange,
    DutyInput,
    MaterialInput,
    NewInvitation,
    NewReminderRule,
    NothingInput,
    ReasonInput,
    ReminderRuleInput,
    VersionInput,
)
from events.api.part_serializers import (
    DutyReading,
    InvitationReading,
    MaterialReading,
    ReminderRuleReading,
)
from events.api.resolving import find_one, standing_organizations
from events.concluding import FileTooLarge, attach_material, remove_material, replace_material
from events.inviting import answer_invitation, invite_organizations, withdraw_invitation
from events.models import Duty, Event, Invitation, Material, MaterialVersion, ReminderRule
from events.owing import fulfil_duty, move_duty, set_duty
from events.reminding import (
    add_reminder_rule,
    remove_reminder_rule,
    revise_reminder_rule,
)


class OfEvent(ResourceViewSet):
    """A list under one event that the viewer may see."""

    resource = "events"

    @cached_property
    def event(self) -> Event:
        """The event in the path.

        Raises:
            NotVisible: there is none that the viewer may see.
        """
        rows = Event.objects.visible_to(self.viewer).select_related("alliance")
        event: Event | None = rows.filter(uid=self.kwargs["event_uid"]).first()
        if event is None:
            raise NotVisible
        return event

    def rows(self) -> QuerySet[Any]:
        """Return the rows of the event that the viewer may see.

        Raises:
            NotVisible: the event is not open to the viewer.
        """
        return super().rows().filter(event=self.event)


class MaterialViewSet(Creating, Deleting, OfEvent):
    """Documents of an event, each with all its versions."""

    model = Material
    reading = MaterialReading
    create_input = MaterialInput
    parser_classes = (UploadParser,)
    related = ("event",)

    def perform_create(self, values: dict[str, Any]) -> Material:
        """Attach a document."""
        file = values.pop("file")
        return attach_material(
            self.event,
            title=values.pop("title", ""),
            file_name=file.name,
            content=content_of(file),
            viewer=self.viewer,
            at=self.at,
            **values,
        )

    def perform_delete(self, obj: Material, reason: str) -> None:
        """Remove a document with all its versions."""
        remove_material(obj, viewer=self.viewer, at=self.at)

    @transition(VersionInput, status=201)
    def versions(self, obj: Material, values: dict[str, Any]) -> Material:
        """Add a version to a document; earlier ones stay."""
        file = values["file"]
        return replace_material(
            obj, file_name=file.name, content=content_of(file), viewer=self.viewer, at=self.at
        )


class MaterialDownloadView(HouseView):
    """The content of one version of a document, always as an attachment."""

    resource = "events"

    @extend_schema(
        operation_id="events_materials_versions_download",
        responses={(200, "*/*"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, **kwargs: Any) -> Any:
        """Answer the bytes of a version.

        Raises:
            NotVisible: there is none that the viewer may see.
        """
        materials = Material.objects.visible_to(self.viewer).filter(
            uid=kwargs["uid"], event__uid=kwargs["event_uid"]
        )
        version = (
            MaterialVersion.objects.filter(material__in=materials, number=kwargs["number"])
            .select_related("file")
            .first()
        )
        if version is None:
            raise NotVisible
        etag = f'"{version.file_id}"'
        return self.not_modified(etag) or _attachment(version, etag)


def content_of(file: UploadedFile[Any]) -> bytes:
    """Return the content of an upload.

    Raises:
        ProblemError: it is larger than the installation takes; it is not even read.
    """
    if (file.size or 0) > settings.COORDINATION_MAX_UPLOAD_BYTES:
        words = FileTooLarge.default_message
        raise ProblemError(Problem(TOO_LARGE, detail=words, code=FileTooLarge.code))
    content: bytes = file.read()
    return content


def _attachment(version: MaterialVersion, etag: str) -> FileResponse:
    """Return the stored bytes; no browser shows them as a page of ours."""
    name = quote(version.file_name, safe="")
    plain = version.file_name.encode("ascii", "replace").decode().replace('"', "'")
    plain = "".join(letter if letter.isprintable() and letter != "\\" else "_" for letter in plain)
    response = FileResponse(version.file.content.open("rb"), content_type=version.file.media_type)
    # RFC 6266 section 4.3: the plain name for old programs, the true one in UTF-8.
    response["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{name}"
    response["Content-Length"] = str(version.file.size)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = etag
    return response


class InvitationViewSet(Creating, OfEvent):
    """Organizations asked to an event, and what they answered."""

    model = Invitation
    reading = InvitationReading
    create_input = NewInvitation
    related = ("event", "organization")

    def perform_create(self, values: dict[str, Any]) -> Invitation:
        """Invite an organization; one whose invitation was withdrawn is asked again."""
        rows = standing_organizations()
        organization = find_one(rows, "organization", uid=values["organization"])
        made = invite_organizations(
            self.event,
            [organization],
            viewer=self.viewer,
            at=self.at,
            answer_by=values.get("answer_by"),
        )
        if not made:
            words = _("This organization is invited already.")
            raise invalid("organization", words, code="organization_is_invited_once")
        return made[0]

    @transition(AnswerInput)
    def answer(self, obj: Invitation, values: dict[str, Any]) -> Invitation:
        """Answer for the organization asked; the latest answer counts."""
        answer_invitation(obj, viewer=self.viewer, at=self.at, **values)
        return obj

    @transition(ReasonInput)
    def withdraw(self, obj: Invitation, values: dict[str, Any]) -> Invitation:
        """Withdraw an invitation."""
        return withdraw_invitation(
            obj, viewer=self.viewer, at=self.at, reason=values.get("reason", "")
        )


class DutyViewSet(Creating, Changing, OfEvent):
    """What organizations owe an event, and by when."""

    model = Duty
    reading = DutyReading
    create_input = DutyInput
    change_input = DutyChange
    orderings = {"due_at": "due_at", "created": "pk"}
    ordering = "due_at"
    related = ("event", "organization")

    def perform_create(self, values: dict[str, Any]) -> Duty:
        """Set what an organization owes."""
        rows = standing_organizations()
        organization = find_one(rows, "organization", uid=values.pop("organization"))
        return set_duty(self.event, organization, viewer=self.viewer, at=self.at, **values)

    def perform_change(self, obj: Duty, values: dict[str, Any]) -> Duty:
        """Set another date."""
        due_at = values.get("due_at", obj.due_at)
        return move_duty(obj, due_at=due_at, viewer=self.viewer, at=self.at)

    @transition(NothingInput)
    def fulfil(self, obj: Duty, values: dict[str, Any]) -> Duty:
        """Record that a duty is done."""
        return fulfil_duty(obj, viewer=self.viewer, at=self.at)


class ReminderRuleViewSet(Creating, Changing, Deleting, ResourceViewSet):
    """When, and whom, to remind of events: the secretariat's business."""

    resource = "events"
    model = ReminderRule
    reading = ReminderRuleReading
    create_input = NewReminderRule
    change_input = ReminderRuleInput
    filterset_class = ReminderRuleFilters
    related = ("alliance", "plan", "work_area__plan", "event")

    def perform_create(self, values: dict[str, Any]) -> ReminderRule:
        """Add a rule to an alliance, a plan, a work area or an event."""
        owner = self._owner(values)
        return add_reminder_rule(owner, viewer=self.viewer, at=self.at, **values)

    def perform_change(self, obj: ReminderRule, values: dict[str, Any]) -> ReminderRule:
        """Change a rule; reminders that have not gone out follow it."""
        return revise_reminder_rule(obj, viewer=self.viewer, at=self.at, **values)

    def perform_delete(self, obj: ReminderRule, reason: str) -> None:
        """Remove a rule with its reminders."""
        remove_reminder_rule(obj, viewer=self.viewer, at=self.at)

    def _owner(self, values: dict[str, Any]) -> Any:
        """Take what the rule stands on out of the values.

        Raises:
            InvalidInput: none or several were named, or it is not open to the viewer.
        """
        levels = (("alliance", Alliance), ("plan", Plan), ("work_area", WorkArea), ("event", Event))
        named = [(name, model) for name, model in levels if values.get(name) is not None]
        if len(named) != 1:
            words = _("A rule stands on an alliance, a plan, a work area or an event: name one.")
            raise invalid("alliance", words, code="required")
        [(name, model)] = named
        chosen = {level: values.pop(level) for level, _model in levels if level in values}
        key = "slug" if name == "alliance" else "uid"
        return find_one(model.objects.visible_to(self.viewer), name, **{key: chosen[name]})
