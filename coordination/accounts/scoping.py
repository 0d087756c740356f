"""Say what a token may be made for: scopes, and limits to single objects.

A scope is ``resource:verb``: a resource of the API by its path word (``events``) or ``*``, and
``read``, ``write`` (which covers read) or ``*``. A limit is ``kind:pk`` (``alliance:3``) and
narrows the owner's rights to that object. This room knows neither the resources nor the
alliances: the rooms that do register them in ``AppConfig.ready``.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from coordination.accounts.viewer import EVERYTHING, Viewer
from coordination.changes.refusals import invalid

FULL_SCOPE = "*:*"
READ_SCOPE = "*:read"
VERBS = ("read", "write", EVERYTHING)

_SCOPE = re.compile(r"(\*|[a-z][a-z0-9-]{0,39}):(\*|read|write)")
_LIMIT = re.compile(r"([a-z]{1,20}):([1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class LimitKind:
    """How the objects of one kind are named from outside.

    Attributes:
        find: takes an outside name (an alliance's slug), answers the primary key or None.
        choices: takes a viewer, answers (primary key, name in the viewer's language) of the
            objects they hold a right in.
    """

    find: Callable[[str], int | None]
    choices: Callable[[Viewer], list[tuple[int, str]]]


_resources: set[str] = set()
_limit_kinds: dict[str, LimitKind] = {}


def register_resources(names: Iterable[str]) -> None:
    """Add resources that scopes can name; once any is known, others are refused as typos."""
    _resources.update(names)


def register_limit_kind(kind: str, limit_kind: LimitKind) -> None:
    """Let tokens be limited to objects of ``kind``; a second registration replaces the first."""
    _limit_kinds[kind] = limit_kind


def known_resources() -> list[str]:
    """Answer the registered resources, sorted."""
    return sorted(_resources)


def limit_choices(viewer: Viewer) -> list[tuple[str, str]]:
    """Answer (limit, name) of every object the viewer could limit a token to."""
    return [
        (f"{kind}:{pk}", name)
        for kind, limit_kind in sorted(_limit_kinds.items())
        for pk, name in limit_kind.choices(viewer)
    ]


def find_limit(kind: str, name: str) -> str:
    """Turn an outside name into a limit.

    Raises:
        InvalidInput: there is no such object.
    """
    limit_kind = _limit_kinds.get(kind)
    pk = limit_kind.find(name) if limit_kind is not None else None
    if pk is None:
        raise invalid(kind, _("There is no alliance “%s”.") % name, code="unknown")
    return f"{kind}:{pk}"


def clean_scopes(scopes: Iterable[str]) -> list[str]:
    """Answer the scopes sorted and once each.

    Raises:
        InvalidInput: none at all, a malformed one, or one for an unknown resource.
    """
    cleaned = sorted(set(scopes))
    if not cleaned:
        raise invalid("scopes", _("A token needs at least one scope."), code="required")
    for scope in cleaned:
        match = _SCOPE.fullmatch(scope)
        if match is None:
            raise invalid(
                "scopes",
                _("“%s” is not a scope. Write for example events:read, events:write or *:read.")
                % scope,
            )
        resource = match[1]
        if _resources and resource != EVERYTHING and resource not in _resources:
            raise invalid(
                "scopes",
                _("There is no resource “%(name)s”. Known are: %(known)s.")
                % {"name": resource, "known": ", ".join(known_resources())},
                code="unknown",
            )
    return cleaned


def clean_limits(limits: Iterable[str]) -> list[str]:
    """Answer the limits sorted and once each.

    Raises:
        InvalidInput: a malformed one.
    """
    cleaned = sorted(set(limits))
    for limit in cleaned:
        if _LIMIT.fullmatch(limit) is None:
            raise invalid("limits", _("“%s” is not a limit.") % limit)
    return cleaned
