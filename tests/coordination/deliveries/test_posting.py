import json

import pytest

from coordination.deliveries.models import Delivery, Message
from coordination.deliveries.sources import Rendered
from tests.coordination.deliveries.stage import AT
from tests.coordination.deliveries.webhook_stage import feed, hook_to, later

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/in"


def test_post_fixes_the_content_and_ties_the_ledger():
    webhook = hook_to(URL).subscription

    [message] = feed(webhook, "名", lane="a")

    stored = Message.objects.get()
    line = Delivery.objects.get()
    rendered = Rendered.from_stored(stored.rendered)
    assert stored.uid == message.uid
    assert rendered.subject == "event.revised"
    assert rendered.text == (
        '{"type":"event.revised","timestamp":"2028-02-29T15:30:00Z","data":{"uid":"名"}}'
    )
    assert json.loads(rendered.text)["data"] == {"uid": "名"}
    assert (line.message_id, line.source_id, line.lane) == (stored.pk, "名", "a")
    assert (stored.next_attempt_at, stored.expires_at) == (AT, later(days=30))


def test_post_of_the_same_cause_twice_keeps_the_first():
    webhook = hook_to(URL).subscription

    made = [len(feed(webhook, "1", "2")), len(feed(webhook, "2", "3"))]

    assert made == [2, 1]
    assert list(Delivery.objects.order_by("pk").values_list("source_id", flat=True)) == [
        "1", "2", "3",
    ]  # fmt: skip


def test_post_of_one_cause_to_two_webhooks_has_two_ids():
    first, second = hook_to(URL).subscription, hook_to(URL, name="另一个").subscription

    uids = {feed(webhook, "1")[0].uid for webhook in (first, second)}

    assert len(uids) == 2
