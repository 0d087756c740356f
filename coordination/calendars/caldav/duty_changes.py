"""Which of a person's tasks changed between two numbers of the log, and which are gone.

There are few tasks, so the log is asked about each of them: the task itself, its event, whose
words it shows, and the organization and the alliance that it names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from coordination.accounts.viewer import Viewer
from coordination.calendars.caldav.duties import DutyShelf, name_of_duty
from coordination.calendars.caldav.objects import CalendarObject
from coordination.calendars.selecting import organizations_of
from coordination.changes.models import Change, ChangeScope
from events.models import Duty

DUTY: Final = Duty.object_type()
HIDING: Final = frozenset({"openness", "retired", "dropped_at"})
NAMED_BY: Final = ("uid", "event__uid", "organization__uid", "event__alliance__uid")


def changed_duties(
    viewer: Viewer, *, since: int, through: int
) -> tuple[list[CalendarObject], list[UUID]]:
    """Return the tasks to put, and the uids of those to take away.

    Args:
        viewer: whose tasks; with the same rights as at ``since``.
        since: number of the log up to which the copy is fresh.
        through: number of the log up to which it is to become fresh, not below.
    """
    organizations = organizations_of(viewer)
    if not organizations or through <= since:
        return [], []
    span = Change.objects.filter(number__gt=since, number__lte=through)
    owed = Duty.objects.filter(organization__in=organizations).order_by("pk")
    named = list(owed.values_list(*NAMED_BY))
    touched = _fields_touched(span, {uid for uids in named for uid in uids})
    candidates = [uids for uids in named if not touched.keys().isdisjoint(uids)]
    shelf = DutyShelf(viewer)
    changed = shelf.read(shelf.rows().filter(uid__in=[uids[0] for uids in candidates]))
    shown = {item.name for item in changed}
    removed = [
        uid
        for uid, event, *_others in candidates
        if name_of_duty(uid) not in shown
        and not HIDING.isdisjoint(touched.get(event, set()) | touched.get(uid, set()))
        and "uid" not in touched.get(uid, ())
    ]
    return changed, removed + _deleted(span, organizations, {uids[0] for uids in named})


def _fields_touched(span: QuerySet[Change], uids: Iterable[UUID]) -> dict[UUID, set[str]]:
    """Return the fields that changed, by object; "uid" stands for its having been made."""
    touched: dict[UUID, set[str]] = {}
    rows = span.filter(object_uid__in=list(uids)).order_by("number")
    for uid, diff, number in rows.values_list("object_uid", "diff", "object_version"):
        touched.setdefault(uid, set()).update(diff, {"uid"} if number == 1 else ())
    return touched


def _deleted(
    span: QuerySet[Change], organizations: Iterable[int], present: set[UUID]
) -> list[UUID]:
    """Return the tasks that these organizations owed and that they owe no more."""
    scopes = [f"organization:{pk}" for pk in sorted(organizations)]
    seen = ChangeScope.objects.filter(scope__in=scopes, before=True).values("number")
    rows = span.filter(object_type=DUTY, number__in=seen).order_by("number")
    uids = dict.fromkeys(rows.values_list("object_uid", flat=True))
    return [uid for uid in uids if uid not in present]
