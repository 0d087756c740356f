"""`/api/v1/webhooks/`: where news of events goes, what became of each message, and the controls.

The secret of a webhook stands in two answers only: the one that made it, and the one that
replaced its secret.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from alliances.models import Alliance
from coordination.accounts.languages import PARAMETER as LANG
from coordination.accounts.models import ApiToken
from coordination.calendars.selecting import NOT_THERE, cleaned_filters
from coordination.calendars.webhook_owners import (
    enable_webhook,
    make_webhook,
    owner_of_alliance,
    owner_of_viewer,
    take_over,
)
from coordination.calendars.webhook_readings import (
    EnableInput,
    MessageNamedReading,
    NewWebhook,
    ReplayInput,
    ReplayReading,
    WebhookInput,
    WebhookMessagesReading,
    WebhookReading,
    WebhookWithSecretReading,
)
from coordination.calendars.webhooks import news_kinds
from coordination.changes.refusals import NotAllowed, NotVisible, invalid
from coordination.deliveries.models import (
    Attempt,
    Message,
    MessageState,
    Subscription,
)
from coordination.deliveries.sources import Rendered
from coordination.deliveries.subscribing import (
    Subscribed,
    messages_of,
    pause_subscription,
    ping,
    replay_messages,
    revise_subscription,
    rotate_secret,
    unsubscribe,
)
from coordination.rest.pagination import OWN_PARAMETERS, cursor_for, page_of, requested_page
from coordination.rest.preconditions import etag_of, list_etag
from coordination.rest.problems import parameter_error
from coordination.rest.rendering import to_json
from coordination.rest.views import HouseView
from coordination.rest.viewsets import Changing, Creating, Deleting, ResourceViewSet, transition
from events.api.inputs import NothingInput

STATE = "state"


def webhooks_visible_to(viewer: Any, token: ApiToken | None) -> QuerySet[Any]:
    """Return the webhooks that a caller may keep; a token with limits, those of its alliances.

    A token that may not read events keeps none: it could lead their news to an address of its own.
    """
    if not viewer.may_use("events", "read"):
        return Subscription.objects.none()
    rows: QuerySet[Any] = Subscription.objects.visible_to(viewer).exclude(
        endpoint__disabled_reason="removed"
    )
    if token is not None and token.limits:
        rows = rows.filter(endpoint__owner__startswith="alliance:")
    return rows


class WebhookViewSet(Creating, Changing, Deleting, ResourceViewSet):
    """Web addresses that are told what happens to events: one's own, and one's secretariat's."""

    resource = "webhooks"
    model = Subscription
    reading = WebhookReading
    create_input = NewWebhook
    change_input = WebhookInput
    personal = True
    related = ("endpoint", "token__user")
    secret = ""

    @property
    def token(self) -> ApiToken | None:
        """The token that asks, if one does."""
        found = self.request.auth
        return found if isinstance(found, ApiToken) else None

    def rows(self) -> QuerySet[Any]:
        """Return the webhooks that the caller may keep."""
        return webhooks_visible_to(self.viewer, self.token)

    @extend_schema(responses={201: WebhookWithSecretReading})
    def create(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Make a webhook; the answer alone holds its secret."""
        return super().create(request, **kwargs)

    def perform_create(self, values: dict[str, Any]) -> Subscription:
        """Make a webhook.

        Raises:
            NotAllowed: the token may not read events, or is for some alliances only.
        """
        slug = values.pop("alliance", "")
        owner = self._owner(slug)
        chosen = self._checked(values, {})
        made = make_webhook(owner, viewer=self.viewer, at=self.at, token=self.token, **chosen)
        return self._with_secret(made)

    def perform_change(self, obj: Subscription, values: dict[str, Any]) -> Subscription:
        """Change what is sent to a webhook, or where it is."""
        chosen = self._checked(values, obj.filters)
        return revise_subscription(obj, viewer=self.viewer, at=self.at, **chosen)

    def perform_delete(self, obj: Subscription, reason: str) -> None:
        """End a webhook."""
        unsubscribe(obj, viewer=self.viewer, at=self.at)

    @transition(NothingInput, replies=WebhookWithSecretReading)
    def rotate(self, obj: Subscription, values: dict[str, Any]) -> Subscription:
        """Give a webhook a new secret; for 24 hours the one before it signs too."""
        return self._with_secret(rotate_secret(obj, viewer=self.viewer, at=self.at))

    @transition(NothingInput)
    def pause(self, obj: Subscription, values: dict[str, Any]) -> Subscription:
        """Stop sending; what happens meanwhile waits."""
        return pause_subscription(obj, viewer=self.viewer, at=self.at)

    @transition(EnableInput)
    def enable(self, obj: Subscription, values: dict[str, Any]) -> Subscription:
        """Send again, with or without what was missed."""
        return enable_webhook(obj, viewer=self.viewer, at=self.at, **values)

    @transition(NothingInput)
    def take_over(self, obj: Subscription, values: dict[str, Any]) -> Subscription:
        """Answer for a webhook whose maker left, or whose token ended; it goes on without them."""
        return take_over(obj, viewer=self.viewer, at=self.at, token=self.token)

    @transition(NothingInput, replies=MessageNamedReading, status=202)
    def ping(self, obj: Subscription, values: dict[str, Any]) -> dict[str, Any]:
        """Send a message of type `ping`; its tries stand under `messages`."""
        return {"message": ping(obj, viewer=self.viewer, at=self.at).uid}

    @transition(ReplayInput, replies=ReplayReading, status=202)
    def replay(self, obj: Subscription, values: dict[str, Any]) -> dict[str, Any]:
        """Send messages again under the same ids."""
        return {"count": replay_messages(obj, viewer=self.viewer, at=self.at, **values)}

    def _owner(self, slug: str) -> str:
        """Return the owner that is asked for.

        Raises:
            NotAllowed: the token may not read events, or is for some alliances only.
            InvalidInput: there is no such alliance.
        """
        if not self.viewer.may_use("events", "read"):
            raise NotAllowed(_("A webhook tells of events: the token needs events:read."))
        if slug:
            alliance = Alliance.objects.visible_to(self.viewer).filter(slug=slug).first()
            if alliance is None:
                raise invalid("alliance", NOT_THERE)
            return owner_of_alliance(alliance)
        return owner_of_viewer(self.viewer)

    def _checked(self, values: dict[str, Any], filters: dict[str, str]) -> dict[str, Any]:
        """Return the input with filters merged (RFC 7396) and kinds known."""
        if "filters" in values:
            merged = filters | values["filters"]
            wanted = {name: value for name, value in merged.items() if value}
            values["filters"] = cleaned_filters(wanted, viewer=self.viewer, kept=filters)
        check_kinds(values.get("kinds", ()))
        return values

    def _with_secret(self, made: Subscribed) -> Subscription:
        self.secret = made.secret
        return made.subscription

    def _respond(self, request: Request) -> HttpResponseBase:
        """Add the secret to the answer, after that is kept for repetitions."""
        response = super()._respond(request)
        if self.secret and isinstance(response, HttpResponse) and response.status_code < 300:
            data = orjson.loads(response.content) | {"secret": self.secret}
            body = to_json(data)
            response.content = body
            response["ETag"] = etag_of(data["version"], body)
        return response

    def _list_etag(self) -> str:
        """Return a tag of the rows themselves: webhooks stand outside the log."""
        request = self.request._request
        columns = (
            "pk", "version", "keeper_left_at", "endpoint__failures", "endpoint__failing_since",
            "endpoint__paused_until", "endpoint__disabled_at", "endpoint__disabled_reason",
        )  # fmt: skip
        return list_etag(
            request.get_host(),
            request.path,
            request.META.get("QUERY_STRING", ""),
            self.viewer.language,
            self.viewer.user_id,
            list(self.rows().order_by("pk").values_list(*columns)),
        )


def check_kinds(kinds: Any) -> None:
    """Go on when every kind is one that a webhook may choose.

    Raises:
        InvalidInput: otherwise; it names the kind.
    """
    known = news_kinds()
    for kind in kinds:
        if kind not in known:
            words = _("There is no kind of news “%(kind)s”. Known are: %(known)s.")
            raise invalid(
                "kinds", words % {"kind": kind, "known": ", ".join(known)}, code="unknown"
            )


class WebhookMessagesView(HouseView):
    """What was sent to a webhook, and what became of it."""

    resource = "webhooks"
    reading = WebhookMessagesReading
    parameters = (OWN_PARAMETERS - {"ordering"}) | {STATE}

    @extend_schema(
        operation_id="webhook_messages",
        responses=WebhookMessagesReading,
    )
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        """Answer a page of messages with their tries, the newest first.

        Raises:
            NotVisible: there is no such webhook for the caller.
        """
        query = request._request.GET
        token = request.auth if isinstance(request.auth, ApiToken) else None
        subscription = webhooks_visible_to(self.viewer, token).filter(uid=uid).first()
        if subscription is None:
            raise NotVisible
        rows = messages_of(subscription)
        state = query.get(STATE)
        if state is not None:
            if state not in MessageState.values:
                raise parameter_error(STATE, _("There is no such state."))
            rows = rows.filter(state=state)
        page = requested_page(
            query, orderings={"created": "pk"}, default="-created", model=rows.model
        )
        keys, last = page_of(rows, ("pk",), page)
        following = None
        if last is not None:
            again = query.copy()
            again["cursor"] = cursor_for(last, page.ordering)
            path = f"{request.path}?{again.urlencode()}"
            following = str(request.build_absolute_uri(path))
        items = messages_shown([key[0] for key in keys])
        return self.answer_tagged({"items": items, "next": following})

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters."""
        return self.parameters | {LANG}


def messages_shown(keys: list[int]) -> list[dict[str, Any]]:
    """Return messages with their tries, the newest first; two queries."""
    tries = Prefetch("tries", queryset=Attempt.objects.order_by("pk"))
    rows = Message.objects.filter(pk__in=keys).order_by("-pk").prefetch_related(tries)
    return [_message_shown(message) for message in rows]


def _message_shown(message: Any) -> dict[str, Any]:
    content = Rendered.from_stored(message.rendered) if message.rendered else None
    waits = message.state == MessageState.PENDING
    return {
        "uid": message.uid,
        "type": content.subject if content else "",
        "state": message.state,
        "reason": message.reason,
        "payload": content.text if content else "",
        "created_at": message.created_at,
        "next_attempt_at": message.next_attempt_at if waits else None,
        "sent_at": message.sent_at,
        "attempts": [
            {
                "number": one.number,
                "outcome": one.outcome,
                "code": one.code,
                "answer": one.detail,
                "begun_at": one.begun_at,
                "ended_at": one.ended_at,
            }
            for one in message.tries.all()
        ],
    }
