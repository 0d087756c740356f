import threading
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from coordination.deliveries.draining import Drain
from coordination.deliveries.models import Attempt, Channel, Endpoint, Message
from coordination.deliveries.sources import Rendered
from coordination.deliveries.timing import Timepiece
from coordination.deliveries.transports.base import Blame, Letter, TransportError
from tests.coordination.deliveries.stage import Boxes, Notices, Post, drain, queue

pytestmark = pytest.mark.django_db

BUSY = TransportError("smtp_450", "450 mailbox busy")
UNKNOWN = TransportError("smtp_550", "550 5.1.1 no such user", permanent=True, bounced=True)
AWAY = TransportError("smtp_away", "connection refused", blame=Blame.CHANNEL)
CUT = TransportError("smtp_cut", "connection closed", blame=Blame.CONNECTION)
REFUSED_HERE = TransportError("smtp_550", "550 5.7.1 relaying denied", blame=Blame.EITHER)
REFUSES_US = TransportError("smtp_550", "550 5.7.1 relaying denied", blame=Blame.US)


@pytest.fixture(autouse=True)
def _stage(source: Notices, boxes: Boxes, post: Post) -> None:
    """All three are there for every test."""


def states() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("recipient", "pk").values_list("state", "reason"))


def outcomes() -> list[tuple[int, str, str]]:
    rows = Attempt.objects.order_by("pk").values_list("number", "outcome", "code")
    return [(number, outcome, code) for number, outcome, code in rows]


def test_drain_sends_each_in_the_readers_words_and_writes_it_down(post: Post) -> None:
    queue("box:1", "box:2")

    tally = drain()

    assert (tally.claimed, tally.sent) == (2, 2)
    assert [(x.reader.address, x.rendered.subject, x.attempt) for x in post.carried] == [
        ("1@example.org", "通知 1", 1),
        ("2@example.org", "通知 1", 1),
    ]
    assert [x.uid for x in post.carried] == [
        m.uid for m in Message.objects.order_by("recipient", "pk")
    ]
    assert states() == [("sent", "")] * 2
    assert list(Attempt.objects.values_list("address", flat=True)) == [
        "1@example.org",
        "2@example.org",
    ]
    assert list(Endpoint.objects.order_by("owner", "pk").values_list("address", flat=True)) == [
        "1@example.org",
        "2@example.org",
    ]
    assert Rendered.from_stored(Message.objects.first().rendered) == post.carried[0].rendered  # type: ignore[union-attr]


def test_drain_to_new_addresses_notes_them_once_a_batch(post: Post) -> None:
    queue("box:1", "box:2", "box:3")

    with CaptureQueriesContext(connection) as asked:
        assert drain().sent == 3

    noted = [q["sql"] for q in asked if q["sql"].find("deliveries_endpoint SET address") >= 0]
    assert len(noted) == 1
    assert set(Endpoint.objects.values_list("owner", "address")) == {
        ("box:1", "1@example.org"),
        ("box:2", "2@example.org"),
        ("box:3", "3@example.org"),
    }


def test_drain_again_sends_nothing(post: Post) -> None:
    queue("box:1")
    drain()

    assert drain().claimed == 0
    assert len(post.carried) == 1


def test_drain_a_passing_failure_is_tried_again_under_the_same_id(at: datetime, post: Post) -> None:
    (message,) = queue("box:1")
    post.failures["box:1"] = BUSY

    assert drain().retried == 1
    stored = Message.objects.get()
    assert (stored.state, stored.reason, stored.error) == ("pending", "smtp_450", BUSY.detail)
    assert at + timedelta(seconds=30) <= stored.next_attempt_at <= at + timedelta(seconds=61)

    post.failures.clear()
    drain(at + timedelta(seconds=62))
    assert [(x.uid, x.attempt) for x in post.carried] == [(message.uid, 2)]
    assert outcomes() == [(1, "retry", "smtp_450"), (2, "sent", "")]
    assert Endpoint.objects.get().failures == 0


def test_drain_a_retry_is_the_same_to_the_byte(at: datetime, post: Post) -> None:
    queue("box:1")
    post.failures["box:1"] = BUSY
    drain()
    first = Message.objects.get().rendered
    post.failures.clear()

    drain(at + timedelta(minutes=5))

    assert post.carried[0].rendered.stored() == first
    assert Message.objects.get().rendered == first


def test_drain_follows_the_schedule_until_it_gives_up(at: datetime, post: Post) -> None:
    queue("box:1")
    post.failures["box:1"] = BUSY
    moment = at
    waits: list[float] = []
    while Message.objects.get().state == "pending":
        # The endpoint's own pause is another test's.
        Endpoint.objects.update(failures=0, paused_until=None)
        drain(moment)
        stored = Message.objects.get()
        waits.append((stored.next_attempt_at - moment).total_seconds())
        moment = stored.next_attempt_at

    assert states() == [("dead", "given_up")]
    full = [60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3840.0]
    for wait, most in zip(waits, full, strict=False):
        assert most / 2 - 1 <= wait <= most + 1
    assert max(waits) <= 7201
    assert timedelta(days=3) <= moment - at < timedelta(days=3, hours=2, minutes=1)


def test_drain_a_retry_past_the_events_start_expires(at: datetime, post: Post) -> None:
    queue("box:1", expires_at=at + timedelta(seconds=20))
    post.failures["box:1"] = BUSY

    drain()

    assert states() == [("expired", "smtp_450")]


def test_drain_to_an_address_that_does_not_exist_is_dead_and_marks_it(
    at: datetime, post: Post, boxes: Boxes
) -> None:
    queue("box:1", "box:2")
    post.failures["box:1"] = UNKNOWN

    assert drain().dead == 1

    assert states() == [("dead", "smtp_550"), ("sent", "")]
    assert boxes.bounced == [("box:1", "1@example.org")]
    endpoint = Endpoint.objects.get(owner="box:1")
    assert (endpoint.address, endpoint.bounced_at is not None) == ("1@example.org", True)


def test_drain_a_poisoned_message_is_dead_after_three_and_others_flow(
    at: datetime, post: Post, source: Notices
) -> None:
    queue("box:1", "box:2")
    source.poisoned.add("box:1")

    for minutes in (0, 10, 20, 30):
        drain(at + timedelta(minutes=minutes))

    assert states() == [("dead", "cannot_be_made"), ("sent", "")]
    poisoned = Attempt.objects.filter(message__recipient="box:1").order_by("pk")
    assert list(poisoned.values_list("number", "outcome")) == [
        (1, "retry"),
        (2, "retry"),
        (3, "dead"),
    ]
    assert "KeyError" in Message.objects.order_by("recipient", "pk")[0].error


def test_drain_with_an_unknown_source_is_dead_after_three(at: datetime, post: Post) -> None:
    queue("box:1", source="of another age")

    for minutes in (0, 10, 20):
        drain(at + timedelta(minutes=minutes))

    assert states() == [("dead", "cannot_be_made")]


def test_drain_with_the_server_away_pauses_the_channel_and_blames_nobody(
    at: datetime, post: Post
) -> None:
    queue("box:1", "box:2")
    post.closed = AWAY

    assert drain().sent == 0

    assert list(Message.objects.values_list("state", "failures", "lease")) == [
        ("pending", 0, ""),
        ("pending", 0, ""),
    ]
    channel = Channel.objects.get()
    assert (channel.failures, channel.reason) == (1, str(AWAY))
    post.closed = None
    assert drain(at + timedelta(seconds=6)).sent == 2
    channel.refresh_from_db()
    assert (channel.failures, channel.paused_until, channel.reason) == (0, None, "")


def test_drain_with_the_server_away_for_hours_loses_nothing(at: datetime, post: Post) -> None:
    queue("box:1", "box:2", "box:3")
    post.closed = AWAY
    tries = 0
    for minutes in range(360):
        tries += bool(drain(at + timedelta(minutes=minutes)).claimed)

    assert tries < 120
    post.closed = None
    assert drain(at + timedelta(hours=7)).sent == 3


def test_drain_refused_as_a_sender_pauses_the_channel_and_keeps_the_rows(
    at: datetime, post: Post
) -> None:
    queue("box:1", "box:2")
    post.failures |= {"box:1": REFUSES_US, "box:2": REFUSES_US}  # whichever goes first

    tally = drain()

    assert (tally.retried, tally.sent, tally.dead) == (1, 0, 0)
    assert list(Message.objects.values_list("state", "lease")) == [("pending", "")] * 2
    pause = Channel.objects.get().paused_until
    assert pause is not None
    assert at + timedelta(seconds=30) <= pause <= at + timedelta(seconds=61)


def test_drain_with_many_addresses_refused_sends_to_the_others_at_once(
    at: datetime, post: Post
) -> None:
    keys = [f"box:{number}" for number in range(9)]
    queue(*keys)
    post.failures = dict.fromkeys(keys[:7], REFUSED_HERE)

    tally = drain()

    assert (tally.sent, tally.retried) == (2, 7)
    assert Channel.objects.get().paused_until is None
    queue("box:9")
    assert drain(at + timedelta(seconds=1)).sent == 1


def test_drain_with_every_address_refused_pauses_the_channel(at: datetime, post: Post) -> None:
    keys = [f"box:{number}" for number in range(6)]
    queue(*keys)
    post.failures = dict.fromkeys(keys, REFUSED_HERE)

    tally = drain()

    assert (tally.sent, tally.retried, tally.dead) == (0, 6, 0)
    pause = Channel.objects.get()
    assert pause.paused_until is not None
    assert "relaying denied" in pause.reason
    post.failures.clear()
    assert drain(at + timedelta(minutes=3)).sent == 6


def test_drain_with_one_address_refused_alone_pauses_nothing(at: datetime, post: Post) -> None:
    queue("box:1")
    post.failures = {"box:1": REFUSED_HERE}

    for minutes in (0, 2, 5):
        assert drain(at + timedelta(minutes=minutes)).retried == 1

    assert not Channel.objects.filter(paused_until__isnull=False).exists()


def test_drain_a_letter_refused_as_ours_while_others_pass_ends_dead(
    at: datetime, post: Post
) -> None:
    queue("box:1")
    post.failures["box:1"] = REFUSES_US
    for minutes in range(0, 240, 2):
        queue("box:2", source_id=f"other {minutes}")
        drain(at + timedelta(minutes=minutes))
    drain(at + timedelta(hours=5))

    refused = Message.objects.get(recipient="box:1")
    assert (refused.state, refused.reason, refused.failures) == ("dead", "smtp_550", 5)
    assert set(Message.objects.filter(recipient="box:2").values_list("state", flat=True)) == (
        {"sent"}
    )


def test_drain_a_cut_connection_retries_one_and_sends_the_others(post: Post) -> None:
    queue("box:1", "box:2")
    post.failures["box:1"] = CUT

    tally = drain()

    assert (tally.retried, tally.sent) == (1, 1)


def test_drain_five_cut_connections_in_a_row_pause_the_channel(at: datetime, post: Post) -> None:
    keys = [f"box:{number}" for number in range(8)]
    queue(*keys)
    post.failures = dict.fromkeys(keys, CUT)

    tally = drain()

    assert tally.retried == 5
    assert Message.objects.filter(attempts=0, failures=0, lease="").count() == 3
    assert Channel.objects.get().paused_until is not None


def test_drain_a_failing_endpoint_costs_one_try_a_pause(at: datetime, post: Post) -> None:
    for number in range(20):
        queue("box:1", source_id=str(number))
    queue("box:2")
    post.failures["box:1"] = BUSY
    drain()
    tried = Attempt.objects.filter(message__recipient="box:1").count()

    drain(at + timedelta(hours=3))

    assert Attempt.objects.filter(message__recipient="box:1").count() == tried + 1
    assert Message.objects.get(recipient="box:2").state == "sent"


def test_drain_an_endpoint_that_is_well_again_sends_its_backlog(at: datetime, post: Post) -> None:
    for number in range(7):
        queue("box:1", source_id=str(number))
    post.failures["box:1"] = BUSY
    drain()
    post.failures.clear()

    drain(at + timedelta(hours=3))
    drain(at + timedelta(hours=3, seconds=1))

    assert states() == [("sent", "")] * 7
    assert Endpoint.objects.get().failures == 0


def test_drain_after_five_days_of_failures_switches_the_endpoint_off(
    at: datetime, post: Post
) -> None:
    for number in range(6):
        queue("box:1", source_id=str(number))
    post.failures["box:1"] = BUSY
    drain()
    queue("box:1", source_id="much later")

    drain(at + timedelta(days=5, minutes=1))

    endpoint = Endpoint.objects.get()
    assert (endpoint.disabled_reason, endpoint.disabled_at is not None) == (
        "failing_for_days",
        True,
    )
    assert Message.objects.filter(state="pending", lease="").count() > 0


def test_drain_past_the_fence_gives_the_rest_back(at: datetime, post: Post) -> None:
    queue("box:1", "box:2")
    post.lease = timedelta(0)

    tally = drain(limit=2, budget=0.2)

    assert tally.sent == 0
    assert list(Message.objects.values_list("state", "lease")) == [("pending", "")] * 2


def test_drain_told_to_stop_gives_the_rest_back(at: datetime, post: Post) -> None:
    queue("box:1", "box:2", "box:3")
    stop = threading.Event()
    post.before = lambda letter: stop.set()

    Drain("post", Timepiece(at), stop).run()

    assert list(Message.objects.order_by("recipient", "pk").values_list("state", "lease")) == [
        ("sent", ""),
        ("pending", ""),
        ("pending", ""),
    ]


def test_drain_when_the_lease_was_lost_while_sending_leaves_the_row_alone(
    at: datetime, post: Post
) -> None:
    queue("box:1")
    post.before = lambda letter: Message.objects.update(lease="somebody else")  # type: ignore[assignment, return-value]

    tally = drain()

    assert (tally.sent, tally.lost) == (0, 1)
    assert states() == [("pending", "")]


def test_drain_when_the_machine_slept_past_the_lease_sends_one_and_leaves_the_rest(
    at: datetime, post: Post
) -> None:
    queue("box:1", "box:2", "box:3")
    # A machine that sleeps stops the monotonic clock, by which the fence counts.
    post.before = lambda letter: Message.objects.update(lease="somebody else")  # type: ignore[assignment, return-value]

    tally = drain()

    assert (tally.sent, tally.lost, len(post.carried)) == (0, 1, 1)
    assert set(Message.objects.values_list("lease", flat=True)) == {"somebody else"}


def test_drain_killed_while_sending_sends_again_under_the_same_id(at: datetime, post: Post) -> None:
    (message,) = queue("box:1")

    class Killed(BaseException):
        pass

    def die(letter: Letter) -> None:
        post.carried.append(letter)
        raise Killed

    post.before = die
    with pytest.raises(Killed):
        drain()
    post.before = None

    drain(at + timedelta(seconds=121))

    assert [x.uid for x in post.carried] == [message.uid, message.uid]
    assert post.carried[0].rendered == post.carried[1].rendered
    assert outcomes() == [(1, "in_doubt", "lease_ended"), (2, "sent", "")]


def test_drain_with_the_database_away_in_the_last_look_blames_nobody(
    at: datetime, post: Post, source: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue("box:1")

    def away(*_arguments: object) -> str:
        raise OperationalError("the connection is closed")

    with monkeypatch.context() as patch:
        patch.setattr(source, "still_wanted", away)
        with pytest.raises(OperationalError):
            drain()

    assert list(Message.objects.values_list("state", "failures", "lease")) == [("pending", 0, "")]
    assert drain(at + timedelta(seconds=5)).sent == 1
