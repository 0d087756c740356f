"""Set up the robots of chat groups, try them, and send to the groups of an owner.

A robot stands on an alliance, a plan, a work area or an event. Its address holds a secret and is
therefore taken apart: what is shown again is the host and the path, never the key.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import (
    NotAllowed,
    NotVisible,
    Refusal,
    TransitionNotAllowed,
    invalid,
)
from coordination.deliveries.grouping import REMOVED, present_robots
from coordination.deliveries.holding import replay
from coordination.deliveries.limits import take_token
from coordination.deliveries.models import Delivery, Endpoint, Message, MessageState
from coordination.deliveries.owners import is_known_owner, may_manage_owner
from coordination.deliveries.recipients import Reader
from coordination.deliveries.robot_words import explain
from coordination.deliveries.sources import Rendered
from coordination.deliveries.transports.base import Letter, TransportError
from coordination.deliveries.transports.chat import hosts_of, is_allowed, transport_for_robot
from coordination.deliveries.transports.robots import EVERYBODY, ROBOTS, Robot

MOST_OF_ONE_OWNER = 10
NAME_LENGTH, KEYWORD_LENGTH, SECRET_LENGTH, MENTIONS_LENGTH = 100, 100, 200, 500
WHO = re.compile(r"[A-Za-z0-9_.@+-]{1,64}")
SECRET = re.compile(r"[A-Za-z0-9_-]{8,200}")
TRIAL_SECONDS = 8.0  # a person waits, and a thread of the web worker with them
KEY_NAMES = {"wecom": "key", "dingtalk": "access_token"}


class TestNotTaken(Refusal):
    """The robot did not take the test message."""

    code = "test_not_taken"
    __test__ = False  # no test of pytest's


def robots_for(viewer: Viewer) -> list[Endpoint]:
    """Return the robots that a viewer may manage, by owner and name."""
    rows = present_robots().order_by("owner", "name", "pk")
    if viewer.is_unlimited:
        return list(rows)
    known: dict[str, bool] = {}
    found = []
    for robot in rows:
        if robot.owner not in known:
            known[robot.owner] = may_manage_owner(viewer, robot.owner)
        if known[robot.owner]:
            found.append(robot)
    return found


def robot_of(uid: UUID, *, viewer: Viewer) -> Endpoint:
    """Return a robot that the viewer may manage.

    Raises:
        NotVisible: there is none.
    """
    found = present_robots().filter(uid=uid).first()
    if found is None or not (viewer.is_unlimited or may_manage_owner(viewer, found.owner)):
        raise NotVisible
    return found


def add_robot(
    owner: str,
    *,
    channel: str,
    name: str,
    url: str,
    viewer: Viewer,
    at: datetime,
    signing_key: str = "",
    keyword: str = "",
    mentions: Sequence[str] = (),
    language: str = "zh-hans",
) -> Endpoint:
    """Set a robot up.

    Args:
        owner: key of what it stands on.
        channel: "wecom", "dingtalk" or "feishu".
        name: what the secretariat calls the group.
        url: the robot's address, as its maker shows it.
        viewer: who sets it up.
        at: now, aware.
        signing_key: the key it signs with, where it does.
        keyword: the word it asks for, where it does.
        mentions: whom to call by name: ids of people as the maker knows them, or "all".
        language: of the messages, "zh-hans" or "en".

    Raises:
        NotAllowed: the viewer does not manage the owner.
        InvalidInput: there is no such owner, or something is not as the robot needs it.
        TransitionNotAllowed: the owner has too many.
    """
    if not is_known_owner(owner):
        raise invalid("owner", _("There is no such object, or it is not open to you."))
    if not (viewer.is_unlimited or may_manage_owner(viewer, owner)):
        raise NotAllowed
    robot = _known(channel)
    if present_robots().filter(owner=owner).count() >= MOST_OF_ONE_OWNER:
        raise TransitionNotAllowed(
            _("There are ten robots here already. Remove one first."), code="too_many"
        )
    endpoint = Endpoint(channel=channel, owner=owner, created_at=at)
    _set(
        endpoint, robot, name=name, url=url, signing_key=signing_key, keyword=keyword,
        mentions=mentions, language=language,
    )  # fmt: skip
    endpoint.save()
    return endpoint


def change_robot(endpoint: Endpoint, *, viewer: Viewer, **values: Any) -> Endpoint:
    """Change what is given; a secret that is not given stays.

    Args:
        endpoint: the robot.
        viewer: who changes it.
        **values: as those of `add_robot`, but for owner and channel.

    Raises:
        NotAllowed, InvalidInput.
    """
    _require(viewer, endpoint)
    _set(endpoint, ROBOTS[endpoint.channel], **values)
    endpoint.save()
    return endpoint


def remove_robot(endpoint: Endpoint, *, viewer: Viewer, at: datetime) -> None:
    """Take a robot away: nothing goes out to it any more, its ledger stays.

    Raises:
        NotAllowed.
    """
    _require(viewer, endpoint)
    with transaction.atomic():
        waiting = Message.objects.pending().filter(endpoint=endpoint)
        waiting.update(state=MessageState.SUPERSEDED, reason="robot_removed")
        loose = Delivery.objects.without_message().filter(endpoint=endpoint)
        loose.update(dropped_reason="robot_removed")
        endpoint.name = str(endpoint.uid)  # the name is free for another
        endpoint.secret = endpoint.signing_key = ""
        endpoint.disabled_at, endpoint.disabled_reason = at, REMOVED
        endpoint.owner_told_at = at
        endpoint.save()


def switch_on(endpoint: Endpoint, *, again: bool, viewer: Viewer, at: datetime) -> int:
    """Send to a robot again that was switched off or paused.

    Args:
        endpoint: the robot.
        again: what failed for good in the last day is tried again too.
        viewer: who has mended it.
        at: now, aware.

    Returns:
        How many failed messages are due again.

    Raises:
        NotAllowed.
    """
    _require(viewer, endpoint)
    with transaction.atomic():
        Endpoint.objects.filter(pk=endpoint.pk).update(
            failures=0, failing_since=None, paused_until=None, disabled_at=None,
            disabled_reason="", owner_told_at=None,
        )  # fmt: skip
        endpoint.refresh_from_db()
        if not again:
            return 0
        recent = Message.objects.filter(endpoint=endpoint, created_at__gte=at - timedelta(days=1))
        return replay(recent, at=at)


def try_robot(endpoint: Endpoint, *, viewer: Viewer, at: datetime, words: Rendered) -> None:
    """Send a test message now, and say what the robot answers.

    Somebody waits for it, so this is the one thing that is sent inside a request: to one address,
    for `TRIAL_SECONDS` at most, and with a token that the robot's other messages lack then.

    Args:
        endpoint: the robot.
        viewer: who tries it.
        at: now, aware.
        words: what to send.

    Raises:
        NotAllowed.
        TestNotTaken: it was not taken; the message says what to do.
    """
    _require(viewer, endpoint)
    transport = transport_for_robot(endpoint.channel, patience=TRIAL_SECONDS)
    wait = take_token(endpoint.pk, transport.pace, at=at)
    if wait is not None:
        seconds = int(wait.total_seconds()) + 1
        words_to_wait = _("The robot has had enough for now. Try again in %(n)d seconds.")
        raise TestNotTaken(words_to_wait % {"n": seconds}, code="too_often")
    reader = Reader(endpoint.owner, endpoint.address, language=endpoint.language)
    try:
        transport.send(Letter(uuid4(), reader, words, 1, endpoint.pk))
    except TransportError as error:
        raise TestNotTaken(explain(error.code, error.detail), code=error.code[:60]) from None


# -- What is taken -------------------------------------------------------------------------------


def _require(viewer: Viewer, endpoint: Endpoint) -> None:
    if not (viewer.is_unlimited or may_manage_owner(viewer, endpoint.owner)):
        raise NotAllowed


def _known(channel: str) -> Robot:
    if channel not in ROBOTS:
        known = ", ".join(ROBOTS)
        raise invalid("channel", _("Choose one of: %(known)s.") % {"known": known})
    return ROBOTS[channel]


def _set(endpoint: Endpoint, robot: Robot, **values: Any) -> None:
    if "name" in values:
        endpoint.name = _checked_name(endpoint, str(values["name"]))
    if values.get("url"):
        endpoint.address, endpoint.secret = take_apart(robot, str(values["url"]))
    elif not endpoint.secret:
        raise invalid("url", _("Enter the robot's address."), code="required")
    if values.get("signing_key"):
        endpoint.signing_key = _checked_signing_key(robot, str(values["signing_key"]))
    if "keyword" in values:
        endpoint.keyword = _checked_keyword(robot, str(values["keyword"]))
    if "mentions" in values:
        endpoint.mentions = _checked_mentions(robot, values["mentions"])
    if "language" in values:
        if values["language"] not in ("zh-hans", "en"):
            raise invalid("language", _("Choose zh-hans or en."))
        endpoint.language = str(values["language"])


def take_apart(robot: Robot, url: str) -> tuple[str, str]:
    """Return a robot's address without its secret, and the secret.

    Raises:
        InvalidInput: it is no address of such a robot.
    """
    parts = urlsplit(url.strip())
    bare = urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, "", ""))
    if parts.scheme not in ("https", "http") or not is_allowed(robot, bare):
        hosts = ", ".join(sorted(hosts_of(robot)))
        raise invalid(
            "url",
            _(
                "Enter the whole address that the robot shows; it begins with https:// and "
                "%(hosts)s."
            )
            % {"hosts": hosts},
        )
    if robot.channel in KEY_NAMES:
        secret = parse_qs(parts.query).get(KEY_NAMES[robot.channel], [""])[0]
        address = bare.rstrip("/")
        fits = parts.path.rstrip("/") == robot.path
    else:
        path, _slash, secret = parts.path.rstrip("/").rpartition("/")
        address = urlunsplit((parts.scheme, parts.netloc.lower(), path, "", ""))
        fits = f"{path}/" == robot.path
    if not fits or not SECRET.fullmatch(secret):
        raise invalid("url", _("This address is not whole. Copy it from the robot's settings."))
    return address, secret


def _checked_name(endpoint: Endpoint, name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH:
        raise invalid("name", _("Give the group a name of up to 100 characters."))
    others = Endpoint.objects.filter(channel=endpoint.channel, owner=endpoint.owner, name=name)
    if others.exclude(pk=endpoint.pk).exists():
        raise invalid("name", _("There is a robot of this name already."), code="taken")
    return name


def _checked_signing_key(robot: Robot, key: str) -> str:
    key = key.strip()
    if not robot.signs:
        raise invalid("signing_key", _("Robots of this kind do not sign. Leave it empty."))
    if len(key) > SECRET_LENGTH or not key.isascii() or not key.isprintable():
        raise invalid("signing_key", _("Copy the signing key from the robot's settings."))
    return key


def _checked_keyword(robot: Robot, keyword: str) -> str:
    keyword = keyword.strip()
    if keyword and not robot.asks_for_keyword:
        raise invalid("keyword", _("Robots of this kind ask for no keyword. Leave it empty."))
    if len(keyword) > KEYWORD_LENGTH:
        raise invalid("keyword", _("A keyword has up to 100 characters."))
    return keyword


def _checked_mentions(robot: Robot, mentions: Sequence[str]) -> str:
    chosen = list(dict.fromkeys(mentions))
    if not all(WHO.fullmatch(who) for who in chosen):
        raise invalid(
            "mentions",
            _("Give ids of people as the chat knows them, parted by blanks; for DingTalk, "
              "telephone numbers."),
        )  # fmt: skip
    if EVERYBODY in chosen and not robot.calls_everybody:
        raise invalid("mentions", _("Robots of WeCom cannot call everybody. Give ids of people."))
    joined = " ".join(chosen)
    if len(joined) > MENTIONS_LENGTH:
        raise invalid("mentions", _("These are too many people to call by name."))
    return joined
