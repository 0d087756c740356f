"""Histories: generated lives of some events, for tests that keep copies of them.

A history is a list of numbers; each pair picks a step and what it is done to, so that any list
means something and a failing one shrinks. Steps go through the verbs; what a verb refuses, it
refuses. The world is made once for each test; each history is rolled back behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from hypothesis import strategies as st

from alliances.expiring import record_access_changes
from alliances.joining import admit_member, end_membership, revise_organization
from alliances.models import Alliance, Membership, Organization, Person, Plan, Seat, WorkArea
from alliances.planning import revise_work_area
from alliances.seating import end_seat, seat_person
from coordination.accounts.models import User
from coordination.accounts.viewer import PUBLIC, SYSTEM, Viewer, viewer_for
from coordination.changes.models import Counter
from coordination.changes.refusals import Refusal
from events.concluding import conclude_event
from events.inviting import invite_organizations, withdraw_invitation
from events.models import Event, Invitation
from events.retiring import retire_cancelled_events
from events.scheduling import (
    Host,
    cancel_event,
    confirm_event,
    discard_event,
    draft_event,
    postpone_event,
    revise_event,
    schedule_event,
)
from tests.factories import AT, Cast, make_event, make_line, make_plan, make_work_area, span, window

AUDIENCES = ("public", "members", "organizations", "secretariat")
DAYS = ("2028-03-30", "2028-05-14", "2028-07-02", "2028-10-20")
histories = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1, max_size=14)


@dataclass
class World:
    """A cast, a plan with two areas and some events, and the time it is."""

    cast: Cast
    plan: Plan
    areas: Sequence[WorkArea]
    at: datetime = AT
    made: int = 0
    told: list[str] = field(default_factory=list)

    @property
    def alliance(self) -> Alliance:
        return self.cast.alliance

    def events(self) -> list[Event]:
        return list(Event.objects.order_by("pk"))

    def pick(self, number: int) -> Event | None:
        found = self.events()
        return found[number % len(found)] if found else None

    def retired(self) -> set[str]:
        """Return the UIDs of cancelled events that calendars no longer carry."""
        return set(Event.objects.filter(retired=True).values_list("ical_uid", flat=True))

    def organizations(self) -> list[Organization]:
        return list(Organization.objects.order_by("pk"))

    def viewers(self) -> dict[str, Viewer]:
        """Return everybody of the cast with the rights they have now."""
        people = {
            name: User.objects.get(pk=viewer.user_id)
            for name, viewer in self.cast.viewers().items()
            if viewer.user_id is not None
        }
        found = {
            name: viewer_for(user, at=self.at, language="zh-hans") for name, user in people.items()
        }
        return found | {"public": PUBLIC}

    def play(self, history: Sequence[tuple[int, int]]) -> Iterator[str]:
        """Do the steps one by one, yielding the name of each; what is refused is passed over."""
        for which, number in history:
            name, step = STEPS[which % len(STEPS)]
            self.at += timedelta(hours=1)
            try:
                with transaction.atomic():
                    step(self, number)
            except Refusal as refusal:
                name = f"{name} (refused: {refusal.code})"
            self.told.append(f"{name} {number}")
            yield name


def make_world(cast: Cast) -> World:
    """Make a published plan with two areas, an event of each audience, and one co-hosted."""
    plan = make_plan(cast.alliance, state="published")
    areas = [make_work_area(plan, "产业协同"), make_work_area(plan, "人才交流")]
    make_line(plan, "走进天津", window("2028-05-11", "2028-05-20"), reason="补充")
    for number, audience in enumerate(AUDIENCES):
        make_event(
            cast.alliance,
            scheduled=number % 2 == 0,
            audience=audience,
            title_zh=f"活动{number}",
            plan=plan,
            work_area=areas[0],
        )
    shared = make_event(cast.other, scheduled=True, audience="members", title_zh="合办")
    revise_event(shared, co_hosts=[cast.alliance], viewer=SYSTEM, at=AT)
    return World(cast, Plan.objects.get(pk=plan.pk), areas)


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever the block writes."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _draft(world: World, number: int) -> None:
    world.made += 1
    day = DAYS[number % len(DAYS)]
    draft_event(
        world.alliance,
        viewer=SYSTEM,
        at=world.at,
        title_zh=f"新活动{world.made}",
        audience=AUDIENCES[number % 4],
        span=span(f"{day}T09:00", f"{day}T12:00") if number % 3 else None,
        hosts=[Host(world.cast.host, "")] if number % 2 else [],
    )


def _on(verb: Callable[[World, Event, int], Any]) -> Callable[[World, int], None]:
    """Do something to the event that the number picks."""

    def step(world: World, number: int) -> None:
        event = world.pick(number // 4)
        if event is not None:
            verb(world, event, number)

    return step


def _schedule(world: World, event: Event, number: int) -> None:
    day = DAYS[number % len(DAYS)]
    new = span(f"{day}T23:30", f"{day}T23:59", is_all_day=False)
    schedule_event(event, new, viewer=SYSTEM, at=world.at, reason="场地调整")


def _postpone(world: World, event: Event, number: int) -> None:
    day = DAYS[number % len(DAYS)]
    new = span(f"{day}T14:00", f"{day}T17:00", "Europe/Madrid") if number % 2 else None
    postpone_event(event, reason="筹备不足", span=new, viewer=SYSTEM, at=world.at)


def _rename_host(world: World, number: int) -> None:
    found = world.organizations()
    chosen = found[number % len(found)]
    revise_organization(chosen, name_en=f"Zone {number}", viewer=SYSTEM, at=world.at)


def _change_part(world: World, event: Event, number: int) -> None:
    found = world.organizations()
    chosen = [found[number % len(found)]]
    if number % 3 == 0:
        revise_event(event, hosts=[Host(chosen[0], "")], viewer=SYSTEM, at=world.at)
    elif number % 3 == 1:
        revise_event(event, named=chosen, viewer=SYSTEM, at=world.at)
    else:
        co_hosts = (
            [world.cast.other] if number % 2 and event.alliance_id == world.alliance.pk else []
        )
        revise_event(event, co_hosts=co_hosts, viewer=SYSTEM, at=world.at)


def _change_member(world: World, number: int) -> None:
    day = world.at.date()
    chosen = (world.cast.member, world.cast.host, world.cast.outside)[number % 3]
    held = Membership.objects.filter(alliance=world.alliance, organization=chosen, ends_on=None)
    row = held.first()
    if row is not None:
        end_membership(row, on=day, reason="退出", viewer=SYSTEM, at=world.at)
    else:
        admit_member(world.alliance, chosen, starts_on=day, viewer=SYSTEM, at=world.at)


def _change_seat(world: World, number: int) -> None:
    day = world.at.date()
    seats = list(Seat.objects.filter(ends_on=None).order_by("pk"))
    if number % 2 and seats:
        end_seat(seats[number % len(seats)], on=day, viewer=SYSTEM, at=world.at)
        return
    people = list(Person.objects.order_by("pk"))
    organizations = world.organizations()
    seat_person(
        people[number % len(people)],
        role="liaison",
        starts_on=day,
        organization=organizations[number // 2 % len(organizations)],
        viewer=SYSTEM,
        at=world.at,
    )


def _invite(world: World, event: Event, number: int) -> None:
    found = world.organizations()
    stands = Invitation.objects.filter(event=event, withdrawn_at=None).first()
    if stands is not None and number % 2:
        withdraw_invitation(stands, viewer=SYSTEM, at=world.at)
    else:
        invite_organizations(event, [found[number % len(found)]], viewer=SYSTEM, at=world.at)


def _let_days_pass(world: World, number: int) -> None:
    world.at += timedelta(days=number)
    record_access_changes(at=world.at)
    retire_cancelled_events(at=world.at)


def _restore(world: World, number: int) -> None:
    """Begin another epoch of the log, as a restore that lost changes does."""
    Counter.objects.update(epoch=uuid4())


STEPS: tuple[tuple[str, Callable[[World, int], None]], ...] = (
    ("draft", _draft),
    ("schedule", _on(_schedule)),
    ("confirm", _on(lambda world, event, _n: confirm_event(event, viewer=SYSTEM, at=world.at))),
    ("postpone", _on(_postpone)),
    (
        "cancel",
        _on(
            lambda world, event, _n: cancel_event(event, reason="取消", viewer=SYSTEM, at=world.at)
        ),
    ),
    (
        "conclude",
        _on(lambda world, event, _n: conclude_event(event, viewer=SYSTEM, at=world.at)),
    ),
    (
        "discard",
        _on(lambda world, event, _n: discard_event(event, viewer=SYSTEM, at=world.at)),
    ),
    (
        "audience",
        _on(
            lambda world, event, number: revise_event(
                event, audience=AUDIENCES[number % 4], viewer=SYSTEM, at=world.at
            )
        ),
    ),
    (
        "work area",
        _on(
            lambda world, event, number: revise_event(
                event, work_area=world.areas[number % 2], viewer=SYSTEM, at=world.at
            )
        ),
    ),
    (
        "words",
        _on(
            lambda world, event, number: revise_event(
                event, title_zh=f"改名{number}", viewer=SYSTEM, at=world.at
            )
        ),
    ),
    ("parts", _on(_change_part)),
    ("member", _change_member),
    ("seat", _change_seat),
    ("invitation", _on(_invite)),
    ("rename organization", _rename_host),
    (
        "rename area",
        lambda world, number: (
            revise_work_area(
                WorkArea.objects.get(pk=world.areas[number % 2].pk),
                name_zh=f"方面{number}",
                viewer=SYSTEM,
                at=world.at,
            )
            and None
        ),
    ),
    ("days pass", _let_days_pass),
    ("restore", _restore),
)
