"""Rows for tests, made through the verbs, with the same values every time.

Each function makes one thing and takes what differs; nothing is random. People are made with the
seats that give them their rights, because rights are read from seats and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from alliances.drafting import Host as LineHost
from alliances.drafting import Line, add_items
from alliances.joining import (
    add_body,
    admit_member,
    found_alliance,
    register_organization,
)
from alliances.models import (
    Alliance,
    Body,
    Membership,
    Organization,
    Person,
    Plan,
    PlanItem,
    WorkArea,
)
from alliances.planning import add_work_area, adopt_plan, open_plan, publish_plan
from alliances.seating import add_person, seat_person
from coordination.accounts.models import User
from coordination.accounts.viewer import PUBLIC, SYSTEM, Viewer, viewer_for
from events.calendar_event import Span
from events.models import Event
from events.scheduling import draft_event, schedule_event

AT = datetime(2028, 1, 10, 2, 0, tzinfo=UTC)
"""When everything here is made: a Monday, 10:00 in Beijing, some weeks before the tests' clock."""

BEIJING = "Asia/Shanghai"


def make_alliance(slug: str = "jjj", **values: Any) -> Alliance:
    names = {"name_zh": f"联盟{slug}", "name_en": f"Alliance {slug}", "kind": "high_tech_zone"}
    return found_alliance(viewer=SYSTEM, at=AT, slug=slug, **names | values)


def make_organization(name: str = "天津滨海高新区", **values: Any) -> Organization:
    chosen = {"name_zh": name, "kind": "zone"} | values
    return register_organization(viewer=SYSTEM, at=AT, **chosen)


def make_member(alliance: Alliance, organization: Organization, **values: Any) -> Membership:
    chosen = {"starts_on": date(2027, 1, 1)} | values
    return admit_member(alliance, organization, viewer=SYSTEM, at=AT, **chosen)


def secretariat_of(alliance: Alliance) -> Body:
    return alliance.bodies.get(kind="secretariat")


def make_body(alliance: Alliance, kind: str = "council", **values: Any) -> Body:
    chosen = {"kind": kind, "name_zh": "理事会", "name_en": "Council"} | values
    return add_body(alliance, viewer=SYSTEM, at=AT, **chosen)


def make_user(username: str, **values: Any) -> User:
    chosen = {"email": f"{username}@example.org"} | values
    user = User(username=username, **chosen)
    user.set_unusable_password()
    user.save()
    return user


def make_person(username: str, **seat: Any) -> Person:
    """Make a person with a login, and a seat when `role` and what it is in are named."""
    user = make_user(username)
    person = add_person(viewer=SYSTEM, at=AT, user_id=user.pk, name_zh=username, name_en=username)
    if seat:
        seat_person(person, viewer=SYSTEM, at=AT, **{"starts_on": date(2027, 1, 1)} | seat)
    return person


def viewer_of(person: Person | User, *, at: datetime = AT, language: str = "zh-hans") -> Viewer:
    user = person.user if isinstance(person, Person) else person
    return viewer_for(user, at=at, language=language)


def make_plan(alliance: Alliance, *, state: str = "draft", **values: Any) -> Plan:
    """Make a plan; to be adopted or published it gets one line when it has none."""
    chosen = {"year": 2028, "title_zh": "2028年工作计划", "title_en": "Plan 2028"} | values
    plan = open_plan(alliance, viewer=SYSTEM, at=AT, **chosen)
    if state != "draft":
        make_line(plan, "开幕式")
        advance_plan(plan, state)
    return plan


def advance_plan(plan: Plan, state: str = "published") -> Plan:
    """Adopt the plan, and publish it too when that is the state wanted."""
    adopt_plan(plan, on=AT.date(), viewer=SYSTEM, at=AT)
    if state == "published":
        publish_plan(plan, viewer=SYSTEM, at=AT)
    return plan


def make_work_area(plan: Plan, name: str = "产业协同", **values: Any) -> WorkArea:
    chosen = {"name_zh": name, "name_en": f"{name} (en)"} | values
    return add_work_area(plan, viewer=SYSTEM, at=AT, **chosen)


def window(start: str | None = None, end: str | None = None, precision: str = "") -> dict[str, Any]:
    """Return a window as lines keep it; a single day unless said otherwise."""
    return {
        "start": start,
        "end": end or start,
        "precision": precision or ("day" if start else "unknown"),
        "start_time": None,
        "end_time": None,
    }


def make_line(
    plan: Plan,
    title: str = "项目对接会",
    *windows: dict[str, Any],
    hosts: tuple[Organization, ...] = (),
    work_area: WorkArea | None = None,
    reason: str = "",
    **values: Any,
) -> PlanItem:
    """Make a line and with it one event for each window; its time is unknown without any."""
    chosen = {"title_zh": title, "windows": list(windows) or [window()]} | values
    line = Line(
        values=chosen,
        hosts=tuple(LineHost(str(organization), organization) for organization in hosts),
        work_area=work_area,
    )
    return add_items(plan, [line], viewer=SYSTEM, at=AT, reason=reason)[0]


def span(starts: str, ends: str, zone: str = BEIJING, *, is_all_day: bool = False) -> Span:
    """Return a time from two wall times, "2028-05-16T09:30"."""
    return Span(
        starts=datetime.fromisoformat(starts),
        ends=datetime.fromisoformat(ends),
        zone=zone,
        is_all_day=is_all_day,
    )


MORNING = span("2028-05-16T09:30", "2028-05-16T12:00")
AFTERNOON = span("2028-05-23T14:00", "2028-05-23T17:30")


def make_event(alliance: Alliance, *, scheduled: bool = False, **values: Any) -> Event:
    """Make an event open to everyone; `scheduled` gives it a morning in May."""
    chosen = {"title_zh": "项目对接会", "title_en": "Matchmaking", "audience": "public"} | values
    event = draft_event(alliance, viewer=SYSTEM, at=AT, **chosen)
    return schedule_event(event, MORNING, viewer=SYSTEM, at=AT) if scheduled else event


def stored(event: Any) -> Any:
    """Return the row as the database has it."""
    return type(event).objects.get(pk=event.pk)


@dataclass(frozen=True)
class Cast:
    """Two alliances, their members, and one viewer of each kind.

    Attributes:
        alliance: the alliance that the tests are about; `other` is a second one.
        host: a member that hosts events; `member` is another member; `outside` belongs to `other`.
    """

    alliance: Alliance
    other: Alliance
    host: Organization
    member: Organization
    outside: Organization
    superuser: Viewer
    secretary: Viewer
    other_secretary: Viewer
    member_liaison: Viewer
    host_liaison: Viewer
    outside_liaison: Viewer
    chair: Viewer
    observer: Viewer
    stranger: Viewer
    public: Viewer

    def viewers(self) -> dict[str, Viewer]:
        """Return every viewer by the name of their part."""
        parts = [name for name, kind in self.__annotations__.items() if kind == "Viewer"]
        return {name: getattr(self, name) for name in parts}


def make_cast() -> Cast:
    """Make the cast: superuser, secretaries, liaisons, chair, observer, a stranger, the public."""
    alliance, other = make_alliance("jjj"), make_alliance("dongbei")
    host = make_organization("天津滨海高新区", name_en="Tianjin Binhai Zone")
    member = make_organization("石家庄高新区", name_en="Shijiazhuang Zone")
    outside = make_organization("长春高新区", name_en="Changchun Zone")
    make_member(alliance, host)
    make_member(alliance, member)
    make_member(other, outside)
    council = make_body(alliance)
    people = {
        "secretary": make_person("secretary", role="staff", body=secretariat_of(alliance)),
        "other_secretary": make_person("other", role="staff", body=secretariat_of(other)),
        "member_liaison": make_person("liaison", role="liaison", organization=member),
        "host_liaison": make_person("host", role="liaison", organization=host),
        "outside_liaison": make_person("outsider", role="liaison", organization=outside),
        "chair": make_person("chair", role="chair", body=council),
        "observer": make_person("observer", role="observer", body=council),
        "stranger": make_person("stranger"),
    }
    return Cast(
        alliance=alliance,
        other=other,
        host=host,
        member=member,
        outside=outside,
        superuser=viewer_of(make_user("admin", is_superuser=True, is_staff=True)),
        public=PUBLIC,
        **{name: viewer_of(person) for name, person in people.items()},
    )
