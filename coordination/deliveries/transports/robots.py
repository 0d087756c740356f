"""What the three chat robots differ in: address, signature, form of a message, codes of answers.

Each of them answers a refusal with HTTP 200 and a code in the body; only the code tells. The pages
of their makers: developer.work.weixin.qq.com/document/path/91770, open.dingtalk.com (custom
robots), open.feishu.cn (custom bots in groups).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from coordination.deliveries.limits import Pace
from coordination.deliveries.sources import Item, Rendered
from coordination.deliveries.transports.robot_text import fit, plain, shorten

EVERYBODY: Final = "all"
Pause = tuple[timedelta, timedelta]
A_MINUTE: Final[Pause] = (timedelta(seconds=60), timedelta(seconds=90))
ABOUT_A_MINUTE: Final[Pause] = (timedelta(seconds=30), timedelta(seconds=90))
TEN_MINUTES: Final[Pause] = (timedelta(minutes=10), timedelta(minutes=11))


@dataclass(frozen=True, slots=True)
class Setting:
    """How one robot of one group was set up.

    Attributes:
        address: what its address begins with, without the secret in it.
        secret: the secret in its address: key, token or last part of the path.
        signing_key: second secret, that requests are signed with; "" where they are not.
        keyword: word that every message must contain; "" for none.
        mentions: whom every message calls by name.
    """

    address: str
    secret: str = field(repr=False)
    signing_key: str = field(default="", repr=False)
    keyword: str = ""
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Codes:
    """How the codes in a robot's answers are read.

    Attributes:
        taken: the codes of a message that was taken.
        too_often: code to the pause that the robot wants, from the shortest to the longest: it
            is drawn, so that not all come back at once.
        switched_off: codes that come back until somebody mends the robot or its setting.
        refused: codes about this message alone; the next one may be taken.
    """

    taken: frozenset[int]
    too_often: Mapping[int, Pause]
    switched_off: frozenset[int]
    refused: frozenset[int]
    only_with: Mapping[int, str] = field(default_factory=dict)
    """Codes that ask for a pause only where the answer's words, in lower case, hold this one."""


class Robot(Protocol):
    """One maker's robots."""

    channel: str
    host: str
    """Host of the maker's own service; others are allowed by the operator."""
    path: str
    """Path that every address of such a robot begins with."""
    pace: Pace
    codes: Codes
    code_names: Sequence[str]
    """Where the code stands in the answer; the first that is there counts."""
    signs: bool
    """Whether it can be set up with a signing key."""
    asks_for_keyword: bool
    calls_everybody: bool

    def url(self, setting: Setting, *, at: float) -> str:
        """Return the address of a request, secrets and signature included.

        Args:
            setting: of this robot.
            at: seconds since 1970, of now.
        """
        ...

    def body(self, rendered: Rendered, setting: Setting, *, at: float) -> bytes:
        """Return the body of a request, within the robot's limit."""
        ...


def _json(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _octets(text: str) -> int:
    return len(text.encode())


def _with_tail(text: str, *tail: str) -> str:
    return "\n".join(part for part in (text, *tail) if part)


def _link(item: Item) -> str:
    title = plain(item.title)
    return f"[{title}]({item.url})" if item.url else title


class WeCom:
    """Group robots of WeCom (企业微信)."""

    channel = "wecom"
    host = "qyapi.weixin.qq.com"
    path = "/cgi-bin/webhook/send"
    # 20 messages a minute; three less, so that one that is long on its way harms nothing.
    pace = Pace(burst=3, per_second=14 / 60)
    codes = Codes(
        taken=frozenset({0}),
        too_often={45009: A_MINUTE},
        switched_off=frozenset({93000}),  # no such robot, or it was taken out of its group
        refused=frozenset({40008, 40058, 44004, 45002}),  # type, parameter, empty, too long
    )
    code_names: Sequence[str] = ("errcode",)
    signs = asks_for_keyword = calls_everybody = False
    most_octets = 4096  # of the markdown

    def url(self, setting: Setting, *, at: float) -> str:
        """Return the address with its key."""
        return f"{setting.address}?{urlencode({'key': setting.secret})}"

    def body(self, rendered: Rendered, setting: Setting, *, at: float) -> bytes:
        """Return a message in markdown."""
        called = " ".join(f"<@{who}>" for who in setting.mentions)
        text = fit(
            rendered,
            layout=self._layout,
            weigh=lambda text: _octets(_with_tail(text, called)),
            most=self.most_octets,
        )
        return _json({"msgtype": "markdown", "markdown": {"content": _with_tail(text, called)}})

    def _layout(self, heading: str, items: Sequence[Item]) -> str:
        lines = [f"**{plain(heading)}**"] if heading else []
        for item in items:
            lines.append(_link(item))
            lines += [f"> {line}" for line in plain(item.text).splitlines() if line]
        return "\n".join(lines)


class DingTalk:
    """Custom robots of DingTalk (钉钉), with a signature or a keyword."""

    channel = "dingtalk"
    host = "oapi.dingtalk.com"
    path = "/robot/send"
    pace = Pace(burst=3, per_second=14 / 60)  # 20 messages a minute, else silence for ten
    codes = Codes(
        taken=frozenset({0}),
        # The table of open.dingtalk.com/document/orgapp/custom-robots-send-group-messages, and
        # answers seen in programs' logs: 130101 "send too fast", 300001 (older) and 300005
        # "token is not exist", 460101 "message too long, exceed 20000 bytes".
        too_often={130101: TEN_MINUTES, 410100: TEN_MINUTES},
        switched_off=frozenset(
            {
                *(300001, 300005, 400101),  # no such token
                310000,  # keyword, signature, its time or the sender's address not right
                400013,  # the group was dissolved
                *(400102, 400106),  # the robot was switched off, or taken out of the group
            }
        ),
        # Type of message; unsafe link; words, pictures or contents not allowed; too long.
        refused=frozenset({400105, 430101, 430102, 430103, 430104, 460101}),
    )
    code_names: Sequence[str] = ("errcode",)
    signs = asks_for_keyword = calls_everybody = True
    most_octets = 20_000  # of the body

    def url(self, setting: Setting, *, at: float) -> str:
        """Return the address with its token, signed where the robot signs."""
        query = {"access_token": setting.secret}
        if setting.signing_key:
            moment = str(int(at * 1000))  # milliseconds
            signed = f"{moment}\n{setting.signing_key}".encode()
            digest = hmac.new(setting.signing_key.encode(), signed, hashlib.sha256).digest()
            query |= {"timestamp": moment, "sign": base64.b64encode(digest).decode()}
        return f"{setting.address}?{urlencode(query)}"

    def body(self, rendered: Rendered, setting: Setting, *, at: float) -> bytes:
        """Return a message in markdown."""

        def payload(text: str) -> dict[str, Any]:
            called = [f"@{who}" for who in setting.mentions if who != EVERYBODY]
            absent = setting.keyword and setting.keyword not in text
            tail = _with_tail(text, setting.keyword if absent else "", " ".join(called))
            return {
                "msgtype": "markdown",
                "markdown": {
                    "title": shorten(plain(rendered.subject), 60),
                    # One line end is a blank there, and two are too many: two blanks before it.
                    "text": tail.replace("\n", "  \n"),
                },
                "at": {
                    "atMobiles": [who for who in setting.mentions if who != EVERYBODY],
                    "isAtAll": EVERYBODY in setting.mentions,
                },
            }

        text = fit(
            rendered,
            layout=self._layout,
            weigh=lambda text: len(_json(payload(text))),
            most=self.most_octets,
        )
        return _json(payload(text))

    def _layout(self, heading: str, items: Sequence[Item]) -> str:
        lines = [f"### {plain(heading)}"] if heading else []
        for item in items:
            lines.append(f"**{_link(item)}**")
            lines += [line for line in plain(item.text).splitlines() if line]
        return "\n".join(lines)


class Feishu:
    """Custom bots of Feishu and Lark (飞书), with a signature or a keyword."""

    channel = "feishu"
    host = "open.feishu.cn"
    path = "/open-apis/bot/v2/hook/"
    pace = Pace(burst=2, per_second=1.4)  # 100 messages a minute and 5 a second
    codes = Codes(
        taken=frozenset({0}),
        # "Custom bot usage guide" of open.feishu.cn, and answers seen in programs' logs. 9499 is
        # "too many request" as well as "Bad Request", which a pause would not mend.
        too_often={11232: ABOUT_A_MINUTE, 9499: ABOUT_A_MINUTE},
        # 19001: no such robot; 19021 signature or clock, 19022 address, 19024 keyword not right
        switched_off=frozenset({19001, 19021, 19022, 19024}),
        refused=frozenset({19002}),  # "params error"
        only_with={9499: "too many"},
    )
    code_names: Sequence[str] = ("code", "StatusCode")  # the second in answers of older robots
    signs = asks_for_keyword = calls_everybody = True
    most_octets = 20_000  # of the body

    def url(self, setting: Setting, *, at: float) -> str:
        """Return the address, whose last part is the secret."""
        return f"{setting.address.rstrip('/')}/{setting.secret}"

    def body(self, rendered: Rendered, setting: Setting, *, at: float) -> bytes:
        """Return a card: a head with the subject, and markdown; signed where the robot signs."""
        called = "".join(f"<at id={who}></at>" for who in setting.mentions)

        def payload(text: str) -> dict[str, Any]:
            title = shorten(rendered.subject, 100)
            absent = setting.keyword not in text and setting.keyword not in title
            content = _with_tail(text, setting.keyword if absent else "", called)
            return self._signature(setting, at) | {
                "msg_type": "interactive",
                "card": {
                    "config": {"wide_screen_mode": True},
                    "header": {
                        "title": {"tag": "plain_text", "content": title},
                        "template": "blue",
                    },
                    "elements": [{"tag": "markdown", "content": content}],
                },
            }

        text = fit(
            rendered,
            layout=self._layout,
            weigh=lambda text: len(_json(payload(text))),
            most=self.most_octets,
        )
        return _json(payload(text))

    def _signature(self, setting: Setting, at: float) -> dict[str, str]:
        """Return time and signature: the text to sign is the key, and nothing is signed."""
        if not setting.signing_key:
            return {}
        moment = str(int(at))  # seconds
        key = f"{moment}\n{setting.signing_key}".encode()
        digest = hmac.new(key, b"", hashlib.sha256).digest()
        return {"timestamp": moment, "sign": base64.b64encode(digest).decode()}

    def _layout(self, heading: str, items: Sequence[Item]) -> str:
        """The heading stands in the head of the card."""
        lines = []
        for item in items:
            lines.append(f"**{_link(item)}**")
            lines += [line for line in plain(item.text).splitlines() if line]
        return "\n".join(lines)


ROBOTS: Final[Mapping[str, Robot]] = {
    robot.channel: robot for robot in (WeCom(), DingTalk(), Feishu())
}
"""Robots by their channel."""
LARK_HOST: Final = "open.larksuite.com"  # Feishu outside mainland China
