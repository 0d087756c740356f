"""Robots in chat groups: WeCom, DingTalk, Feishu. What their answers say is read, not believed.

A refusal comes with HTTP 200. So a message counts as sent only when the answer says so in its own
code; an answer that cannot be read says nothing, and the message is tried again.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from coordination.deliveries import egress
from coordination.deliveries.backoff import Schedule
from coordination.deliveries.egress import Answer, EgressFailed, EgressRefused
from coordination.deliveries.models import Endpoint
from coordination.deliveries.transports.base import Blame, Letter, Receipt, TransportError
from coordination.deliveries.transports.robots import (
    ABOUT_A_MINUTE,
    LARK_HOST,
    ROBOTS,
    Pause,
    Robot,
    Setting,
)

LEASE = timedelta(seconds=90)
SCHEDULE = Schedule(timedelta(seconds=30), timedelta(minutes=30), timedelta(days=2))
WORKERS = 2
LINES_PER_MESSAGE = 15
HEADERS = {"Content-Type": "application/json; charset=utf-8"}
NEVER_LEFT = frozenset({"unknown_name", "not_connected", "tls_failed"})
GONE = frozenset({401, 403, 404, 410})
GREATEST_CODE = 10**12  # no maker's code comes near; what is greater is no code


class ChatTransport:
    """Carries letters to the robots of one maker."""

    lease = LEASE
    schedule = SCHEDULE

    def __init__(self, robot: Robot, *, patience: float = egress.TOTAL_SECONDS) -> None:
        """Make a transport; nothing is kept open between two letters.

        Args:
            robot: whose robots.
            patience: seconds for one letter, from the name to the last byte of the answer.
        """
        self.robot = robot
        self.pace = robot.pace
        self.patience = patience

    def prepare(self) -> None:
        """Nothing to make ready: each letter has a connection of its own."""

    def close(self) -> None:
        """Nothing to close."""

    def send(self, letter: Letter) -> Receipt:
        """Send one letter to one group.

        Raises:
            TransportError: it was not taken, or nobody knows.
        """
        setting = self._setting(letter.endpoint_id)
        now = time.time()
        try:
            answer = egress.post(
                self.robot.url(setting, at=now),
                headers=HEADERS,
                content=self.robot.body(letter.rendered, setting, at=now),
                total_seconds=self.patience,
            )
        except EgressRefused as error:
            raise TransportError(
                error.code, error.detail, permanent=True, switches_off=True
            ) from None
        except EgressFailed as error:
            detail = _without_secrets(error.detail, setting)
            may_be_there = error.code not in NEVER_LEFT
            raise TransportError(error.code, detail, in_doubt=may_be_there) from None
        said = _without_secrets(answer.body.decode("utf-8", "surrogateescape"), setting)
        body = said.encode("utf-8", "surrogateescape")  # some makers repeat what they were asked
        return judge(self.robot, replace(answer, body=body))

    def _setting(self, endpoint_id: int) -> Setting:
        """Return how the robot is set up now.

        Raises:
            TransportError: it is not, or its host may not be spoken to.
        """
        endpoint = Endpoint.objects.filter(pk=endpoint_id, channel=self.robot.channel).first()
        if endpoint is None or not endpoint.secret:
            raise TransportError("endpoint_gone", "", permanent=True)
        if not is_allowed(self.robot, endpoint.address):
            host = urlsplit(endpoint.address).netloc
            raise TransportError("host_not_allowed", host, permanent=True, switches_off=True)
        return setting_of(endpoint)


def setting_of(endpoint: Endpoint) -> Setting:
    """Return how a robot is set up."""
    return Setting(
        address=endpoint.address,
        secret=endpoint.secret,
        signing_key=endpoint.signing_key,
        keyword=endpoint.keyword,
        mentions=tuple(endpoint.mentions.split()),
    )


def hosts_of(robot: Robot) -> frozenset[str]:
    """Return the hosts at which robots of this maker may be: its own, and the operator's."""
    own = {robot.host, LARK_HOST} if robot.channel == "feishu" else {robot.host}
    return frozenset(own | set(settings.CHAT_HOSTS))


def is_allowed(robot: Robot, address: str) -> bool:
    """Whether an address is at one of the hosts (with its port, where that is not the usual)."""
    return urlsplit(address).netloc.lower() in hosts_of(robot)


def judge(robot: Robot, answer: Answer) -> Receipt:
    """Read an answer: the code in its body before its HTTP status.

    Raises:
        TransportError: it does not say that the message was taken.
    """
    said = _read(answer.body)
    code = _code_of(robot, said)
    if code is None:
        raise _unreadable(answer)
    told = str(said.get("errmsg") or said.get("msg") or said.get("StatusMessage") or "")
    words = "".join(sign if sign.isprintable() else " " for sign in told)
    if code in robot.codes.taken and 200 <= answer.status < 300:
        return Receipt(words)
    raise _refusal(robot, code, " ".join(f"{code} {words}".split()), answer)


def _read(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return {}
    return said if isinstance(said, dict) else {}


def _code_of(robot: Robot, said: dict[str, Any]) -> int | None:
    for name in robot.code_names:
        code = said.get(name)
        if isinstance(code, int) and not isinstance(code, bool) and abs(code) <= GREATEST_CODE:
            return code
    return None


def _refusal(robot: Robot, code: int, detail: str, answer: Answer) -> TransportError:
    """Say what follows from a code that is not that of a message taken."""
    name = f"{robot.channel}_{code}"
    pause = robot.codes.too_often.get(code)
    if pause is not None and robot.codes.only_with.get(code, "") in detail.lower():
        return _too_often(name, detail, pause, answer)
    if code in robot.codes.switched_off:
        return TransportError(name, detail, permanent=True, switches_off=True)
    if code in robot.codes.refused:
        return TransportError(name, detail, permanent=True)
    # A code that nobody has told us of, or 0 with an HTTP status that is none of success.
    return TransportError(name, detail, in_doubt=code in robot.codes.taken)


def _unreadable(answer: Answer) -> TransportError:
    """Say what follows from an answer without a code: its HTTP status is all there is."""
    status, detail = answer.status, f"HTTP {answer.status}"
    if status == 429:
        return _too_often("http_429", detail, ABOUT_A_MINUTE, answer)
    if 300 <= status < 400 or status in GONE:
        return TransportError(f"http_{status}", detail, permanent=True, switches_off=True)
    if 200 <= status < 300:
        return TransportError("garbage", f"{detail} {_beginning(answer)}", in_doubt=True)
    return TransportError(f"http_{status}", detail, in_doubt=status >= 500)


def _too_often(name: str, detail: str, pause: Pause, answer: Answer) -> TransportError:
    """Ask for a pause of the whole endpoint."""
    least, most = pause
    wanted = least + (most - least) * random.random()
    asked = answer.retry_after or timedelta()
    return TransportError(name, detail, blame=Blame.PACE, retry_after=max(wanted, asked))


def _beginning(answer: Answer) -> str:
    return " ".join(answer.body[:120].decode("utf-8", "replace").split())


def _without_secrets(text: str, setting: Setting) -> str:
    for secret in (setting.secret, setting.signing_key):
        if secret:
            text = text.replace(secret, "…")
    return text


def transport_for_robot(channel: str, *, patience: float = egress.TOTAL_SECONDS) -> ChatTransport:
    """Return a transport for the robots of a channel; see `ChatTransport`."""
    return ChatTransport(ROBOTS[channel], patience=patience)
