"""Robots' answers are read: what they refuse with HTTP 200 never counts as sent."""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.fanout import fan_out_to_endpoints
from coordination.deliveries.models import Attempt, Endpoint, Message
from coordination.deliveries.transports import base
from coordination.deliveries.transports.chat import hosts_of, is_allowed, transport_for_robot
from coordination.deliveries.transports.robots import ROBOTS
from tests.coordination.deliveries.fake_robots import (
    DINGTALK,
    FEISHU,
    WECOM,
    FakeRobots,
    fake_robots,
)
from tests.coordination.deliveries.stage import Boxes, Notices, cause, drain

pytestmark = [pytest.mark.django_db, pytest.mark.network]

PATHS = {"wecom": WECOM, "dingtalk": DINGTALK, "feishu": FEISHU}
KEY = "good-key-0001"


@pytest.fixture
def robots(settings: Any, source: Notices, boxes: Boxes) -> Iterator[FakeRobots]:
    """The three robots, where this installation may reach them."""
    for channel in ROBOTS:
        base.register_transport(channel, lambda channel=channel: transport_for_robot(channel))  # type: ignore[misc]
    with fake_robots() as fake:
        settings.CHAT_HOSTS = [f"127.0.0.1:{fake.port}"]
        settings.EGRESS_HTTP, settings.EGRESS_PORTS = True, [fake.port]
        settings.EGRESS_NETWORKS = [ip_network("127.0.0.0/8")]
        yield fake
    base.close_transports()


def robot(fake: FakeRobots, channel: str, **values: Any) -> Endpoint:
    """Set a robot of this kind up."""
    chosen = {"secret": KEY, "name": "联盟群", "address": fake.address(PATHS[channel])}
    return Endpoint.objects.create(channel=channel, owner="alliance:1", **chosen | values)


def send(endpoint: Endpoint, at: datetime, **values: Any) -> Message:
    """Send one notice to a group and return what became of it."""
    told = fan_out_to_endpoints(
        Endpoint.objects.filter(pk=endpoint.pk), channel=endpoint.channel, cause=cause(**values)
    )
    assert told == 1
    bundle_due(at)
    drain(at, channel=endpoint.channel)
    return Message.objects.get()


@pytest.mark.parametrize("channel", PATHS)
def test_send_to_a_group_is_taken_and_written_down(
    channel: str, robots: FakeRobots, at: datetime
) -> None:
    endpoint = robot(robots, channel)

    message = send(endpoint, at)

    assert (message.state, message.reason, message.error) == ("sent", "", "")
    assert len(robots.taken) == 1
    assert "通知 1" in json.dumps(robots.taken, ensure_ascii=False)
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.address) == ("sent", endpoint.address)
    assert KEY not in attempt.address


@pytest.mark.parametrize("channel", ["dingtalk", "feishu"])
def test_send_with_a_signing_key_is_signed_as_the_robot_checks(
    channel: str, robots: FakeRobots, at: datetime
) -> None:
    robots.signing_key = "SEC-签名密钥"

    assert send(robot(robots, channel, signing_key="SEC-签名密钥"), at).state == "sent"

    target, content = robots.asked[0]
    stamps = {
        "dingtalk": lambda: int(parse_qs(urlsplit(target).query)["timestamp"][0]) / 1000,
        "feishu": lambda: int(json.loads(content)["timestamp"]),
    }
    assert abs(stamps[channel]() - time.time()) < 120


@pytest.mark.parametrize(
    ("channel", "words", "code"),
    [("dingtalk", "sign not match", 310000), ("feishu", "sign match fail", 19021)],
)
def test_send_with_a_wrong_signing_key_switches_the_robot_off(
    channel: str, words: str, code: int, robots: FakeRobots, at: datetime
) -> None:
    robots.signing_key = "SEC-right"
    endpoint = robot(robots, channel, signing_key="SEC-wrong")

    message = send(endpoint, at)

    endpoint.refresh_from_db()
    assert (message.state, message.reason) == ("dead", f"{channel}_{code}")
    assert words in message.error
    assert (endpoint.disabled_at is not None, endpoint.disabled_reason) == (True, message.reason)
    assert robots.taken == []


@pytest.mark.parametrize("channel", ["dingtalk", "feishu"])
def test_send_to_a_robot_with_a_keyword_says_the_keyword(
    channel: str, robots: FakeRobots, at: datetime
) -> None:
    robots.keyword = "协同日程"

    assert send(robot(robots, channel, keyword="协同日程"), at).state == "sent"
    assert len(robots.taken) == 1


SWITCHED_OFF = [
    ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url"}),
    ("dingtalk", {"errcode": 310000, "errmsg": "keywords not in content"}),
    ("dingtalk", {"errcode": 300001, "errmsg": "token is not exist"}),
    ("dingtalk", {"errcode": 300005, "errmsg": "token is not exist"}),
    ("dingtalk", {"errcode": 400013, "errmsg": "group dismissed"}),
    ("dingtalk", {"errcode": 400101, "errmsg": "access_token does not exist"}),
    ("dingtalk", {"errcode": 400102, "errmsg": "robot stopped"}),
    ("dingtalk", {"errcode": 400106, "errmsg": "robot does not exist"}),
    ("feishu", {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"}),
    ("feishu", {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"}),
    ("feishu", {"code": 19022, "msg": "Ip Not Allowed"}),
    ("feishu", {"code": 19024, "msg": "Key Words Not Found"}),
]


@pytest.mark.parametrize("channel", PATHS)
def test_send_with_one_robot_that_refuses_with_200_goes_on_to_the_others(
    channel: str, robots: FakeRobots, at: datetime
) -> None:
    broken = robot(robots, channel, secret="key-0002-nobody-knows", name="坏的")
    sound = [robot(robots, channel, name=name) for name in ("甲", "乙")]

    def tell(source_id: str, moment: datetime) -> list[tuple[str, str]]:
        fan_out_to_endpoints(
            Endpoint.objects.filter(channel=channel),
            channel=channel,
            cause=cause(source_id, due_at=moment, send_after=moment),
        )
        bundle_due(moment + timedelta(minutes=20))
        drain(moment + timedelta(minutes=20), channel=channel)
        rows = Message.objects.order_by("pk").values_list("endpoint__name", "state")
        return sorted(rows[3 * (int(source_id) - 1) :])

    assert tell("1", at) == [("乙", "sent"), ("坏的", "dead"), ("甲", "sent")]
    assert tell("2", at + timedelta(hours=1)) == [
        ("乙", "sent"), ("坏的", "pending"), ("甲", "sent"),
    ]  # fmt: skip
    assert (len(robots.asked), len(robots.taken)) == (5, 4)
    broken.refresh_from_db()
    assert broken.disabled_at is not None
    assert [Endpoint.objects.get(pk=one.pk).failures for one in sound] == [0, 0]


@pytest.mark.parametrize(("channel", "said"), SWITCHED_OFF)
def test_send_refused_until_somebody_mends_the_robot_is_dead_and_switches_it_off(
    channel: str, said: dict[str, Any], robots: FakeRobots, at: datetime
) -> None:
    endpoint = robot(robots, channel)
    robots.will_say(said)

    message = send(endpoint, at)

    code = said.get("errcode", said.get("code"))
    endpoint.refresh_from_db()
    assert (message.state, message.reason) == ("dead", f"{channel}_{code}")
    assert endpoint.disabled_at is not None
    assert message.sent_at is None


TOO_OFTEN = [
    ("wecom", 200, {"errcode": 45009, "errmsg": "api freq out of limit"}, 60, 90),
    ("dingtalk", 200, {"errcode": 130101, "errmsg": "send too fast"}, 600, 660),
    ("dingtalk", 200, {"errcode": 410100, "errmsg": "limited"}, 600, 660),
    ("feishu", 200, {"code": 11232, "msg": "frequency limited psm"}, 30, 90),
    ("feishu", 200, {"code": 9499, "msg": "too many request"}, 30, 90),
    ("feishu", 429, b"too many requests", 30, 90),
]


@pytest.mark.parametrize(("channel", "status", "said", "least", "most"), TOO_OFTEN)
def test_send_too_often_pauses_the_robot_as_it_asks_and_blames_no_message(
    channel: str, status: int, said: Any, least: int, most: int, robots: FakeRobots, at: datetime
) -> None:
    endpoint = robot(robots, channel)
    robots.will_say(said, status=status)

    message = send(endpoint, at)

    wait = message.next_attempt_at - at
    assert (message.state, message.failures, message.sent_at) == ("pending", 0, None)
    assert timedelta(seconds=least) <= wait <= timedelta(seconds=most + 1)
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.disabled_at) == (0, None)

    # Whatever else falls due for it waits as long.
    fan_out_to_endpoints(Endpoint.objects.all(), channel=channel, cause=cause("2", send_after=at))
    bundle_due(at)
    drain(at + timedelta(seconds=least - 5), channel=channel)
    assert len(robots.asked) == 1
    drain(at + timedelta(seconds=most + 30), channel=channel)
    assert len(robots.asked) == 3
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}


def test_send_too_often_with_a_longer_wait_in_the_header_waits_so_long(
    robots: FakeRobots, at: datetime
) -> None:
    robots.will_say(b"", status=429, Retry_After="300")

    message = send(robot(robots, "feishu"), at)

    assert message.next_attempt_at >= at + timedelta(seconds=300)


GARBAGE = [
    (200, b"<html>gateway</html>"),
    (200, b""),
    (200, b"[0]"),
    (200, b'{"errmsg": "ok"}'),
    (200, b'{"errcode": "0"}'),
    (200, b'{"errcode": true}'),
    (200, b"\xff\xfe{"),
    (500, b"oops"),
    (502, b'{"errcode": 0, "errmsg": "ok"}'),
    (200, b'{"errcode": -1, "errmsg": "system busy"}'),
    (200, b'{"errcode": 77777, "errmsg": "nobody knows"}'),
    (400, b"bad"),
    (200, b"[" * 30_000),
    (200, b'{"errcode": ' + b"9" * 300 + b"}"),
]


@pytest.mark.parametrize(("status", "said"), GARBAGE)
def test_send_answered_by_garbage_is_tried_again_and_never_counts_as_sent(
    status: int, said: bytes, robots: FakeRobots, at: datetime
) -> None:
    endpoint = robot(robots, "wecom")
    robots.will_say(said, status=status)

    message = send(endpoint, at)

    assert (message.state, message.sent_at) == ("pending", None)
    assert at < message.next_attempt_at <= at + timedelta(seconds=31)
    drain(at + timedelta(minutes=1), channel="wecom")
    assert Message.objects.get().state == "sent"
    assert [a.outcome for a in Attempt.objects.order_by("pk")] == ["retry", "sent"]


@pytest.mark.parametrize("status", [200, 400])
def test_send_that_feishu_cannot_read_is_the_messages_own_failure(
    status: int, robots: FakeRobots, at: datetime
) -> None:
    endpoint = robot(robots, "feishu")
    robots.will_say({"code": 9499, "msg": "Bad Request", "data": {}}, status=status)

    message = send(endpoint, at)

    assert (message.state, message.reason, message.failures) == ("pending", "feishu_9499", 1)
    assert message.next_attempt_at <= at + timedelta(seconds=31)


def test_send_cut_without_an_answer_is_sent_again(robots: FakeRobots, at: datetime) -> None:
    robots.script.append((0, {}, b""))

    message = send(robot(robots, "wecom"), at)

    assert (message.state, message.reason) == ("pending", "cut")
    drain(at + timedelta(minutes=1), channel="wecom")
    assert Message.objects.get().state == "sent"


IN_DOUBT = [(0, b""), (200, b"<html>"), (502, b"")]


@pytest.mark.parametrize(("status", "said"), IN_DOUBT)
def test_send_never_twice_in_doubt_is_held(
    status: int, said: bytes, robots: FakeRobots, at: datetime
) -> None:
    robots.script.append((status, {}, said))

    message = send(robot(robots, "wecom"), at, never_twice=True)

    assert (message.state, message.reason) == ("held", "in_doubt")


def test_send_never_twice_surely_not_taken_is_tried_again(robots: FakeRobots, at: datetime) -> None:
    robots.will_say({"errcode": 45009, "errmsg": "api freq out of limit"})

    message = send(robot(robots, "wecom"), at, never_twice=True)

    assert (message.state, message.reason) == ("pending", "wecom_45009")


def test_send_redirected_or_gone_follows_nothing_and_switches_the_robot_off(
    robots: FakeRobots, at: datetime
) -> None:
    endpoint = robot(robots, "wecom")
    robots.will_say(b"", status=302, Location="http://127.0.0.1/elsewhere")

    message = send(endpoint, at)

    assert (message.state, message.reason, len(robots.asked)) == ("dead", "http_302", 1)
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is not None


def test_send_to_a_host_that_is_not_the_makers_connects_nothing(
    robots: FakeRobots, settings: Any, at: datetime
) -> None:
    settings.CHAT_HOSTS = []

    message = send(robot(robots, "wecom"), at)

    assert (message.state, message.reason) == ("dead", "host_not_allowed")
    assert robots.asked == []


def test_send_to_nobody_is_tried_again_without_naming_the_secret(
    robots: FakeRobots, settings: Any, at: datetime
) -> None:
    settings.CHAT_HOSTS = ["127.0.0.1:9"]
    settings.EGRESS_PORTS = [9]

    message = send(robot(robots, "feishu", address="http://127.0.0.1:9" + FEISHU), at)

    assert (message.state, message.reason) == ("pending", "not_connected")
    assert KEY not in message.error


def test_hosts_are_the_makers_and_what_the_operator_adds(settings: Any) -> None:
    settings.CHAT_HOSTS = ["wecom.example.org:8443"]

    assert hosts_of(ROBOTS["wecom"]) == {"qyapi.weixin.qq.com", "wecom.example.org:8443"}
    assert hosts_of(ROBOTS["feishu"]) == {
        "open.feishu.cn",
        "open.larksuite.com",
        "wecom.example.org:8443",
    }
    assert not is_allowed(ROBOTS["wecom"], "https://qyapi.weixin.qq.com.example.org/cgi-bin")
    assert not is_allowed(ROBOTS["wecom"], "https://qyapi.weixin.qq.com@example.org/cgi-bin")
