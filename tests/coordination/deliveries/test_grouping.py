"""Two hundred reminders for one robot at nine: gathered, spread, and never faster than it takes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.grouping import SPREAD, fan_out_to_robots, spread_of
from coordination.deliveries.models import Delivery, Endpoint, Message
from coordination.deliveries.transports import base
from coordination.deliveries.transports.chat import LINES_PER_MESSAGE, transport_for_robot
from tests.coordination.deliveries.fake_robots import WECOM, FakeRobots, fake_robots
from tests.coordination.deliveries.stage import Boxes, Notices, cause, drain

pytestmark = [pytest.mark.django_db, pytest.mark.network]

NINE = datetime(2028, 5, 16, 1, 0, tzinfo=UTC)  # 09:00 in Beijing


@pytest.fixture
def fake(settings: Any, source: Notices, boxes: Boxes) -> Iterator[FakeRobots]:
    base.register_transport(
        "wecom", lambda: transport_for_robot("wecom"), most_lines=LINES_PER_MESSAGE
    )
    with fake_robots() as robots:
        settings.CHAT_HOSTS = [f"127.0.0.1:{robots.port}"]
        settings.EGRESS_HTTP, settings.EGRESS_PORTS = True, [robots.port]
        settings.EGRESS_NETWORKS = [ip_network("127.0.0.0/8")]
        yield robots
    base.close_transports()


def robot(owner: str = "alliance:1", name: str = "群", **values: Any) -> Endpoint:
    chosen = {"channel": "wecom", "secret": "good-key-0001", "address": "https://x.test"}
    return Endpoint.objects.create(owner=owner, name=name, **chosen | values)


def tell(*owners: str, source_id: str = "1", at: datetime = NINE, **values: Any) -> int:
    told = cause(source_id, due_at=at, send_after=at, **values)
    return fan_out_to_robots(owners, channel="wecom", cause=told)


def test_fan_out_reaches_all_robots_of_the_nearest_owner_and_no_other() -> None:
    far = robot("alliance:1")
    near = [robot("event:7", "甲"), robot("event:7", "乙")]
    robot("event:7", "钉钉", channel="dingtalk")

    assert tell("event:7", "plan:3", "alliance:1") == 2
    assert tell("plan:3", "alliance:1", source_id="2") == 1

    reached = Delivery.objects.order_by("pk").values_list("source_id", "endpoint", "recipient")
    assert list(reached) == [
        ("1", near[0].pk, "event:7"),
        ("1", near[1].pk, "event:7"),
        ("2", far.pk, "alliance:1"),
    ]


def test_fan_out_again_writes_nothing_new() -> None:
    robot()

    assert (tell("alliance:1"), tell("alliance:1")) == (1, 0)


def test_fan_out_keeps_off_the_full_hour_by_up_to_two_minutes() -> None:
    robots = [robot(name=f"群{number}") for number in range(40)]
    tell("alliance:1")

    early = {NINE - moment for moment in Delivery.objects.values_list("send_after", flat=True)}

    assert timedelta(0) <= min(early) < max(early) <= SPREAD == timedelta(seconds=120)
    assert len(early) > 20
    assert spread_of(robots[0]) == spread_of(Endpoint.objects.get(pk=robots[0].pk))


def test_two_hundred_reminders_at_nine_are_few_messages_within_the_robots_limit(
    fake: FakeRobots,
) -> None:
    one = robot(address=fake.address(WECOM))
    for number in range(200):
        tell("alliance:1", source_id=str(number))
    moment = NINE - SPREAD
    sent: list[datetime] = []
    while moment < NINE + timedelta(minutes=3):
        bundle_due(moment)
        before = len(fake.asked)
        drain(moment, channel="wecom")
        sent += [moment] * (len(fake.asked) - before)
        moment += timedelta(seconds=1)

    assert len(sent) == 14  # 200 lines, fifteen to a message
    assert len(fake.taken) == 14
    in_a_minute = max(sum(t <= at < t + timedelta(seconds=60) for at in sent) for t in sent)
    assert in_a_minute <= 17
    assert min(sent) >= NINE - spread_of(one)
    assert max(sent) <= NINE + timedelta(seconds=60)
    assert Message.objects.filter(state="sent", attempts=1).count() == 14
    assert sum(message.deliveries.count() for message in Message.objects.all()) == 200


def test_fan_out_in_two_quarters_of_an_hour_is_two_messages(fake: FakeRobots) -> None:
    robot(address=fake.address(WECOM))
    tell("alliance:1", source_id="1")
    tell("alliance:1", source_id="2", at=NINE + timedelta(minutes=15))

    bundle_due(NINE + timedelta(minutes=20))

    assert [m.deliveries.count() for m in Message.objects.order_by("pk")] == [1, 1]
