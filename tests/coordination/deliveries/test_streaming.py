import socket
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection

from coordination.deliveries import sources
from coordination.deliveries.draining import Drain
from coordination.deliveries.freshness import oldest_due_seconds
from coordination.deliveries.models import Attempt, Endpoint, Message
from coordination.deliveries.streaming import MOST_FLYING_TO_ONE, Stream, drain_for
from coordination.deliveries.timing import Timepiece
from coordination.deliveries.transports import base
from coordination.deliveries.transports.webhook import WebhookTransport
from tests.coordination.deliveries import receiver as peers
from tests.coordination.deliveries.receiver import Call, answers, receiving
from tests.coordination.deliveries.stage import AT, Post
from tests.coordination.deliveries.webhook_stage import News, feed, hook_to, later, let_out, send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.network]


@pytest.fixture(autouse=True)
def news() -> Iterator[News]:
    source = News()
    sources.register_source(source)
    base.register_transport("webhook", WebhookTransport)
    yield source
    base.close_transports()


def said(calls: list[Call]) -> list[str]:
    return [call.json["data"]["uid"] for call in calls]


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Message.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_drain_for_a_channel_takes_what_its_transport_can_do():
    base.register_transport("post", Post)
    stop = threading.Event()

    kinds = [type(drain_for(name, Timepiece(AT), stop)) for name in ("post", "webhook")]

    assert kinds == [Drain, Stream]


def test_run_sends_everything_that_is_due():
    with receiving() as receiver, let_out(receiver):
        hook = hook_to(receiver.url()).subscription
        feed(hook, *[str(number) for number in range(30)])
        tally = send()

    assert sorted(said(receiver.calls), key=int) == [str(number) for number in range(30)]
    assert (tally.sent, tally.claimed, states()) == (30, 30, {"sent": 30})
    assert Attempt.objects.count() == 30


def test_run_keeps_the_order_within_a_lane():
    with receiving() as receiver, let_out(receiver):
        hook = hook_to(receiver.url()).subscription
        for number in range(6):
            feed(hook, f"a{number}", lane="a")
            feed(hook, f"b{number}", lane="b")
        send()

    heard = said(receiver.calls)
    assert [one for one in heard if one[0] == "a"] == [f"a{number}" for number in range(6)]
    assert [one for one in heard if one[0] == "b"] == [f"b{number}" for number in range(6)]


def test_run_holds_a_lane_back_behind_what_failed_and_lets_others_flow():
    def refuses_a0(connected: socket.socket, call: Call) -> None:
        answers(500 if said([call]) == ["a0"] else 200)(connected, call)

    with receiving(refuses_a0) as receiver, let_out(receiver):
        hook = hook_to(receiver.url()).subscription
        feed(hook, "a0", "a1", lane="a")
        feed(hook, "b0", "b1", lane="b")
        send()
        before = said(receiver.calls)
        receiver.behaviour = answers()
        send(later(minutes=1))

    assert sorted(before) == ["a0", "b0", "b1"]
    assert said(receiver.calls)[3:] == ["a0", "a1"]
    assert states() == {"sent": 4}


def test_lane_that_waits_for_a_retry_is_not_late():
    with receiving(answers(500)) as receiver, let_out(receiver):
        feed(hook_to(receiver.url()).subscription, "1", "2", lane="a")
        send()
        Message.objects.filter(failures=1).update(next_attempt_at=later(hours=2))

    assert oldest_due_seconds(later(hours=1)) == 0.0
    assert oldest_due_seconds(later(hours=2, seconds=90)) == 90.0


def test_run_goes_on_in_a_lane_after_a_dead_message():
    with receiving(answers(302)) as receiver, let_out(receiver):
        hook = hook_to(receiver.url()).subscription
        _first, second = feed(hook, "1", "2", lane="a")
        Message.objects.filter(pk=second.pk).update(next_attempt_at=later(minutes=1))
        send()
        receiver.behaviour = answers()
        send(later(minutes=2))

    assert said(receiver.calls) == ["1", "2"]
    assert states() == {"dead": 1, "sent": 1}


def test_run_with_one_endpoint_that_hangs_sends_to_the_others_meanwhile():
    done = threading.Event()

    def hangs_until_done(connected: socket.socket, call: Call) -> None:
        done.wait(10)
        answers()(connected, call)

    with receiving(hangs_until_done) as hung, receiving() as sound, let_out(hung, sound):
        feed(hook_to(hung.url(), name="挂").subscription, *[f"h{n}" for n in range(40)])
        feed(hook_to(sound.url(), name="好").subscription, *[f"s{n}" for n in range(40)])
        thread = threading.Thread(target=_drain)
        thread.start()
        while len(sound.calls) < 40 and thread.is_alive():
            time.sleep(0.01)
        on_their_way = len(hung.calls)
        done.set()
        thread.join(30)

    assert len(sound.calls) == 40
    assert on_their_way == MOST_FLYING_TO_ONE
    assert states() == {"sent": 80}


def _drain() -> None:
    try:
        send()
    finally:
        base.close_transports()
        connection.close()


def test_run_with_an_endpoint_that_fails_gives_back_what_waits_for_it():
    with receiving(answers(500)) as receiver, let_out(receiver):
        hook = hook_to(receiver.url()).subscription
        feed(hook, *[str(number) for number in range(20)])
        send()

    endpoint = Endpoint.objects.get()
    assert endpoint.failures >= 5
    assert endpoint.paused_until > AT
    assert len(receiver.calls) < 5 + 2 * MOST_FLYING_TO_ONE
    assert set(Message.objects.values_list("state", "lease")) == {("pending", "")}


def test_run_after_the_pause_sends_one_probe_and_then_the_rest():
    with receiving(answers(500)) as receiver, let_out(receiver):
        hook = hook_to(receiver.url()).subscription
        feed(hook, *[str(number) for number in range(10)])
        send()
        tried = len(receiver.calls)
        send(later(hours=2))
        probed = len(receiver.calls) - tried
        receiver.behaviour = answers()
        send(later(hours=5))

    assert probed == 1
    assert states() == {"sent": 10}
    assert Endpoint.objects.get().failures == 0


def test_run_with_a_stop_gives_back_what_was_not_begun():
    stop = threading.Event()

    def stops(connected: socket.socket, call: Call) -> None:
        stop.set()
        answers()(connected, call)

    with receiving(stops) as receiver, let_out(receiver):
        feed(hook_to(receiver.url()).subscription, *[str(number) for number in range(50)])
        tally = send(stop=stop)

    assert tally.sent == len(receiver.calls) == states()["sent"] < 50
    assert set(Message.objects.filter(state="pending").values_list("lease", flat=True)) == {""}


def test_run_with_a_stop_leaves_what_hangs_in_doubt(monkeypatch):
    monkeypatch.setattr("coordination.deliveries.streaming.SECONDS_TO_LAND_AFTER_STOP", 0.2)
    stop = threading.Event()

    def stops_and_hangs(connected: socket.socket, call: Call) -> None:
        stop.set()
        peers.hangs(connected, call)

    with receiving(stops_and_hangs) as receiver, let_out(receiver):
        [message] = feed(hook_to(receiver.url()).subscription, "1")
        send(stop=stop)

        message.refresh_from_db()
        assert (message.state, message.lease != "") == ("pending", True)
        receiver.behaviour = answers()
        send(later(minutes=2))

    first, second = receiver.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    outcomes = Attempt.objects.order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == ["in_doubt", "sent"]


def test_run_of_what_is_no_longer_wanted_sends_nothing(news: News):
    news.refusals["1"] = "no_longer_visible"
    with receiving() as receiver, let_out(receiver):
        first, _second = feed(hook_to(receiver.url()).subscription, "1", "2", lane="a")
        send()

    first.refresh_from_db()
    assert (first.state, first.reason) == ("superseded", "no_longer_visible")
    assert said(receiver.calls) == ["2"]


def test_run_of_a_message_whose_content_is_gone_is_dead_after_three():
    with receiving() as receiver, let_out(receiver):
        [message] = feed(hook_to(receiver.url()).subscription, "1")
        Message.objects.update(rendered="")
        for hours in range(3):
            send(later(hours=hours))

    message.refresh_from_db()
    assert (message.state, message.reason, receiver.calls) == ("dead", "cannot_be_made", [])


def test_run_with_two_drains_at_once_sends_nothing_twice():
    with receiving() as receiver, let_out(receiver):
        for place in range(4):
            hook = hook_to(receiver.url(), name=str(place)).subscription
            feed(hook, *[f"{place}-{number}" for number in range(10)], lane="a")
        threads = [threading.Thread(target=_drain) for _n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

    heard = said(receiver.calls)
    assert len(heard) == len(set(heard)) == 40
    for place in range(4):
        mine = [one for one in heard if one.startswith(f"{place}-")]
        assert mine == [f"{place}-{number}" for number in range(10)]
