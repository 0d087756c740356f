"""After the event: what came of it, and the documents that belong to it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.utils.translation import gettext_lazy as _

from alliances.models import Openness
from coordination.accounts.viewer import Viewer
from coordination.changes.models import Part
from coordination.changes.recording import recording
from coordination.changes.refusals import Refusal, invalid
from events import rules
from events.models import Event, Material, MaterialVersion, StoredFile

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "txt": "text/plain",
    "csv": "text/csv",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "zip": "application/zip",
}


class FileTooLarge(Refusal):
    """The file is larger than the installation takes."""

    code = "file_too_large"
    default_message = _("The file is too large.")


def conclude_event(event: Event, *, viewer: Viewer, at: datetime, **outcome: Any) -> Event:
    """Record that the event was held, and what came of it.

    Args:
        event: the event.
        outcome: `outcome_zh`, `outcome_en`, `attendance`; all may be left out.
        viewer: who records it.
        at: now, aware.

    Raises:
        NotAllowed, StaleVersion, TransitionNotAllowed, InvalidInput.
    """
    rules.require(rules.may_manage_event(viewer, event))
    for name in outcome:
        if name not in ("outcome_zh", "outcome_en", "attendance"):
            raise invalid(name, _("There is no such field."), code="unknown_field")
    event.conclude(at=at)
    for name, value in outcome.items():
        setattr(event, name, value)
    with recording(viewer.actor, at=at) as log:
        log.save(event, "event.concluded")
    return event


def attach_material(
    event: Event,
    *,
    title: str,
    file_name: str,
    content: bytes,
    viewer: Viewer,
    at: datetime,
    openness: str = Openness.MEMBERS,
) -> Material:
    """Attach a new document to an event.

    Raises:
        NotAllowed.
        InvalidInput: the type of file is not taken, or it is empty.
        FileTooLarge.
    """
    rules.require(rules.may_attach_material(viewer, event))
    material = Material(event=event, title=title or file_name, openness=openness)
    with recording(viewer.actor, at=at) as log:
        version = _version(1, file_name, content, at)
        log.insert_all([material], "material.attached", parts=[{"versions": [version]}])
    return material


def replace_material(
    material: Material, *, file_name: str, content: bytes, viewer: Viewer, at: datetime
) -> Material:
    """Add a version to a document; earlier versions stay.

    Raises:
        NotAllowed, StaleVersion, InvalidInput, FileTooLarge.
    """
    rules.require(rules.may_attach_material(viewer, material.event))
    stored = list(material.versions.all())
    rows: list[Part] = [
        MaterialVersion(
            number=row.number, file=row.file, file_name=row.file_name, added_at=row.added_at
        )
        for row in stored
    ]
    with recording(viewer.actor, at=at) as log:
        rows.append(_version(len(stored) + 1, file_name, content, at))
        log.save(material, "material.replaced", parts={"versions": rows})
    return material


def remove_material(material: Material, *, viewer: Viewer, at: datetime) -> None:
    """Remove a document with all its versions; the log keeps that it was there.

    Raises:
        NotAllowed, StaleVersion.
    """
    rules.require(rules.may_manage_event(viewer, material.event))
    with recording(viewer.actor, at=at) as log:
        log.delete(material, "material.removed")


def _version(number: int, file_name: str, content: bytes, at: datetime) -> MaterialVersion:
    return MaterialVersion(
        number=number, file=_stored(file_name, content), file_name=file_name[-200:], added_at=at
    )


def _stored(file_name: str, content: bytes) -> StoredFile:
    """Return the stored file for these bytes; the same bytes are kept once."""
    media_type = MEDIA_TYPES.get(PurePath(file_name).suffix.removeprefix(".").casefold())
    if media_type is None:
        raise invalid(
            "file",
            _("This type of file is not taken. Use PDF, Office, text, picture or ZIP files."),
            code="file_type",
        )
    if not content:
        raise invalid("file", _("The file is empty."), code="file_empty")
    if len(content) > settings.COORDINATION_MAX_UPLOAD_BYTES:
        raise FileTooLarge
    digest = hashlib.sha256(content).hexdigest()
    stored, created = StoredFile.objects.get_or_create(
        sha256=digest, defaults={"size": len(content), "media_type": media_type}
    )
    if created:
        stored.content.save(f"{digest[:2]}/{digest}", ContentFile(content))
    return stored
