"""Questions to texts and links. Every read starts at what the viewer may see."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q

from coordination.accounts.viewer import PUBLIC, Viewer, scopes_of
from events.calendar_event import Level
from events.querysets import Concerns


class EventTextQuerySet(models.QuerySet[Any]):
    """Texts of events, one for each language and level."""

    def for_viewer(self, viewer: Viewer, language: str) -> Self:
        """Return one text for each event that the viewer may see: as much as they may know of it.

        The owner's secretariat reads its own level; whoever stands inside the circle that the
        event concerns, the members'; everyone else the public one.
        """
        texts = self.filter(language=language)
        if viewer.is_unlimited:
            return texts.filter(level=Level.SECRETARIAT)
        if not viewer.grants:
            return texts.filter(level=Level.PUBLIC)
        held = [scope for scope in scopes_of(viewer) if scope not in scopes_of(PUBLIC)]
        inside = Q(Concerns(held, of="event__concerns"))
        own = Q(event__alliance__in=viewer.pks("secretariat", "alliance"))
        return texts.filter(
            (own & Q(level=Level.SECRETARIAT))
            | (~own & inside & Q(level=Level.MEMBER))
            | (~own & ~inside & Q(level=Level.PUBLIC))
        )


class FeedLinkQuerySet(models.QuerySet[Any]):
    """Private calendar links: each person's own, and nobody else's."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the links in force that the viewer made; a superuser sees no others either."""
        return self.filter(user=viewer.user_id, revoked_at=None)
