"""What the API shows of a reader's inbox and wishes, and what it takes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from coordination.deliveries.models import InboxItem, Wishes
from coordination.deliveries.news import PERSONAL_CHANNELS, News
from coordination.deliveries.personal import Digest
from coordination.rest.inputs import Input
from coordination.rest.reading import Reading


class InboxItemReading(Reading):
    """A message in the caller's inbox."""

    uid = serializers.UUIDField()
    news = serializers.ChoiceField(choices=News.values)
    subject = serializers.CharField()
    text = serializers.CharField()
    language = serializers.CharField(help_text="The language it was written in.")
    url = serializers.CharField(help_text='A path of this installation, "" for none.')
    event = serializers.UUIDField(allow_null=True, help_text="The event it is about, if any.")
    arrived_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class InboxPage(Reading):
    """A page of the inbox, the newest first."""

    items = serializers.ListField(child=InboxItemReading())
    next = serializers.URLField(allow_null=True)
    unread = serializers.IntegerField(help_text="How many of all are unread.")


class ReadAllReading(Reading):
    """How many messages were unread."""

    marked = serializers.IntegerField()


class NoBodyInput(Input):
    """No body is needed."""


class ChannelsReading(Reading):
    """Kind of news to the channels it goes over."""

    reminders = serializers.ListField(child=serializers.ChoiceField(choices=PERSONAL_CHANNELS))
    invitations = serializers.ListField(child=serializers.ChoiceField(choices=PERSONAL_CHANNELS))
    chasing = serializers.ListField(child=serializers.ChoiceField(choices=PERSONAL_CHANNELS))
    changes = serializers.ListField(child=serializers.ChoiceField(choices=PERSONAL_CHANNELS))


class WishesReading(Reading):
    """How the caller wants to be told."""

    channels = ChannelsReading()
    digest = serializers.ChoiceField(choices=Digest.values)
    quiet_from = serializers.CharField(allow_null=True, help_text="Wall time, 22:00.")
    quiet_until = serializers.CharField(allow_null=True, help_text="Wall time, 07:00.")
    language = serializers.CharField(help_text="Of the account; changed under /me/.")
    time_zone = serializers.CharField(help_text="Of the account; changed under /me/.")


class ChannelsInput(Input):
    """Kinds of news that are to go over other channels."""

    reminders = serializers.ListField(
        child=serializers.ChoiceField(choices=PERSONAL_CHANNELS), required=False
    )
    invitations = serializers.ListField(
        child=serializers.ChoiceField(choices=PERSONAL_CHANNELS), required=False
    )
    chasing = serializers.ListField(
        child=serializers.ChoiceField(choices=PERSONAL_CHANNELS), required=False
    )
    changes = serializers.ListField(
        child=serializers.ChoiceField(choices=PERSONAL_CHANNELS), required=False
    )


class WishesInput(Input):
    """What is to change; what is left out stays."""

    channels = ChannelsInput(required=False)
    digest = serializers.ChoiceField(choices=Digest.values, required=False)
    quiet_from = serializers.TimeField(required=False, allow_null=True)
    quiet_until = serializers.TimeField(required=False, allow_null=True)


def inbox_item(item: InboxItem) -> dict[str, Any]:
    """Return a message as it is shown."""
    return {
        "uid": item.uid,
        "news": item.news,
        "subject": item.subject,
        "text": item.text,
        "language": item.language,
        "url": item.url,
        "event": item.about_uid if item.about_type == "events.event" else None,
        "arrived_at": item.created_at,
        "read_at": item.read_at,
    }


def wishes(row: Wishes, *, language: str, time_zone: str) -> dict[str, Any]:
    """Return wishes as they are shown; a kind that nothing was said of goes over every channel."""
    return {
        "channels": {
            str(news): [name for name in PERSONAL_CHANNELS if row.takes(news, name)]
            for news in News
        },
        "digest": row.digest,
        "quiet_from": None if row.quiet_from is None else f"{row.quiet_from:%H:%M}",
        "quiet_until": None if row.quiet_until is None else f"{row.quiet_until:%H:%M}",
        "language": language,
        "time_zone": time_zone,
    }
