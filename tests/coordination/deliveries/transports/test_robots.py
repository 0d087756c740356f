"""The forms of messages for each robot, and the signatures, by examples worked out by hand."""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from coordination.deliveries.limits import Pace
from coordination.deliveries.sources import Item, Rendered
from coordination.deliveries.transports.robots import ROBOTS, DingTalk, Feishu, Setting, WeCom

AT = 1_850_000_000.5
LINK = "https://rili.example.org/events/1/"
ONE = Rendered("提醒：项目对接会", "", items=(Item("项目对接会", "5月16日 09:30\n天津", LINK),))
MANY = Rendered(
    "15 项提醒", "", items=tuple(Item("活动" * 80, "说明" * 400, LINK) for _n in range(15))
)


def setting(robot: Any, **values: Any) -> Setting:
    chosen = {"address": f"https://{robot.host}{robot.path}", "secret": "k/e y"}
    return Setting(**chosen | values)


def body(robot: Any, rendered: Rendered = ONE, **values: Any) -> Any:
    return json.loads(robot.body(rendered, setting(robot, **values), at=AT))


def test_wecom_message_is_markdown_with_the_people_named() -> None:
    robot = WeCom()

    assert robot.url(setting(robot), at=AT) == (
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k%2Fe+y"
    )
    assert body(robot, mentions=("zhangsan", "lisi")) == {
        "msgtype": "markdown",
        "markdown": {
            "content": f"**提醒：项目对接会**\n[项目对接会]({LINK})\n> 5月16日 09:30\n> 天津\n"
            "<@zhangsan> <@lisi>"
        },
    }


def test_dingtalk_request_is_signed_with_time_and_key() -> None:
    robot = DingTalk()
    key = "SEC000"

    query = parse_qs(urlsplit(robot.url(setting(robot, signing_key=key), at=AT)).query)

    digest = hmac.new(b"SEC000", b"1850000000500\nSEC000", hashlib.sha256).digest()
    assert query == {
        "access_token": ["k/e y"],
        "timestamp": ["1850000000500"],
        "sign": [base64.b64encode(digest).decode()],
    }


def test_dingtalk_message_names_people_by_telephone_and_says_the_keyword() -> None:
    assert body(DingTalk(), mentions=("13800000000",), keyword="日程") == {
        "msgtype": "markdown",
        "markdown": {
            "title": "提醒：项目对接会",
            "text": f"### 提醒：项目对接会  \n**[项目对接会]({LINK})**  \n5月16日 09:30  \n天津"
            "  \n日程  \n@13800000000",
        },
        "at": {"atMobiles": ["13800000000"], "isAtAll": False},
    }
    assert body(DingTalk(), mentions=("all",))["at"] == {"atMobiles": [], "isAtAll": True}


def test_feishu_message_is_a_card_signed_with_time_and_key() -> None:
    robot = Feishu()

    digest = hmac.new(b"1850000000\nSEC000", b"", hashlib.sha256).digest()
    assert robot.url(setting(robot, secret="0b6f"), at=AT) == (
        "https://open.feishu.cn/open-apis/bot/v2/hook/0b6f"
    )
    assert body(robot, signing_key="SEC000", mentions=("all", "ou_1")) == {
        "timestamp": "1850000000",
        "sign": base64.b64encode(digest).decode(),
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": True},
            "header": {
                "title": {"tag": "plain_text", "content": "提醒：项目对接会"},
                "template": "blue",
            },
            "elements": [
                {
                    "tag": "markdown",
                    "content": f"**[项目对接会]({LINK})**\n5月16日 09:30\n天津\n"
                    "<at id=all></at><at id=ou_1></at>",
                }
            ],
        },
    }


@pytest.mark.parametrize(
    ("subject", "text", "is_said"),
    [
        ("日程提醒", "五月", True),
        ("提醒", "本周日程", True),
        ("长" * 100 + "日程", "五月", False),  # the head of a card is cut
        ("程提醒", "今日", False),  # half in the text and half in the head
    ],
)
def test_feishu_message_says_the_keyword_that_neither_head_nor_text_shows(
    subject: str, text: str, is_said: bool
) -> None:
    rendered = Rendered(subject, "", items=(Item("会", text, LINK), Item("会", "今日", LINK)))

    card = body(Feishu(), rendered, keyword="日程")["card"]

    content, title = card["elements"][0]["content"], card["header"]["title"]["content"]
    assert "日程" in content or "日程" in title
    assert content.endswith("\n日程") is not is_said


@pytest.mark.parametrize("robot", ROBOTS.values(), ids=list(ROBOTS))
def test_message_that_is_too_long_keeps_within_the_octets_and_keeps_every_link(robot: Any) -> None:
    content = robot.body(MANY, setting(robot, keyword="日程", mentions=("all",) * 3), at=AT)

    counted = content
    if robot.channel == "wecom":
        counted = json.loads(content)["markdown"]["content"].encode()
    assert robot.most_octets - 200 < len(counted) <= robot.most_octets
    assert content.decode().count(LINK) == 15


@pytest.mark.parametrize(
    ("channel", "limits"),
    [("wecom", {60: 20}), ("dingtalk", {60: 20}), ("feishu", {60: 100, 1: 5})],
)
def test_pace_keeps_below_the_robots_limits_though_some_are_long_on_their_way(
    channel: str, limits: dict[int, int]
) -> None:
    pace: Pace = ROBOTS[channel].pace

    for seconds, most in limits.items():
        late = seconds + min(10, seconds)
        assert pace.most_in(late) <= most


def test_setting_shows_no_secret() -> None:
    assert "k/e y" not in repr(setting(WeCom(), signing_key="SEC000"))
    assert "SEC000" not in repr(setting(WeCom(), signing_key="SEC000"))
