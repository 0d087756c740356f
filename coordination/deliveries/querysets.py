"""Questions about the ledger.

Who may see which line is decided by the rooms above, which know what a line is about: they
register a function from viewer to condition, and `visible_to` joins the answers with "or".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models
from django.db.models import Q

from coordination.accounts.viewer import Viewer

if TYPE_CHECKING:
    from coordination.deliveries.models import Delivery, Endpoint, Message  # noqa: F401

Visibility = Callable[[Viewer], Q]
_visibilities: list[Visibility] = []


def register_visibility(visibility: Visibility) -> None:
    """Add a function that says which deliveries a viewer may see; for `AppConfig.ready`.

    Args:
        visibility: takes a viewer, answers a condition on `Delivery`, such as
            ``Q(about_type="events.event", about_uid__in=...)``.
    """
    if visibility not in _visibilities:
        _visibilities.append(visibility)


def seen_by(viewer: Viewer) -> Q:
    """Return the condition on `Delivery` under which `viewer` sees a line.

    Everyone sees what was sent to them; more by what the rooms above registered.
    """
    condition = Q(pk__in=[]) if viewer.uid is None else Q(recipient=f"user:{viewer.uid}")
    for visibility in _visibilities:
        condition |= visibility(viewer)
    return condition


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Lines of the ledger."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Lines that `viewer` may see; all of them for superusers."""
        return self if viewer.is_unlimited else self.filter(seen_by(viewer))

    def about(self, object_type: str, uid: UUID) -> Self:
        """Lines about one object: "events.event" and its outside id."""
        return self.filter(about_type=object_type, about_uid=uid)

    def from_source(self, source: str, source_id: str) -> Self:
        """Lines that one cause made, in every generation."""
        return self.filter(source=source, source_id=source_id)

    def told_earlier(self, line: Delivery) -> Self:
        """Lines by which the reader got what the same cause said before."""
        return self.from_source(line.source, line.source_id).filter(
            endpoint=line.endpoint_id, generation__lt=line.generation, message__state="sent"
        )

    def told_before(self, line: Delivery) -> Self:
        """Lines by which the reader got the same already.

        A cause moved away, and back again; or to a time that was over when the reader got it.
        """
        if line.generation == 1:
            return self.none()
        return self.told_earlier(line).filter(
            Q(due_at=line.due_at) | Q(message__sent_at__gte=line.due_at),
            expires_at=line.expires_at,
        )

    def waiting(self) -> Self:
        """Lines that may still go out: in no message yet, or in one that is pending."""
        return self.filter(Q(message__isnull=True) | Q(message__state="pending"), dropped_reason="")

    def without_message(self) -> Self:
        """Lines that have not been put into a message and still should be."""
        return self.filter(message__isnull=True, dropped_reason="")

    def with_outcome(self) -> Self:
        """Lines with their message and endpoint, for showing: one query."""
        return self.select_related("message", "endpoint")


class MessageQuerySet(models.QuerySet["Message"]):
    """Messages."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Messages with at least one line that `viewer` may see."""
        if viewer.is_unlimited:
            return self
        from coordination.deliveries.models import Delivery  # models build on this module

        return self.filter(pk__in=Delivery.objects.visible_to(viewer).values("message_id"))

    def pending(self) -> Self:
        """Messages that are still to be sent."""
        return self.filter(state="pending")

    def due(self, at: datetime) -> Self:
        """Pending messages that nobody holds and that may be claimed, whatever is paused.

        One that waits in its lane for an earlier one is not due yet.
        """
        earlier: models.QuerySet[Message] = models.QuerySet(self.model).filter(
            endpoint=models.OuterRef("endpoint"), lane=models.OuterRef("lane"), state="pending",
            pk__lt=models.OuterRef("pk"),
        ).exclude(lane="")  # fmt: skip
        return self.pending().filter(
            Q(leased_until__isnull=True) | Q(leased_until__lte=at),
            Q(lane="") | ~models.Exists(earlier),
            next_attempt_at__lte=at,
        )

    def dead(self) -> Self:
        """Messages that failed for good: they can be replayed."""
        return self.filter(state="dead")

    def held(self) -> Self:
        """Messages that wait for staff."""
        return self.filter(state="held")


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Endpoints."""

    def failing(self) -> Self:
        """Endpoints that are paused after failures, switched off, or said not to exist.

        What its owner has paused or ended does not fail.
        """
        return self.filter(
            Q(failures__gte=5) | Q(disabled_at__isnull=False) | Q(bounced_at__isnull=False)
        ).exclude(disabled_reason__in=("paused", "removed"))
