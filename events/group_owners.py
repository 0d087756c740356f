"""What a chat group's robot stands on: an alliance, a plan, a work area or an event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from alliances.models import Alliance, BodyKind, Plan, PlanState, Seat, SeatRole, WorkArea
from alliances.rules import is_secretariat_of
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.deliveries.owners import OwnerKind, register_owner_kind
from coordination.deliveries.recipients import RecipientKey
from events.models import Event

MOST_OFFERED = 200
MODELS: dict[str, Any] = {
    "alliance": Alliance,
    "plan": Plan,
    "work_area": WorkArea,
    "event": Event,
}
TITLED = ("plan", "event")


def owner_key(kind: str, uid: UUID) -> str:
    """Return the key under which a group's robot stands on something: "event:0b6f…"."""
    return f"{kind}:{uid}"


def group_owners_of(event: Event) -> list[str]:
    """Return the keys of what an event's reminders may find a group on, the nearest first."""
    keys = [owner_key("event", event.uid)]
    if event.work_area is not None:
        keys.append(owner_key("work_area", event.work_area.uid))
    if event.plan is not None:
        keys.append(owner_key("plan", event.plan.uid))
    return [*keys, owner_key("alliance", event.alliance.uid)]


def register_group_owners() -> None:
    """Tell the deliveries what the four kinds of key stand for."""
    for kind in MODELS:
        register_owner_kind(
            kind,
            OwnerKind(
                may_manage=lambda viewer, uid, kind=kind: _may_manage(viewer, kind, uid),  # type: ignore[misc]
                name=lambda uid, language, kind=kind: _name(kind, uid, language),  # type: ignore[misc]
                keepers=lambda uid, on, kind=kind: _keepers(kind, uid, on),  # type: ignore[misc]
                offered=lambda viewer, kind=kind: _offered(viewer, kind),  # type: ignore[misc]
            ),
        )


def _find(kind: str, uid: str) -> Any:
    try:
        return MODELS[kind].objects.filter(uid=UUID(uid)).first()
    except ValueError:
        return None


def _alliance_pk(found: Any) -> int | None:
    if found is None:
        return None
    if isinstance(found, Alliance):
        return found.pk
    return int(found.plan.alliance_id if isinstance(found, WorkArea) else found.alliance_id)


def _may_manage(viewer: Viewer, kind: str, uid: str) -> bool:
    """Whether the viewer works in the secretariat that keeps it; what is gone nobody manages."""
    key = _alliance_pk(_find(kind, uid))
    return key is not None and is_secretariat_of(viewer, key)


def _name(kind: str, uid: str, language: str) -> str:
    found = _find(kind, uid)
    return "" if found is None else _name_of(kind, found, language)


def _keepers(kind: str, uid: str, on: date) -> QuerySet[Any, Any] | None:
    """Return the seats of the secretariat that keeps it."""
    key = _alliance_pk(_find(kind, uid))
    if key is None:
        return None
    seats: QuerySet[Any, Any] = (
        Seat.objects.active_on(on)
        .filter(
            role=SeatRole.STAFF,
            body__kind=BodyKind.SECRETARIAT,
            body__alliance=key,
            person__erased_at__isnull=True,
        )
        .annotate(recipient=RecipientKey("person", "person__uid"))
    )
    return seats


def _offered(viewer: Viewer, kind: str) -> Sequence[tuple[str, str]]:
    """Return what a viewer may choose from; events are chosen on their own pages."""
    if kind == "event":
        return []
    rows = MODELS[kind].objects.all()
    path = {"alliance": "pk", "plan": "alliance", "work_area": "plan__alliance"}[kind]
    if not viewer.is_unlimited:
        rows = rows.filter(**{f"{path}__in": viewer.pks("secretariat", "alliance")})
    if kind == "plan":
        rows = rows.exclude(state=PlanState.CLOSED)
    if kind == "work_area":
        rows = rows.exclude(plan__state=PlanState.CLOSED).select_related("plan")
    found = rows.order_by("pk")[:MOST_OFFERED]
    return [(owner_key(kind, row.uid), _name_of(kind, row, viewer.language)) for row in found]


def _name_of(kind: str, row: Any, language: str) -> str:
    own = localized(row, "title" if kind in TITLED else "name", language)
    return f"{localized(row.plan, 'title', language)} · {own}" if kind == "work_area" else own
