"""Which of a person's tasks changed between two numbers of the log, and which are gone.

There are few tasks, so the log is asked about each of them: the task itself, its event, whose
words it shows, and the organization and the alliance that it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from coordination.accounts.viewer import Viewer
from coordination.calendars.caldav.duties import DutyShelf, name_of_duty
from coordination.calendars.caldav.objects import CalendarObject
from coordination.changes.models import Change, ChangeScope
from events.models import Duty, Event
from events.querysets import organizations_of

DUTY: Final = Duty.object_type()
EVENT: Final = Event.object_type()
NAMED_BY: Final = ("uid", "event__uid", "organization__uid", "event__alliance__uid")
STANDING: Final = ("uid", "event__uid", "event__openness", "event__retired", "dropped_at")
Befores = dict[UUID, dict[str, Any]]
"""By object, what each field that changed was before; "uid" stands for its having been made."""


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
    befores = _befores(span, {uid for uids in named for uid in uids})
    candidates = [uids for uids in named if not befores.keys().isdisjoint(uids)]
    shelf = DutyShelf(viewer)
    changed = shelf.read(shelf.rows().filter(uid__in=[uids[0] for uids in candidates]))
    shown = {item.name for item in changed}
    hidden = [uids[0] for uids in candidates if name_of_duty(uids[0]) not in shown]
    gone = _passed_on(span, organizations, {uids[0] for uids in named})
    return changed, _shown_before(span, [*hidden, *gone])


def _befores(span: QuerySet[Change], uids: Iterable[UUID]) -> Befores:
    """Return what stood in the fields that changed, before they first did."""
    befores: Befores = {}
    rows = span.filter(object_uid__in=list(uids)).order_by("number")
    for uid, diff, version in rows.values_list("object_uid", "diff", "object_version"):
        fields = befores.setdefault(uid, {"uid": None} if version == 1 else {})
        for name, (before, _after) in diff.items():
            fields.setdefault(name, before)
    return befores


def _passed_on(
    span: QuerySet[Change], organizations: Iterable[int], present: set[UUID]
) -> list[UUID]:
    """Return the tasks that these organizations owed and that they owe no more."""
    scopes = [f"organization:{pk}" for pk in sorted(organizations)]
    seen = ChangeScope.objects.filter(scope__in=scopes, before=True).values("number")
    rows = span.filter(object_type=DUTY, number__in=seen).order_by("number")
    uids = dict.fromkeys(rows.values_list("object_uid", flat=True))
    return [uid for uid in uids if uid not in present]


def _shown_before(span: QuerySet[Change], uids: Sequence[UUID]) -> list[UUID]:
    """Return those that stood in the calendar before: of what never did, nothing is told."""
    if not uids:
        return []
    tasks = _befores(span, uids)
    rows = list(Duty.objects.filter(uid__in=uids).values_list(*STANDING))
    rows += _deleted({uid: tasks[uid] for uid in set(uids) - {row[0] for row in rows}})
    of_events = _befores(span, {row[1] for row in rows})
    shown = set()
    for uid, event, *standing in rows:
        task, of_event = tasks.get(uid, {}), of_events.get(event, {})
        openness, retired, dropped_at = standing
        is_open = of_event.get("openness", openness) != "secretariat"
        was_there = not (of_event.get("retired", retired) or task.get("dropped_at", dropped_at))
        if is_open and was_there and "uid" not in task:
            shown.add(uid)
    return [uid for uid in uids if uid in shown]


def _deleted(tasks: Befores) -> list[tuple[Any, ...]]:
    """Return the same of tasks that are not there any more, from what their deletion kept."""
    kept = {uid: fields for uid, fields in tasks.items() if "event_id" in fields}
    wanted = {fields["event_id"] for fields in kept.values()}
    columns = ("pk", "uid", "openness", "retired")
    events = {pk: rest for pk, *rest in Event.objects.filter(pk__in=wanted).values_list(*columns)}
    return [
        (uid, *(events.get(fields["event_id"]) or _draft_of(uid)), fields.get("dropped_at"))
        for uid, fields in kept.items()
    ]


def _draft_of(task: UUID) -> list[Any]:
    """Return uid and openness of the draft that a task was deleted with; none is retired.

    One recording deletes both, the task right before its event; and its numbers have no gaps.
    """
    ends = Change.objects.filter(object_uid=task).order_by("-number").values("number")[:1]
    later = Change.objects.filter(object_type=EVENT, number__gt=ends, kind="event.discarded")
    draft = later.order_by("number")[0]
    return [draft.object_uid, draft.diff["openness"][0], False]
