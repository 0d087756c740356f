"""What the API of webhooks takes and answers."""

from __future__ import annotations

from rest_framework import serializers

from coordination.calendars.link_api import FiltersInput
from coordination.deliveries.models import AttemptOutcome, MessageState, Subscription
from coordination.deliveries.subscribing import NAME_LENGTH, state_of
from coordination.rest.inputs import Input
from coordination.rest.reading import Computed, Reading
from events.api.inputs import Instant

STATES = ("active", "paused", "disabled")


class WebhookInput(Input):
    """What may be changed of a webhook."""

    name = serializers.CharField(required=False, max_length=NAME_LENGTH)
    url = serializers.CharField(required=False, max_length=500)
    filters = FiltersInput(required=False)
    kinds = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        max_length=100,
        help_text="Types of news that are wanted; none for all of them.",
    )


class NewWebhook(WebhookInput):
    """A new webhook."""

    name = serializers.CharField(max_length=NAME_LENGTH)
    url = serializers.CharField(max_length=500)
    alliance = serializers.SlugField(
        required=False,
        help_text="Let the alliance's secretariat own it; otherwise it is one's own.",
    )


class EnableInput(Input):
    """What becomes of the messages that wait."""

    missed = serializers.ChoiceField(choices=("replay", "skip"))


class ReplayInput(Input):
    """One message, or all that failed for good in a span; without anything, all that did."""

    message = serializers.UUIDField(required=False)
    since = Instant(required=False, help_text="Included.")
    until = Instant(required=False, help_text="Not included.")


def _alliance_of(owner: str) -> str | None:
    kind, _colon, name = owner.partition(":")
    return name if kind == "alliance" else None


class WebhookReading(Reading):
    """A web address that is told what happens to events."""

    class Meta:
        model = Subscription

    uid = serializers.UUIDField()
    name = serializers.CharField(source="endpoint.name")
    url = serializers.CharField(source="endpoint.address")
    alliance = Computed(
        serializers.SlugField(allow_null=True),
        needs=("endpoint.owner",),
        make=_alliance_of,
    )
    filters = Computed(FiltersInput(), needs=("filters",), make=lambda value: value)
    kinds = serializers.ListField(child=serializers.CharField())
    state = Computed(
        serializers.ChoiceField(choices=STATES),
        needs=("endpoint.disabled_at", "endpoint.disabled_reason"),
        make=state_of,
    )
    reason = serializers.CharField(
        source="endpoint.disabled_reason", help_text="Why nothing is sent; empty while it is."
    )
    failures = serializers.IntegerField(
        source="endpoint.failures", help_text="Failures in a row; 0 when the last one arrived."
    )
    failing_since = serializers.DateTimeField(source="endpoint.failing_since", allow_null=True)
    paused_until = serializers.DateTimeField(
        source="endpoint.paused_until",
        allow_null=True,
        help_text="After five failures in a row one message is tried each time this passes.",
    )
    previous_secret_until = serializers.DateTimeField(
        source="endpoint.previous_secret_until",
        allow_null=True,
        help_text="Until then the secret before this one signs too.",
    )
    keeper_left_at = serializers.DateTimeField(
        allow_null=True,
        help_text=(
            "Since when whoever answers for it is known to act for its owner no more; it goes on, "
            "and somebody should take it over. null while they do."
        ),
    )
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    version = serializers.IntegerField()


class WebhookWithSecretReading(WebhookReading):
    """A webhook and its secret."""

    secret = serializers.CharField(help_text="whsec_…; in this answer only.")


class MessageNamedReading(Reading):
    """A message that is on its way."""

    message = serializers.UUIDField(help_text="Its webhook-id.")


class ReplayReading(Reading):
    """How many messages go out again."""

    count = serializers.IntegerField()


class AttemptReading(Reading):
    """One try, as it ended."""

    number = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=AttemptOutcome.choices)
    code = serializers.CharField()
    answer = serializers.CharField(help_text="Status and beginning of the answer, or what failed.")
    begun_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()


class WebhookMessageReading(Reading):
    """A message of a webhook with its tries."""

    uid = serializers.UUIDField(help_text="The webhook-id, the same in every copy.")
    type = serializers.CharField()
    state = serializers.ChoiceField(choices=MessageState.choices)
    reason = serializers.CharField()
    payload = serializers.CharField(help_text="What is sent, to the byte; empty after 90 days.")
    created_at = serializers.DateTimeField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptReading(many=True)


class WebhookMessagesReading(Reading):
    """A page of messages, the newest first."""

    items = WebhookMessageReading(many=True)
    next = serializers.URLField(allow_null=True)
