"""What changed since a token, for a viewer and a selection: the one reader of the log for copies.

JSON sync, CalDAV sync-collection and private links all ask here, so they cannot disagree. The
work is proportional to what changed: the changes after the token's number that concerned the
viewer, the events they touched as they are now, and, for those not in the selection any more,
what they were before (`images`).

A change of the viewer's own access needs no line in the log for each event: the token names the
scopes its copy was made with. Where others are held now, what the difference concerns is told
first as the log has it, then scope by scope; only so much as the change of access touches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import Q, QuerySet

from coordination.accounts.viewer import Viewer
from coordination.calendars.images import EventImage, images_now, images_since
from coordination.calendars.selecting import Selection
from coordination.calendars.tokens import (
    Token,
    TokenRefused,
    Watermark,
    read_token,
    scopes_named,
    watermark_of,
)
from coordination.changes.models import WHOLE_LOG, Change, ChangeScope
from coordination.prepared import FEW, Blank, few_blanks, prepared
from events.models import Event, EventAlliance
from events.querysets import Concerns, EventQuerySet

TOKEN_LIFE: Final = timedelta(days=400)
EVENT: Final = Event.object_type()
Reason = Literal["deleted", "left_view"]
Finder = Callable[[Sequence[UUID]], Mapping[UUID, int]]
"""Events' uids -> the keys of those of them that were found."""


@dataclass(frozen=True, slots=True)
class Removal:
    """An event that a copy holds and should no longer hold, by each of its names."""

    uid: UUID
    ical_uid: str
    dav_name: str
    reason: Reason

    @classmethod
    def of(cls, image: EventImage, reason: Reason) -> Removal:
        """Return the removal of what an image shows."""
        return cls(image.uid, image.text("ical_uid"), image.text("dav_name"), reason)


@dataclass(slots=True)
class Delta:
    """What to do to a copy so that it is fresh up to `token`.

    Attributes:
        changed: keys of the events to put or replace.
        removed: what to take out.
        token: to ask with next time.
        more: whether there is more to ask for at once.
    """

    changed: list[int] = field(default_factory=list)
    removed: list[Removal] = field(default_factory=list)
    token: str = ""
    more: bool = False


def revision_of(viewer: Viewer) -> int:
    """Return the number of the last change that may concern the viewer; one query."""
    return watermark_of(viewer).number


def token_of(
    viewer: Viewer, selection: Selection, *, variant: str = "", mark: Watermark | None = None
) -> str:
    """Return the token of a copy that is fresh now.

    Args:
        viewer: whose copy.
        selection: of what.
        variant: the form of the copy, where another form needs reading anew: renderer, media type.
        mark: taken *before* the copy was read; taken now when left out.
    """
    mark = mark or watermark_of(viewer)
    subject = selection.subject_for(viewer, variant)
    return Token(mark.number, subject, mark.digest).written(mark.epoch)


def changes_since(
    token: str,
    *,
    viewer: Viewer,
    selection: Selection,
    limit: int,
    at: datetime,
    variant: str = "",
    mark: Watermark | None = None,
    find: Finder | None = None,
) -> Delta:
    """Return what changed since a token.

    Applying the answers to a copy, while there is more, gives what a fresh read gives.

    Args:
        token: from `token_of` or an earlier answer.
        viewer: who asks.
        selection: the same that the token was made for.
        limit: events in one answer, about.
        at: now, aware; a token that has stood still for 400 days while things changed is old.
        variant: as for `token_of`.
        mark: taken before, in the same request; taken now when left out.
        find: reads what is told of these events, and says which of them it found in the selection,
            so that they are not looked up twice.

    Raises:
        TokenRefused: the token is not for this, or too old, or the copy cannot be brought up to
            date; it must be read anew.
    """
    mark = mark or watermark_of(viewer)
    subject = selection.subject_for(viewer, variant)
    start = read_token(token, epoch=mark.epoch, subject=subject)
    if start.number > mark.end:  # of changes that a restore has undone
        raise TokenRefused
    same_scopes = start.scopes == mark.digest
    if same_scopes and start.number >= mark.number:
        return Delta(token=token)
    held = mark.scopes if same_scopes else scopes_named(start.scopes)
    if (WHOLE_LOG in held) != (WHOLE_LOG in mark.scopes):
        raise TokenRefused
    if start.target and start.target != mark.digest:  # changed again on the way
        raise TokenRefused
    return _Reading(viewer, selection, limit, start, held, mark, find).answer(at)


@dataclass(slots=True)
class _Reading:
    """One answer in the making."""

    viewer: Viewer
    selection: Selection
    limit: int
    start: Token
    held: frozenset[str]
    mark: Watermark
    find: Finder | None

    def answer(self, at: datetime) -> Delta:
        """Return what the log has after the token's number; then what other scopes change."""
        numbers, uids, more = self._touched(at)
        if self.held != self.mark.scopes and not numbers:
            return self._change_of_scopes()
        delta = self._settled(uids)
        number = numbers[-1] if more else max([self.start.number, self.mark.number, *numbers])
        reached = replace(self.start, number=number)
        if self.held != self.mark.scopes:
            reached, more = replace(reached, target=self.mark.digest), True
        delta.token, delta.more = reached.written(self.mark.epoch), more
        return delta

    def _change_of_scopes(self) -> Delta:
        """Return the events that the scopes gained and lost concern, in the order of their uids.

        Whatever changed in the log since the copy was all made with the old scopes was settled
        under the new ones already; the others are now as they were then.
        """
        rows = _concerned_by(self.held ^ self.mark.scopes).order_by("uid")
        if self.start.after is not None:
            rows = rows.filter(uid__gt=self.start.after)
        uids = list(rows.values_list("uid", flat=True)[: self.limit + 1])
        more, uids = len(uids) > self.limit, uids[: self.limit]
        present = self._present(uids)
        delta = Delta(changed=[pk for pk, _uid in present])
        here = {uid for _pk, uid in present}
        gone = [uid for uid in uids if uid not in here]
        images, test = images_now(gone), self.selection.test()
        for uid in self._settled_before(gone):
            images.pop(uid, None)
        for image in images.values():
            image.seen_by &= self.held
            if image.seen_by and test(image):
                delta.removed.append(Removal.of(image, "left_view"))
        digest = self.mark.digest
        if more:
            reached = replace(self.start, target=digest, after=uids[-1])
        else:
            number = max(self.start.number, self.mark.number)
            reached = Token(number, self.start.subject, digest)
        delta.token, delta.more = reached.written(self.mark.epoch), more
        return delta

    def _touched(self, at: datetime) -> tuple[list[int], list[UUID], bool]:
        """Return the next changes of events, those events, and whether there are more.

        Raises:
            TokenRefused: the first of them is older than tokens live.
        """
        changes = _changes_after(self.held | self.mark.scopes, self.limit * 4 + 1)
        numbers: list[int] = []
        uids: dict[UUID, None] = {}
        for number, uid, changed_at in changes.rows(self.start.number):
            if not numbers and changed_at < at - TOKEN_LIFE:
                raise TokenRefused
            if len(numbers) == self.limit * 4 or (uid not in uids and len(uids) == self.limit):
                return numbers, list(uids), True
            numbers.append(number)
            uids.setdefault(uid)
        return numbers, list(uids), False

    def _settled(self, uids: Sequence[UUID]) -> Delta:
        """Return which of these are in the copy's selection now, and which may be in the copy."""
        present = self._present(uids)
        delta = Delta(changed=[pk for pk, _uid in present])
        here = {uid for _pk, uid in present}
        gone = [uid for uid in uids if uid not in here]
        if not gone:
            return delta
        test = self.selection.test()
        images = images_since(self.start.number, gone)
        scopes = self.held | self.mark.scopes
        numbers = {change.number for found in images.values() for _image, change in found}
        seen = _seen_before(numbers, scopes)
        new = self._settled_before(gone)
        still_there = set(Event.objects.filter(uid__in=gone).values_list("uid", flat=True))
        for uid, found in images.items():
            told_anew = uid in new or (self.start.after is not None and uid <= self.start.after)
            basis = self.mark.scopes if told_anew else self.held
            shown = _shown(found, seen, test, basis=basis, throughout=self.held & self.mark.scopes)
            if shown is not None:
                reason: Reason = "left_view" if uid in still_there else "deleted"
                delta.removed.append(Removal.of(shown, reason))
        return delta

    def _settled_before(self, uids: Sequence[UUID]) -> set[UUID]:
        """Return those that the log settled since the copy was all made with the old scopes."""
        since, until = self.start.base, self.start.number
        if not self.start.target or since == until or not uids:
            return set()
        rows = Change.objects.filter(object_uid__in=uids, number__gt=since, number__lte=until)
        return set(rows.values_list("object_uid", flat=True))

    def _present(self, uids: Sequence[UUID]) -> list[tuple[int, UUID]]:
        """Return which of these are in the selection now, in the order in which they were made."""
        found = self.find(uids) if self.find is not None and uids else {}
        others = self._looked_up([uid for uid in uids if uid not in found])
        return sorted([*((pk, uid) for uid, pk in found.items()), *others])

    def _looked_up(self, uids: Sequence[UUID]) -> list[tuple[int, UUID]]:
        if not uids:
            return []
        if len(uids) <= FEW and self.selection.is_settled:
            return [(pk, uid) for pk, uid in _few_of(self.selection, self.viewer).rows(*uids)]
        rows = self.selection.rows(self.viewer).filter(uid__in=uids).order_by()
        return list(rows.values_list("pk", "uid"))


@prepared
def _changes_after(scopes: frozenset[str], most: int) -> QuerySet[Change, Any]:
    """Return the next changes of events, of those that concern one of these scopes."""
    number = Blank(0, Change, "number")
    changes = Change.objects.filter(number__gt=number, object_type=EVENT)
    if WHOLE_LOG not in scopes:
        concerned = ChangeScope.objects.filter(scope__in=sorted(scopes), number__gt=number)
        changes = changes.filter(number__in=concerned.values("number"))
    return changes.order_by("number").values_list("number", "object_uid", "at")[:most]


@prepared
def _few_of(selection: Selection, viewer: Viewer) -> QuerySet[Any, Any]:
    """Return those of a few events that a viewer may see in a selection."""
    rows = selection.rows(viewer).filter(uid__in=few_blanks(Event, "uid"))
    return rows.order_by().values_list("pk", "uid")


def _seen_before(numbers: Iterable[int], held: frozenset[str]) -> dict[int, set[str]]:
    """Return the scopes, of those held, that saw the object before each change."""
    rows = ChangeScope.objects.filter(number__in=numbers, before=True).order_by()
    seen: dict[int, set[str]] = {}
    for number, scope in rows.values_list("number", "scope"):
        if scope in held:
            seen.setdefault(number, set()).add(scope)
        if WHOLE_LOG in held:
            seen.setdefault(number, set()).add(WHOLE_LOG)
    return seen


def _shown(
    found: Sequence[tuple[EventImage, Change]],
    seen: Mapping[int, set[str]],
    test: Callable[[EventImage], bool],
    *,
    basis: frozenset[str],
    throughout: frozenset[str],
) -> EventImage | None:
    """Return the image of an event that a copy may hold; None where no copy can hold it.

    That is the image at the token. A page is read later than the number that its token says,
    though: what came into view after that number and left it again may be in the copy too. Of
    those images only what is seen by the scopes held then and now counts, so that nobody is told
    of what was there while they had no right to it.

    Args:
        found: the event before each change since the token, newest first.
        seen: the scopes that saw it before each change, by number.
        test: of the copy's selection.
        basis: the scopes that the copy shows this event by, as it was at the token.
        throughout: those held then and now.
    """
    last = len(found) - 1
    for place in range(last, -1, -1):
        image, change = found[place]
        held = basis if place == last else throughout
        image.seen_by = held & seen.get(change.number, set())
        if image.seen_by and test(image):
            return image
    return None


def _concerned_by(scopes: frozenset[str]) -> QuerySet[Any, Any]:
    """Return the events that one of these scopes sees, by way of what the scopes are named after.

    So only the events of the alliances and organizations in question are looked at.
    """
    condition = Q(pk__in=[])
    organizations = []
    for scope in scopes:
        kind, _colon, rest = scope.partition(":")
        if kind == "alliance":
            pk = int(rest.partition(":")[0])
            condition |= Q(alliance=pk) | Q(pk__in=_co_hosted_by(pk))
        elif kind == "organization":
            organizations.append(int(rest))
    rows: EventQuerySet = Event.objects.filter(condition & Q(Concerns(sorted(scopes))))
    if organizations:
        rows = rows | Event.objects.concerning_organizations(organizations).filter(
            Q(Concerns(sorted(scopes)))
        )
    return rows


def _co_hosted_by(alliance: int) -> QuerySet[Any, Any]:
    return EventAlliance.objects.filter(alliance=alliance).values("event")
