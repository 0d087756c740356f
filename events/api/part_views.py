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

from coordination.changes.refusals import NotVisible, invalid
from coordination.rest.parsers import UploadParser
from coordination.rest.problem_kinds import TOO_LARGE
from coordination.rest.problems import Problem, ProblemError
from coordination.rest.views import HouseView
from coordination.rest.viewsets import (
    Creating,
    Deleting,
    ResourceViewSet,
    transition,
)
from events.api.inputs import (
    AnswerInput,
    MaterialInput,
    NewInvitation,
    ReasonInput,
    VersionInput,
)
from events.api.part_serializers import (
    InvitationReading,
    MaterialReading,
)
from events.api.resolving import find_one, standing_organizations
from events.concluding import FileTooLarge, attach_material, remove_material, replace_material
from events.inviting import answer_invitation, invite_organizations, withdraw_invitation
from events.models import Event, Invitation, Material, MaterialVersion


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
        return self.check_conditions(etag) or _attachment(version, etag)


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
