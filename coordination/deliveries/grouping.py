"""Send to the chat groups of an owner: gathered, and off the full hour.

Robots' makers ask to keep off full and half hours, when everybody writes; and a robot takes only
so many messages a minute. So what falls due in one quarter of an hour goes out together, up to two
minutes early.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from django.db.models import QuerySet

from coordination.deliveries.fanout import Cause, fan_out_to_endpoints
from coordination.deliveries.models import Endpoint
from coordination.deliveries.transports.robots import ROBOTS

SPREAD = timedelta(seconds=120)
WINDOW = timedelta(minutes=15)
REMOVED = "removed"


def present_robots() -> QuerySet[Endpoint]:
    """Return the robots that have not been taken away."""
    return Endpoint.objects.filter(channel__in=list(ROBOTS)).exclude(disabled_reason=REMOVED)


def spread_of(endpoint: Endpoint) -> timedelta:
    """Return how much earlier than the full hour this robot is written to: 0 to 120 s.

    Robots' makers ask to keep off full and half hours, when everybody writes.
    """
    digest = hashlib.sha256(endpoint.uid.bytes).digest()
    return timedelta(seconds=int.from_bytes(digest[:4], "big") % int(SPREAD.total_seconds() + 1))


def fan_out_to_robots(owners: Iterable[str], *, channel: str, cause: Cause) -> int:
    """Write a delivery for each robot of the nearest owner that has any.

    What falls due in one quarter of an hour goes out together, a little before it is due; so a
    cause may be given up to `SPREAD` before its time.

    Args:
        owners: keys, the nearest first: an event's own group comes before its alliance's.
        channel: kind of robot.
        cause: what they are told about.

    Returns:
        How many deliveries are new.
    """
    for owner in owners:
        standing = list(present_robots().filter(owner=owner, channel=channel).order_by("pk"))
        if standing:
            return sum(_fan_out_to(robot, cause) for robot in standing)
    return 0


def _fan_out_to(robot: Endpoint, cause: Cause) -> int:
    moment = cause.send_after - spread_of(robot)
    quarter = cause.send_after.timestamp() // WINDOW.total_seconds()
    one = Endpoint.objects.filter(pk=robot.pk)
    # The word names the window by its number, so that it is the same whoever says it.
    word = cause.digest or f"quarter:{quarter:.0f}"
    return fan_out_to_endpoints(
        one, channel=robot.channel, cause=replace(cause, send_after=moment, digest=word)
    )
