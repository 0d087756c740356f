"""Say who asks, as one frozen value that every rule and every list reads.

A ``Viewer`` is made once for each request (or once for a background task) and never changes. The
rights in it are *grants*: small facts such as ``Grant("secretariat", "alliance", 3)`` which the
rooms that own them supply through ``register_grants``. Apart from the words that name the scopes
of the change log, this room doesn't know what a grant means::

    viewer = viewer_for(user, at=now, language="en")
    viewer.has("secretariat", "alliance", 3)   # one right
    viewer.pks("member", "organization")       # all organizations the person acts for
    scopes_of(viewer)                          # which parts of the change log are open
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AnonymousUser

from coordination.accounts.models import DEFAULT_TIME_ZONE, ApiToken, User
from coordination.bilingual import CHINESE
from coordination.changes.models import WHOLE_LOG

EVERYTHING = "*"


class Grant(NamedTuple):
    """One right: ``role`` in the object ``kind``/``pk``, for example a member of alliance 3."""

    role: str
    kind: str
    pk: int


GrantProvider = Callable[[int, date], frozenset[Grant]]

_providers: list[GrantProvider] = []


def register_grants(provider: GrantProvider) -> None:
    """Add a source of grants; call it from ``AppConfig.ready``.

    Args:
        provider: takes a user's primary key and a date, and answers the grants in force on that
            day. It should cost at most one query. Registering it twice changes nothing.
    """
    if provider not in _providers:
        _providers.append(provider)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, in which language and zone, and with which rights.

    Attributes:
        user_id: primary key of the person; None for the public and for background work.
        username: for logs and pages; "system" for background work, "" for the public.
        is_superuser: sees and may do everything. ``has`` and ``pks`` do not know this: a rule
            asks for it by name, through ``is_unlimited``.
        language: "zh-hans" or "en".
        time_zone: IANA name.
        grants: the rights in force today, narrowed by the token's limits.
        token_scopes: what the presented token may do; None when no token was used.
        is_system: background work, which may see and do everything.
        uid: outside id of the person.
    """

    user_id: int | None
    username: str = ""
    is_superuser: bool = False
    language: str = CHINESE
    time_zone: str = DEFAULT_TIME_ZONE
    grants: frozenset[Grant] = frozenset()
    token_scopes: frozenset[str] | None = None
    is_system: bool = False
    uid: UUID | None = None

    @property
    def is_authenticated(self) -> bool:
        """Whether a person (or their token) is known."""
        return self.user_id is not None

    @property
    def is_unlimited(self) -> bool:
        """Whether every rule says yes: a superuser, or background work."""
        return self.is_superuser or self.is_system

    @property
    def actor(self) -> str:
        """Name the author of a change: "user:<uid>", "system" or "public"; no personal value."""
        if self.uid is not None:
            return f"user:{self.uid}"
        return "system" if self.is_system else "public"

    def has(self, role: str, kind: str, pk: int | None) -> bool:
        """Whether exactly this grant is held (superusers hold none; ask ``is_unlimited``)."""
        return pk is not None and Grant(role, kind, pk) in self.grants

    def pks(self, role: str, kind: str) -> frozenset[int]:
        """Answer the primary keys of the objects of ``kind`` in which ``role`` is held."""
        return frozenset(g.pk for g in self.grants if g.role == role and g.kind == kind)

    def may_use(self, resource: str, verb: str) -> bool:
        """Whether the token presented covers ``verb`` ("read" or "write") on ``resource``.

        Always true without a token: a person signed in to the pages is not narrowed. "write"
        covers "read".
        """
        if self.token_scopes is None:
            return True
        verbs = {verb, "write", EVERYTHING}
        resources = (resource, EVERYTHING)
        return any(f"{name}:{word}" in self.token_scopes for name in resources for word in verbs)


PUBLIC = Viewer(user_id=None)
"""Someone who has not signed in, reading Chinese."""

SYSTEM = Viewer(user_id=None, username="system", is_system=True)
"""Background work: the clock, imports from the command line, the demo."""


def viewer_for(
    user: User | AnonymousUser | None,
    *,
    at: datetime,
    language: str,
    token: ApiToken | None = None,
) -> Viewer:
    """Make the viewer for a person, with the rights they hold on the day of ``at``.

    Args:
        user: the person; None, an anonymous or an inactive one makes a public viewer.
        at: aware instant; its day is taken in the alliances' zone (``DEFAULT_TIME_ZONE``).
        language: "zh-hans" or "en", already chosen.
        token: the token presented, whose scopes and limits narrow the rights.

    Returns:
        A viewer. Costs what the registered providers cost (one query), none for the public.
    """
    if not isinstance(user, User) or not user.is_active:
        return Viewer(user_id=None, language=language)
    limits = _parse_limits(token.limits) if token is not None else frozenset()
    return Viewer(
        user_id=user.pk,
        username=user.username,
        is_superuser=user.is_superuser and not limits,
        language=language,
        time_zone=user.time_zone,
        grants=_narrow(_grants_of(user, at), limits, user),
        token_scopes=frozenset(token.scopes) if token is not None else None,
        uid=user.uid,
    )


def scopes_of(viewer: Viewer) -> tuple[str, ...]:
    """Name the scopes of the change log that are open to ``viewer``, sorted.

    "public" for everyone; the members' scope for whoever has any part in an alliance; the
    secretariat's scope for its staff; an organization's for whoever acts for it; `WHOLE_LOG`
    for superusers and background work.
    """
    names = {"public"}
    if viewer.is_unlimited:
        names.add(WHOLE_LOG)
    for grant in viewer.grants:
        if grant.kind == "alliance":
            names.add(f"alliance:{grant.pk}:members")
            if grant.role == "secretariat":
                names.add(f"alliance:{grant.pk}:secretariat")
        elif grant.kind == "organization":
            names.add(f"organization:{grant.pk}")
    return tuple(sorted(names))


def _grants_of(user: User, at: datetime) -> frozenset[Grant]:
    day = at.astimezone(ZoneInfo(DEFAULT_TIME_ZONE)).date()
    return frozenset().union(*(provider(user.pk, day) for provider in _providers))


def _parse_limits(limits: Iterable[str]) -> frozenset[tuple[str, int]]:
    parsed = set()
    for limit in limits:
        kind, _separator, pk = limit.partition(":")
        parsed.add((kind, int(pk)))
    return frozenset(parsed)


def _narrow(
    grants: frozenset[Grant], limits: frozenset[tuple[str, int]], user: User
) -> frozenset[Grant]:
    """Keep the grants inside ``limits``; a superuser becomes the secretariat of what is named."""
    if not limits:
        return grants
    if user.is_superuser:
        grants |= {Grant("secretariat", kind, pk) for kind, pk in limits if kind == "alliance"}
    return frozenset(grant for grant in grants if (grant.kind, grant.pk) in limits)
