"""The caller's own inbox and wishes. Nobody else's can be asked for, superusers' neither."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from coordination.accounts.languages import PARAMETER as LANG
from coordination.deliveries.inbox import inbox_item, mark_all_read, mark_read, mark_unread
from coordination.deliveries.models import InboxItem
from coordination.deliveries.own_api import readings
from coordination.deliveries.wishing import change_wishes, own_key, wishes_of
from coordination.rest.pagination import (
    CURSOR,
    OWN_PARAMETERS,
    cursor_for,
    page_of,
    page_parameters,
    requested_page,
)
from coordination.rest.problems import parameter_error
from coordination.rest.views import HouseView

ORDERINGS = {"arrived": "pk"}
NEWEST_FIRST = "-arrived"
UNREAD = "unread"
PARAMETERS = [
    *(
        OpenApiParameter(
            parameter["name"],
            parameter["schema"],
            OpenApiParameter.QUERY,
            description=parameter["description"],
        )
        for parameter in page_parameters(ORDERINGS, NEWEST_FIRST)
    ),
    OpenApiParameter(UNREAD, bool, description="true: only what is unread."),
]


class OwnView(HouseView):
    """A view of what belongs to the caller."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Turn away whoever is nobody.

        Raises:
            NotAuthenticated: nobody is signed in, and no token came.
        """
        super().initial(request, *args, **kwargs)
        if not self.viewer.is_authenticated:
            raise NotAuthenticated


class InboxView(OwnView):
    """The caller's inbox."""

    resource = "inbox"

    def known_parameters(self) -> frozenset[str]:
        """Return those of a list, and the one of its own."""
        return OWN_PARAMETERS | {LANG, UNREAD}

    @extend_schema(operation_id="inbox_list", parameters=PARAMETERS, responses=readings.InboxPage)
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer the caller's messages, the newest first."""
        query = request._request.GET
        page = requested_page(query, orderings=ORDERINGS, default=NEWEST_FIRST, model=InboxItem)
        own = InboxItem.objects.visible_to(self.viewer)
        rows = own.unread() if _flag(query.get(UNREAD)) else own
        found, last = page_of(rows, ["pk"], page)
        following = None
        if last is not None:
            address = query.copy()
            address[CURSOR] = cursor_for(last, page.ordering)
            following = request.build_absolute_uri(f"{request.path}?{address.urlencode()}")
        by_key = InboxItem.objects.in_bulk([row[0] for row in found])
        response = self.answer_tagged(
            {
                "items": [readings.inbox_item(by_key[row[0]]) for row in found],
                "next": following,
                "unread": own.unread().count(),
            }
        )
        if following:
            response["Link"] = f'<{following}>; rel="next"'
        return response


class InboxItemView(OwnView):
    """One message of the caller's inbox."""

    resource = "inbox"

    @extend_schema(operation_id="inbox_retrieve", responses=readings.InboxItemReading)
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer one message; reading it here marks nothing."""
        return self.answer_tagged(
            readings.inbox_item(inbox_item(kwargs["uid"], viewer=self.viewer))
        )


class InboxReadView(OwnView):
    """The mark that a message was read."""

    resource = "inbox"

    @extend_schema(
        operation_id="inbox_read",
        request=readings.NoBodyInput,
        responses=readings.InboxItemReading,
    )
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Note that the message was read; the first time counts."""
        self.values(readings.NoBodyInput)
        item = mark_read(kwargs["uid"], viewer=self.viewer, at=self.at)
        return self.answer(readings.inbox_item(item))


class InboxUnreadView(OwnView):
    """The mark that a message was read, taken back."""

    resource = "inbox"

    @extend_schema(
        operation_id="inbox_unread",
        request=readings.NoBodyInput,
        responses=readings.InboxItemReading,
    )
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Note that the message is unread again."""
        self.values(readings.NoBodyInput)
        return self.answer(readings.inbox_item(mark_unread(kwargs["uid"], viewer=self.viewer)))


class InboxReadAllView(OwnView):
    """The whole inbox at once."""

    resource = "inbox"

    @extend_schema(
        operation_id="inbox_read_all",
        request=readings.NoBodyInput,
        responses=readings.ReadAllReading,
    )
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Note that everything was read."""
        self.values(readings.NoBodyInput)
        return self.answer({"marked": mark_all_read(viewer=self.viewer, at=self.at)})


class WishesView(OwnView):
    """How the caller wants to be told."""

    resource = "wishes"

    @extend_schema(operation_id="wishes_retrieve", responses=readings.WishesReading)
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer the caller's wishes."""
        return self.answer_tagged(self._shown())

    @extend_schema(
        operation_id="wishes_partial_update",
        request=readings.WishesInput(partial=True),
        responses=readings.WishesReading,
    )
    def patch(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Change them by a merge patch (RFC 7396)."""
        values = self.values(readings.WishesInput, partial=True)
        stored = wishes_of(own_key(self.viewer))
        change_wishes(
            viewer=self.viewer,
            at=self.at,
            channels=values.get("channels", {}),
            digest=values.get("digest", stored.digest),
            quiet_from=values.get("quiet_from", stored.quiet_from),
            quiet_until=values.get("quiet_until", stored.quiet_until),
        )
        return self.answer(self._shown())

    def _shown(self) -> dict[str, Any]:
        row = wishes_of(own_key(self.viewer))
        return readings.wishes(row, language=self.viewer.language, time_zone=self.viewer.time_zone)


def _flag(text: str | None) -> bool:
    """Read a yes or a no.

    Raises:
        ProblemError: it is neither.
    """
    if text not in (None, "true", "false"):
        raise parameter_error(UNREAD, _("Write true or false."))
    return text == "true"
