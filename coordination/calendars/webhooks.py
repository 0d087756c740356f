"""News of events for webhooks: which change is told to whom, and with which words.

A change of an event is told to a webhook when its owner could see the event before or after,
under the webhook's filter. The payload is thin: what happened, to which event, which of its
fields, where to read it. What an owner loses sight of is named by its uid alone, and only when it
was in sight; what it never saw leaves no trace. When the owner's own rights change, no list of
events is sent: `access.changed` says to ask the sync address, which knows the difference.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from alliances.models import Person, Seat
from coordination.accounts.viewer import Viewer, scopes_of
from coordination.calendars.disclosing import known_fields
from coordination.calendars.images import EventImage, images_now
from coordination.calendars.selecting import Selection
from coordination.calendars.webhook_owners import view_of
from coordination.calendars.webhook_watching import (
    ACCESS,
    Views,
    Watch,
    all_webhooks,
    review,
    review_keepers,
    views_of,
)
from coordination.changes.kinds import UnknownKind, all_kinds, kind_named
from coordination.changes.models import WHOLE_LOG, Change, ChangeScope
from coordination.deliveries.models import Delivery, Subscription
from coordination.deliveries.posting import PING, SOURCE, Piece, post
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Rendered
from coordination.prepared import Blank, prepared
from coordination.rest.problems import ProblemError
from events.models import Event

ENTERED = "event.entered_view"
LEFT = "event.left_view"
DELETED = "event.deleted"
EVENT = Event.object_type()
SEATING = frozenset({Seat.object_type(), Person.object_type()})
SECONDS_OF_TRUST = 1.0
MOST_KEPT = 1000
log = logging.getLogger(__name__)


def news_kinds() -> list[str]:
    """Return the kinds that a webhook may choose from."""
    of_events = {kind.name for kind in all_kinds() if kind.name.startswith("event.")}
    return sorted((of_events - {"event.discarded"}) | {ENTERED, LEFT, DELETED, ACCESS})


def kind_in_words(kind: str, language: str) -> str:
    """Return what a kind of news says, in words."""
    with override(language):
        words = {
            ENTERED: _("an event came into view"),
            LEFT: _("an event left the view"),
            DELETED: _("an event was deleted"),
            ACCESS: _("what may be seen has changed"),
            PING: _("test message"),
        }
    try:
        return words[kind] if kind in words else kind_named(kind).label(language)
    except UnknownKind:
        return kind


# -- What happened -------------------------------------------------------------------------------


@dataclass(slots=True)
class Moment:
    """One change of an event: what it was before and after, and who saw it then.

    Attributes:
        before, after: None where it was not there.
        seen_before, seen_after: names of scopes.
    """

    change: Change
    before: EventImage | None
    after: EventImage | None
    seen_before: set[str] = field(default_factory=set)
    seen_after: set[str] = field(default_factory=set)


def moments_of(changes: Sequence[Change]) -> list[Moment]:
    """Return changes of events with their images, in their order; three queries for all."""
    uids = {change.object_uid for change in changes}
    images = images_now(sorted(uids))
    later = Change.objects.filter(object_uid__in=uids, number__gte=changes[0].number)
    wanted = {change.number for change in changes}
    moments: list[Moment] = []
    standing: dict[UUID, EventImage | None] = {uid: images.get(uid) for uid in uids}
    for change in later.order_by("-number").iterator():
        after = standing[change.object_uid]
        if after is not None and change.object_version > after.version:
            continue  # it came after the row was read
        before = _copy(after) if after else EventImage(change.object_uid, change.object_version)
        before.take_back(change)
        was_there = before.version > 0
        if change.number in wanted:
            moments.append(Moment(change, before if was_there else None, after))
        standing[change.object_uid] = before
    _note_who_saw(moments)
    return moments[::-1]


def _copy(image: EventImage) -> EventImage:
    return EventImage(image.uid, image.version, dict(image.values))


def _note_who_saw(moments: Sequence[Moment]) -> None:
    by_number = {moment.change.number: moment for moment in moments}
    rows = ChangeScope.objects.filter(number__in=by_number).order_by()
    for number, scope, before, after in rows.values_list("number", "scope", "before", "after"):
        moment = by_number[number]
        if before:
            moment.seen_before.add(scope)
        if after:
            moment.seen_after.add(scope)
    for moment in moments:
        if moment.before is not None:
            moment.seen_before.add(WHOLE_LOG)
        if moment.after is not None:
            moment.seen_after.add(WHOLE_LOG)


# -- Who is told ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Listener:
    """A webhook with its owner's eyes."""

    subscription: Subscription
    viewer: Viewer
    scopes: frozenset[str]
    selection: Selection
    _test: Callable[[EventImage], bool] | None = None

    def piece_of(self, moment: Moment) -> Piece | None:
        """Return what this webhook is told of a change; None for nothing."""
        after = self._sees(moment.after, moment.seen_after)
        before = self._sees(moment.before, moment.seen_before)
        change = moment.change
        if after:
            entered = moment.before is not None and not before
            return self._piece(moment, ENTERED if entered else change.kind, self._told(moment))
        if not before:
            return None
        kind = DELETED if moment.after is None else LEFT
        return self._piece(moment, kind, {"uid": str(change.object_uid)})

    def _sees(self, image: EventImage | None, seen_by: set[str]) -> bool:
        held = self.scopes & seen_by
        if image is None or not held:
            return False
        if self._test is None:
            self._test = self.selection.test()
        image.seen_by = held
        return self._test(image)

    def _told(self, moment: Moment) -> dict[str, object]:
        change, after = moment.change, moment.after
        alliance = after.key("alliance_id") if after is not None else None
        return {
            "uid": str(change.object_uid),
            "version": change.object_version,
            "number": change.number,
            "changed": known_fields(
                change.diff, self.viewer, seen_by=moment.seen_after, alliance=alliance
            ),
            "url": f"{settings.COORDINATION_BASE_URL}/api/v1/events/{change.object_uid}/",
        }

    def _piece(self, moment: Moment, kind: str, data: dict[str, object]) -> Piece | None:
        change = moment.change
        if not self.wants(kind):
            return None
        goes = kind in (LEFT, DELETED)
        return Piece(
            subscription=self.subscription,
            source_id=f"{'gone' if goes else 'change'}:{change.number}",
            kind=kind,
            happened_at=change.at,
            data=data,
            lane=str(change.object_uid),
        )

    def wants(self, kind: str) -> bool:
        """Whether the webhook chose this kind, or all of them."""
        return not self.subscription.kinds or kind in self.subscription.kinds


class WebhookNews:
    """Reads the log for webhooks."""

    name = "webhooks"

    def tell(self, changes: Sequence[Change], at: datetime) -> None:
        """Queue what these changes mean for each webhook."""
        webhooks = all_webhooks()
        if not webhooks:
            return
        views = views_of(webhooks, at=at)
        review(webhooks, views, happened_at=changes[-1].at, at=at)
        if any(change.object_type in SEATING for change in changes):
            review_keepers(webhooks, at=at)
        pieces: list[Piece | None] = []
        listeners = _listeners(webhooks, views)
        of_events = [change for change in changes if change.object_type == EVENT]
        if of_events and listeners:
            for moment in moments_of(of_events):
                pieces += [one.piece_of(moment) for one in listeners]
        post([piece for piece in pieces if piece is not None], at=at)


def _listeners(webhooks: Sequence[Subscription], views: Views) -> list[Listener]:
    """Return those webhooks whose owners are still somebody."""
    listeners = []
    for subscription in webhooks:
        viewer = views[subscription.pk]
        if viewer is None:
            continue
        try:
            selection = Selection.parse(subscription.filters)
        except ProblemError as refused:
            log.warning(
                "Webhook %s has a filter that cannot be read: %s", subscription.uid, refused
            )
            continue
        scopes = frozenset(scopes_of(viewer))
        listeners.append(Listener(subscription, viewer, scopes, selection))
    return listeners


# -- The last look -------------------------------------------------------------------------------


@prepared
def _seen_by(viewer: Viewer) -> QuerySet[Any, Any]:
    seen = Event.objects.visible_to(viewer).filter(uid=Blank(0, Event, "uid"))
    return seen.order_by().values_list("pk")


class WebhookMessages:
    """The source of what webhooks are sent; its content is written when the cause happens."""

    kind = SOURCE

    def __init__(self) -> None:
        """Begin without knowing anybody's rights."""
        self._watch = Watch()
        self._views: dict[int, tuple[float, Viewer | None]] = {}

    def fire_next(self, at: datetime) -> bool:
        """Look after the people behind webhooks; beside that, nothing falls due by itself."""
        if self._watch.look(at):
            self._views.clear()
        return False

    def oldest_due_at(self, at: datetime) -> datetime | None:
        """Nothing falls due by itself."""
        return None

    def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
        """Drop what its owner may no longer see; what says that it left their sight stays."""
        viewer = self._view_of(delivery.endpoint_id, at)
        if viewer is None:
            return "recipient_gone"
        if not delivery.source_id.startswith("change:"):
            return ""
        return "" if _seen_by(viewer).rows(UUID(delivery.lane)) else "no_longer_visible"

    def _view_of(self, endpoint_id: int, at: datetime) -> Viewer | None:
        """Return with whose eyes a webhook looks; looked up once a second, not for each message."""
        kept = self._views.get(endpoint_id)
        if kept is not None and time.monotonic() - kept[0] < SECONDS_OF_TRUST:
            return kept[1]
        rows = Subscription.objects.select_related("endpoint", "token__user")
        subscription = rows.filter(endpoint=endpoint_id).first()
        viewer = None if subscription is None else view_of(subscription, at=at)
        if len(self._views) >= MOST_KEPT:
            self._views.clear()
        self._views[endpoint_id] = (time.monotonic(), viewer)
        return viewer

    def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
        """Refuse: content that was forgotten after 90 days cannot be written again.

        Raises:
            LookupError: always.
        """
        raise LookupError("the content of this message is no longer kept")
