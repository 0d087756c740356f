import threading
import time
from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError, connection

from coordination.deliveries.fanout import enqueue
from coordination.deliveries.models import (
    Attempt,
    AttemptOutcome,
    Channel,
    Delivery,
    Endpoint,
    Message,
)
from coordination.deliveries.outbox import (
    Settlement,
    begin,
    claim_due,
    claim_probes,
    plan_anew,
    put_back,
    release,
    settle,
    supersede,
    surely,
)
from tests.coordination.deliveries.stage import cause, queue
from tests.steps import counted, steps_of

LEASE = timedelta(seconds=120)


def sent(message: Message, at: datetime) -> Settlement:
    return Settlement(message, AttemptOutcome.SENT, begun_at=at, ended_at=at)


@pytest.mark.django_db
def test_claim_due_messages_leases_them(at: datetime) -> None:
    queue("box:1", "box:2")

    claimed = claim_due("post", at=at, lease=LEASE)

    assert [message.recipient for message in claimed] == ["box:1", "box:2"]
    assert len({message.lease for message in claimed}) == 1
    assert [(message.attempts, message.in_doubt) for message in claimed] == [(1, False)] * 2
    stored = Message.objects.get(pk=claimed[0].pk)
    assert (stored.lease, stored.leased_until) == (claimed[0].lease, at + LEASE)
    assert stored.first_tried_at == at


@pytest.mark.django_db
def test_claim_again_within_the_lease_gets_nothing(at: datetime) -> None:
    queue("box:1")
    claim_due("post", at=at, lease=LEASE)

    assert claim_due("post", at=at + LEASE - timedelta(seconds=1), lease=LEASE) == []


@pytest.mark.django_db
def test_claim_before_it_is_due_gets_nothing(at: datetime) -> None:
    queue("box:1")

    assert claim_due("post", at=at - timedelta(microseconds=1), lease=LEASE) == []
    assert len(claim_due("post", at=at, lease=LEASE)) == 1


@pytest.mark.django_db
def test_claim_takes_the_longest_due_first(at: datetime) -> None:
    queue("box:1", source_id="late")
    enqueue(["box:2"], channel="post", cause=cause("early", send_after=at - timedelta(hours=1)))
    queue()

    assert [m.recipient for m in claim_due("post", at=at, lease=LEASE, limit=1)] == ["box:2"]


@pytest.mark.django_db
def test_claim_of_another_channel_gets_nothing(at: datetime) -> None:
    queue("box:1")

    assert claim_due("email", at=at, lease=LEASE) == []


@pytest.mark.django_db
def test_claim_from_a_paused_channel_gets_nothing_until_the_pause_ends(at: datetime) -> None:
    queue("box:1")
    Channel.objects.create(name="post", paused_until=at + timedelta(seconds=1))

    assert claim_due("post", at=at, lease=LEASE) == []
    assert len(claim_due("post", at=at + timedelta(seconds=1), lease=LEASE)) == 1


@pytest.mark.django_db
def test_claim_of_a_disabled_endpoint_gets_only_the_others(at: datetime) -> None:
    queue("box:1", "box:2")
    Endpoint.objects.filter(owner="box:1").update(disabled_at=at)

    assert [message.recipient for message in claim_due("post", at=at, lease=LEASE)] == ["box:2"]
    assert claim_probes("post", at=at, lease=LEASE) == []


@pytest.mark.django_db
def test_claim_probes_of_a_failing_endpoint_takes_one_message_a_pause(at: datetime) -> None:
    for number in range(3):
        queue("box:1", source_id=str(number))
    Endpoint.objects.filter(owner="box:1").update(failures=5, paused_until=at)

    assert claim_due("post", at=at, lease=LEASE) == []
    assert len(claim_probes("post", at=at, lease=LEASE)) == 1
    assert claim_probes("post", at=at, lease=LEASE) == []
    assert Message.objects.exclude(lease="").count() == 1


@pytest.mark.django_db
def test_claim_after_the_lease_ended_is_in_doubt_and_in_the_ledger(at: datetime) -> None:
    queue("box:1")
    claim_due("post", at=at, lease=LEASE)

    again = claim_due("post", at=at + LEASE, lease=LEASE)

    assert [(message.attempts, message.in_doubt) for message in again] == [(2, True)]
    assert list(Attempt.objects.values_list("number", "outcome", "code")) == [
        (1, "in_doubt", "lease_ended")
    ]


@pytest.mark.django_db
def test_settle_as_sent_closes_the_message_with_an_attempt(at: datetime) -> None:
    queue("box:1")
    (message,) = claim_due("post", at=at, lease=LEASE)

    assert settle([sent(message, at + timedelta(seconds=2))]) == 1

    stored = Message.objects.get()
    assert (stored.state, stored.sent_at, stored.lease) == (
        "sent",
        at + timedelta(seconds=2),
        "",
    )
    assert list(Attempt.objects.values_list("number", "outcome")) == [(1, "sent")]
    assert claim_due("post", at=at + LEASE, lease=LEASE) == []


@pytest.mark.django_db
def test_settle_to_retry_is_due_again_at_that_time(at: datetime) -> None:
    queue("box:1")
    (message,) = claim_due("post", at=at, lease=LEASE)
    later = at + timedelta(minutes=1)

    settle(
        [
            Settlement(
                message,
                AttemptOutcome.RETRY,
                begun_at=at,
                ended_at=at,
                code="smtp_450",
                detail="450 busy",
                retry_at=later,
                failures=1,
            )
        ]
    )

    stored = Message.objects.get()
    assert (stored.state, stored.reason, stored.error) == ("pending", "smtp_450", "450 busy")
    assert (stored.next_attempt_at, stored.failures, stored.lease) == (later, 1, "")
    (again,) = claim_due("post", at=later, lease=LEASE)
    assert (again.attempts, again.in_doubt) == (2, False)


@pytest.mark.django_db
def test_settle_after_another_worker_took_over_writes_nothing(at: datetime) -> None:
    queue("box:1")
    (late,) = claim_due("post", at=at, lease=LEASE)
    (present,) = claim_due("post", at=at + LEASE, lease=LEASE)

    assert settle([sent(late, at)]) == 0

    stored = Message.objects.get()
    assert (stored.state, stored.lease) == ("pending", present.lease)
    assert not Attempt.objects.filter(outcome="sent").exists()
    assert settle([sent(present, at)]) == 1


@pytest.mark.django_db
def test_settle_twice_writes_once(at: datetime) -> None:
    queue("box:1")
    (message,) = claim_due("post", at=at, lease=LEASE)

    assert settle([sent(message, at)]) == 1
    assert settle([sent(message, at)]) == 0
    assert Attempt.objects.count() == 1


@pytest.mark.django_db
def test_release_gives_back_what_was_not_begun(at: datetime) -> None:
    queue("box:1", "box:2")
    claimed = claim_due("post", at=at, lease=LEASE)
    settle([sent(claimed[0], at)])

    assert release(claimed) == 1

    (again,) = claim_due("post", at=at, lease=LEASE)
    assert (again.recipient, again.in_doubt, again.attempts) == ("box:2", False, 1)


@pytest.mark.django_db
def test_begin_with_a_lost_lease_is_refused(at: datetime) -> None:
    queue("box:1")
    (late,) = claim_due("post", at=at, lease=LEASE)
    (present,) = claim_due("post", at=at + LEASE, lease=LEASE)

    assert begin(late, at=at) is False
    assert begin(present, at=at) is True
    assert Message.objects.get().begun_at == at


@pytest.mark.django_db
def test_supersede_withdraws_older_generations_that_nobody_is_sending(at: datetime) -> None:
    queue("box:1", "box:2", "box:3")
    settle([sent(message, at) for message in claim_due("post", at=at, lease=LEASE, limit=1)])
    claim_due("post", at=at, lease=LEASE, limit=1)
    enqueue(["box:3"], channel="post", cause=cause(generation=2))

    assert supersede("notice", "1", before_generation=2, reason="event_moved") == 1

    assert list(Message.objects.order_by("recipient", "pk").values_list("state", "reason")) == [
        ("sent", ""),
        ("pending", ""),
        ("superseded", "event_moved"),
    ]
    assert list(Delivery.objects.order_by("pk").values_list("dropped_reason", flat=True)) == [
        "",
        "",
        "event_moved",
        "",
    ]


@pytest.mark.django_db
def test_supersede_a_line_of_a_digest_keeps_the_message(at: datetime) -> None:
    enqueue(["box:1"], channel="post", cause=cause("1", digest="d"))
    enqueue(["box:1"], channel="post", cause=cause("2", digest="d"))
    queue()

    supersede("notice", "1", before_generation=2, reason="event_moved")

    assert Message.objects.get().state == "pending"


@pytest.mark.django_db(transaction=True)
def test_claim_by_many_threads_at_once_gives_each_message_to_one(at: datetime) -> None:
    queue(*(f"box:{number}" for number in range(200)))
    claimed: list[int] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        try:
            while mine := claim_due("post", at=at, lease=LEASE, limit=7):
                claimed.extend(message.pk for message in mine)
                settle([sent(message, at) for message in mine])
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(Counter(claimed).values()) == {1: 200}
    assert Message.objects.filter(state="sent").count() == 200
    assert Attempt.objects.filter(outcome="sent").count() == 200


def test_surely_while_the_database_is_away_keeps_trying() -> None:
    tries: list[float] = []

    def settle_at_the_third_try() -> int:
        tries.append(time.monotonic())
        if len(tries) < 3:
            raise OperationalError("server closed the connection unexpectedly")
        return 1

    assert surely(settle_at_the_third_try, stop=threading.Event(), what="A test") == 1
    assert len(tries) == 3


def test_surely_after_a_stop_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coordination.deliveries.outbox.SECONDS_AFTER_STOP", 0.2)
    stop = threading.Event()
    stop.set()

    def never() -> int:
        raise OperationalError("server closed the connection unexpectedly")

    with pytest.raises(OperationalError):
        surely(never, stop=stop, what="A test")


@pytest.mark.django_db
def test_put_back_lets_those_that_never_failed_go_first(at: datetime) -> None:
    queue("box:1", "box:2")
    Message.objects.filter(recipient="box:1").update(failures=1)

    assert put_back("post", until=at + timedelta(minutes=1)) == 1

    assert [message.recipient for message in claim_due("post", at=at, lease=LEASE)] == ["box:2"]


@pytest.mark.django_db
def test_claim_in_a_lane_waits_for_the_earlier_one(at: datetime) -> None:
    queue("box:1", source_id="1", lane="event")
    queue("box:1", source_id="2", lane="event")
    queue("box:1", source_id="3", lane="other")

    first = claim_due("post", at=at, lease=LEASE)
    assert [message.lane for message in first] == ["event", "other"]
    assert claim_due("post", at=at, lease=LEASE) == []
    settle([sent(message, at) for message in first])

    (second,) = claim_due("post", at=at, lease=LEASE)
    assert second.deliveries.get().source_id == "2"


@pytest.mark.django_db
def test_claim_for_an_endpoint_paused_by_hand_gets_nothing(at: datetime) -> None:
    queue("box:1")
    Endpoint.objects.update(paused_until=at + timedelta(hours=1))

    assert claim_due("post", at=at, lease=LEASE) == []
    assert len(claim_due("post", at=at + timedelta(hours=1), lease=LEASE)) == 1


@pytest.mark.django_db
def test_settle_an_answer_with_signs_no_database_takes_keeps_the_rest(at: datetime) -> None:
    queue("box:1", "box:2")
    claimed = claim_due("post", at=at, lease=LEASE)

    assert settle([
        Settlement(message, AttemptOutcome.DEAD, begun_at=at, ended_at=at, detail="no\0pe \ud800!")
        for message in claimed
    ]) == 2  # fmt: skip

    assert set(Message.objects.values_list("error", flat=True)) == {"no\ufffdpe ?!"}


@pytest.mark.django_db
def test_settle_different_outcomes_at_once_writes_each_as_it_was(at: datetime) -> None:
    queue("box:1", "box:2", "box:3")
    first, second, third = claim_due("post", at=at, lease=LEASE)
    later = at + timedelta(minutes=1)

    assert settle([
        Settlement(first, AttemptOutcome.SENT, at, later, address="a@b", rendered="text"),
        Settlement(
            second, AttemptOutcome.RETRY, at, at, code="busy", detail="450", retry_at=later,
            failures=1,
        ),
        Settlement(third, AttemptOutcome.DEAD, at, at, code="gone", failures=2),
    ]) == 3  # fmt: skip

    told = ("state", "reason", "error", "sent_at", "next_attempt_at", "failures", "rendered")
    assert list(Message.objects.order_by("pk").values_list(*told)) == [
        ("sent", "", "", later, later, 0, "text"),
        ("pending", "busy", "450", None, later, 1, ""),
        ("dead", "gone", "", None, at, 2, ""),
    ]
    tried = ("number", "outcome", "code", "detail", "address", "begun_at", "ended_at")
    assert list(Attempt.objects.order_by("message_id").values_list(*tried)) == [
        (1, "sent", "", "", "a@b", at, later),
        (1, "retry", "busy", "450", "", at, at),
        (1, "dead", "gone", "", "", at, at),
    ]


@pytest.mark.django_db
def test_settle_a_content_rewritten_since_the_claim_keeps_the_new_one(at: datetime) -> None:
    queue("box:1", "box:2")
    Message.objects.update(rendered="old")
    kept, rewritten = claim_due("post", at=at, lease=LEASE)
    rewritten.rendered = ""  # as the last look does when a line has dropped out

    settle([
        Settlement(kept, AttemptOutcome.SENT, at, at, rendered="old"),
        Settlement(rewritten, AttemptOutcome.SENT, at, at, rendered="new"),
    ])  # fmt: skip

    assert list(Message.objects.order_by("pk").values_list("rendered", flat=True)) == ["old", "new"]


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite updates in place")
def test_claim_of_a_batch_leaves_every_index_alone(at: datetime) -> None:
    queue(*(f"box:{number}" for number in range(100)))
    updates, in_place = updates_of_messages()

    assert len(claim_due("post", at=at, lease=LEASE)) == 100

    assert updates_of_messages() == (updates + 100, in_place + 100)


def updates_of_messages() -> tuple[int, int]:
    """Return how many rows this transaction has updated, and how many of them in place."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables"
            " WHERE relname = 'deliveries_message'"
        )
        counts: tuple[int, int] = cursor.fetchone()
    return counts


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans by no values")
def test_claim_again_and_again_is_planned_once(at: datetime) -> None:
    queue(*(f"box:{number}" for number in range(300)))
    Message.objects.update(next_attempt_at=at + timedelta(days=1))
    analyze()
    planned = plans_made_for_claims()

    for _poll in range(20):
        assert claim_due("post", at=at, lease=LEASE, limit=99) == []

    assert plans_made_for_claims() - planned <= 5  # by which PostgreSQL sees that one will do


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps no plans")
def test_plan_anew_once_the_queue_has_grown_reads_no_table_whole(at: datetime) -> None:
    queue("box:first")
    analyze()
    for number in range(10):  # by plans for a queue that fits on one page
        queue(f"box:first {number}")
        settle([sent(message, at) for message in claim_due("post", at=at, lease=LEASE)])
    queue(*(f"box:{number}" for number in range(1000)))
    plan_anew()
    read = rows_read_without_an_index()

    settle([sent(message, at) for message in claim_due("post", at=at, lease=LEASE)])

    assert rows_read_without_an_index() - read < 1000


def analyze() -> None:
    """Let PostgreSQL count the messages, as it does by itself once a minute."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE deliveries_message")


def rows_read_without_an_index() -> int:
    """Return how many messages this transaction has read by going through all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'deliveries_message'"
        )
        (count,) = cursor.fetchone()
    return int(count)


def plans_made_for_claims() -> int:
    """Return how many plans this connection has made for the values of single claims."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(SUM(custom_plans), 0) FROM pg_prepared_statements"
            " WHERE statement LIKE '%UPDATE deliveries_message SET in_doubt%'"
        )
        (count,) = cursor.fetchone()
    return int(count)


@pytest.mark.django_db
@counted
def test_claim_in_lanes_reads_nothing_of_what_was_sent_before(at: datetime) -> None:
    def steps_of_next_claim(name: str) -> int:
        for number in range(50):
            queue("box:1", source_id=f"{name} {number}", lane=f"event {number}")
        claimed: list[Message] = []
        steps = steps_of(lambda: claimed.extend(claim_due("post", at=at, lease=LEASE)))
        assert settle([sent(message, at) for message in claimed]) == 50
        return steps

    first, second = steps_of_next_claim("first"), steps_of_next_claim("second")
    assert second == pytest.approx(first, rel=0.1)


@pytest.mark.django_db
def test_claim_after_a_worker_died_doubts_only_what_it_may_have_begun(at: datetime) -> None:
    queue("box:1", "box:2", "box:3", "box:4")
    first, *_rest = claim_due("post", at=at, lease=LEASE)
    settle([sent(first, at)])

    again = claim_due("post", at=at + LEASE, lease=LEASE)

    told = [(message.recipient, message.attempts, message.in_doubt) for message in again]
    assert told == [("box:2", 2, True), ("box:3", 1, False), ("box:4", 1, False)]
    doubts = Attempt.objects.filter(outcome="in_doubt").values_list("message__recipient", "number")
    assert list(doubts) == [("box:2", 1)]


@pytest.mark.django_db
def test_claim_after_two_workers_died_doubts_one_message_of_each(at: datetime) -> None:
    queue("box:1", "box:2", "box:3", "box:4")
    claim_due("post", at=at, lease=LEASE, limit=2)
    claim_due("post", at=at, lease=LEASE, limit=2)

    again = claim_due("post", at=at + LEASE, lease=LEASE)

    assert [message.recipient for message in again if message.in_doubt] == ["box:1", "box:3"]


@pytest.mark.django_db
def test_claim_after_a_worker_of_many_at_once_died_doubts_the_first_of_each_endpoint(
    at: datetime,
) -> None:
    for number in range(3):
        queue("box:1", "box:2", source_id=str(number))
    claimed = claim_due("post", at=at, lease=LEASE, at_once=2)
    settle([sent(claimed[0], at)])

    again = claim_due("post", at=at + LEASE, lease=LEASE, at_once=2)

    told = [(message.recipient, message.attempts, message.in_doubt) for message in again]
    assert told == [
        ("box:2", 2, True),
        ("box:1", 2, True),
        ("box:2", 2, True),
        ("box:1", 2, True),
        ("box:2", 1, False),
    ]


@pytest.mark.django_db
def test_claim_after_a_worker_died_at_what_was_put_back_meanwhile_doubts_that(at: datetime) -> None:
    queue("box:1", "box:2")
    Message.objects.filter(recipient="box:1").update(failures=1)
    queue("box:3")
    Message.objects.filter(recipient="box:2").update(failures=1)
    claimed = claim_due("post", at=at, lease=LEASE)
    assert [message.recipient for message in claimed] == ["box:3", "box:1", "box:2"]
    settle([sent(claimed[0], at)])
    Message.objects.filter(recipient="box:1").update(next_attempt_at=at + timedelta(seconds=1))

    again = claim_due("post", at=at + LEASE, lease=LEASE)

    assert [message.recipient for message in again if message.in_doubt] == ["box:1"]


@pytest.mark.django_db
def test_settle_with_a_code_longer_than_its_column_keeps_the_beginning(at: datetime) -> None:
    queue("box:1")
    (message,) = claim_due("post", at=at, lease=LEASE)
    refused = Settlement(
        message, AttemptOutcome.DEAD, begun_at=at, ended_at=at, code="x" * 100, detail="no " * 400
    )

    assert settle([refused]) == 1

    stored = Message.objects.get()
    assert (stored.reason, stored.error) == ("x" * 60, ("no " * 400)[:500])
    assert Attempt.objects.get().code == "x" * 60
