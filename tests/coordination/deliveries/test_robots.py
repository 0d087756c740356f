"""Setting robots up: what is taken, who may, and what is never shown again."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import pytest

from coordination.changes.refusals import InvalidInput, NotAllowed, NotVisible, TransitionNotAllowed
from coordination.deliveries import egress, robots
from coordination.deliveries.fanout import fan_out_to_endpoints
from coordination.deliveries.models import Delivery, Endpoint, Message
from coordination.deliveries.robot_health import health_of
from coordination.deliveries.robot_words import trial_words
from coordination.deliveries.robots import (
    TestNotTaken,
    add_robot,
    change_robot,
    remove_robot,
    robot_of,
    robots_for,
    switch_on,
    take_apart,
    try_robot,
)
from coordination.deliveries.transports.robots import ROBOTS
from events.group_owners import owner_key
from tests.coordination.deliveries.fake_robots import FakeRobots, fake_robots
from tests.coordination.deliveries.stage import cause
from tests.factories import AT, Cast

pytestmark = pytest.mark.django_db

WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
DINGTALK = "https://oapi.dingtalk.com/robot/send?access_token=abcdef0123456789"
FEISHU = "https://open.feishu.cn/open-apis/bot/v2/hook/0b6f2d3e-2a53-4c0b-9d0c"
LARK = "https://open.larksuite.com/open-apis/bot/v2/hook/0b6f2d3e-2a53-4c0b-9d0c"


@pytest.fixture(autouse=True)
def _own_registries() -> None:
    """These tests stand on the registries of the installation."""


def add(cast: Cast, **values: Any) -> Endpoint:
    chosen = {"channel": "wecom", "name": "联盟群", "url": WECOM, "viewer": cast.secretary}
    owner = values.pop("owner", owner_key("alliance", cast.alliance.uid))
    return add_robot(owner, at=AT, **chosen | values)


def refused(cast: Cast, **values: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refusal:
        add(cast, **values)
    assert not Endpoint.objects.filter(channel__in=list(ROBOTS)).exists()
    return [(error.field, error.code) for error in refusal.value.errors]


@pytest.mark.parametrize(
    ("channel", "url", "address", "secret"),
    [
        (
            "wecom",
            WECOM,
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send",
            "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa",
        ),
        ("dingtalk", DINGTALK, "https://oapi.dingtalk.com/robot/send", "abcdef0123456789"),
        (
            "feishu",
            f" {FEISHU}/ ",
            "https://open.feishu.cn/open-apis/bot/v2/hook",
            "0b6f2d3e-2a53-4c0b-9d0c",
        ),
        (
            "feishu",
            LARK,
            "https://open.larksuite.com/open-apis/bot/v2/hook",
            "0b6f2d3e-2a53-4c0b-9d0c",
        ),
    ],
)
def test_take_apart_keeps_the_secret_out_of_the_address(
    channel: str, url: str, address: str, secret: str
) -> None:
    assert take_apart(ROBOTS[channel], url) == (address, secret)


@pytest.mark.parametrize(
    ("channel", "url"),
    [
        ("wecom", DINGTALK),
        ("wecom", "https://qyapi.weixin.qq.com.example.org/cgi-bin/webhook/send?key=12345678"),
        ("wecom", "https://qyapi.weixin.qq.com@example.org/cgi-bin/webhook/send?key=12345678"),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/other?key=12345678"),
        ("wecom", "ftp://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=12345678"),
        ("wecom", "qyapi.weixin.qq.com/cgi-bin/webhook/send?key=12345678"),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a%0ab%0aabcdef"),
        ("dingtalk", "https://oapi.dingtalk.com/robot/send?token=abcdef0123456789"),
        ("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/"),
        ("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/a/../../b1234567"),
    ],
)
def test_add_robot_with_an_address_that_is_none_of_its_maker_is_refused(
    cast: Cast, channel: str, url: str
) -> None:
    assert refused(cast, channel=channel, url=url) == [("url", "invalid")]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"channel": "slack"}, "channel"),
        ({"name": "  "}, "name"),
        ({"signing_key": "SEC1"}, "signing_key"),  # robots of WeCom do not sign
        ({"keyword": "日程"}, "keyword"),
        ({"mentions": ["all"]}, "mentions"),
        ({"mentions": ["a><b"]}, "mentions"),
        ({"language": "fr"}, "language"),
    ],
)
def test_add_robot_with_what_it_cannot_take_is_refused(
    cast: Cast, values: dict[str, Any], field: str
) -> None:
    assert [name for name, _code in refused(cast, **values)] == [field]


def test_add_robot_of_one_name_twice_is_refused(cast: Cast) -> None:
    add(cast)

    with pytest.raises(InvalidInput):
        add(cast)
    assert add(cast, channel="dingtalk", url=DINGTALK).name == "联盟群"


def test_add_an_eleventh_robot_is_refused(cast: Cast) -> None:
    for number in range(10):
        add(cast, name=f"群{number}")

    with pytest.raises(TransitionNotAllowed):
        add(cast, name="又一个")


@pytest.mark.parametrize("owner", ["", "alliance:jjj", f"plan:{UUID(int=7)}", "person:7", "7"])
def test_add_robot_on_what_is_not_there_is_refused_by_its_name(cast: Cast, owner: str) -> None:
    assert refused(cast, owner=owner) == [("owner", "invalid")]


def test_robots_are_the_business_of_their_own_secretariat(cast: Cast) -> None:
    robot = add(cast)

    seen = {name: robots_for(viewer) == [robot] for name, viewer in cast.viewers().items()}

    assert {name for name, found in seen.items() if found} == {"superuser", "secretary"}
    for name in ("other_secretary", "member_liaison", "public"):
        viewer = getattr(cast, name)
        with pytest.raises(NotVisible):
            robot_of(robot.uid, viewer=viewer)
        with pytest.raises(NotAllowed):
            add(cast, name="x", viewer=viewer)
        with pytest.raises(NotAllowed):
            change_robot(robot, viewer=viewer, name="y")


def test_change_robot_without_secrets_keeps_them(cast: Cast) -> None:
    robot = add(cast, channel="dingtalk", url=DINGTALK, signing_key="SEC1")

    change_robot(
        robot, viewer=cast.secretary, name="新群", url="", signing_key="",
        keyword="日程", mentions=["13800000000"], language="en",
    )  # fmt: skip

    robot.refresh_from_db()
    assert (robot.name, robot.secret, robot.signing_key) == ("新群", "abcdef0123456789", "SEC1")
    assert (robot.keyword, robot.mentions, robot.language) == ("日程", "13800000000", "en")


def test_remove_robot_drops_what_waits_and_frees_its_name(cast: Cast) -> None:
    robot = add(cast)
    fan_out_to_endpoints(Endpoint.objects.all(), channel="wecom", cause=cause())

    remove_robot(robot, viewer=cast.secretary, at=AT)

    robot.refresh_from_db()
    assert (robot.secret, robot.signing_key, robot.disabled_reason) == ("", "", "removed")
    assert Delivery.objects.get().dropped_reason == "robot_removed"
    assert robots_for(cast.superuser) == []
    add(cast)


def test_switch_on_tries_the_failed_ones_of_the_last_day_again(cast: Cast) -> None:
    robot = add(cast)
    Endpoint.objects.update(disabled_at=AT, disabled_reason="wecom_93000", owner_told_at=AT)
    for number, age in enumerate((1, 30)):
        message = Message.objects.create(
            uid=f"00000000-0000-4000-8000-00000000000{number}", endpoint=robot, state="dead",
            recipient=robot.owner, channel="wecom", source="notice", next_attempt_at=AT,
        )  # fmt: skip
        Message.objects.filter(pk=message.pk).update(created_at=AT - timedelta(hours=age))

    assert health_of([robot], at=AT)[robot.pk].failed == 2
    robot.refresh_from_db()
    assert health_of([robot], at=AT)[robot.pk].state == "off"
    assert switch_on(robot, again=True, viewer=cast.secretary, at=AT) == 1

    robot.refresh_from_db()
    assert (robot.disabled_at, robot.owner_told_at) == (None, None)
    assert health_of([robot], at=AT)[robot.pk].state == "well"
    assert sorted(Message.objects.values_list("state", flat=True)) == ["dead", "pending"]


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeRobots]:
    with fake_robots() as robots:
        settings.CHAT_HOSTS = [f"127.0.0.1:{robots.port}"]
        settings.EGRESS_HTTP, settings.EGRESS_PORTS = True, [robots.port]
        settings.EGRESS_NETWORKS = [ip_network("127.0.0.0/8")]
        yield robots


@pytest.mark.network
def test_try_robot_says_what_the_robot_answers(cast: Cast, fake: FakeRobots) -> None:
    robot = add(cast, url=fake.address("/cgi-bin/webhook/send?key=good-key-0001"))
    words = trial_words("zh-hans", url="https://rili.example.org/")

    try_robot(robot, viewer=cast.secretary, at=AT, words=words)
    assert "测试消息" in fake.taken[0]["markdown"]["content"]

    fake.keys.clear()
    with pytest.raises(TestNotTaken) as refusal:
        try_robot(robot, viewer=cast.secretary, at=AT, words=words)
    assert refusal.value.code == "wecom_93000"
    assert "good-key-0001" not in str(refusal.value)
    robot.refresh_from_db()
    assert robot.disabled_at is None  # a trial switches nothing off


@pytest.mark.network
@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"[" * 30_000, "garbage"),
        (b'{"errcode": ' + b"9" * 300 + b"}", "garbage"),
        (b"", "garbage"),
        (b'{"errcode": 40008, "errmsg": "no good-key-0001 \\u0000\\ud800"}', "wecom_40008"),
    ],
)
def test_try_robot_that_answers_nonsense_says_so_without_the_secret(
    said: bytes, code: str, cast: Cast, fake: FakeRobots
) -> None:
    robot = add(cast, url=fake.address("/cgi-bin/webhook/send?key=good-key-0001"))
    fake.will_say(said)

    with pytest.raises(TestNotTaken) as refusal:
        try_robot(robot, viewer=cast.secretary, at=AT, words=trial_words("en", url=""))

    assert refusal.value.code == code
    assert "good-key-0001" not in str(refusal.value)
    assert str(refusal.value).isprintable()


@pytest.mark.network
def test_try_robot_that_never_answers_keeps_nobody_longer_than_its_bound(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robots, "TRIAL_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        host = f"127.0.0.1:{port}"
        settings.CHAT_HOSTS = [host]
        settings.EGRESS_HTTP, settings.EGRESS_PORTS = True, [port]
        settings.EGRESS_NETWORKS = [ip_network("127.0.0.0/8")]
        robot = add(cast, url=f"http://{host}/cgi-bin/webhook/send?key=good-key-0001")
        begun = time.monotonic()
        with pytest.raises(TestNotTaken) as refusal:
            try_robot(robot, viewer=cast.secretary, at=AT, words=trial_words("en", url=""))
        took = time.monotonic() - begun

    assert refusal.value.code == "timeout"
    assert took < egress.TOTAL_SECONDS / 2
    assert not Message.objects.exists()


@pytest.mark.network
def test_try_robot_too_often_asks_to_wait(cast: Cast, fake: FakeRobots) -> None:
    robot = add(cast, url=fake.address("/cgi-bin/webhook/send?key=good-key-0001"))
    words = trial_words("en", url="")
    for _n in range(3):
        try_robot(robot, viewer=cast.secretary, at=AT, words=words)

    with pytest.raises(TestNotTaken) as refusal:
        try_robot(robot, viewer=cast.secretary, at=AT, words=words)

    assert (refusal.value.code, len(fake.asked)) == ("too_often", 3)
