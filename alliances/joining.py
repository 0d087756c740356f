"""Who belongs and who acts: founding alliances, admitting members, seating people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy as _

from alliances import rules
from alliances.drafting import Host, host_rows
from alliances.followers import followers
from alliances.models import (
    Alliance,
    Body,
    BodyKind,
    ChairTerm,
    Membership,
    Organization,
    OrganizationAlias,
    PlanItem,
    PlanItemHost,
    Seat,
)
from alliances.models.organization import name_key
from coordination.accounts.viewer import Viewer
from coordination.changes.assigning import assign
from coordination.changes.models import Tracked
from coordination.changes.recording import Log, recording
from coordination.changes.refusals import TransitionNotAllowed, invalid

Noun = TypeVar("Noun", bound=Tracked)
Values = Mapping[str, Any]
SHOWN_BY_EVENTS = ("name_zh", "name_en", "email", "time_zone")
NAMES = frozenset({"name_zh", "name_en"})
MEMBER = frozenset({"alliance", "organization"})
CHAIR = frozenset({"body", "organization"})


def found_alliance(*, viewer: Viewer, at: datetime, **values: Any) -> Alliance:
    """Set up an alliance with its secretariat, ready for members and people.

    Raises:
        NotAllowed: only superusers found alliances.
        InvalidInput: a value does not fit, or the short address is taken.
    """
    rules.require(rules.may_found_alliance(viewer))
    alliance = assign(Alliance(), values)
    with recording(viewer.actor, at=at) as log:
        log.save(alliance, "alliance.founded")
        secretariat = Body(
            alliance=alliance, kind=BodyKind.SECRETARIAT, name_zh="秘书处", name_en="Secretariat"
        )
        log.save(secretariat, "body.added")
    return alliance


def revise_alliance(alliance: Alliance, *, viewer: Viewer, at: datetime, **values: Any) -> Alliance:
    """Change an alliance's details; what calendars show of it is a change of its events.

    Raises:
        NotAllowed, InvalidInput, StaleVersion.
    """
    rules.require(rules.may_manage_alliance(viewer, alliance))
    renamed = any(
        values.get(name, getattr(alliance, name)) != getattr(alliance, name)
        for name in SHOWN_BY_EVENTS
    )
    if values.get("slug", alliance.slug) != alliance.slug:
        raise invalid("slug", _("The short address is in other people's links and stays."))
    assign(alliance, values)
    with recording(viewer.actor, at=at) as log:
        log.save(alliance, "alliance.revised")
        for follower in followers if renamed else ():
            follower.alliance_renamed(alliance, viewer=viewer, at=at)
    return alliance


def add_body(alliance: Alliance, *, viewer: Viewer, at: datetime, **values: Any) -> Body:
    """Add a body to an alliance.

    Raises:
        NotAllowed, InvalidInput.
    """
    rules.require(rules.may_manage_alliance(viewer, alliance))
    body = assign(Body(alliance=alliance), values, fixed=["alliance"])
    with recording(viewer.actor, at=at) as log:
        log.save(body, "body.added")
    return body


def revise_body(body: Body, *, viewer: Viewer, at: datetime, **values: Any) -> Body:
    """Change a body's name, kind or term.

    Raises:
        NotAllowed, InvalidInput, StaleVersion.
    """
    rules.require(rules.may_manage_body(viewer, body))
    with recording(viewer.actor, at=at) as log:
        log.save(assign(body, values, fixed=["alliance"]), "body.revised")
    return body


def register_organization(
    *, viewer: Viewer, at: datetime, aliases: Sequence[str] = (), **values: Any
) -> Organization:
    """Make an organization known to the installation.

    Raises:
        NotAllowed, InvalidInput.
    """
    rules.require(rules.may_register_organization(viewer))
    organization = assign(Organization(), values, fixed=["merged_into"])
    with recording(viewer.actor, at=at) as log:
        rows = _alias_rows(aliases)
        log.insert_all([organization], "organization.registered", parts=[{"aliases": rows}])
    return organization


def revise_organization(
    organization: Organization,
    *,
    viewer: Viewer,
    at: datetime,
    aliases: Sequence[str] | None = None,
    **values: Any,
) -> Organization:
    """Change an organization; a new name is a change of the events that show it.

    Raises:
        NotAllowed, InvalidInput, StaleVersion.
    """
    rules.require(rules.may_revise_organization(viewer, organization))
    renamed = any(
        values.get(name, getattr(organization, name)) != getattr(organization, name)
        for name in NAMES
    )
    parts = {} if aliases is None else {"aliases": _alias_rows(aliases)}
    assign(organization, values, fixed=["merged_into"])
    with recording(viewer.actor, at=at) as log:
        log.save(organization, "organization.revised", parts=parts)
        for follower in followers if renamed else ():
            follower.organization_renamed(organization, viewer=viewer, at=at)
    return organization


def merge_organizations(
    kept: Organization, merged: Organization, *, viewer: Viewer, at: datetime, reason: str
) -> Organization:
    """Make `merged` a known name of `kept`; what it holds, hosts and owes passes on.

    Where both were members of one alliance at the same time, one membership remains that lasts
    from the earlier beginning to the later end.

    Raises:
        NotAllowed: superusers only.
        StaleVersion.
        InvalidInput: both are the same, one is merged already, or a name of the merged one is
            known as a third organization's.
    """
    rules.require(rules.may_merge_organizations(viewer))
    if kept.pk == merged.pk or kept.merged_into_id or merged.merged_into_id:
        raise invalid("merged", _("Choose two different organizations that both still stand."))
    names = [alias.name for alias in kept.aliases.all()]
    names += [alias.name for alias in merged.aliases.all()]
    names += [name for name in (merged.name_zh, merged.name_en, merged.name_local) if name]
    with recording(viewer.actor, at=at, reason=reason) as log:
        merged.merged_into = kept
        log.save(merged, "organization.merged", parts={"aliases": []})
        log.save(kept, "organization.revised", parts={"aliases": _alias_rows(names)})
        _join_memberships(kept, merged, log)
        for model in (Seat, ChairTerm):
            for row in model.objects.filter(organization=merged).order_by("pk"):
                row.organization = kept
                log.save(row, f"{_noun(model)}.revised")
        _pass_on_lines(kept, merged, log)
        for follower in followers:
            follower.organizations_merged(kept, merged, viewer=viewer, at=at)
    return kept


def admit_member(
    alliance: Alliance, organization: Organization, *, viewer: Viewer, at: datetime, **values: Any
) -> Membership:
    """Admit an organization to an alliance from a day on.

    Raises:
        NotAllowed: not this alliance's secretariat.
        InvalidInput: the organization is a member in this period already (the database says so).
    """
    rules.require(rules.may_manage_alliance(viewer, alliance))
    if organization.merged_into_id:
        raise invalid("organization", _("This organization was merged into another one."))
    membership = assign(
        Membership(alliance=alliance, organization=organization), _tidied(values), fixed=MEMBER
    )
    with recording(viewer.actor, at=at) as log:
        log.hold(organization, unchanged=["merged_into"])
        log.save(membership, "membership.begun")
    return membership


def revise_membership(
    membership: Membership, *, viewer: Viewer, at: datetime, **values: Any
) -> Membership:
    """Change role, tier, tags, period or display name.

    Raises:
        NotAllowed, InvalidInput, StaleVersion.
    """
    rules.require(rules.may_manage_membership(viewer, membership))
    with recording(viewer.actor, at=at) as log:
        log.save(assign(membership, _tidied(values), fixed=MEMBER), "membership.revised")
    return membership


def _tidied(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with exactly one space between tags."""
    tags = values.get("tags")
    return values | {"tags": " ".join(tags.split())} if isinstance(tags, str) else values


def end_membership(
    membership: Membership, *, on: date, reason: str, viewer: Viewer, at: datetime
) -> Membership:
    """End a membership; `on` is the first day on which it no longer holds.

    Raises:
        NotAllowed, StaleVersion.
        TransitionNotAllowed: it has ended already.
        InvalidInput: the day is not after its beginning.
    """
    rules.require(rules.may_manage_membership(viewer, membership))
    if membership.ends_on is not None and membership.ends_on <= on:
        raise TransitionNotAllowed(_("This membership has ended already."))
    membership.ends_on, membership.end_reason = on, reason
    with recording(viewer.actor, at=at, reason=reason) as log:
        log.save(membership, "membership.ended")
    return membership


def appoint_chair(
    body: Body, organization: Organization, *, viewer: Viewer, at: datetime, **values: Any
) -> ChairTerm:
    """Give an organization the rotating chair of a body for a period.

    Raises:
        NotAllowed.
        InvalidInput: another organization holds the chair in this period.
    """
    rules.require(rules.may_manage_body(viewer, body))
    if organization.merged_into_id:
        raise invalid("organization", _("This organization was merged into another one."))
    term = assign(ChairTerm(body=body, organization=organization), values, fixed=CHAIR)
    with recording(viewer.actor, at=at) as log:
        log.save(term, "chair_term.begun")
    return term


def revise_chair_term(term: ChairTerm, *, viewer: Viewer, at: datetime, **values: Any) -> ChairTerm:
    """Change the period of a term in the chair.

    Raises:
        NotAllowed, InvalidInput, StaleVersion.
    """
    rules.require(rules.may_manage_body(viewer, term.body))
    with recording(viewer.actor, at=at) as log:
        log.save(assign(term, values, fixed=CHAIR), "chair_term.revised")
    return term


def organizations_by_name() -> dict[str, Organization]:
    """Return every organization that still stands by every form of its names and aliases."""
    found: dict[str, Organization] = {}
    rows = Organization.objects.filter(merged_into__isnull=True).prefetch_related("aliases")
    for organization in rows:
        for key in organization.name_keys():
            found.setdefault(key, organization)
    return found


def _alias_rows(names: Sequence[str]) -> list[OrganizationAlias]:
    unique = {name_key(name): name.strip() for name in reversed(names) if name.strip()}
    return [OrganizationAlias(name=name, key=key) for key, name in reversed(list(unique.items()))]


def _noun(model: type[Tracked]) -> str:
    return {"Seat": "seat", "ChairTerm": "chair_term"}[model.__name__]


def _join_memberships(kept: Organization, merged: Organization, log: Log) -> None:
    """Pass memberships on; those that overlap one of the kept organization's are joined with it."""
    for row in Membership.objects.filter(organization=merged).order_by("pk"):
        own = list(Membership.objects.filter(organization=kept, alliance=row.alliance_id))
        both = [other for other in own if _overlap(row, other)]
        if not both:
            row.organization = kept
            log.save(row, "membership.revised")
            continue
        first, *others = both
        first.starts_on = min(period.starts_on for period in (row, *both))
        ends = [period.ends_on for period in (row, *both)]
        first.ends_on = None if None in ends else max(filter(None, ends))
        for period in (row, *others):
            log.delete(period, "membership.joined")
        log.save(first, "membership.revised")


def _overlap(first: Membership, second: Membership) -> bool:
    return (first.ends_on is None or second.starts_on < first.ends_on) and (
        second.ends_on is None or first.starts_on < second.ends_on
    )


def _pass_on_lines(kept: Organization, merged: Organization, log: Log) -> None:
    """Let the kept organization host the lines of plans that the merged one did, each once."""
    hosted = PlanItemHost.objects.filter(organization=merged).values("item")
    items = PlanItem.objects.filter(pk__in=hosted).select_related("plan")
    for item in items.prefetch_related("hosts__organization").order_by("pk"):
        hosts = [
            Host(row.name, kept if row.organization_id == merged.pk else row.organization)
            for row in item.hosts.all()
        ]
        once = {host.organization or host.name: host for host in reversed(hosts)}
        rows = host_rows([host for host in hosts if host in once.values()])
        log.save(item, "plan_item.relabelled", parts={"hosts": rows})
