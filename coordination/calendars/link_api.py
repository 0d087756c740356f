"""`/api/v1/feed-links/`: a person's private calendar addresses, for programs that set them up.

An address is a secret. Whoever is signed in to the pages is shown theirs; a token only the one it
has just made, in the answer to `POST`, which is also why the answer kept for an `Idempotency-Key`
holds none.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from coordination.accounts.models import ApiToken
from coordination.bilingual import LANGUAGES
from coordination.calendars.linking import (
    LONGEST_ALARM,
    MOST_ALARMS,
    NAME_LENGTH,
    LinkSettings,
    issue_link,
    path_for,
    path_of,
    replace_link,
    revise_link,
    revoke_link,
)
from coordination.calendars.models import FeedLink
from coordination.calendars.selecting import FILTERS, MINE
from coordination.rest.inputs import Input
from coordination.rest.preconditions import etag_of, list_etag
from coordination.rest.reading import Computed, Reader, Reading
from coordination.rest.rendering import to_json
from coordination.rest.viewsets import (
    Changing,
    Creating,
    Deleting,
    ResourceViewSet,
    transition,
)
from events.api.inputs import NothingInput

LONGEST_VALUE = 100  # characters of a filter
FILTERS_SCHEMA = {
    "type": "object",
    "description": "Filters of the list of events; `mine`: `1` for what concerns one's own "
    "organizations. In a merge patch null takes one away.",
    "properties": {name: {"type": ["string", "null"]} for name in (*FILTERS, MINE)},
    "additionalProperties": False,
}


@extend_schema_field(FILTERS_SCHEMA)
class FiltersInput(serializers.DictField):
    """Filters by name; null takes one away."""

    child = serializers.CharField(max_length=LONGEST_VALUE, allow_null=True, allow_blank=True)


class LinkInput(Input):
    """What may be changed of a link."""

    name = serializers.CharField(required=False, max_length=NAME_LENGTH)
    language = serializers.ChoiceField(choices=LANGUAGES, required=False)
    filters = FiltersInput(required=False)
    alarms = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=LONGEST_ALARM),
        required=False,
        max_length=MOST_ALARMS,
        help_text="Minutes before the beginning. Whole days ring at nine in the morning.",
    )
    days_only = serializers.BooleanField(
        required=False, help_text="Show whole days in place of hours."
    )
    with_windows = serializers.BooleanField(
        required=False, help_text="Show plan lines without a date over their planned period."
    )


class NewLink(LinkInput):
    """A new link; its language is the request's unless said otherwise."""

    name = serializers.CharField(max_length=NAME_LENGTH)


def _address(reader: Reader, uid: Any, generation: int, sha256: str) -> str | None:
    """Return the address, to a person; a token is told it once."""
    if reader.viewer.token_scopes is not None:
        return None
    return _absolute(path_for(uid, generation, sha256))


def _absolute(path: str) -> str | None:
    return f"{settings.COORDINATION_BASE_URL}{path}" if path else None


class FeedLinkReading(Reading):
    """A private calendar address."""

    class Meta:
        model = FeedLink

    uid = serializers.UUIDField()
    name = serializers.CharField()
    address = Computed(
        serializers.URLField(
            allow_null=True,
            help_text="The secret: in the answer to POST, and for a session.",
        ),
        needs=("uid", "generation", "sha256"),
        make=_address,
        sees=True,
    )
    filters = Computed(FiltersInput(), needs=("parameters",), make=lambda value: value)
    language = serializers.ChoiceField(choices=LANGUAGES)
    alarms = serializers.ListField(child=serializers.IntegerField())
    days_only = serializers.BooleanField()
    with_windows = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    last_fetched_at = serializers.DateTimeField(allow_null=True, help_text="To the hour.")
    last_program = serializers.CharField()
    version = serializers.IntegerField()


class FeedLinkViewSet(Creating, Changing, Deleting, ResourceViewSet):
    """Private calendar addresses: one's own, and nobody else's."""

    resource = "feed-links"
    model = FeedLink
    reading = FeedLinkReading
    create_input = NewLink
    change_input = LinkInput
    personal = True
    related = ("user",)

    @property
    def token(self) -> ApiToken | None:
        """The token that asks, if one does."""
        found = self.request.auth
        return found if isinstance(found, ApiToken) else None

    def perform_create(self, values: dict[str, Any]) -> FeedLink:
        """Make a link."""
        chosen = {"language": self.viewer.language} | _settings(values, {})
        return issue_link(
            self.request.user,
            LinkSettings(**chosen),
            viewer=self.viewer,
            at=self.at,
            token=self.token,
        )

    def perform_change(self, obj: FeedLink, values: dict[str, Any]) -> FeedLink:
        """Change what a link shows, or what it is called."""
        present = {name: getattr(obj, name) for name in LinkSettings.__slots__}
        chosen = LinkSettings(**present | _settings(values, obj.parameters))
        return revise_link(obj, chosen, viewer=self.viewer, at=self.at, token=self.token)

    def perform_delete(self, obj: FeedLink, reason: str) -> None:
        """Revoke a link."""
        revoke_link(obj, viewer=self.viewer, at=self.at)

    @transition(NothingInput)
    def replace(self, obj: FeedLink, values: dict[str, Any]) -> FeedLink:
        """Give a link a new address; the old one is dead at once."""
        return replace_link(obj, viewer=self.viewer, at=self.at, token=self.token)

    def _respond(self, request: Request) -> HttpResponseBase:
        """Add the address to the answer that made it, after that is kept for repetitions."""
        response = super()._respond(request)
        made = request.method == "POST" and response.status_code in (200, 201)
        if made and isinstance(response, HttpResponse):
            data = orjson.loads(response.content)
            link = self.rows().filter(uid=data["uid"]).first()
            if link is not None:
                body = to_json(data | {"address": _absolute(path_of(link))})
                response.content = body
                response["ETag"] = etag_of(link.version, body)
        return response

    def _list_etag(self) -> str:
        """Return a tag of the rows themselves: links stand outside the log."""
        request = self.request._request
        columns = ("pk", "version", "last_fetched_at", "last_program")
        return list_etag(
            request.get_host(),
            request.path,
            request.META.get("QUERY_STRING", ""),
            self.viewer.language,
            self.viewer.user_id,
            self.token is None,
            list(self.rows().order_by("pk").values_list(*columns)),
        )


def _settings(values: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """Return the input as settings; filters given are merged into those that are (RFC 7396)."""
    if "filters" in values:
        merged = parameters | values.pop("filters")
        values["parameters"] = {name: value for name, value in merged.items() if value}
    return values
