"""The demo world, built by the same verbs that people use. Loading it again changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from alliances import joining
from alliances.models import Alliance, Body, Organization
from coordination.accounts.viewer import SYSTEM
from coordination.demo.campaign import load_campaign
from coordination.demo.cities import load_city_events
from coordination.demo.facts import (
    ALLIANCES,
    ILLUSTRATION,
    PUBLIC_REPORT,
    SUPPORTERS,
    AllianceFacts,
    Member,
)
from coordination.demo.past_year import load_past_plan
from coordination.demo.people import load_people
from coordination.demo.this_year import load_current_plan

Say = Callable[[str], None]


def load_world(*, at: datetime, say: Say) -> None:
    """Load what of the demo world is not there yet.

    Args:
        at: now, aware; the current year's plan is laid around its day.
        say: takes a line of progress.
    """
    for facts in ALLIANCES:
        if not Alliance.objects.filter(slug=facts.slug).exists():
            say(facts.name_zh)
            found_alliance(facts, at=at)
    register_supporters(at=at)
    load_people(at=at)
    for load in (load_past_plan, load_current_plan, load_campaign, load_city_events):
        load(at=at, say=say)


def found_alliance(facts: AllianceFacts, *, at: datetime) -> Alliance:
    """Found an alliance with its bodies and members."""
    alliance = joining.found_alliance(
        viewer=SYSTEM,
        at=at,
        slug=facts.slug,
        kind=facts.kind,
        name_zh=facts.name_zh,
        name_en=facts.name_en,
        short_name_zh=facts.short_name_zh,
        short_name_en=facts.short_name_en,
        description_zh=facts.description_zh,
        description_en=facts.description_en,
        founded_on=facts.founded_on,
        source=facts.source,
    )
    for kind, name_zh, name_en in facts.bodies:
        joining.add_body(
            alliance, viewer=SYSTEM, at=at, kind=kind, name_zh=name_zh, name_en=name_en
        )
    for member in facts.members:
        organization = register(member, at=at)
        joining.admit_member(
            alliance,
            organization,
            viewer=SYSTEM,
            at=at,
            role="founding" if member.is_fact else "member",
            tier=member.tier,
            starts_on=facts.member_since,
        )
    _rotate_chair(alliance, at=at)
    return alliance


def register(member: Member, *, at: datetime) -> Organization:
    """Return the organization, registered now if nobody knows it yet."""
    known: Organization | None = Organization.objects.filter(name_zh=member.name_zh).first()
    if known is not None:
        return known
    return joining.register_organization(
        viewer=SYSTEM,
        at=at,
        kind=member.kind,
        name_zh=member.name_zh,
        name_en=member.name_en,
        name_local=member.name_local,
        local_language=member.local_language,
        country=member.country,
        time_zone=member.time_zone,
        aliases=member.aliases,
        source=PUBLIC_REPORT if member.is_fact else ILLUSTRATION,
        illustrative=not member.is_fact,
    )


def register_supporters(*, at: datetime) -> None:
    """Register the international organizations that support the city alliance."""
    for name_zh, name_en in SUPPORTERS:
        if not Organization.objects.filter(name_en=name_en).exists():
            joining.register_organization(
                viewer=SYSTEM,
                at=at,
                kind="international",
                name_zh=name_zh,
                name_en=name_en,
                country="CH",
                time_zone="Europe/Zurich",
                source=PUBLIC_REPORT,
            )


def _rotate_chair(alliance: Alliance, *, at: datetime) -> None:
    """Let the first members take the chair of the council in turn, a year each (示例)."""
    council = Body.objects.filter(alliance=alliance, kind="council").first()
    members = list(alliance.memberships.select_related("organization").order_by("pk")[:3])
    if council is None:
        return
    for year, membership in enumerate(members, start=at.year - 2):
        joining.appoint_chair(
            council,
            membership.organization,
            viewer=SYSTEM,
            at=at,
            starts_on=date(year, 1, 1),
            ends_on=date(year + 1, 1, 1),
        )
