"""From the ids in a request to the rows they mean, as far as the viewer may see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Organization, Plan, WorkArea
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import FieldError, InvalidInput, invalid
from events.scheduling import Host

NOT_FOUND = _("There is none with this id, or it is not open to you.")


def find_one(rows: QuerySet[Any], field: str, **lookup: Any) -> Any:
    """Return the row.

    Raises:
        InvalidInput: there is none among `rows`.
    """
    found = rows.filter(**lookup).first()
    if found is None:
        raise invalid(field, NOT_FOUND, code="not_found")
    return found


def find_all(rows: QuerySet[Any], field: str, name: str, wanted: Sequence[Any]) -> list[Any]:
    """Return the rows whose column `name` is in `wanted`, in that order; one query.

    Raises:
        InvalidInput: naming the place of each that is not there.
    """
    known = {getattr(row, name): row for row in rows.filter(**{f"{name}__in": wanted})}
    missing = [index for index, value in enumerate(wanted) if value not in known]
    if missing:
        raise InvalidInput(
            FieldError(f"{field}.{index}", "not_found", NOT_FOUND) for index in missing
        )
    return [known[value] for value in wanted]


def resolve_event(values: dict[str, Any], viewer: Viewer) -> dict[str, Any]:
    """Return the cleaned values of an event input as the verbs take them.

    Raises:
        InvalidInput: something named is not there for the viewer.
    """
    resolved = _renamed(values)
    stands_in: dict[str, QuerySet[Any]] = {
        "plan": Plan.objects.visible_to(viewer),
        "work_area": WorkArea.objects.visible_to(viewer),
    }
    for name, rows in stands_in.items():
        if resolved.get(name) is not None:
            resolved[name] = find_one(rows, name, uid=resolved[name])
    if "hosts" in resolved:
        resolved["hosts"] = _hosts(resolved["hosts"])
    if "co_hosts" in resolved:
        alliances = Alliance.objects.visible_to(viewer)
        resolved["co_hosts"] = find_all(alliances, "co_hosts", "slug", resolved["co_hosts"])
    if "organizations" in resolved:
        uids = resolved.pop("organizations")
        resolved["named"] = find_all(standing_organizations(), "organizations", "uid", uids)
    return resolved


def standing_organizations() -> QuerySet[Organization]:
    """Return the organizations that were not merged into others."""
    rows: QuerySet[Organization] = Organization.objects.filter(merged_into__isnull=True)
    return rows


def _renamed(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values under the names of the event's columns."""
    renamed = dict(values)
    for name, column in (("type", "type_text"), ("participants", "participants_text")):
        if name in renamed:
            renamed[column] = renamed.pop(name)
    if "coordinates" in renamed:
        given = renamed.pop("coordinates") or {"latitude": None, "longitude": None}
        renamed |= given
    if "window" in renamed:
        renamed |= _window(renamed.pop("window"))
    return renamed


def _window(given: dict[str, Any] | None) -> dict[str, Any]:
    if given is None:
        given = {"text": "", "start": None, "end": None, "precision": "unknown"}
    columns = {
        "text": "window_text",
        "start": "window_starts_on",
        "end": "window_ends_on",
        "precision": "window_precision",
    }
    start, end = given.get("start"), given.get("end")
    if start is not None and end is not None and end < start:
        raise invalid("window.end", _("The last day must not be before the first."))
    return {columns[name]: value for name, value in given.items()}


def _hosts(given: Sequence[dict[str, Any]]) -> list[Host]:
    uids = [host.get("organization") for host in given]
    known: dict[UUID, Organization] = {
        row.uid: row for row in standing_organizations().filter(uid__in=[u for u in uids if u])
    }
    hosts, errors = [], []
    for index, host in enumerate(given):
        uid, name = host.get("organization"), host.get("name", "")
        if uid is not None and uid not in known:
            errors.append(FieldError(f"hosts.{index}.organization", "not_found", NOT_FOUND))
        elif uid is None and not name.strip():
            words = _("Name an organization, or write a name.")
            errors.append(FieldError(f"hosts.{index}", "required", words))
        else:
            hosts.append(Host(known[uid] if uid is not None else None, name))
    if errors:
        raise InvalidInput(errors)
    return hosts
