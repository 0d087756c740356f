"""The people of the demo world: one login for each role, and liaison officers who get mail.

All people are illustrations; their names say so and their addresses cannot be reached (RFC 6761).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from alliances import seating
from alliances.models import Alliance, Body, Membership, Organization, Person
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM


@dataclass(frozen=True, slots=True)
class Login:
    """An account of the demo world and the seat that gives it its role."""

    username: str
    name_zh: str
    name_en: str
    role: str
    alliance: str
    body: str = ""
    organization: str = ""
    language: str = ""
    time_zone: str = "Asia/Shanghai"


SEATED_SINCE = date(2024, 1, 1)
LOGINS = (
    Login("secretary", "示例秘书", "Sample Secretary", "staff", "jjj", body="secretariat"),
    Login(
        "liaison", "示例联络员（滨海）", "Sample Liaison", "liaison", "jjj", "", "天津滨海高新区"
    ),
    Login("chair", "示例理事长", "Sample Chair", "chair", "jjj", body="council"),
    Login("observer", "示例观察员", "Sample Observer", "observer", "jjj", body="assembly"),
    Login(
        "city-liaison",
        "示例城市联络员",
        "Sample City Liaison",
        "liaison",
        "dec40",
        organization="德尔特布雷",
        language="en",
        time_zone="Europe/Madrid",
    ),
)
USERNAMES = ("admin", *(login.username for login in LOGINS))


def load_people(*, at: datetime) -> None:
    """Make the accounts, the people and their seats where they are missing.

    The accounts have no usable password until one is set for them.
    """
    _account("admin", language="", time_zone="Asia/Shanghai", is_superuser=True)
    for login in LOGINS:
        user = _account(login.username, language=login.language, time_zone=login.time_zone)
        if not Person.objects.filter(user=user).exists():
            _seat(login, user, at=at)
    for slug in ("jjj", "dec40"):
        _seat_liaison_officers(Alliance.objects.get(slug=slug), at=at)


def _account(username: str, *, language: str, time_zone: str, is_superuser: bool = False) -> User:
    user, created = User.objects.get_or_create(
        username=username,
        defaults={
            "email": f"{username}@coordination.example",
            "language": language,
            "time_zone": time_zone,
            "is_superuser": is_superuser,
            "is_staff": is_superuser,
        },
    )
    if created:
        user.set_unusable_password()
        user.save()
    return user


def _seat(login: Login, user: User, *, at: datetime) -> None:
    person = seating.add_person(
        viewer=SYSTEM,
        at=at,
        user_id=user.pk,
        name_zh=login.name_zh,
        name_en=login.name_en,
        email=user.email,
    )
    alliance = Alliance.objects.get(slug=login.alliance)
    seating.seat_person(
        person,
        role=login.role,
        starts_on=SEATED_SINCE,
        organization=(
            Organization.objects.get(name_zh=login.organization) if login.organization else None
        ),
        body=Body.objects.get(alliance=alliance, kind=login.body) if login.body else None,
        viewer=SYSTEM,
        at=at,
    )


def _seat_liaison_officers(alliance: Alliance, *, at: datetime) -> None:
    """Give each member without one a liaison officer (示例) who can be reminded."""
    rows = Membership.objects.filter(alliance=alliance).select_related("organization")
    for row in rows.exclude(organization__seats__role="liaison"):
        organization = row.organization
        person = seating.add_person(
            viewer=SYSTEM,
            at=at,
            name_zh=f"示例联络员（{organization.name_zh}）",
            name_en=f"Sample liaison officer ({organization.name_en})",
            email=f"liaison-{organization.pk}@coordination.example",
        )
        seating.seat_person(
            person,
            role="liaison",
            starts_on=SEATED_SINCE,
            organization=organization,
            viewer=SYSTEM,
            at=at,
        )
