"""The inbox on the reader's own page: a channel like others, whose other side is our database."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from coordination.deliveries.backoff import Schedule
from coordination.deliveries.models import InboxItem, Message
from coordination.deliveries.news import news_of
from coordination.deliveries.timing import database_time
from coordination.deliveries.transports.base import Letter, Receipt
from coordination.deliveries.transports.robot_text import items_of, shorten

LEASE = timedelta(seconds=60)
SCHEDULE = Schedule(timedelta(seconds=10), timedelta(minutes=10), timedelta(days=3))
LONGEST_SUBJECT = 500
LONGEST_URL = 500


class InboxTransport:
    """Lays letters into inboxes. A letter that comes a second time is there already."""

    lease = LEASE
    schedule = SCHEDULE

    def prepare(self) -> None:
        """Nothing to make ready."""

    def close(self) -> None:
        """Nothing to close."""

    def send(self, letter: Letter) -> Receipt:
        """Lay one letter into its reader's inbox."""
        rendered = letter.rendered
        items = items_of(rendered)
        about = Message.objects.get(uid=letter.uid).deliveries.order_by("pk").first()
        InboxItem.objects.get_or_create(
            message_uid=letter.uid,
            defaults={
                "recipient": letter.reader.recipient,
                "news": news_of(about.source if about is not None else ""),
                "subject": shorten(" ".join(rendered.subject.split()), LONGEST_SUBJECT),
                "text": "\n\n".join(item.text for item in items if item.text),
                "language": rendered.language,
                "url": _own_address(items[0].url),
                "about_type": about.about_type if about is not None else "",
                "about_uid": about.about_uid if about is not None else None,
                "created_at": database_time(),
            },
        )
        return Receipt()


def _own_address(url: str) -> str:
    """Return an address of this installation without its host, so that it outlives a move."""
    base = f"{settings.COORDINATION_BASE_URL}/"
    return "/" + url.removeprefix(base) if url.startswith(base) and len(url) < LONGEST_URL else ""
