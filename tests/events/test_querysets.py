from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from alliances.planning import publish_plan
from events.concluding import attach_material
from events.inviting import answer_invitation, invite_organizations
from events.models import Answer, Duty, Event, Invitation, Material, ReminderRule
from events.owing import set_duty
from events.reminding import add_reminder_rule
from events.scheduling import Host
from tests.factories import (
    AFTERNOON,
    AT,
    MORNING,
    SYSTEM,
    Cast,
    advance_plan,
    make_event,
    make_line,
    make_plan,
    span,
)

INSIDE = {"superuser", "secretary", "member_liaison", "host_liaison", "chair", "observer"}
OWNERS = {"superuser", "secretary"}


def seen_by(cast: Cast, model: type, pk: int) -> set[str]:
    """Return the parts of the cast who see the row."""
    return {
        name
        for name, viewer in cast.viewers().items()
        if model.objects.visible_to(viewer).filter(pk=pk).exists()  # type: ignore[attr-defined]
    }


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ("public", INSIDE | {"other_secretary", "outside_liaison", "stranger", "public"}),
        ("members", INSIDE),
        ("organizations", OWNERS | {"host_liaison", "outside_liaison"}),
        ("secretariat", OWNERS),
    ],
)
def test_visible_to_opens_an_event_to_its_audience(
    cast: Cast, audience: str, expected: set[str]
) -> None:
    event = make_event(
        cast.alliance, audience=audience, hosts=[Host(cast.host)],
        named=[cast.outside] if audience == "organizations" else [],
    )  # fmt: skip
    assert seen_by(cast, Event, event.pk) == expected


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ("members", INSIDE | {"other_secretary", "outside_liaison"}),
        ("organizations", OWNERS | {"other_secretary"}),
        ("secretariat", OWNERS),
    ],
)
def test_visible_to_opens_a_co_hosted_event_to_the_co_host(
    cast: Cast, audience: str, expected: set[str]
) -> None:
    event = make_event(cast.alliance, audience=audience, co_hosts=[cast.other])
    assert seen_by(cast, Event, event.pk) == expected


def test_visible_to_a_host_from_outside_shows_a_members_event(cast: Cast) -> None:
    event = make_event(cast.alliance, audience="members", hosts=[Host(cast.outside)])
    assert seen_by(cast, Event, event.pk) == INSIDE | {"outside_liaison"}


def test_visible_to_follows_the_plan_of_an_event(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    event = make_line(plan, hosts=(cast.host,)).events.get()
    assert seen_by(cast, Event, event.pk) == OWNERS
    advance_plan(plan, "adopted")
    assert seen_by(cast, Event, event.pk) == INSIDE
    publish_plan(plan, viewer=SYSTEM, at=AT)
    assert seen_by(cast, Event, event.pk) == set(cast.viewers())


def test_visible_to_shows_each_event_once(cast: Cast) -> None:
    make_event(
        cast.alliance, hosts=[Host(cast.host), Host(cast.member)], co_hosts=[cast.other],
        named=[cast.host, cast.outside],
    )  # fmt: skip
    for viewer in cast.viewers().values():
        assert Event.objects.visible_to(viewer).count() == 1


def test_overlapping_takes_half_open_spans(cast: Cast) -> None:
    event = make_event(cast.alliance, span=MORNING)
    make_event(cast.alliance)
    hour = span("2028-05-16T08:30", "2028-05-16T09:30")
    after = span("2028-05-16T12:00", "2028-05-16T13:00")
    inside = span("2028-05-16T09:30", "2028-05-16T09:31")
    for around, found in ((hour, []), (after, []), (inside, [event]), (AFTERNOON, [])):
        rows = Event.objects.overlapping(around.starts_at, around.ends_at)
        assert list(rows) == found


def test_overlapping_finds_an_event_that_spans_the_whole_interval(cast: Cast) -> None:
    event = make_event(cast.alliance, span=span("2028-05-01T00:00", "2028-06-01T00:00"))
    since, until = datetime(2028, 5, 10, tzinfo=UTC), datetime(2028, 5, 11, tzinfo=UTC)
    assert list(Event.objects.overlapping(since, until)) == [event]


def test_concerning_organization_finds_hosts_and_named(cast: Cast) -> None:
    hosted = make_event(cast.alliance, hosts=[Host(cast.host)])
    named = make_event(cast.alliance, named=[cast.host])
    make_event(cast.alliance, hosts=[Host(cast.member)])
    rows = Event.objects.concerning_organization(cast.host.pk).order_by("pk")
    assert list(rows) == [hosted, named]


def test_concerning_organizations_leaves_out_what_they_may_not_see(cast: Cast) -> None:
    hosted = make_event(cast.alliance, hosts=[Host(cast.host)], audience="members")
    make_event(cast.alliance, hosts=[Host(cast.host)], audience="secretariat")

    rows = Event.objects.concerning_organizations([cast.host.pk, cast.member.pk])
    assert list(rows) == [hosted]


@pytest.mark.parametrize(
    ("openness", "expected"),
    [
        ("public", INSIDE | {"other_secretary", "outside_liaison", "stranger", "public"}),
        ("members", INSIDE | {"other_secretary", "outside_liaison"}),
        ("organizations", OWNERS | {"host_liaison"}),
        ("secretariat", OWNERS),
    ],
)
def test_visible_to_opens_materials_inside_their_own_circle(
    cast: Cast, openness: str, expected: set[str]
) -> None:
    event = make_event(cast.alliance, hosts=[Host(cast.host)], co_hosts=[cast.other])
    material = attach_material(
        event, title="议程", file_name="a.pdf", content=b"x", openness=openness,
        viewer=SYSTEM, at=AT,
    )  # fmt: skip
    assert seen_by(cast, Material, material.pk) == expected


def test_visible_to_hides_public_materials_of_an_event_that_is_not_open(cast: Cast) -> None:
    event = make_event(cast.alliance, audience="secretariat")
    material = attach_material(
        event, title="议程", file_name="a.pdf", content=b"x", openness="public",
        viewer=SYSTEM, at=AT,
    )  # fmt: skip
    assert seen_by(cast, Material, material.pk) == OWNERS


def test_visible_to_keeps_invitations_between_secretariat_and_organization(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True, audience="members")
    [invitation] = invite_organizations(event, [cast.outside], viewer=SYSTEM, at=AT)
    answer = answer_invitation(invitation, state="accepted", viewer=SYSTEM, at=AT)
    duty = set_duty(event, cast.outside, kind="name_date", due_at=AT, viewer=SYSTEM, at=AT)
    for model, row in ((Invitation, invitation), (Answer, answer), (Duty, duty)):
        assert seen_by(cast, model, row.pk) == OWNERS | {"outside_liaison"}


def test_visible_to_hides_what_is_owed_to_an_event_that_is_not_open(cast: Cast) -> None:
    event = make_event(cast.alliance, audience="secretariat")
    duty = set_duty(event, cast.outside, kind="name_date", due_at=AT, viewer=SYSTEM, at=AT)
    assert seen_by(cast, Duty, duty.pk) == OWNERS


def test_visible_to_keeps_reminder_rules_for_the_secretariat(cast: Cast) -> None:
    rule = add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, offset="-P7D")
    assert seen_by(cast, ReminderRule, rule.pk) == OWNERS


@pytest.mark.parametrize("part", ["public", "stranger", "member_liaison", "secretary", "superuser"])
@pytest.mark.parametrize("order", ["starts_at", "-starts_at", "pk"])
def test_visible_to_walks_an_index_and_sorts_nothing(cast: Cast, part: str, order: str) -> None:
    make_event(cast.alliance, scheduled=True)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # a handful of rows would be read whole, and sorted
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
    rows = Event.objects.visible_to(cast.viewers()[part])
    if order != "pk":
        rows = rows.filter(starts_at__isnull=False)
    plan = rows.order_by(order, *([] if order == "pk" else ["pk"]))[:51].explain()
    assert "event" in plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan
    assert "Sort Key: starts_at, id" not in plan
