"""What an endpoint stands on: alliances, plans, events. The rooms that know them register here.

An owner is an opaque key, a kind and an id: "alliance:0b6f…". This room asks three things of it:
who may set endpoints up there, what it is called, and who is told when one of them breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from coordination.accounts.viewer import Viewer
from coordination.bilingual import CHINESE


@dataclass(frozen=True, slots=True)
class OwnerKind:
    """How this room speaks of one kind of owner.

    Attributes:
        may_manage: whether a viewer sets endpoints up there; takes the id behind the colon.
        name: what it is called in a language; "" when it is no more.
        keepers: rows with a column `recipient`: who keeps it on a day.
        offered: key and name of those that a viewer may choose from; None where they are too many
            to choose from, and are reached from their own pages.
    """

    may_manage: Callable[[Viewer, str], bool]
    name: Callable[[str, str], str]
    keepers: Callable[[str, date], QuerySet[Any, Any] | None]
    offered: Callable[[Viewer], Sequence[tuple[str, str]]]


_kinds: dict[str, OwnerKind] = {}


def register_owner_kind(kind: str, owner_kind: OwnerKind) -> None:
    """Register what keys that begin with `kind` and a colon stand for; for `AppConfig.ready`."""
    _kinds[kind] = owner_kind


def may_manage_owner(viewer: Viewer, owner: str) -> bool:
    """Whether the viewer may set endpoints up for an owner."""
    kind, _colon, uid = owner.partition(":")
    return kind in _kinds and _kinds[kind].may_manage(viewer, uid)


def is_known_owner(owner: str) -> bool:
    """Whether there is what a key stands for."""
    kind, _colon, uid = owner.partition(":")
    return kind in _kinds and _kinds[kind].name(uid, CHINESE) != ""


def name_of_owner(owner: str, language: str) -> str:
    """Return what an owner is called; the key itself where nobody knows."""
    kind, _colon, uid = owner.partition(":")
    return (_kinds[kind].name(uid, language) if kind in _kinds else "") or owner


def keepers_of(owner: str, *, on: date) -> QuerySet[Any, Any] | None:
    """Return who keeps an owner, as rows with a column `recipient`; None where nobody knows."""
    kind, _colon, uid = owner.partition(":")
    return _kinds[kind].keepers(uid, on) if kind in _kinds else None


def owners_offered(viewer: Viewer) -> list[tuple[str, str]]:
    """Return key and name of the owners that a viewer may choose from."""
    return [row for owner_kind in _kinds.values() for row in owner_kind.offered(viewer)]
