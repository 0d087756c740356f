"""Kinds of news, by which readers say over which channels they want to be told.

A source says what kind its messages are (`news = News.CHASING`); one that does not is news of
changes. Reminders and changes may be stopped by whoever gets them. An invitation and a duty ask
something of the reader: their channel can be chosen, but they cannot be stopped.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from coordination.deliveries.sources import UnknownSource, source_of


class News(models.TextChoices):
    """What a message is to its reader."""

    REMINDERS = "reminders", _("Reminders of events")
    INVITATIONS = "invitations", _("Invitations")
    CHASING = "chasing", _("What my organization still owes")
    CHANGES = "changes", _("Changes")


STOPPABLE = frozenset({News.REMINDERS, News.CHANGES})
PERSONAL_CHANNELS = ("email", "inbox")


def news_of(source: str) -> News:
    """Return the kind of news that messages of a source are."""
    try:
        return News(getattr(source_of(source), "news", News.CHANGES))
    except UnknownSource:
        return News.CHANGES
