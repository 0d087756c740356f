"""The inbox as a channel: one row for each message, whatever its source, however often it comes."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from coordination.deliveries import sources
from coordination.deliveries.models import Endpoint, InboxItem, Message
from coordination.deliveries.news import News
from coordination.deliveries.retention import delete_old, empty_inboxes, forget_addresses
from coordination.deliveries.sources import Item, Rendered
from coordination.deliveries.transports import base
from coordination.deliveries.transports.inbox import InboxTransport
from tests.coordination.deliveries.stage import Boxes, Notices, drain, queue

pytestmark = pytest.mark.django_db


class Noted(Notices):
    """Notices with a place on these pages."""

    news = News.REMINDERS

    def render(self, deliveries: Any, reader: Any, at: datetime) -> Rendered:
        items = (Item("对接会", "5月16日", "http://127.0.0.1:8000/events/1/"),)
        return Rendered("提醒：对接会", "长长的正文", items=items)


@pytest.fixture(autouse=True)
def _stage(boxes: Boxes) -> None:
    sources.register_source(Notices())
    base.register_transport("inbox", InboxTransport)


def inbox(**values: Any) -> list[Message]:
    messages = queue("box:1", channel="inbox", **values)
    Endpoint.objects.filter(channel="inbox").update(address="inbox")
    return messages


def bundled(at: datetime, **values: Any) -> None:
    Endpoint.objects.get_or_create(channel="inbox", owner="box:1", address="inbox")
    inbox(**values)
    drain(at, channel="inbox")


def test_send_lays_it_into_the_inbox_with_its_link(at: datetime) -> None:
    sources.register_source(Noted())

    bundled(at, about_type="events.event", about_uid="0b6f2d3e-2a53-4c0b-9d0c-6f0b1a6f2c51")

    item = InboxItem.objects.get()
    assert (item.recipient, item.news, item.subject) == ("box:1", "reminders", "提醒：对接会")
    assert (item.text, item.url, item.read_at) == ("5月16日", "/events/1/", None)
    assert (item.about_type, str(item.about_uid)[:8]) == ("events.event", "0b6f2d3e")
    assert item.message_uid == Message.objects.get().uid


def test_send_of_a_source_that_says_nothing_in_short_shows_its_text(at: datetime) -> None:
    bundled(at)

    item = InboxItem.objects.get()
    assert (item.subject, item.news, item.url) == ("通知 1", "changes", "")
    assert item.text.startswith("收件人 box:1:1 ")


def test_send_in_doubt_again_lies_there_once(at: datetime) -> None:
    bundled(at)
    Message.objects.update(state="pending", sent_at=None, lease="", leased_until=None)

    drain(at + timedelta(minutes=5), channel="inbox")

    assert (InboxItem.objects.count(), Message.objects.get().state) == (1, "sent")


def test_inbox_is_kept_as_long_as_the_ledger(at: datetime) -> None:
    bundled(at)
    InboxItem.objects.update(created_at=at)
    Message.objects.update(created_at=at)
    kept = at + timedelta(days=400)

    assert (empty_inboxes(kept), delete_old(kept)) == (0, 0)
    later = kept + timedelta(seconds=1)
    assert (empty_inboxes(later), delete_old(later)) == (1, 1)
    assert not InboxItem.objects.exists()


def test_erasing_a_person_empties_the_inbox(at: datetime) -> None:
    bundled(at)

    forget_addresses("box:1")

    assert not InboxItem.objects.exists()
