"""What readers wish decides over mail and inbox, once for each line of the ledger."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from coordination.deliveries import sources
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.fanout import enqueue
from coordination.deliveries.models import Delivery, Endpoint, Message, Wishes
from coordination.deliveries.news import News
from tests.coordination.deliveries.stage import Boxes, Notices, cause

pytestmark = pytest.mark.django_db

NINE = datetime(2028, 5, 16, 1, 0, tzinfo=UTC)  # 09:00 in Beijing, a Tuesday
NIGHT = {"quiet_from": time(22), "quiet_until": time(7)}
AT_NIGHT = datetime(2028, 5, 16, 15, 0, tzinfo=UTC)  # 23:00 in Beijing


@pytest.fixture(autouse=True)
def _stage(boxes: Boxes) -> None:
    for kind, news in (
        ("reminder", News.REMINDERS),
        ("request", News.INVITATIONS),
        ("notice", News.CHANGES),
    ):
        notices = Notices(kind)
        notices.news = news  # type: ignore[attr-defined]
        sources.register_source(notices)


def inbox(*keys: str) -> None:
    for key in keys:
        Endpoint.objects.create(channel="inbox", owner=key, address="inbox")


def wish(key: str = "box:1", **values: Any) -> None:
    Wishes.objects.create(recipient=key, **values)


def tell(source_id: str = "1", at: datetime = NINE, *, to: str = "box:1", **values: Any) -> None:
    chosen = {"source": "reminder", "due_at": at, "send_after": at}
    enqueue([to], channel="email", cause=cause(source_id, **chosen | values))


def bundle(at: datetime = NINE) -> None:
    while bundle_due(at):
        pass


def messages() -> list[tuple[str, str, int]]:
    """Return each message's channel and source, and how many lines it has."""
    rows = Message.objects.order_by("channel", "pk")
    return [(row.channel, row.source, row.deliveries.count()) for row in rows]


def test_heed_nobodys_wishes_sends_mail_at_once() -> None:
    tell()

    bundle()

    assert messages() == [("email", "reminder", 1)]


def test_heed_an_inbox_gets_a_copy_once() -> None:
    inbox("box:1")
    tell()
    tell(to="box:2")

    bundle()
    bundle()

    assert messages() == [
        ("email", "reminder", 1), ("email", "reminder", 1), ("inbox", "reminder", 1),
    ]  # fmt: skip


def test_heed_a_kind_wanted_in_the_inbox_only_drops_the_mail_and_says_why() -> None:
    inbox("box:1")
    wish(channels={"reminders": ["inbox"]})
    tell()
    tell("2", source="notice")

    bundle()

    assert messages() == [
        ("email", "notice", 1), ("inbox", "reminder", 1), ("inbox", "notice", 1),
    ]  # fmt: skip
    dropped = Delivery.objects.get(channel="email", source="reminder")
    assert (dropped.dropped_reason, dropped.message) == ("by_wish", None)


def test_heed_what_its_cause_gathers_follows_the_reader_too() -> None:
    inbox("box:1")
    wish(channels={"reminders": ["inbox"]})
    wish("box:2", digest="morning")
    for key in ("box:1", "box:2"):
        tell("1", to=key, digest="owed")
        tell("2", to=key, digest="owed")

    bundle()
    assert messages() == [("inbox", "reminder", 1), ("inbox", "reminder", 1)]

    bundle(NINE + timedelta(days=1))
    assert messages()[0] == ("email", "reminder", 2)
    dropped = Delivery.objects.filter(recipient="box:1", channel="email")
    assert set(dropped.values_list("dropped_reason", flat=True)) == {"by_wish"}


def test_heed_a_kind_wanted_by_mail_only_leaves_the_inbox_empty() -> None:
    inbox("box:1")
    wish(channels={"reminders": ["email"]})
    tell()

    bundle()

    assert messages() == [("email", "reminder", 1)]


def test_heed_a_kind_stopped_altogether_is_sent_nowhere() -> None:
    inbox("box:1")
    wish(channels={"reminders": []})
    tell()

    bundle()

    assert messages() == []
    assert Delivery.objects.get().dropped_reason == "by_wish"


@pytest.mark.parametrize("has_inbox", [True, False])
def test_heed_an_urgent_one_goes_over_some_channel_whatever_was_stopped(has_inbox: bool) -> None:
    if has_inbox:
        inbox("box:1")
    wish(channels={"reminders": []}, digest="morning", **NIGHT)
    tell(at=AT_NIGHT, urgent=True)

    bundle(AT_NIGHT)

    assert messages() == [("email", "reminder", 1)]


def test_heed_an_invitation_comes_by_mail_to_whoever_has_no_inbox() -> None:
    wish(channels={"invitations": ["inbox"]})
    tell(source="request")

    bundle()

    assert messages() == [("email", "request", 1)]


def test_heed_a_quarter_of_an_hour_joins_what_several_causes_tell_a_reader() -> None:
    wish(digest="quarter_hour")
    tell("1")
    bundle()
    tell("2", NINE + timedelta(minutes=5), source="notice")
    tell("3", NINE + timedelta(minutes=14))
    tell("4", NINE + timedelta(minutes=15))
    bundle(NINE + timedelta(minutes=14))
    assert messages() == []

    bundle(NINE + timedelta(minutes=15))

    assert messages() == [("email", "digest", 3)]
    bundle(NINE + timedelta(minutes=30))
    assert messages() == [("email", "digest", 3), ("email", "reminder", 1)]


def test_heed_a_digest_never_keeps_the_inbox_waiting() -> None:
    inbox("box:1")
    wish(digest="morning")
    tell("1")
    tell("2")

    bundle()

    assert messages() == [("inbox", "reminder", 1), ("inbox", "reminder", 1)]
    assert set(Delivery.objects.filter(channel="email").values_list("send_after", "digest")) == {
        (datetime(2028, 5, 17, 0, 0, tzinfo=UTC), "2028-05-17T00:00Z")
    }


def test_heed_quiet_hours_wait_for_their_end_and_come_together() -> None:
    wish(**NIGHT)
    tell("1", AT_NIGHT)
    tell("2", AT_NIGHT + timedelta(hours=3))
    morning = datetime(2028, 5, 16, 23, 0, tzinfo=UTC)
    for hours in range(8):
        bundle(AT_NIGHT + timedelta(hours=hours) - timedelta(seconds=1))
    assert messages() == []

    bundle(morning)

    assert messages() == [("email", "reminder", 2)]


def test_heed_a_digest_too_late_for_the_event_goes_now() -> None:
    wish(digest="morning")
    tell(expires_at=NINE + timedelta(hours=3))

    bundle()

    assert messages() == [("email", "reminder", 1)]


def test_heed_quiet_hours_too_late_for_the_event_leave_it_to_the_inbox_with_a_note() -> None:
    inbox("box:1")
    for key in ("box:1", "box:2"):
        wish(key, **NIGHT)
        tell(at=AT_NIGHT, to=key, expires_at=AT_NIGHT + timedelta(hours=8, minutes=30))

    bundle(AT_NIGHT)

    # Who has no inbox is not forgotten.
    assert [(m.channel, m.recipient) for m in Message.objects.order_by("channel")] == [
        ("email", "box:2"),
        ("inbox", "box:1"),
    ]
    dropped = Delivery.objects.get(recipient="box:1", channel="email")
    assert dropped.dropped_reason == "quiet_hours"


def test_heed_what_keeps_an_order_is_not_gathered() -> None:
    wish(digest="morning", **NIGHT)
    tell(at=AT_NIGHT, source="request", lane="event:1")

    bundle(AT_NIGHT)

    assert messages() == [("email", "request", 1)]


def test_heed_what_is_meant_for_an_inbox_that_nobody_can_open_goes_by_mail() -> None:
    inbox("box:1")
    for key in ("box:1", "box:2"):
        enqueue(
            [key], channel="inbox", cause=cause(source="reminder", due_at=NINE, send_after=NINE)
        )

    bundle()

    assert [(m.channel, m.recipient) for m in Message.objects.order_by("channel")] == [
        ("email", "box:2"),
        ("inbox", "box:1"),
    ]
    assert Delivery.objects.get(recipient="box:2", channel="inbox").dropped_reason == "no_inbox"


@pytest.mark.parametrize("also", [("email", "inbox"), ("inbox", "email"), ("inbox",)])
def test_heed_an_inbox_that_a_rule_names_gives_way_to_who_wants_mail_only(
    also: tuple[str, ...],
) -> None:
    inbox("box:1")
    wish(channels={"reminders": ["email"]})
    for channel in also:
        enqueue(
            ["box:1"],
            channel=channel,
            cause=cause(source="reminder", due_at=NINE, send_after=NINE, digest="owed"),
        )

    bundle()

    assert messages() == [("email", "reminder", 1)]
    assert Delivery.objects.get(channel="inbox").dropped_reason == "by_wish"


@pytest.mark.parametrize(
    ("chosen", "urgent", "expected"),
    [
        ([], False, []),
        ([], True, [("email", "reminder", 1)]),
        (["inbox"], False, [("inbox", "reminder", 1)]),
    ],
)
def test_heed_an_inbox_that_a_rule_names_follows_the_wish_as_mail_does(
    chosen: list[str], urgent: bool, expected: list[tuple[str, str, int]]
) -> None:
    inbox("box:1")
    wish(channels={"reminders": chosen})
    for channel in ("inbox", "email"):
        enqueue(
            ["box:1"],
            channel=channel,
            cause=cause(source="reminder", due_at=NINE, send_after=NINE, urgent=urgent),
        )

    bundle()

    assert messages() == expected


def test_heed_a_reader_who_can_sign_in_since_a_moment_ago_gets_the_inbox_line(boxes: Boxes) -> None:
    boxes.sign_in = {"box:1"}
    tell()
    enqueue(["box:1"], channel="inbox", cause=cause("2", source="notice", due_at=NINE,
                                                      send_after=NINE))  # fmt: skip
    tell(to="box:2")

    bundle()

    assert messages() == [
        ("email", "reminder", 1), ("email", "reminder", 1), ("inbox", "notice", 1),
        ("inbox", "reminder", 1),
    ]  # fmt: skip
    assert set(Delivery.objects.values_list("dropped_reason", flat=True)) == {""}
