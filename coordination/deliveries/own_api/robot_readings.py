"""What the API shows of robots in chat groups, and what it takes. Secrets go in and never out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from coordination.deliveries.models import Endpoint
from coordination.deliveries.robot_health import Health
from coordination.deliveries.transports.robots import ROBOTS
from coordination.rest.inputs import Input, Text
from coordination.rest.reading import Reading

OWNER_HELP = "What it stands on: `alliance:`, `plan:`, `work_area:` or `event:`, and its uid."


class RobotReading(Reading):
    """A robot of a chat group, and how it is doing."""

    uid = serializers.UUIDField()
    owner = serializers.CharField(help_text=OWNER_HELP)
    kind = serializers.ChoiceField(choices=list(ROBOTS))
    name = serializers.CharField()
    address = serializers.CharField(help_text="Without the secret in it.")
    signs = serializers.BooleanField(help_text="Whether a signing key is stored.")
    keyword = serializers.CharField()
    mentions = serializers.ListField(child=serializers.CharField())
    language = serializers.ChoiceField(choices=["zh-hans", "en"])
    state = serializers.ChoiceField(choices=["well", "failing", "paused", "off"])
    reason = serializers.CharField(help_text='What is wrong and what to do, or "".')
    paused_until = serializers.DateTimeField(allow_null=True)
    waiting = serializers.IntegerField()
    failed = serializers.IntegerField()
    sent_at = serializers.DateTimeField(allow_null=True)


class RobotPage(Reading):
    """All robots that the caller may manage."""

    items = serializers.ListField(child=RobotReading())


class RobotChange(Input):
    """What is to change; what is left out stays, secrets too."""

    name = serializers.CharField(max_length=100, required=False)
    url = serializers.CharField(
        max_length=500,
        required=False,
        write_only=True,
        help_text="The robot's address, as its maker shows it.",
    )
    signing_key = serializers.CharField(max_length=200, required=False, write_only=True)
    keyword = Text(max_length=100)
    mentions = serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=50, required=False
    )
    language = serializers.ChoiceField(choices=["zh-hans", "en"], required=False)


class RobotInput(RobotChange):
    """A robot to be set up."""

    owner = serializers.CharField(max_length=80, help_text=OWNER_HELP)
    kind = serializers.ChoiceField(choices=list(ROBOTS))
    name = serializers.CharField(max_length=100)
    url = serializers.CharField(
        max_length=500, write_only=True, help_text="The robot's address, as its maker shows it."
    )


class SwitchOnInput(Input):
    """Whether what failed in the last day is tried again."""

    again = serializers.BooleanField(required=False, default=False)


def robot(row: Endpoint, health: Health) -> dict[str, Any]:
    """Return a robot as it is shown."""
    return {
        "uid": row.uid,
        "owner": row.owner,
        "kind": row.channel,
        "name": row.name,
        "address": row.address,
        "signs": bool(row.signing_key),
        "keyword": row.keyword,
        "mentions": row.mentions.split(),
        "language": row.language or "zh-hans",
        "state": health.state,
        "reason": str(health.reason),
        "paused_until": health.paused_until,
        "waiting": health.waiting,
        "failed": health.failed,
        "sent_at": health.sent_at,
    }
