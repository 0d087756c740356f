"""Whether an object is as a program believes, before anything is done to it (RFC 9110 section 13).

Tags come before dates: a date is asked only where no tag is sent, and one that is none counts for
nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from coordination.calendars.caldav.objects import CalendarObject
from coordination.calendars.caldav.xml import Refused
from coordination.calendars.negotiation import is_as_believed, matches_any
from coordination.rest.preconditions import versions_in

CHANGED: Final = _(
    "Somebody else has changed this in the meantime. Fetch the present version, "
    "then make your change again."
)


def check_conditions(request: HttpRequest, stored: CalendarObject | None) -> None:
    """See that the object is as the program believes (RFC 9110 section 13.2.2).

    ``If-Match`` names the version, whatever the language or level it was read at.

    Args:
        request: with its conditions.
        stored: what stands at the address now; None for nothing.

    Raises:
        Refused: 412.
    """
    if not _is_as_believed(request, stored):
        raise Refused(HTTPStatus.PRECONDITION_FAILED, "", CHANGED)
    unwanted = request.headers.get("If-None-Match")
    if unwanted is None or stored is None:
        return
    if unwanted.strip() == "*" or matches_any(unwanted, stored.etag):
        sentence = _("There is an event at this address already.")
        raise Refused(HTTPStatus.PRECONDITION_FAILED, "", sentence)


def _is_as_believed(request: HttpRequest, stored: CalendarObject | None) -> bool:
    wanted = request.headers.get("If-Match")
    if wanted is not None:
        return stored is not None and (
            wanted.strip() == "*" or bool(versions_in(wanted) & versions_in(stored.etag))
        )
    return stored is None or is_as_believed(
        if_match=None,
        if_unmodified_since=request.headers.get("If-Unmodified-Since"),
        etag=stored.etag,
        changed_at=stored.changed_at,
    )
