"""sync-collection (RFC 6578): what a client's copy of a calendar lacks.

A token is ``urn:coordination:sync:`` and the token that every other channel uses. While an answer
is told in several parts, a suffix says how far it has come:

    <token>:list:<uid>          listing events from the beginning, up to this uid
    <token>:tasks:<uid>         then tasks
    <token>:told:<number>:<uid> what changed since: tasks up to a change, of them up to this uid

The suffix is not sealed, because it can only leave out what its holder may read anyway; the token
itself is. What changes while the parts are fetched is told after them, because the token is from
before the first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID
from xml.etree.ElementTree import Element

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from coordination.calendars.caldav import xml
from coordination.calendars.caldav.calendar_data import data_property, form_of
from coordination.calendars.caldav.duties import duty_name, name_of_duty
from coordination.calendars.caldav.duty_changes import changed_duties
from coordination.calendars.caldav.objects import CalendarObject, read_objects
from coordination.calendars.caldav.properties import TOKEN_PREFIX, Asking, sync_token
from coordination.calendars.caldav.propfind import (
    depth_of,
    noting_minimal,
    object_responses,
    prefers_minimal,
    wanted_of,
)
from coordination.calendars.caldav.resources import Collection, object_path
from coordination.calendars.caldav.xml import DAV, Refused, name
from coordination.calendars.syncing import Delta, Finder, changes_since
from coordination.calendars.tokens import TokenRefused
from events.models import Event, EventState

MOST: Final = 5000  # entries in one part, whatever the client would take
TOKEN_LENGTH: Final = 300  # characters
_SUFFIX: Final = re.compile(
    r"(?P<core>[A-Za-z0-9._-]+)"
    r"(?::(?P<kind>list|tasks):(?P<after>[0-9a-f]{32})"
    r"|:told:(?P<number>[0-9]{1,18}):(?P<last>[0-9a-f]{32}))?"
)
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a copy stands.

    Attributes:
        core: the token of every channel; empty for a copy of nothing.
        kind: "" between answers; "list" or "tasks" while everything is listed; "told" while
            changes are.
        after: the uid up to which this has come.
        told: the change up to which tasks are told already.
    """

    core: str = ""
    kind: str = ""
    after: UUID = _NOBODY
    told: int = 0

    @property
    def number(self) -> int:
        """The change up to which the copy was fresh."""
        return int(self.core.split(".")[1])

    def written(self) -> str:
        """Return the position as a URI."""
        suffix = ""
        if self.kind in ("list", "tasks"):
            suffix = f":{self.kind}:{self.after.hex}"
        elif self.kind == "told":
            suffix = f":told:{self.told}:{self.after.hex}"
        return f"{TOKEN_PREFIX}{self.core}{suffix}"


@dataclass
class Part:
    """One answer: what to put, what to take away, and where the copy then stands."""

    position: Position
    items: list[CalendarObject] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    more: bool = False


def answer_sync_collection(
    request: HttpRequest, collection: Collection, root: Element, asking: Asking
) -> HttpResponse:
    """Answer a sync-collection.

    Raises:
        Refused: 400, the request is not right; 403 with DAV:valid-sync-token, the token is of
            another copy, or too old.
    """
    if depth_of(request, default="0") == "infinity":  # RFC 6578 says 0, Thunderbird says 1
        raise Refused(400, "", _("A sync-collection is asked for with Depth 0."))
    is_minimal = prefers_minimal(request)
    wanted, form = wanted_of(root, is_minimal=is_minimal), form_of(root)
    full = form is not None or wanted.needs_text
    limit, start = _limit(root), _position(root)
    if start is None:
        core = sync_token(collection, asking).removeprefix(TOKEN_PREFIX)
        part = _listing(collection, Position(core, "list"), limit, full=full)
    elif start.kind in ("list", "tasks"):
        _check(collection, start, asking)
        part = _listing(collection, start, limit, full=full)
    else:
        part = _changes(collection, start, limit, asking, full=full)
    responses = [
        *object_responses(collection, part.items, wanted, asking, more=data_property(form)),
        *(xml.status_response(object_path(collection, gone), 404) for gone in part.gone),
    ]
    if part.more:  # RFC 6578 section 3.6
        words = f"<D:status>{xml.INSUFFICIENT_STORAGE}</D:status>"
        error = xml.element("D:error", "<D:number-of-matches-within-limits/>")
        cut = f"<D:response>{xml.href(collection.path)}{words}{error}</D:response>"
        responses.append(cut)
    tail = xml.element("D:sync-token", part.position.written())
    return noting_minimal(xml.multistatus(responses, tail=tail), is_minimal=is_minimal)


def refused_token() -> Refused:
    """Return the refusal after which a client reads everything anew."""
    return Refused(403, "<D:valid-sync-token/>", TokenRefused.default_message)


def _position(root: Element) -> Position | None:
    """Return where the copy stands; None for a copy of nothing yet.

    Raises:
        Refused: there is no sync-token or it is none of ours; or a sync-level we do not know.
    """
    found, level = root.find(name(DAV, "sync-token")), root.find(name(DAV, "sync-level"))
    if found is None:
        raise Refused(400, "", _("A sync-collection holds a DAV:sync-token, empty at first."))
    if level is not None and (level.text or "").strip() not in ("1", "infinite"):
        raise Refused(400, "", _("The sync-level is 1."))
    text = (found.text or "").strip()
    if not text:
        return None
    tail = text.removeprefix(TOKEN_PREFIX)
    match = _SUFFIX.fullmatch(tail) if len(text) <= TOKEN_LENGTH and tail != text else None
    if match is None:
        raise refused_token()
    if match["kind"]:
        return Position(match["core"], match["kind"], UUID(match["after"]))
    if match["number"]:
        return Position(match["core"], "told", UUID(match["last"]), int(match["number"]))
    return Position(match["core"])


def _limit(root: Element) -> int:
    """Return how many entries an answer may hold.

    Raises:
        Refused: 400, the limit is no positive number.
    """
    found = root.find(f"{name(DAV, 'limit')}/{name(DAV, 'nresults')}")
    if found is None:
        return MOST
    digits = (found.text or "").strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18 or int(digits) == 0:
        raise Refused(400, "", _("The limit is a positive number."))
    return min(int(digits), MOST)


def _listing(collection: Collection, start: Position, limit: int, *, full: bool) -> Part:
    """List what there is, in the order of uids: events, then tasks. Nothing removed (3.4)."""
    items: list[CalendarObject] = []
    after = start.after
    if start.kind == "list":
        rows = collection.texts().filter(event__uid__gt=after).order_by("event__uid")
        items = list(read_objects(rows[: limit + 1], collection.language, full=full))
        if len(items) > limit:
            last = _event_uid(items[limit - 1])
            return Part(Position(start.core, "list", last), items[:limit], more=True)
        after = _NOBODY
    tasks = [item for item in collection.duties.all() if _uid_of(item) > after]
    tasks.sort(key=_uid_of)
    room = limit - len(items)
    if len(tasks) > room:
        last = _uid_of(tasks[room - 1]) if room else after
        return Part(Position(start.core, "tasks", last), items + tasks[:room], more=True)
    return Part(Position(start.core), items + tasks)


def _changes(
    collection: Collection, start: Position, limit: int, asking: Asking, *, full: bool
) -> Part:
    """Tell what changed since: tasks first, because events bring the token forward."""
    items: dict[int, CalendarObject] = {}

    def find(uids: Sequence[UUID]) -> dict[UUID, int]:
        found = collection.of_events(uids, full=full)
        items.update((item.event_pk or 0, item) for item in found.values())
        return {uid: item.event_pk or 0 for uid, item in found.items()}

    delta = _delta(collection, start, limit, asking, find)
    if delta.token == start.core:
        return Part(Position(start.core))
    part = Part(Position(delta.token), more=delta.more)
    if collection.alliance is None:
        part = _changed_tasks(start, limit, delta, asking)
        if part.position.core == start.core:
            return part
    part.items += [items[key] for key in delta.changed if key in items]
    part.gone += [removal.dav_name for removal in delta.removed]
    part.gone += _without_text(delta, part.items)
    return part


def _changed_tasks(start: Position, limit: int, delta: Delta, asking: Asking) -> Part:
    """Tell which tasks changed; the token stays where it was if the events must wait.

    Tasks are told up to the number that the log stands at now, which may lie after what the
    events of this part bring the token to; then the position remembers it.
    """
    if start.core.split(".")[3] != asking.mark.digest:
        # Other rights than the copy was made with: which tasks that changes is not in the log.
        raise refused_token()
    is_paging = start.after != _NOBODY
    through = start.told if is_paging else max(asking.mark.number, Position(delta.token).number)
    since = start.number if is_paging else max(start.number, start.told)
    changed, removed = changed_duties(asking.viewer, since=since, through=through)
    left = sorted(uid for uid in (*map(_uid_of, changed), *removed) if uid > start.after)
    page = set(left[:limit])
    part = Part(
        Position(start.core, "told", _NOBODY, through),
        [item for item in changed if _uid_of(item) in page],
        [name_of_duty(uid) for uid in removed if uid in page],
        more=True,
    )
    if len(left) > limit:
        part.position = Position(start.core, "told", left[limit - 1], through)
    elif not page or len(page) + len(delta.changed) + len(delta.removed) <= limit:
        part.position = Position(delta.token)
        if through > part.position.number:
            part.position = Position(delta.token, "told", _NOBODY, through)
        part.more = delta.more
    return part


def _delta(
    collection: Collection,
    start: Position,
    limit: int,
    asking: Asking,
    find: Finder | None = None,
) -> Delta:
    """Return what changed of events.

    Raises:
        Refused: 403 valid-sync-token.
    """
    try:
        return changes_since(
            start.core,
            viewer=asking.viewer,
            selection=collection.selection,
            limit=limit,
            at=asking.at,
            variant=collection.variant,
            mark=asking.mark,
            find=find,
        )
    except TokenRefused as error:
        raise refused_token() from error


def _check(collection: Collection, start: Position, asking: Asking) -> None:
    """Refuse a token that is not for this copy, while a listing goes on."""
    _delta(collection, start, 1, asking)


def _uid_of(item: CalendarObject) -> UUID:
    """Return the uid of a task."""
    return duty_name(item.name) or _NOBODY


def _event_uid(item: CalendarObject) -> UUID:
    """Return the uid of an object's event."""
    rows = Event.objects.filter(dav_name=item.name)
    uid: UUID = rows.values_list("uid", flat=True).get()
    return uid


def _without_text(delta: Delta, items: list[CalendarObject]) -> list[str]:
    """Return the names of changed events that no calendar shows any more, such as retired ones."""
    shown = {item.event_pk for item in items}
    silent = [key for key in delta.changed if key not in shown]
    if not silent:
        return []
    rows = Event.objects.filter(pk__in=silent).exclude(state=EventState.PLANNED).order_by("pk")
    return list(rows.values_list("dav_name", flat=True))
