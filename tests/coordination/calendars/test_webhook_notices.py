from datetime import timedelta

import pytest
from django.core import mail
from django.utils.translation import override

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from coordination.calendars.webhook_notices import (
    Accounts,
    WebhookNotices,
    keepers_of,
    reason_in_words,
)
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.circuit import disable_endpoint
from coordination.deliveries.last_look import NotWanted, last_look
from coordination.deliveries.models import Delivery, Endpoint, Message, Subscription
from coordination.deliveries.recipients import readers_of
from coordination.deliveries.subscribing import (
    enable_subscription,
    pause_subscription,
    unsubscribe,
)
from tests.coordination.calendars.hearing import hook, owner_of
from tests.factories import AT, Cast

pytestmark = pytest.mark.django_db


def fire_all() -> int:
    fired = 0
    while WebhookNotices().fire_next(AT):
        fired += 1
    return fired


def switch_off(webhook: Subscription, reason: str = "failing_for_days") -> None:
    disable_endpoint(webhook.endpoint_id, reason=reason, at=AT - timedelta(minutes=1))


def test_owner_of_a_webhook_that_was_switched_off_is_told_once(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    assert (WebhookNotices().oldest_due_at(AT), fire_all()) == (None, 0)

    switch_off(webhook)

    assert WebhookNotices().oldest_due_at(AT) == AT - timedelta(minutes=1)
    assert (fire_all(), fire_all()) == (1, 0)
    line = Delivery.objects.get()
    assert (line.recipient, line.channel) == (owner_of(cast.secretary), "email")
    assert Endpoint.objects.get(pk=webhook.endpoint_id).owner_told_at == AT


def test_staff_of_a_secretariat_are_told_of_its_webhooks(cast: Cast) -> None:
    webhook = hook("alliance:jjj")
    switch_off(webhook, "http_410")

    fire_all()

    told = list(Delivery.objects.values_list("recipient", flat=True))
    assert told == keepers_of("alliance:jjj", at=AT)
    assert [key.partition(":")[0] for key in told] == ["person"]


def test_nobody_is_told_of_what_its_owner_has_paused_or_ended(cast: Cast) -> None:
    paused, ended = hook(cast.secretary), hook(cast.secretary, name="另一个")

    pause_subscription(paused, viewer=SYSTEM, at=AT)
    unsubscribe(ended, viewer=SYSTEM, at=AT)

    assert (fire_all(), Delivery.objects.count()) == (0, 0)


def test_notice_of_a_webhook_that_is_on_again_is_dropped(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    switch_off(webhook)
    fire_all()
    webhook = Subscription.objects.get()
    enable_subscription(webhook, missed="replay", viewer=SYSTEM, at=AT)
    bundle_due(AT)
    message = Message.objects.get(source="webhook_notice")
    reader = readers_of([message.recipient], "email")[message.recipient]

    with pytest.raises(NotWanted) as reason:
        last_look(message, list(Delivery.objects.all()), reader, at=AT)

    assert reason.value.code == "webhook_on_again"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_notice_says_which_one_why_and_what_to_do(cast: Cast, language: str) -> None:
    webhook = hook(cast.secretary)
    User.objects.filter(pk=cast.secretary.user_id).update(language=language, email="a@example.org")
    switch_off(webhook)
    fire_all()
    line = Delivery.objects.get()
    reader = readers_of([line.recipient], "email")[line.recipient]

    rendered = WebhookNotices().render([line], reader, AT)

    with override(language):
        reason = reason_in_words("failing_for_days")
    assert (rendered.language, reader.address) == (language, "a@example.org")
    assert webhook.endpoint.name in rendered.subject
    for part in (
        reason,
        webhook.endpoint.address,
        f"http://127.0.0.1:8000/connect/webhooks/{webhook.uid}/",
    ):
        assert part in rendered.text
    assert mail.outbox == []


def test_accounts_that_are_closed_are_nobody(cast: Cast) -> None:
    key = owner_of(cast.secretary)
    assert set(Accounts().readers([key], "email")) == {key}

    User.objects.filter(pk=cast.secretary.user_id).update(is_active=False)

    assert Accounts().readers([key], "email") == {}


def test_reason_in_words_of_any_code_says_something() -> None:
    with override("en"):
        words = [reason_in_words(code) for code in ("", "paused", "http_410", "https_only")]

    assert words[0] == ""
    assert words[3] == "Its address may not be connected (https_only)."
    assert len(set(words)) == 4
