from datetime import timedelta

import pytest

from coordination.accounts.viewer import PUBLIC, SYSTEM
from coordination.changes.refusals import InvalidInput, NotAllowed, TransitionNotAllowed
from coordination.deliveries.models import Endpoint, Message, Subscription
from coordination.deliveries.signing import key_of
from coordination.deliveries.subscribing import (
    MOST_OF_ONE_OWNER,
    enable_subscription,
    messages_of,
    pause_subscription,
    ping,
    replay_messages,
    revise_subscription,
    rotate_secret,
    subscribe,
    unsubscribe,
)
from tests.coordination.deliveries.stage import AT
from tests.coordination.deliveries.webhook_stage import OWNER, feed, hook_to, later

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/in"


def states() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("pk").values_list("state", "reason"))


def test_subscribe_makes_a_secret_of_256_bits():
    first, second = hook_to(URL), hook_to(URL, name="另一个")

    assert len(key_of(first.secret)) == 32
    assert first.secret != second.secret
    assert first.subscription.endpoint.secret == first.secret


def test_subscribe_by_somebody_else_is_refused():
    with pytest.raises(NotAllowed):
        subscribe(OWNER, name="钩子", url=URL, viewer=PUBLIC, at=AT)

    assert Endpoint.objects.count() == 0


def test_subscribe_under_a_name_that_is_taken_is_refused():
    hook_to(URL)

    with pytest.raises(InvalidInput) as refused:
        hook_to(URL)

    assert [(error.field, error.code) for error in refused.value.errors] == [("name", "taken")]


def test_subscribe_too_often_is_refused():
    for number in range(MOST_OF_ONE_OWNER):
        hook_to(URL, name=str(number))

    with pytest.raises(TransitionNotAllowed) as refused:
        hook_to(URL)

    assert refused.value.code == "too_many"
    assert Subscription.objects.count() == MOST_OF_ONE_OWNER


def test_revise_to_an_address_inside_is_refused():
    webhook = hook_to(URL).subscription

    with pytest.raises(InvalidInput) as refused:
        revise_subscription(webhook, url="https://10.0.0.1/", viewer=SYSTEM, at=AT)

    assert refused.value.errors[0].code == "address_inside"
    assert Endpoint.objects.get().address == URL


def test_rotate_twice_keeps_the_one_before():
    made = hook_to(URL)

    second = rotate_secret(made.subscription, viewer=SYSTEM, at=AT)
    third = rotate_secret(made.subscription, viewer=SYSTEM, at=later(hours=1))

    endpoint = Endpoint.objects.get()
    assert (endpoint.secret, endpoint.previous_secret) == (third.secret, second.secret)
    assert endpoint.previous_secret_until == later(hours=25)


def test_enable_with_a_replay_sends_what_waits_and_what_died_since():
    webhook = hook_to(URL).subscription
    old, died, waits = feed(webhook, "0", "1", "2")
    Message.objects.filter(pk=old.pk).update(state="dead", created_at=AT - timedelta(days=9))
    Message.objects.filter(pk=died.pk).update(state="dead")
    Message.objects.filter(pk=waits.pk).update(next_attempt_at=later(days=1), failures=3)
    Endpoint.objects.update(
        failures=9, failing_since=AT, disabled_at=AT, disabled_reason="failing_for_days",
        owner_told_at=AT,
    )  # fmt: skip
    webhook = Subscription.objects.get()

    enable_subscription(webhook, missed="replay", viewer=SYSTEM, at=later(hours=1))

    endpoint = Endpoint.objects.get()
    assert (endpoint.failures, endpoint.disabled_at, endpoint.owner_told_at) == (0, None, None)
    assert states() == [("dead", ""), ("pending", ""), ("pending", "")]
    due = Message.objects.filter(state="pending").values_list("next_attempt_at", "failures")
    assert set(due) == {(later(hours=1), 0)}


def test_enable_with_a_skip_drops_what_waits():
    webhook = hook_to(URL).subscription
    feed(webhook, "1", "2")
    pause_subscription(webhook, viewer=SYSTEM, at=AT)

    enable_subscription(webhook, missed="skip", viewer=SYSTEM, at=AT)

    assert states() == [("superseded", "skipped")] * 2
    assert Endpoint.objects.get().disabled_at is None


def test_paused_and_ended_ones_do_not_count_as_failing():
    paused, ended, off = (hook_to(URL, name=name).subscription for name in ("停", "终", "坏"))
    pause_subscription(paused, viewer=SYSTEM, at=AT)
    unsubscribe(ended, viewer=SYSTEM, at=AT)
    Endpoint.objects.filter(pk=off.endpoint_id).update(disabled_at=AT, disabled_reason="http_410")

    assert [endpoint.pk for endpoint in Endpoint.objects.failing()] == [off.endpoint_id]


def test_ping_to_one_that_is_off_is_refused():
    webhook = hook_to(URL).subscription
    pause_subscription(webhook, viewer=SYSTEM, at=AT)

    with pytest.raises(TransitionNotAllowed):
        ping(webhook, viewer=SYSTEM, at=AT)

    assert Message.objects.count() == 0


def test_replay_of_a_range_takes_what_failed_in_it():
    webhook = hook_to(URL).subscription
    made = [feed(webhook, str(day), at=later(days=day))[0] for day in range(4)]
    Message.objects.update(state="dead", reason="given_up")

    count = replay_messages(
        webhook, since=later(days=1), until=later(days=3), viewer=SYSTEM, at=later(days=9)
    )

    waiting = set(messages_of(webhook).pending().values_list("pk", flat=True))
    assert (count, waiting) == (2, {made[1].pk, made[2].pk})


@pytest.mark.parametrize("until", [1, 3])
def test_replay_of_a_range_that_ends_where_it_begins_or_before_is_refused(until: int):
    webhook = hook_to(URL).subscription
    feed(webhook, "1", at=later(days=2))
    Message.objects.update(state="dead", reason="given_up")

    with pytest.raises(InvalidInput) as refused:
        replay_messages(
            webhook, since=later(days=3), until=later(days=until), viewer=SYSTEM, at=later(days=9)
        )

    assert [(one.field, one.code) for one in refused.value.errors] == [("until", "invalid")]
    assert states() == [("dead", "given_up")]


def test_replay_of_a_sent_message_sends_it_again_under_its_id():
    webhook = hook_to(URL).subscription
    [message] = feed(webhook, "1")
    Message.objects.update(state="sent", sent_at=AT)

    count = replay_messages(webhook, message=message.uid, viewer=SYSTEM, at=later(hours=1))

    again = Message.objects.get()
    assert (count, again.uid, again.state, again.sent_at) == (1, message.uid, "pending", None)


def test_replay_of_what_still_waits_or_of_another_webhook_is_refused():
    webhook, other = hook_to(URL).subscription, hook_to(URL, name="另一个").subscription
    [waits] = feed(webhook, "1")
    [foreign] = feed(other, "2")
    Message.objects.filter(pk=foreign.pk).update(state="dead")

    for message in (waits, foreign):
        with pytest.raises(InvalidInput):
            replay_messages(webhook, message=message.uid, viewer=SYSTEM, at=AT)

    assert states() == [("pending", ""), ("dead", "")]


def test_replay_of_what_is_no_longer_kept_sends_nothing():
    webhook = hook_to(URL).subscription
    feed(webhook, "1")
    Message.objects.update(state="dead", rendered="")

    assert replay_messages(webhook, viewer=SYSTEM, at=AT) == 0


@pytest.mark.parametrize(
    "verb", [rotate_secret, pause_subscription, unsubscribe, ping, replay_messages]
)
def test_verbs_by_somebody_else_are_refused(verb):
    webhook = hook_to(URL).subscription
    before = Endpoint.objects.values().get()

    with pytest.raises(NotAllowed):
        verb(webhook, viewer=PUBLIC, at=AT)

    assert Endpoint.objects.values().get() == before
